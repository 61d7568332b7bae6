//! How markets move together: EWMA covariance, absorption ratio, turbulence. At most 16 markets, no allocation.

use serde::{Deserialize, Serialize};

use crate::ewma::{Decays, Ewma};

/// Most markets of a portfolio.
pub const MARKETS_MAX: usize = 16;
const DAY_SECS: f64 = 86_400.0;
/// Half-lives: 24 h for correlation and absorption, 7 d for turbulence, 30 d for the habit of absorption.
const HALF_LIVES: [f64; 3] = [DAY_SECS, 7.0 * DAY_SECS, 30.0 * DAY_SECS];
/// Part of the mean variance that is added to each market's: a covariance of few observations stays invertible.
const RIDGE: f64 = 1e-3;
/// Power steps of a tick, from the last eigenvector on.
const POWER_STEPS: usize = 3;
/// Returns per market before anything is said of them: of fewer a covariance says more about their number than about the
/// markets, and the second return after a start looked like a crash.
const RETURNS_MIN: usize = 5;

type Matrix = [[f64; MARKETS_MAX]; MARKETS_MAX];

/// Why returns are refused. Nothing changes then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortfolioError {
    /// A portfolio of one, or of more than [`MARKETS_MAX`].
    #[error("portfolio has {found} markets, it must have 2 to {MARKETS_MAX}")]
    Markets {
        /// How many were asked for or given.
        found: usize,
    },
    /// A return that isn't known: stress is missing until all are.
    #[error("portfolio's market {index} has no return: stress isn't known")]
    Missing {
        /// Position of the market.
        index: usize,
    },
    /// A span that isn't above 0.
    #[error("portfolio's returns must span more than 0 s")]
    Span,
}

/// How markets move together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stress {
    /// Mean correlation of all pairs, -1 to 1.
    pub correlation: f64,
    /// Share of the variance that one common factor explains, 0 to 1.
    pub absorption: f64,
    /// How far absorption is from its 30 d habit, standard deviations.
    pub absorption_shift: f64,
    /// Mahalanobis distance of the last returns per market; 1 on average.
    pub turbulence: f64,
}

/// The dependence of up to 16 markets.
#[derive(Clone, Debug)]
pub struct Portfolio {
    count: usize,
    decays: Decays<3>,
    weights: [f64; 2],
    /// Sums of products per day, at 24 h and 7 d; the lower triangles are kept.
    products: [Matrix; 2],
    means: [f64; MARKETS_MAX],
    factor: [f64; MARKETS_MAX],
    absorption: Ewma,
    absorption_square: Ewma,
    /// Returns that it has learnt from.
    seen: usize,
    stress: Option<Stress>,
}

impl Portfolio {
    /// Starts a portfolio of `count` markets.
    ///
    /// # Errors
    /// `Markets`.
    pub fn new(count: usize) -> Result<Self, PortfolioError> {
        if !(2..=MARKETS_MAX).contains(&count) {
            return Err(PortfolioError::Markets { found: count });
        }
        Ok(Self {
            count,
            decays: Decays::new(HALF_LIVES),
            weights: [0.0; 2],
            products: [[[0.0; MARKETS_MAX]; MARKETS_MAX]; 2],
            means: [0.0; MARKETS_MAX],
            factor: [1.0; MARKETS_MAX],
            absorption: Ewma::default(),
            absorption_square: Ewma::default(),
            seen: 0,
            stress: None,
        })
    }

    /// Adds the log returns that all markets made over the same `secs`.
    ///
    /// # Errors
    /// `Markets`, `Span`, and `Missing`, after which [`Portfolio::stress`] is none until returns are complete again.
    pub fn push(&mut self, secs: f64, returns: &[Option<f64>]) -> Result<(), PortfolioError> {
        if returns.len() != self.count {
            return Err(PortfolioError::Markets { found: returns.len() });
        }
        if secs.is_nan() || secs <= 0.0 || secs.is_infinite() {
            return Err(PortfolioError::Span);
        }
        let mut scaled = [0.0; MARKETS_MAX];
        let per_day = (DAY_SECS / secs).sqrt();
        for (index, value) in returns.iter().enumerate() {
            match value.filter(|value| value.abs() < 1e3) {
                Some(value) => scaled[index] = value * per_day,
                None => {
                    self.stress = None;
                    return Err(PortfolioError::Missing { index });
                }
            }
        }
        let turbulence = self.turbulence(&scaled);
        self.learn(secs, &scaled);
        let measured = self.measure(secs, turbulence);
        // judged by the returns before it: those have to be enough
        self.stress = (self.seen >= RETURNS_MIN * self.count).then_some(measured);
        self.seen = self.seen.saturating_add(1);
        Ok(())
    }

