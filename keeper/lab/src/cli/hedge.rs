//! `rampart lab hedge`: one asset hedged by shorting another, beside selling it.

use super::{DataArgs, LabError, Printer, write_json};
use crate::data::load;
use crate::evaluate::write_between;
use crate::hedge::{self, Assumptions, Pair, PairName, Study, align, generated};
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which pairs, and what is assumed.
#[derive(Clone, Debug, Args)]
#[command(allow_negative_numbers = true)]
pub struct HedgeArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Recorded or generated markets
    #[arg(long, value_enum, default_value = "recorded")]
    on: On,
    /// Pairs of recorded markets, ASSET/SHORT by the names of their files
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "SOLUSDT_1h/ETHUSDT_1h,SOLUSDT_1h/BTCUSDT_1h,LINKUSDT_1h/ETHUSDT_1h,ETHUSDT_1h/BTCUSDT_1h"
    )]
    pairs: Vec<PairName>,
    /// Generated pairs: an asset and the factor that moves it, three years of hours each
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    draws: u64,
    /// Half-life of the exponential weights, hours
    #[arg(long, value_name = "HOURS", default_value = "336", value_parser = hours)]
    half_life: f64,
    /// Window of the rolling regression, hours; measured from its end on
    #[arg(long, value_name = "HOURS", default_value = "720", value_parser = hours)]
    window: f64,
    /// Distance from the wanted ratio that is left alone
    #[arg(long, default_value = "0.1", value_parser = share)]
    band: f64,
    /// Assumed cost of a trade in the short, bps of what is traded
    #[arg(long, value_name = "BPS", default_value = "8", value_parser = cost)]
    trade_bps: f64,
    /// Assumed cost of selling the asset, or buying it back, bps of what is traded
    #[arg(long, value_name = "BPS", default_value = "30", value_parser = cost)]
    sell_bps: f64,
    /// Assumed cost of holding the short, bps of its value a year; below 0 where it is paid for
    #[arg(long, value_name = "BPS", default_value = "500", value_parser = funding)]
    funding_bps: f64,
    /// Resamples of the intervals
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    resamples: u64,
    /// Seed of resamples and draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Document whose section on hedging is written anew
    #[arg(long, value_name = "FILE")]
    docs: Option<PathBuf>,
    /// Where to write the results as JSON
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Where markets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum On {
    /// Recorded candles
    Recorded,
    /// A calm market and its common factor
    Generated,
}

fn within(text: &str, from: f64, to: f64) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    (from..=to).contains(&value).then_some(value).ok_or_else(|| format!("must be between {from} and {to}"))
}

fn hours(text: &str) -> Result<f64, String> {
    within(text, 1.0, 87_600.0)
}

fn share(text: &str) -> Result<f64, String> {
    within(text, 0.0, 1.0)
}

fn cost(text: &str) -> Result<f64, String> {
    within(text, 0.0, 10_000.0)
}

fn funding(text: &str) -> Result<f64, String> {
    within(text, -100_000.0, 100_000.0)
}

impl HedgeArgs {
    fn assumptions(&self) -> Assumptions {
        Assumptions {
            half_life_hours: self.half_life,
            window_hours: self.window,
            band: self.band,
            trade_bps: self.trade_bps,
            sell_bps: self.sell_bps,
            funding_bps_year: self.funding_bps,
        }
    }

    /// Returns the pairs, and the hash of each file that they are of.
    fn found(&self) -> Result<(Vec<Pair>, BTreeMap<String, String>), LabError> {
        let mut data = BTreeMap::new();
        if self.on == On::Generated {
            return Ok(((self.seed..self.seed + self.draws).map(|seed| generated(3 * 365, seed)).collect(), data));
        }
        let (dir, mut pairs) = (self.data.dir()?, Vec::new());
        for name in &self.pairs {
            let [asset, short] = [&name.asset, &name.short].map(|file| dir.join(format!("{file}.csv.gz")));
            pairs.push(align(name, &load(&asset)?, &load(&short)?)?);
            for path in [asset, short] {
                data.insert(name_of(&path), super::sha256(&path)?);
            }
        }
        Ok((pairs, data))
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Runs the command.
pub fn run(args: &HedgeArgs, out: Printer) -> Result<(), LabError> {
    let (pairs, data) = args.found()?;
    let study = Study::of(&pairs, &args.assumptions(), args.resamples as usize, args.seed)?;
    let study = Study { data, ..study };
    write_json(args.out.as_deref(), &study)?;
    if let Some(docs) = &args.docs {
        write_between(docs, (hedge::BEGIN, hedge::END), &study.to_string())?;
    }
    out.answer(&study, study.to_string().trim_end());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::LabCommand;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: LabCommand,
    }

    fn args(words: &[&str]) -> Result<HedgeArgs, clap::Error> {
        match Line::try_parse_from(["lab", "hedge"].iter().chain(words))?.command {
            LabCommand::Hedge(args) => Ok(args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn hedge_names_file_and_line_when_a_market_is_malformed_and_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (path, out) = (dir.path().join("AUSDT_1h.csv.gz"), dir.path().join("hedge.json"));
        let mut packed = flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), Default::default());
        let text = "time,open,high,low,close,volume\n3600,1,1,1,1,1\n7200,1,1,x,1,1\n";
        std::io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
        packed.finish().unwrap();
        let folder = dir.path().to_str().unwrap();
        let args = args(&["--pairs", "AUSDT_1h/BUSDT_1h", "--data", folder, "--out", out.to_str().unwrap()]).unwrap();
        let error = run(&args, Printer::text()).unwrap_err();
        assert_eq!(error.to_string(), format!("{} line 3: low is `x`, not a number", path.display()));
        assert!(error.hint().contains("data check") && !out.exists(), "{}", error.hint());
    }

    #[test]
    fn hedge_takes_funding_that_is_earned_and_refuses_what_cannot_be() {
        assert_eq!(args(&["--funding-bps", "-900"]).unwrap().assumptions().funding_bps_year, -900.0);
        assert_eq!(args(&[]).unwrap().assumptions(), Assumptions::default());
        for words in [["--band", "NaN"], ["--window", "0"], ["--sell-bps", "-1"], ["--pairs", "SOL"]] {
            assert!(args(&words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn hedge_writes_its_section_and_leaves_the_rest_of_the_document() {
        let dir = tempfile::tempdir().unwrap();
        let (docs, out) = (dir.path().join("doc.md"), dir.path().join("hedge.json"));
        std::fs::write(&docs, format!("before\n{}\nold\n{}\nafter\n", hedge::BEGIN, hedge::END)).unwrap();
        let words = ["--on", "generated", "--draws", "1", "--resamples", "20"];
        let files = ["--docs", docs.to_str().unwrap(), "--out", out.to_str().unwrap()];
        run(&args(&[&words[..], &files[..]].concat()).unwrap(), Printer::json(|data| data)).unwrap();
        let text = std::fs::read_to_string(&docs).unwrap();
        assert!(text.starts_with("before\n") && text.ends_with("\nafter\n") && !text.contains("\nold\n"), "{text}");
        let study: Study = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
        assert!(text.contains(&study.to_string()) && study.pairs[0].name == "generated-1/factor");
    }
}
