//! Tripping a rule: what is proved, what follows, how long it holds, and who cannot do it twice.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError;
use rampart::events::BreakerTripped;
use rampart::state::rule::{RuleParams, Scope};
use rampart::state::{Asset, Breaker, Cause, CauseKind, Halts, Level, Reach, Switch};
use rampart_client::{Instruction, Pubkey};
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::refusals::{with_account, with_extra, with_last_two_swapped, with_read_only, without_last};
use rampart_tests::{World, assert_error, events, rules};

const SUBJECT: usize = 1;
const SCOPE: usize = 2;

fn with_level(level: Level) -> RuleParams {
    RuleParams { level: level as u8, ..defaults::drawdown_rule() }
}

/// A rule on the collateral that is true now.
fn crashed(params: RuleParams) -> (World, Pubkey) {
    let mut world = World::with_vault();
    let rule = world.create_rule(1, world.keys.collateral_asset, params);
    world.advance(10);
    world.set_prices(120.0, 1.0);
    (world, rule)
}

/// The cause that the rule at `key` puts into force now.
fn cause(world: &World, key: Pubkey) -> Cause {
    let (params, now_ts) = (world.rule(&key).params, world.now_ts());
    Cause {
        source: key,
        tripped_at_ts: now_ts,
        expires_at_ts: now_ts + i64::from(params.duration_secs),
        dwell_until_ts: now_ts + i64::from(params.min_dwell_secs),
        level: params.level,
        kind: CauseKind::Rule as u8,
        reach: Reach::All as u8,
        reserved: [0; 5],
    }
}

#[test]
fn trip_stores_the_cause_and_nothing_else() {
    let (mut world, key) = crashed(defaults::drawdown_rule());
    let (asset, rule) = (world.sol_asset(), world.rule(&key));
    let landed = world.trip(key).unwrap();
    let cause = cause(&world, key);
    let causes = [cause, Cause::default(), Cause::default(), Cause::default()];
    let breaker = Breaker { causes, episode: 1, halts: Halts::default() };
    let expected = Asset { breaker, ..asset };
    assert_eq!(bytemuck::bytes_of(&world.sol_asset()), bytemuck::bytes_of(&expected));
    assert_eq!(world.rule(&key), rampart::state::Rule { trip_epoch: 1, ..rule });
    let fact: BreakerTripped = events::the_one(&landed);
    assert_eq!((fact.rule, fact.scope, fact.trip_epoch), (key, world.keys.collateral_asset, 1));
    // 150 to the favourable end of 120, which is 120.06
    assert_eq!((fact.value, fact.level, fact.level_before, fact.level_after), (1_996, 2, 0, 2));
    assert_eq!(fact.expires_at_ts, cause.expires_at_ts);
}

#[test]
fn trip_fails_when_the_rule_is_not_true_or_not_known() {
    let (mut world, key) = crashed(defaults::drawdown_rule());
    for dollars in [150.0, 142.6, 136.0] {
        world.set_prices(dollars, 1.0);
        world.refuses(&world.trip_ix(key), &[], RampartError::RuleNotTrue);
    }
    let (feeds, now_ts) = (world.sol_feeds, world.now_ts());
    world.publish_pyth(&feeds, 120.0, 5, now_ts);
    world.refuses(&world.trip_ix(key), &[], RampartError::RuleIndeterminate);
    world.publish_switchboard(&feeds, 120.0, 5, now_ts - 91);
    world.refuses(&world.trip_ix(key), &[], RampartError::RuleIndeterminate);
}

/// The fence: of two keepers one trips, the other is told so.
#[test]
fn trip_fails_for_the_second_keeper() {
    let (mut world, key) = crashed(defaults::drawdown_rule());
    let both = world.trip_ix(key);
    world.send(std::slice::from_ref(&both), &[]).unwrap();
    world.refuses(&both, &[], RampartError::TripEpochMoved);
    world.refuses(&world.trip_ix(key), &[], RampartError::AlreadyTripped);
    world.advance(3_600);
    world.refuses(&both, &[], RampartError::TripEpochMoved);
}

#[test]
fn halt_falls_to_reduce_only_and_then_to_normal_without_any_call() {
    let (mut world, key) = crashed(with_level(Level::Halt));
    world.trip(key).unwrap();
    let stored = world.sol_asset().breaker;
    for (secs, level) in
        [(0, Level::Halt), (3_599, Level::Halt), (1, Level::ReduceOnly), (3_599, Level::ReduceOnly), (1, Level::Normal)]
    {
        world.advance(secs);
        assert_eq!(world.level(), level);
    }
    assert_eq!(world.sol_asset().breaker, stored);
}

