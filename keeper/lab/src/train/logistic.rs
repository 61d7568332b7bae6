//! Logistic regression over rows and buffers with signs that keep the probability monotone in the buffer.
//!
//! Newton's method on the penalised loss, with the bounds as an active set and halved steps. A row's features are the same at
//! each of its buffers, so their part of the Hessian is summed once a row.

use super::line::{sigmoid, softplus};
use super::linear::solve;
use super::{BUFFERS, TrainError};
use rampart_score::features::COUNT;

/// Parameters: intercept, structural, log depth, then the features.
const PARAMETERS: usize = 3 + COUNT;
const STEPS_MAX: usize = 60;
const SETTLED: f64 = 1e-9;
/// What sums of a loss may differ by through rounding alone, as a share.
const ROUNDING: f64 = 1e-12;

/// What a row says to the fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Standardised features.
    pub features: [f64; COUNT],
    /// The structural feature at each buffer.
    pub structural: [f64; BUFFERS.len()],
    /// How many of the rising buffers were used up: the first `hits` are falls.
    pub hits: usize,
}

/// The fitted parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights([f64; PARAMETERS]);

/// Loss, gradient and Hessian of the penalised mean loss.
struct Slope {
    gradient: [f64; PARAMETERS],
    hessian: [[f64; PARAMETERS]; PARAMETERS],
}

impl Weights {
    /// Returns the intercept.
    pub fn intercept(&self) -> f64 {
        self.0[0]
    }

    /// Returns the coefficient of the structural feature, at least 0.
    pub fn structural(&self) -> f64 {
        self.0[1]
    }

    /// Returns the coefficient of `ln(-ln(1 - buffer))`, at most 0.
    pub fn log_depth(&self) -> f64 {
        self.0[2]
    }

    /// Returns the coefficients of the standardised features.
    pub fn features(&self) -> &[f64] {
        &self.0[3..]
    }

    /// Minimises the mean logistic loss plus `l2 / 2` times the squares of the features' coefficients.
    ///
    /// # Errors
    /// `TooFew` unless there are rows with and without a fall, `NotSettled`.
    pub fn fit(samples: &[Sample], l2: f64) -> Result<Self, TrainError> {
        let cases = samples.len() * BUFFERS.len();
        let hits: usize = samples.iter().map(|sample| sample.hits).sum();
        if hits == 0 || hits == cases {
            return Err(TrainError::TooFew { what: "training", rows: samples.len(), hits });
        }
        let mut weights = Self([0.0; PARAMETERS]);
        weights.0[1] = 1.0;
        let mut loss = weights.loss(samples, l2);
        for _ in 0..STEPS_MAX {
            let Some(step) = weights.step(samples, l2) else { break };
            let mut share = 1.0;
            let (next, next_loss) = loop {
                let next = weights.moved(&step, share);
                let next_loss = next.loss(samples, l2);
                if next_loss <= loss * (1.0 + ROUNDING) || share < 1e-6 {
                    break (next, next_loss);
                }
                share *= 0.5;
            };
            let moved = weights.0.iter().zip(next.0).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            (weights, loss) = (next, next_loss.min(loss));
            if moved < SETTLED {
                return Ok(weights);
            }
        }
        Err(TrainError::NotSettled { what: "logistic regression", steps: STEPS_MAX })
    }

    /// Returns Newton's step over what isn't held by a bound.
    fn step(&self, samples: &[Sample], l2: f64) -> Option<[f64; PARAMETERS]> {
        let slope = self.slope(samples, l2);
        let is_held = |at: usize| {
            (at == 1 && self.0[1] <= 0.0 && slope.gradient[1] > 0.0)
                || (at == 2 && self.0[2] >= 0.0 && slope.gradient[2] < 0.0)
        };
        let free: Vec<usize> = (0..PARAMETERS).filter(|at| !is_held(*at)).collect();
        let mut right: Vec<f64> = free.iter().map(|at| slope.gradient[*at]).collect();
        let mut matrix: Vec<f64> =
            free.iter().flat_map(|row| free.iter().map(|column| slope.hessian[*row][*column])).collect();
        // A constant feature has no curvature of its own; a trace of it keeps the system solvable.
        (0..free.len()).for_each(|at| matrix[at * free.len() + at] += 1e-12);
        let mut step = [0.0; PARAMETERS];
        solve(&mut matrix, &mut right).then(|| free.iter().zip(right).for_each(|(at, value)| step[*at] = value))?;
        Some(step)
    }

