//! Adding collateral.

use crate::actions::{Scene, at_every_level, deposit_ix, under_every_doubt};
use rampart::error::RampartError as E;
use rampart_client::lending;
use rampart_tests::World;
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::{TokenRefusal, assert_refused};
use rampart_tests::world::defaults_args;

#[test]
fn deposit_collateral_moves_tokens_and_credits_the_owner() {
    let mut world = World::with_vault();
    let user = world.user(10 * SOL, 0);
    world.deposit_collateral(&user, 7 * SOL).unwrap();
    let (vault, position) = (world.vault(), world.position(&user.position));
    assert_eq!((vault.collateral_amount, position.collateral_amount), (7 * SOL, 7 * SOL));
    assert_eq!((position.collateral_credit.amount, position.collateral_credit.since_ts), (7 * SOL, world.now_ts()));
    assert_eq!(world.balance(&user.sol), 3 * SOL);
    assert_eq!(vault.collateral_flow.base.last_amount, 7 * SOL);
    world.assert_books(&[&user], Donated::default());
}

#[test]
fn deposit_collateral_by_another_gives_no_credit() {
    let mut world = World::with_vault();
    let (owner, payer) = (world.user(0, 0), world.user(5 * SOL, 0));
    let ix = lending::deposit_collateral(&world.keys, payer.address(), payer.sol, owner.address(), 5 * SOL);
    world.send(&[ix], &[&payer.key]).unwrap();
    let position = world.position(&owner.position);
    assert_eq!((position.collateral_amount, position.collateral_credit.amount), (5 * SOL, 0));
    assert_eq!((world.balance(&payer.sol), world.position(&payer.position).is_empty()), (0, true));
    world.assert_books(&[&owner, &payer], Donated::default());
}

#[test]
fn deposit_collateral_fails_when_amount_is_zero_or_missing() {
    let mut s = Scene::new();
    let nothing = deposit_ix(&s.world, &s.stranger, 0);
    assert_refused(&mut s.world, &nothing, &[&s.stranger.key], E::ZeroAmount);
    let too_much = deposit_ix(&s.world, &s.stranger, 100 * SOL + 1);
    assert_refused(&mut s.world, &too_much, &[&s.stranger.key], TokenRefusal::InsufficientFunds);
    let all = deposit_ix(&s.world, &s.stranger, u64::MAX);
    assert_refused(&mut s.world, &all, &[&s.stranger.key], E::MathOverflow);
}

#[test]
fn deposit_collateral_beyond_the_cap_is_only_for_a_debt() {
    let mut args = defaults_args();
    args.limits.collateral_cap_amount = 100 * SOL;
    let mut world = World::with_vault_args(args);
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(100 * SOL, 5_000 * USDC);
    let newcomer = world.user(SOL, 0);
    let ix = deposit_ix(&world, &newcomer, 1);
    assert_refused(&mut world, &ix, &[&newcomer.key], E::CollateralCapReached);
    world.fund(&borrower, SOL, 0);
    world.deposit_collateral(&borrower, SOL).unwrap();
    assert_eq!(world.vault().collateral_amount, 101 * SOL);
    world.assert_books(&[&lender, &borrower, &newcomer], Donated::default());
}

#[test]
fn deposit_collateral_passes_at_every_level_and_under_every_doubt() {
    let Scene { mut world, borrower, .. } = Scene::new();
    at_every_level(&mut world, |w| {
        w.deposit_collateral(&borrower, SOL).unwrap();
    });
    under_every_doubt(&mut world, |w| {
        w.deposit_collateral(&borrower, SOL).unwrap();
    });
    assert_eq!(world.position(&borrower.position).collateral_amount, 120 * SOL);
}

#[test]
fn deposit_collateral_fails_with_any_wrong_account() {
    let mut s = Scene::new();
    let user = s.world.user(10 * SOL, 10_000 * USDC);
    let ix = deposit_ix(&s.world, &user, SOL);
    s.assert_accounts_checked(&ix, &user, TokenRefusal::OwnerMismatch);
    s.world.deposit_collateral(&user, SOL).unwrap();
}
