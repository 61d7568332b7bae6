//! A count of all that a guard has, over several transactions: for what has to hold of every account.

use crate::constants::CENSUS_MAX_SECS;
use crate::error::RampartError;
use crate::refuse::require;
use crate::state::guard::{Guard, HardBounds};
use crate::state::oracle_set::stored_enum;
use anchor_lang::prelude::*;

/// What a census is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CensusPurpose {
    /// Narrower hard bounds: each account has to be within them.
    Narrow = 1,
    /// The freeze: each account has to be within the bounds as they are, each rule enabled.
    Freeze = 2,
}
stored_enum!(CensusPurpose { Narrow, Freeze });

/// What has been counted, in ascending order of the keys: an account is counted once.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The last account that was counted; the default key before the first, which no account has.
    pub last: Pubkey,
    /// Assets, vaults and rules.
    pub found: [u32; 3],
}

impl Tally {
    /// Counts the account at `key`, of a kind: 0 asset, 1 vault, 2 rule.
    ///
    /// # Errors
    /// `CensusIncomplete` for a key that doesn't follow the last one.
    pub fn count(&mut self, key: &Pubkey, kind: usize) -> Result<()> {
        require!(self.last < *key, RampartError::CensusIncomplete);
        self.last = *key;
        self.found[kind] = self.found[kind].checked_add(1).ok_or(RampartError::MathOverflow)?;
        Ok(())
    }

    /// Checks that all that `guard` has was counted.
    ///
    /// # Errors
    /// `CensusIncomplete`.
    pub fn require_all(&self, guard: &Guard) -> Result<()> {
        let all = [guard.asset_count, guard.vault_count, guard.rule_count];
        require!(self.found == all, RampartError::CensusIncomplete);
        Ok(())
    }
}

/// A census that is being taken.
///
/// It says of several transactions what one would say: between its opening and its use nothing that was counted has
/// changed, as every change of an asset's, a vault's or a rule's configuration moves the guard's `config_seq` on.
#[account(zero_copy)]
#[derive(Debug, PartialEq, Eq)]
pub struct Census {
    /// The guard.
    pub guard: Pubkey,
    /// Who may count: named by root. Whoever leaves an account out can't complete it.
    pub counter: Pubkey,
    /// Who paid the rent and gets it back.
    pub rent_to: Pubkey,
    /// The guard's `config_seq` when it was opened.
    pub config_seq: u64,
    /// The guard's authority epoch when it was opened.
    pub authority_epoch: u64,
    /// When it was opened, unix seconds.
    pub opened_at_ts: i64,
    /// What was counted.
    pub tally: Tally,
    /// What each account is held against.
    pub bounds: HardBounds,
    /// [`CensusPurpose`].
    pub purpose: u8,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 73],
}

impl Census {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Checks that what was counted still stands: nothing was configured since, and its time isn't over.
    ///
    /// # Errors
    /// `CensusMoved`.
    pub fn require_current(&self, guard: &Guard, now_ts: i64) -> Result<()> {
        let is_same = self.config_seq == guard.config_seq && self.authority_epoch == guard.authority_epoch;
        let is_timely = now_ts.saturating_sub(self.opened_at_ts) <= CENSUS_MAX_SECS;
        require!(is_same && is_timely, RampartError::CensusMoved);
        Ok(())
    }
}

const _: () = assert!(Census::SPACE <= 10_240);