    fn learn(&mut self, secs: f64, scaled: &[f64; MARKETS_MAX]) {
        let [day, week, _] = *self.decays.over(secs);
        for (products, kept) in self.products.iter_mut().zip([day, week]) {
            for row in 0..self.count {
                let gain = (1.0 - kept) * scaled[row];
                for (product, value) in products[row][..=row].iter_mut().zip(scaled) {
                    *product = kept * *product + gain * value;
                }
            }
        }
        for (weight, kept) in self.weights.iter_mut().zip([day, week]) {
            *weight = kept * *weight + (1.0 - kept);
        }
        for (mean, value) in self.means.iter_mut().zip(scaled) {
            *mean = week * *mean + (1.0 - week) * value;
        }
    }

    fn measure(&mut self, secs: f64, turbulence: f64) -> Stress {
        let absorption = self.absorb();
        let month = self.decays.over(secs)[2];
        let shift = match (self.absorption.mean(), self.absorption_square.mean()) {
            (Some(mean), Some(square)) => {
                let spread = (square - mean * mean).max(0.0).sqrt().max(0.01);
                ((absorption - mean) / spread).clamp(-20.0, 20.0)
            }
            _ => 0.0,
        };
        self.absorption.push(absorption, month);
        self.absorption_square.push(absorption * absorption, month);
        Stress { correlation: self.mean_correlation(), absorption, absorption_shift: shift, turbulence }
    }

    /// Returns the share of the first eigenvalue, by a few power steps from the last eigenvector.
    fn absorb(&mut self) -> f64 {
        let covariance = &self.products[0];
        let trace: f64 = (0..self.count).map(|at| covariance[at][at]).sum();
        if trace <= 0.0 {
            return 1.0 / self.count as f64;
        }
        let mut eigenvalue = 0.0;
        for _ in 0..POWER_STEPS {
            let mut next = [0.0; MARKETS_MAX];
            for (row, value) in next[..self.count].iter_mut().enumerate() {
                *value = (0..self.count).map(|column| at(covariance, row, column) * self.factor[column]).sum();
            }
            let norm = next[..self.count].iter().map(|value| value * value).sum::<f64>().sqrt();
            let last = self.factor[..self.count].iter().map(|value| value * value).sum::<f64>().sqrt();
            if norm <= 0.0 {
                break;
            }
            eigenvalue = norm / last;
            // A trace of each axis stays: a factor that turns is found again.
            for (factor, value) in self.factor.iter_mut().zip(next) {
                *factor = value / norm + 1e-6;
            }
        }
        (eigenvalue / trace).clamp(1.0 / self.count as f64, 1.0)
    }

    fn mean_correlation(&self) -> f64 {
        let pairs = (self.count * (self.count - 1) / 2) as f64;
        let all = (0..self.count).flat_map(|row| (0..row).map(move |column| (row, column)));
        all.map(|(row, column)| self.correlation(row, column)).sum::<f64>() / pairs
    }

