//! A keeper that is down at the worst moment of a recorded crisis.

use crate::attack::{Keeper, Scenario};
use crate::backtest::{Market, play};
use crate::policy::Contender;
use crate::pool::Settings;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How long it is down, seconds.
const DOWN_SECS: i64 = 4 * 3_600;
/// When the time without it begins, seconds before the deepest price: each is tried.
const BEGINS: [i64; 5] = [24 * 3_600, 12 * 3_600, 6 * 3_600, DOWN_SECS, 2 * 3_600];

/// What one crisis costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// The crisis.
    pub name: String,
    /// Bad debt with a keeper and without, bps of the debt at the start.
    pub bad_debt_bps: [f64; 2],
    /// What liquidations and deleveraging cost owners with a keeper and without, bps of the same.
    pub cost_bps: [f64; 2],
}

/// Plays a crisis with a keeper, and with one that is down at the worst of the times that are tried.
pub fn outages(
    name: &str,
    scenarios: &[Scenario],
    guard: &dyn Contender,
    settings: Settings,
    volumes: f64,
    seed: u64,
) -> Outage {
    let mut sum = Outage { name: name.into(), bad_debt_bps: [0.0; 2], cost_bps: [0.0; 2] };
    for scenario in scenarios {
        let of = |scenario: Scenario| {
            let market = Market::new(scenario, settings, volumes);
            let (debt, totals) = (market.settings.target_debt.max(1.0), play(guard, &market, seed).totals);
            [totals.bad_debt, totals.forced_cost + totals.soft_cost].map(|amount| amount / debt * 1e4)
        };
        let alive = of(scenario.clone());
        let tried = BEGINS.iter().map(|begin| of(without_keeper(scenario, *begin)));
        let worst = tried.max_by(|a, b| a.iter().sum::<f64>().total_cmp(&b.iter().sum())).unwrap_or(alive);
        for (at, [bad, cost]) in [alive, worst].into_iter().enumerate() {
            sum.bad_debt_bps[at] += bad;
            sum.cost_bps[at] += cost;
        }
    }
    sum
}

/// Returns the path with the keeper down for four hours, from `begin` seconds before its deepest price on.
fn without_keeper(scenario: &Scenario, begin: i64) -> Scenario {
    let deepest = scenario.ticks.iter().min_by(|a, b| a.truth.total_cmp(&b.truth)).map_or(0, |tick| tick.ts);
    let down = deepest - begin..deepest - begin + DOWN_SECS;
    let mut cut = scenario.clone();
    cut.ticks.iter_mut().filter(|tick| down.contains(&tick.ts)).for_each(|tick| tick.keeper = Keeper::Down);
    cut
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([bad, bad_without], [cost, cost_without]) = (self.bad_debt_bps, self.cost_bps);
        write!(f, "| {} | {bad:.1} | {bad_without:.1} | {cost:.1} | {cost_without:.1} |", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::{Split, suite};

    #[test]
    fn keeper_is_down_for_four_hours_and_nothing_else_differs() {
        let scenario = suite(Split::Test, 1, 1).find(|scenario| scenario.name == "flash-crash").unwrap();
        let cut = without_keeper(&scenario, DOWN_SECS);
        let down = cut.ticks.iter().filter(|tick| tick.keeper == Keeper::Down).count() as i64;
        assert_eq!(down * i64::from(scenario.step_secs), DOWN_SECS);
        let mut back = cut;
        back.ticks.iter_mut().for_each(|tick| tick.keeper = Keeper::Honest);
        let mut before = scenario;
        before.ticks.iter_mut().for_each(|tick| tick.keeper = Keeper::Honest);
        assert_eq!(back.ticks, before.ticks);
    }
}
