//! A decider of `learn` as a contender: the same watcher, shield and controls as where it was learned.

use super::{Contender, Policy};
use crate::attack::{Scenario, Tick};
use crate::learn::{DECISION_SECS, Decider, Watcher, controls, guard, shield, state};
use crate::pool::{Controls, GuardConfig, Pool};
use rampart_score::policy::{Action, Shield};

/// Rules or a learned policy over the nine actions, behind the shield.
///
/// What a hedge earns or costs is no measure of a backtest: it moves nothing in the pool.
#[derive(Clone, Debug)]
pub struct Shielded {
    /// Name in tables.
    pub name: String,
    /// Who decides.
    pub decider: Decider,
}

struct Deciding {
    decider: Decider,
    watcher: Watcher,
    shield: Shield,
    due_ts: i64,
}

impl Policy for Deciding {
    fn decide(&mut self, tick: &Tick, pool: &Pool) -> Option<Controls> {
        self.watcher.push(tick, pool);
        if !self.watcher.is_warm() || tick.ts < self.due_ts {
            return None;
        }
        self.due_ts = tick.ts + DECISION_SECS;
        self.watcher.judge(tick, pool);
        let state = state((&self.watcher, &self.shield, tick.ts));
        let chosen = self.decider.choose((&self.watcher, &self.shield, tick.ts), &state);
        let action = *Action::ALL.get(chosen)?;
        // what the shield refuses is left undone, and the stance stays
        let is_done = self.shield.act(action, self.watcher.is_calm(), tick.ts).is_ok();
        Some(controls(self.shield.stance(), pool, is_done && action == Action::Halt, tick.ts))
    }
}

impl Contender for Shielded {
    fn name(&self) -> &str {
        &self.name
    }

    fn guard(&self) -> GuardConfig {
        guard()
    }

    fn start(&self, _: &Scenario) -> Box<dyn Policy> {
        let shield = shield(guard().risk.ltv_bps);
        Box::new(Deciding { decider: self.decider.clone(), watcher: Watcher::default(), shield, due_ts: i64::MIN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::{Split, generate, template};
    use crate::backtest::{Market, play};
    use crate::learn::VOLUMES;
    use crate::pool::Settings;
    use rampart_score::policy::Rules;

    #[test]
    fn contender_loses_what_the_same_decider_lost_where_it_is_learned() {
        let decider = Decider::Rules(Rules::default());
        let contender = Shielded { name: "rules".into(), decider: decider.clone() };
        let mut lost_any = false;
        for seed in 1..=3 {
            let scenario = generate(&template("correlated-crash").unwrap(), Split::Test, seed).unwrap();
            let market = Market::new(scenario, Settings::default(), VOLUMES);
            let learned = decider.play(&market);
            let played = play(&contender, &market, market.scenario.seed);
            let bps = 1e8 / (market.settings.target_debt * f64::from(contender.guard().risk.ltv_bps));
            let lost = played.totals.bad_debt * bps;
            // a play of the learner's counts from its first decision to its last, and no further
            assert!((lost - learned.bad_debt).abs() < 2e-3 * (1.0 + lost), "seed {seed}: {lost} {}", learned.bad_debt);
            lost_any |= lost > 1.0;
        }
        assert!(lost_any, "one of the draws loses something");
    }
}