    /// Returns the weights after a share of a step, within their bounds.
    fn moved(&self, step: &[f64; PARAMETERS], share: f64) -> Self {
        let mut next: [f64; PARAMETERS] = std::array::from_fn(|at| self.0[at] - share * step[at]);
        next[1] = next[1].max(0.0);
        next[2] = next[2].min(0.0);
        Self(next)
    }

    fn base(&self, sample: &Sample) -> f64 {
        self.0[0] + self.features().iter().zip(sample.features).map(|(weight, value)| weight * value).sum::<f64>()
    }

    fn logit(&self, base: f64, sample: &Sample, at: usize) -> f64 {
        base + self.0[1] * sample.structural[at] + self.0[2] * log_depth(at)
    }

    fn loss(&self, samples: &[Sample], l2: f64) -> f64 {
        let mut sum = 0.0;
        for sample in samples {
            let base = self.base(sample);
            for at in 0..BUFFERS.len() {
                let logit = self.logit(base, sample, at);
                sum += softplus(logit) - if at < sample.hits { logit } else { 0.0 };
            }
        }
        let squares: f64 = self.features().iter().map(|weight| weight * weight).sum();
        sum / (samples.len() * BUFFERS.len()) as f64 + 0.5 * l2 * squares
    }

    fn slope(&self, samples: &[Sample], l2: f64) -> Slope {
        let mut slope = Slope { gradient: [0.0; PARAMETERS], hessian: [[0.0; PARAMETERS]; PARAMETERS] };
        samples.iter().for_each(|sample| self.add(&mut slope, sample));
        let cases = (samples.len() * BUFFERS.len()) as f64;
        for row in 0..PARAMETERS {
            let penalty = if row < 3 { 0.0 } else { l2 };
            slope.gradient[row] = slope.gradient[row] / cases + penalty * self.0[row];
            for column in 0..=row {
                slope.hessian[row][column] /= cases;
                slope.hessian[column][row] = slope.hessian[row][column];
            }
            slope.hessian[row][row] += penalty;
        }
        slope
    }

    /// Adds a row at all its buffers to gradient and lower triangle.
    fn add(&self, slope: &mut Slope, sample: &Sample) {
        let base = self.base(sample);
        // Sums over buffers of the errors and of the weights, times 1, structural and log depth.
        let mut errors = [0.0; 3];
        let mut curves = [[0.0; 3]; 3];
        for at in 0..BUFFERS.len() {
            let p = sigmoid(self.logit(base, sample, at));
            let error = p - if at < sample.hits { 1.0 } else { 0.0 };
            let columns = [1.0, sample.structural[at], log_depth(at)];
            for row in 0..3 {
                errors[row] += error * columns[row];
                for column in 0..=row {
                    curves[row][column] += p * (1.0 - p) * columns[row] * columns[column];
                }
            }
        }
        for (row, (error, curve)) in errors.into_iter().zip(curves).enumerate() {
            slope.gradient[row] += error;
            slope.hessian[row].iter_mut().zip(curve).for_each(|(cell, value)| *cell += value);
        }
        for (row, value) in sample.features.iter().enumerate() {
            slope.gradient[3 + row] += errors[0] * value;
            let target = &mut slope.hessian[3 + row];
            target.iter_mut().zip(curves).for_each(|(cell, curve)| *cell += curve[0] * value);
            let weight = curves[0][0] * value;
            for (cell, other) in target[3..=3 + row].iter_mut().zip(&sample.features) {
                *cell += weight * other;
            }
        }
    }
}

