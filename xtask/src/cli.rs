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
    /// Prints which attack and bad-input cases, and which invariants, a test shows.
    Cases,
    /// Plays random sequences of all instructions against the reference, and prints what came of them.
    Sequences {
        /// How many.
        #[arg(long, default_value_t = 200_000)]
        count: u64,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Plays only the sequence of this seed.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Plays the keeper in simulated worlds full of faults, and prints what came of it.
    Sim(crate::simulation::Sim),
    /// Plays the incidents of other protocols, writes `docs/incidents.md` and prints it.
    Incidents,
    /// Measures the keeper and prints the tables of `docs/performance.md`; builds it optimised first.
    Bench,
    /// Lets the keeper run for hours on a scripted chain, and fails where what it holds grows.
    Soak(crate::soak::Soak),
    /// Runs the pipeline test and the test of three keepers on Solana's own validator; installs it first.
    ///
    /// Uses the `solana-test-validator` that RAMPART_VALIDATOR names, or the one on the PATH, where there is one.
    Validator,
    /// Makes a release: the keeper, the program, settings, documentation, bills of materials, and checksums.
    Release(crate::release::Release),
    /// Runs every check.
    Test {
        /// Leaves out the dependency check, the demo and nine of ten random sequences.
        #[arg(long)]
        quick: bool,
    },
    /// Prints the IDL.
    #[command(hide = true)]
    PrintIdl,
}
