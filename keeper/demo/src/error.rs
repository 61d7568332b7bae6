//! Why a demo run could not go on.

use std::path::PathBuf;
use thiserror::Error;

/// Every reason for which a run ends before its summary.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The market file can't be read or holds something else than candles.
    #[error("market file {path}: {problem}")]
    Market {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with the line where there is one.
        problem: String,
    },
    /// The command line asks for what doesn't fit together.
    #[error("{0}")]
    Usage(String),
    /// The local network failed.
    #[error("local network: {0}")]
    Network(String),
    /// A call to the local network failed.
    #[error("local network: {doing}: {problem}")]
    Rpc {
        /// What was asked of it.
        doing: &'static str,
        /// What it answered.
        problem: String,
    },
    /// A transaction of the set-up was refused.
    #[error("set-up: {step} was refused: {problem}")]
    SetUp {
        /// The step.
        step: String,
        /// The program's or network's reason.
        problem: String,
    },
    /// A keeper process could not be started, or did not become ready.
    #[error("keeper {name}: {problem}")]
    Keeper {
        /// Which keeper.
        name: String,
        /// What happened.
        problem: String,
    },
    /// An account on chain holds something unexpected.
    #[error("account {what}: {problem}")]
    Account {
        /// Which account.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl DemoError {
    /// Returns what the user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Market { .. } => {
                Some("one candle a line: unix seconds, open, high, low, close, volume; CSV or CSV.GZ")
            }
            Self::File { path, .. } if path.ends_with("artifacts/rampart.so") => {
                Some("build the program with `cargo xtask build-program`")
            }
            Self::Keeper { .. } => Some("build the keeper with `cargo build -p rampart-keeper`"),
            _ => None,
        }
    }
}

/// The result of everything in this crate.
pub type Outcome<T> = Result<T, DemoError>;

/// Turns a failed call into a [`DemoError::Rpc`].
pub fn rpc<E: std::fmt::Display>(doing: &'static str) -> impl FnOnce(E) -> DemoError {
    move |error| DemoError::Rpc { doing, problem: error.to_string() }
}
