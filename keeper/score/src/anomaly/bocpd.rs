//! Bayesian online change-point detection: how long the present regime has lasted, as a distribution.

use statrs::function::gamma::ln_gamma;

/// Longest run that is told apart; longer ones count as this long.
const RUNS: usize = 200;
/// Runs up to this length count as a new regime.
const RECENT: usize = 10;

/// Normal observations of unknown mean and variance, whose regime ends with a constant hazard.
///
/// # Source
/// Adams & MacKay (2007).
#[derive(Clone, Debug)]
pub struct Bocpd {
    hazard: f64,
    prior: [f64; 4],
    /// `ln` of the normaliser of the predictive Student distribution but for its scale, by run length.
    normaliser: [f64; RUNS],
    runs: [Run; RUNS],
    len: usize,
    seen: u64,
}

/// One hypothesis of when the regime began: its probability and posterior.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    probability: f64,
    mean: f64,
    beta: f64,
}

impl Bocpd {
    /// Prepares a hazard (1 over the expected length of a regime) and the normal-inverse-gamma prior (μ, κ, α, β).
    pub fn new(hazard: f64, prior: [f64; 4]) -> Self {
        let [mean, kappa, alpha, beta] = prior;
        let mut normaliser = [0.0; RUNS];
        for (run, value) in normaliser.iter_mut().enumerate() {
            let (alpha, kappa) = (alpha + run as f64 / 2.0, kappa + run as f64);
            let spread = (kappa + 1.0) / (alpha * kappa);
            *value = ln_gamma(alpha + 0.5)
                - ln_gamma(alpha)
                - 0.5 * (2.0 * alpha * std::f64::consts::PI).ln()
                - 0.5 * spread.ln();
        }
        let mut runs = [Run::default(); RUNS];
        runs[0] = Run { probability: 1.0, mean, beta };
        Self { hazard, prior, normaliser, runs, len: 1, seen: 0 }
    }

    /// Prepares the prior for a log volatility that is fed each hour: a regime of 250, a spread of about 0.3.
    pub fn log_vol(mean: f64) -> Self {
        Self::new(1.0 / 250.0, [mean, 0.1, 2.0, 0.2])
    }

    /// Adds an observation and returns [`Bocpd::change_probability`]. One that isn't a number is left out.
    pub fn push(&mut self, x: f64) -> f64 {
        if x.is_finite() {
            self.seen = self.seen.saturating_add(1);
            self.grow(x);
        }
        self.change_probability()
    }

    fn grow(&mut self, x: f64) {
        let mut ended = 0.0;
        let mut outgrown = Run::default();
        // From the longest run down, so that each moves into the free place behind it.
        for length in (0..self.len).rev() {
            let run = self.runs[length];
            let joint = run.probability * self.predictive(length, &run, x);
            ended += joint * self.hazard;
            let grown = Run { probability: joint * (1.0 - self.hazard), ..self.updated(length, &run, x) };
            if length + 1 < RUNS {
                self.runs[length + 1] = grown;
            } else {
                outgrown = grown;
            }
        }
        self.len = (self.len + 1).min(RUNS);
        self.absorb(outgrown);
        self.runs[0] = Run { probability: ended, mean: self.prior[0], beta: self.prior[3] };
        self.normalise();
    }

    /// Joins the run that outgrew the table with the longest one: the likelier of the two keeps its posterior.
    fn absorb(&mut self, outgrown: Run) {
        let longest = &mut self.runs[RUNS - 1];
        if outgrown.probability > longest.probability {
            (longest.mean, longest.beta) = (outgrown.mean, outgrown.beta);
        }
        longest.probability += outgrown.probability;
    }

    /// Returns the density of x under the Student distribution of a run.
    fn predictive(&self, length: usize, run: &Run, x: f64) -> f64 {
        let (kappa, alpha) = (self.prior[1] + length as f64, self.prior[2] + length as f64 / 2.0);
        let scale = run.beta * (kappa + 1.0) / (alpha * kappa);
        let gap = x - run.mean;
        let shape = -(alpha + 0.5) * (gap * gap / (2.0 * alpha * scale)).ln_1p();
        (self.normaliser[length] - 0.5 * run.beta.ln() + shape).exp()
    }

    fn updated(&self, length: usize, run: &Run, x: f64) -> Run {
        let kappa = self.prior[1] + length as f64;
        let gap = x - run.mean;
        Run {
            probability: 0.0,
            mean: run.mean + gap / (kappa + 1.0),
            beta: run.beta + kappa * gap * gap / (2.0 * (kappa + 1.0)),
        }
    }

