//! Intervals by drawing whole weeks, of all markets together: markets crash together, and hours in a crash are no independent
//! evidence.

use super::metrics::Week;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How often weeks are drawn.
const DRAWS: usize = 2_000;
const YEAR_SECS: f64 = 365.0 * 86_400.0;

/// A mean with the middle 95 % of what redrawn weeks give.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Of the weeks as they were.
    pub mean: f64,
    /// 2.5 % of the draws lie below.
    pub low: f64,
    /// 2.5 % of the draws lie above.
    pub high: f64,
}

/// Returns what `of` is over `count` weeks, with the middle 95 % of what redrawn weeks give; nothing where it is nothing of all of
/// them. Draws of which it is nothing are left out.
pub fn resampled(count: usize, seed: u64, of: impl Fn(&[usize]) -> Option<f64>) -> Option<Interval> {
    let mean = of(&(0..count).collect::<Vec<_>>())?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let drawn = (0..DRAWS / 4).filter_map(|_| of(&(0..count).map(|_| rng.random_range(0..count)).collect::<Vec<_>>()));
    let mut draws: Vec<f64> = drawn.collect();
    draws.sort_by(f64::total_cmp);
    let at = |place: usize| draws.get(place).copied().unwrap_or(mean);
    Some(Interval { mean, low: at(draws.len() / 40), high: at((draws.len() - draws.len() / 40).saturating_sub(1)) })
}

/// Weeks of one contender: one map for each market.
pub type Weeks = Vec<BTreeMap<i64, Week>>;

/// Returns how much less bad debt `ours` has than `theirs`, bps of debt a year: positive is better. Both on the same markets.
pub fn difference(ours: &Weeks, theirs: &Weeks, seed: u64) -> Interval {
    let numbers: BTreeSet<i64> = ours.iter().flat_map(|weeks| weeks.keys().copied()).collect();
    let sums = |all: &Weeks, number: i64| {
        let weeks = all.iter().filter_map(|weeks| weeks.get(&number));
        weeks.fold((0.0, 0.0), |(bad, debt), week| (bad + week.bad_debt, debt + week.debt_secs))
    };
    let pairs: Vec<_> = numbers.iter().map(|number| (sums(ours, *number), sums(theirs, *number))).collect();
    let rate = |(bad, debt): (f64, f64)| if debt > 0.0 { bad / debt * YEAR_SECS * 1e4 } else { 0.0 };
    let of = |drawn: &mut dyn Iterator<Item = usize>| {
        let (mut a, mut b) = ((0.0, 0.0), (0.0, 0.0));
        for at in drawn {
            let (ours, theirs) = pairs[at];
            a = (a.0 + ours.0, a.1 + ours.1);
            b = (b.0 + theirs.0, b.1 + theirs.1);
        }
        rate(b) - rate(a)
    };
    let mean = of(&mut (0..pairs.len()));
    if pairs.is_empty() {
        return Interval { mean, low: mean, high: mean };
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draws: Vec<f64> =
        (0..DRAWS).map(|_| of(&mut (0..pairs.len()).map(|_| rng.random_range(0..pairs.len())))).collect();
    draws.sort_by(f64::total_cmp);
    Interval { mean, low: draws[DRAWS / 40], high: draws[DRAWS - 1 - DRAWS / 40] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weeks(losses: &[f64]) -> Weeks {
        let week = |(number, loss): (usize, &f64)| {
            (number as i64, Week { bad_debt: *loss, debt_secs: 604_800.0, halted_secs: 0.0, secs: 604_800.0 })
        };
        vec![losses.iter().enumerate().map(week).collect()]
    }

    #[test]
    fn difference_of_equals_is_nothing_and_of_a_constant_exact() {
        let one = weeks(&[1.0, 0.0, 5.0, 2.0]);
        assert_eq!(difference(&one, &one, 1), Interval { mean: 0.0, low: 0.0, high: 0.0 });
        let found = difference(&weeks(&[0.0; 8]), &weeks(&[0.001; 8]), 1);
        let expected = 0.001 / 604_800.0 * YEAR_SECS * 1e4;
        assert!((found.low - expected).abs() < 1e-6 && (found.high - expected).abs() < 1e-6);
    }

    #[test]
    fn one_crash_in_a_year_leaves_an_interval_that_reaches_to_nothing() {
        let mut losses = vec![0.0; 52];
        losses[20] = 1.0;
        let found = difference(&weeks(&[0.0; 52]), &weeks(&losses), 7);
        assert!(found.low == 0.0 && found.mean > 0.0 && found.high > found.mean, "{found:?}");
    }
}
