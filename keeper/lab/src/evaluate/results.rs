//! The whole evaluation: every table, from one call.

use super::coverage::{Coverage, coverage};
use super::events::{Announced, announced};
use super::judge::{Judged, forecasts, judge};
use super::leaks::{self, Leaks};
use super::task::{CHALLENGER, MAIN, MODELS, TASKS};
use super::tried::{self, Try};
use super::walk::{FoldModels, TRAINER, progress, quarters, walk};
use super::{EvaluateError, Forecasts, Interval, Resamples, Task};
use crate::data::load;
use crate::time::{format_day, start_of_day};
use crate::train::{Config, DEAD, Dataset, Split, TrainError};
use rampart_score::features::schema_hash_hex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Year, month, day.
type Day = (i32, u32, u32);
/// First and last (exclusive) quarter of the walk.
const WALK: ((i32, u32), (i32, u32)) = ((2021, 1), (2025, 3));
/// First day after what `--tune` may use.
const UNTOUCHED: Day = (2022, 10, 1);
/// Major crises of the walk: name, first day, day after the last.
const CRISES: [(&str, Day, Day); 7] = [
    ("May 2021", (2021, 5, 10), (2021, 6, 1)),
    ("December 2021", (2021, 12, 1), (2021, 12, 8)),
    ("Terra, May 2022", (2022, 5, 4), (2022, 5, 17)),
    ("June 2022", (2022, 6, 9), (2022, 6, 21)),
    ("FTX, November 2022", (2022, 11, 6), (2022, 11, 16)),
    ("August 2024", (2024, 8, 1), (2024, 8, 8)),
    ("April 2025", (2025, 4, 2), (2025, 4, 11)),
];

/// What to run, and where the files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Folder of recorded markets.
    pub data: PathBuf,
    /// Folder of fitted quarters and results.
    pub out: PathBuf,
    /// Log of tries.
    pub tries: PathBuf,
    /// Resamples of the intervals.
    pub resamples: usize,
    /// Seed of the resamples.
    pub seed: u64,
}

/// One forecaster on one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Name of the forecaster.
    pub model: String,
    /// Name of the task.
    pub task: String,
    /// Forecasts.
    pub rows: usize,
    /// Share that fell.
    pub base_rate: f64,
    /// Area under the ROC curve.
    pub auc: Interval,
    /// The same where the 24 h drawdown was below 3 %.
    pub auc_calm: Interval,
    /// Average precision.
    pub average_precision: Interval,
    /// Brier skill over the base rate of the judged rows.
    pub brier_skill: Interval,
    /// Expected calibration error, ten bins of equal count.
    pub calibration_error: Interval,
    /// Slope of the reliability.
    pub calibration_slope: Interval,
    /// AUC by calendar year.
    pub auc_by_year: BTreeMap<String, f64>,
    /// Mean forecast and share that fell, ten bins.
    pub reliability: Vec<(f64, f64)>,
}

/// The logistic model against another forecaster on the same resamples: above 0 is better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Name of the other forecaster.
    pub against: String,
    /// Name of the task.
    pub task: String,
    /// Difference of AUC.
    pub auc: Interval,
    /// Difference of the Brier skill.
    pub brier_skill: Interval,
}

/// Metrics of the main task on part of the rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which rows.
    pub name: String,
    /// Forecasts.
    pub rows: usize,
    /// Share that fell.
    pub base_rate: f64,
    /// Area under the ROC curve.
    pub auc: f64,
    /// Brier skill.
    pub brier_skill: f64,
}

/// Every table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// SHA-256 of the data.
    pub data_sha256: String,
    /// Schema of the features.
    pub feature_schema_sha256: String,
    /// The settings.
    pub config: Config,
    /// Test period, days.
    pub test: [String; 2],
    /// Resamples of the intervals, and their weeks.
    pub resamples: [usize; 2],
    /// Different configurations tried so far, and lines of the log.
    pub tries: (usize, usize),
    /// Every forecaster on every task.
    pub metrics: Vec<Metrics>,
    /// The model against the others.
    pub differences: Vec<Difference>,
    /// The main task without each crisis, on the untouched period, and on assets that died.
    pub parts: Vec<Part>,
    /// Events of the main task.
    pub announced: Vec<Announced>,
    /// Coverage of the hourly value at risk.
    pub coverage: Vec<Coverage>,
    /// Leak checks.
    pub leaks: Leaks,
}

