//! The choice of settings, on data until 2022-09-30 alone, and the numbers on a trained model's card.

use super::judge::{forecasts, judge};
use super::task::TASKS;
use super::tried::{self, Try};
use super::walk::{Fold, TRAINER, walk};
use super::{EvaluateError, Options, Resamples};
use crate::time::{format_day, start_of_day};
use crate::train::{Config, Dataset, Split};
use rampart_score::features::schema_hash_hex;
use rampart_score::model::Model;
use std::collections::BTreeMap;

/// Weights of the penalty that are tried.
const L2: [f64; 4] = [1e-4, 1e-3, 1e-2, 1e-1];
/// Lengths of the calibration period that are tried, days.
const CALIBRATION_DAYS: [u32; 3] = [180, 365, 545];
/// Test periods of the choice, each forecast from what was known before it.
const PERIODS: [((i32, u32), (i32, u32)); 3] =
    [((2021, 1), (2021, 7)), ((2021, 7), (2022, 1)), ((2022, 1), (2022, 10))];

/// Tries every setting, logs each, and returns them with their mean Brier skill over the tasks, best first.
///
/// # Errors
/// `Train`, `Io`, `Empty`.
pub fn tune(options: &Options) -> Result<Vec<(Config, f64)>, EvaluateError> {
    let set = Dataset::load(&options.data)?;
    let mut all = Vec::new();
    let bar = super::walk::progress((L2.len() * CALIBRATION_DAYS.len()) as u64, "settings");
    for l2 in L2 {
        for calibration_days in CALIBRATION_DAYS {
            let config = Config { l2, calibration_days, ..Config::default() };
            let skill = score(options, &set, &config)?;
            all.push((config, skill));
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(all)
}

fn score(options: &Options, set: &Dataset, config: &Config) -> Result<f64, EvaluateError> {
    let ts = |(year, month)| start_of_day(year, month, 1).unwrap_or_default();
    let fold = |(from, to)| Fold {
        name: format!("tune-{}", format_day(ts(from))),
        split: Split::before(ts(from)..ts(to), config),
    };
    let folds = walk(set, &PERIODS.map(fold), config, &options.out)?;
    let (from, to) = (folds[0].fold.split.test.start, folds[folds.len() - 1].fold.split.test.end);
    let resamples = Resamples::new(from, to, 0, 0);
    let ones = vec![1.0; resamples.weeks()];
    let (mut metrics, mut mean) = (BTreeMap::new(), 0.0);
    for (at, task) in TASKS.iter().enumerate() {
        let found = forecasts(&judge(set, &folds, (at, task), &resamples, false), 0, &resamples, |_| true);
        let empty = || EvaluateError::Empty { what: task.name.to_owned() };
        let skill = found.brier_skill(&ones).ok_or_else(empty)?;
        metrics.insert(format!("auc, {}", task.name), found.auc(&ones).ok_or_else(empty)?);
        metrics.insert(format!("brier_skill, {}", task.name), skill);
        mean += skill / TASKS.len() as f64;
    }
    let entry = Try {
        command: "tune".to_owned(),
        model: "logistic".to_owned(),
        data_sha256: set.sha256.clone(),
        feature_schema_sha256: schema_hash_hex(),
        trainer: TRAINER,
        config: config.clone(),
        test: [format_day(from), format_day(to - 1)],
        metrics,
    };
    tried::log(&options.tries, &entry)?;
    Ok(mean)
}

/// Returns a model's metrics on the test period of its split, which neither training nor calibration saw, for its card.
///
/// # Errors
/// `Empty` where the period has one class alone.
pub fn test_metrics(model: &Model, set: &Dataset, split: &Split) -> Result<BTreeMap<String, f64>, EvaluateError> {
    let mut metrics = BTreeMap::new();
    for task in &TASKS {
        let rows = set.between(split.test.start, split.test.end, false).filter_map(|row| {
            let p = model.probability(&row.features, task.buffer(), task.horizon_secs());
            Some((p, 0, task.is_hit(row)?))
        });
        let found = super::Forecasts::new(rows, 1);
        let values = [
            ("base rate", found.base_rate(&[1.0])),
            ("AUC", found.auc(&[1.0])),
            ("average precision", found.average_precision(&[1.0])),
            ("Brier skill", found.brier_skill(&[1.0])),
            ("calibration error", found.calibration_error(&[1.0])),
            ("calibration slope", found.calibration_slope(&[1.0])),
        ];
        for (name, value) in values {
            let value = value.ok_or_else(|| EvaluateError::Empty { what: task.name.to_owned() })?;
            metrics.insert(
                format!(
                    "test {} to {}: {name}, {}",
                    format_day(split.test.start),
                    format_day(split.test.end - 1),
                    task.name
                ),
                value,
            );
        }
    }
    Ok(metrics)
}
