//! The commands of the lab: one file for each under `cli/`.

mod attack;
mod backtest;
mod data;

pub use data::DataArgs;

use clap::Subcommand;

/// What the lab can be asked to do.
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// Recorded markets
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Generated attacks, incidents and crises
    #[command(subcommand)]
    Attack(attack::AttackCommand),
    /// Policies side by side on recorded or generated markets
    Backtest(backtest::BacktestArgs),
}

/// Runs one command of the lab.
pub fn run(command: LabCommand) -> Result<(), LabError> {
    match command {
        LabCommand::Data(command) => data::run(command),
        LabCommand::Attack(command) => attack::run(command),
        LabCommand::Backtest(args) => backtest::run(&args),
    }
}

/// Why a command of the lab stopped.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// Recorded data is absent or refused.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// A scenario can't be drawn.
    #[error(transparent)]
    Attack(#[from] crate::attack::AttackError),
    /// A result can't be written.
    #[error("failed to write {}: {source}", path.display())]
    Write {
        /// Where to.
        path: std::path::PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// What was asked for leaves nothing to play.
    #[error("{0}")]
    Nothing(String),
}
