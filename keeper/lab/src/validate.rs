//! The gate for configurations: what governance runs before it changes a threshold.
//!
//! Owns the file that a configuration is written in (`config`), the recorded crises it has to survive (`crises`), what a play is
//! measured by beside its losses (`measures`), and the verdict with its hash (`report`). Played on the same pool as everything else;
//! attacks come from `attack`, in the split that nothing is tuned on.

mod config;
mod crises;
mod measures;
mod report;

pub use config::{Config, ConfigError, EXAMPLE, Guarded, Require, text_of};
pub use crises::{CRISES, Crisis};
pub use report::{Against, Case, Measured, Verdict, canonical_hash};

use crate::attack::{Scenario, Split, Tick, VENUES, suite};
use crate::backtest::{Market, play};
use crate::policy::Fixed;
use crate::pool::GuardConfig;
use crate::work::Work;
use config::KEEPS_A_PEG;
use rampart::state::asset::Peg;
use report::Plays;
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
    /// What every case is held against beside its lines alone: today's configuration, mostly.
    pub against: Option<&'a Config>,
}

/// Plays `config` through every crisis and every template, one part of `work` each.
///
/// # Errors
/// A recorded file that is malformed.
pub fn validate(config: &Config, plan: Plan, work: &mut Work) -> Result<Verdict, crate::data::DataError> {
    let mut verdict = Verdict::new(config, &plan);
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
                verdict.cases.push(work.part(&name, || case(config, &plan, crisis.name, scenarios)));
                verdict.data.insert(crisis.file.into(), sha256);
            }
            Err(reason) => {
                work.skip();
                verdict.skipped.push(format!("{}: {reason}", crisis.name));
            }
        }
    }
    for scenarios in drawn() {
        let name = &scenarios[0].name;
        let scenarios = || scenarios.iter().cloned().map(|one| met(one, guard.peg)).collect();
        verdict.cases.push(work.part(name, || case(config, &plan, name, scenarios())));
    }
    verdict.judge(&config.require);
    Ok(verdict)
}

/// Returns a scenario as a coin of this kind meets it: one with a peg begins at par, and stays there where nothing breaks it.
fn met(scenario: Scenario, peg: Peg) -> Scenario {
    if peg == Peg::Unpegged {
        return scenario;
    }
    let mut met = scenario.at_par();
    if KEEPS_A_PEG.contains(&met.name.as_str()) {
        met.ticks.iter_mut().for_each(keep_peg);
    }
    met
}

/// Takes all movement out of a step's prices; what is traded keeps its worth.
fn keep_peg(tick: &mut Tick) {
    (tick.volume, tick.taker_buy) = (tick.volume * tick.truth, tick.taker_buy * tick.truth);
    (tick.truth, tick.venues) = (1.0, [1.0; VENUES]);
    for print in [&mut tick.oracle, &mut tick.second] {
        (print.conf, print.price) = (print.conf / print.price, 1.0);
    }
}

/// Plays one case with the guard, with its lines alone, and with what it is held against.
fn case(config: &Config, plan: &Plan, name: &str, scenarios: Vec<Scenario>) -> Case {
    let guard = config.guard();
    let fixed = |guard: GuardConfig| Fixed { name: name.into(), guard };
    let contenders = [guard.clone(), guard.without_defences()].map(fixed);
    let against = plan.against.map(|against| fixed(against.guard()));
    let mut case = Case {
        name: name.into(),
        is_true_negative: scenarios.iter().all(|s| s.onset.is_none() && s.seed > 0),
        ..Case::default()
    };
    for scenario in scenarios {
        let market = Market::new(scenario, config.pool, config.market.volumes);
        let [ours, unguarded] = contenders.each_ref().map(|fixed| play(fixed, &market, plan.seed));
        let against = against.as_ref().map(|fixed| play(fixed, &market, plan.seed));
        case.add(&market, &Plays { ours, unguarded, against }, (&guard, &config.require));
    }
    case
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan<'static> {
        Plan { data: None, draws: 1, seed: 3, against: None }
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
    fn case_that_is_worse_than_what_it_is_held_against_fails_and_what_moves_is_told() {
        let today = Config::parse(EXAMPLE).unwrap();
        let held = |text: &str| {
            let plan = Plan { against: Some(&today), ..plan() };
            validate(&Config::parse(text).unwrap(), plan, &mut Work::quiet()).unwrap()
        };
        let same = held(EXAMPLE);
        assert!(same.is_passed && same.moved().is_empty(), "{same}");
        assert_eq!(same.against.as_ref().map(|other| &other.config_sha256), Some(&same.config_sha256));
        let looser =
            held(&EXAMPLE.replace("hourly_bps = 2_000\ndaily_bps = 4_000", "hourly_bps = 3_000\ndaily_bps = 6_000"));
        let failed = |name: &str| looser.cases.iter().find(|case| case.name == name).unwrap().failed.clone();
        let drift = failed("drift-2026");
        assert!(
            drift[0].starts_with("out within an hour ") && drift[0].ends_with(", max_worse_bps is 100"),
            "{drift:?}"
        );
        assert_eq!((drift.len(), failed("calm").len(), looser.is_passed), (1, 0, false), "{looser}");
        let moved = looser.moved();
        assert!(
            moved
                .iter()
                .any(|line| line.starts_with("drift-2026: out within an hour ") && line.ends_with(" bps (worse)"))
        );
    }

    #[test]
    fn coin_with_a_peg_keeps_it_where_only_lenders_leave() {
        let draw = || suite(Split::Test, 3, 1).find(|scenario| scenario.name == "bank-run").unwrap();
        let (plain, kept) = (met(draw(), Peg::Unpegged), met(draw(), Peg::UsDollar));
        assert_eq!(plain, draw());
        assert!(
            kept.ticks.iter().all(|tick| tick.truth == 1.0 && tick.oracle.price == 1.0 && tick.venues == [1.0; VENUES])
        );
        assert!(kept.ticks.iter().zip(&plain.ticks).all(|(kept, plain)| kept.outflow == plain.outflow));
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
        let strict = EXAMPLE.replace("max_bad_debt_bps = 1_000.0", "max_bad_debt_bps = 0.0");
        let verdict = played(&strict);
        assert!(!verdict.is_passed);
        assert!(verdict.cases.iter().any(|case| !case.failed.is_empty()), "{verdict}");
    }
}
