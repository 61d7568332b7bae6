//! Targets of halts, of bad debt on recorded markets, and of the hedge.

use super::{Target, outcome};
use crate::backtest::{Interval, Outcome, Report as Backtest};
use crate::hedge::{Method, Study};
use crate::probe::Point;

const DEFAULT: &str = "static default";
const TUNED: &str = "static tuned";

fn told(interval: Option<Interval>, unit: f64) -> String {
    let of = |Interval { mean, low, high }: Interval| {
        format!("{:.0} ({:.0} to {:.0})", mean * unit, low * unit, high * unit)
    };
    interval.map_or_else(|| "-".into(), of)
}

fn mean(interval: Option<Interval>) -> f64 {
    interval.map_or(0.0, |interval| interval.mean)
}

fn rule(point: &Point) -> String {
    format!("{:.0} % in {} h", point.threshold_bps as f64 / 100.0, point.window_secs / 3_600)
}

/// The rule of a halt that meets most at 35 trips a year, and the most precise one among those that meet nine falls in ten.
pub(super) fn breaker(points: &[Point]) -> Vec<Target> {
    let rare = points.iter().filter(|point| mean(point.trips_year) <= 35.0);
    let best = rare.max_by(|a, b| mean(a.met).total_cmp(&mean(b.met)).then(mean(a.ahead).total_cmp(&mean(b.ahead))));
    let wide = points.iter().filter(|point| mean(point.met) >= 0.9);
    let precise = wide.max_by(|a, b| mean(a.right).total_cmp(&mean(b.right)));
    let (Some(best), Some(precise)) = (best, precise) else { return Vec::new() };
    let beside =
        |point: &Point| format!("{}: {} %, {:.0} trips", rule(point), told(point.met, 100.0), mean(point.trips_year));
    vec![
        Target {
            measure: "falls of 12 % in 4 h that a halt by drawdown meets before they are that deep",
            aimed: "95 % at no more than 35 trips a market and year",
            came: format!(
                "{}: {} % of {} at {:.0} trips",
                rule(best),
                told(best.met, 100.0),
                best.falls,
                mean(best.trips_year)
            ),
            beside: beside(precise),
            is_kept: mean(best.met) >= 0.95,
        },
        Target {
            measure: "of the fall still ahead at that trip, median",
            aimed: "55 %",
            came: format!("{} %", told(best.ahead, 100.0)),
            beside: format!("{}: {} %", rule(precise), told(precise.ahead, 100.0)),
            is_kept: mean(best.ahead) >= 0.55,
        },
        Target {
            measure: "halts followed by a fall of 5 % in 4 h, of the rules that meet 90 %",
            aimed: "40 %",
            came: format!("{}: {} %", rule(precise), told(precise.right, 100.0)),
            beside: format!("{}: {} %", rule(best), told(best.right, 100.0)),
            is_kept: mean(precise.right) >= 0.40,
        },
    ]
}

/// Returns by how much less bad debt a policy has than another, percent.
fn less(outcome: &Outcome, than: &Outcome) -> f64 {
    let other = than.metrics.bad_debt_bps_year;
    if other > 0.0 { 100.0 * (1.0 - outcome.metrics.bad_debt_bps_year / other) } else { 0.0 }
}

pub(super) fn recorded(report: &Backtest) -> Vec<Target> {
    let (Some(default), Some(tuned)) = (outcome(report, DEFAULT), outcome(report, TUNED)) else { return Vec::new() };
    // what owns up to the debt of the default, isn't learned out of the market and doesn't know the future
    let is_fair = |one: &&Outcome| {
        one.metrics.average_debt >= 0.95 * default.metrics.average_debt && !one.name.starts_with("clairvoyant")
    };
    let fair: Vec<&Outcome> = report.outcomes.iter().filter(is_fair).collect();
    // the chain has no rule like the lab's own formula
    let on_chain = fair.iter().filter(|one| !one.name.contains("lab's"));
    let best = on_chain.max_by(|a, b| less(a, default).total_cmp(&less(b, default)));
    let mut all: Vec<Target> = best.map(|best| bad_debt(best, default, tuned)).into_iter().collect();
    all.extend([late(default), false_halts(default), held(report), warned(&fair), offered(report)]);
    all
}

fn bad_debt(best: &Outcome, default: &Outcome, tuned: &Outcome) -> Target {
    let (of_default, of_tuned) = (less(best, default), less(best, tuned));
    let Interval { mean, low, high } = best.gain;
    Target {
        measure: "bad debt on recorded markets, against the static default / tuned, at 95 % of the default's debt",
        aimed: "-90 % / -50 %",
        came: format!(
            "{}: -{of_default:.0} % / -{of_tuned:.0} %; {mean:.1} ({low:.1} to {high:.1}) bps a year less than tuned",
            best.name
        ),
        beside: format!("{:.1} / {:.1} bps a year", default.metrics.bad_debt_bps_year, tuned.metrics.bad_debt_bps_year),
        is_kept: of_default >= 90.0 && of_tuned >= 50.0,
    }
}