    fn normalise(&mut self) {
        let total: f64 = self.runs[..self.len].iter().map(|run| run.probability).sum();
        if total > 0.0 && total.is_finite() {
            self.runs[..self.len].iter_mut().for_each(|run| run.probability /= total);
        } else {
            // No hypothesis explains the observation: a new regime begins.
            self.runs[..self.len].iter_mut().for_each(|run| run.probability = 0.0);
            self.runs[0] = Run { probability: 1.0, mean: self.prior[0], beta: self.prior[3] };
            self.len = 1;
        }
    }

    /// Returns the probability that the regime is at most 10 observations old; 0 while no more have been seen.
    pub fn change_probability(&self) -> f64 {
        if self.seen <= 2 * RECENT as u64 {
            return 0.0;
        }
        let recent: f64 = self.runs[..self.len.min(RECENT + 1)].iter().map(|run| run.probability).sum();
        recent.clamp(0.0, 1.0)
    }

    /// Returns the probability of a run length.
    pub fn run_probability(&self, length: usize) -> f64 {
        self.runs[..self.len].get(length).map_or(0.0, |run| run.probability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PRIOR: [f64; 4] = [0.0, 0.5, 1.5, 0.8];
    const HAZARD: f64 = 0.02;

    /// Returns the log evidence of a segment by the closed form of the normal-inverse-gamma marginal likelihood.
    fn log_evidence(segment: &[f64]) -> f64 {
        let [mean, kappa, alpha, beta] = PRIOR;
        let n = segment.len() as f64;
        if segment.is_empty() {
            return 0.0;
        }
        let average = segment.iter().sum::<f64>() / n;
        let squares: f64 = segment.iter().map(|x| (x - average).powi(2)).sum();
        let (kappa_n, alpha_n) = (kappa + n, alpha + n / 2.0);
        let beta_n = beta + 0.5 * squares + kappa * n * (average - mean).powi(2) / (2.0 * kappa_n);
        ln_gamma(alpha_n) - ln_gamma(alpha) + alpha * beta.ln() - alpha_n * beta_n.ln() + 0.5 * (kappa / kappa_n).ln()
            - n / 2.0 * (2.0 * std::f64::consts::PI).ln()
    }

    /// Returns P(run length | data) by summing over every way to cut the data into segments (quadratic, no recursion
    /// over sufficient statistics): `total[t]` is the evidence of all that ended with a change right after t.
    fn brute_force(data: &[f64]) -> Vec<f64> {
        let n = data.len();
        let mut total = vec![0.0; n + 1];
        total[0] = 1.0;
        let open =
            |from: usize, to: usize| log_evidence(&data[from..to]).exp() * (1.0 - HAZARD).powi((to - from) as i32);
        for to in 1..=n {
            for from in 0..to {
                total[to] += total[from] * open(from, to) / (1.0 - HAZARD) * HAZARD;
            }
        }
        let by_length: Vec<f64> =
            (0..=n).map(|length| total[n - length] * if length == 0 { 1.0 } else { open(n - length, n) }).collect();
        let sum: f64 = by_length.iter().sum();
        by_length.iter().map(|p| p / sum).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn run_lengths_equal_brute_force_over_all_segmentations(data in prop::collection::vec(-3.0f64..3.0, 1..40)) {
            let mut online = Bocpd::new(HAZARD, PRIOR);
            for x in &data {
                online.push(*x);
            }
            for (length, expected) in brute_force(&data).iter().enumerate() {
                prop_assert!((online.run_probability(length) - expected).abs() < 1e-9, "{length}");
            }
        }

        #[test]
        fn probability_is_a_number_whatever_comes_in(data in prop::collection::vec(prop::num::f64::ANY, 1..60)) {
            let mut online = Bocpd::log_vol(-3.0);
            for x in data {
                prop_assert!((0.0..=1.0).contains(&online.push(x)));
            }
        }
    }

    #[test]
    fn change_is_seen_when_the_level_shifts_and_not_before() {
        let mut online = Bocpd::log_vol(-3.0);
        let noise = |at: usize| ((at * 7_919) % 101) as f64 / 101.0 * 0.2;
        let calm = (0..400).map(|at| online.push(-3.0 + noise(at))).skip(40).fold(0.0, f64::max);
        assert!(calm < 0.3, "{calm}");
        let changed = (0..8).map(|at| online.push(-1.5 + noise(at))).fold(0.0, f64::max);
        assert!(changed > 0.9, "{changed}");
        let settled = (0..100).map(|at| online.push(-1.5 + noise(at))).last().unwrap();
        assert!(settled < 0.2, "{settled}");
    }
}
