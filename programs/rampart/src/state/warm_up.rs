//! How new collateral comes to carry debt.

use crate::constants::{DAY_SECS, MAX_WARM_UP_SECS};
use crate::error::RampartError;
use crate::math::Bps;
use crate::refuse::require;
use crate::state::guard::HardBounds;
use anchor_lang::prelude::*;

/// Since when an asset warms up as collateral, and for how long.
///
/// For its first day (or all of a shorter time) it carries nothing: whoever registers, prices and borrows within a day
/// gets nothing, however much there is of it. From then on its weight rises in a straight line to one.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct WarmUp {
    /// When the asset was registered, unix seconds.
    pub started_at_ts: i64,
    /// Until it carries its full loan-to-value, seconds from then.
    pub duration_secs: u32,
    /// Zeros.
    pub reserved: [u8; 4],
}

impl WarmUp {
    /// Starts at `now_ts`.
    pub fn start(duration_secs: u32, now_ts: i64) -> Self {
        Self { started_at_ts: now_ts, duration_secs, reserved: [0; 4] }
    }

    /// Returns what a loan-to-value limit for new risk comes to, rounded down. Liquidation lines know no warm-up.
    pub fn ltv(&self, ltv_bps: u16, now_ts: i64) -> Bps {
        let duration_secs = u64::from(self.duration_secs);
        let elapsed_secs = u64::try_from(now_ts.saturating_sub(self.started_at_ts)).unwrap_or(0);
        if elapsed_secs >= duration_secs {
            return Bps(ltv_bps.into());
        }
        let cold_secs = duration_secs.min(DAY_SECS as u64);
        // below a day cold and whole are one, and that was returned above
        let rising_secs = (duration_secs - cold_secs).max(1);
        let risen = u64::from(ltv_bps) * elapsed_secs.saturating_sub(cold_secs) / rising_secs;
        Bps(risen as u32) // below `ltv_bps`
    }
}

/// Checks a time to warm up against the guard's floor.
///
/// # Errors
/// `WarmUpInvalid` beyond 90 days, `OutsideHardBounds` below the floor.
pub fn require_warm_up(duration_secs: u32, bounds: &HardBounds) -> Result<()> {
    require!(duration_secs <= MAX_WARM_UP_SECS, RampartError::WarmUpInvalid);
    require!(duration_secs >= bounds.min_warm_up_secs, RampartError::OutsideHardBounds);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WEEK: u32 = 7 * DAY_SECS as u32;

    fn at(duration_secs: u32, elapsed_secs: i64) -> u32 {
        WarmUp::start(duration_secs, 1_000).ltv(7_000, 1_000 + elapsed_secs).0
    }

    #[test]
    fn weight_is_zero_for_a_day_and_then_rises_in_a_straight_line() {
        let found =
            [0, 1, DAY_SECS, 4 * DAY_SECS, 7 * DAY_SECS - 1, 7 * DAY_SECS, i64::MAX - 1_000].map(|t| at(WEEK, t));
        assert_eq!(found, [0, 0, 0, 3_500, 6_999, 7_000, 7_000]);
    }

    #[test]
    fn shorter_than_a_day_is_nothing_until_it_is_over_and_none_is_none() {
        assert_eq!([0, 3_599, 3_600].map(|t| at(3_600, t)), [0, 0, 7_000]);
        assert_eq!(at(DAY_SECS as u32, DAY_SECS - 1), 0);
        assert_eq!(at(0, 0), 7_000);
    }

    #[test]
    fn clock_before_the_start_gives_no_weight() {
        assert_eq!(WarmUp::start(WEEK, 1_000_000).ltv(7_000, i64::MIN), Bps(0));
    }

    proptest! {
        #[test]
        fn weight_never_falls_and_never_exceeds_the_limit(duration in 0..=MAX_WARM_UP_SECS, ltv in 0u16..10_000, a in 0i64..8_000_000, b in 0i64..8_000_000) {
            let warm_up = WarmUp::start(duration, 50);
            let (early, late) = (warm_up.ltv(ltv, 50 + a.min(b)), warm_up.ltv(ltv, 50 + a.max(b)));
            prop_assert!(early <= late && late <= Bps(ltv.into()));
        }
    }
}
