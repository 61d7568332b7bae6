//! How much tightening at once has used of its daily step.

use crate::constants::DAY_SECS;
use crate::error::RampartError;
use crate::math::bps::BPS_ONE;
use crate::refuse::require;
use anchor_lang::prelude::*;

/// Counts what tightenings took off an account's limits.
///
/// What is used is forgotten only after 24 hours without any: two tightenings less than 24 hours apart always count
/// together, so no window of 24 hours sees more than one step. Conservative by what came before them.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StepMeter {
    /// When a limit was last tightened, unix seconds.
    pub last_ts: i64,
    /// What has been used, bps.
    pub used_bps: u32,
    /// Zeros.
    pub reserved: [u8; 4],
}

impl StepMeter {
    /// Takes a step of `step_bps` out of the day's `limit_bps`. A step of zero is free.
    ///
    /// # Errors
    /// `TightenStepExceeded`; nothing is used then.
    pub fn take(&mut self, step_bps: u32, limit_bps: u16, now_ts: i64) -> Result<()> {
        if step_bps == 0 {
            return Ok(());
        }
        let is_over = now_ts.saturating_sub(self.last_ts) >= DAY_SECS;
        let used = if is_over { step_bps } else { self.used_bps.saturating_add(step_bps) };
        require!(used <= u32::from(limit_bps), RampartError::TightenStepExceeded);
        self.used_bps = used;
        self.last_ts = self.last_ts.max(now_ts);
        Ok(())
    }
}

/// Returns how far `now` and `next` are apart, bps of the larger one, rounded up: 10_000 at most.
pub fn step_between(now: u64, next: u64) -> u32 {
    let larger = u128::from(now.max(next)).max(1);
    let gap = u128::from(now.abs_diff(next)) * u128::from(BPS_ONE);
    u32::try_from(gap.div_ceil(larger)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn step_is_a_share_of_the_larger_value_and_rounds_up() {
        assert_eq!(step_between(100, 75), 2_500);
        assert_eq!(step_between(75, 100), 2_500);
        assert_eq!(step_between(3, 2), 3_334);
        assert_eq!(step_between(5, 0), 10_000);
        assert_eq!((step_between(0, 0), step_between(7, 7)), (0, 0));
        assert_eq!(step_between(u64::MAX, 0), 10_000);
    }

    #[test]
    fn clock_that_went_back_gives_no_step_back() {
        let mut meter = StepMeter::default();
        meter.take(2_000, 2_000, 1_000_000).unwrap();
        assert!(meter.take(1, 2_000, 900_000).is_err());
        assert!(meter.take(1, 2_000, 1_000_000 + DAY_SECS - 1).is_err());
        meter.take(1, 2_000, 1_000_000 + DAY_SECS).unwrap();
    }

    proptest! {
        #[test]
        fn no_window_of_a_day_sees_more_than_one_step(asked in prop::collection::vec((0i64..60_000, 1u32..2_000), 1..80)) {
            let (mut meter, mut now, mut taken) = (StepMeter::default(), 1_000_000i64, vec![]);
            for (gap, step) in asked {
                now += gap;
                if meter.take(step, 2_500, now).is_ok() {
                    taken.push((now, step));
                }
            }
            for (start, _) in &taken {
                let window = taken.iter().filter(|(t, _)| (*start..start + DAY_SECS).contains(t));
                prop_assert!(window.map(|(_, step)| step).sum::<u32>() <= 2_500);
            }
        }
    }
}
