//! Borrowing.

use crate::actions::{
    LENDING_ORACLES, Scene, assert_doubt_refused, assert_level_forbids, assert_oracle_accounts_checked, borrow_ix, debt,
};
use rampart::error::RampartError as E;
use rampart::state::Level;
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC, drawdown_rule};
use rampart_tests::refusal::assert_refused;
use rampart_tests::refusals::with_account;
use rampart_tests::scenario::Scope;
use rampart_tests::world::defaults_args;
use rampart_tests::{User, World};

/// A vault with cash, and an owner of 100 SOL of collateral without debt.
fn with_collateral() -> (World, User, User) {
    let mut world = World::with_vault();
    let lender = world.lender(1_000_000 * USDC);
    let user = world.user(100 * SOL, 0);
    world.deposit_collateral(&user, 100 * SOL).unwrap();
    (world, lender, user)
}

#[test]
fn borrow_pays_out_and_books_the_debt() {
    let (mut world, lender, user) = with_collateral();
    world.borrow(&user, 4_000 * USDC).unwrap();
    world.borrow(&user, 1_000 * USDC).unwrap();
    let (vault, position) = (world.vault(), world.position(&user.position));
    assert_eq!((position.debt_scaled.get(), vault.debt_scaled.get()), (5_000_000_000, 5_000_000_000));
    assert_eq!((vault.cash_amount, vault.totals.borrowed_amount), (995_000 * USDC, 5_000 * USDC));
    assert_eq!((world.balance(&user.usdc), debt(&world, &user)), (5_000 * USDC, 5_000 * USDC));
    assert_eq!(vault.loan_flow.risk.day.total(), 5_000 * USDC);
    assert_eq!(vault.lenders_amount().unwrap(), 1_000_000 * USDC);
    world.assert_books(&[&lender, &user], Donated::default());
}

#[test]
fn borrow_after_interest_is_scaled_by_the_index() {
    let (mut world, lender, user) = with_collateral();
    let early = world.borrower(10_000 * SOL, 100_000 * USDC);
    world.advance(200 * 86_400);
    world.warm_up(4, 60);
    world.borrow(&user, 5_000 * USDC).unwrap();
    assert!(world.position(&user.position).debt_scaled.get() < u128::from(5_000 * USDC));
    assert!((5_000 * USDC..=5_000 * USDC + 1).contains(&debt(&world, &user)));
    assert!(debt(&world, &early) > 100_000 * USDC);
    world.assert_books(&[&lender, &early, &user], Donated::default());
}

#[test]
fn borrow_fails_for_nothing_dust_or_more_than_there_is() {
    let (mut world, _, user) = with_collateral();
    let cases = [
        (0, E::ZeroAmount),
        (10 * USDC - 1, E::DebtBelowMinimum),
        (1_000_000 * USDC + 1, E::InsufficientCash),
        (u64::MAX, E::InsufficientCash),
    ];
    for (amount, error) in cases {
        let ix = borrow_ix(&world, &user, amount);
        assert_refused(&mut world, &ix, &[&user.key], error);
    }
    world.borrow(&user, 10 * USDC).unwrap();
}

#[test]
fn borrow_stops_at_the_ltv_limit() {
    let (mut world, _, user) = with_collateral();
    // 100 SOL count for 100 · 150 · 0.9995 / 1.0005 = 14,985.00; 70 % of that is 10,489.50
    let above = borrow_ix(&world, &user, 10_490 * USDC);
    assert_refused(&mut world, &above, &[&user.key], E::LtvExceeded);
    world.borrow(&user, 10_489 * USDC).unwrap();
    let more = borrow_ix(&world, &user, USDC);
    assert_refused(&mut world, &more, &[&user.key], E::LtvExceeded);
    let poor = world.user(0, 0);
    let without = borrow_ix(&world, &poor, 10 * USDC);
    assert_refused(&mut world, &without, &[&poor.key], E::LtvExceeded);
}

#[test]
fn borrow_is_judged_at_the_worst_of_spot_and_reference() {
    // (SOL, USDC) on the feeds while the references are 150 and 1; the most that 100 SOL borrow
    let cases = [
        ((200.0, 1.0), 10_494), // 70 % of 100 · 150 / 1.0005
        ((120.0, 1.0), 8_391),  // 70 % of 100 · 120 · 0.9995 / 1.0005
        ((150.0, 0.9), 10_494), // 70 % of 100 · 150 · 0.9995 / 1, below the reference of the collateral
        ((150.0, 1.1), 9_535),  // 70 % of 100 · 150 · 0.9995 / (1.1 · 1.0005)
    ];
    for ((sol, usdc), most) in cases {
        let (mut world, _, user) = with_collateral();
        world.set_prices(sol, usdc);
        let above = borrow_ix(&world, &user, (most + 2) * USDC);
        assert_refused(&mut world, &above, &[&user.key], E::LtvExceeded);
        world.borrow(&user, (most - 1) * USDC).unwrap();
    }
}

