//! The commands of the lab: one file for each under `cli/`.

use clap::Subcommand;

/// What the lab can be asked to do.
#[derive(Debug, Subcommand)]
pub enum LabCommand {}

/// Runs one command of the lab.
pub fn run(command: LabCommand) -> Result<(), LabError> {
    match command {}
}

/// Why a command of the lab stopped.
#[derive(Debug, thiserror::Error)]
pub enum LabError {}
