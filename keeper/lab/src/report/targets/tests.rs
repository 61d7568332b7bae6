use super::*;
use crate::backtest::{Interval, Metrics, Outcome};
use crate::learn::Standings;
use crate::learn::standings::{Side, Table as Contest};
use crate::probe::{Lie, Outage, Point, Probe};

fn interval(mean: f64) -> Interval {
    Interval { mean, low: mean * 0.5, high: mean * 1.5 }
}

fn point(threshold_bps: u64, trips_year: f64, met: f64, right: f64) -> Point {
    let share = |value| Some(interval(value));
    let (trips_year, met, right, ahead) = (share(trips_year), share(met), share(right), share(0.6));
    Point { threshold_bps, window_secs: 3_600, trips: 1, falls: 14, trips_year, met, right, ahead, held: None }
}

fn outcome(name: &str, bad_debt_bps_year: f64, average_debt: f64) -> Outcome {
    let metrics = Metrics {
        bad_debt_bps_year,
        average_debt,
        capital_efficiency: 0.98,
        warned_share: 1.0,
        lead_secs: 7_200.0,
        ..Metrics::default()
    };
    Outcome { name: name.into(), metrics, gain: interval(1.0) }
}

fn backtest() -> Backtest {
    let outcomes = vec![
        outcome("no guard", 2.0, 100.0),
        outcome("static default", 2.0, 100.0),
        outcome("static tuned (7250)", 1.0, 97.0),
        outcome("LTV by the keepers' median + soft", 0.1, 98.0),
        outcome("learned (version 1)", 0.0, 40.0),
        outcome("clairvoyant (4 h)", 0.0, 99.0),
    ];
    Backtest {
        title: "t".into(),
        is_generated: false,
        reference: "static tuned".into(),
        seed: 1,
        outcomes,
        tried: Vec::new(),
    }
}

fn target<'a>(all: &'a [Target], measure: &str) -> &'a Target {
    all.iter().find(|target| target.measure.starts_with(measure)).unwrap_or_else(|| panic!("{measure}: {all:?}"))
}

#[test]
fn rule_that_meets_too_few_falls_or_trips_too_often_misses() {
    let probe = Probe { breaker: vec![point(300, 100.0, 0.95, 0.2), point(500, 30.0, 0.8, 0.3)], ..Probe::default() };
    let all = targets(&[Found::Probe(probe.clone())]);
    let met = target(&all, "falls of 12 %");
    assert_eq!((met.came.as_str(), met.is_kept), ("5 % in 1 h: 80 (40 to 120) % of 14 at 30 trips", false));
    let better = Probe { breaker: vec![point(300, 34.0, 0.95, 0.5)], ..probe };
    let all = targets(&[Found::Probe(better)]);
    assert!(all.iter().all(|target| target.is_kept), "{all:?}");
}

#[test]
fn bad_debt_is_that_of_a_policy_with_the_debt_of_the_default_and_no_sight_of_the_future() {
    let all = targets(&[Found::Backtest(backtest())]);
    let bad = target(&all, "bad debt on recorded");
    assert!(bad.came.starts_with("LTV by the keepers' median + soft: -95 % / -90 %; 1.0 (0.5 to 1.5)"), "{bad:?}");
    assert!(bad.is_kept);
    let generated = Backtest { is_generated: true, ..backtest() };
    assert_eq!(targets(&[Found::Backtest(generated)]), [], "attacks are no recorded market");
}

#[test]
fn attacks_miss_where_one_lie_or_one_tail_is_above_its_bound() {
    let side =
        |name: &str, es95| Side { name: name.into(), utility: 0.0, bad_debt: 0.0, es95, halted_bps: 0.0, gain: None };
    let contest = |best| Contest {
        markets: "synthetic".into(),
        count: 1,
        sides: vec![side("no guard", 200.0), side("rules", best)],
    };
    let standings = |best| Standings {
        trained_by: String::new(),
        policy_sha256: String::new(),
        learned_from: [1, 1],
        transitions: 0,
        seeds: 1,
        tried: [0; 3],
        halt_budget_bps: 50.0,
        drives: false,
        contests: vec![contest(best)],
        sensitivity: Vec::new(),
    };
    let lie = |above| Lie { name: "pump".into(), draws: 20, worst: [0.4, 0.3], least_bound: 0.26, above };
    let outage = |without| Outage { name: "covid".into(), bad_debt_bps: [100.0, without], cost_bps: [0.0; 2] };
    let probe = |above, without| Probe { lies: vec![lie(above)], outages: vec![outage(without)], ..Probe::default() };
    let poor = targets(&[Found::Policy(standings(80.0)), Found::Probe(probe(6, 130.0))]);
    let said: Vec<(&str, bool)> = poor.iter().map(|target| (target.came.as_str(), target.is_kept)).collect();
    assert_eq!(said, [("synthetic: rules 40 %", false), ("above it in 6 of 20 draws", false), ("covid +30 %", false)]);
    let good = targets(&[Found::Policy(standings(20.0)), Found::Probe(probe(0, 125.0))]);
    assert!(good.iter().all(|target| target.is_kept), "{good:?}");
}

#[test]
fn table_says_which_results_it_lacks() {
    let text = markdown(&[Found::Backtest(backtest())]);
    assert!(text.contains("Not given: the result of evaluate, probe, train policy, hedge."), "{text}");
    assert!(text.contains("| bad debt on recorded markets") && table(&[]).is_none());
}
