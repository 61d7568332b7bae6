//! The two exact limiters: a leaky bucket for the hour and a ring of hourly cells for the day.

use crate::constants::{HOUR_SECS, RING_CELLS};
use crate::error::RampartError;
use crate::math::wide::U128;
use anchor_lang::prelude::*;

/// A leaky bucket that lets at most L through in any window of W = 3,600 seconds.
///
/// It holds L/2 and leaks L/2 per W. What is used is kept multiplied by W, so there is no division and no remainder to
/// lose: leaking n times comes to the same as leaking once.
///
/// # Units
/// `limit` in base units; `used_scaled` in base units times seconds.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LeakyBucket {
    /// What is in the bucket, times W.
    pub used_scaled: U128,
    /// When it last leaked, unix seconds.
    pub last_ts: i64,
    /// L since `last_ts`: a new limit counts from now on, never for time that has passed.
    pub limit: u64,
}

const WINDOW: u128 = HOUR_SECS as u128;

impl LeakyBucket {
    /// Lets the bucket leak until `now_ts` at its last limit and sets `limit` for the time to come.
    ///
    /// A clock that went back leaks nothing.
    pub fn settle(&mut self, now_ts: i64, limit: u64) {
        let elapsed_secs = now_ts.saturating_sub(self.last_ts).max(0) as u128;
        // both are below 2^63, so the product fits; checking it would cost more than the rest
        let leaked = u128::from(self.limit / 2).wrapping_mul(elapsed_secs);
        self.used_scaled = self.used_scaled.get().saturating_sub(leaked).into();
        self.last_ts = self.last_ts.max(now_ts);
        self.limit = limit;
    }

    /// Takes `amount` out of what the settled bucket has room for, keeping `held_back` of its capacity free.
    ///
    /// Nothing fits always: also after a limit has fallen below what is used.
    ///
    /// # Errors
    /// `HourlyLimitReached` when it has no room; the bucket is as before.
    pub fn take(&mut self, amount: u64, held_back: u64) -> core::result::Result<(), RampartError> {
        let used = self.used_scaled.get().saturating_add(scaled(amount));
        let capacity = scaled((self.limit / 2).saturating_sub(held_back));
        if amount > 0 && used > capacity {
            return Err(RampartError::HourlyLimitReached);
        }
        self.used_scaled = used.into();
        Ok(())
    }

    /// Returns the room left, in base units, with `held_back` of the capacity kept free.
    pub fn room(&self, held_back: u64) -> u64 {
        let capacity = scaled((self.limit / 2).saturating_sub(held_back));
        u64::try_from(capacity.saturating_sub(self.used_scaled.get()) / WINDOW).unwrap_or(u64::MAX)
    }
}

/// An amount times W; below 2^76, so nothing is lost.
fn scaled(amount: u64) -> u128 {
    u128::from(amount).wrapping_mul(WINDOW)
}

/// Hourly cells of the last day. A cell counts in full until it lies wholly outside, so any 24 hours stay within L.
#[zero_copy]
#[derive(Debug, PartialEq, Eq)]
pub struct DayRing {
    /// Base units that left, per hour; at `hour % 25`.
    pub cells: [u64; RING_CELLS],
    /// The newest hour: unix seconds / 3,600.
    pub newest_hour: i64,
}

impl Default for DayRing {
    fn default() -> Self {
        Self { cells: [0; RING_CELLS], newest_hour: 0 }
    }
}

impl DayRing {
    /// Moves the ring on to the hour of `now_ts`; a clock that went back moves nothing.
    pub fn settle(&mut self, now_ts: i64) {
        let hour = now_ts.div_euclid(HOUR_SECS);
        let passed = hour.saturating_sub(self.newest_hour).clamp(0, RING_CELLS as i64);
        if passed == RING_CELLS as i64 {
            self.cells = [0; RING_CELLS];
        } else {
            for step in 0..passed {
                self.cells[cell_of(hour - step)] = 0;
            }
        }
        self.newest_hour = self.newest_hour.max(hour);
    }

    /// Returns all that the settled ring holds.
    pub fn total(&self) -> u64 {
        self.cells.iter().fold(0u64, |sum, cell| sum.saturating_add(*cell))
    }

    /// Returns what left in `hour`, of the hours that the settled ring holds; zero for any other.
    pub fn at(&self, hour: i64) -> u64 {
        let is_held = (0..RING_CELLS as i64).contains(&self.newest_hour.saturating_sub(hour));
        if is_held { self.cells[cell_of(hour)] } else { 0 }
    }