#[test]
fn lower_levels_fall_to_normal_without_any_call() {
    for level in [Level::Caution, Level::ReduceOnly] {
        let (mut world, key) = crashed(with_level(level));
        world.trip(key).unwrap();
        world.advance(3_599);
        assert_eq!(world.level(), level);
        world.advance(1);
        assert_eq!(world.level(), Level::Normal);
    }
}

/// Each cause keeps its own end.
#[test]
fn case_059_second_cause_leaves_the_first_as_it_is() {
    let (mut world, first) = crashed(with_level(Level::ReduceOnly));
    let longer = RuleParams { duration_secs: 7_200, ..with_level(Level::Caution) };
    let second = world.create_rule(2, world.keys.collateral_asset, longer);
    world.trip(first).unwrap();
    let kept = world.sol_asset().breaker.causes[0];
    world.advance(5);
    let landed = world.trip(second).unwrap();
    let fact: BreakerTripped = events::the_one(&landed);
    assert_eq!((fact.level, fact.level_before, fact.level_after), (1, 2, 2));
    let breaker = world.sol_asset().breaker;
    assert_eq!((breaker.causes[0], breaker.causes[1], breaker.episode), (kept, cause(&world, second), 1));
    world.advance(3_595);
    assert_eq!(world.level(), Level::Caution);
    world.advance(3_605);
    assert_eq!(world.level(), Level::Normal);
}

#[test]
fn fifth_cause_fails_unless_it_is_stricter_than_one_in_force() {
    let mut world = World::with_vault();
    let subject = world.keys.collateral_asset;
    let caution: Vec<_> = (1..=5).map(|id| world.create_rule(id, subject, with_level(Level::Caution))).collect();
    let halt = world.create_rule(6, subject, with_level(Level::Halt));
    world.advance(10);
    world.set_prices(120.0, 1.0);
    for key in &caution[..4] {
        world.trip(*key).unwrap();
    }
    world.refuses(&world.trip_ix(caution[4]), &[], RampartError::CausesFull);
    world.trip(halt).unwrap();
    assert_eq!(world.level(), Level::Halt);
    assert_eq!(world.sol_asset().breaker.causes.iter().filter(|c| c.level > 0).count(), 4);
    // three causes are over, and one of their places is free
    world.advance(3_600);
    world.set_prices(150.0, 1.0);
    world.warm_up(10, 60);
    world.set_prices(120.0, 1.0);
    world.trip(caution[4]).unwrap();
    assert_eq!(world.sol_asset().breaker.cause_of(&caution[4], world.now_ts()).map(|c| c.level), Some(1));
}

#[test]
fn trip_of_a_guards_rule_raises_every_vault_of_the_guard() {
    let guard_wide = RuleParams { scope: Scope::Guard as u8, ..with_level(Level::ReduceOnly) };
    let (mut world, key) = crashed(guard_wide);
    let asset = world.sol_asset();
    let landed = world.trip(key).unwrap();
    assert_eq!(world.guard_state().breaker.causes[0], cause(&world, key));
    assert_eq!(world.guard_state().breaker.episode, 1);
    assert_eq!(world.sol_asset().breaker, asset.breaker);
    assert_eq!(events::the_one::<BreakerTripped>(&landed).scope, world.guard);
    assert_eq!(world.level(), Level::ReduceOnly);
    let lender = world.user(0, 100 * USDC);
    assert_error(world.supply(&lender, 100 * USDC), RampartError::LevelForbids);
}

#[test]
fn trip_of_one_asset_reaches_the_vaults_that_use_it() {
    let mut world = World::with_vault();
    let key = world.create_rule(1, world.keys.loan_asset, defaults::drawdown_rule());
    world.advance(10);
    world.set_prices(150.0, 0.8);
    world.trip(key).unwrap();
    assert_eq!(world.sol_asset().breaker, Breaker::default());
    assert_eq!(world.level(), Level::ReduceOnly);
}

#[test]
fn trip_fails_when_the_rule_is_disabled() {
    let (mut world, key) = crashed(RuleParams { switch: Switch::Disabled as u8, ..defaults::drawdown_rule() });
    world.refuses(&world.trip_ix(key), &[], RampartError::RuleDisabled);
    world.refuses(&world.step_down_ix(key), &[], RampartError::RuleDisabled);
}

