//! The close of a fixed time ago, in constant memory.

const SAMPLES: i64 = 60;
const CAPACITY: usize = 64;

/// The close of `horizon_secs` ago, exact to a 60th of the horizon.
#[derive(Clone, Copy, Debug)]
pub struct PastClose {
    horizon_secs: i64,
    times: [i64; CAPACITY],
    closes: [f64; CAPACITY],
    first: usize,
    len: usize,
}

impl PastClose {
    /// Prepares a horizon, seconds.
    pub const fn new(horizon_secs: i64) -> Self {
        Self { horizon_secs, times: [0; CAPACITY], closes: [0.0; CAPACITY], first: 0, len: 0 }
    }

    /// Adds a close. Bars MUST come in order.
    pub fn push(&mut self, close_ts: i64, close: f64) {
        let spacing = (self.horizon_secs / SAMPLES).max(1);
        let is_due = self.len == 0 || close_ts - self.times[self.slot(self.len - 1)] >= spacing;
        if is_due {
            if self.len == CAPACITY {
                self.drop_first();
            }
            let slot = self.slot(self.len);
            (self.times[slot], self.closes[slot]) = (close_ts, close);
            self.len += 1;
        }
        // The first sample stays the latest that is old enough.
        while self.len > 1 && self.times[self.slot(1)] <= close_ts - self.horizon_secs {
            self.drop_first();
        }
    }

    /// Returns the sample that is old enough, or the oldest there is: its time in unix seconds, and the close.
    pub fn past(&self) -> Option<(i64, f64)> {
        (self.len > 0).then(|| (self.times[self.first], self.closes[self.first]))
    }

    /// Forgets everything: no return is taken across a gap.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    fn drop_first(&mut self) {
        self.first = (self.first + 1) % CAPACITY;
        self.len -= 1;
    }

    fn slot(&self, at: usize) -> usize {
        (self.first + at) % CAPACITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn past_is_exact_when_bars_are_as_wide_as_samples() {
        let mut past = PastClose::new(3_600);
        for minute in 0..500i64 {
            past.push(minute * 60, minute as f64);
            let expected = (minute - 60).max(0);
            assert_eq!(past.past(), Some((expected * 60, expected as f64)));
        }
    }

    proptest! {
        #[test]
        fn past_is_within_a_sample_of_brute_force_when_bars_are_irregular(steps in prop::collection::vec(1i64..2_000, 1..400)) {
            let mut past = PastClose::new(21_600);
            let mut times = Vec::new();
            let mut ts = 0;
            for secs in steps {
                ts += secs;
                times.push(ts);
                past.push(ts, ts as f64);
                let (found, close) = past.past().unwrap();
                prop_assert_eq!(found as f64, close);
                let exact = times.iter().copied().filter(|time| *time <= ts - 21_600).max().unwrap_or(times[0]);
                // Never younger than asked for where there is an old enough one, and at most a sample and a bar older.
                prop_assert!(found <= exact && found >= exact - 360 - 2_000, "{found} {exact}");
            }
        }
    }
}
