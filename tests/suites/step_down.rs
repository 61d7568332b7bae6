//! Stepping down: on proof, one level at a time, not before the dwell time.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError;
use rampart::events::BreakerSteppedDown;
use rampart::state::rule::{RuleParams, Scope, Streak};
use rampart::state::{Asset, Breaker, Cause, Halts, Level};
use rampart_client::Pubkey;
use rampart_tests::refusals::{with_account, with_extra, with_read_only, without_last};
use rampart_tests::{World, defaults, events};

const SUBJECT: usize = 1;
const SCOPE: usize = 2;

/// A rule in force at `level`, whose dwell time of five minutes is over and whose price has recovered.
fn recovered(level: Level) -> (World, Pubkey) {
    let mut world = World::with_vault();
    let params = RuleParams { level: level as u8, ..defaults::drawdown_rule() };
    let rule = world.create_rule(1, world.keys.collateral_asset, params);
    world.advance(10);
    world.set_prices(120.0, 1.0);
    world.observe_rule(rule).unwrap();
    world.trip(rule).unwrap();
    world.advance(300);
    world.set_prices(150.0, 1.0);
    (world, rule)
}

#[test]
fn step_down_goes_from_halt_to_normal_one_level_at_a_time() {
    let (mut world, key) = recovered(Level::Halt);
    for (from, to) in
        [(Level::Halt, Level::ReduceOnly), (Level::ReduceOnly, Level::Caution), (Level::Caution, Level::Normal)]
    {
        assert_eq!(world.level(), from);
        let landed = world.step_down(key).unwrap();
        assert_eq!(world.level(), to);
        let fact: BreakerSteppedDown = events::the_one(&landed);
        assert_eq!((fact.rule, fact.scope), (key, world.keys.collateral_asset));
        assert_eq!((fact.from, fact.to), (from as u8, to as u8));
        world.warm_up(5, 60);
    }
    world.refuses(&world.step_down_ix(key), &[], RampartError::NotTripped);
}

#[test]
fn step_down_starts_a_new_duration_and_ends_the_streak() {
    let (mut world, key) = recovered(Level::Halt);
    let (asset, rule, now_ts) = (world.sol_asset(), world.rule(&key), world.now_ts());
    assert_eq!(rule.streak.count, 1);
    world.step_down(key).unwrap();
    let cause = Cause {
        source: key,
        tripped_at_ts: now_ts,
        expires_at_ts: now_ts + 3_600,
        dwell_until_ts: now_ts + 300,
        level: Level::ReduceOnly as u8,
        ..asset.breaker.causes[0]
    };
    let causes = [cause, Cause::default(), Cause::default(), Cause::default()];
    let halts = Halts { ends_at_ts: now_ts, ..asset.breaker.halts };
    let expected = Asset { breaker: Breaker { causes, episode: 1, halts }, ..asset };
    assert_eq!(bytemuck::bytes_of(&world.sol_asset()), bytemuck::bytes_of(&expected));
    assert_eq!(
        world.rule(&key),
        rampart::state::Rule { streak: Streak::default(), cleared_at_ts: now_ts, trip_epoch: 2, step_downs: 1, ..rule }
    );
}

/// The proof is made in the instruction itself.
#[test]
fn case_060_step_down_fails_when_the_rule_is_not_clear() {
    let (mut world, key) = recovered(Level::ReduceOnly);
    for dollars in [120.0, 136.0, 142.0] {
        world.set_prices(dollars, 1.0);
        world.refuses(&world.step_down_ix(key), &[], RampartError::RuleNotClear);
    }
    world.svm.set_account(world.sol_feeds.pyth, Default::default()).unwrap();
    world.refuses(&world.step_down_ix(key), &[], RampartError::RuleIndeterminate);
}

#[test]
fn step_down_fails_before_the_dwell_time() {
    let (mut world, key) = recovered(Level::ReduceOnly);
    world.set_clock(world.now_ts() - 1, world.slot() + 1);
    world.set_prices(150.0, 1.0);
    world.refuses(&world.step_down_ix(key), &[], RampartError::DwellNotOver);
    world.advance(1);
    world.step_down(key).unwrap();
    world.refuses(&world.step_down_ix(key), &[], RampartError::DwellNotOver);
}

#[test]
fn step_down_fails_when_the_rule_holds_no_cause() {
    let mut world = World::with_vault();
    let key = world.create_rule(1, world.keys.collateral_asset, defaults::drawdown_rule());
    world.refuses(&world.step_down_ix(key), &[], RampartError::NotTripped);
    let (mut world, key) = recovered(Level::ReduceOnly);
    world.advance(3_300);
    world.warm_up(10, 60);
    world.refuses(&world.step_down_ix(key), &[], RampartError::NotTripped);
}

