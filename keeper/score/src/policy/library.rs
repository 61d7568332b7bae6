//! A discounted choice among a frozen library of vetted policies, between two refits.

use serde::{Deserialize, Serialize};

/// The most policies of a library.
pub const LIBRARY_MAX: usize = 5;

/// Why a library is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// No policies, or too many.
    #[error("a library holds 1 to {LIBRARY_MAX} policies, not {0}")]
    Size(usize),
    /// A share that isn't between 0 and 1.
    #[error("the library's {0} must be above 0 and below 1")]
    Share(&'static str),
}

/// EXP3 with discounted weights: the choice follows what paid lately, and never gives one up.
///
/// # Source
/// Auer, Cesa-Bianchi, Freund and Schapire 2002, with the logarithms of the weights discounted each round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Library {
    log_weights: Vec<f64>,
    explore: f64,
    keep: f64,
}

impl Library {
    /// Starts a library of `policies` equal ones. `explore` is the share of even choice, `keep` what a round leaves of the past.
    ///
    /// # Errors
    /// `LibraryError` for a bound that is broken.
    pub fn new(policies: usize, explore: f64, keep: f64) -> Result<Self, LibraryError> {
        if !(1..=LIBRARY_MAX).contains(&policies) {
            return Err(LibraryError::Size(policies));
        }
        for (name, share) in [("share of even choice", explore), ("share that a round keeps", keep)] {
            if share.is_nan() || share <= 0.0 || share >= 1.0 {
                return Err(LibraryError::Share(name));
            }
        }
        Ok(Self { log_weights: vec![0.0; policies], explore, keep })
    }

    /// Returns the probability of each policy.
    pub fn probabilities(&self) -> Vec<f64> {
        let highest = self.log_weights.iter().copied().fold(f64::MIN, f64::max);
        let weights: Vec<f64> = self.log_weights.iter().map(|weight| (weight - highest).exp()).collect();
        let (sum, even) = (weights.iter().sum::<f64>(), self.explore / weights.len() as f64);
        weights.iter().map(|weight| (1.0 - self.explore) * weight / sum + even).collect()
    }

    /// Returns the policy that `draw`, evenly from 0 to 1, falls on.
    pub fn choose(&self, draw: f64) -> usize {
        let mut left = draw.clamp(0.0, 1.0);
        let probabilities = self.probabilities();
        let found = probabilities.iter().position(|probability| {
            left -= probability;
            left < 0.0
        });
        found.unwrap_or(probabilities.len() - 1)
    }

    /// Takes the `reward`, from 0 to 1, of the policy that was chosen. What isn't a number counts as 0.
    pub fn learn(&mut self, chosen: usize, reward: f64) {
        let probabilities = self.probabilities();
        let rate = self.explore / self.log_weights.len() as f64;
        self.log_weights.iter_mut().for_each(|weight| *weight *= self.keep);
        if let Some(weight) = self.log_weights.get_mut(chosen) {
            let reward = if reward.is_nan() { 0.0 } else { reward.clamp(0.0, 1.0) };
            *weight += rate * reward / probabilities[chosen];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};

    #[test]
    fn library_follows_the_best_and_changes_its_mind() {
        let mut library = Library::new(3, 0.1, 0.998).unwrap();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut share = |library: &mut Library, best: usize| {
            let mut chosen = 0;
            for round in 0..6_000 {
                let choice = library.choose(rng.random());
                let reward = if choice == best { 0.8 } else { 0.2 };
                library.learn(choice, reward);
                chosen += usize::from(round >= 4_000 && choice == best);
            }
            chosen as f64 / 2_000.0
        };
        assert!(share(&mut library, 0) > 0.7);
        assert!(share(&mut library, 2) > 0.7, "what paid long ago is forgotten");
        assert!(library.probabilities().iter().all(|probability| *probability >= 0.1 / 3.0));
    }

    #[test]
    fn library_is_refused_when_a_bound_is_broken() {
        assert_eq!(Library::new(6, 0.1, 0.9), Err(LibraryError::Size(6)));
        assert_eq!(Library::new(0, 0.1, 0.9), Err(LibraryError::Size(0)));
        assert_eq!(Library::new(2, 0.0, 0.9), Err(LibraryError::Share("share of even choice")));
        assert_eq!(Library::new(2, 0.1, f64::NAN), Err(LibraryError::Share("share that a round keeps")));
    }
}