/// Runs the evaluation, appends it to the log of tries, and returns its tables.
///
/// # Errors
/// `Train`, `Io`, `Empty`, `Leak`.
pub fn run(options: &Options) -> Result<Results, EvaluateError> {
    let config = Config::default();
    let set = Dataset::load(&options.data)?;
    let folds = walk(&set, &quarters(WALK.0, WALK.1, &config), &config, &options.out)?;
    let (from, to) = (folds[0].fold.split.test.start, folds[folds.len() - 1].fold.split.test.end);
    let resamples = Resamples::new(from, to, options.resamples, options.seed);
    let bar = progress(TASKS.len() as u64 + 2, "judging");
    let mut results = Results {
        data_sha256: set.sha256.clone(),
        feature_schema_sha256: schema_hash_hex(),
        test: [format_day(from), format_day(to - 1)],
        resamples: [options.resamples, resamples.weeks()],
        tries: (0, 0),
        metrics: Vec::new(),
        differences: Vec::new(),
        parts: Vec::new(),
        announced: Vec::new(),
        coverage: coverage(&options.data, &folds)?,
        leaks: leak_checks(options, &set, &config)?,
        config,
    };
    bar.inc(2);
    for (at, task) in TASKS.iter().enumerate() {
        bar.set_message(task.name);
        let judged = judge(&set, &folds, (at, task), &resamples, false);
        results.add_task(task, &judged, &resamples)?;
        if at == MAIN {
            results.parts = parts(&set, &folds, &judged, &resamples)?;
            results.announced = announced(&set, &folds, (at, task), &judged, (&resamples, &results.config));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    results.log_tries(options)?;
    Ok(results)
}

fn leak_checks(options: &Options, set: &Dataset, config: &Config) -> Result<Leaks, EvaluateError> {
    let series = load(&options.data.join("SOLUSDT_1h.csv.gz")).map_err(TrainError::from)?;
    leaks::check(set, &series, &Split::development(), config)
}

impl Results {
    fn add_task(&mut self, task: &Task, judged: &[Judged], resamples: &Resamples) -> Result<(), EvaluateError> {
        let empty = || EvaluateError::Empty { what: task.name.to_owned() };
        let mut all = Vec::new();
        for model in models(judged) {
            let found = forecasts(judged, model, resamples, |_| true);
            let calm = forecasts(judged, model, resamples, |row| row.is_calm);
            let mut metrics = metrics(MODELS[model], task, (&found, &calm), resamples).ok_or_else(empty)?;
            metrics.auc_by_year = by_year(judged, model, resamples);
            self.metrics.push(metrics);
            all.push((model, found));
        }
        let (_, ours) = all.first().ok_or_else(empty)?;
        for (model, other) in &all[1..] {
            let auc = paired(resamples, |of, weights| of.auc(weights), ours, other);
            let brier_skill = paired(resamples, |of, weights| of.brier_skill(weights), ours, other);
            let (auc, brier_skill) = auc.zip(brier_skill).ok_or_else(empty)?;
            let (against, task) = (MODELS[*model].to_owned(), task.name.to_owned());
            self.differences.push(Difference { against, task, auc, brier_skill });
        }
        Ok(())
    }

    fn log_tries(&mut self, options: &Options) -> Result<(), EvaluateError> {
        for metrics in self.metrics.iter().filter(|metrics| metrics.task == TASKS[MAIN].name) {
            let entry = Try {
                command: "evaluate".to_owned(),
                model: metrics.model.clone(),
                data_sha256: self.data_sha256.clone(),
                feature_schema_sha256: self.feature_schema_sha256.clone(),
                trainer: TRAINER,
                config: self.config.clone(),
                test: self.test.clone(),
                metrics: BTreeMap::from([
                    ("auc".to_owned(), metrics.auc.value),
                    ("auc_calm".to_owned(), metrics.auc_calm.value),
                    ("brier_skill".to_owned(), metrics.brier_skill.value),
                ]),
            };
            tried::log(&options.tries, &entry)?;
        }
        self.tries = tried::count(&options.tries);
        Ok(())
    }
}

/// Returns the forecasters that are built in.
fn models(judged: &[Judged]) -> impl Iterator<Item = usize> {
    let count = match judged.first() {
        None => 0,
        Some(row) if row.probabilities[CHALLENGER].is_finite() => MODELS.len(),
        Some(_) => CHALLENGER,
    };
    0..count
}

fn metrics(
    model: &str,
    task: &Task,
    (found, calm): (&Forecasts, &Forecasts),
    resamples: &Resamples,
) -> Option<Metrics> {
    Some(Metrics {
        model: model.to_owned(),
        task: task.name.to_owned(),
        rows: found.len(),
        base_rate: found.base_rate(&vec![1.0; resamples.weeks()])?,
        auc: resamples.interval(|weights| found.auc(weights))?,
        auc_calm: resamples.interval(|weights| calm.auc(weights))?,
        average_precision: resamples.interval(|weights| found.average_precision(weights))?,
        brier_skill: resamples.interval(|weights| found.brier_skill(weights))?,
        calibration_error: resamples.interval(|weights| found.calibration_error(weights))?,
        calibration_slope: resamples.interval(|weights| found.calibration_slope(weights))?,
        auc_by_year: BTreeMap::new(),
        reliability: found.reliability(),
    })
}

fn paired(
    resamples: &Resamples,
    metric: impl Fn(&Forecasts, &[f64]) -> Option<f64>,
    ours: &Forecasts,
    other: &Forecasts,
) -> Option<Interval> {
    resamples.interval(|weights| Some(metric(ours, weights)? - metric(other, weights)?))
}

fn by_year(judged: &[Judged], model: usize, resamples: &Resamples) -> BTreeMap<String, f64> {
    let ones = vec![1.0; resamples.weeks()];
    let year = |row: &Judged| crate::time::year_month(row.row.known_ts).0;
    let years: std::collections::BTreeSet<i32> = judged.iter().map(year).collect();
    let auc = |wanted: i32| forecasts(judged, model, resamples, |row| year(row) == wanted).auc(&ones);
    years.into_iter().filter_map(|wanted| Some((wanted.to_string(), auc(wanted)?))).collect()
}

/// Returns the main task without each crisis, on the period that no setting was chosen on, and on assets that died.
fn parts(
    set: &Dataset,
    folds: &[FoldModels],
    judged: &[Judged],
    resamples: &Resamples,
) -> Result<Vec<Part>, EvaluateError> {
    let ts = |(year, month, day)| start_of_day(year, month, day).unwrap_or_default();
    let mut all = Vec::new();
    for (name, from, to) in CRISES {
        let crisis = ts(from)..ts(to);
        all.push(part(&format!("without {name}"), judged, resamples, |row| !crisis.contains(&row.row.known_ts))?);
    }
    all.push(part("since October 2022", judged, resamples, |row| row.row.known_ts >= ts(UNTOUCHED))?);
    let dead = judge(set, folds, (MAIN, &TASKS[MAIN]), resamples, true);
    all.push(part(&format!("never trained on: {}", DEAD.join(", ")), &dead, resamples, |_| true)?);
    Ok(all)
}

fn part(
    name: &str,
    judged: &[Judged],
    resamples: &Resamples,
    is_wanted: impl Fn(&Judged) -> bool,
) -> Result<Part, EvaluateError> {
    let (found, ones) = (forecasts(judged, 0, resamples, is_wanted), vec![1.0; resamples.weeks()]);
    let empty = || EvaluateError::Empty { what: name.to_owned() };
    Ok(Part {
        name: name.to_owned(),
        rows: found.len(),
        base_rate: found.base_rate(&ones).ok_or_else(empty)?,
        auc: found.auc(&ones).ok_or_else(empty)?,
        brier_skill: found.brier_skill(&ones).ok_or_else(empty)?,
    })
}
