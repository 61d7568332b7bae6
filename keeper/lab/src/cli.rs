//! The commands of the lab: one file for each under `cli/`.

mod data;
mod evaluate;
mod fetch;
mod train;

pub use data::DataArgs;

use clap::Subcommand;

/// What the lab can be asked to do.
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// Recorded markets
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Download a recorded market from the exchange's public archive
    Fetch(fetch::FetchArgs),
    /// Train a model
    #[command(subcommand)]
    Train(train::TrainCommand),
    /// Judge the crash model on recorded markets, walked forward by quarter
    Evaluate(evaluate::EvaluateArgs),
}

/// Runs one command of the lab.
pub fn run(command: LabCommand) -> Result<(), LabError> {
    match command {
        LabCommand::Data(command) => data::run(command),
        LabCommand::Fetch(args) => fetch::run(args),
        LabCommand::Train(command) => train::run(command),
        LabCommand::Evaluate(args) => evaluate::run(args),
    }
}

/// Why a command of the lab stopped.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// Recorded data is absent or refused.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// A market isn't fetched.
    #[error(transparent)]
    Fetch(#[from] crate::data::FetchError),
    /// A model isn't trained.
    #[error(transparent)]
    Train(#[from] crate::train::TrainError),
    /// A model isn't evaluated.
    #[error(transparent)]
    Evaluate(#[from] crate::evaluate::EvaluateError),
    /// A result can't be written.
    #[error("failed to write {}: {source}", path.display())]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
