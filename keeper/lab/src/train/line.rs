//! Logistic regression on one number: calibration (Platt), the reliability's slope, and baselines as probabilities.

use super::TrainError;
use rampart_score::model::Platt;

const STEPS_MAX: usize = 60;
const SETTLED: f64 = 1e-9;
/// What sums of a loss may differ by through rounding alone, as a share.
const ROUNDING: f64 = 1e-12;

/// An observation: the number, how many rows share it, and how many of them fell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The number.
    pub x: f64,
    /// Rows.
    pub rows: f64,
    /// Rows that fell.
    pub hits: f64,
}

impl Point {
    /// Returns the observation of one row.
    pub fn of(x: f64, is_hit: bool) -> Self {
        Self { x, rows: 1.0, hits: f64::from(u8::from(is_hit)) }
    }
}

/// `P(fall) = 1 / (1 + exp(-(slope · x + intercept)))`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Slope.
    pub slope: f64,
    /// Intercept.
    pub intercept: f64,
}

impl From<Line> for Platt {
    fn from(line: Line) -> Self {
        Self { slope: line.slope, intercept: line.intercept }
    }
}

impl Line {
    /// Fits by Newton's method with halved steps.
    ///
    /// # Errors
    /// `TooFew` unless there are rows of both classes, `NotSettled`.
    pub fn fit(what: &'static str, points: impl Iterator<Item = Point> + Clone) -> Result<Self, TrainError> {
        let (rows, hits) = points.clone().fold((0.0, 0.0), |(rows, hits), at| (rows + at.rows, hits + at.hits));
        if hits <= 0.0 || hits >= rows {
            return Err(TrainError::TooFew { what, rows: rows as usize, hits: hits as usize });
        }
        let mut line = Self { slope: 0.0, intercept: (hits / (rows - hits)).ln() };
        let mut loss = line.loss(points.clone());
        for _ in 0..STEPS_MAX {
            let (by_slope, by_intercept) = line.newton(points.clone());
            let mut share = 1.0;
            let next = loop {
                let next =
                    Self { slope: line.slope - share * by_slope, intercept: line.intercept - share * by_intercept };
                let next_loss = next.loss(points.clone());
                if next_loss <= loss * (1.0 + ROUNDING) || share < 1e-6 {
                    loss = next_loss.min(loss);
                    break next;
                }
                share *= 0.5;
            };
            line = next;
            if by_slope.abs().max(by_intercept.abs()) < SETTLED * (1.0 + line.slope.abs()) {
                return Ok(line);
            }
        }
        Err(TrainError::NotSettled { what, steps: STEPS_MAX })
    }

    /// Returns the probability at `x`.
    pub fn probability(&self, x: f64) -> f64 {
        sigmoid(self.slope * x + self.intercept)
    }

    fn loss(&self, points: impl Iterator<Item = Point>) -> f64 {
        points
            .map(|at| {
                let logit = self.slope * at.x + self.intercept;
                at.rows * softplus(logit) - at.hits * logit
            })
            .sum()
    }

    /// Returns Newton's step: what to take off slope and intercept.
    fn newton(&self, points: impl Iterator<Item = Point>) -> (f64, f64) {
        let (mut g1, mut g0, mut h11, mut h10, mut h00) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for at in points {
            let p = self.probability(at.x);
            let (error, weight) = (at.rows * p - at.hits, at.rows * p * (1.0 - p));
            g1 += error * at.x;
            g0 += error;
            h11 += weight * at.x * at.x;
            h10 += weight * at.x;
            h00 += weight;
        }
        let determinant = h11 * h00 - h10 * h10;
        if determinant <= h11 * h00 * 1e-14 {
            // One value of x alone: only the intercept is known.
            return (0.0, if h00 > 0.0 { g0 / h00 } else { 0.0 });
        }
        ((h00 * g1 - h10 * g0) / determinant, (h11 * g0 - h10 * g1) / determinant)
    }
}

/// Returns `1 / (1 + e^-x)`.
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Returns `ln(1 + e^x)` without overflow.
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fit_finds_the_line_when_shares_lie_on_it() {
        let true_line = Line { slope: 1.7, intercept: -2.0 };
        let points: Vec<Point> = (-20..20)
            .map(|at| Point {
                x: f64::from(at) / 5.0,
                rows: 1e4,
                hits: 1e4 * true_line.probability(f64::from(at) / 5.0),
            })
            .collect();
        let line = Line::fit("test", points.iter().copied()).unwrap();
        assert!((line.slope - 1.7).abs() < 1e-8 && (line.intercept + 2.0).abs() < 1e-8, "{line:?}");
    }

    #[test]
    fn fit_fails_when_one_class_is_absent() {
        let points = [Point::of(1.0, false), Point::of(2.0, false)];
        let error = Line::fit("calibration", points.into_iter()).unwrap_err();
        assert!(matches!(error, TrainError::TooFew { what: "calibration", rows: 2, hits: 0 }));
    }
}
