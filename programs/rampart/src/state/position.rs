//! What one owner has in one vault: lent shares, debt and collateral.

use crate::constants::{DAY_SECS, HOUR_SECS};
use crate::error::RampartError;
use crate::math::bps::Bps;
use crate::math::wide::U128;
use crate::refuse::require;
use crate::state::inflow::Unripe;
use crate::state::ticket::{TicketSide, Tickets};
use anchor_lang::prelude::*;

/// A position's own recent inflow: a withdrawal is charged to the limiter net of it.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct InflowCredit {
    /// What is left of it, base units.
    pub amount: u64,
    /// When the oldest part came in, unix seconds: the whole credit ends with its oldest part.
    pub since_ts: i64,
}

impl InflowCredit {
    /// Adds an inflow; an earlier credit that is over is dropped first.
    pub fn add(&mut self, amount: u64, window_secs: i64, now_ts: i64) {
        if self.amount == 0 || self.is_over(window_secs, now_ts) {
            *self = Self { amount: 0, since_ts: now_ts };
        }
        self.amount = self.amount.saturating_add(amount);
    }

    /// Uses the credit for an outflow and returns the part that has to be charged.
    pub fn net(&mut self, amount: u64, window_secs: i64, now_ts: i64) -> u64 {
        if self.is_over(window_secs, now_ts) {
            self.amount = 0;
        }
        let used = self.amount.min(amount);
        self.amount -= used;
        amount - used
    }

    fn is_over(&self, window_secs: i64, now_ts: i64) -> bool {
        now_ts.saturating_sub(self.since_ts) >= window_secs
    }
}

/// What a position has taken through the exit floor.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ExitFloor {
    /// Shares or base units at the start of the episode of restricted exits, or of the day: the base of the daily share.
    pub base: U128,
    /// Taken in the current day.
    pub used: U128,
    /// Which episode the base is about.
    pub episode: u64,
    /// When the current day of this floor started, unix seconds.
    pub day_started_ts: i64,
}

/// When an exit through the floor happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloorTime {
    /// Number of the latest episode of restricted exits.
    pub episode: u64,
    /// Whether exits are restricted now.
    pub is_restricted: bool,
    /// Unix seconds.
    pub now_ts: i64,
}

impl ExitFloor {
    /// Takes `amount` out of the day's floor.
    ///
    /// The floor is `floor_bps` of what the position held when the episode started; outside an episode, when the day
    /// did. An episode that starts within a day doesn't give the day a second time.
    ///
    /// # Units
    /// `held` and `amount` in shares, or in base units of the collateral; the share is rounded up, for the owner.
    ///
    /// # Errors
    /// `ExitFloorUsed` beyond the day's floor; nothing is taken then. `MathOverflow`.
    pub fn take(&mut self, amount: u128, held: u128, floor_bps: u16, time: FloorTime) -> Result<()> {
        let mut next = *self;
        let is_new_day = time.now_ts.saturating_sub(next.day_started_ts) >= DAY_SECS;
        if is_new_day {
            next.used = U128::ZERO;
            next.day_started_ts = time.now_ts;
        }
        let is_new_base = next.episode != time.episode || next.base.get() == 0 || (is_new_day && !time.is_restricted);
        if is_new_base {
            next.base = held.checked_add(next.used.get()).ok_or(RampartError::MathOverflow)?.into();
            next.episode = time.episode;
        }
        let allowed = Bps(u32::from(floor_bps)).of_ceil(next.base.get()).ok_or(RampartError::MathOverflow)?;
        let used = next.used.get().checked_add(amount).ok_or(RampartError::MathOverflow)?;
        require!(used <= allowed, RampartError::ExitFloorUsed);
        next.used = used.into();
        *self = next;
        Ok(())
    }
}

