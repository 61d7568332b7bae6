//! `rampart lab probe`: what single defences can do at all.

use super::{DataArgs, LabError, Printer, span, write_json};
use crate::attack::Split;
use crate::backtest::{Market, RecordedSettings, scenarios};
use crate::data::load;
use crate::evaluate::write_between;
use crate::policy::standard;
use crate::pool::Settings;
use crate::probe::{self, Probe, breaker, lies, outages, rules};
use crate::validate::CRISES;
use crate::work::Work;
use clap::Args;
use rampart::state::asset::Peg;
use std::path::PathBuf;

/// Debt that borrowers want, in median volumes of five minutes, as in a backtest.
const VOLUMES: f64 = 300.0;
/// Longest cell of the reference's memory, seconds: paths have no longer steps.
const CELL_SECS: u32 = 300;

/// What is asked of which markets.
#[derive(Clone, Debug, Args)]
pub struct ProbeArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Markets over which one rule after another is played, by the name of their files
    #[arg(long, value_delimiter = ',', default_value = "SOLUSDT_5m,ETHUSDT_5m,BTCUSDT_5m")]
    markets: Vec<String>,
    /// Draws of each attack
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    draws: u64,
    /// Seed of draws and resamples
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Document whose section is written anew
    #[arg(long, value_name = "FILE")]
    docs: Option<PathBuf>,
    /// Where to write the results as JSON
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &ProbeArgs, out: Printer) -> Result<(), LabError> {
    let (dir, settings) = (args.data.dir()?, Settings::default());
    let (from_ts, to_ts) = span(Split::Test);
    let mut found = Probe { seed: args.seed, ..Probe::default() };
    let mut markets = Vec::new();
    for name in &args.markets {
        let path = dir.join(format!("{name}.csv.gz"));
        let series = load(&path)?;
        let played = scenarios(&series, from_ts, to_ts, Split::Test, &RecordedSettings::default());
        markets.extend(played.into_iter().map(|scenario| Market::new(scenario, settings, VOLUMES)));
        found.data.insert(format!("{name}.csv.gz"), super::sha256(&path)?);
    }
    if markets.is_empty() {
        return Err(LabError::Nothing(format!("no bars of {:?} in the test split: name other markets", args.markets)));
    }
    let work = Work::begin(None, &(), "plays")?;
    work.expect(rules() + CRISES.len() + 1);
    found.breaker = breaker(&markets, args.seed, || work.skip());
    // the static default with soft deleveraging: what the templates of guards are like
    let contenders = standard();
    let defended = contenders.iter().find(|contender| contender.name() == "soft deleverage");
    let defended = defended.map_or(contenders[1].as_ref(), AsRef::as_ref);
    for crisis in CRISES.iter().filter(|crisis| crisis.peg == Peg::Unpegged) {
        match crisis.load(Some(&dir), CELL_SECS)? {
            Ok((paths, sha256)) => {
                found.data.insert(crisis.file.into(), sha256);
                found.outages.push(outages(crisis.name, &paths, defended, settings, VOLUMES, args.seed));
            }
            Err(reason) => found.skipped.push(format!("{}: {reason}", crisis.name)),
        }
        work.skip();
    }
    found.lies = lies(&defended.guard(), settings, VOLUMES, (args.seed, args.draws));
    work.finish();
    write_json(args.out.as_deref(), &found)?;
    if let Some(docs) = &args.docs {
        write_between(docs, (probe::BEGIN, probe::END), &found.to_string())?;
    }
    out.answer(&found, found.to_string().trim_end());
    Ok(())
}
