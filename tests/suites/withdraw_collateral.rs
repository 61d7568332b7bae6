//! Taking collateral out.

use crate::actions::{
    LENDING_ORACLES, Scene, assert_doubt_refused, assert_level_forbids, assert_oracle_accounts_checked, at_every_level,
    under_every_doubt, withdraw_collateral_ix,
};
use rampart::error::RampartError as E;
use rampart::state::Level;
use rampart_client::lending;
use rampart_tests::World;
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::assert_refused;
use rampart_tests::scenario::{Scope, args_with_floors};

#[test]
fn withdraw_collateral_without_debt_needs_no_price() {
    let mut world = World::with_vault();
    let user = world.user(10 * SOL, 0);
    world.deposit_collateral(&user, 10 * SOL).unwrap();
    let ix = lending::withdraw_collateral(&world.keys, user.address(), user.sol, &[], 4 * SOL);
    world.send(&[ix], &[&user.key]).unwrap();
    let (vault, position) = (world.vault(), world.position(&user.position));
    assert_eq!((vault.collateral_amount, position.collateral_amount), (6 * SOL, 6 * SOL));
    assert_eq!((world.balance(&user.sol), position.collateral_credit.amount), (4 * SOL, 6 * SOL));
    world.withdraw_collateral(&user, 6 * SOL).unwrap();
    assert!(world.position(&user.position).is_empty() && world.balance(&user.sol) == 10 * SOL);
    world.assert_books(&[&user], Donated::default());
}

#[test]
fn withdraw_collateral_behind_a_debt_stops_at_the_ltv_limit() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(100 * SOL, 5_000 * USDC);
    // 5,000 at 70 % needs 7,142.86 of collateral; one SOL counts for 150 · 0.9995 / 1.0005 = 149.85
    let above = withdraw_collateral_ix(&world, &borrower, 52_340_000_000);
    assert_refused(&mut world, &above, &[&borrower.key], E::LtvExceeded);
    world.withdraw_collateral(&borrower, 52_330_000_000).unwrap();
    let more = withdraw_collateral_ix(&world, &borrower, SOL / 100);
    assert_refused(&mut world, &more, &[&borrower.key], E::LtvExceeded);
    assert_eq!(world.position(&borrower.position).collateral_amount, 47_670_000_000);
    world.assert_books(&[&lender, &borrower], Donated::default());
}

#[test]
fn withdraw_collateral_fails_for_nothing_or_more_than_held() {
    let mut s = Scene::new();
    let cases = [(0, E::ZeroAmount), (100 * SOL + 1, E::AmountExceedsPosition), (u64::MAX, E::AmountExceedsPosition)];
    for (amount, error) in cases {
        let ix = withdraw_collateral_ix(&s.world, &s.borrower, amount);
        assert_refused(&mut s.world, &ix, &[&s.borrower.key], error);
    }
    let all = withdraw_collateral_ix(&s.world, &s.borrower, 100 * SOL);
    assert_refused(&mut s.world, &all, &[&s.borrower.key], E::LtvExceeded);
}

#[test]
fn withdraw_collateral_behind_a_debt_is_new_risk() {
    let mut s = Scene::new();
    let ix = withdraw_collateral_ix(&s.world, &s.borrower, SOL);
    assert_level_forbids(&mut s.world, &ix, &s.borrower, &[Level::ReduceOnly, Level::Halt]);
    assert_doubt_refused(&mut s.world, &ix, &s.borrower);
    assert_oracle_accounts_checked(&mut s.world, &ix, &s.borrower, LENDING_ORACLES);
    s.world.send(&[ix], &[&s.borrower.key]).unwrap();
}

#[test]
fn withdraw_collateral_behind_a_debt_fails_at_a_cold_reference() {
    let mut s = Scene::new();
    s.world.advance(3_601);
    s.world.set_prices(150.0, 1.0);
    let ix = withdraw_collateral_ix(&s.world, &s.borrower, SOL);
    assert_refused(&mut s.world, &ix, &[&s.borrower.key], E::PriceIndeterminate);
}

#[test]
fn withdraw_collateral_without_debt_passes_at_every_level_and_under_every_doubt() {
    let mut s = Scene::new();
    s.world.deposit_collateral(&s.stranger, 100 * SOL).unwrap();
    let user = s.stranger;
    at_every_level(&mut s.world, |w| {
        w.withdraw_collateral(&user, SOL / 10).unwrap();
    });
    under_every_doubt(&mut s.world, |w| {
        w.withdraw_collateral(&user, SOL / 10).unwrap();
    });
    assert_eq!(s.world.balance(&user.sol), 2 * SOL);
}

#[test]
fn withdraw_collateral_has_a_floor_that_later_deposits_do_not_raise() {
    let mut world = World::with_vault();
    let user = world.user(300 * SOL, 0);
    world.deposit_collateral(&user, 100 * SOL).unwrap();
    world.raise(Scope::CollateralAsset, Level::ReduceOnly);
    world.withdraw_collateral(&user, SOL).unwrap();
    world.deposit_collateral(&user, 100 * SOL).unwrap();
    let more = withdraw_collateral_ix(&world, &user, 1);
    assert_refused(&mut world, &more, &[&user.key], E::ExitFloorUsed);
    world.advance(86_400);
    world.withdraw_collateral(&user, SOL).unwrap();
    let more = withdraw_collateral_ix(&world, &user, 1);
    assert_refused(&mut world, &more, &[&user.key], E::ExitFloorUsed);
}

#[test]
fn withdraw_collateral_is_charged_to_the_budget_of_its_class() {
    let mut world = World::with_vault_args(args_with_floors(1_000_000 * USDC, 1_000 * SOL));
    world.lender(100_000 * USDC);
    let borrower = world.borrower(10_000 * SOL, 1_000 * USDC);
    let free = world.user(10_000 * SOL, 0);
    world.deposit_collateral(&free, 10_000 * SOL).unwrap();
    world.tick(3_600, 150.0, 1.0);
    // L is 1,000 SOL: half of 40 % at once behind a debt, half of 60 % less two fifths without
    let above = withdraw_collateral_ix(&world, &borrower, 200 * SOL + 1);
    assert_refused(&mut world, &above, &[&borrower.key], E::HourlyLimitReached);
    world.withdraw_collateral(&borrower, 200 * SOL).unwrap();
    let above = withdraw_collateral_ix(&world, &free, 180 * SOL + 1);
    assert_refused(&mut world, &above, &[&free.key], E::HourlyLimitReached);
    world.withdraw_collateral(&free, 180 * SOL).unwrap();
}

#[test]
fn withdraw_collateral_fails_with_any_wrong_account() {
    let mut s = Scene::new();
    let user = s.world.user(10 * SOL, 100 * USDC);
    s.world.deposit_collateral(&user, 10 * SOL).unwrap();
    let ix = withdraw_collateral_ix(&s.world, &user, SOL);
    s.assert_accounts_checked(&ix, &user, E::WrongAuthority);
    s.world.withdraw_collateral(&user, SOL).unwrap();
}
