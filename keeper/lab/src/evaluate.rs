//! Honest evaluation: walk forward by quarter, intervals from whole weeks, baselines beside, leaks looked for, every try logged.
//!
//! Owns metrics (`metrics`), the bootstrap (`bootstrap`), the walk (`walk`), what is judged (`task`, `judge`), events (`events`), the coverage
//! of value at risk (`coverage`), leak checks (`leaks`), the log of tries (`tried`) and the tables (`report`). Trains nothing itself: `train` does.
//!
//! # Source
//! docs/risk-results.md, "The crash model".

mod bootstrap;
mod coverage;
mod events;
mod judge;
pub mod leaks;
mod metrics;
mod report;
mod results;
#[cfg(test)]
pub(crate) mod synthetic;
mod task;
mod tried;
mod tune;
mod volume;
mod walk;

pub use bootstrap::{Interval, Resamples};
pub use coverage::{Coverage, METHODS, coverage};
pub use judge::{Judged, judge};
pub use metrics::Forecasts;
pub use report::{BEGIN, END, decimal, markdown, replaced, write_between, write_section};
pub use results::{Metrics as TaskMetrics, Options, Results, run};
pub use task::{MODELS, TASKS, Task};
pub use tried::{Try, count, log};
pub use tune::{test_metrics, tune};
pub use volume::{Variant, volume_variants};
pub use walk::{Fold, FoldModels, progress, quarters, walk};

use crate::train::TrainError;
use std::path::PathBuf;

/// Why an evaluation stops.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// Data or training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A file of the evaluation.
    #[error("failed to write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The document has no place for the section.
    #[error("{} has no lines `{begin}` and `{end}` in this order: add them where the section belongs", path.display())]
    NoSection {
        /// The document.
        path: PathBuf,
        /// The line that opens the section.
        begin: &'static str,
        /// The line that closes it.
        end: &'static str,
    },
    /// A leak was found: no number of the run can be trusted.
    #[error("leak: {0}")]
    Leak(String),
    /// A period without rows of both classes.
    #[error("{what} has no rows of both classes: choose a longer period or more data")]
    Empty {
        /// What has none.
        what: String,
    },
}