/// What soft deleveraging has repaid of a position since it last left it alone for an hour.
///
/// The quota renews after an hour without use, so no more than it is repaid within any hour, not only within hours that
/// begin with a first repayment.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SoftQuota {
    /// When it was last used, unix seconds.
    pub used_at_ts: i64,
    /// The debt when it was last renewed, base units.
    pub debt_amount: u64,
    /// Repaid since then, base units.
    pub repaid_amount: u64,
}

impl SoftQuota {
    /// Renews the quota, at `debt`, after an hour without use.
    pub fn settle(&mut self, debt: u64, now_ts: i64) {
        let is_over = now_ts.saturating_sub(self.used_at_ts) >= HOUR_SECS;
        if is_over || self.debt_amount == 0 {
            *self = Self { used_at_ts: now_ts, debt_amount: debt, repaid_amount: 0 };
        }
    }

    /// Records what was repaid of the settled quota.
    pub fn record(&mut self, repaid_amount: u64, now_ts: i64) {
        self.used_at_ts = self.used_at_ts.max(now_ts);
        self.repaid_amount = self.repaid_amount.saturating_add(repaid_amount);
    }

    /// Returns what `quota_bps` still allows of the settled quota, base units of the loan mint.
    pub fn left(&self, quota_bps: u16) -> u64 {
        let allowed = Bps(quota_bps.into()).of_floor(self.debt_amount.into()).and_then(|a| u64::try_from(a).ok());
        allowed.unwrap_or(0).saturating_sub(self.repaid_amount)
    }
}

/// One owner's position in one vault.
#[account(zero_copy)]
#[derive(Debug, PartialEq, Eq)]
pub struct Position {
    /// The vault.
    pub vault: Pubkey,
    /// Who owns it.
    pub owner: Pubkey,
    /// Lent shares.
    pub supply_shares: U128,
    /// Debt divided by the index at the time of borrowing.
    pub debt_scaled: U128,
    /// Collateral, base units.
    pub collateral_amount: u64,
    /// Counts liquidations and deleveragings: the fence that a liquidator names.
    pub liquidation_seq: u64,
    /// The slot of the last liquidation: one per slot, or the close factor could be beaten in steps.
    pub last_liquidation_slot: u64,
    /// Quota of soft deleveraging.
    pub soft_quota: SoftQuota,
    /// Recent inflow of the loan asset.
    pub supply_credit: InflowCredit,
    /// Recent inflow of collateral.
    pub collateral_credit: InflowCredit,
    /// Exit floor of the lent shares.
    pub supply_floor: ExitFloor,
    /// Exit floor of the collateral.
    pub collateral_floor: ExitFloor,
    /// When the owner last took on new risk, unix seconds: a grace time is for those who didn't since the halt began.
    pub risk_taken_at_ts: i64,
    /// Paid to it in Resolution, base units of the loan mint.
    pub resolution_claimed_amount: u64,
    /// Withdrawals that wait for room in the limit.
    pub tickets: Tickets,
    /// Collateral that the owner brought in beyond the limit on new collateral.
    pub unripe: Unripe,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub padding: [u8; 6],
    /// What others brought in beyond it: a gift of dust doesn't let the owner's wait anew.
    pub unripe_given: Unripe,
    /// Zeros.
    pub reserved: [u8; 88],
}

impl Position {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Tells whether nothing is left in it.
    pub fn is_empty(&self) -> bool {
        let is_bare = self.supply_shares == U128::ZERO && self.debt_scaled == U128::ZERO;
        is_bare && self.collateral_amount == 0 && self.tickets.is_empty()
    }

    /// Returns what of `collateral_amount`, held or left, carries new risk: what is ripe.
    pub fn ripe_of(&self, collateral_amount: u64, now_ts: i64) -> u64 {
        let unripe_amount = self.unripe.at(now_ts).saturating_add(self.unripe_given.at(now_ts));
        collateral_amount.saturating_sub(unripe_amount)
    }

    /// Returns what the position holds of a side: shares, or base units of collateral.
    pub fn held(&self, side: TicketSide) -> u128 {
        match side {
            TicketSide::Loan => self.supply_shares.get(),
            TicketSide::Collateral => self.collateral_amount.into(),
        }
    }

