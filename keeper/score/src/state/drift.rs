//! Whether a model's inputs still lie where it was trained: population stability index per feature.
//!
//! Three bins: below the range of training, within, above. Within is one bin, because one market fills few of what all
//! markets of the training filled together: over ten deciles the index of BTC was above 0.25 in 95 % of all hours since 2018,
//! that of SOL in 63 %, training years included.

use crate::ewma::decay;
use crate::features::{COUNT, Features};

/// Edges between ten bins of equal share in training.
pub const DECILES: usize = 9;
/// Below the range, within, above.
const BINS: usize = 3;
/// What the bins hold as a matter of course: the tails of the features are long. Less than that beyond the range is no news.
const USUAL: [f64; BINS] = [0.02, 0.96, 0.02];
/// What an empty bin counts as, so that the logarithm is finite.
const EMPTY: f64 = 1e-3;
/// Half-life of what is compared with training, seconds: 90 days. A shorter one calls every calm month a drift.
const HALF_LIFE: f64 = 90.0 * 86_400.0;

/// How much of the recent past each feature spent beyond its range in training.
#[derive(Clone, Debug)]
pub struct Drift {
    edges: Vec<[f64; DECILES]>,
    shares: [[f64; BINS]; COUNT],
    weights: [f64; COUNT],
}

impl Drift {
    /// Starts with the deciles of a model file. Shape: `COUNT`.
    pub fn new(edges: &[[f64; DECILES]]) -> Self {
        Self { edges: edges.to_vec(), shares: [[0.0; BINS]; COUNT], weights: [0.0; COUNT] }
    }

    /// Adds features that stand for `secs`, at most the length of their bar: what nobody saw isn't like the last that was
    /// seen. One that isn't known changes nothing.
    pub fn push(&mut self, features: &Features, secs: f64) {
        let kept = decay(secs, HALF_LIFE);
        for (at, edges) in self.edges.iter().enumerate() {
            let Some(value) = features.known(at) else { continue };
            let shares = &mut self.shares[at];
            shares.iter_mut().for_each(|share| *share *= kept);
            shares[bin(edges, value)] += 1.0 - kept;
            self.weights[at] = kept * self.weights[at] + (1.0 - kept);
        }
    }

    /// Returns the stability index of each feature, `Σ (a - e) ln(a / e)`: 0 while it lies within its range, 10.4 when it
    /// left it for good; none for one that was known for less than half
    /// of what was seen.
    pub fn indices(&self) -> [Option<f64>; COUNT] {
        let least = self.coverage() / 2.0;
        std::array::from_fn(|at| {
            let weight = self.weights[at];
            (weight > 0.0 && weight >= least).then(|| index(&self.shares[at].map(|share| share / weight)))
        })
    }

    /// Returns the mean index over the features that are known: above 0.25 the model's inputs aren't what it was trained on.
    /// 0 before anything was seen.
    pub fn index(&self) -> f64 {
        let known = self.indices();
        let count = known.iter().flatten().count();
        if count == 0 { 0.0 } else { known.iter().flatten().sum::<f64>() / count as f64 }
    }

    /// Returns how much of a half-life was seen, 0 to 1: below about a half the index says little.
    pub fn coverage(&self) -> f64 {
        self.weights.iter().copied().fold(0.0, f64::max)
    }
}

/// Where a value lies: the range reaches from the outer deciles as far out again as they are apart, for a normal
/// distribution 3.8 standard deviations from the mean.
fn bin(edges: &[f64; DECILES], value: f64) -> usize {
    let (low, high) = (edges[0], edges[DECILES - 1]);
    let reach = high - low;
    if value < low - reach {
        0
    } else if value > high + reach {
        2
    } else {
        1
    }
}

fn index(shares: &[f64; BINS]) -> f64 {
    let part = |share: f64, usual: f64| (share - usual) * (share / usual).ln();
    let [below, within, above] = *shares;
    part(below.max(USUAL[0]), USUAL[0])
        + part(within.clamp(EMPTY, USUAL[1]), USUAL[1])
        + part(above.max(USUAL[2]), USUAL[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(value: f64) -> Features {
        Features { values: [value; COUNT], is_warming: false, has_volume: true }
    }

    fn edges() -> Vec<[f64; DECILES]> {
        vec![std::array::from_fn(|at| (at + 1) as f64); COUNT]
    }

    #[test]
    fn index_is_zero_within_the_range_of_training_and_large_beyond_it() {
        let [mut same, mut left, mut narrow] = [(); 3].map(|()| Drift::new(&edges()));
        for at in 0..20_000 {
            same.push(&features(((at * 7) % 10) as f64 + 0.5), 3_600.0);
            // The range is -7 to 17.
            left.push(&features(17.1), 3_600.0);
            narrow.push(&features(0.5), 3_600.0);
        }
        assert_eq!((same.index(), narrow.index()), (0.0, 0.0), "one market fills few of the deciles");
        // 0.98 ln 50 + (0.96 - 0.001) ln 960, by hand 10.4190
        let expected = 0.98 * 50f64.ln() + 0.959 * 960f64.ln();
        assert!((left.index() - expected).abs() < 1e-3, "{}", left.index());
        assert!(same.coverage() > 0.99);
        assert_eq!(Drift::new(&edges()).index(), 0.0);
    }

    #[test]
    fn index_counts_what_is_beyond_the_usual_share_alone() {
        let mut drift = Drift::new(&edges());
        for at in 0..100_000 {
            drift.push(&features(if at % 10 == 0 { -7.1 } else { 5.0 }), 3_600.0);
        }
        // A tenth below: 0.08 ln 5 + (0.96 - 0.9) ln(0.96 / 0.9) = 0.1326.
        assert!((drift.index() - 0.1326).abs() < 1e-3, "{}", drift.index());
    }

    /// A keeper's bars have no volume: its ratios were 0 each time, which counted as if they were known.
    #[test]
    fn features_that_no_source_tells_are_no_drift() {
        let (mut told, mut untold) = (Drift::new(&edges()), Drift::new(&edges()));
        for _ in 0..20_000 {
            let mut seen = features(5.0);
            (seen.values[19], seen.values[20]) = (-20.0, -20.0);
            told.push(&seen, 3_600.0);
            untold.push(&Features { has_volume: false, ..seen }, 3_600.0);
        }
        // 2 · 10.419 / 21
        assert!((told.index() - 0.992).abs() < 1e-3, "{}", told.index());
        assert_eq!((untold.index(), untold.indices().iter().flatten().count()), (0.0, 19));
        assert!((untold.coverage() - told.coverage()).abs() < 1e-12);
        // One that is told at last counts once it was for half of the time.
        untold.push(&features(-20.0), 3_600.0);
        assert_eq!(untold.indices().iter().flatten().count(), 19);
    }
}
