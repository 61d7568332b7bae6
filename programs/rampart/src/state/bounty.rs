//! What trips are paid for, from lamports that were put aside for it and never from what users hold.

use crate::constants::MAX_BOUNTY_LAMPORTS;
use crate::error::RampartError;
use crate::math::limiter::DayRing;
use crate::refuse::require;
use anchor_lang::prelude::*;

/// How much is paid, and how often.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct BountyParams {
    /// For one trip, lamports.
    pub bounty_lamports: u64,
    /// The most within any day, lamports.
    pub daily_limit_lamports: u64,
    /// The shortest time between two bounties, seconds.
    pub cooldown_secs: u32,
    /// Zeros.
    pub reserved: [u8; 4],
}

impl BountyParams {
    /// Checks that a bounty is small and that the day's limit leaves room for one.
    ///
    /// # Errors
    /// `BountyInvalid`, `UnknownKind` for reserved bytes that are set.
    pub fn validate(&self) -> Result<()> {
        require!(self.reserved == [0; 4], RampartError::UnknownKind);
        let is_small = (1..=MAX_BOUNTY_LAMPORTS).contains(&self.bounty_lamports);
        let has_room = self.daily_limit_lamports >= self.bounty_lamports && self.cooldown_secs > 0;
        require!(is_small && has_room, RampartError::BountyInvalid);
        Ok(())
    }
}

/// The bounty vault of a guard. What it holds above its rent is there to be paid.
#[account(zero_copy)]
#[derive(Debug, PartialEq, Eq)]
pub struct BountyVault {
    /// The guard it belongs to.
    pub guard: Pubkey,
    /// How much is paid, and how often.
    pub params: BountyParams,
    /// Paid within the last day, lamports, per hour.
    pub paid: DayRing,
    /// When it paid last, unix seconds.
    pub paid_at_ts: i64,
    /// Paid since creation, lamports.
    pub total_lamports: u64,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 62],
}

impl BountyVault {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Takes one bounty out of the limits and returns it, in lamports; zero where cooldown, the day or the funds forbid it.
    pub fn take(&mut self, free_lamports: u64, now_ts: i64) -> u64 {
        let amount = self.params.bounty_lamports;
        let is_cool = now_ts.saturating_sub(self.paid_at_ts) >= i64::from(self.params.cooldown_secs);
        self.paid.settle(now_ts);
        if !is_cool || free_lamports < amount || self.paid.take(amount, self.params.daily_limit_lamports).is_err() {
            return 0;
        }
        self.paid_at_ts = now_ts;
        self.total_lamports = self.total_lamports.saturating_add(amount);
        amount
    }
}

const _: () = assert!(BountyVault::SPACE <= 10_240);
