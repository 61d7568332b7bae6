//! How much of one token may leave a vault, and through which budget.

use crate::constants::DAY_SECS;
use crate::error::RampartError;
use crate::math::bps::{BPS_ONE, Bps};
use crate::math::limiter::{DayRing, LeakyBucket};
use crate::math::wide::U128;
use crate::state::guard::HardBounds;
use anchor_lang::prelude::*;

/// Limits on the outflow of one token.
///
/// L of a window is `max(absolute_floor_amount, bps of the day's base)`. Exits and new risk have budgets of their own
/// that sum to L; part of the exit budget is held back for the exit floor.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct FlowLimits {
    /// L never falls below this, base units.
    pub absolute_floor_amount: u64,
    /// L of an hour, bps of the day's base.
    pub hourly_bps: u16,
    /// L of a day, bps of the day's base.
    pub daily_bps: u16,
    /// The part of L that belongs to exits, bps; the rest belongs to borrowing and collateral behind debt.
    pub exit_share_bps: u16,
    /// The part of the exit budget that only the exit floor may use, bps.
    pub floor_reserve_bps: u16,
}

impl FlowLimits {
    /// Checks the limits against the guard's hard bounds and that the reserve covers the floor.
    ///
    /// All positions may use two days' floors within one hour that straddles a day's start; half a bucket's limit is
    /// there at once. So `reserve · exit share · hourly / 2` must be at least `2 · floor`.
    ///
    /// # Errors
    /// `LimiterInvalid` for shares that don't fit together, `OutsideHardBounds` beyond the guard's ceilings.
    pub fn validate(&self, exit_floor_bps: u16, bounds: &HardBounds) -> Result<()> {
        let one = BPS_ONE as u16;
        require!(self.hourly_bps > 0 && self.hourly_bps <= self.daily_bps, RampartError::LimiterInvalid);
        require!(self.exit_share_bps > 0 && self.exit_share_bps < one, RampartError::LimiterInvalid);
        require!(self.floor_reserve_bps > 0 && self.floor_reserve_bps < one, RampartError::LimiterInvalid);
        require!(self.hourly_bps <= bounds.max_hourly_outflow_bps, RampartError::OutsideHardBounds);
        require!(self.daily_bps <= bounds.max_daily_outflow_bps, RampartError::OutsideHardBounds);
        require!(exit_floor_bps >= bounds.min_exit_floor_bps, RampartError::OutsideHardBounds);
        let held_back = u64::from(self.floor_reserve_bps) * u64::from(self.exit_share_bps) * u64::from(self.hourly_bps);
        let floors = 4 * u64::from(exit_floor_bps) * BPS_ONE * BPS_ONE;
        require!(held_back >= floors, RampartError::LimiterInvalid);
        Ok(())
    }
}

/// Which budget an outflow is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outflow {
    /// Withdrawal within normal limits, at a share of them in bps (10_000 at level Normal).
    Exit {
        /// The share of the budget that the level leaves.
        scale_bps: u16,
    },
    /// Withdrawal through the exit floor: may use what is held back, at any level.
    Floor,
    /// Borrowing, and collateral behind debt, at a share of the budget in bps.
    Risk {
        /// The share of the budget that the level leaves.
        scale_bps: u16,
    },
}

/// One budget: an hour and a day.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// The hour.
    pub hour: LeakyBucket,
    /// The day.
    pub day: DayRing,
}

/// The base of percentage limits: the smaller of the amount at the day's start and the mean of the day before.
///
/// Deposits inside the day don't raise it, withdrawals inside the day don't shrink it, and a deposit held only across
/// the day's start counts for nothing.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DayBase {
    /// Amount times seconds since the day's start.
    pub weighted: U128,
    /// The base in force, base units.
    pub amount: u64,
    /// The amount since `last_ts`, base units.
    pub last_amount: u64,
    /// When the amount was last noted, unix seconds.
    pub last_ts: i64,
    /// When the day started, unix seconds.
    pub started_ts: i64,
}