#[test]
fn trip_fails_when_subject_or_scope_is_not_the_rules() {
    let (mut world, key) = crashed(defaults::drawdown_rule());
    let ix = world.trip_ix(key);
    let twin = world.copy_under(&world.keys.collateral_asset.clone(), rampart::ID);
    let stolen = world.copy_under(&world.keys.collateral_asset.clone(), anchor_spl::token::ID);
    for other in [world.keys.loan_asset, world.keys.vault, world.guard, key, twin, stolen] {
        for index in [SUBJECT, SCOPE] {
            world.refuses(&with_account(&ix, index, other), &[], RampartError::RuleSubjectMismatch);
        }
    }
    world.anchor_refuses(&with_read_only(&ix, SCOPE), &[], ErrorCode::ConstraintMut);
    world.anchor_refuses(&with_read_only(&ix, 0), &[], ErrorCode::ConstraintMut);
}

#[test]
fn trip_of_a_guards_rule_fails_when_the_scope_is_its_subject_or_another_guard() {
    let (mut world, key) = crashed(RuleParams { scope: Scope::Guard as u8, ..defaults::drawdown_rule() });
    let ix = world.trip_ix(key);
    let twin = world.copy_under(&world.guard.clone(), rampart::ID);
    for other in [world.keys.collateral_asset, key, twin] {
        world.refuses(&with_account(&ix, SCOPE, other), &[], RampartError::RuleSubjectMismatch);
    }
}

#[test]
fn trip_fails_when_the_rule_is_of_another_kind_or_owner() {
    let (mut world, key) = crashed(defaults::drawdown_rule());
    let ix = world.trip_ix(key);
    for other in [world.keys.collateral_asset, world.keys.vault, world.guard] {
        world.anchor_refuses(&with_account(&ix, 0, other), &[], ErrorCode::AccountDiscriminatorMismatch);
    }
    let stolen = world.copy_under(&key, anchor_spl::token::ID);
    world.anchor_refuses(&with_account(&ix, 0, stolen), &[], ErrorCode::AccountOwnedByWrongProgram);
}

/// A subject whose bytes turned into another kind is refused by the typed loader.
#[test]
fn case_089_trip_fails_when_the_subject_turned_into_another_kind_or_owner() {
    let (mut world, key) = crashed(defaults::drawdown_rule());
    let subject = world.keys.collateral_asset;
    let honest = world.svm.get_account(&subject).unwrap();
    let vault = world.svm.get_account(&world.keys.vault).unwrap();
    world.svm.set_account(subject, vault).unwrap();
    world.anchor_refuses(&world.trip_ix(key), &[], ErrorCode::AccountDiscriminatorMismatch);
    let short = solana_sdk::account::Account { data: honest.data[..100].to_vec(), ..honest.clone() };
    world.svm.set_account(subject, short).unwrap();
    world.anchor_refuses(&world.trip_ix(key), &[], ErrorCode::AccountDiscriminatorMismatch);
    let stolen = solana_sdk::account::Account { owner: anchor_spl::token::ID, ..honest };
    world.svm.set_account(subject, stolen).unwrap();
    world.anchor_refuses(&world.trip_ix(key), &[], ErrorCode::AccountOwnedByWrongProgram);
}

#[test]
fn trip_fails_when_oracles_are_missing_extra_or_swapped() {
    let (mut world, key) = crashed(defaults::drawdown_rule());
    let ix: Instruction = world.trip_ix(key);
    world.refuses(&without_last(&ix), &[], RampartError::OracleAccountsMissing);
    world.refuses(&with_extra(&ix, world.sol_feeds.pyth), &[], RampartError::OracleAccountsMissing);
    world.refuses(&with_last_two_swapped(&ix), &[], RampartError::OracleAccountMismatch);
}

#[test]
fn trip_of_a_vaults_rule_raises_that_vault_alone() {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    world.borrower(100 * SOL, 10_000 * USDC);
    let key = world.create_rule(1, world.keys.vault, rules::collateral_ratio());
    world.advance(10);
    world.set_prices(120.0, 1.0);
    let landed = world.trip(key).unwrap();
    assert_eq!(world.vault().breaker.causes[0], cause(&world, key));
    assert_eq!((world.sol_asset().breaker, world.guard_state().breaker), (Breaker::default(), Breaker::default()));
    let fact: BreakerTripped = events::the_one(&landed);
    assert_eq!((fact.scope, fact.value), (world.keys.vault, 12_012));
}
