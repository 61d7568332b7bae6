//! The command line.

use clap::{Parser, Subcommand};

/// Every check and every generated file of this repository, from one command.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub task: Task,
}

/// What to do.
#[derive(Subcommand)]
pub enum Task {
    /// Builds the program and its IDL to `artifacts/`.
    BuildProgram {
        /// Compares with `artifacts/` and leaves it as it is.
        #[arg(long)]
        check: bool,
    },
    /// Builds the programs of `tests/fixtures/` to `target/fixtures/`.
    BuildFixtures,
    /// Writes the generated files: the IDL, the app's client and the app's build.
    Gen {
        /// Compares with the files and leaves them as they are.
        #[arg(long)]
        check: bool,
    },
    /// Writes the compute units of every instruction to `tests/snapshots/cu.md`.
    Cu,
    /// Prints which attack and bad-input cases a test shows.
    Cases,
    /// Runs every check.
    Test {
        /// Leaves out the dependency check and the demo.
        #[arg(long)]
        quick: bool,
    },
    /// Prints the IDL.
    #[command(hide = true)]
    PrintIdl,
}
