//! Page's cumulative sum for falls: many small ones count as one large.

use serde::{Deserialize, Serialize};

/// How far the sum is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Alarm {
    /// Below the lower threshold.
    #[default]
    Quiet,
    /// Beyond the lower threshold.
    Raised,
    /// Beyond the upper threshold.
    Severe,
}

/// A one-sided cumulative sum: `S = max(0, S - z - k)`.
///
/// # Source
/// Page (1954); k = 1, h = 8 and 12.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cusum {
    slack: f64,
    thresholds: [f64; 2],
    sum: f64,
}

impl Default for Cusum {
    fn default() -> Self {
        Self::new(1.0, [8.0, 12.0])
    }
}

impl Cusum {
    /// Prepares a slack k and the two thresholds h, in standard deviations.
    pub fn new(slack: f64, thresholds: [f64; 2]) -> Self {
        Self { slack, thresholds, sum: 0.0 }
    }

    /// Adds a standardised return, negative for a fall. One that isn't a number is left out.
    ///
    /// The sum stays at twice the upper threshold at most: the alarm ends soon after the fall does.
    pub fn push(&mut self, z: f64) -> Alarm {
        if z.is_finite() {
            self.sum = (self.sum - z - self.slack).clamp(0.0, 2.0 * self.thresholds[1]);
        }
        self.alarm()
    }

    /// Returns the present alarm.
    pub fn alarm(&self) -> Alarm {
        match self.sum {
            sum if sum > self.thresholds[1] => Alarm::Severe,
            sum if sum > self.thresholds[0] => Alarm::Raised,
            _ => Alarm::Quiet,
        }
    }

    /// Returns the sum, standard deviations.
    pub fn sum(&self) -> f64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    proptest! {
        #[test]
        fn sum_equals_the_largest_suffix_when_computed_by_brute_force(zs in prop::collection::vec(-2.0f64..2.0, 1..80)) {
            let mut cusum = Cusum::new(0.3, [1e3, 1e6]);
            for z in &zs {
                cusum.push(*z);
            }
            // S_t = max over starts of the sum of (-z - k) to t, or nothing at all.
            let expected = (0..=zs.len())
                .map(|start| zs[start..].iter().map(|z| -z - 0.3).sum::<f64>())
                .fold(0.0, f64::max);
            prop_assert!((cusum.sum() - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn alarm_comes_within_the_published_delay_and_rarely_on_noise() {
        // One-sided, k = 0.5, h = 5, on N(0,1): the average run length to a false alarm is 930.9, and 10.4 after a
        // shift of one standard deviation (Montgomery, Introduction to Statistical Quality Control, table 9.3: 465 and
        // 10.4 for the two-sided one).
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut normal = move || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let mut mean_run = |shift: f64, runs: u32| -> f64 {
            let total: u32 = (0..runs)
                .map(|_| {
                    let mut cusum = Cusum::new(0.5, [5.0, 1e9]);
                    (1..100_000).find(|_| cusum.push(normal() - shift) != Alarm::Quiet).unwrap_or(100_000)
                })
                .sum();
            f64::from(total) / f64::from(runs)
        };
        let quiet = mean_run(0.0, 800);
        assert!((800.0..1_200.0).contains(&quiet), "{quiet}");
        let shifted = mean_run(1.0, 800);
        assert!((9.5..11.3).contains(&shifted), "{shifted}");
    }

    #[test]
    fn sum_stays_when_the_return_is_not_a_number() {
        let mut cusum = Cusum::default();
        cusum.push(-10.0);
        assert_eq!(cusum.push(f64::NAN), Alarm::Raised);
        assert_eq!(cusum.push(f64::NEG_INFINITY), Alarm::Raised);
        assert_eq!(cusum.sum(), 9.0);
    }
}
