//! `rampart lab data`: what is recorded, and whether it can be used.

use super::{LabError, Printer};
use crate::data::{Checksum, Gap, Recording, Series, data_dir, list};
use crate::time::format as utc;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Where the recorded markets are.
#[derive(Clone, Debug, Args)]
pub struct DataArgs {
    /// Folder of recorded markets [default: RAMPART_DATA, else ../shared/data/market]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl DataArgs {
    /// Returns the folder.
    pub fn dir(&self) -> Result<PathBuf, LabError> {
        Ok(data_dir(self.data.as_deref())?)
    }
}

/// What to do with the recorded markets.
#[derive(Clone, Debug, Subcommand)]
pub enum DataCommand {
    /// List files with their spans, gaps and checksums; stop at the first malformed line or wrong checksum
    Check {
        #[command(flatten)]
        data: DataArgs,
        /// List every gap, not only how many there are
        #[arg(long)]
        gaps: bool,
    },
}

/// Runs one of the commands.
pub fn run(command: DataCommand, out: Printer) -> Result<(), LabError> {
    match command {
        DataCommand::Check { data, gaps } => check(&data, gaps, out),
    }
}

fn check(data: &DataArgs, is_listing_gaps: bool, out: Printer) -> Result<(), LabError> {
    let found = list(&data.dir()?)?;
    let head =
        format!("{:<28} {:>7}  {:<20} {:<20} {:>5} {:>7}  sha256", "file", "bars", "from", "to", "gaps", "missing");
    let mut lines = vec![head];
    for recording in &found {
        lines.push(line(recording));
        if is_listing_gaps {
            lines.extend(recording.series.iter().flat_map(gaps_of));
        }
    }
    let data: Vec<Value> = found.iter().map(value).collect();
    out.answer(&data, lines.join("\n"));
    Ok(())
}

fn line(recording: &Recording) -> String {
    let name = recording.path.file_name().unwrap_or_default().to_string_lossy();
    let sum = match recording.checksum {
        Checksum::Matches => &recording.sha256[..12],
        Checksum::Unlisted => "not listed",
    };
    let Some(series) = &recording.series else {
        return format!("{name:<28} {:>7}  {:<20} {:<20} {:>5} {:>7}  {sum}", "-", "no candles", "-", "-", "-");
    };
    let gaps = series.gaps();
    let missing: u64 = gaps.iter().map(|gap| gap.missing).sum();
    let span = (series.bars.first().map_or(0, |bar| bar.open_ts), series.bars.last().map_or(0, |bar| bar.close_ts()));
    let (from, to) = (utc(span.0), utc(span.1));
    format!("{name:<28} {:>7}  {from:<20} {to:<20} {:>5} {missing:>7}  {sum}", series.bars.len(), gaps.len())
}

fn gaps_of(series: &Series) -> Vec<String> {
    let line = |gap: Gap| {
        format!("    line {}: {} bars missing, {} to {}", gap.line, gap.missing, utc(gap.from_ts), utc(gap.to_ts))
    };
    series.gaps().into_iter().map(line).collect()
}

fn value(recording: &Recording) -> Value {
    let gap =
        |gap: Gap| json!({ "line": gap.line, "missing": gap.missing, "from_ts": gap.from_ts, "to_ts": gap.to_ts });
    let series = recording.series.as_ref().map(|series| {
        json!({
            "bars": series.bars.len(),
            "from_ts": series.bars.first().map(|bar| bar.open_ts),
            "to_ts": series.bars.last().map(|bar| bar.close_ts()),
            "gaps": series.gaps().into_iter().map(gap).collect::<Vec<_>>(),
        })
    });
    json!({
        "file": recording.path.file_name().unwrap_or_default().to_string_lossy(),
        "sha256": recording.sha256,
        "is_listed": recording.checksum == Checksum::Matches,
        "candles": series,
    })
}
