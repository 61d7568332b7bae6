//! `rampart lab evaluate`: how good the crash model is, walked forward over recorded markets.

use super::{DataArgs, LabError, Printer, write};
use crate::evaluate::{self, Options, Variant};
use crate::train::Config;
use crate::work::at_interrupt;
use clap::Args;
use std::path::PathBuf;

/// How to evaluate.
#[derive(Clone, Debug, Args)]
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
    /// Measure what the model loses without volumes instead, which no oracle tells a keeper
    #[arg(long, conflicts_with = "tune")]
    without_volume: bool,
}

/// Runs the evaluation.
pub fn run(args: EvaluateArgs, out: Printer) -> Result<(), LabError> {
    let options = Options {
        data: args.data.dir()?,
        out: args.out,
        tries: args.tries,
        resamples: args.resamples,
        seed: args.seed,
    };
    let kept = options.out.clone();
    at_interrupt(move || {
        format!("stopped: fitted quarters are kept in {}, the same command goes on from there", kept.display())
    });
    if args.tune {
        let tuned = evaluate::tune(&options)?;
        let line = |(config, skill): &(Config, f64)| {
            format!("{skill:.5}  l2 {}  calibration {} days", config.l2, config.calibration_days)
        };
        out.answer(&tuned, tuned.iter().map(line).collect::<Vec<_>>().join("\n"));
        return Ok(());
    }
    if args.without_volume {
        let variants = evaluate::volume_variants(&options.data, &Config::default())?;
        out.answer(&variants, volume_table(&variants));
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
    out.answer(&results, text);
    Ok(())
}

/// One row for each metric, one column for each variant.
fn volume_table(variants: &[Variant]) -> String {
    let names: Vec<&str> = variants.iter().map(|variant| variant.name).collect();
    let head = format!("| metric | {} |\n| --- |{}", names.join(" | "), " ---: |".repeat(names.len()));
    let rows = variants[0].metrics.keys().map(|metric| {
        let cells = variants.iter().map(|variant| format!("{:.3}", variant.metrics[metric]));
        format!("| {metric} | {} |", cells.collect::<Vec<_>>().join(" | "))
    });
    std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
}
