//! Whether the future leaks into what is called known.

use super::task::{MAIN, TASKS};
use super::{EvaluateError, Forecasts};
use crate::data::Series;
use crate::train::{Config, Dataset, Row, Split, TrainError, crash};
use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

const SEED: u64 = 20_220_930;
/// Half-width of what shuffled labels may score.
pub const SHUFFLED_MAX: f64 = 0.015;
/// What a shift of the labels by one bar may change.
pub const SHIFTED_MAX: f64 = 0.02;

/// AUC of the main task under changes that must, or must not, matter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leaks {
    /// As it is.
    pub auc: f64,
    /// Labels one bar later: nearly the same, or the score lives off one bar.
    pub shifted: f64,
    /// Labels drawn from other rows, in training and test: a half.
    pub shuffled: f64,
    /// Rows whose features were computed again from a file cut off after them, and found equal to the bit.
    pub prefix_rows: usize,
}

/// Trains on the split three times over, and reads one market cut off at several places.
///
/// # Errors
/// `Leak` where a check fails; `Train`.
pub fn check(set: &Dataset, series: &Series, split: &Split, config: &Config) -> Result<Leaks, EvaluateError> {
    let found = Leaks {
        auc: auc(set, split, config)?,
        shifted: auc(&shifted(set), split, config)?,
        shuffled: auc(&shuffled(set), split, config)?,
        prefix_rows: prefix(series, crate::train::rows_of)?,
    };
    if (found.shuffled - 0.5).abs() > SHUFFLED_MAX {
        return Err(EvaluateError::Leak(format!("shuffled labels are forecast with AUC {:.3}", found.shuffled)));
    }
    if (found.shifted - found.auc).abs() > SHIFTED_MAX {
        let (auc, shifted) = (found.auc, found.shifted);
        return Err(EvaluateError::Leak(format!("labels of the next bar change AUC from {auc:.3} to {shifted:.3}")));
    }
    Ok(found)
}

/// Trains on a split and returns the AUC of the main task in its test period.
///
/// # Errors
/// `Train`; `Empty` where the test has one class alone.
pub fn auc(set: &Dataset, split: &Split, config: &Config) -> Result<f64, EvaluateError> {
    let (model, task) = (crash::fit(set, split, config)?, TASKS[MAIN]);
    let test = set.between(split.test.start, split.test.end, false);
    let rows = test.filter_map(|row| {
        let p = model.probability(&row.features, task.buffer(), task.horizon_secs());
        Some((p, 0, task.is_hit(row)?))
    });
    Forecasts::new(rows, 1).auc(&[1.0]).ok_or(EvaluateError::Empty { what: "the test period".to_owned() })
}

/// Returns the set with the labels of the next hour of the same asset.
pub fn shifted(set: &Dataset) -> Dataset {
    let mut moved = set.clone();
    for (row, next) in moved.rows.iter_mut().zip(set.rows.iter().skip(1)) {
        let is_next = row.asset == next.asset && next.known_ts - row.known_ts == 3_600;
        row.falls = if is_next { next.falls } else { [None; 2] };
    }
    moved
}

/// Returns the set with its labels dealt out at random.
pub fn shuffled(set: &Dataset) -> Dataset {
    let mut dealt = set.clone();
    let mut falls: Vec<_> = set.rows.iter().map(|row| row.falls).collect();
    falls.shuffle(&mut StdRng::seed_from_u64(SEED));
    dealt.rows.iter_mut().zip(falls).for_each(|(row, falls)| row.falls = falls);
    dealt
}

