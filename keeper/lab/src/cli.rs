//! The commands of the lab: one file for each under `cli/`.

mod attack;
mod backtest;
mod data;
mod evaluate;
mod fetch;
mod hedge;
mod print;
mod probe;
mod refit;
mod report;
mod sweep;
mod train;
mod train_policy;
mod validate;

pub(crate) use backtest::span;
pub use data::DataArgs;
pub use print::Printer;

use crate::backtest::Market;
use crate::data::{DataError, sha256_hex};
use crate::validate::{Config, ConfigError};
use crate::whole;
use crate::work::at_interrupt;
use clap::Subcommand;
use std::path::Path;

/// Reads the configuration that a file holds; of a guard's file with several vaults, that of the one that is named.
pub type Read = fn(&Path, Option<&str>) -> Result<Config, ConfigError>;

/// What the lab can be asked to do.
#[derive(Clone, Debug, Subcommand)]
pub enum LabCommand {
    /// Recorded markets
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Download a recorded market from the exchange's public archive
    Fetch(fetch::FetchArgs),
    /// Train a model or a policy
    #[command(subcommand)]
    Train(train::TrainCommand),
    /// Learn a policy from the weeks before a cut, and promote it if it surely beats the reigning one on the weeks after
    Refit(refit::RefitArgs),
    /// Judge the crash model on recorded markets, walked forward by quarter
    Evaluate(evaluate::EvaluateArgs),
    /// Generated attacks, incidents and crises
    #[command(subcommand)]
    Attack(attack::AttackCommand),
    /// Policies side by side on recorded or generated markets
    Backtest(backtest::BacktestArgs),
    /// Play a guard's configuration through crises and attacks, and say pass or fail
    Validate(validate::ValidateArgs),
    /// Play a grid of assumptions and parameters, resumably, whole or a shard of it
    Sweep(sweep::SweepArgs),
    /// Hedge one asset by shorting another, out of sample, beside selling it: a study
    Hedge(hedge::HedgeArgs),
    /// Ask what single defences can do at all: a halt by drawdown, a keeper that is missing, an oracle that lies
    Probe(probe::ProbeArgs),
    /// Merge the shards of a sweep
    Merge(sweep::MergeArgs),
    /// Make one page of results: plots with their tables
    Report(report::ReportArgs),
}

/// Runs one command of the lab. Configurations are read by `read`.
///
/// # Errors
/// Why it stopped; `NotPassed` where a configuration was played and failed.
pub fn run(command: LabCommand, out: Printer, read: Read) -> Result<(), LabError> {
    // commands that keep something say more
    at_interrupt(|| "stopped: no file was left half written".into());
    match command {
        LabCommand::Data(command) => data::run(command, out),
        LabCommand::Fetch(args) => fetch::run(args, out),
        LabCommand::Train(command) => train::run(command, out),
        LabCommand::Refit(args) => refit::run(&args, out),
        LabCommand::Evaluate(args) => evaluate::run(args, out),
        LabCommand::Attack(command) => attack::run(command, out, read),
        LabCommand::Backtest(args) => backtest::run(&args, out),
        LabCommand::Validate(args) => validate::run(&args, out, read),
        LabCommand::Sweep(args) => sweep::run(&args, out),
        LabCommand::Hedge(args) => hedge::run(&args, out),
        LabCommand::Probe(args) => probe::run(&args, out),
        LabCommand::Merge(args) => sweep::run_merge(&args, out),
        LabCommand::Report(args) => report::run(&args, out),
    }
}

/// Writes a result as JSON to where it was asked for.
fn write_json(path: Option<&std::path::Path>, result: &impl serde::Serialize) -> Result<(), LabError> {
    let Some(path) = path else { return Ok(()) };
    write(path, &(serde_json::to_string_pretty(result).unwrap_or_default() + "\n"))
}

/// Writes a file whole.
fn write(path: &std::path::Path, text: &str) -> Result<(), LabError> {
    whole::write(path, text.as_bytes()).map_err(|source| LabError::Write { path: path.into(), source })
}

/// Returns the SHA-256 of a file, hexadecimal.
fn sha256(path: &Path) -> Result<String, LabError> {
    let content = std::fs::read(path).map_err(|source| DataError::Io { path: path.into(), source })?;
    Ok(sha256_hex(&content))
}

/// Parts that another version made aren't gone on from.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns one hash for all markets.
fn digest(markets: &[Market]) -> String {
    let digests: Vec<u8> = markets.iter().flat_map(|market| market.scenario.digest()).collect();
    sha256_hex(&digests)
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
    /// A scenario can't be drawn.
    #[error(transparent)]
    Attack(#[from] crate::attack::AttackError),
    /// A sweep stopped.
    #[error(transparent)]
    Sweep(#[from] crate::sweep::SweepError),
    /// A configuration can't be played.
    #[error(transparent)]
    Config(#[from] crate::validate::ConfigError),
    /// A configuration breaks a bound.
    #[error("`{0}` breaks its bounds: see the lines marked FAIL")]
    NotPassed(String),
    /// A hedge isn't studied.
    #[error(transparent)]
    Hedge(#[from] crate::hedge::HedgeError),
    /// Finished parts can't be kept.
    #[error(transparent)]
    Work(#[from] crate::work::WorkError),
    /// A report isn't made.
    #[error(transparent)]
    Report(#[from] crate::report::ReportError),
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
    /// A refit stopped.
    #[error(transparent)]
    Refit(#[from] crate::refit::RefitError),
    /// Nothing could be learned.
    #[error(transparent)]
    Learn(#[from] crate::learn::LearnError),
    /// A policy file is refused.
    #[error(transparent)]
    Policy(#[from] rampart_score::policy::PolicyError),
    /// A policy file can't be read or written.
    #[error("policy file {}: {source}", path.display())]
    PolicyFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl LabError {
    /// Returns the exit code: 2 for a configuration that was played and failed, 1 for everything else.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::NotPassed(_)) { 2 } else { 1 }
    }

    /// Returns what to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotPassed(_) => "loosen nothing: change what the failed case names, and validate again",
            Self::Data(_) | Self::Fetch(_) => "`rampart lab data check` lists what is recorded",
            Self::Train(_) | Self::Evaluate(_) => {
                "`rampart lab fetch` downloads a market that is missing or too short, `rampart lab data check` lists what is there"
            }
            Self::Config(ConfigError::Guard(_)) => "docs/lab.md, \"A verdict\", says what is read of a guard's file",
            Self::Config(_) => "`rampart lab validate --example` prints a configuration that is complete",
            Self::Attack(_) => "`rampart lab attack list` shows names and their side of the split",
            Self::Hedge(_) => "docs/lab.md, \"Hedging by a short\", says what a pair is and what is measured",
            Self::Report(_) => {
                "`--out FILE` of `rampart lab backtest`, `validate`, `sweep`, `hedge`, `probe` and `attack run`, and `--results FILE` of `train policy`, write what it reads"
            }
            Self::Refit(_) => {
                "docs/lab.md, \"The weekly refit\", says what lies in the folder; the library is as it was"
            }
            Self::Sweep(_) => "docs/lab.md, \"On many machines\", says what plans and files have to be",
            _ => "`rampart lab --help` lists commands, docs/lab.md says what they need",
        }
    }
}
