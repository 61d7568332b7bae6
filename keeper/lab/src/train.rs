//! Training of the crash model: the probability that an asset falls through a buffer within a horizon.
//!
//! Owns the training set (`rows`), periods (`split`), the fit (`logistic`, `line`, `linear`), the model made of them (`crash`) and the
//! challenger (`challenger`, feature of the same name). Everything is deterministic: one thread, fixed order of sums.
//! Inference and the file format are `rampart_score::model`'s.
//!
//! # Source
//! docs/risk-results.md, "The crash model".

#[cfg(feature = "challenger")]
pub mod challenger;
mod config;
pub mod crash;
mod line;
mod linear;
mod logistic;
mod rows;
mod split;

pub use config::{BUFFERS, Config, DEAD, HORIZONS, MAJORS};
pub use line::{Line, Point};
pub use logistic::{Sample, Weights};
pub use rows::{Asset, Dataset, Fall, Row, rows_of};
pub use split::Split;

use crate::data::DataError;
use rampart_score::bar::BarError;
use rampart_score::model::ModelError;
use rampart_score::tail::GpdError;

/// Why a model isn't trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Recorded data is absent or refused.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A bar that the features refuse.
    #[error("failed to read `{symbol}`: {source}")]
    Bar {
        /// The market.
        symbol: String,
        /// What is wrong.
        source: BarError,
    },
    /// The tail can't be fitted.
    #[error("failed to fit the tail: {0}")]
    Tail(#[from] GpdError),
    /// Too few rows, or rows of one class alone.
    #[error("{what} has {rows} rows and {hits} falls, both classes are needed: use more data or a longer period")]
    TooFew {
        /// Which part.
        what: &'static str,
        /// Its rows.
        rows: usize,
        /// Rows with a fall.
        hits: usize,
    },
    /// The optimiser didn't settle.
    #[error("{what} did not settle after {steps} steps: look for a feature that separates the classes")]
    NotSettled {
        /// Which fit.
        what: &'static str,
        /// Steps made.
        steps: usize,
    },
    /// The trained model is one that inference refuses.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The challenger failed.
    #[error("failed to train the challenger: {0}")]
    Challenger(String),
}