impl DayBase {
    /// Starts the first day, whose base is zero: only the absolute floor applies.
    pub fn start(now_ts: i64) -> Self {
        Self { last_ts: now_ts, started_ts: now_ts, ..Self::default() }
    }

    /// Accounts for the time since the last note and starts a new day where one has passed.
    pub fn settle(&mut self, now_ts: i64) {
        let elapsed_secs = now_ts.saturating_sub(self.last_ts).max(0) as u128;
        // both are below 2^64, so the product fits
        let weighted = u128::from(self.last_amount).wrapping_mul(elapsed_secs);
        self.weighted = self.weighted.get().saturating_add(weighted).into();
        self.last_ts = self.last_ts.max(now_ts);
        let day_secs = self.last_ts.saturating_sub(self.started_ts);
        if day_secs >= DAY_SECS {
            let mean = self.weighted.get() / day_secs as u128;
            self.amount = u64::try_from(mean).unwrap_or(u64::MAX).min(self.last_amount);
            self.weighted = U128::ZERO;
            self.started_ts = self.last_ts;
        }
    }

    /// Notes what the settled vault holds after the instruction.
    pub fn note(&mut self, amount: u64) {
        self.last_amount = amount;
    }
}

/// The outflow limiter of one token of a vault.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OutflowLimiter {
    /// Withdrawals.
    pub exit: Budget,
    /// Borrowing, and collateral behind debt.
    pub risk: Budget,
    /// The base of percentages.
    pub base: DayBase,
}

impl OutflowLimiter {
    /// Charges `amount` to a budget at `now_ts`.
    ///
    /// # Errors
    /// `HourlyLimitReached` or `DailyLimitReached`; nothing is charged then.
    pub fn charge(&mut self, amount: u64, outflow: Outflow, limits: &FlowLimits, now_ts: i64) -> Result<()> {
        self.base.settle(now_ts);
        let (scale_bps, reserve_bps) = match outflow {
            Outflow::Exit { scale_bps } => (scale_bps, limits.floor_reserve_bps),
            Outflow::Floor => (BPS_ONE as u16, 0),
            Outflow::Risk { scale_bps } => (scale_bps, 0),
        };
        let is_exit = !matches!(outflow, Outflow::Risk { .. });
        let hour_limit = self.share(limits, limits.hourly_bps, is_exit, scale_bps)?;
        let day_limit = self.share(limits, limits.daily_bps, is_exit, scale_bps)?;
        let budget = if is_exit { &mut self.exit } else { &mut self.risk };
        budget.hour.settle(now_ts, hour_limit);
        budget.day.settle(now_ts);
        let hour = budget.hour;
        budget.hour.take(amount, part(hour_limit / 2, reserve_bps))?;
        let day = budget.day.take(amount, day_limit - part(day_limit, reserve_bps));
        if day.is_err() {
            budget.hour = hour; // all or nothing
        }
        Ok(day?)
    }

    /// One budget's part of L, at the scale that the level leaves. Rounded down.
    fn share(&self, limits: &FlowLimits, bps: u16, is_exit: bool, scale_bps: u16) -> Result<u64> {
        let by_share = part(self.base.amount, bps);
        let whole = by_share.max(limits.absolute_floor_amount);
        let exit = part(whole, limits.exit_share_bps);
        let budget = if is_exit { exit } else { whole.checked_sub(exit).ok_or(RampartError::MathOverflow)? };
        Ok(part(budget, scale_bps))
    }

    /// Returns what left within the last `hours` (and the hour they overlap) as a share of the day's base, rounded up.
    ///
    /// With no base yet, the share is of the absolute floor's limit.
    pub fn outflow_bps(&self, hours: u32, limits: &FlowLimits, now_ts: i64) -> Bps {
        let mut settled = *self;
        settled.base.settle(now_ts);
        settled.exit.day.settle(now_ts);
        settled.risk.day.settle(now_ts);
        let left = settled.exit.day.recent(hours).saturating_add(settled.risk.day.recent(hours));
        let base = settled.base.amount.max(limits.absolute_floor_amount);
        Bps::ratio_ceil(u128::from(left), u128::from(base))
    }
}

