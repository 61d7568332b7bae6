//! Forecasts of the test periods beside what came.

use super::task::{CALM_DRAWDOWN, MODELS, drawdown};
use super::{FoldModels, Forecasts, Resamples, Task};
use crate::train::{Dataset, Row};

/// A forecast row.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// What was known, and what came.
    pub row: &'a Row,
    /// Position of its week in the resamples.
    pub week: usize,
    /// Position of the fold that forecast it.
    pub fold: usize,
    /// The price fell through the buffer.
    pub is_hit: bool,
    /// The 24 h drawdown was small when it was forecast.
    pub is_calm: bool,
    /// In the order of [`MODELS`].
    pub probabilities: [f64; MODELS.len()],
}

/// Forecasts every row of every test period whose future was recorded. `is_held_out` takes the assets that are never trained on.
pub fn judge<'a>(
    set: &'a Dataset,
    folds: &[FoldModels],
    (at, task): (usize, &Task),
    resamples: &Resamples,
    is_held_out: bool,
) -> Vec<Judged<'a>> {
    let mut judged = Vec::new();
    for (fold, models) in folds.iter().enumerate() {
        let test = &models.fold.split.test;
        for row in set.between(test.start, test.end, is_held_out) {
            let Some(is_hit) = task.is_hit(row) else { continue };
            judged.push(Judged {
                row,
                week: resamples.week(row.known_ts),
                fold,
                is_hit,
                is_calm: drawdown(row) < CALM_DRAWDOWN,
                probabilities: models.probabilities(at, task, row),
            });
        }
    }
    judged
}

/// Returns the forecasts of one forecaster over the rows that `is_wanted` takes.
pub fn forecasts(
    judged: &[Judged],
    model: usize,
    resamples: &Resamples,
    is_wanted: impl Fn(&Judged) -> bool,
) -> Forecasts {
    let rows = judged.iter().filter(|row| is_wanted(row));
    Forecasts::new(rows.map(|row| (row.probabilities[model], row.week, row.is_hit)), resamples.weeks())
}
