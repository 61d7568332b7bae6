//! A discounted choice among the policies of a frozen library, between two refits.

use super::LIBRARY_MAX;
use serde::{Deserialize, Serialize};

/// Why a choice is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// No policies, or too many.
    #[error("a choice is among 1 to {LIBRARY_MAX} policies, not {0}")]
    Size(usize),
    /// A share that isn't between 0 and 1.
    #[error("the choice's {0} must be above 0 and below 1")]
    Share(&'static str),
    /// One reward for each policy is needed.
    #[error("a round has {expected} rewards, one for each policy, not {found}")]
    Rewards {
        /// Policies.
        expected: usize,
        /// Rewards.
        found: usize,
    },
}

/// Hedge with discounted weights: the choice follows what paid lately, and never gives a policy up. In shadow the outcome of each
/// policy is known, not only that of the chosen one, so nothing has to be estimated as EXP3 does.
///
/// # Source
/// Freund and Schapire 1997, with the logarithms of the weights discounted each round and a share of even choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    log_weights: Vec<f64>,
    explore: f64,
    keep: f64,
}

impl Choice {
    /// Starts a choice among `policies`, of which `favoured` begins as if it had paid one full reward more. `explore` is the share
    /// of even choice, `keep` what a round leaves of the past.
    ///
    /// # Errors
    /// `Size`, `Share`.
    pub fn new(policies: usize, favoured: usize, explore: f64, keep: f64) -> Result<Self, ChoiceError> {
        let log_weights = (0..policies).map(|at| if at == favoured { 1.0 } else { 0.0 }).collect();
        let choice = Self { log_weights, explore, keep };
        choice.validate()?;
        Ok(choice)
    }

    /// Checks a choice that was read.
    ///
    /// # Errors
    /// `Size`, `Share`.
    pub fn validate(&self) -> Result<(), ChoiceError> {
        let is_finite = self.log_weights.iter().all(|weight| weight.is_finite());
        if !(1..=LIBRARY_MAX).contains(&self.log_weights.len()) || !is_finite {
            return Err(ChoiceError::Size(self.log_weights.len()));
        }
        for (name, share) in [("share of even choice", self.explore), ("share that a round keeps", self.keep)] {
            if share.is_nan() || share <= 0.0 || share >= 1.0 {
                return Err(ChoiceError::Share(name));
            }
        }
        Ok(())
    }

    /// Returns the number of policies.
    pub fn count(&self) -> usize {
        self.log_weights.len()
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

    /// Takes what each policy paid in a round, from 0 to 1. What isn't a number counts as 0.
    ///
    /// # Errors
    /// `Rewards`; nothing has changed then.
    pub fn learn(&mut self, rewards: &[f64]) -> Result<(), ChoiceError> {
        let (expected, found) = (self.log_weights.len(), rewards.len());
        if expected != found {
            return Err(ChoiceError::Rewards { expected, found });
        }
        for (weight, reward) in self.log_weights.iter_mut().zip(rewards) {
            *weight = self.keep * *weight + if reward.is_nan() { 0.0 } else { reward.clamp(0.0, 1.0) };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choice_follows_the_best_and_changes_its_mind() {
        let mut choice = Choice::new(3, 1, 0.1, 0.9).unwrap();
        let rewards = |best: usize| [0, 1, 2].map(|at| if at == best { 0.8 } else { 0.2 });
        assert!(choice.probabilities()[1] > 0.5, "the favoured one begins ahead");
        for best in [0, 2] {
            (0..30).for_each(|_| choice.learn(&rewards(best)).unwrap());
            assert!(choice.probabilities()[best] > 0.9, "what paid long ago is forgotten: {choice:?}");
        }
        assert!(choice.probabilities().iter().all(|probability| *probability >= 0.1 / 3.0));
        assert_eq!((choice.choose(0.999), choice.choose(0.0)), (2, 0));
    }

    #[test]
    fn weight_is_the_discounted_sum_of_rewards_and_what_is_no_number_counts_as_nothing() {
        let mut choice = Choice::new(2, 9, 0.1, 0.5).unwrap();
        [[1.0, f64::NAN], [0.5, 7.0]].iter().for_each(|rewards| choice.learn(rewards).unwrap());
        assert_eq!(choice.log_weights, [1.0, 1.0]);
        let before = choice.clone();
        assert_eq!(choice.learn(&[1.0]), Err(ChoiceError::Rewards { expected: 2, found: 1 }));
        assert_eq!(choice, before);
    }

    #[test]
    fn choice_is_refused_when_a_bound_is_broken() {
        assert_eq!(Choice::new(6, 0, 0.1, 0.9), Err(ChoiceError::Size(6)));
        assert_eq!(Choice::new(0, 0, 0.1, 0.9), Err(ChoiceError::Size(0)));
        assert_eq!(Choice::new(2, 0, 0.0, 0.9), Err(ChoiceError::Share("share of even choice")));
        assert_eq!(Choice::new(2, 0, 0.1, f64::NAN), Err(ChoiceError::Share("share that a round keeps")));
    }
}