    /// Checks that no debt stands behind what would leave through a ticket.
    ///
    /// # Errors
    /// `DebtOutstanding`.
    pub fn require_claimable(&self, side: TicketSide) -> Result<()> {
        let is_free = side == TicketSide::Loan || self.debt_scaled == U128::ZERO;
        require!(is_free, RampartError::DebtOutstanding);
        Ok(())
    }

    /// Checks that the position holds `units` of a side that no ticket locks.
    ///
    /// # Errors
    /// `AmountExceedsPosition`, `SharesLocked`.
    pub fn require_free(&self, side: TicketSide, units: u128) -> Result<()> {
        let held = self.held(side);
        require!(units <= held, RampartError::AmountExceedsPosition);
        require!(units <= held.saturating_sub(self.tickets.locked(side)), RampartError::SharesLocked);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_is_used_once_and_ends_with_its_oldest_part() {
        let mut credit = InflowCredit::default();
        credit.add(100, 3_600, 10);
        credit.add(50, 3_600, 3_000);
        assert_eq!(credit.net(120, 3_600, 3_001), 0);
        assert_eq!(credit.net(40, 3_600, 3_002), 10);
        credit.add(70, 3_600, 3_003);
        assert_eq!(credit.net(70, 3_600, 3_003 + 3_600), 70);
    }

    #[test]
    fn quota_renews_after_an_hour_without_use() {
        let mut quota = SoftQuota::default();
        quota.settle(10_000, 50);
        quota.record(100, 50);
        quota.settle(9_900, 50 + 3_599);
        assert_eq!(quota.left(1_000), 900);
        quota.record(900, 50 + 3_599);
        quota.settle(9_000, 50 + 3_600);
        assert_eq!(quota.left(1_000), 0);
        quota.settle(9_000, 50 + 3_599 + 3_600);
        assert_eq!(quota.left(1_000), 900);
    }

    fn at(episode: u64, is_restricted: bool, now_ts: i64) -> FloorTime {
        FloorTime { episode, is_restricted, now_ts: 10 * DAY_SECS + now_ts }
    }

    #[test]
    fn floor_is_a_share_of_the_start_of_the_episode_each_day() {
        let mut floor = ExitFloor::default();
        floor.take(100, 10_000, 100, at(1, true, 0)).unwrap();
        let before = floor;
        assert_eq!(floor.take(1, 9_900, 100, at(1, true, 10)).unwrap_err(), RampartError::ExitFloorUsed.into());
        assert_eq!(floor, before);
        floor.take(100, 9_900, 100, at(1, true, DAY_SECS)).unwrap();
        floor.take(98, 9_800, 100, at(2, true, 2 * DAY_SECS)).unwrap();
        assert_eq!(
            floor.take(1, 9_702, 100, at(2, true, 2 * DAY_SECS + 1)).unwrap_err(),
            RampartError::ExitFloorUsed.into()
        );
    }

    #[test]
    fn episode_that_starts_within_a_day_does_not_give_the_day_twice() {
        let mut floor = ExitFloor::default();
        floor.take(60, 10_000, 100, at(0, false, 0)).unwrap();
        floor.take(40, 9_940, 100, at(1, true, 60)).unwrap();
        assert_eq!(floor.take(1, 9_900, 100, at(2, true, 70)).unwrap_err(), RampartError::ExitFloorUsed.into());
    }

    #[test]
    fn outside_an_episode_each_day_has_a_base_of_its_own() {
        let mut floor = ExitFloor::default();
        floor.take(100, 10_000, 100, at(0, false, 0)).unwrap();
        assert_eq!(
            floor.take(100, 5_000, 100, at(0, false, DAY_SECS)).unwrap_err(),
            RampartError::ExitFloorUsed.into()
        );
        floor.take(50, 5_000, 100, at(0, false, DAY_SECS)).unwrap();
    }
}
