//! `rampart lab train`: models from recorded or generated markets.

use super::{DataArgs, LabError, Printer, train_policy, write};
use crate::evaluate::test_metrics;
use crate::time::start_of_day;
use crate::train::{Config, Dataset, Split, crash};
use crate::work::Work;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

/// What to train.
#[derive(Clone, Debug, Subcommand)]
pub enum TrainCommand {
    /// The probability that an asset falls through a buffer within 6 h and 24 h
    Crash(CrashArgs),
    /// A policy over the nine actions, against tuned rules
    Policy(train_policy::PolicyArgs),
}

/// How to train the crash model.
#[derive(Clone, Debug, Args)]
pub struct CrashArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Where the model file goes
    #[arg(long, value_name = "FILE", default_value = "artifacts/models/crash-v1.json")]
    out: PathBuf,
    /// First day of the test period, YYYY-MM-DD: the year before it calibrates, what is older trains [default: the
    /// split of the model that ships]
    #[arg(long, value_name = "DAY", value_parser = day)]
    test_from: Option<i64>,
}

/// Reads a day as YYYY-MM-DD, unix seconds.
pub(super) fn day(text: &str) -> Result<i64, String> {
    let numbers: Vec<u32> = text.split('-').map(str::parse).collect::<Result<_, _>>().unwrap_or_default();
    let [year, month, day] = numbers[..] else { return Err("expected YYYY-MM-DD".to_owned()) };
    start_of_day(year as i32, month, day).ok_or_else(|| "the calendar has no such day".to_owned())
}

/// Runs one of the commands.
pub fn run(command: TrainCommand, out: Printer) -> Result<(), LabError> {
    match command {
        TrainCommand::Crash(args) => train_crash(&args, out),
        TrainCommand::Policy(args) => train_policy::run(&args, out),
    }
}

fn train_crash(args: &CrashArgs, out: Printer) -> Result<(), LabError> {
    let config = Config::default();
    let work = Work::begin(None, &(), "steps")?;
    work.expect(3);
    let set = work.step("reading", || Dataset::load(&args.data.dir()?).map_err(LabError::from))?;
    let end = set.rows.iter().map(|row| row.known_ts).max().unwrap_or_default();
    let split = args.test_from.map_or_else(Split::development, |from| Split::before(from..end + 1, &config));
    let model = work.step("fitting", || crash::fit(&set, &split, &config))?;
    let metrics = work.step("testing", || test_metrics(&model, &set, &split))?;
    let model = crash::with_metrics(&model, metrics)?;
    if let Some(parent) = args.out.parent() {
        std::fs::create_dir_all(parent).map_err(|source| LabError::Write { path: args.out.clone(), source })?;
    }
    write(&args.out, &(model.to_json() + "\n"))?;
    work.finish();
    for (name, value) in &model.card().metrics {
        out.line(format_args!("{name}: {value:.4}"));
    }
    let text = format!("wrote {} with hash {}", args.out.display(), model.hash());
    out.answer(&json!({ "file": args.out, "hash": model.hash(), "card": model.card() }), text);
    Ok(())
}
