//! Lending to a vault.

use crate::actions::{Scene, assert_level_forbids, shares_for, supply_ix, under_every_doubt, worth};
use rampart::SupplyArgs;
use rampart::error::RampartError as E;
use rampart::state::Level;
use rampart_client::lending;
use rampart_tests::World;
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::{TokenRefusal, assert_refused};
use rampart_tests::scenario::Scope;

/// Shares of one base unit in a vault that has earned nothing.
const SHARES: u128 = rampart::constants::VIRTUAL_SHARES;

#[test]
fn supply_mints_shares_and_moves_tokens() {
    let mut world = World::with_vault();
    let (first, second) = (world.user(0, 5_000 * USDC), world.user(0, 700 * USDC));
    world.supply(&first, 3_000 * USDC).unwrap();
    world.supply(&second, 700 * USDC).unwrap();
    let (vault, position) = (world.vault(), world.position(&first.position));
    assert_eq!(position.supply_shares.get(), u128::from(3_000 * USDC) * SHARES);
    assert_eq!(vault.supply_shares.get(), u128::from(3_700 * USDC) * SHARES);
    assert_eq!((vault.cash_amount, vault.totals.supplied_amount), (3_700 * USDC, 3_700 * USDC));
    assert_eq!((position.supply_credit.amount, position.supply_credit.since_ts), (3_000 * USDC, world.now_ts()));
    assert_eq!((world.balance(&first.usdc), world.balance(&second.usdc)), (2_000 * USDC, 0));
    assert_eq!((worth(&world, &first), worth(&world, &second)), (3_000 * USDC, 700 * USDC));
    world.assert_books(&[&first, &second], Donated::default());
}

#[test]
fn supply_mints_fewer_shares_after_interest() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(1_000 * SOL, 80_000 * USDC);
    let late = world.user(0, 1_000 * USDC);
    world.advance(30 * 86_400);
    world.supply(&late, 1_000 * USDC).unwrap();
    let shares = world.position(&late.position).supply_shares.get();
    let lent = world.position(&lender.position).supply_shares.get();
    assert!(shares < u128::from(1_000 * USDC) * SHARES);
    assert!(
        (999_999_999..=1_000 * USDC).contains(&worth(&world, &late)),
        "rounded against the caller by one unit at most"
    );
    assert!(worth(&world, &lender) > 100_500 * USDC && lent == u128::from(100_000 * USDC) * SHARES);
    world.assert_books(&[&lender, &borrower, &late], Donated::default());
}

#[test]
fn supply_fails_when_amount_is_zero_or_missing() {
    let mut s = Scene::new();
    let nothing = supply_ix(&s.world, &s.lender, 0);
    assert_refused(&mut s.world, &nothing, &[&s.lender.key], E::ZeroAmount);
    let too_much = supply_ix(&s.world, &s.lender, 100_000 * USDC + 1);
    assert_refused(&mut s.world, &too_much, &[&s.lender.key], TokenRefusal::InsufficientFunds);
    let all = supply_ix(&s.world, &s.lender, u64::MAX);
    assert_refused(&mut s.world, &all, &[&s.lender.key], E::MathOverflow);
}

#[test]
fn supply_fails_beyond_the_cap_by_one_unit() {
    let mut world = World::with_vault();
    let user = world.user(0, 200_000_000 * USDC);
    let ix = supply_ix(&world, &user, 100_000_000 * USDC + 1);
    assert_refused(&mut world, &ix, &[&user.key], E::SupplyCapReached);
    world.supply(&user, 100_000_000 * USDC).unwrap();
    let ix = supply_ix(&world, &user, 1);
    assert_refused(&mut world, &ix, &[&user.key], E::SupplyCapReached);
}

#[test]
fn supply_fails_below_the_fewest_shares_asked_for() {
    let mut s = Scene::new();
    let expected = shares_for(&s.world, 500 * USDC);
    let with = |min_shares| SupplyArgs { amount: 500 * USDC, min_shares };
    let ix = |s: &Scene, m| lending::supply(&s.world.keys, s.stranger.address(), s.stranger.usdc, with(m));
    let greedy = ix(&s, expected + 1);
    assert_refused(&mut s.world, &greedy, &[&s.stranger.key], E::SlippageExceeded);
    let exact = ix(&s, expected - 1);
    s.world.send(&[exact], &[&s.stranger.key]).unwrap();
    let got = s.world.position(&s.stranger.position).supply_shares.get();
    assert!(got == expected || got + 1 == expected);
}

#[test]
fn supply_fails_from_reduce_only_on_and_passes_at_caution() {
    let mut s = Scene::new();
    let ix = supply_ix(&s.world, &s.lender, USDC);
    assert_level_forbids(&mut s.world, &ix, &s.lender, &[Level::ReduceOnly, Level::Halt]);
    s.world.raise(Scope::Vault, Level::Caution);
    s.world.supply(&s.lender, USDC).unwrap();
}

#[test]
fn supply_reads_no_price() {
    let Scene { mut world, lender, .. } = Scene::new();
    under_every_doubt(&mut world, |w| {
        w.supply(&lender, USDC).unwrap();
    });
    assert_eq!(world.vault().totals.supplied_amount, 1_000_008 * USDC);
}

#[test]
fn supply_fails_with_any_wrong_account() {
    let mut s = Scene::new();
    let user = s.world.user(10 * SOL, 100 * USDC);
    let ix = supply_ix(&s.world, &user, 50 * USDC);
    s.assert_accounts_checked(&ix, &user, E::WrongAuthority);
    s.world.supply(&user, 50 * USDC).unwrap();
}
