//! Paying back.

use crate::actions::{Scene, at_every_level, debt, repay_ix, under_every_doubt};
use rampart::error::RampartError as E;
use rampart_client::lending;
use rampart_tests::World;
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::{TokenRefusal, assert_refused};

#[test]
fn repay_takes_the_amount_off_the_debt() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(100 * SOL, 5_000 * USDC);
    world.repay(&borrower, 2_000 * USDC).unwrap();
    let (vault, position) = (world.vault(), world.position(&borrower.position));
    assert_eq!((position.debt_scaled.get(), vault.debt_scaled.get()), (3_000_000_000, 3_000_000_000));
    assert_eq!((vault.cash_amount, vault.totals.repaid_amount), (97_000 * USDC, 2_000 * USDC));
    assert_eq!((world.balance(&borrower.usdc), position.liquidation_seq), (3_000 * USDC, 0));
    world.assert_books(&[&lender, &borrower], Donated::default());
}

#[test]
fn repay_of_more_than_the_debt_takes_the_debt() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(100 * SOL, 5_000 * USDC);
    world.fund(&borrower, 0, 100 * USDC);
    world.advance(30 * 86_400);
    let due = debt(&world, &borrower);
    assert!(due > 5_000 * USDC);
    world.repay(&borrower, u64::MAX).unwrap();
    assert_eq!(world.balance(&borrower.usdc), 5_100 * USDC - due);
    assert_eq!(world.vault().totals.repaid_amount, due);
    assert_eq!((world.vault().debt_scaled.get(), world.position(&borrower.position).debt_scaled.get()), (0, 0));
    world.assert_books(&[&lender, &borrower], Donated::default());
}

#[test]
fn repay_by_another_serves_the_owner() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(100 * SOL, 5_000 * USDC);
    let friend = world.user(0, 2_000 * USDC);
    let ix = lending::repay(&world.keys, friend.address(), friend.usdc, borrower.address(), 2_000 * USDC);
    world.send(&[ix], &[&friend.key]).unwrap();
    assert_eq!((debt(&world, &borrower), world.balance(&friend.usdc)), (3_000 * USDC, 0));
    world.assert_books(&[&lender, &borrower, &friend], Donated::default());
}

#[test]
fn repay_fails_for_nothing_without_debt_or_leaving_dust() {
    let mut s = Scene::new();
    let cases = [(0, E::ZeroAmount), (4_990 * USDC + 1, E::DebtBelowMinimum), (5_000 * USDC - 1, E::DebtBelowMinimum)];
    for (amount, error) in cases {
        let ix = repay_ix(&s.world, &s.borrower, amount);
        assert_refused(&mut s.world, &ix, &[&s.borrower.key], error);
    }
    let free = repay_ix(&s.world, &s.stranger, 1);
    assert_refused(&mut s.world, &free, &[&s.stranger.key], E::NoDebt);
    s.world.repay(&s.borrower, 4_990 * USDC).unwrap();
    assert_eq!(debt(&s.world, &s.borrower), 10 * USDC);
}

#[test]
fn repay_fails_beyond_the_payers_balance() {
    let mut world = World::with_vault();
    world.lender(100_000 * USDC);
    let borrower = world.borrower(100 * SOL, 5_000 * USDC);
    let poor = world.user(0, 100 * USDC);
    let ix = lending::repay(&world.keys, poor.address(), poor.usdc, borrower.address(), 101 * USDC);
    assert_refused(&mut world, &ix, &[&poor.key], TokenRefusal::InsufficientFunds);
}

#[test]
fn repay_passes_at_every_level_and_under_every_doubt() {
    let Scene { mut world, borrower, .. } = Scene::new();
    at_every_level(&mut world, |w| {
        w.repay(&borrower, USDC).unwrap();
    });
    under_every_doubt(&mut world, |w| {
        w.repay(&borrower, USDC).unwrap();
    });
    assert_eq!(world.vault().totals.repaid_amount, 20 * USDC);
    world.repay(&borrower, u64::MAX).unwrap();
    assert_eq!(world.vault().debt_scaled.get(), 0);
}

#[test]
fn repay_in_single_units_never_gains() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(1_000 * SOL, 80_000 * USDC);
    world.advance(77_777);
    let before = debt(&world, &borrower);
    for _ in 0..100 {
        world.repay(&borrower, 1).unwrap();
    }
    assert!(debt(&world, &borrower) + 100 >= before);
    world.assert_books(&[&lender, &borrower], Donated::default());
}

#[test]
fn repay_fails_with_any_wrong_account() {
    let mut s = Scene::new();
    let user = s.world.borrower(100 * SOL, 1_000 * USDC);
    s.world.fund(&user, SOL, 0);
    let ix = repay_ix(&s.world, &user, 100 * USDC);
    s.assert_accounts_checked(&ix, &user, TokenRefusal::OwnerMismatch);
    s.world.repay(&user, 100 * USDC).unwrap();
}
