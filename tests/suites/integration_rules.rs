//! Rules about an integration's outflow: they raise its level, and nobody else's.

use rampart::error::RampartError as E;
use rampart::state::rule::{RuleParams, Scope};
use rampart::state::{FlowCaps, Guard, Level};
use rampart_client::{Pubkey, admin};
use rampart_tests::World;
use rampart_tests::defaults::USDC;
use rampart_tests::integrations::{EXIT, Place, RISK, Setup, mint_caps};
use rampart_tests::rules::{self, Shown};
use solana_sdk::signer::Signer;

/// True when an eighth of a day's limits left within two hours: 128,000 in all, so at 16,000; clear at a sixteenth.
fn outflow() -> RuleParams {
    RuleParams { threshold: 1_250, clear_threshold: 625, ..rules::outflow_rate() }
}

fn setup() -> (World, Place, Pubkey) {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::reported());
    let rule = world.create_rule(1, place.keys.integration, outflow());
    (world, place, rule)
}

#[test]
fn outflow_of_an_integration_trips_it_and_no_other() {
    let (mut world, place, rule) = setup();
    let other = world.register(Setup { index: 8, ..Setup::reported() });
    assert_eq!(world.shown(rule), Shown::Clear);
    world.record(&place, EXIT, 10_000 * USDC).unwrap();
    world.record(&place, RISK, 5_000 * USDC).unwrap();
    assert_eq!(world.shown(rule), Shown::Between);
    world.refuses(&world.trip_ix(rule), &[], E::RuleNotTrue);
    world.advance(720);
    world.record(&place, RISK, 1_000 * USDC).unwrap();
    world.trip(rule).unwrap();
    let now_ts = world.now_ts();
    assert_eq!(world.integration(&place).breaker.level_at(now_ts), Level::ReduceOnly);
    assert_eq!(world.integration(&other).breaker.level_at(now_ts), Level::Normal);
    world.refuses(&place.record_ix(RISK, 1), &[&place.authority], E::LevelForbids);
    world.record(&place, EXIT, 1_000 * USDC).unwrap();
    world.record(&other, RISK, 1).unwrap();
}

#[test]
fn tripped_integration_is_normal_again_when_the_outflow_is_over() {
    let (mut world, place, rule) = setup();
    world.record(&place, EXIT, 10_000 * USDC).unwrap();
    world.advance(3_000);
    world.record(&place, EXIT, 8_000 * USDC).unwrap();
    world.trip(rule).unwrap();
    world.refuses(&world.step_down_ix(rule), &[], E::RuleNotClear);
    // ReduceOnly ends after an hour; by then the outflow of the window is over as well
    world.advance(3 * 3_600);
    world.svm.expire_blockhash();
    assert_eq!(world.shown(rule), Shown::Clear);
    world.record(&place, RISK, 1).unwrap();
}

#[test]
fn outflow_of_an_integration_may_trip_the_guard() {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::reported());
    let params = RuleParams { scope: Scope::Guard as u8, level: Level::Caution as u8, ..outflow() };
    let rule = world.create_rule(1, place.keys.integration, params);
    world.record(&place, EXIT, 10_000 * USDC).unwrap();
    world.advance(3_000);
    world.record(&place, EXIT, 8_000 * USDC).unwrap();
    world.trip(rule).unwrap();
    let guard: Guard = world.load(&world.guard);
    assert_eq!(guard.breaker.level_at(world.now_ts()), Level::Caution);
}

#[test]
fn mint_without_a_flow_is_clear() {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place =
        world.register(Setup { caps: FlowCaps { risk: mint_caps().risk, ..FlowCaps::default() }, ..Setup::mint() });
    let rule = world.create_rule(1, place.keys.integration, outflow());
    assert_eq!(world.shown(rule), Shown::Clear);
    world.custody_mint(&place, 5_000 * USDC).unwrap();
    world.trip(rule).unwrap();
}

#[test]
fn create_rule_on_an_integration_fails_for_what_it_does_not_have() {
    let (mut world, place, _) = setup();
    let root = world.root.insecure_clone();
    let foreign = world.strangers_guard();
    for params in [rules::collateral_ratio(), rules::deviation(), rules::oracle_age()] {
        let ix = admin::create_rule(root.pubkey(), world.guard, place.keys.integration, 2, params);
        world.refuses(&ix, &[&root], E::RuleSubjectMismatch);
    }
    let payer = world.payer.insecure_clone();
    let ix = admin::create_rule(payer.pubkey(), foreign, place.keys.integration, 2, outflow());
    world.refuses(&ix, &[], E::RuleSubjectMismatch);
}
