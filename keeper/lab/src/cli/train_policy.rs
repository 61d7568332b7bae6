//! `rampart lab train policy`: learns a policy, holds it against tuned rules, and says who drives.

use super::{DataArgs, LabError, Printer, VERSION, digest, write_json};
use crate::attack::{Grafts, Origin, Scenario, Split, suite};
use crate::backtest::{Market, RecordedSettings, scenarios};
use crate::data::{data_dir, load};
use crate::learn::standings::{Standings, Table};
use crate::learn::{
    Decider, LEAST_HALTED_BPS, Learned, Lspi, Record, Training, VOLUMES, best_within, default_guard, halt_budget,
    rules_grid, train,
};
use crate::policy::{tuned_grid, whole_guard};
use crate::pool::{GuardConfig, Settings};
use crate::whole;
use crate::work::Work;
use clap::Args;
use rampart_score::policy::{Action, Mode, POLICY_FORMAT, Policy, PolicyCard, PolicyFile, Rules, situation_schema_hex};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Length of a piece of a recorded market, steps of five minutes: 14 days, of which two warm up.
const PIECE: usize = 14 * 288;
/// Recorded markets until here are learned from, 2022-07-01 00:00 UTC.
const LEARN_UNTIL_TS: i64 = 1_656_633_600;
/// Those of these seconds choose among rules, rounds and seeds: 2022-07-08 to 2022-10-01, 00:00 UTC.
const SELECTION_TS: (i64, i64) = (1_657_238_400, 1_664_582_400);
/// First second of recorded tests, 2022-10-08 00:00 UTC.
const TEST_FROM_TS: i64 = 1_665_187_200;
/// First seed of the selection markets and of the test markets: no seed is used twice.
const SELECTION_SEED: u64 = 1_000;
const TEST_SEED: u64 = 5_000;
/// Settings under which sensitivity is shown, each for three sides.
const CASES: usize = 6;

/// How to train and test a policy.
#[derive(Clone, Debug, Args)]
pub struct PolicyArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Draws of each template and crisis to learn from
    #[arg(long, default_value_t = 3)]
    draws: u64,
    /// Draws of each template and crisis in the tests
    #[arg(long, default_value_t = 2)]
    test_draws: u64,
    /// Seeds of training
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Rounds of the constraints' multipliers
    #[arg(long, default_value_t = 4)]
    rounds: usize,
    /// Where the policy goes
    #[arg(long, value_name = "FILE", default_value = "artifacts/models/policy-v1.json")]
    out: PathBuf,
    /// Where to write the tables as JSON, for `rampart lab report`
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
}

/// Trains, tests, prints the tables and writes the file.
pub fn run(args: &PolicyArgs, out: Printer) -> Result<(), LabError> {
    let markets = learned_from(args, (Split::Train, 1, args.draws), (i64::MIN, LEARN_UNTIL_TS), out);
    let selection = learned_from(args, (Split::Train, SELECTION_SEED, 1), SELECTION_TS, out);
    let default = default_guard();
    let seen = digest(&markets);
    let key = json!(["train policy", VERSION, seen, digest(&selection), args.seeds, args.rounds]);
    let mut work = Work::begin(Some(&args.out), &key, "parts")?;
    let tests = tests(args, out);
    let (guards, grid) = (tuned_grid().len(), rules_grid().len());
    work.expect(1 + guards + grid + args.seeds as usize + 6 * tests.len() + 4 * CASES);
    let budget = work.part("halt budget", || halt_budget(&selection));
    work.told(|| {
        out.line(format_args!(
            "{} markets to learn from, {} to select on; halt budget {budget:.1} bps of the time",
            markets.len(),
            selection.len()
        ));
    });
    let (tuned, rules) = tune(&selection, budget, &mut work, out);
    let seeds = (1..=args.seeds).collect();
    let training =
        Training { lspi: Lspi::default(), explore: 0.15, seeds, halted_bps: budget, es95: 100.0, rounds: args.rounds };
    let told = Arc::new(move |line| out.line(line));
    let trained = train(&training, &rules, (&markets, &selection), &mut work, told)?;
    let deciders = deciders(default, tuned, rules, trained.policy.clone());
    let (mut metrics, mut drives, mut contests) = (BTreeMap::new(), true, Vec::new());
    for (name, tests) in tests {
        let records = records(name, &deciders, &tests, &mut work);
        let table = Table::of(name, &records);
        work.told(|| out.line(format_args!("\n{table}")));
        drives &= note(name, &records, &mut metrics);
        contests.push(table);
    }
    let sensitivity = sensitivity(args, &deciders, &mut work);
    let mode = if drives { Mode::Drives } else { Mode::Shadow };
    let card = card(args, &trained.by_seed, trained.transitions, seen, mode, metrics);
    let policy = Policy::from_file(file(card, &trained.policy))?;
    write(&args.out, &policy)?;
    let found = Standings {
        trained_by: policy.card().trained_by.clone(),
        policy_sha256: policy.hash().to_owned(),
        learned_from: [markets.len(), selection.len()],
        transitions: trained.transitions,
        seeds: trained.by_seed.len(),
        tried: [trained.tried, guards, grid],
        halt_budget_bps: budget,
        drives,
        contests,
        sensitivity,
    };
    write_json(args.results.as_deref(), &found)?;
    work.finish();
    let (version, hash) = (policy.card().version, policy.hash());
    let text =
        format!("{found}\nwrote {} version {version} with hash {hash} ({} actions)", args.out.display(), Action::COUNT);
    out.answer(&json!({ "file": args.out, "hash": hash, "card": policy.card(), "standings": found }), text);
    Ok(())
}

