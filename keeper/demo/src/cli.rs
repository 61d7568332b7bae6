//! The command line.

use crate::error::{DemoError, Outcome};
use crate::market::candles::Span;
use crate::market::recorded::Recording;
use crate::scenario::Scenario;
use crate::world::Coin;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Which collateral a recorded market is played as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Collateral {
    /// The first vault's.
    Sol,
    /// The second vault's.
    Btc,
}

/// Starts a local Solana network, plays a market on it, and lets three keepers defend 200 borrowers and ten lenders.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo demo", version, max_term_width = 100)]
pub struct Cli {
    /// The story to play.
    #[arg(long, value_enum, default_value = "crash", conflicts_with = "market")]
    pub scenario: Scenario,
    /// Plays recorded candles instead: CSV or CSV.GZ with unix seconds, open, high, low, close, volume.
    #[arg(long, value_name = "FILE")]
    pub market: Option<PathBuf>,
    /// Which collateral the recorded market is.
    #[arg(long, value_enum, default_value = "sol", requires = "market")]
    pub asset: Collateral,
    /// First bar of the recording: unix seconds, or a date such as 2022-11-08.
    #[arg(long, value_parser = moment, requires = "market")]
    pub from: Option<i64>,
    /// End of the recording, itself no longer played: unix seconds or a date.
    #[arg(long, value_parser = moment, requires = "market")]
    pub to: Option<i64>,
    /// How many times as fast as the wall clock the chain's clock runs. Above 250 a slot is so long that prices look old.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub speed: u32,
    /// Seed of everything that is drawn.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Ends the story after this many seconds of chain time.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub stop_after: Option<u32>,
    /// Prints the summary as JSON on standard output.
    #[arg(long)]
    pub json: bool,
    /// No progress bar, and no waiting at the end.
    #[arg(long)]
    pub headless: bool,
}

impl Cli {
    /// Returns the recorded market, if one is asked for.
    ///
    /// # Errors
    /// [`DemoError::Usage`] for an empty span.
    pub fn recording(&self) -> Outcome<Option<Recording>> {
        let Some(path) = self.market.clone() else { return Ok(None) };
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from >= to
        {
            return Err(DemoError::Usage(format!("--from {from} does not come before --to {to}")));
        }
        let coin = if self.asset == Collateral::Sol { Coin::Sol } else { Coin::Btc };
        Ok(Some(Recording { path, coin, span: Span { from_ts: self.from, to_ts: self.to } }))
    }
}

/// Reads unix seconds, or a date as its midnight in UTC.
fn moment(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let parts: Vec<_> = text.split('-').map(str::parse::<i64>).collect();
    let [Ok(year), Ok(month), Ok(day)] = parts[..] else {
        return Err("neither unix seconds nor a date such as 2022-11-08".to_owned());
    };
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err("no such date".to_owned());
    }
    Ok(days_since_1970(year, month, day) * 86_400)
}

/// Days between 1970-01-01 and a date of the Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // the year starts in March, so that the leap day is its last
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_seconds_or_dates() {
        assert_eq!(moment("1667865600"), Ok(1_667_865_600));
        assert_eq!(moment("2022-11-08"), Ok(1_667_865_600));
        assert_eq!(moment("1970-01-01"), Ok(0));
        assert_eq!(moment("2024-02-29"), Ok(1_709_164_800));
        assert!(moment("2022-13-01").is_err() && moment("soon").is_err());
    }

    #[test]
    fn defaults_are_the_crash_and_a_scenario_excludes_a_market() {
        let cli = Cli::try_parse_from(["demo"]).unwrap();
        assert_eq!((cli.scenario, cli.speed, cli.seed), (Scenario::Crash, 20, 1));
        assert!(Cli::try_parse_from(["demo", "--scenario", "crash", "--market", "x.csv"]).is_err());
        assert!(Cli::try_parse_from(["demo", "--from", "0"]).is_err());
        assert!(Cli::try_parse_from(["demo", "--speed", "0"]).is_err());
    }

    #[test]
    fn every_demo_of_the_documentation_is_one() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut count = 0;
        for page in ["README.md", "docs/quick-start.md", "docs/operating.md"] {
            let text = std::fs::read_to_string(root.join(page)).unwrap();
            for (at, name) in text.match_indices("cargo demo") {
                let typed: String = text[at + name.len()..].chars().take_while(|c| !"`#\n),".contains(*c)).collect();
                let parsed = Cli::try_parse_from(["demo"].into_iter().chain(typed.split_whitespace()));
                assert!(parsed.is_ok(), "{page}: cargo demo{typed}: {}", parsed.unwrap_err());
                count += 1;
            }
        }
        assert!(count >= 6, "only {count} were found");
    }

    #[test]
    fn empty_span_is_refused() {
        let cli = Cli::try_parse_from(["demo", "--market", "x.csv", "--from", "10", "--to", "10"]).unwrap();
        assert!(matches!(cli.recording(), Err(DemoError::Usage(_))));
    }
}
