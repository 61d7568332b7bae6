//! Bringing interest up to date.

use crate::actions::debt;
use anchor_lang::error::ErrorCode as Anchor;
use rampart::state::Level;
use rampart_client::{Pubkey, lending};
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::assert_refused;
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::scenario::Scope;
use rampart_tests::{User, World};

fn lent_out() -> (World, User, User) {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(1_000 * SOL, 80_000 * USDC);
    (world, lender, borrower)
}

fn accrue(world: &mut World) {
    let ix = lending::accrue(world.keys.vault);
    world.send(&[ix], &[]).unwrap();
}

#[test]
fn accrue_adds_a_year_of_interest_and_keeps_its_share() {
    let (mut world, lender, borrower) = lent_out();
    world.advance(365 * 86_400);
    accrue(&mut world);
    let vault = world.vault();
    // 80 % utilisation is the kink: 10 %, of which a tenth is kept
    assert!((88_000 * USDC..=88_000 * USDC + 1).contains(&vault.debt_amount().unwrap()));
    assert!((800 * USDC..=800 * USDC + 1).contains(&vault.insurance_amount));
    assert!((107_199 * USDC..=107_200 * USDC).contains(&vault.lenders_amount().unwrap()));
    assert_eq!((vault.accrued_at_ts, vault.cash_amount), (world.now_ts(), 20_000 * USDC));
    world.assert_books(&[&lender, &borrower], Donated::default());
}

#[test]
fn accrue_twice_in_a_second_adds_nothing() {
    let (mut world, _, _) = lent_out();
    world.advance(1_000);
    accrue(&mut world);
    let once = world.vault();
    for _ in 0..5 {
        accrue(&mut world);
    }
    let again = world.vault();
    assert_eq!(bytemuck::bytes_of(&again), bytemuck::bytes_of(&once));
}

#[test]
fn accrue_with_a_clock_that_went_back_adds_nothing() {
    let (mut world, _, borrower) = lent_out();
    world.advance(1_000);
    accrue(&mut world);
    let (before, accrued_at_ts) = (debt(&world, &borrower), world.vault().accrued_at_ts);
    world.set_clock(world.now_ts() - 500, world.slot() + 1);
    accrue(&mut world);
    assert_eq!((debt(&world, &borrower), world.vault().accrued_at_ts), (before, accrued_at_ts));
    world.set_clock(accrued_at_ts, world.slot() + 1);
    accrue(&mut world);
    assert_eq!(debt(&world, &borrower), before, "no second is counted twice");
}

#[test]
fn accrue_without_debt_moves_only_the_time() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    world.advance(86_400);
    accrue(&mut world);
    let vault = world.vault();
    assert_eq!((vault.borrow_index_q64.get(), vault.insurance_amount), (1 << 64, 0));
    assert_eq!((vault.accrued_at_ts, vault.lenders_amount().unwrap()), (world.now_ts(), 100_000 * USDC));
    world.assert_books(&[&lender], Donated::default());
}

#[test]
fn accrue_often_costs_a_borrower_no_less_than_once() {
    let (mut often, _, borrower) = lent_out();
    for _ in 0..48 {
        often.advance(1_800);
        accrue(&mut often);
    }
    let (mut once, _, other) = lent_out();
    once.advance(86_400);
    accrue(&mut once);
    let (a, b) = (debt(&often, &borrower), debt(&once, &other));
    assert!(a >= b && a - b < USDC, "{a} {b}");
}

#[test]
fn accrue_survives_a_gap_of_ten_years() {
    let (mut world, lender, borrower) = lent_out();
    world.advance(10 * 365 * 86_400);
    accrue(&mut world);
    assert!(world.vault().debt_amount().unwrap() > 150_000 * USDC);
    world.assert_books(&[&lender, &borrower], Donated::default());
}

#[test]
fn accrue_passes_at_a_halt() {
    let (mut world, _, _) = lent_out();
    world.raise(Scope::Guard, Level::Halt);
    world.advance(60);
    accrue(&mut world);
    assert_eq!(world.vault().accrued_at_ts, world.now_ts());
}

#[test]
fn accrue_fails_with_any_other_account() {
    let (mut world, _, borrower) = lent_out();
    let ix = lending::accrue(world.keys.vault);
    let copy = world.copy_under(&ix.accounts[0].pubkey, Pubkey::new_from_array([0xee; 32]));
    let cases = [
        (world.guard, Anchor::AccountDiscriminatorMismatch),
        (borrower.position, Anchor::AccountDiscriminatorMismatch),
        (copy, Anchor::AccountOwnedByWrongProgram),
    ];
    for (wrong, error) in cases {
        assert_refused(&mut world, &with_account(&ix, 0, wrong), &[], error);
    }
    assert_refused(&mut world, &with_read_only(&ix, 0), &[], Anchor::ConstraintMut);
}
