//! Confidence intervals by drawing whole calendar weeks, all assets together: rows of one week aren't independent.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

const WEEK_SECS: i64 = 7 * 86_400;
/// 1970-01-01 was a Thursday: weeks start on Mondays.
const MONDAY: i64 = 3 * 86_400;

/// A value with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// On all weeks.
    pub value: f64,
    /// 2.5 % quantile over resamples.
    pub low: f64,
    /// 97.5 % quantile over resamples.
    pub high: f64,
}

/// How often each week is drawn, for each resample.
#[derive(Clone, Debug, PartialEq)]
pub struct Resamples {
    first_week: i64,
    counts: Vec<Vec<f64>>,
    ones: Vec<f64>,
}

impl Resamples {
    /// Draws `count` resamples of the weeks that hold `[from, to)`.
    pub fn new(from_ts: i64, to_ts: i64, count: usize, seed: u64) -> Self {
        let first_week = week_of(from_ts);
        let weeks = usize::try_from(week_of(to_ts - 1) - first_week + 1).unwrap_or(1);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = || {
            let mut counts = vec![0.0; weeks];
            (0..weeks).for_each(|_| counts[random.random_range(0..weeks)] += 1.0);
            counts
        };
        Self { first_week, counts: (0..count).map(|_| draw()).collect(), ones: vec![1.0; weeks] }
    }

    /// Returns the position of a time's week.
    pub fn week(&self, ts: i64) -> usize {
        usize::try_from(week_of(ts) - self.first_week).unwrap_or(0).min(self.ones.len() - 1)
    }

    /// Returns how many weeks there are.
    pub fn weeks(&self) -> usize {
        self.ones.len()
    }

    /// Returns a statistic on all weeks, and on each resample where it is defined.
    pub fn values(&self, of: impl Fn(&[f64]) -> Option<f64>) -> Option<(f64, Vec<Option<f64>>)> {
        Some((of(&self.ones)?, self.counts.iter().map(|counts| of(counts)).collect()))
    }

    /// Returns a statistic with its interval; none where it isn't defined on all weeks.
    pub fn interval(&self, of: impl Fn(&[f64]) -> Option<f64>) -> Option<Interval> {
        let (value, drawn) = self.values(of)?;
        Some(interval(value, drawn.into_iter().flatten().collect()))
    }
}

/// Returns the value with the quantiles of its resamples.
pub fn interval(value: f64, mut drawn: Vec<f64>) -> Interval {
    drawn.sort_unstable_by(f64::total_cmp);
    let quantile = |share: f64| drawn.get((drawn.len() as f64 * share) as usize).copied().unwrap_or(value);
    Interval { value, low: quantile(0.025), high: quantile(0.975) }
}

fn week_of(ts: i64) -> i64 {
    (ts + MONDAY).div_euclid(WEEK_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_covers_the_mean_when_weeks_are_independent() {
        // 20 worlds of 150 weeks of standard normal means: the interval misses the true 0 in about one.
        let mut missed = 0;
        for seed in 0..20 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let weeks: Vec<f64> = (0..150).map(|_| random.sample(rand_distr::StandardNormal)).collect();
            let resamples = Resamples::new(0, 149 * WEEK_SECS, 400, seed);
            assert_eq!(resamples.weeks(), 150);
            let mean = |counts: &[f64]| {
                Some(counts.iter().zip(&weeks).map(|(n, x)| n * x).sum::<f64>() / counts.iter().sum::<f64>())
            };
            let found = resamples.interval(mean).unwrap();
            assert!((found.high - found.low - 3.92 / 150f64.sqrt()).abs() < 0.1, "{found:?}");
            missed += usize::from(found.low > 0.0 || found.high < 0.0);
        }
        assert!(missed <= 4, "{missed} of 20");
    }

    #[test]
    fn weeks_start_on_monday_when_counted() {
        let monday = crate::time::start_of_day(2024, 8, 5).unwrap();
        assert_eq!(week_of(monday) - week_of(monday - 1), 1);
        assert_eq!(week_of(monday + WEEK_SECS - 1), week_of(monday));
    }
}
