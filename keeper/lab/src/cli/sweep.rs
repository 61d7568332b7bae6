//! `rampart lab sweep` and `rampart lab merge`: a grid over any number of machines.

use super::{LabError, Printer};
use crate::data::data_dir;
use crate::sweep::{Journal, Plan, Shard, merge, run as play};
use crate::work::{at_interrupt, bar};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Which cells to play, and where they go.
#[derive(Clone, Debug, Args)]
pub struct SweepArgs {
    /// The axes
    #[arg(value_name = "PLAN.toml")]
    plan: PathBuf,
    /// File of finished cells; cells that it holds are skipped
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Play part I of N of the cells, I from 0
    #[arg(long, value_name = "I/N", default_value = "0/1")]
    shard: Shard,
    /// Folder of recorded markets [default: RAMPART_DATA, else ../shared/data/market]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Which files to merge.
#[derive(Clone, Debug, Args)]
pub struct MergeArgs {
    /// The axes that the files were written for
    #[arg(value_name = "PLAN.toml")]
    plan: PathBuf,
    /// Files of finished cells
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Where to write all cells, in order
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs `sweep`.
pub fn run(args: &SweepArgs, out: Printer) -> Result<(), LabError> {
    let plan = Plan::load(&args.plan)?;
    let mut journal = Journal::open(&args.out, &plan)?;
    let dir = if plan.markets.is_empty() { None } else { Some(data_dir(args.data.as_deref())?) };
    let bar = bar("cells");
    let (shown, path) = (bar.clone(), args.out.clone());
    at_interrupt(move || {
        shown.finish_and_clear();
        format!("stopped: finished cells are in {}, the same command goes on from there", path.display())
    });
    let played = play(&plan, args.shard, &mut journal, dir.as_deref(), |at, all| {
        bar.set_length(all as u64);
        bar.set_position(at as u64);
        true
    })?;
    bar.finish_and_clear();
    let (finished, all) = (journal.lines().len(), plan.count());
    out.answer(
        &json!({ "played": played, "finished": finished, "of": all, "file": args.out }),
        format_args!("{played} cells played, {finished} of {all} in {}", args.out.display()),
    );
    Ok(())
}

/// Runs `merge`.
pub fn run_merge(args: &MergeArgs, out: Printer) -> Result<(), LabError> {
    let plan = Plan::load(&args.plan)?;
    let cells = merge(&args.files, &plan, &args.out)?;
    let text = format!("{cells} cells in {}", args.out.display());
    out.answer(&json!({ "finished": cells, "of": cells, "file": args.out }), text);
    Ok(())
}