    /// Returns the 24 h correlation of two markets, -1 to 1; 0 while one of them hasn't moved.
    pub fn correlation(&self, one: usize, other: usize) -> f64 {
        let covariance = &self.products[0];
        let scale = (covariance[one][one] * covariance[other][other]).sqrt();
        if scale > 0.0 { (at(covariance, one, other) / scale).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// Returns the 24 h beta of a market to another one; 0 while that one hasn't moved.
    pub fn beta(&self, market: usize, to: usize) -> f64 {
        let variance = self.products[0][to][to];
        if variance > 0.0 { at(&self.products[0], market, to) / variance } else { 0.0 }
    }

    /// Returns `(r - μ)' Σ⁻¹ (r - μ) / n` with what was known before; 1, its mean, before anything was.
    ///
    /// # Source
    /// Kritzman & Li (2010).
    fn turbulence(&self, scaled: &[f64; MARKETS_MAX]) -> f64 {
        let weight = self.weights[1];
        let n = self.count;
        let trace: f64 = (0..n).map(|at| self.products[1][at][at]).sum();
        if weight <= 0.0 || trace <= 0.0 {
            return 1.0;
        }
        let mean: [f64; MARKETS_MAX] = std::array::from_fn(|at| self.means[at] / weight);
        let ridge = RIDGE * trace / weight / n as f64;
        let mut lower = self.products[1];
        for row in 0..n {
            for column in 0..=row {
                lower[row][column] = lower[row][column] / weight - mean[row] * mean[column];
            }
            lower[row][row] += ridge;
        }
        if !cholesky(&mut lower, n) {
            return 1.0;
        }
        // Solve L y = r - μ; the distance is |y|².
        let mut solved = [0.0; MARKETS_MAX];
        let mut distance = 0.0;
        for row in 0..n {
            let known: f64 = (0..row).map(|column| lower[row][column] * solved[column]).sum();
            solved[row] = (scaled[row] - mean[row] - known) / lower[row][row];
            distance += solved[row] * solved[row];
        }
        (distance / n as f64).min(1e6)
    }

    /// Returns the stress of the last returns; none before enough of them were seen, and while a market's are missing.
    pub fn stress(&self) -> Option<&Stress> {
        self.stress.as_ref()
    }
}

fn at(symmetric: &Matrix, row: usize, column: usize) -> f64 {
    if row >= column { symmetric[row][column] } else { symmetric[column][row] }
}

/// Turns the lower triangle into its Cholesky factor; returns false where the matrix isn't positive definite.
fn cholesky(matrix: &mut Matrix, n: usize) -> bool {
    for row in 0..n {
        for column in 0..=row {
            let known: f64 = (0..column).map(|at| matrix[row][at] * matrix[column][at]).sum();
            let rest = matrix[row][column] - known;
            if row == column {
                if rest.is_nan() || rest <= 0.0 {
                    return false;
                }
                matrix[row][row] = rest.sqrt();
            } else {
                matrix[row][column] = rest / matrix[column][column];
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ewma::decay;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Draws returns with one common factor, whose loading is `common`.
    fn draw(random: &mut ChaCha8Rng, count: usize, common: f64) -> Vec<f64> {
        let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let factor = normal();
        (0..count).map(|_| 0.01 * (common * factor + (1.0 - common * common).sqrt() * normal())).collect()
    }

    fn push(portfolio: &mut Portfolio, secs: f64, returns: &[f64]) {
        portfolio.push(secs, &returns.iter().copied().map(Some).collect::<Vec<_>>()).unwrap();
    }

    /// Returns the weighted mean of `f` over the history, newest last, at a half-life.
    fn weighted(history: &[Vec<f64>], secs: f64, half_life: f64, f: impl Fn(&[f64]) -> f64) -> f64 {
        let kept = decay(secs, half_life);
        let weights: Vec<f64> = (0..history.len()).rev().map(|age| kept.powi(age as i32)).collect();
        let sum: f64 = history.iter().zip(&weights).map(|(returns, weight)| weight * f(returns)).sum();
        sum / weights.iter().sum::<f64>()
    }

    /// Returns the eigenvalues by Jacobi rotations.
    fn eigenvalues(mut a: Vec<Vec<f64>>) -> Vec<f64> {
        let n = a.len();
        for _ in 0..60 {
            for p in 0..n {
                for q in p + 1..n {
                    let angle = 0.5 * (2.0 * a[p][q]).atan2(a[q][q] - a[p][p]);
                    let (sin, cos) = angle.sin_cos();
                    for row in &mut a {
                        (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
                    }
                    let (above, below) = a.split_at_mut(q);
                    for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
                        (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
                    }
                }
            }
        }
        (0..n).map(|at| a[at][at]).collect()
    }

    /// Solves `a x = b` by Gauss-Jordan elimination.
    fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
        let n = b.len();
        for pivot in 0..n {
            let divisor = a[pivot][pivot];
            let (row, value) = (a[pivot].clone(), b[pivot]);
            for other in (0..n).filter(|other| *other != pivot) {
                let factor = a[other][pivot] / divisor;
                a[other].iter_mut().zip(&row).for_each(|(cell, above)| *cell -= factor * above);
                b[other] -= factor * value;
            }
        }
        (0..n).map(|at| b[at] / a[at][at]).collect()
    }

    #[test]
    fn stress_equals_brute_force_when_history_is_weighted_anew() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        for (count, common) in [(2, 0.3), (5, 0.7), (16, 0.9)] {
            let mut portfolio = Portfolio::new(count).unwrap();
            let history: Vec<Vec<f64>> = (0..400).map(|_| draw(&mut random, count, common)).collect();
            history.iter().for_each(|returns| push(&mut portfolio, 3_600.0, returns));
            let covariance: Vec<Vec<f64>> = (0..count)
                .map(|i| (0..count).map(|j| weighted(&history, 3_600.0, 86_400.0, |r| r[i] * r[j])).collect())
                .collect();
            let trace: f64 = (0..count).map(|at| covariance[at][at]).sum();
            let largest = eigenvalues(covariance.clone()).into_iter().fold(0.0, f64::max);
            let stress = portfolio.stress().unwrap();
            assert!((stress.absorption - largest / trace).abs() < 0.01, "{stress:?} {}", largest / trace);
            let correlation = covariance[1][0] / (covariance[0][0] * covariance[1][1]).sqrt();
            assert!((portfolio.correlation(0, 1) - correlation).abs() < 1e-9);
            assert!((portfolio.beta(0, 1) - covariance[0][1] / covariance[1][1]).abs() < 1e-9);
        }
    }

    #[test]
    fn turbulence_equals_the_mahalanobis_distance_to_the_past() {
        let mut random = ChaCha8Rng::seed_from_u64(12);
        let count = 4;
        let mut portfolio = Portfolio::new(count).unwrap();
        let history: Vec<Vec<f64>> = (0..600).map(|_| draw(&mut random, count, 0.6)).collect();
        history.iter().for_each(|returns| push(&mut portfolio, 3_600.0, returns));
        let shock = vec![-0.05, 0.02, -0.01, 0.0];
        push(&mut portfolio, 3_600.0, &shock);
        let week = |f: &dyn Fn(&[f64]) -> f64| weighted(&history, 3_600.0, 7.0 * 86_400.0, f);
        let means: Vec<f64> = (0..count).map(|i| week(&|r| r[i])).collect();
        let trace: f64 = (0..count).map(|i| week(&|r| r[i] * r[i])).sum();
        let covariance: Vec<Vec<f64>> = (0..count)
            .map(|i| {
                let ridge = |j: usize| if i == j { RIDGE * trace / count as f64 } else { 0.0 };
                (0..count).map(|j| week(&|r| r[i] * r[j]) - means[i] * means[j] + ridge(j)).collect()
            })
            .collect();
        let gaps: Vec<f64> = shock.iter().zip(&means).map(|(value, mean)| value - mean).collect();
        let solved = solve(covariance, gaps.clone());
        let expected: f64 = gaps.iter().zip(solved).map(|(gap, value)| gap * value).sum::<f64>() / count as f64;
        let turbulence = portfolio.stress().unwrap().turbulence;
        assert!((turbulence / expected - 1.0).abs() < 1e-9, "{turbulence} {expected}");
    }

    #[test]
    fn turbulence_averages_one_when_returns_are_as_before() {
        let mut random = ChaCha8Rng::seed_from_u64(13);
        let mut portfolio = Portfolio::new(6).unwrap();
        let mut sum = 0.0;
        for at in 0..3_000 {
            push(&mut portfolio, 3_600.0, &draw(&mut random, 6, 0.5));
            sum += if at >= 1_000 { portfolio.stress().unwrap().turbulence } else { 0.0 };
        }
        assert!((sum / 2_000.0 - 1.0).abs() < 0.1, "{}", sum / 2_000.0);
    }

    /// The second return after a start was measured by the first one alone: a turbulence in the hundreds in a calm market, a score
    /// above 60 %, and a band that is left only after twelve hours.
    #[test]
    fn calm_market_is_no_crash_after_a_start_and_nothing_is_said_before_enough_was_seen() {
        let mut random = ChaCha8Rng::seed_from_u64(15);
        for (count, start) in [2, 3, 8, 16].into_iter().flat_map(|count| (0..50).map(move |start| (count, start))) {
            let mut portfolio = Portfolio::new(count).unwrap();
            for at in 0..12 * count {
                push(&mut portfolio, 60.0, &draw(&mut random, count, 0.6));
                let Some(stress) = portfolio.stress() else {
                    assert!(at < 5 * count, "{count} markets, return {at}");
                    continue;
                };
                assert!(at >= 5 * count, "{count} markets, return {at}");
                let hazard = crate::hazard::system(Some(stress)).known().unwrap();
                assert!(hazard < 0.35, "{count} markets, start {start}, return {at}: {stress:?} {hazard}");
            }
        }
    }

    #[test]
    fn absorption_shifts_when_markets_begin_to_fall_together() {
        let mut random = ChaCha8Rng::seed_from_u64(14);
        let mut portfolio = Portfolio::new(8).unwrap();
        (0..2_000).for_each(|_| push(&mut portfolio, 3_600.0, &draw(&mut random, 8, 0.3)));
        (0..48).for_each(|_| push(&mut portfolio, 3_600.0, &draw(&mut random, 8, 0.97)));
        let stress = portfolio.stress().unwrap();
        assert!(stress.absorption_shift > 3.0 && stress.correlation > 0.6, "{stress:?}");
    }

    #[test]
    fn stress_is_missing_while_a_return_is_and_returns_are_refused_without_effect() {
        let mut portfolio = Portfolio::new(3).unwrap();
        (0..=15).for_each(|_| push(&mut portfolio, 60.0, &[0.01, 0.02, -0.01]));
        assert!(portfolio.stress().is_some());
        let before = portfolio.products;
        let missing = portfolio.push(60.0, &[Some(0.0), None, Some(0.0)]);
        assert_eq!((missing, portfolio.stress()), (Err(PortfolioError::Missing { index: 1 }), None));
        assert_eq!(
            portfolio.push(60.0, &[Some(0.0), Some(0.0), Some(f64::NAN)]),
            Err(PortfolioError::Missing { index: 2 })
        );
        assert_eq!(portfolio.push(60.0, &[Some(0.0)]), Err(PortfolioError::Markets { found: 1 }));
        assert_eq!(portfolio.push(f64::NAN, &[Some(0.0); 3]), Err(PortfolioError::Span));
        assert_eq!(portfolio.products, before);
        push(&mut portfolio, 60.0, &[0.01, 0.02, -0.01]);
        assert!(portfolio.stress().is_some());
        assert_eq!(Portfolio::new(1).err(), Some(PortfolioError::Markets { found: 1 }));
        assert_eq!(Portfolio::new(17).err(), Some(PortfolioError::Markets { found: 17 }));
    }

    #[test]
    fn stress_is_finite_when_markets_never_move_or_are_copies() {
        let mut portfolio = Portfolio::new(3).unwrap();
        (0..100).for_each(|_| push(&mut portfolio, 60.0, &[0.0; 3]));
        (0..100).for_each(|at| push(&mut portfolio, 60.0, &[f64::from(at % 3) * 0.01; 3]));
        let Stress { correlation, absorption, absorption_shift, turbulence } = *portfolio.stress().unwrap();
        assert!([correlation, absorption, absorption_shift, turbulence].iter().all(|value| value.is_finite()));
        assert!((absorption - 1.0).abs() < 1e-6 && (correlation - 1.0).abs() < 1e-9);
    }
}