fn late(default: &Outcome) -> Target {
    let m = &default.metrics;
    Target {
        measure: "of the fall still ahead at the first halt of the static default, median",
        aimed: "55 %",
        came: format!("{:.0} %", 100.0 * m.fall_ahead),
        beside: format!("{:.0} % of {} falls with anything tightened before", 100.0 * m.warned_share, m.events),
        is_kept: m.fall_ahead >= 0.55,
    }
}

fn false_halts(default: &Outcome) -> Target {
    let m = &default.metrics;
    Target {
        measure: "false halts in a market's month, static default",
        aimed: "at most 1.0",
        came: format!("{:.2}", m.false_halts_month),
        beside: format!("{} halts in all, {} false", m.halts, m.false_halts),
        is_kept: m.false_halts_month <= 1.0,
    }
}

fn held(report: &Backtest) -> Target {
    let worst = report.outcomes.iter().map(|one| one.metrics.halted_bps).fold(0.0, f64::max);
    Target {
        measure: "time held up on recorded markets, any policy",
        aimed: "at most 0.5 %",
        came: format!("{:.2} %", worst / 100.0),
        beside: "-".into(),
        is_kept: worst <= 50.0,
    }
}

fn warned(fair: &[&Outcome]) -> Target {
    let is_early = |one: &&&Outcome| one.metrics.warned_share >= 0.7 && one.metrics.lead_secs >= 1_800.0;
    let said = |one: &Outcome| {
        format!("{}: {:.0} %, {:.0} min", one.name, 100.0 * one.metrics.warned_share, one.metrics.lead_secs / 60.0)
    };
    // soft deleveraging works at its line all the time: its lead says little
    let by_limit: Vec<&&Outcome> =
        fair.iter().filter(|one| one.name.contains("LTV") && !one.name.contains("soft")).collect();
    let early: Vec<String> = by_limit.iter().copied().filter(is_early).copied().map(said).collect();
    let late: Vec<String> = by_limit.iter().copied().filter(|one| !is_early(one)).copied().map(said).collect();
    Target {
        measure: "falls with the limit for new risk tightened before; median lead",
        aimed: "70 % of falls, 30 min",
        is_kept: !early.is_empty(),
        came: if early.is_empty() { "none".into() } else { early.join("; ") },
        beside: if late.is_empty() { "-".into() } else { late.join("; ") },
    }
}

fn offered(report: &Backtest) -> Target {
    let share = |one: &Outcome| 100.0 * one.metrics.capital_efficiency;
    let said = |one: &&Outcome| format!("{} {:.1} %", one.name, share(one));
    let is_steered = |one: &&Outcome| ["LTV", "tuned", "whole", "learned"].iter().any(|name| one.name.contains(name));
    let steered = report.outcomes.iter().filter(is_steered);
    let (enough, short): (Vec<&Outcome>, Vec<&Outcome>) = steered.partition(|one| share(one) >= 97.0);
    let list = |all: &[&Outcome]| {
        let all: Vec<String> = all.iter().map(said).collect();
        if all.is_empty() { "-".to_owned() } else { all.join("; ") }
    };
    Target {
        measure: "loan-to-value offered, of the static one",
        aimed: "97 %",
        came: list(&enough),
        beside: list(&short),
        is_kept: !enough.is_empty(),
    }
}

pub(super) fn hedge(study: &Study) -> Vec<Target> {
    let of = |pair: &crate::hedge::PairResult| {
        let one = pair.outcomes.iter().find(|one| one.method == Method::ALL[0])?;
        let cut = &one.day_cut;
        let said = format!(
            "{}: {:.0} % ({:.0} to {:.0}), {:.0} bps",
            pair.name.replace("_1h", "").replace("USDT", ""),
            100.0 * cut.value,
            100.0 * cut.low,
            100.0 * cut.high,
            one.cost_bps_year
        );
        Some((said, cut.value >= 0.33 && one.cost_bps_year <= 75.0))
    };
    let (good, poor): (Vec<_>, Vec<_>) = study.pairs.iter().filter_map(of).partition(|(_, is_kept)| *is_kept);
    if good.is_empty() && poor.is_empty() {
        return Vec::new();
    }
    let list = |all: &[(String, bool)]| {
        let all: Vec<&str> = all.iter().map(|(said, _)| said.as_str()).collect();
        if all.is_empty() { "none".to_owned() } else { all.join("; ") }
    };
    vec![Target {
        measure: "hedging one asset by another (EWMA): cut of the worst 1 % of days; cost of trades a year",
        aimed: "33 % for 75 bps, every pair",
        came: list(&good),
        beside: format!("short of it: {}", list(&poor)),
        is_kept: poor.is_empty(),
    }]
}
