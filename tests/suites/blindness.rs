//! Blindness escalates: Caution at once, ReduceOnly once it has stood, never an exit.

use rampart::error::RampartError;
use rampart::state::rule::RuleParams;
use rampart::state::{Level, Levels, Reach};
use rampart_client::admin;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::{World, assert_error, rules};
use solana_sdk::signer::Signer;

/// Case 36: two blind hours: Caution at once, ReduceOnly after ten minutes, exits open throughout.
#[test]
fn case_036_blindness_that_stands_reduces_new_risk_and_leaves_exits() {
    let mut world = World::with_vault();
    let lender = world.lender(1_000_000 * USDC);
    let borrower = world.borrower(100 * SOL, 1_000 * USDC);
    let subject = world.keys.collateral_asset;
    let (soon, late) =
        (world.create_rule(1, subject, rules::oracle_age()), world.create_rule(2, subject, rules::long_blindness()));
    world.advance(120);
    world.trip(soon).unwrap();
    assert_eq!(world.level(), Level::Caution);
    world.refuses(&world.trip_ix(late), &[], RampartError::RuleNotPersistent);
    for _ in 0..10 {
        world.observe_rule(late).unwrap();
        world.advance(60);
    }
    world.trip(late).unwrap();
    assert_eq!(world.level(), Level::ReduceOnly);
    let cause = *world.sol_asset().breaker.cause_of(&late, world.now_ts()).unwrap();
    assert_eq!((cause.reach, cause.level), (Reach::NewRisk as u8, Level::ReduceOnly as u8));
    let levels = world.sol_asset().breaker.levels_at(world.now_ts());
    assert_eq!(levels, Levels { risk: Level::ReduceOnly, exit: Level::Normal });
    world.advance(2 * 3_600 - 720);
    let part = world.position(&lender.position).supply_shares.get() / 20;
    world.withdraw(&lender, part).unwrap();
    world.repay(&borrower, 500 * USDC).unwrap();
    // sources that are back, at whatever price, end it
    world.set_prices(90.0, 1.0);
    world.trip(soon).expect_err("nothing is old any more");
}

#[test]
fn blindness_that_was_seen_once_and_then_not_watched_does_not_escalate() {
    let mut world = World::with_vault();
    let rule = world.create_rule(1, world.keys.collateral_asset, rules::long_blindness());
    world.advance(120);
    world.observe_rule(rule).unwrap();
    world.advance(121);
    world.observe_rule(rule).unwrap();
    assert_eq!(world.rule(&rule).streak.count, 1);
    // seen for ten minutes, but interrupted by sources that were back
    world.advance(60);
    world.observe_rule(rule).unwrap();
    world.set_prices(150.0, 1.0);
    world.observe_rule(rule).unwrap();
    assert_eq!(world.rule(&rule).streak.count, 0);
    assert_error(world.trip(rule), RampartError::RuleNotTrue);
}

#[test]
fn create_rule_fails_when_blindness_would_escalate_at_once_or_halt() {
    let mut world = World::with_vault();
    let root = world.root.insecure_clone();
    let (guard, subject) = (world.guard, world.keys.collateral_asset);
    let level = Level::ReduceOnly as u8;
    for params in [
        RuleParams { min_persist_secs: 599, ..rules::long_blindness() },
        RuleParams { level: Level::Halt as u8, ..rules::long_blindness() },
        RuleParams { level, min_persist_secs: 600, ..rules::confidence_ratio() },
        RuleParams { level, min_persist_secs: 600, ..rules::source_disagreement() },
    ] {
        let ix = admin::create_rule(root.pubkey(), guard, subject, 7, params);
        world.refuses(&ix, &[&root], RampartError::RuleInvalid);
    }
}
