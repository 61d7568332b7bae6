//! Whether a model's inputs still look like its training data: population stability index per feature.

use crate::ewma::decay;
use crate::features::{COUNT, Features};

/// Edges between ten bins of equal share in training.
pub const DECILES: usize = 9;
const BINS: usize = DECILES + 1;
/// What an empty bin counts as, so that the logarithm is finite.
const EMPTY: f64 = 1e-3;
/// Half-life of what is compared with training, seconds: 90 days. A shorter one calls every calm month a drift.
const HALF_LIFE: f64 = 90.0 * 86_400.0;

/// The recent distribution of each feature over its training deciles.
#[derive(Clone, Debug)]
pub struct Drift {
    edges: Vec<[f64; DECILES]>,
    shares: [[f64; BINS]; COUNT],
    weight: f64,
}

impl Drift {
    /// Starts with the deciles of a model file. Shape: `COUNT`.
    pub fn new(edges: &[[f64; DECILES]]) -> Self {
        Self { edges: edges.to_vec(), shares: [[0.0; BINS]; COUNT], weight: 0.0 }
    }

    /// Adds features that stand for `secs`.
    pub fn push(&mut self, features: &Features, secs: f64) {
        let kept = decay(secs, HALF_LIFE);
        for ((shares, edges), value) in self.shares.iter_mut().zip(&self.edges).zip(features.values) {
            shares.iter_mut().for_each(|share| *share *= kept);
            shares[edges.partition_point(|edge| *edge < value)] += 1.0 - kept;
        }
        self.weight = kept * self.weight + (1.0 - kept);
    }

    /// Returns the stability index of each feature: `Σ (a - e) ln(a / e)`; 0 before anything was seen.
    pub fn indices(&self) -> [f64; COUNT] {
        self.shares.map(|shares| if self.weight > 0.0 { index(&shares.map(|share| share / self.weight)) } else { 0.0 })
    }

    /// Returns the mean index over the features: above 0.25 the model's inputs aren't what it was trained on.
    pub fn index(&self) -> f64 {
        self.indices().iter().sum::<f64>() / COUNT as f64
    }

    /// Returns how much of a half-life was seen, 0 to 1: below about a half the index says little.
    pub fn coverage(&self) -> f64 {
        self.weight
    }
}

fn index(shares: &[f64; BINS]) -> f64 {
    let expected = 1.0 / BINS as f64;
    shares.iter().map(|share| share.max(EMPTY)).map(|share| (share - expected) * (share / expected).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(value: f64) -> Features {
        Features { values: [value; COUNT], is_warming: false }
    }

    #[test]
    fn index_is_near_zero_when_inputs_are_as_in_training_and_large_when_they_left_it() {
        let edges = vec![std::array::from_fn(|at| (at + 1) as f64); COUNT];
        let (mut same, mut left) = (Drift::new(&edges), Drift::new(&edges));
        for at in 0..20_000 {
            same.push(&features(((at * 7) % 10) as f64 + 0.5), 3_600.0);
            left.push(&features(20.0), 3_600.0);
        }
        assert!(same.index() < 0.001, "{}", same.index());
        // All in one bin of ten: 0.9 ln 10 + 9 · (0.1 - 0.001) ln 100, by hand 6.1757
        assert!((left.index() - (0.9 * 10f64.ln() + 9.0 * 0.099 * 100f64.ln())).abs() < 1e-3, "{}", left.index());
        assert!(same.coverage() > 0.99);
        assert_eq!(Drift::new(&edges).index(), 0.0);
    }
}
