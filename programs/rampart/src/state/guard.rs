//! The root of one protocol's defence: who may do what, within which bounds, at which level.

use crate::constants::MAX_GUARDIANS;
use crate::error::RampartError;
use crate::math::bps::BPS_ONE;
use crate::state::breaker::Breaker;
use anchor_lang::prelude::*;

/// Floors and ceilings that are fixed when the guard is created. No key can move them apart.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct HardBounds {
    /// The oldest price age that a source may be given, seconds.
    pub max_oracle_age_secs: u32,
    /// The longest a rule may hold its level, seconds.
    pub max_rule_duration_secs: u32,
    /// The widest confidence or disagreement that an asset may allow, bps.
    pub max_confidence_bps: u16,
    /// The highest outflow limit of an hour, bps of the day's base.
    pub max_hourly_outflow_bps: u16,
    /// The highest outflow limit of a day, bps of the day's base.
    pub max_daily_outflow_bps: u16,
    /// The lowest exit floor, bps of a position per day.
    pub min_exit_floor_bps: u16,
    /// The highest loan-to-value ratio for new risk, bps.
    pub max_ltv_bps: u16,
    /// The highest liquidation bonus, bps.
    pub max_bonus_bps: u16,
    /// Zeros.
    pub reserved: [u8; 4],
}

impl HardBounds {
    /// Checks that the bounds leave room and bind at all.
    ///
    /// # Errors
    /// `BoundsInvalid` for a bound that is zero or beyond its whole, `UnknownKind` for reserved bytes that are set.
    pub fn validate(&self) -> Result<()> {
        require!(self.reserved == [0; 4], RampartError::UnknownKind);
        let one = BPS_ONE as u16;
        let shares = [
            self.max_confidence_bps,
            self.max_hourly_outflow_bps,
            self.max_daily_outflow_bps,
            self.min_exit_floor_bps,
            self.max_ltv_bps,
            self.max_bonus_bps,
        ];
        require!(shares.iter().all(|b| *b > 0 && *b <= one), RampartError::BoundsInvalid);
        require!(self.max_hourly_outflow_bps <= self.max_daily_outflow_bps, RampartError::BoundsInvalid);
        require!(self.min_exit_floor_bps < self.max_daily_outflow_bps, RampartError::BoundsInvalid);
        require!(self.max_ltv_bps < one, RampartError::BoundsInvalid);
        require!(self.max_oracle_age_secs > 0 && self.max_rule_duration_secs > 0, RampartError::BoundsInvalid);
        Ok(())
    }
}

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
    /// Floors and ceilings, fixed at creation.
    pub bounds: HardBounds,
    /// Level of everything under this guard.
    pub breaker: Breaker,
    /// Counts changes of roles; a change prepared under another epoch is refused.
    pub authority_epoch: u64,
    /// Number chosen by the creator; part of the address.
    pub id: u16,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 252],
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
        self.bounds.validate()
    }
}

const _: () = assert!(Guard::SPACE <= 10_240);
