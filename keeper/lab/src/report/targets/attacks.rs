//! Targets under attack: tails of bad debt, what a lie takes, what a keeper's absence costs.

use super::Target;
use crate::learn::Standings;
use crate::learn::standings::{Side, Table};
use crate::probe::Probe;

/// Bad debt of the worst twentieth of generated and grafted attacks, as a share of what it is without a guard.
pub(super) fn tails(standings: &Standings) -> Option<Target> {
    let attacks: Vec<&Table> = standings.contests.iter().filter(|table| table.markets != "recorded").collect();
    let bare: Vec<(&Table, f64)> = attacks
        .iter()
        .filter_map(|table| Some((*table, table.sides.first()?.es95)))
        .filter(|(_, es95)| *es95 > 0.0)
        .collect();
    let share = |side: &Side, bare: f64| 100.0 * side.es95 / bare;
    let best = |(table, bare): &(&Table, f64)| {
        let best = table.sides[1..].iter().min_by(|a, b| a.es95.total_cmp(&b.es95))?;
        Some((format!("{}: {} {:.0} %", table.markets, best.name, share(best, *bare)), share(best, *bare)))
    };
    let others = |(table, bare): &(&Table, f64)| {
        let all = table.sides[1..].iter().map(|side| format!("{} {:.0}", side.name, share(side, *bare)));
        format!("{}: {}", table.markets, all.collect::<Vec<_>>().join(", "))
    };
    let came: Vec<(String, f64)> = bare.iter().filter_map(best).collect();
    (!came.is_empty()).then(|| Target {
        measure: "worst twentieth of bad debt under attack, share of unguarded",
        aimed: "10 %",
        came: came.iter().map(|(said, _)| said.as_str()).collect::<Vec<_>>().join("; "),
        beside: bare.iter().map(others).collect::<Vec<_>>().join("; "),
        is_kept: came.iter().all(|(_, share)| *share <= 10.0),
    })
}

pub(super) fn probed(probe: &Probe) -> Vec<Target> {
    let mut all = Vec::new();
    let (above, draws): (u64, u64) =
        probe.lies.iter().fold((0, 0), |(above, draws), lie| (above + lie.above, draws + lie.draws));
    if draws > 0 {
        let each = probe
            .lies
            .iter()
            .map(|lie| format!("{}: {:.1} %, {} of {} above", lie.name, 100.0 * lie.worst[1], lie.above, lie.draws));
        all.push(Target {
            measure: "what an oracle that lies takes, share of the deposits, against the cap's bound",
            aimed: "never above it",
            came: format!("above it in {above} of {draws} draws"),
            beside: each.collect::<Vec<_>>().join("; "),
            is_kept: above == 0,
        });
    }
    let more = |[with, without]: [f64; 2]| if with > 0.0 { 100.0 * (without / with - 1.0) } else { 0.0 };
    let mut costs: Vec<(f64, &str)> =
        probe.outages.iter().map(|outage| (more(outage.bad_debt_bps), outage.name.as_str())).collect();
    costs.sort_by(|a, b| b.0.total_cmp(&a.0));
    if let Some((most, name)) = costs.first() {
        let others = costs[1..].iter().map(|(more, name)| format!("{name} {more:+.0} %"));
        all.push(Target {
            measure: "bad debt of four hours without a keeper, against with one, recorded crises",
            aimed: "at most +25 %",
            came: format!("{name} {most:+.0} %"),
            beside: others.collect::<Vec<_>>().join("; "),
            // a crisis without bad debt with a keeper has none without one, or is above any share
            is_kept: *most <= 25.0 && probe.outages.iter().all(|o| o.bad_debt_bps[0] > 0.0 || o.bad_debt_bps[1] <= 0.0),
        });
    }
    all
}
