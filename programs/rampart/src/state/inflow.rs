//! How fast new collateral may come in, and what of it carries new risk.

use crate::constants::DAY_SECS;
use crate::error::RampartError;
use crate::math::bps::{BPS_ONE, part};
use crate::math::limiter::DayRing;
use crate::refuse::require;
use anchor_lang::prelude::*;

/// Limits on new collateral: `max(absolute floor, bps of the day's base)` within any hour and any day.
///
/// What a position takes out again within the hour counts as if it had not come in.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable,
)]
pub struct InflowLimits {
    /// Neither limit falls below this, base units.
    pub absolute_floor_amount: u64,
    /// The limit of an hour, bps of the day's base.
    pub hourly_bps: u16,
    /// The limit of a day, bps of the day's base.
    pub daily_bps: u16,
    /// Zeros.
    pub reserved: [u8; 4],
}

impl InflowLimits {
    /// Checks that an empty vault can begin and that an hour fits into a day.
    ///
    /// # Errors
    /// `InflowLimitsInvalid`, `UnknownKind` for reserved bytes that are set.
    pub fn validate(&self) -> Result<()> {
        require!(self.reserved == [0; 4], RampartError::UnknownKind);
        let fits = self.hourly_bps > 0 && self.hourly_bps <= self.daily_bps && u64::from(self.daily_bps) <= BPS_ONE;
        require!(fits && self.absolute_floor_amount > 0, RampartError::InflowLimitsInvalid);
        Ok(())
    }

    /// Returns what may still come in, base units: `settled` is what came in, `base_amount` the day's base.
    pub fn room(&self, settled: &DayRing, base_amount: u64) -> u64 {
        let left = |bps: u16, came: u64| part(base_amount, bps).max(self.absolute_floor_amount).saturating_sub(came);
        // any hour lies within two cells
        left(self.hourly_bps, settled.recent(1)).min(left(self.daily_bps, settled.total()))
    }
}

/// Collateral that came in beyond the limit as a cure. It counts against liquidation at once, for new risk a day later:
/// else a position with a little debt would be the way around the limit.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unripe {
    /// How much, base units.
    pub amount: u64,
    /// When the last of it came in, unix seconds: all of it waits for the last.
    pub since_ts: i64,
}

impl Unripe {
    /// Adds what came in beyond the limit; none changes nothing.
    pub fn add(&mut self, amount: u64, now_ts: i64) {
        if amount > 0 {
            *self = Self { amount: self.at(now_ts).saturating_add(amount), since_ts: now_ts };
        }
    }

    /// Returns what isn't ripe yet, base units.
    pub fn at(&self, now_ts: i64) -> u64 {
        if now_ts.saturating_sub(self.since_ts) >= DAY_SECS { 0 } else { self.amount }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: InflowLimits =
        InflowLimits { absolute_floor_amount: 1_000, hourly_bps: 5_000, daily_bps: 10_000, reserved: [0; 4] };

    #[test]
    fn limits_are_shares_of_the_base_above_the_floor() {
        let ring = DayRing::default();
        assert_eq!([0, 2_000, 100_000].map(|base| LIMITS.room(&ring, base)), [1_000, 1_000, 50_000]);
    }

    #[test]
    fn limits_that_let_nothing_begin_or_do_not_fit_are_refused() {
        LIMITS.validate().unwrap();
        let refused = |change: fn(&mut InflowLimits)| {
            let mut limits = LIMITS;
            change(&mut limits);
            limits.validate().unwrap_err()
        };
        let invalid = anchor_lang::error::Error::from(RampartError::InflowLimitsInvalid);
        assert_eq!(refused(|l| l.absolute_floor_amount = 0), invalid);
        assert_eq!(refused(|l| l.hourly_bps = 0), invalid);
        assert_eq!(refused(|l| l.hourly_bps = 10_001), invalid);
        assert_eq!(refused(|l| l.daily_bps = 10_001), invalid);
        assert_eq!(refused(|l| l.reserved[0] = 1), RampartError::UnknownKind.into());
    }

    #[test]
    fn unripe_waits_for_its_last_part_and_dust_before_a_deposit_ripens_nothing_early() {
        let mut unripe = Unripe::default();
        unripe.add(1, 1_000);
        unripe.add(500, 1_000 + DAY_SECS - 1);
        assert_eq!(unripe.at(1_000 + DAY_SECS), 501);
        unripe.add(0, 1_000 + DAY_SECS + 50);
        assert_eq!(unripe.at(1_000 + 2 * DAY_SECS - 2), 501);
        assert_eq!(unripe.at(1_000 + 2 * DAY_SECS - 1), 0);
        unripe.add(7, 1_000 + 2 * DAY_SECS);
        assert_eq!(unripe.amount, 7);
    }

    proptest! {
        /// Against a list of all that came in and stayed; what goes out again within the hour is taken off its entry.
        #[test]
        fn no_hour_and_no_day_lets_more_in_than_their_limits(steps in prop::collection::vec((0i64..9_000, 0u64..70_000, any::<bool>()), 1..150)) {
            let (mut ring, mut now, mut came, base) = (DayRing::default(), 1_000_000i64, Vec::<(i64, u64)>::new(), 100_000);
            for (wait, amount, goes_back) in steps {
                now += wait;
                ring.settle(now);
                if goes_back {
                    let Some(last) = came.last_mut().filter(|l| now - l.0 < 3_600) else { continue };
                    let back = amount.min(last.1);
                    last.1 -= back;
                    ring.take_back(back);
                } else if amount <= LIMITS.room(&ring, base) {
                    ring.record(amount);
                    came.push((now, amount));
                }
                for (span, most) in [(3_600, 50_000), (DAY_SECS, 100_000)] {
                    let within = came.iter().filter(|(t, _)| now - t < span).map(|c| c.1).sum::<u64>();
                    prop_assert!(within <= most, "{within} of {most} in {span} s");
                }
            }
        }
    }
}
