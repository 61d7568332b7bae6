//! `rampart lab backtest`: policies side by side, as a table and as JSON.

use super::{DataArgs, LabError, Printer, VERSION, digest, write_json};
use crate::attack::{Scenario, Split, suite};
use crate::backtest::{Market, RecordedSettings, Report, compare, measure, scenarios, tune};
use crate::data::{load, sha256_hex};
use crate::learn::Decider;
use crate::policy::{Contender, Shielded, standard, tuned_grid};
use crate::pool::Settings;
use crate::time::start_of_day;
use crate::work::Work;
use clap::{Args, ValueEnum};
use rampart_score::policy::Policy;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The policy that the repository ships.
const SHIPPED: &str = include_str!("../../../../artifacts/models/policy-v1.json");

/// What a backtest is made on.
#[derive(Clone, Debug, Args)]
pub struct BacktestArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Recorded or generated markets
    #[arg(long, value_enum, default_value = "recorded")]
    on: On,
    /// Markets to play, by the name of their files
    #[arg(long, value_delimiter = ',', default_value = "SOLUSDT_5m,ETHUSDT_5m,BTCUSDT_5m")]
    markets: Vec<String>,
    /// Split that results are of; rules are always tuned on the training one
    #[arg(long, value_enum, default_value = "test")]
    split: Split,
    /// Debt that borrowers want, in median volumes of five minutes
    #[arg(long, default_value_t = 300.0)]
    volumes: f64,
    /// Share of the volume that liquidators can sell into
    #[arg(long, default_value_t = 0.10)]
    market_share: f64,
    /// Y of the square-root impact
    #[arg(long, default_value_t = 1.0)]
    impact: f64,
    /// Seconds from a proof to its effect
    #[arg(long, default_value_t = 5)]
    latency: u32,
    /// Time that users may be held up, bps of all time: the tuned rules keep to it
    #[arg(long, default_value_t = 50.0)]
    halt_budget: f64,
    /// Draws of each template, for generated markets
    #[arg(long, default_value_t = 4)]
    draws: u64,
    /// Seed of every draw
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Learned policy that plays along, behind its shield [default: the one that ships]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Where to write the results as JSON
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Where markets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum On {
    /// Recorded candles
    Recorded,
    /// Templates of attacks
    Generated,
}

/// Ends of the split for all recorded markets, with a week left out between them: [from, to) in days.
const TRAIN_UNTIL: (i32, u32, u32) = (2022, 10, 1);
const TEST_FROM: (i32, u32, u32) = (2022, 10, 8);

/// Returns the span of a split, unix seconds.
pub(crate) fn span(split: Split) -> (i64, i64) {
    let day = |(year, month, day)| start_of_day(year, month, day).unwrap_or(0);
    match split {
        Split::Train => (i64::MIN, day(TRAIN_UNTIL)),
        Split::Test => (day(TEST_FROM), i64::MAX),
    }
}

impl BacktestArgs {
    fn settings(&self) -> Settings {
        Settings {
            market_share: self.market_share,
            impact: self.impact,
            latency_secs: self.latency,
            ..Settings::default()
        }
    }

    /// Reads the learned policy.
    fn learned(&self) -> Result<Shielded, LabError> {
        let text = match &self.policy {
            Some(path) => {
                let read = std::fs::read_to_string(path);
                read.map_err(|source| LabError::PolicyFile { path: path.clone(), source })?
            }
            None => SHIPPED.to_owned(),
        };
        let policy = Policy::from_json(&text)?;
        let name = format!("learned (version {})", policy.card().version);
        Ok(Shielded { name, decider: Decider::Learned(Box::new((&policy).into())) })
    }

    fn markets(&self, split: Split) -> Result<Vec<Market>, LabError> {
        let found = match self.on {
            On::Recorded => self.recorded(split)?,
            On::Generated => suite(split, self.seed, self.draws).collect(),
        };
        if found.is_empty() {
            return Err(LabError::Nothing(format!(
                "no bars of {:?} in the {split:?} split: name other markets",
                self.markets
            )));
        }
        let settings = self.settings();
        Ok(found.into_iter().map(|scenario| Market::new(scenario, settings, self.volumes)).collect())
    }

    /// Returns what the parts of this backtest hang on.
    fn key(&self, markets: &[Market], training: &[Market], learned: &Shielded) -> Value {
        let people = format!("{:?} {}", self.settings(), self.volumes);
        let policy = sha256_hex(format!("{learned:?}").as_bytes());
        json!(["backtest", VERSION, digest(markets), digest(training), people, self.halt_budget, self.seed, policy])
    }

    fn recorded(&self, split: Split) -> Result<Vec<Scenario>, LabError> {
        let (dir, (from_ts, to_ts)) = (self.data.dir()?, span(split));
        let mut found = Vec::new();
        for name in &self.markets {
            let series = load(&dir.join(format!("{name}.csv.gz")))?;
            found.extend(scenarios(&series, from_ts, to_ts, split, &RecordedSettings::default()));
        }
        Ok(found)
    }
}

/// Runs the command.
pub fn run(args: &BacktestArgs, out: Printer) -> Result<(), LabError> {
    let markets = args.markets(args.split)?;
    let training = args.markets(Split::Train)?;
    let learned = args.learned()?;
    let mut work = Work::begin(args.out.as_deref(), &args.key(&markets, &training, &learned), "plays of all markets")?;
    let report = backtest(args, (&markets, &training), learned, &mut work);
    write_json(args.out.as_deref(), &report)?;
    work.finish();
    out.answer(&report, &report);
    Ok(())
}

fn backtest(
    args: &BacktestArgs,
    (markets, training): (&[Market], &[Market]),
    learned: Shielded,
    work: &mut Work,
) -> Report {
    let (mut contenders, grid) = (standard(), tuned_grid());
    // the static default's debt; the tuned one and the learned one play beside the others
    work.expect(1 + grid.len() + contenders.len() + 2);
    let mut tried = |name: &str, contender: &dyn Contender| {
        work.part(&format!("tuning: {name}"), || measure(contender, training, args.seed))
    };
    let debt = tried("debt of the static default", contenders[1].as_ref()).average_debt;
    let (tuned, tried) = tune(&grid, args.halt_budget, debt, |fixed| tried(fixed.name(), fixed));
    contenders.insert(2, Box::new(tuned));
    // before the clairvoyant, which is a bound
    contenders.insert(contenders.len() - 1, Box::new(learned));
    let all: Vec<&dyn Contender> = contenders.iter().map(AsRef::as_ref).collect();
    let title = format!(
        "{:?} markets, {:?} split, {} played, pools of {} volumes",
        args.on,
        args.split,
        markets.len(),
        args.volumes
    );
    let report = compare(&title, &all, markets, 2, args.seed, work);
    Report { tried, is_generated: args.on == On::Generated, ..report }
}
