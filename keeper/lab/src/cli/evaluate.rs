//! `rampart-lab evaluate`: how good the crash model is, walked forward over recorded markets.

use super::{DataArgs, LabError};
use crate::evaluate::{self, Options};
use clap::Args;
use std::path::{Path, PathBuf};

/// How to evaluate.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Folder of fitted quarters and results; a run that was stopped goes on from what is there
    #[arg(long, value_name = "DIR", default_value = "target/lab/evaluate")]
    out: PathBuf,
    /// Log of every configuration tried
    #[arg(long, value_name = "FILE", default_value = "artifacts/models/tried.jsonl")]
    tries: PathBuf,
    /// Document whose section on models is written anew
    #[arg(long, value_name = "FILE")]
    docs: Option<PathBuf>,
    /// Resamples of the intervals
    #[arg(long, default_value_t = 400)]
    resamples: usize,
    /// Seed of the resamples
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Try the settings on data until 2022-09-30 instead, and list them, best first
    #[arg(long)]
    tune: bool,
}

/// Runs the evaluation.
pub fn run(args: EvaluateArgs) -> Result<(), LabError> {
    let options = Options {
        data: args.data.dir()?,
        out: args.out,
        tries: args.tries,
        resamples: args.resamples,
        seed: args.seed,
    };
    if args.tune {
        for (config, skill) in evaluate::tune(&options)? {
            println!("{skill:.5}  l2 {}  calibration {} days", config.l2, config.calibration_days);
        }
        return Ok(());
    }
    let results = evaluate::run(&options)?;
    let text = evaluate::markdown(&results);
    let json = serde_json::to_string_pretty(&results).unwrap_or_default();
    write(&options.out.join("results.json"), &json)?;
    write(&options.out.join("models.md"), &text)?;
    if let Some(docs) = &args.docs {
        evaluate::write_section(docs, &text)?;
    }
    println!("{text}");
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), LabError> {
    std::fs::write(path, text).map_err(|source| LabError::Write { path: path.into(), source })
}
