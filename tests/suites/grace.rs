//! The grace time after a halt, for positions that were healthy when it began.

use crate::actions::{deleverage_ix, liquidate_ix};
use crate::forced::{at_risk, crash};
use anchor_lang::error::ErrorCode as Anchor;
use rampart::constants::LIQUIDATION_GRACE_SECS;
use rampart::error::RampartError as E;
use rampart::state::rule::{RuleParams, Scope as RuleScope};
use rampart::state::{Asset, Level};
use rampart_client::{Pubkey, liquidation};
use rampart_tests::defaults::{SOL, USDC, drawdown_rule};
use rampart_tests::refusal::assert_refused;
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::scenario::Scope;
use rampart_tests::{User, World};

/// How long the rule of these tests halts.
const HALT_SECS: i64 = 3_600;

/// A lender, a borrower of 10,000 against 100 SOL and a liquidator; the collateral has stood at `dollars` for two
/// minutes and is halted, by a rule of `scope`, for an hour from now.
fn halted_at(dollars: f64, scope: RuleScope) -> (World, [User; 3]) {
    let (mut world, users) = at_risk();
    let params = RuleParams { level: Level::Halt as u8, scope: scope as u8, ..drawdown_rule() };
    let rule = world.create_rule(1, world.keys.collateral_asset, params);
    for _ in 0..4 {
        world.tick(30, dollars, 1.0);
    }
    world.trip(rule).unwrap();
    assert_eq!(world.level(), Level::Halt);
    (world, users)
}

/// Lets the halt run out `later` seconds ago, at `dollars`.
fn end_halt(world: &mut World, later: i64, dollars: f64) {
    world.advance(HALT_SECS + later);
    crash(world, dollars);
    assert!(world.level() < Level::Halt);
}

#[test]
fn case_054_liquidator_who_lands_first_after_a_halt_is_refused_for_the_grace_time() {
    for scope in [RuleScope::Subject, RuleScope::Guard] {
        let (mut world, [_, borrower, by]) = halted_at(130.0, scope);
        end_halt(&mut world, 0, 120.0);
        let ix = liquidate_ix(&world, &by, borrower.position, u64::MAX);
        assert_refused(&mut world, &ix, &[&by.key], E::LiquidationGrace);
        // soft deleveraging obeys it as well
        crash(&mut world, 130.0);
        let soft = deleverage_ix(&world, &by, borrower.position, u64::MAX);
        assert_refused(&mut world, &soft, &[&by.key], E::LiquidationGrace);
        world.advance(LIQUIDATION_GRACE_SECS - 1);
        crash(&mut world, 120.0);
        assert_refused(&mut world, &ix, &[&by.key], E::LiquidationGrace);
        world.advance(1);
        crash(&mut world, 120.0);
        world.send(&[ix], &[&by.key]).unwrap();
    }
}

#[test]
fn owner_can_cure_in_the_grace_time() {
    let (mut world, [_, borrower, by]) = halted_at(130.0, RuleScope::Subject);
    end_halt(&mut world, 10, 120.0);
    world.repay(&borrower, 3_000 * USDC).unwrap();
    world.advance(LIQUIDATION_GRACE_SECS);
    crash(&mut world, 120.0);
    let ix = liquidate_ix(&world, &by, borrower.position, u64::MAX);
    assert_refused(&mut world, &ix, &[&by.key], E::PositionHealthy);
}

#[test]
fn position_that_was_at_its_line_when_the_halt_began_has_no_grace() {
    let (mut world, [_, borrower, by]) = halted_at(120.0, RuleScope::Subject);
    end_halt(&mut world, 0, 120.0);
    world.liquidate(&by, borrower.position, u64::MAX).unwrap();
}

#[test]
fn case_055_dust_deposit_shields_nobody() {
    let (mut world, [_, borrower, by]) = halted_at(120.0, RuleScope::Subject);
    world.fund(&borrower, SOL, 0);
    world.deposit_collateral(&borrower, 1).unwrap();
    world.liquidate(&by, borrower.position, 1_000 * USDC).unwrap();
    end_halt(&mut world, 0, 118.0);
    world.deposit_collateral(&borrower, 1).unwrap();
    world.liquidate(&by, borrower.position, 1_000 * USDC).unwrap();
}

#[test]
fn position_that_took_on_risk_since_the_halt_began_has_no_grace() {
    let (mut world, [_, borrower, by]) = halted_at(130.0, RuleScope::Subject);
    world.fund(&borrower, 50 * SOL, 0);
    // the halt, and the hour after it, have passed; an hour of the grace time is left
    for _ in 0..4 {
        world.tick(HALT_SECS / 2, 150.0, 1.0);
    }
    world.deposit_collateral(&borrower, 10 * SOL).unwrap();
    for _ in 0..3 {
        world.tick(20, 150.0, 1.0);
    }
    world.borrow(&borrower, 10 * USDC).unwrap();
    crash(&mut world, 105.0);
    world.liquidate(&by, borrower.position, u64::MAX).unwrap();
}

#[test]
fn halt_goes_on_liquidating_and_its_marks_last_beyond_the_window() {
    let (mut world, [_, borrower, by]) = halted_at(120.0, RuleScope::Subject);
    let mark = liquidation::mark_halt(&world.keys);
    world.send(std::slice::from_ref(&mark), &[]).unwrap();
    let first = world.vault().halt_mark;
    assert!(first.price_q64.get() > 0);
    // the window forgets how the halt began
    forget(&mut world);
    world.send(&[mark], &[]).unwrap();
    assert_eq!(world.vault().halt_mark, first);
    end_halt(&mut world, 60, 118.0);
    world.liquidate(&by, borrower.position, u64::MAX).unwrap();
}

