//! Observing a rule: what makes a streak, what pauses it, what ends it.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError;
use rampart::state::rule::{RuleParams, Streak};
use rampart_client::Pubkey;
use rampart_tests::refusals::{with_account, with_extra, with_read_only, without_last};
use rampart_tests::{World, defaults, rules};

const SUBJECT: usize = 1;
const COLLATERAL_ASSET: usize = 2;
const LOAN_ASSET: usize = 3;

/// A rule that has to hold for ten seconds and three observations.
fn setup() -> (World, Pubkey) {
    let mut world = World::with_vault();
    let params =
        RuleParams { min_persist_secs: 10, min_observations: 3, max_gap_secs: 30, ..defaults::drawdown_rule() };
    let rule = world.create_rule(1, world.keys.collateral_asset, params);
    (world, rule)
}

/// Publishes a price after `secs` and observes the rule.
#[track_caller]
fn see(world: &mut World, rule: Pubkey, secs: i64, dollars: f64) {
    world.advance(secs);
    world.set_prices(dollars, 1.0);
    world.observe_rule(rule).unwrap();
}

#[test]
fn observe_rule_stores_every_field_of_the_streak() {
    let (mut world, key) = setup();
    let before = world.rule(&key);
    see(&mut world, key, 4, 120.0);
    let first_ts = world.now_ts();
    world.advance(3);
    let (feeds, published_ts) = (world.sol_feeds, world.now_ts() - 1);
    world.publish_pyth(&feeds, 120.0, 5, published_ts);
    world.publish_switchboard(&feeds, 120.0, 5, world.now_ts());
    world.observe_rule(key).unwrap();
    let streak = Streak {
        first_true_ts: first_ts,
        first_publish_ts: first_ts,
        last_ts: world.now_ts(),
        last_publish_ts: published_ts,
        last_slot: world.slot(),
        count: 2,
    };
    assert_eq!(world.rule(&key), rampart::state::Rule { streak, ..before });
}

#[test]
fn trip_needs_time_on_both_clocks_and_enough_observations() {
    let (mut world, key) = setup();
    see(&mut world, key, 1, 120.0);
    see(&mut world, key, 5, 120.0);
    world.advance(4);
    world.set_prices(120.0, 1.0);
    world.refuses(&world.trip_ix(key), &[], RampartError::RuleNotPersistent);
    world.advance(1);
    // the clock has moved on for long enough, the prints have not
    world.refuses(&world.trip_ix(key), &[], RampartError::RuleNotPersistent);
    world.set_prices(120.0, 1.0);
    world.trip(key).unwrap();
}

#[test]
fn trip_fails_after_ten_seconds_with_too_few_observations() {
    let (mut world, key) = setup();
    see(&mut world, key, 1, 120.0);
    world.advance(20);
    world.set_prices(120.0, 1.0);
    world.refuses(&world.trip_ix(key), &[], RampartError::RuleNotPersistent);
    world.observe_rule(key).unwrap();
    world.refuses(&world.trip_ix(key), &[], RampartError::RuleNotPersistent);
    world.advance(1);
    world.set_prices(120.0, 1.0);
    world.trip(key).unwrap();
}

/// Case 28: pokes in one slot, and on one print, are not a streak.
#[test]
fn case_028_observe_rule_fails_on_the_same_print_or_in_the_same_slot() {
    let (mut world, key) = setup();
    see(&mut world, key, 1, 120.0);
    world.refuses(&world.observe_rule_ix(key), &[], RampartError::ObservationNotNewer);
    world.advance(1);
    world.refuses(&world.observe_rule_ix(key), &[], RampartError::ObservationNotNewer);
    world.set_clock(world.now_ts(), world.slot() - 4);
    world.set_prices(120.0, 1.0);
    world.refuses(&world.observe_rule_ix(key), &[], RampartError::ObservationNotNewer);
    assert_eq!(world.rule(&key).streak.count, 1);
}

/// Case 24: one good print does not break a streak unless it is clear.
#[test]
fn case_024_streak_is_paused_between_the_lines_and_ended_by_a_clear_price() {
    let (mut world, key) = setup();
    see(&mut world, key, 1, 120.0);
    let streak = world.rule(&key).streak;
    see(&mut world, key, 2, 140.0);
    assert_eq!(world.rule(&key).streak, streak);
    see(&mut world, key, 2, 120.0);
    assert_eq!((world.rule(&key).streak.count, world.rule(&key).streak.first_true_ts), (2, streak.first_true_ts));
    see(&mut world, key, 2, 149.0);
    assert_eq!(world.rule(&key).streak, Streak::default());
}

#[test]
fn streak_is_paused_while_the_price_is_indeterminate() {
    let (mut world, key) = setup();
    see(&mut world, key, 1, 120.0);
    let streak = world.rule(&key).streak;
    world.advance(2);
    world.svm.set_account(world.sol_feeds.switchboard, Default::default()).unwrap();
    world.observe_rule(key).unwrap();
    assert_eq!(world.rule(&key).streak, streak);
    world.refuses(&world.trip_ix(key), &[], RampartError::RuleIndeterminate);
}