#[test]
fn step_down_leaves_the_causes_of_other_rules() {
    let (mut world, key) = recovered(Level::ReduceOnly);
    let other = world.create_rule(2, world.keys.collateral_asset, defaults::drawdown_rule());
    world.set_prices(120.0, 1.0);
    world.trip(other).unwrap();
    let kept = world.sol_asset().breaker.causes[1];
    world.advance(1);
    world.set_prices(150.0, 1.0);
    world.step_down(key).unwrap();
    assert_eq!((world.sol_asset().breaker.causes[1], world.level()), (kept, Level::ReduceOnly));
    assert_eq!(kept.source, other);
}

#[test]
fn step_down_fails_under_another_trip_epoch() {
    let (mut world, key) = recovered(Level::ReduceOnly);
    let mut ix = world.step_down_ix(key);
    let epoch = ix.data.len() - 8;
    ix.data[epoch..].copy_from_slice(&0u64.to_le_bytes());
    world.refuses(&ix, &[], RampartError::TripEpochMoved);
}

/// Two keepers that saw the same level lower it once.
#[test]
fn step_down_by_the_second_of_two_keepers_fails() {
    let (mut world, key) = recovered(Level::Halt);
    let same = world.step_down_ix(key);
    world.step_down(key).unwrap();
    world.refuses(&same, &[], RampartError::TripEpochMoved);
    assert_eq!(world.level(), Level::ReduceOnly);
}

#[test]
fn rule_that_was_stepped_down_trips_again() {
    let (mut world, key) = recovered(Level::Halt);
    world.step_down(key).unwrap();
    world.advance(1);
    world.set_prices(120.0, 1.0);
    world.trip(key).unwrap();
    let rule = world.rule(&key);
    assert_eq!((world.level(), rule.trip_epoch, rule.step_downs), (Level::Halt, 3, 1));
    assert_eq!(world.sol_asset().breaker.causes.iter().filter(|c| c.level > 0).count(), 1);
}

#[test]
fn halt_in_its_tail_is_stepped_down_from_reduce_only() {
    let (mut world, key) = recovered(Level::Halt);
    world.advance(3_300);
    world.warm_up(10, 60);
    assert_eq!(world.level(), Level::ReduceOnly);
    let landed = world.step_down(key).unwrap();
    let fact: BreakerSteppedDown = events::the_one(&landed);
    assert_eq!((fact.from, fact.to), (Level::ReduceOnly as u8, Level::Caution as u8));
}

#[test]
fn step_down_of_a_guards_rule_lowers_the_guard() {
    let mut world = World::with_vault();
    let params = RuleParams { scope: Scope::Guard as u8, ..defaults::drawdown_rule() };
    let key = world.create_rule(1, world.keys.collateral_asset, params);
    world.advance(10);
    world.set_prices(120.0, 1.0);
    world.trip(key).unwrap();
    world.advance(300);
    world.set_prices(150.0, 1.0);
    world.refuses(
        &with_account(&world.step_down_ix(key), SCOPE, world.keys.collateral_asset),
        &[],
        RampartError::RuleSubjectMismatch,
    );
    world.step_down(key).unwrap();
    assert_eq!(world.guard_state().breaker.level_at(world.now_ts()), Level::Caution);
}

#[test]
fn step_down_fails_with_accounts_that_are_not_the_rules() {
    let (mut world, key) = recovered(Level::ReduceOnly);
    let ix = world.step_down_ix(key);
    let twin = world.copy_under(&world.keys.collateral_asset.clone(), rampart::ID);
    for other in [world.keys.loan_asset, world.keys.vault, world.guard, key, twin] {
        for index in [SUBJECT, SCOPE] {
            world.refuses(&with_account(&ix, index, other), &[], RampartError::RuleSubjectMismatch);
        }
    }
    world.anchor_refuses(&with_account(&ix, 0, world.guard), &[], ErrorCode::AccountDiscriminatorMismatch);
    world.anchor_refuses(&with_read_only(&ix, SCOPE), &[], ErrorCode::ConstraintMut);
    let stolen = world.copy_under(&key, anchor_spl::token::ID);
    world.anchor_refuses(&with_account(&ix, 0, stolen), &[], ErrorCode::AccountOwnedByWrongProgram);
    world.refuses(&without_last(&ix), &[], RampartError::OracleAccountsMissing);
    world.refuses(&with_extra(&ix, world.sol_feeds.pyth), &[], RampartError::OracleAccountsMissing);
}