#[test]
fn halt_that_nobody_marked_gives_solvent_positions_their_grace_and_insolvent_ones_none() {
    let (mut world, [_, borrower, by]) = halted_at(120.0, RuleScope::Subject);
    forget(&mut world);
    end_halt(&mut world, 60, 118.0);
    let ix = liquidate_ix(&world, &by, borrower.position, u64::MAX);
    assert_refused(&mut world, &ix, &[&by.key], E::LiquidationGrace);
    crash(&mut world, 90.0);
    world.send(&[ix], &[&by.key]).unwrap();
}

/// Takes the collateral's window memory away, as an hour of observations does.
fn forget(world: &mut World) {
    let key = world.keys.collateral_asset;
    let mut asset: Asset = world.load(&key);
    asset.window.cells.iter_mut().for_each(|cell| cell.samples = 0);
    world.store(&key, &asset);
}

#[test]
fn mark_halt_fails_without_a_halt_a_memory_or_its_accounts() {
    let (mut world, _) = at_risk();
    let ix = liquidation::mark_halt(&world.keys);
    assert_refused(&mut world, &ix, &[], E::HaltUnknown);
    world.raise(Scope::Vault, Level::ReduceOnly);
    assert_refused(&mut world, &ix, &[], E::HaltUnknown);
    world.raise(Scope::Vault, Level::Halt);
    let (k, f) = (world.keys, world.other_guard());
    for (index, wrong) in [(0, f.guard), (1, k.loan_asset), (1, f.collateral_asset), (2, f.loan_asset), (3, f.vault)] {
        assert_refused(&mut world, &with_account(&ix, index, wrong), &[], E::VaultAssetsInvalid);
    }
    assert_refused(&mut world, &with_read_only(&ix, 3), &[], Anchor::ConstraintMut);
    let copy = world.copy_under(&k.guard, Pubkey::new_from_array([0xee; 32]));
    assert_refused(&mut world, &with_account(&ix, 0, copy), &[], Anchor::AccountOwnedByWrongProgram);
    world.send(std::slice::from_ref(&ix), &[]).unwrap();
    let mut vault = world.vault();
    vault.halt_mark = Default::default();
    world.store(&k.vault, &vault);
    forget(&mut world);
    assert_refused(&mut world, &ix, &[], E::HaltUnknown);
}

#[test]
fn case_036_outage_that_ends_in_a_jump_leaves_owners_their_grace() {
    // two hours without prices under a halt; the first print after it is far below
    let (mut world, [_, borrower, by]) = halted_at(131.0, RuleScope::Subject);
    let ix = liquidate_ix(&world, &by, borrower.position, u64::MAX);
    world.advance(HALT_SECS - 1);
    assert_refused(&mut world, &ix, &[&by.key], E::PriceIndeterminate);
    world.advance(HALT_SECS);
    crash(&mut world, 112.0);
    assert_refused(&mut world, &ix, &[&by.key], E::LiquidationGrace);
}

#[test]
fn case_052_and_053_liquidation_goes_on_in_a_halt_at_a_price_of_two_sources_alone() {
    let (mut world, [_, borrower, by]) = halted_at(130.0, RuleScope::Subject);
    let key = world.keys.collateral_asset;
    let mut asset: Asset = world.load(&key);
    asset.oracle.required = 1;
    world.store(&key, &asset);
    let ix = liquidate_ix(&world, &by, borrower.position, 1_000 * USDC);
    let (feeds, now_ts) = (world.sol_feeds, world.now_ts());
    // one source says so, the other has stopped
    crash(&mut world, 115.0);
    world.publish_switchboard(&feeds, 115.0, 5, now_ts - 91);
    assert_refused(&mut world, &ix, &[&by.key], E::TwoSourcesRequired);
    crash(&mut world, 115.0);
    world.send(&[ix], &[&by.key]).unwrap();
}

/// Only the halt that ended last counted: another scope's halt, in force or over, took the grace time of an earlier one away.
#[test]
fn grace_time_of_one_scope_outlasts_a_halt_of_another() {
    let (mut world, [_, borrower, by]) = halted_at(130.0, RuleScope::Subject);
    let mark = liquidation::mark_halt(&world.keys);
    world.send(std::slice::from_ref(&mark), &[]).unwrap();
    end_halt(&mut world, 0, 120.0);
    world.observe_both();
    let ix = liquidate_ix(&world, &by, borrower.position, u64::MAX);
    assert_refused(&mut world, &ix, &[&by.key], E::LiquidationGrace);
    world.raise(Scope::Vault, Level::Halt);
    assert_refused(&mut world, &ix, &[&by.key], E::LiquidationGrace);
    // both prices are known: that of the first halt isn't given up for that of the second
    world.send(&[mark], &[]).unwrap();
    let (vault, asset) = (world.vault(), world.sol_asset());
    let marks = [vault.halt_price(&asset.breaker.halts), vault.halt_price(&vault.breaker.halts)];
    assert!(marks[0].unwrap().q64() > marks[1].unwrap().q64());
    assert_refused(&mut world, &ix, &[&by.key], E::LiquidationGrace);
    world.advance(LIQUIDATION_GRACE_SECS - 1);
    crash(&mut world, 120.0);
    assert_refused(&mut world, &ix, &[&by.key], E::LiquidationGrace);
    world.advance(1);
    crash(&mut world, 120.0);
    world.send(&[ix], &[&by.key]).unwrap();
}
