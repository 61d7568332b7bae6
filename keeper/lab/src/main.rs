//! The lab by itself, for machines that run nothing else: the same commands as `rampart lab`.

use clap::Parser;
use rampart_lab::cli::{LabCommand, Printer, run};
use rampart_lab::validate::{Config, ConfigError};
use std::path::Path;
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "rampart-lab", version, about = "Markets, attacks, backtests and training")]
struct Cli {
    /// Print the answer as JSON, and what comes before it on standard error
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: LabCommand,
}

/// A command line that cannot be understood, as in `rampart`: 2 is a configuration that failed.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nowhere left to tell it.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let out = if cli.json { Printer::json(|data| data) } else { Printer::text() };
    match run(cli.command, out, read) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}\nhint: {}", error.hint());
            ExitCode::from(error.exit_code())
        }
    }
}

/// Guards' files are the keeper's to read.
fn read(path: &Path, vault: Option<&str>) -> Result<Config, ConfigError> {
    match vault {
        None => Config::load(path),
        Some(_) => Err(ConfigError::Guard("`--vault` is for a guard's file: `rampart lab` reads those".into())),
    }
}
