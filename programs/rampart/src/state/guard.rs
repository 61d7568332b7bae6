//! The root of one protocol's defence: who may do what, within which bounds, at which level.

use crate::constants::MAX_GUARDIANS;
use crate::error::RampartError;
use crate::refuse::require;
use crate::state::breaker::Breaker;
use crate::state::oracle_set::{Switch, stored_enum};
use crate::state::pause::PauseBudget;
use crate::state::reserve::ReserveState;
use anchor_lang::prelude::*;

pub use crate::state::bounds::HardBounds;

/// Whether a guard may still loosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Finality {
    /// Loosenings are possible, with delay and veto.
    Open = 1,
    /// No loosening can be proposed or executed, for ever.
    Frozen = 2,
}
stored_enum!(Finality { Open, Frozen });

/// Whether a guard has a keeper set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Keepers {
    /// None was created.
    None = 0,
    /// There is one: whatever gives roles out has to look at it.
    Set = 1,
}
stored_enum!(Keepers { None, Set });

/// Who may do what. Pairwise distinct, none the default key.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Roles {
    /// Creates assets, vaults and rules.
    pub root: Pubkey,
    /// Tightens limits at once.
    pub risk_admin: Pubkey,
    /// Lowers levels with a proof.
    pub resetter: Pubkey,
    /// Stops pending changes.
    pub vetoer: Pubkey,
    /// May raise the level within a budget; the first `guardian_count` are in use, the rest default keys.
    pub guardians: [Pubkey; MAX_GUARDIANS],
    /// How many guardians there are.
    pub guardian_count: u8,
    /// How many of them make a quorum.
    pub guardian_quorum: u8,
    /// Zeros.
    pub reserved: [u8; 6],
}

impl Roles {
    /// Returns the guardians in use.
    pub fn active_guardians(&self) -> &[Pubkey] {
        &self.guardians[..usize::from(self.guardian_count).min(MAX_GUARDIANS)]
    }

    /// Tells whether `key` is a guardian.
    pub fn is_guardian(&self, key: &Pubkey) -> bool {
        self.active_guardians().contains(key)
    }

    /// Checks that at least a quorum of guardians, each counted once, is among `signers`.
    ///
    /// # Errors
    /// `QuorumMissing`.
    pub fn require_quorum(&self, signers: &[AccountInfo]) -> Result<()> {
        let signed = |g: &&Pubkey| signers.iter().any(|s| s.is_signer && s.key == *g);
        let count = self.active_guardians().iter().filter(signed).count();
        require!(count >= usize::from(self.guardian_quorum).max(1), RampartError::QuorumMissing);
        Ok(())
    }

    /// Tells whether `key` may stop a pending change: as vetoer or as guardian.
    pub fn may_veto(&self, key: &Pubkey) -> bool {
        self.vetoer == *key || self.is_guardian(key)
    }

    /// Checks that every role is held by a key of its own.
    ///
    /// # Errors
    /// `RolesInvalid` for a default key, a key with two roles, or a quorum that can't be met; `UnknownKind` for reserved
    /// bytes that are set.
    pub fn validate(&self) -> Result<()> {
        require!(self.reserved == [0; 6], RampartError::UnknownKind);
        let count = usize::from(self.guardian_count);
        require!((1..=MAX_GUARDIANS).contains(&count), RampartError::RolesInvalid);
        require!((1..=self.guardian_count).contains(&self.guardian_quorum), RampartError::RolesInvalid);
        let (used, spare) = self.guardians.split_at(count);
        require!(spare.iter().all(|g| *g == Pubkey::default()), RampartError::RolesInvalid);
        let key_at = |i: usize| match i {
            0 => self.root,
            1 => self.risk_admin,
            2 => self.resetter,
            3 => self.vetoer,
            _ => used[i - 4],
        };
        for i in 0..4 + count {
            require!(key_at(i) != Pubkey::default(), RampartError::RolesInvalid);
            require!((0..i).all(|j| key_at(j) != key_at(i)), RampartError::RolesInvalid);
        }
        Ok(())
    }
}

/// The guard of one protocol. Read-only in every user and liquidation instruction.
#[account(zero_copy)]
#[derive(Debug)]
pub struct Guard {
    /// Who created it; part of its address.
    pub creator: Pubkey,
    /// Who may do what.
    pub roles: Roles,
    /// Floors and ceilings, fixed at creation and only ever narrowed.
    pub bounds: HardBounds,
    /// Level of everything under this guard.
    pub breaker: Breaker,
    /// What guardians have used of their budgets.
    pub pauses: PauseBudget,
    /// Counts changes of roles; a change prepared under another epoch is refused.
    pub authority_epoch: u64,
    /// Counts proposed changes: the number of the next one, and part of its address.
    pub next_change_id: u64,
    /// Counts changes of what assets, vaults and rules are configured to: a census of another number is void.
    pub config_seq: u64,
    /// How long a loosening waits, seconds; at least the bound's floor.
    pub loosen_delay_secs: u32,
    /// Assets of this guard.
    pub asset_count: u32,
    /// Vaults of this guard.
    pub vault_count: u32,
    /// Rules of this guard.
    pub rule_count: u32,
    /// Number chosen by the creator; part of the address.
    pub id: u16,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// [`Finality`]; anything but `Open` counts as frozen.
    pub finality: u8,
    /// [`Switch`] of the dollar limit over all vaults; anything but `Disabled` counts as in force.
    pub aggregate: u8,
    /// [`Keepers`]; anything but `None` counts as set.
    pub keepers: u8,
    /// [`ReserveState`]; anything but `Absent` demands the reserve where bad debt is recorded.
    pub reserve: u8,
    /// Zeros.
    pub reserved: [u8; 240],
}

impl Guard {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Checks what must hold after every instruction that writes the guard.
    ///
    /// # Errors
    /// The error of the part that does not hold.
    pub fn invariant(&self) -> Result<()> {
        self.roles.validate()?;
        self.bounds.validate()?;
        require!(self.loosen_delay_secs >= self.bounds.min_loosen_delay_secs, RampartError::OutsideHardBounds);
        Ok(())
    }

    /// Checks that loosenings are still possible.
    ///
    /// # Errors
    /// `GuardFrozen`.
    pub fn require_open(&self) -> Result<()> {
        require!(self.finality == Finality::Open as u8, RampartError::GuardFrozen);
        Ok(())
    }

    /// Tells whether what leaves a vault is charged to the guard's dollar limit.
    pub fn has_aggregate_in_force(&self) -> bool {
        self.aggregate != Switch::Disabled as u8
    }

    /// Takes note that an asset, a vault or a rule was configured anew. MUST be called by whatever does so.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn note_configured(&mut self) -> Result<()> {
        self.config_seq = self.config_seq.checked_add(1).ok_or(RampartError::MathOverflow)?;
        Ok(())
    }

    /// Tells whether there is a reserve, without which bad debt of a covered vault can't be recorded.
    pub fn has_reserve(&self) -> bool {
        self.reserve != ReserveState::Absent as u8
    }

    /// Takes new roles into force. All that was prepared under the old ones is void: the epoch moves on.
    ///
    /// # Errors
    /// `RolesInvalid`, `UnknownKind`, `MathOverflow`.
    pub fn set_roles(&mut self, roles: Roles) -> Result<()> {
        roles.validate()?;
        self.roles = roles;
        self.authority_epoch = self.authority_epoch.checked_add(1).ok_or(RampartError::MathOverflow)?;
        Ok(())
    }
}

const _: () = assert!(Guard::SPACE <= 10_240);