fn part(amount: u64, bps: u16) -> u64 {
    // bps are validated to be at most one whole, so the part fits
    Bps(u32::from(bps)).of_floor(u128::from(amount)).and_then(|a| u64::try_from(a).ok()).unwrap_or(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: FlowLimits = FlowLimits {
        absolute_floor_amount: 1_000,
        hourly_bps: 2_000,
        daily_bps: 4_000,
        exit_share_bps: 6_000,
        floor_reserve_bps: 4_000,
    };
    const FULL: Outflow = Outflow::Exit { scale_bps: 10_000 };

    fn limiter(base: u64) -> OutflowLimiter {
        let mut l = OutflowLimiter { base: DayBase::start(0), ..Default::default() };
        l.base.note(base);
        l.base.settle(DAY_SECS);
        l
    }

    #[test]
    fn borrowing_leaves_the_exit_budget_untouched() {
        let mut l = limiter(100_000);
        // L = 20_000 an hour; new risk has 8_000 of it, half of which is there at once
        l.charge(4_000, Outflow::Risk { scale_bps: 10_000 }, &LIMITS, DAY_SECS).unwrap();
        assert!(l.charge(1, Outflow::Risk { scale_bps: 10_000 }, &LIMITS, DAY_SECS).is_err());
        l.charge(3_600, FULL, &LIMITS, DAY_SECS).unwrap();
    }

    #[test]
    fn floor_may_use_what_normal_exits_may_not() {
        let mut l = limiter(100_000);
        l.charge(3_600, FULL, &LIMITS, DAY_SECS).unwrap();
        assert_eq!(l.charge(1, FULL, &LIMITS, DAY_SECS).unwrap_err(), RampartError::HourlyLimitReached.into());
        l.charge(2_400, Outflow::Floor, &LIMITS, DAY_SECS).unwrap();
        assert!(l.charge(1, Outflow::Floor, &LIMITS, DAY_SECS).is_err());
    }

    #[test]
    fn what_the_day_refuses_is_not_charged_to_the_hour() {
        let limits = FlowLimits { daily_bps: LIMITS.hourly_bps, ..LIMITS };
        let mut l = limiter(100_000);
        // exits have 12_000 a day, of which 4_800 are held back, and 3_600 at once
        l.charge(3_600, FULL, &limits, DAY_SECS).unwrap();
        l.charge(3_600, FULL, &limits, DAY_SECS + 3_600).unwrap();
        let before = l.exit.hour.room(0);
        assert_eq!(l.charge(1, FULL, &limits, DAY_SECS + 3_600).unwrap_err(), RampartError::HourlyLimitReached.into());
        assert_eq!(l.charge(1, FULL, &limits, DAY_SECS + 7_200).unwrap_err(), RampartError::DailyLimitReached.into());
        assert_eq!(l.exit.hour.room(0), before + 3_600);
    }

    #[test]
    fn deposit_held_only_across_the_days_start_does_not_raise_the_base() {
        let mut base = DayBase::start(0);
        base.note(1_000);
        base.settle(DAY_SECS - 1);
        base.note(1_000_000_000);
        base.settle(DAY_SECS);
        base.note(1_000);
        assert!(base.amount < 15_000);
    }

    #[test]
    fn limits_that_cannot_cover_the_floor_are_refused() {
        let bounds = HardBounds {
            max_oracle_age_secs: 120,
            max_rule_duration_secs: 1,
            max_confidence_bps: 200,
            max_hourly_outflow_bps: 5_000,
            max_daily_outflow_bps: 5_000,
            min_exit_floor_bps: 50,
            max_ltv_bps: 9_000,
            max_bonus_bps: 1_000,
            reserved: [0; 4],
        };
        LIMITS.validate(100, &bounds).unwrap();
        assert_eq!(LIMITS.validate(200, &bounds).unwrap_err(), RampartError::LimiterInvalid.into());
        assert_eq!(LIMITS.validate(40, &bounds).unwrap_err(), RampartError::OutsideHardBounds.into());
    }
}
