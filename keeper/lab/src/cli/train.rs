//! `rampart-lab train`: models from recorded or generated markets.

use super::{LabError, train_policy};
use clap::Subcommand;

/// What to train.
#[derive(Debug, Subcommand)]
pub enum TrainCommand {
    /// A policy over the nine actions, against tuned rules
    Policy(train_policy::PolicyArgs),
}

/// Runs one of the commands.
pub fn run(command: TrainCommand) -> Result<(), LabError> {
    match command {
        TrainCommand::Policy(args) => train_policy::run(&args),
    }
}
