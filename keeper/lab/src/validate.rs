//! The gate for configurations: what governance runs before it changes a threshold.
//!
//! Owns the file that a configuration is written in (`config`), the recorded crises it has to survive (`crises`), and the verdict with
//! its hash (`report`). Played on the same pool as everything else; attacks come from `attack`, in the split that nothing is tuned on.

mod config;
mod crises;
mod report;

pub use config::{Config, ConfigError, EXAMPLE, Guarded, Require, text_of};
pub use crises::{CRISES, Crisis};
pub use report::{Case, Verdict, canonical_hash};

use crate::attack::{Scenario, Split, suite};
use crate::backtest::{Market, play};
use crate::policy::Fixed;
use crate::pool::GuardConfig;
use crate::work::Work;
use rampart::state::asset::Peg;
use std::path::Path;

/// What a validation plays beside the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Folder of recorded markets; none to leave the crises out, which the verdict then says.
    pub data: Option<&'a Path>,
    /// Draws of each template.
    pub draws: u64,
    /// Seed of the first draw.
    pub seed: u64,
}

/// Plays `config` through every crisis and every template, one part of `work` each.
///
/// # Errors
/// A recorded file that is malformed.
pub fn validate(config: &Config, plan: Plan, work: &mut Work) -> Result<Verdict, crate::data::DataError> {
    let mut verdict = Verdict::new(config, plan.seed, plan.draws);
    let guard = config.guard();
    let is_met =
        |crisis: &&Crisis| crisis.peg == guard.peg && !config.require.exclude.iter().any(|name| name == crisis.name);
    let drawn: Vec<Scenario> = suite(Split::Test, plan.seed, plan.draws).collect();
    let drawn = || drawn.chunk_by(|a, b| a.name == b.name).filter(|one| !config.require.exclude.contains(&one[0].name));
    work.expect(CRISES.iter().filter(is_met).count() + drawn().count());
    for crisis in CRISES.iter().filter(is_met) {
        match crisis.load(plan.data, guard.reference.cell_secs)? {
            Ok((scenarios, sha256)) => {
                // a case hangs on its file too
                let name = format!("{} of {sha256}", crisis.name);
                verdict.cases.push(work.part(&name, || case(config, &guard, crisis.name, scenarios, plan.seed)));
                verdict.data.insert(crisis.file.into(), sha256);
            }
            Err(reason) => {
                work.skip();
                verdict.skipped.push(format!("{}: {reason}", crisis.name));
            }
        }
    }
    let is_pegged = guard.peg == Peg::UsDollar;
    for scenarios in drawn() {
        let name = &scenarios[0].name;
        let scenarios = || scenarios.iter().cloned().map(|one| if is_pegged { one.at_par() } else { one }).collect();
        verdict.cases.push(work.part(name, || case(config, &guard, name, scenarios(), plan.seed)));
    }
    verdict.judge(&config.require);
    Ok(verdict)
}

/// Plays one case with the guard, and with its lines alone.
fn case(config: &Config, guard: &GuardConfig, name: &str, scenarios: Vec<Scenario>, seed: u64) -> Case {
    let contenders = [guard.clone(), guard.without_defences()].map(|guard| Fixed { name: name.into(), guard });
    let mut case = Case {
        name: name.into(),
        is_true_negative: scenarios.iter().all(|s| s.onset.is_none() && s.seed > 0),
        ..Case::default()
    };
    for scenario in scenarios {
        let market = Market::new(scenario, config.pool, config.market.volumes);
        let [ours, unguarded] = contenders.each_ref().map(|fixed| play(fixed, &market, seed));
        case.add(&market, &ours, &unguarded);
    }
    case
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan<'static> {
        Plan { data: None, draws: 1, seed: 3 }
    }

    fn played(text: &str) -> Verdict {
        validate(&Config::parse(text).unwrap(), plan(), &mut Work::quiet()).unwrap()
    }

    #[test]
    fn same_configuration_and_seed_give_the_same_hash_and_another_does_not() {
        let (first, again) = (played(EXAMPLE), played(EXAMPLE));
        assert_eq!((first.hash(), &first), (again.hash(), &again));
        let looser = EXAMPLE.replace("max_bonus_bps = 800", "max_bonus_bps = 700");
        assert_ne!(played(&looser).hash(), first.hash());
        let met = CRISES.iter().filter(|crisis| crisis.peg == Peg::Unpegged).count();
        assert_eq!(first.skipped.len(), met - 1, "one is excluded");
    }

    #[test]
    fn coin_with_a_peg_begins_at_par_and_loses_it_later() {
        let draw = || suite(Split::Test, 3, 1).filter(|scenario| scenario.name == "depeg");
        let (plain, pegged) = (draw().next().unwrap(), draw().next().unwrap().at_par());
        let (first, last) = (&pegged.ticks[0], &pegged.ticks[pegged.ticks.len() - 1]);
        assert!((first.truth - 1.0).abs() < 1e-9, "{first:?}");
        assert!(last.truth < 0.99 && (first.oracle.price - 1.0).abs() < 0.01, "{last:?}");
        let worth = |scenario: &Scenario| scenario.ticks.iter().map(|tick| tick.volume * tick.truth).sum::<f64>();
        assert!((worth(&plain) / worth(&pegged) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn bound_that_nothing_meets_fails_and_names_the_case() {
        let strict = EXAMPLE.replace("max_bad_debt_bps = 1_500.0", "max_bad_debt_bps = 0.0");
        let verdict = played(&strict);
        assert!(!verdict.is_passed);
        assert!(verdict.cases.iter().any(|case| !case.failed.is_empty()), "{verdict}");
    }
}
