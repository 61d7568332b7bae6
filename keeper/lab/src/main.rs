//! The lab by itself, for machines that run nothing else: the same commands as `rampart lab`.

use clap::Parser;
use rampart_lab::cli::{LabCommand, run};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "rampart-lab", version, about = "Markets, attacks, backtests and training")]
struct Cli {
    #[command(subcommand)]
    command: LabCommand,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