/// Compares what `rows` says of files cut off at ten places with what it says of the whole.
///
/// # Errors
/// `Leak` with the first decision time whose features change.
pub fn prefix(
    series: &Series,
    rows: impl Fn(&Series, usize) -> Result<Vec<Row>, TrainError>,
) -> Result<usize, EvaluateError> {
    let whole = rows(series, 0)?;
    let mut compared = 0;
    for tenth in 1..=10 {
        let mut cut = series.clone();
        // Off the round numbers of days and weeks.
        cut.bars.truncate((series.bars.len() * tenth / 10).saturating_sub(7 * tenth));
        let known = rows(&cut, 0)?;
        for (early, late) in known.iter().zip(&whole).skip(compared) {
            let bits = |row: &Row| row.features.values.map(f64::to_bits);
            if early.known_ts != late.known_ts || bits(early) != bits(late) {
                let at = crate::time::format(early.known_ts);
                return Err(EvaluateError::Leak(format!("features at {at} change with what came after")));
            }
        }
        compared = known.len();
    }
    Ok(compared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::synthetic;
    use crate::train::rows_of;

    const DAY: i64 = 86_400;

    fn split(set: &Dataset) -> Split {
        let (from, to) = (set.rows[0].known_ts, set.rows[set.rows.len() - 1].known_ts);
        let third = (to - from) / 3;
        Split { calibrate_from: from + third, calibrate_to: to - third, test: to - third..to }
    }

    fn market(every: usize) -> Dataset {
        let series: Vec<Series> =
            (0..3).map(|at| synthetic::planted(&format!("A{at}"), 9_000, at + 1, every)).collect();
        Dataset::of(&series).unwrap()
    }

    #[test]
    fn features_are_equal_to_the_bit_when_the_file_is_cut_off() {
        let series = synthetic::series("A", 2_000, 1);
        assert!(prefix(&series, rows_of).unwrap() > 1_800);
    }

    #[test]
    fn prefix_fails_when_a_feature_sees_the_next_bar() {
        let peeking = |series: &Series, asset: usize| {
            let mut rows = rows_of(series, asset)?;
            for row in &mut rows {
                let next = series.bars.iter().find(|bar| bar.open_ts == row.known_ts);
                row.features.values[0] = next.map_or(0.0, |bar| bar.low);
            }
            Ok(rows)
        };
        let found = prefix(&synthetic::series("A", 600, 1), peeking);
        assert!(matches!(found, Err(EvaluateError::Leak(text)) if text.contains("change with what came after")));
    }

    #[test]
    fn planted_signal_is_found_when_volume_announces_crashes_and_lost_when_labels_are_shuffled() {
        let set = market(200);
        let split = split(&set);
        let config = Config::default();
        let found = auc(&set, &split, &config).unwrap();
        assert!(found > 0.75, "{found}");
        let model = crash::fit(&set, &split, &config).unwrap();
        let volume = rampart_score::features::FEATURES.iter().position(|name| *name == "volume_log_ratio").unwrap();
        assert!(model.heads()[0].coefficients[volume] > 0.1, "{:?}", model.heads()[0].coefficients);
        let lost = auc(&shuffled(&set), &split, &config).unwrap();
        assert!((lost - 0.5).abs() < 0.05, "{lost}");
    }

    #[test]
    fn labels_move_by_one_bar_when_shifted() {
        let set = market(0);
        let moved = shifted(&set);
        assert_eq!(moved.rows[10].falls, set.rows[11].falls);
        assert_eq!(moved.rows[10].features, set.rows[10].features);
    }

    #[test]
    fn retraining_is_equal_to_the_bit_when_the_slice_is_the_same() {
        let split = split(&market(200));
        let train = || crash::fit(&market(200), &split, &Config::default()).unwrap().to_json();
        let first = train();
        assert_eq!(first, train());
        let other = Split { calibrate_from: split.calibrate_from + 30 * DAY, ..split };
        assert_ne!(first, crash::fit(&market(200), &other, &Config::default()).unwrap().to_json());
    }

    #[test]
    fn probability_never_rises_with_the_buffer_when_trained() {
        let set = market(200);
        let model = crash::fit(&set, &split(&set), &Config::default()).unwrap();
        for row in set.rows.iter().step_by(97) {
            for horizon in crate::train::HORIZONS {
                let all = crate::train::BUFFERS.map(|buffer| model.probability(&row.features, buffer, horizon));
                assert!(all.is_sorted_by(|a, b| a >= b), "{all:?}");
            }
        }
    }
}