#[test]
fn streak_starts_anew_after_a_gap() {
    let (mut world, key) = setup();
    see(&mut world, key, 1, 120.0);
    see(&mut world, key, 30, 120.0);
    assert_eq!(world.rule(&key).streak.count, 2);
    see(&mut world, key, 31, 120.0);
    let streak = world.rule(&key).streak;
    assert_eq!((streak.count, streak.first_true_ts, streak.first_publish_ts), (1, world.now_ts(), world.now_ts()));
}

#[test]
fn observe_rule_counts_every_metric() {
    let mut world = World::with_vault();
    let (asset, vault) = (world.keys.collateral_asset, world.keys.vault);
    world.lender(1_000_000 * defaults::USDC);
    world.borrower(100 * defaults::SOL, 10_000 * defaults::USDC);
    world.advance(60);
    world.set_prices(120.0, 1.0);
    let feeds = world.sol_feeds;
    world.publish_pyth(&feeds, 120.0, 150, world.now_ts());
    let mut outflow = rules::outflow_rate();
    (outflow.threshold, outflow.clear_threshold) = (1, 0);
    let all = [
        (asset, defaults::drawdown_rule()),
        (asset, rules::deviation()),
        (vault, outflow),
        (vault, rules::collateral_ratio()),
    ];
    for (id, (subject, params)) in all.into_iter().enumerate() {
        let key = world.create_rule(id as u16, subject, params);
        world.observe_rule(key).unwrap();
        assert_eq!(world.rule(&key).streak.count, 1, "metric {}", params.metric);
    }
    world.publish_switchboard(&feeds, 120.0, 150, world.now_ts());
    let wide = world.create_rule(10, asset, rules::confidence_ratio());
    world.observe_rule(wide).unwrap();
    assert_eq!(world.rule(&wide).streak.count, 1);
    world.advance(120);
    let old = world.create_rule(11, asset, rules::oracle_age());
    world.observe_rule(old).unwrap();
    assert_eq!(world.rule(&old).streak.count, 1);
}

#[test]
fn observe_rule_fails_when_the_rule_is_disabled() {
    let mut world = World::with_vault();
    let params = RuleParams { switch: rampart::state::Switch::Disabled as u8, ..defaults::drawdown_rule() };
    let key = world.create_rule(1, world.keys.collateral_asset, params);
    world.refuses(&world.observe_rule_ix(key), &[], RampartError::RuleDisabled);
}

#[test]
fn observe_rule_fails_when_the_subject_is_not_the_rules() {
    let (mut world, key) = setup();
    let ix = world.observe_rule_ix(key);
    let twin = world.copy_under(&world.keys.collateral_asset.clone(), rampart::ID);
    for other in [world.keys.loan_asset, world.keys.vault, world.guard, key, twin] {
        world.refuses(&with_account(&ix, SUBJECT, other), &[], RampartError::RuleSubjectMismatch);
    }
}

#[test]
fn observe_rule_fails_when_oracles_are_missing_or_extra() {
    let (mut world, key) = setup();
    let ix = world.observe_rule_ix(key);
    world.refuses(&without_last(&ix), &[], RampartError::OracleAccountsMissing);
    world.refuses(&with_extra(&ix, world.sol_feeds.pyth), &[], RampartError::OracleAccountsMissing);
}

#[test]
fn observe_rule_fails_when_the_pair_is_not_the_vaults() {
    let mut world = World::with_vault();
    let key = world.create_rule(1, world.keys.vault, rules::collateral_ratio());
    let (ix, keys) = (world.observe_rule_ix(key), world.keys);
    // the id of the program stands for an optional account that is left out
    for index in [COLLATERAL_ASSET, LOAN_ASSET] {
        world.refuses(&with_account(&ix, index, rampart::ID), &[], RampartError::RuleSubjectMismatch);
    }
    world.refuses(&with_account(&ix, COLLATERAL_ASSET, keys.loan_asset), &[], RampartError::VaultAssetsInvalid);
    world.refuses(&with_account(&ix, LOAN_ASSET, keys.collateral_asset), &[], RampartError::VaultAssetsInvalid);
    world.anchor_refuses(&with_account(&ix, LOAN_ASSET, keys.vault), &[], ErrorCode::AccountDiscriminatorMismatch);
    let stolen = world.copy_under(&keys.collateral_asset, anchor_spl::token::ID);
    world.anchor_refuses(&with_account(&ix, COLLATERAL_ASSET, stolen), &[], ErrorCode::AccountOwnedByWrongProgram);
    world.refuses(&without_last(&ix), &[], RampartError::OracleAccountsMissing);
    world.refuses(&with_extra(&ix, world.sol_feeds.pyth), &[], RampartError::OracleAccountsMissing);
}

#[test]
fn observe_rule_fails_when_the_rule_is_of_another_kind_or_owner() {
    let (mut world, key) = setup();
    let ix = world.observe_rule_ix(key);
    for other in [world.keys.collateral_asset, world.guard] {
        world.anchor_refuses(&with_account(&ix, 0, other), &[], ErrorCode::AccountDiscriminatorMismatch);
    }
    let stolen = world.copy_under(&key, anchor_spl::token::ID);
    world.anchor_refuses(&with_account(&ix, 0, stolen), &[], ErrorCode::AccountOwnedByWrongProgram);
    world.anchor_refuses(&with_read_only(&ix, 0), &[], ErrorCode::ConstraintMut);
}
