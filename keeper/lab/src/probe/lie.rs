//! What an attacker gets out of a pool whose oracles follow a venue that can be moved.

use crate::attack::{Scenario, Split, generate, templates};
use crate::backtest::{Market, play};
use crate::policy::Fixed;
use crate::pool::{GuardConfig, Settings};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The borrow cap, as a multiple of what borrowers want.
const CAP: f64 = 1.05;

/// What one kind of attack came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lie {
    /// The template.
    pub name: String,
    /// Draws in which the attacker borrows.
    pub draws: u64,
    /// Most that the attacker borrowed without and with the guard, a share of the deposits.
    pub worst: [f64; 2],
    /// The least that the cap left room for when the attack began, the same.
    pub least_bound: f64,
    /// Draws in which the attacker got more than that room.
    pub above: u64,
}

/// Draws every template of the test split in which somebody borrows against a lie, `draws` times from `seed` on.
pub fn lies(guard: &GuardConfig, settings: Settings, volumes: f64, (seed, draws): (u64, u64)) -> Vec<Lie> {
    let of = |name: &str, scenarios: Vec<Scenario>| {
        let mut lie = Lie { name: name.into(), draws: 0, worst: [0.0; 2], least_bound: f64::INFINITY, above: 0 };
        scenarios.into_iter().for_each(|scenario| lie.add(guard, Market::new(scenario, settings, volumes), seed));
        lie
    };
    let held = templates().into_iter().filter(|template| template.is_for(Split::Test));
    let all = held.map(|template| {
        let drawn = (seed..seed + draws).filter_map(|seed| generate(&template, Split::Test, seed).ok());
        of(template.name, drawn.filter(|scenario| scenario.ticks.iter().any(|tick| tick.attack_borrow > 0.0)).collect())
    });
    all.filter(|lie| lie.draws > 0).collect()
}

impl Lie {
    fn add(&mut self, guard: &GuardConfig, market: Market, seed: u64) {
        let (deposits, cap) = (market.settings.deposits.max(1.0), market.settings.target_debt * CAP);
        let first = market.scenario.ticks.iter().position(|tick| tick.attack_borrow > 0.0).unwrap_or(0);
        let unguarded = guard.without_defences();
        let capped = GuardConfig { borrow_cap: cap, ..guard.clone() };
        let mut bound = 0.0;
        for (at, guard) in [unguarded, capped].into_iter().enumerate() {
            let played = play(&Fixed { name: "lie".into(), guard }, &market, seed);
            let taken = played.totals.attacked / deposits;
            self.worst[at] = self.worst[at].max(taken);
            if at == 1 {
                // what owners repay while it goes on makes room, too
                let from = played.steps[first.saturating_sub(1)..].iter();
                let least = from.map(|step| step.debt).fold(f64::INFINITY, f64::min);
                bound = (cap - least).max(0.0) / deposits;
                self.above += u64::from(taken > bound + 1e-9);
            }
        }
        self.least_bound = self.least_bound.min(bound);
        self.draws += 1;
    }
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [without, with] = self.worst.map(|share| share * 100.0);
        let bound = self.least_bound * 100.0;
        write!(f, "| {} | {} | {without:.2} % | {with:.2} % | {bound:.2} % | {} |", self.name, self.draws, self.above)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lie_of_one_venue_takes_nothing_and_forged_collateral_less_where_a_cap_is() {
        let found = lies(&GuardConfig::unguarded(), Settings::default(), 300.0, (1, 2));
        let of = |name: &str| found.iter().find(|lie| lie.name == name).expect("somebody borrows in it");
        let (pump, forged) = (of("pump"), of("kelp-rseth-2026"));
        assert_eq!((pump.worst, pump.above, pump.draws), ([0.0; 2], 0, 2), "two sources don't agree on it");
        assert!(forged.worst[0] > forged.worst[1] && forged.worst[1] > 0.0, "{forged:?}");
        assert!(forged.least_bound > 0.0 && forged.least_bound < 1.0, "{forged:?}");
    }
}
