//! The commands of the lab: one file for each under `cli/`.

mod attack;
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
}

/// Runs one command of the lab.
pub fn run(command: LabCommand) -> Result<(), LabError> {
    match command {
        LabCommand::Data(command) => data::run(command),
        LabCommand::Attack(command) => attack::run(command),
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
}