    /// Returns the settled ring's cells, the oldest first.
    pub fn oldest_first(&self) -> impl Iterator<Item = u64> + '_ {
        let (newer, older) = self.cells.split_at(cell_of(self.newest_hour + 1));
        older.iter().chain(newer).copied()
    }

    /// Returns what left in the settled ring's newest `hours` and the hour before them, which they overlap.
    pub fn recent(&self, hours: u32) -> u64 {
        let span = i64::from(hours).saturating_add(1).min(RING_CELLS as i64);
        (0..span).fold(0u64, |sum, back| sum.saturating_add(self.cells[cell_of(self.newest_hour - back)]))
    }

    /// Records `amount` in the settled ring's newest hour.
    pub fn record(&mut self, amount: u64) {
        let cell = &mut self.cells[cell_of(self.newest_hour)];
        *cell = cell.saturating_add(amount);
    }

    /// Takes off what was recorded within the last hour and went back: of the hour before the newest first, so that what
    /// stays is never counted for a shorter time than it stands for.
    pub fn take_back(&mut self, amount: u64) {
        let mut left = amount;
        for hour in [self.newest_hour - 1, self.newest_hour] {
            let cell = &mut self.cells[cell_of(hour)];
            let taken = left.min(*cell);
            *cell -= taken;
            left -= taken;
        }
    }

    /// Records `amount` in the newest hour if the day stays within `limit`; nothing fits always.
    ///
    /// # Errors
    /// `DailyLimitReached` otherwise; the ring is as before.
    pub fn take(&mut self, amount: u64, limit: u64) -> core::result::Result<(), RampartError> {
        let total = self.total().checked_add(amount).ok_or(RampartError::DailyLimitReached)?;
        if amount > 0 && total > limit {
            return Err(RampartError::DailyLimitReached);
        }
        self.record(amount);
        Ok(())
    }
}

fn cell_of(hour: i64) -> usize {
    hour.rem_euclid(RING_CELLS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The slow truth: every outflow with its time.
    fn worst_window(outflows: &[(i64, u64)], window_secs: i64) -> u64 {
        let sum_from =
            |start: i64| outflows.iter().filter(|(t, _)| (start..start + window_secs).contains(t)).map(|o| o.1).sum();
        outflows.iter().map(|(t, _)| sum_from(*t)).max().unwrap_or(0)
    }

    fn requests() -> impl Strategy<Value = Vec<(i64, u64)>> {
        prop::collection::vec((prop_oneof![Just(0i64), Just(1), 0i64..600, 0i64..90_000], 0u64..600_000), 1..120)
    }

    #[test]
    fn nothing_fits_where_a_limit_has_fallen_below_what_is_used() {
        let mut bucket = LeakyBucket::default();
        bucket.settle(0, 1_000);
        bucket.take(500, 0).unwrap();
        bucket.settle(0, 100);
        let before = bucket;
        assert_eq!(bucket.take(1, 0), Err(RampartError::HourlyLimitReached));
        assert_eq!((bucket.take(0, 0), bucket.take(0, u64::MAX)), (Ok(()), Ok(())));
        assert_eq!(bucket, before);
        let mut ring = DayRing::default();
        ring.take(500, 1_000).unwrap();
        let before = ring;
        assert_eq!((ring.take(1, 100), ring.take(0, 100)), (Err(RampartError::DailyLimitReached), Ok(())));
        assert_eq!(ring, before);
    }

    proptest! {
        #[test]
        fn no_window_of_an_hour_lets_more_than_the_limit_out(requests in requests(), limit in 2u64..1_000_000) {
            let (mut bucket, mut now, mut out) = (LeakyBucket::default(), 1_000_000i64, vec![]);
            for (wait, amount) in requests {
                now += wait;
                bucket.settle(now, limit);
                if bucket.take(amount, 0).is_ok() {
                    out.push((now, amount));
                }
            }
            prop_assert!(worst_window(&out, HOUR_SECS) <= limit);
        }

        #[test]
        fn no_day_lets_more_than_the_limit_out(requests in requests(), limit in 1u64..1_000_000) {
            let (mut ring, mut now, mut out) = (DayRing::default(), 1_000_000i64, vec![]);
            for (wait, amount) in requests {
                now += wait;
                ring.settle(now);
                if ring.take(amount, limit).is_ok() {
                    out.push((now, amount));
                }
            }
            prop_assert!(worst_window(&out, crate::constants::DAY_SECS) <= limit);
        }

        #[test]
        fn case_038_leaking_often_equals_leaking_once(parts in prop::collection::vec(0i64..500, 1..50), used in any::<u64>(), limit in any::<u64>()) {
            let start = LeakyBucket { used_scaled: (u128::from(used) * WINDOW).into(), last_ts: 0, limit };
            let (mut often, mut once, mut now) = (start, start, 0);
            for part in parts {
                now += part;
                often.settle(now, limit);
            }
            once.settle(now, limit);
            prop_assert_eq!(often, once);
        }
    }

    #[test]
    fn case_043_refused_amount_leaves_the_bucket_intact_near_the_largest_number() {
        let mut bucket = LeakyBucket::default();
        bucket.settle(100, 1_000);
        let before = bucket;
        assert!(matches!(bucket.take(u64::MAX, 0), Err(RampartError::HourlyLimitReached)));
        assert_eq!(bucket, before);
        let mut ring = DayRing::default();
        ring.settle(100);
        ring.take(1, 1_000).unwrap();
        let before = ring;
        assert!(matches!(ring.take(u64::MAX, u64::MAX), Err(RampartError::DailyLimitReached)));
        assert_eq!(ring, before);
    }

    #[test]
    fn clock_that_goes_back_refills_nothing() {
        let mut bucket = LeakyBucket::default();
        bucket.settle(10_000, 1_000);
        bucket.take(500, 0).unwrap();
        bucket.settle(0, 1_000);
        assert_eq!((bucket.room(0), bucket.last_ts), (0, 10_000));
    }
}
