//! Exponentially weighted means by half-life in seconds, for irregular ticks, exact from the first observation.

/// Returns what is left of a weight after `secs`: `0.5^(secs / half_life)`.
pub fn decay(secs: f64, half_life_secs: f64) -> f64 {
    (-std::f64::consts::LN_2 * secs / half_life_secs).exp()
}

/// An exponentially weighted mean whose weights sum to one from the first observation on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ewma {
    sum: f64,
    weight: f64,
}

impl Ewma {
    /// Adds an observation. `kept` is what [`decay`] says of the time since the last one.
    ///
    /// Without an earlier observation the mean is `value`, whatever `kept` is.
    pub fn push(&mut self, value: f64, kept: f64) {
        self.sum = kept * self.sum + (1.0 - kept) * value;
        self.weight = kept * self.weight + (1.0 - kept);
    }

    /// Returns the mean; none before the first observation.
    pub fn mean(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }

    /// Returns how much was seen, 0 to 1: half after one half-life of observations.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// Returns the mean, or `fallback` before the first observation.
    pub fn mean_or(&self, fallback: f64) -> f64 {
        self.mean().unwrap_or(fallback)
    }

    /// Multiplies the mean and leaves its weight: uncertainty that grew while nothing was seen.
    pub fn inflate(&mut self, factor: f64) {
        self.sum *= factor;
    }
}

/// The decays of several half-lives over one span, kept for as long as the span stays the same: bars mostly have one length.
#[derive(Clone, Copy, Debug)]
pub struct Decays<const N: usize> {
    half_lives_secs: [f64; N],
    secs: f64,
    kept: [f64; N],
}

impl<const N: usize> Decays<N> {
    /// Prepares the half-lives, seconds.
    pub const fn new(half_lives_secs: [f64; N]) -> Self {
        Self { half_lives_secs, secs: 0.0, kept: [1.0; N] }
    }

    /// Returns what each half-life keeps over `secs`.
    pub fn over(&mut self, secs: f64) -> &[f64; N] {
        if secs != self.secs {
            self.secs = secs;
            for (kept, half_life) in self.kept.iter_mut().zip(self.half_lives_secs) {
                *kept = decay(secs, half_life);
            }
        }
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mean_is_the_value_when_only_one_was_seen() {
        let mut mean = Ewma::default();
        assert_eq!(mean.mean(), None);
        mean.push(7.0, decay(60.0, 86_400.0));
        assert!((mean.mean_or(0.0) - 7.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn mean_equals_the_weighted_sum_when_ticks_are_irregular(ticks in prop::collection::vec((-1e3f64..1e3, 1.0f64..1e4), 1..60)) {
            let half_life = 3_600.0;
            let mut mean = Ewma::default();
            for (value, secs) in &ticks {
                mean.push(*value, decay(*secs, half_life));
            }
            // Each observation stands for the span that it closes.
            let (mut sum, mut weight, mut age) = (0.0, 0.0, 0.0);
            for (value, secs) in ticks.iter().rev() {
                let share = 0.5f64.powf(age / half_life) - 0.5f64.powf((age + secs) / half_life);
                sum += share * value;
                weight += share;
                age += secs;
            }
            prop_assert!((mean.mean_or(f64::NAN) - sum / weight).abs() < 1e-6);
        }
    }
}