/// Plays all sides on the markets of a table, one part each.
fn records(table: &str, deciders: &[(&str, Decider)], tests: &[Market], work: &mut Work) -> Vec<Record> {
    let seen = digest(tests);
    let of = |(name, decider): &(&str, Decider)| {
        work.part(&format!("{table}: {name} on {seen}"), || Record::of(name, decider, tests))
    };
    deciders.iter().map(of).collect()
}

/// Recorded markets of a span, generated and grafted scenarios of a side of the split. Calm weeks belong to it: who learns from
/// attacks alone learns that there is always one. What needs recorded data is left out without, with a printed reason.
fn learned_from(
    args: &PolicyArgs,
    (split, first_seed, draws): (Split, u64, u64),
    span: (i64, i64),
    out: Printer,
) -> Vec<Market> {
    let grafted = grafted(args, split, first_seed, draws, out);
    let generated = suite(split, first_seed, draws).map(market);
    generated.chain(grafted).chain(recorded(args, span, split, out)).collect()
}

fn grafted(args: &PolicyArgs, split: Split, first_seed: u64, draws: u64, out: Printer) -> Vec<Market> {
    let read = data_dir(args.data.data.as_deref()).and_then(|dir| Grafts::read(&dir));
    let grafts = read.inspect_err(|error| out.line(format_args!("skipped grafted crises: {error}")));
    grafts.map_or_else(
        |_| Vec::new(),
        |grafts| grafts.suite(split, first_seed..first_seed + draws).filter_map(Result::ok).map(market).collect(),
    )
}

fn market(scenario: Scenario) -> Market {
    Market::new(scenario, Settings::default(), VOLUMES)
}

/// Recorded five-minute markets of a span, in pieces of two weeks.
fn recorded(args: &PolicyArgs, (from_ts, to_ts): (i64, i64), split: Split, out: Printer) -> Vec<Market> {
    let read = |dir: &Path| {
        let files = ["SOLUSDT_5m.csv.gz", "ETHUSDT_5m.csv.gz", "BTCUSDT_5m.csv.gz"];
        files.into_iter().map(|file| load(&dir.join(file))).collect::<Result<Vec<_>, _>>()
    };
    let series = data_dir(args.data.data.as_deref()).and_then(|dir| read(&dir));
    let Ok(series) = series.inspect_err(|error| out.line(format_args!("skipped recorded markets: {error}"))) else {
        return Vec::new();
    };
    let whole = series.iter().flat_map(|series| scenarios(series, from_ts, to_ts, split, &RecordedSettings::default()));
    let pieces = whole.flat_map(|scenario| {
        let cut: Vec<Scenario> = scenario.ticks.chunks_exact(PIECE).map(|ticks| piece(&scenario, ticks)).collect();
        cut
    });
    pieces.map(market).collect()
}

fn piece(whole: &Scenario, ticks: &[crate::attack::Tick]) -> Scenario {
    Scenario { ticks: ticks.to_vec(), drawn: Vec::new(), name: whole.name.clone(), ..*whole }
}

fn tests(args: &PolicyArgs, out: Printer) -> Vec<(&'static str, Vec<Market>)> {
    let synthetic = suite(Split::Test, TEST_SEED, args.test_draws).map(market).collect();
    let grafted = grafted(args, Split::Test, TEST_SEED, 4 * args.test_draws, out);
    let all = vec![
        (name_of(Origin::Recorded), recorded(args, (TEST_FROM_TS, i64::MAX), Split::Test, out)),
        (name_of(Origin::Grafted), grafted),
        (name_of(Origin::Synthetic), synthetic),
    ];
    all.into_iter().filter(|(_, markets)| !markets.is_empty()).collect()
}

fn name_of(origin: Origin) -> &'static str {
    match origin {
        Origin::Recorded => "recorded",
        Origin::Grafted => "grafted",
        Origin::Synthetic => "synthetic",
    }
}

/// Tunes the guard's own rules and the rules over the nine actions on the same markets, within the same halt budget.
fn tune(markets: &[Market], budget: f64, work: &mut Work, out: Printer) -> (Decider, Rules) {
    let guards: Vec<Decider> = tuned_grid().into_iter().map(|fixed| Decider::Guard(Box::new(fixed.guard))).collect();
    let mut all = |what: &str, deciders: &[Decider]| -> Vec<Record> {
        let of = |(at, decider)| work.part(&format!("tuning: {what} {at}"), || Record::of("", decider, markets));
        deciders.iter().enumerate().map(of).collect()
    };
    let records = all("guard", &guards);
    let guard = best_within(&records, budget).unwrap_or(0);
    let rules = rules_grid();
    let of_rules = all("rules", &rules.iter().copied().map(Decider::Rules).collect::<Vec<_>>());
    let best = best_within(&of_rules, budget).unwrap_or(0);
    work.told(|| {
        out.line(format_args!("tuned among {} guards and {} rules: {:?}", guards.len(), rules.len(), rules[best]));
    });
    (guards[guard].clone(), rules[best])
}

