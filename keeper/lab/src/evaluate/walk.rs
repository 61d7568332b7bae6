//! The walk: each quarter is forecast by models that were fitted on what was known before it, and kept on disk as they are made.

use super::task::{CHALLENGER, MODELS, TASKS, drawdown};
use super::{EvaluateError, Task};
use crate::data::sha256_hex;
use crate::time::start_of_day;
use crate::train::{Config, Dataset, Line, Row, Split, crash};
use indicatif::{ProgressBar, ProgressStyle};
use rampart_score::features::schema_hash_hex;
use rampart_score::model::Model;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Rises when training changes in a way that settings and data don't show: kept models of another one aren't read.
pub(super) const TRAINER: u32 = 2;

/// A test period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Name in tables and files: `2022Q4`.
    pub name: String,
    /// What is fitted on what.
    pub split: Split,
}

/// Everything that forecasts one test period.
#[derive(Debug)]
pub struct FoldModels {
    /// The period.
    pub fold: Fold,
    /// The crash model.
    pub model: Model,
    baselines: Vec<[Line; 2]>,
    #[cfg(feature = "challenger")]
    challenger: crate::train::challenger::Challenger,
}

/// Returns the calendar quarters of `[from, to)`, UTC.
pub fn quarters(from: (i32, u32), to: (i32, u32), config: &Config) -> Vec<Fold> {
    let start = |(year, quarter): (i32, u32)| start_of_day(year, quarter * 3 - 2, 1).unwrap_or_default();
    let next = |(year, quarter): (i32, u32)| if quarter == 4 { (year + 1, 1) } else { (year, quarter + 1) };
    let fold = |at: (i32, u32)| Fold {
        name: format!("{}Q{}", at.0, at.1),
        split: Split::before(start(at)..start(next(at)), config),
    };
    std::iter::successors(Some(from), |at| Some(next(*at))).take_while(|at| *at < to).map(fold).collect()
}

/// Fits every fold, or reads what an earlier run of the same data, settings and features kept under `dir`.
///
/// # Errors
/// `Train`; `Io` with a file that can't be written.
pub fn walk(set: &Dataset, folds: &[Fold], config: &Config, dir: &Path) -> Result<Vec<FoldModels>, EvaluateError> {
    let dir = kept_dir(set, config, dir);
    std::fs::create_dir_all(&dir).map_err(|source| EvaluateError::Io { path: dir.clone(), source })?;
    let bar = progress(folds.len() as u64, "fitting");
    let fitted = folds.iter().map(|fold| {
        bar.set_message(fold.name.clone());
        let models = FoldModels::fit(set, fold, config, &dir)?;
        bar.inc(1);
        Ok(models)
    });
    let fitted = fitted.collect();
    bar.finish_and_clear();
    fitted
}

/// Returns a bar with an estimate; hidden where there is no terminal.
pub fn progress(count: u64, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg} {eta}");
    ProgressBar::new(count)
        .with_prefix(what.to_owned())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn kept_dir(set: &Dataset, config: &Config, dir: &Path) -> PathBuf {
    let config = serde_json::to_string(config).unwrap_or_default();
    let key = format!("{TRAINER}\n{}\n{}\n{config}", set.sha256, schema_hash_hex());
    dir.join("models").join(&sha256_hex(key.as_bytes())[..16])
}

impl FoldModels {
    fn fit(set: &Dataset, fold: &Fold, config: &Config, dir: &Path) -> Result<Self, EvaluateError> {
        let model = kept(
            &dir.join(format!("{}.json", fold.name)),
            // one from before the tail of falls is made anew
            |text| Model::from_json(text).ok().filter(|model| model.falls().is_some()),
            || {
                let model = crash::fit(set, &fold.split, config)?;
                Ok((model.to_json(), model))
            },
        )?;
        let rows: Vec<Vec<&Row>> = (0..2).map(|at| crash::training_rows(set, &fold.split, config, at)).collect();
        let baselines = TASKS.iter().map(|task| task.baselines(&rows[task.horizon]));
        Ok(Self {
            fold: fold.clone(),
            model,
            baselines: baselines.collect::<Result<_, _>>()?,
            #[cfg(feature = "challenger")]
            challenger: {
                use crate::train::challenger::Challenger;
                let path = dir.join(format!("{}-trees.json", fold.name));
                kept(
                    &path,
                    |text| Challenger::from_json(text).ok(),
                    || {
                        let trees = Challenger::fit(set, &fold.split, config)?;
                        Ok((trees.to_json()?, trees))
                    },
                )?
            },
        })
    }

    /// Returns the forecasts of a row in the order of [`MODELS`]; not a number for a forecaster that isn't built in.
    pub fn probabilities(&self, at: usize, task: &Task, row: &Row) -> [f64; MODELS.len()] {
        let [walk, fallen] = self.baselines[at];
        let mut all = [f64::NAN; MODELS.len()];
        all[0] = self.model.probability(&row.features, task.buffer(), task.horizon_secs());
        all[1] = walk.probability(task.walk(row));
        all[2] = fallen.probability(drawdown(row));
        all[CHALLENGER] = self.challenger(task, row);
        all
    }

    #[cfg(feature = "challenger")]
    fn challenger(&self, task: &Task, row: &Row) -> f64 {
        self.challenger.probability(&row.features, task.buffer(), task.horizon)
    }

    #[cfg(not(feature = "challenger"))]
    fn challenger(&self, _: &Task, _: &Row) -> f64 {
        f64::NAN
    }

    /// Returns the decision times of the period that calibrates, for a task.
    pub fn calibration(&self, task: &Task, config: &Config) -> Range<i64> {
        self.fold.split.calibrate(task.horizon_secs(), config)
    }
}

/// Reads what was kept, or makes it and keeps it: written aside and renamed, so that a stop leaves a whole file or none.
fn kept<T>(
    path: &Path,
    read: impl Fn(&str) -> Option<T>,
    make: impl Fn() -> Result<(String, T), EvaluateError>,
) -> Result<T, EvaluateError> {
    if let Some(found) = std::fs::read_to_string(path).ok().and_then(|text| read(&text)) {
        return Ok(found);
    }
    let (text, made) = make()?;
    let aside = path.with_extension("part");
    let written = std::fs::write(&aside, text).and_then(|()| std::fs::rename(&aside, path));
    written.map_err(|source| EvaluateError::Io { path: path.into(), source })?;
    Ok(made)
}