#[test]
fn borrow_stops_at_the_cap_of_the_vault() {
    let mut args = defaults_args();
    args.limits.borrow_cap_amount = 10_000 * USDC;
    let mut world = World::with_vault_args(args);
    let lender = world.lender(100_000 * USDC);
    let first = world.borrower(100 * SOL, 6_000 * USDC);
    let second = world.user(100 * SOL, 0);
    world.deposit_collateral(&second, 100 * SOL).unwrap();
    let above = borrow_ix(&world, &second, 4_000 * USDC + 1);
    assert_refused(&mut world, &above, &[&second.key], E::BorrowCapReached);
    world.borrow(&second, 4_000 * USDC).unwrap();
    world.assert_books(&[&lender, &first, &second], Donated::default());
}

#[test]
fn borrow_has_a_quarter_of_its_budget_at_caution() {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    let user = world.user(10_000 * SOL, 0);
    world.deposit_collateral(&user, 10_000 * SOL).unwrap();
    world.raise(Scope::Guard, Level::Caution);
    // L is 1,000,000: 40 % for new risk, a quarter of it at this level, half of it at once
    let above = borrow_ix(&world, &user, 50_000 * USDC + 1);
    assert_refused(&mut world, &above, &[&user.key], E::HourlyLimitReached);
    world.borrow(&user, 50_000 * USDC).unwrap();
}

#[test]
fn borrow_fails_from_reduce_only_on_in_every_scope() {
    let (mut world, _, user) = with_collateral();
    let ix = borrow_ix(&world, &user, 1_000 * USDC);
    assert_level_forbids(&mut world, &ix, &user, &[Level::ReduceOnly, Level::Halt]);
    world.send(&[ix], &[&user.key]).unwrap();
}

#[test]
fn borrow_fails_after_a_trip_until_it_expires() {
    let (mut world, _, user) = with_collateral();
    let rule = world.create_rule(1, world.keys.collateral_asset, drawdown_rule());
    world.tick(30, 130.0, 1.0);
    let ix = borrow_ix(&world, &user, 1_000 * USDC);
    world.trip(rule).unwrap();
    assert_refused(&mut world, &ix, &[&user.key], E::LevelForbids);
    world.tick(3_599, 130.0, 1.0);
    assert_refused(&mut world, &ix, &[&user.key], E::LevelForbids);
    world.tick(1, 130.0, 1.0);
    world.send(&[ix], &[&user.key]).unwrap();
}

#[test]
fn borrow_fails_while_a_price_is_in_doubt() {
    let (mut world, _, user) = with_collateral();
    let ix = borrow_ix(&world, &user, 1_000 * USDC);
    assert_doubt_refused(&mut world, &ix, &user);
    // behind the collateral's mint and account
    assert_oracle_accounts_checked(&mut world, &ix, &user, LENDING_ORACLES + 2);
    world.send(&[ix], &[&user.key]).unwrap();
}

#[test]
fn borrow_fails_at_a_cold_reference() {
    let (mut world, _, user) = with_collateral();
    let ix = borrow_ix(&world, &user, 1_000 * USDC);
    world.advance(3_601);
    world.set_prices(150.0, 1.0);
    assert_refused(&mut world, &ix, &[&user.key], E::PriceIndeterminate);
    world.warm_up(2, 60);
    assert_refused(&mut world, &ix, &[&user.key], E::PriceIndeterminate);
    world.warm_up(1, 60);
    world.send(&[ix], &[&user.key]).unwrap();
}

#[test]
fn borrow_fails_with_any_wrong_account() {
    let mut s = Scene::new();
    let user = s.world.user(100 * SOL, 100 * USDC);
    s.world.deposit_collateral(&user, 100 * SOL).unwrap();
    let ix = borrow_ix(&s.world, &user, 1_000 * USDC);
    s.assert_accounts_checked(&ix, &user, E::WrongAuthority);
    s.world.borrow(&user, 1_000 * USDC).unwrap();
}

/// Accounts of the collateral that a borrower names: the vault's own, from which everything booked could leave.
#[test]
fn borrow_fails_against_collateral_that_could_not_leave_the_vault() {
    let mut s = Scene::new();
    let user = s.world.user(100 * SOL, 0);
    s.world.deposit_collateral(&user, 100 * SOL).unwrap();
    let ix = borrow_ix(&s.world, &user, 1_000 * USDC);
    let (mint_at, token_at, keys) = (LENDING_ORACLES, LENDING_ORACLES + 1, s.world.keys);
    for (index, wrong) in
        [(mint_at, keys.loan_mint), (token_at, keys.loan_token), (token_at, s.foreign.collateral_token)]
    {
        assert_refused(&mut s.world, &with_account(&ix, index, wrong), &[&user.key], E::VaultAssetsInvalid);
    }
    let sound = s.world.svm.get_account(&keys.collateral_token).unwrap();
    let frozen = |data: &mut [u8]| data[108] = 2;
    // one base unit of 300 SOL is gone
    let short = |data: &mut [u8]| {
        let held = u64::from_le_bytes(data[64..72].try_into().unwrap());
        data[64..72].copy_from_slice(&(held - 1).to_le_bytes());
    };
    let spoils: [fn(&mut [u8]); 2] = [frozen, short];
    for spoil in spoils {
        let mut spoilt = sound.clone();
        spoil(&mut spoilt.data);
        s.world.svm.set_account(keys.collateral_token, spoilt).unwrap();
        assert_refused(&mut s.world, &ix, &[&user.key], E::VaultShort);
    }
    s.world.svm.set_account(keys.collateral_token, sound).unwrap();
    s.world.send(&[ix], &[&user.key]).unwrap();
}