/// The contest's sides; the tuned rules are the ones to beat, the learned policy comes last.
fn deciders(default: Decider, tuned: Decider, rules: Rules, policy: Learned) -> Vec<(&'static str, Decider)> {
    vec![
        ("no guard", Decider::Guard(Box::new(GuardConfig::unguarded()))),
        ("static default", default),
        ("whole guard", Decider::Guard(Box::new(whole_guard()))),
        ("static tuned", tuned),
        ("rules tuned", Decider::Rules(rules)),
        ("learned", Decider::Learned(Box::new(policy))),
    ]
}

/// Writes the learned policy's and the rules' results into `metrics`; says whether the policy is surely better than the tuned rules
/// and the tuned guard, and holds up no more.
fn note(table: &str, records: &[Record], metrics: &mut BTreeMap<String, f64>) -> bool {
    let [.., fixed, rules, learned] = records else { return false };
    for (who, record) in [("rules", rules), ("learned", learned)] {
        for (what, value) in
            [("utility", record.utility()), ("bad_debt", record.bad_debt()), ("halted_bps", record.halted_bps())]
        {
            metrics.insert(format!("{table}.{who}.{what}"), value);
        }
    }
    let Some([lower, mean, upper]) = learned.gain(rules) else { return false };
    for (what, value) in [("lower", lower), ("mean", mean), ("upper", upper)] {
        metrics.insert(format!("{table}.gain.{what}"), value);
    }
    let is_above_guard = learned.gain(fixed).is_some_and(|[lower, ..]| lower > 0.0);
    lower > 0.0 && is_above_guard && learned.halted_bps() <= rules.halted_bps().max(LEAST_HALTED_BPS)
}

/// Plays the last four sides on synthetic tests with other people around the pool.
fn sensitivity(args: &PolicyArgs, deciders: &[(&str, Decider)], work: &mut Work) -> Vec<Table> {
    let base = Settings::default();
    let cases: [_; CASES] = [
        ("as above", base),
        ("volume share 5 %", Settings { market_share: 0.05, ..base }),
        ("volume share 20 %", Settings { market_share: 0.20, ..base }),
        ("impact Y = 0.5", Settings { impact: 0.5, ..base }),
        ("impact Y = 2", Settings { impact: 2.0, ..base }),
        ("latency 5 min", Settings { latency_secs: 300, ..base }),
    ];
    let of = |(name, settings): (&str, Settings)| {
        let scenarios = suite(Split::Test, TEST_SEED, args.test_draws.min(1));
        let markets: Vec<Market> = scenarios.map(|scenario| Market::new(scenario, settings, VOLUMES)).collect();
        Table::of(name, &records(name, &deciders[2..], &markets, work))
    };
    cases.into_iter().map(of).collect()
}

fn card(
    args: &PolicyArgs,
    by_seed: &[(u64, f64, f64)],
    transitions: u64,
    training_data_sha256: String,
    mode: Mode,
    mut metrics: BTreeMap<String, f64>,
) -> PolicyCard {
    metrics.extend(by_seed.iter().map(|(seed, utility, _)| (format!("selection.seed_{seed}.utility"), *utility)));
    PolicyCard {
        name: "pool-lspi".into(),
        version: 1,
        trained_by: format!(
            "rampart lab train policy --draws {} --test-draws {} --seeds {} --rounds {}",
            args.draws, args.test_draws, args.seeds, args.rounds
        ),
        training_data_sha256,
        situation_schema_sha256: situation_schema_hex(),
        discount: Lspi::default().discount,
        transitions,
        seeds: by_seed.iter().map(|(seed, ..)| *seed).collect(),
        mode,
        metrics,
        limits: vec![
            "learned from generated attacks and grafted crises, which are far denser in events than any market, and from \
             recorded weeks until 2022-07-01"
                .into(),
            "depth, flows and people are assumed; prices are one exchange's".into(),
            "a hedge moves a reserve of 3 % of the debt and counts at the true price".into(),
        ],
    }
}

fn file(card: PolicyCard, policy: &Learned) -> PolicyFile {
    let weights = policy.weights.iter().map(|row| row.to_vec()).collect();
    PolicyFile { format: POLICY_FORMAT, card, weights, hash: String::new() }
}

fn write(path: &Path, policy: &Policy) -> Result<(), LabError> {
    let fail = |source| LabError::PolicyFile { path: path.into(), source };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(fail)?;
    }
    whole::write(path, (policy.to_json() + "\n").as_bytes()).map_err(fail)
}