fn log_depth(at: usize) -> f64 {
    static LOGS: std::sync::LazyLock<[f64; BUFFERS.len()]> =
        std::sync::LazyLock::new(|| BUFFERS.map(|buffer| (-(1.0 - buffer).ln()).ln()));
    LOGS[at]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    /// Rows drawn from a known model: structural falls with the buffer, two features count.
    fn samples(count: usize, structural: f64) -> Vec<Sample> {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let draw = |random: &mut ChaCha8Rng| {
            let features: [f64; COUNT] = std::array::from_fn(|_| random.sample(StandardNormal));
            let shift: f64 = random.sample(StandardNormal);
            let x: [f64; BUFFERS.len()] = std::array::from_fn(|at| shift - at as f64);
            // Falls at rising buffers are nested: one uniform number decides them all.
            let u: f64 = random.random();
            let logit = |at: usize| structural * x[at] + 0.5 * features[0] - 0.8 * features[1] - 0.3;
            let hits = (0..BUFFERS.len()).take_while(|at| u < sigmoid(logit(*at))).count();
            Sample { features, structural: x, hits }
        };
        (0..count).map(|_| draw(&mut random)).collect()
    }

    #[test]
    fn fit_finds_the_weights_when_rows_are_drawn_from_them() {
        let weights = Weights::fit(&samples(40_000, 1.2), 0.0).unwrap();
        assert!((weights.features()[0] - 0.5).abs() < 0.03, "{weights:?}");
        assert!((weights.features()[1] + 0.8).abs() < 0.03, "{weights:?}");
        assert!(weights.features()[2..].iter().all(|weight| weight.abs() < 0.03), "{weights:?}");
        assert!((weights.structural() - 1.2).abs() < 0.05 && weights.log_depth() <= 0.0, "{weights:?}");
    }

    #[test]
    fn gradient_vanishes_when_settled_and_matches_differences_of_the_loss() {
        let rows = samples(500, 1.0);
        let weights = Weights([0.1; PARAMETERS]).moved(&[0.0; PARAMETERS], 0.0);
        let slope = weights.slope(&rows, 0.01);
        for at in 0..PARAMETERS {
            let (mut up, mut down) = (weights, weights);
            up.0[at] += 1e-5;
            down.0[at] -= 1e-5;
            let numeric = (up.loss(&rows, 0.01) - down.loss(&rows, 0.01)) / 2e-5;
            assert!((numeric - slope.gradient[at]).abs() < 1e-7, "{at}: {numeric} {}", slope.gradient[at]);
            let (up, down) = (up.slope(&rows, 0.01), down.slope(&rows, 0.01));
            for other in 0..PARAMETERS {
                let numeric = (up.gradient[other] - down.gradient[other]) / 2e-5;
                assert!((numeric - slope.hessian[at][other]).abs() < 1e-6);
            }
        }
        let settled = Weights::fit(&rows, 0.01).unwrap().slope(&rows, 0.01);
        assert!(settled.gradient.iter().enumerate().all(|(at, g)| at == 2 || g.abs() < 1e-8));
    }

    #[test]
    fn structural_stays_at_zero_when_falls_oppose_it() {
        let mut rows = samples(2_000, 1.0);
        rows.iter_mut().for_each(|row| row.structural.iter_mut().for_each(|x| *x = -*x));
        let weights = Weights::fit(&rows, 1e-3).unwrap();
        assert_eq!(weights.structural(), 0.0);
        assert!(weights.log_depth() < 0.0, "the buffers' order is left to the depth");
    }

    #[test]
    fn fit_fails_when_nothing_fell() {
        let mut rows = samples(50, 1.0);
        rows.iter_mut().for_each(|row| row.hits = 0);
        assert!(matches!(Weights::fit(&rows, 0.1), Err(TrainError::TooFew { rows: 50, hits: 0, .. })));
    }
}
