//! Gradient-boosted trees on the same rows: a challenger that is evaluated beside the logistic model, and ships nothing.
//!
//! Monotone in the buffer by constraint, one thread, fixed seed: equal data gives equal trees.

use super::crash::training_rows;
use super::{BUFFERS, Config, Dataset, HORIZONS, Line, Point, Row, Split, TrainError};
use forust_ml::constraints::{Constraint, ConstraintMap};
use forust_ml::data::Matrix;
use forust_ml::gradientbooster::GradientBooster;
use forust_ml::objective::ObjectiveType;
use rampart_score::features::{COUNT, Features};
use rampart_score::model::{Platt, structural};
use serde::{Deserialize, Serialize};

/// Columns: the features, the structural feature, `ln(-ln(1 - buffer))`.
const COLUMNS: usize = COUNT + 2;
/// Every n-th training row, at two of the six buffers in turn.
const THIN: usize = 2;
const TREES: usize = 150;
const SEED: u64 = 1;

/// The trees of each horizon, with their calibration.
#[derive(Serialize, Deserialize)]
pub struct Challenger {
    heads: Vec<(GradientBooster, Platt)>,
}

impl std::fmt::Debug for Challenger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Challenger").finish_non_exhaustive()
    }
}

impl Challenger {
    /// Trains on the split that the logistic model has.
    ///
    /// # Errors
    /// `Challenger` with what the trees' library says, `TooFew`, `NotSettled`.
    pub fn fit(set: &Dataset, split: &Split, config: &Config) -> Result<Self, TrainError> {
        let heads = (0..HORIZONS.len()).map(|at| head(set, split, config, at));
        Ok(Self { heads: heads.collect::<Result<_, _>>()? })
    }

    /// Reads what [`Challenger::to_json`] wrote.
    ///
    /// # Errors
    /// `Challenger`.
    pub fn from_json(text: &str) -> Result<Self, TrainError> {
        serde_json::from_str(text).map_err(failure)
    }

    /// Returns the trees as text.
    ///
    /// # Errors
    /// `Challenger`.
    pub fn to_json(&self) -> Result<String, TrainError> {
        serde_json::to_string(self).map_err(failure)
    }

    /// Returns the calibrated probability to fall by `buffer` within the horizon at this position of [`HORIZONS`].
    pub fn probability(&self, features: &Features, buffer: f64, at: usize) -> f64 {
        let (trees, platt) = &self.heads[at];
        let line = Line { slope: platt.slope, intercept: platt.intercept };
        line.probability(raw(trees, &columns(features, buffer, HORIZONS[at])))
    }
}

fn head(set: &Dataset, split: &Split, config: &Config, at: usize) -> Result<(GradientBooster, Platt), TrainError> {
    let rows = training_rows(set, split, config, at);
    let cases: Vec<(&Row, f64)> = rows
        .iter()
        .enumerate()
        .step_by(THIN)
        .flat_map(|(row_at, row)| [0, 3].map(|shift| (*row, BUFFERS[(row_at / THIN + shift) % BUFFERS.len()])))
        .collect();
    let mut data = vec![0.0; cases.len() * COLUMNS];
    for (case, (row, buffer)) in cases.iter().enumerate() {
        for (column, value) in columns(&row.features, *buffer, HORIZONS[at]).into_iter().enumerate() {
            data[column * cases.len() + case] = value;
        }
    }
    let is_hit = |row: &Row, buffer: f64| row.falls[at].is_some_and(|fall| fall.depth >= buffer);
    let labels: Vec<f64> = cases.iter().map(|(row, buffer)| f64::from(u8::from(is_hit(row, *buffer)))).collect();
    let mut trees = booster();
    trees.fit_unweighted(&Matrix::new(&data, cases.len(), COLUMNS), &labels, None).map_err(failure)?;
    let platt = calibration(set, split, config, (at, &trees))?.into();
    Ok((trees, platt))
}

fn booster() -> GradientBooster {
    let monotone = ConstraintMap::from([(COUNT, Constraint::Positive), (COUNT + 1, Constraint::Negative)]);
    GradientBooster::default()
        .set_objective_type(ObjectiveType::LogLoss)
        .set_iterations(TREES)
        .set_learning_rate(0.05)
        .set_max_depth(5)
        .set_max_leaves(31)
        .set_min_leaf_weight(20.0)
        .set_l2(1.0)
        .set_nbins(128)
        .set_monotone_constraints(Some(monotone))
        .set_parallel(false)
        .set_num_threads(Some(1))
        .set_seed(SEED)
}

fn calibration(
    set: &Dataset,
    split: &Split,
    config: &Config,
    (at, trees): (usize, &GradientBooster),
) -> Result<Line, TrainError> {
    let period = split.calibrate(HORIZONS[at], config);
    let seen = set.between(period.start, period.end, false).step_by(config.thin * THIN);
    let known = seen.filter_map(|row| Some((row, row.falls[at]?.depth)));
    let point = |row: &Row, depth: f64, buffer: f64| {
        Point::of(raw(trees, &columns(&row.features, buffer, HORIZONS[at])), depth >= buffer)
    };
    let points: Vec<Point> = known.flat_map(|(row, depth)| BUFFERS.map(|buffer| point(row, depth, buffer))).collect();
    Line::fit("the challenger's calibration", points.iter().copied())
}

fn columns(features: &Features, buffer: f64, horizon: u32) -> [f64; COLUMNS] {
    let mut all = [0.0; COLUMNS];
    all[..COUNT].copy_from_slice(&features.values);
    all[COUNT] = structural(features.vol_day(), buffer, horizon, None);
    all[COUNT + 1] = (-(1.0 - buffer).ln()).ln();
    all
}

/// Returns the trees' logit.
fn raw(trees: &GradientBooster, columns: &[f64; COLUMNS]) -> f64 {
    trees.predict(&Matrix::new(columns, 1, COLUMNS), false).first().map_or(f64::NAN, |x| x.clamp(-30.0, 30.0))
}

fn failure(error: impl std::fmt::Display) -> TrainError {
    TrainError::Challenger(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::synthetic;

    #[test]
    fn retraining_gives_equal_trees_when_the_slice_is_the_same() {
        let set = Dataset::of(&[synthetic::planted("A", 6_000, 1, 150)]).unwrap();
        let start = set.rows[0].known_ts;
        let day = 86_400;
        let split = Split {
            calibrate_from: start + 150 * day,
            calibrate_to: start + 220 * day,
            test: start + 220 * day..start + 245 * day,
        };
        let fit = || Challenger::fit(&set, &split, &Config::default()).unwrap();
        let (first, second) = (fit(), fit());
        let read = Challenger::from_json(&first.to_json().unwrap()).unwrap();
        for row in set.rows.iter().step_by(61) {
            for (at, _) in HORIZONS.iter().enumerate() {
                let of = |trees: &Challenger| BUFFERS.map(|buffer| trees.probability(&row.features, buffer, at));
                assert_eq!(of(&first).map(f64::to_bits), of(&second).map(f64::to_bits));
                assert_eq!(of(&first), of(&read));
                assert!(of(&first).is_sorted_by(|a, b| a >= b), "monotone in the buffer: {:?}", of(&first));
            }
        }
    }
}
