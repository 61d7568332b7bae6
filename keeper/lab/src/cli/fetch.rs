//! `rampart lab fetch`: recorded markets from the exchange's public archive.

use super::{LabError, Printer};
use crate::data::{ARCHIVE, Request, fetch};
use clap::Args;
use std::path::PathBuf;

/// What to fetch.
#[derive(Clone, Debug, Args)]
pub struct FetchArgs {
    /// Market in the archive's words, as SOLUSDT
    symbol: String,
    /// Interval in the archive's words, as 1h
    interval: String,
    /// First month, YYYY-MM
    #[arg(value_parser = month)]
    from: (i32, u32),
    /// Last month, YYYY-MM
    #[arg(value_parser = month)]
    to: (i32, u32),
    /// Folder to write to
    #[arg(long, value_name = "DIR", env = "RAMPART_DATA", hide_env_values = true)]
    data: PathBuf,
    /// Address of the archive, or of a mirror of it
    #[arg(long, value_name = "URL", default_value = ARCHIVE)]
    archive: String,
    /// Keep what takers bought as a seventh column
    #[arg(long)]
    flow: bool,
}

fn month(text: &str) -> Result<(i32, u32), String> {
    let parsed = text.split_once('-').and_then(|(year, month)| Some((year.parse().ok()?, month.parse().ok()?)));
    parsed.filter(|(_, month)| (1..=12).contains(month)).ok_or_else(|| "expected YYYY-MM".to_owned())
}

/// Fetches.
pub fn run(args: FetchArgs, out: Printer) -> Result<(), LabError> {
    let FetchArgs { symbol, interval, from, to, data, archive, flow } = args;
    let count = crate::data::months(from, to).count();
    let bar = crate::evaluate::progress(count as u64, "months");
    let path = fetch(&Request { archive, symbol, interval, from, to, has_flow: flow }, &data, |(year, month)| {
        bar.set_message(format!("{year}-{month:02}"));
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    out.answer(&serde_json::json!({ "file": path }), format_args!("wrote {}", path.display()));
    Ok(())
}
