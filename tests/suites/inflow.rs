//! Limits on new collateral: how much comes in, what of a cure carries new risk, and what goes back.

use crate::actions::{borrow_ix, deposit_ix, withdraw_collateral_ix};
use rampart::InitializeVaultArgs;
use rampart::error::RampartError as E;
use rampart::state::Level;
use rampart_client::lending;
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::refusal::assert_refused;
use rampart_tests::rules::{Shown, supply_growth};
use rampart_tests::world::defaults_args;
use rampart_tests::{User, World};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// New collateral of at least 100 SOL an hour and a day, 50 % an hour and 100 % a day of the base.
fn args() -> InitializeVaultArgs {
    let mut args = defaults_args();
    args.limits.inflow = defaults::inflow(100 * SOL);
    args
}

fn world() -> World {
    World::with_vault_args(args())
}

fn pass(world: &mut World, secs: i64) {
    let pair = world.pair();
    world.pass_warm(secs, &[pair]);
}

/// An owner who has posted `amount`.
fn poster(world: &mut World, amount: u64) -> User {
    let user = world.user(amount, 0);
    world.deposit_collateral(&user, amount).unwrap();
    user
}

#[test]
fn new_collateral_beyond_the_hour_or_the_day_is_refused() {
    let mut world = world();
    let first = poster(&mut world, 60 * SOL);
    let second = world.user(1_000 * SOL, 0);
    let ix = deposit_ix(&world, &second, 40 * SOL + 1);
    assert_refused(&mut world, &ix, &[&second.key], E::InflowLimitReached);
    world.deposit_collateral(&second, 40 * SOL).unwrap();
    let ix = deposit_ix(&world, &first, 1);
    world.fund(&first, 1, 0);
    assert_refused(&mut world, &ix, &[&first.key], E::InflowLimitReached);
    // on the first day the floor is the day's limit too
    pass(&mut world, 3 * HOUR);
    assert_refused(&mut world, &ix, &[&first.key], E::InflowLimitReached);
    pass(&mut world, 22 * HOUR);
    world.deposit_collateral(&second, 50 * SOL).unwrap();
    // grown by then: shares of the base above the floor
    pass(&mut world, 2 * DAY);
    let base = world.vault().collateral_amount;
    assert_eq!(base, 150 * SOL);
    let ix = deposit_ix(&world, &second, 100 * SOL + 1);
    assert_refused(&mut world, &ix, &[&second.key], E::InflowLimitReached);
    world.deposit_collateral(&second, 100 * SOL).unwrap();
    pass(&mut world, 3 * HOUR);
    world.deposit_collateral(&second, 50 * SOL).unwrap();
    let ix = deposit_ix(&world, &second, 1);
    assert_refused(&mut world, &ix, &[&second.key], E::InflowLimitReached);
}

#[test]
fn cure_is_never_blocked_counts_against_liquidation_at_once_and_carries_new_risk_a_day_later() {
    let mut world = world();
    world.lender(900_000 * USDC);
    let borrower = world.borrower(100 * SOL, 10_000 * USDC);
    world.fund(&borrower, 1_000 * SOL, 0);
    world.deposit_collateral(&borrower, 200 * SOL).unwrap();
    let position = world.position(&borrower.position);
    assert_eq!((position.collateral_amount, position.unripe.amount), (300 * SOL, 200 * SOL));
    // 100 SOL carry 10,500 USDC: no more than before the cure
    let ix = borrow_ix(&world, &borrower, 1_000 * USDC);
    world.refuses(&ix, &[&borrower.key], E::LtvExceeded);
    // nor does the ripe part get out from behind the debt
    let ix = withdraw_collateral_ix(&world, &borrower, 50 * SOL);
    world.refuses(&ix, &[&borrower.key], E::LtvExceeded);
    // but all of it stands behind the debt when the price falls
    let liquidator = world.user(0, 50_000 * USDC);
    world.tick(60, 100.0, 1.0);
    let ix = crate::actions::liquidate_ix(&world, &liquidator, borrower.position, 100 * USDC);
    world.refuses(&ix, &[&liquidator.key], E::PositionHealthy);
    world.set_prices(150.0, 1.0);
    pass(&mut world, DAY);
    pass(&mut world, 60);
    world.borrow(&borrower, 15_000 * USDC).unwrap();
    assert_eq!(world.position(&borrower.position).unripe.at(world.now_ts()), 0);
}

#[test]
fn cure_within_the_limit_carries_new_risk_at_once() {
    let mut world = world();
    world.lender(900_000 * USDC);
    let borrower = world.borrower(50 * SOL, 5_000 * USDC);
    world.fund(&borrower, 50 * SOL, 0);
    world.deposit_collateral(&borrower, 50 * SOL).unwrap();
    world.borrow(&borrower, 5_000 * USDC).unwrap();
    assert_eq!(world.position(&borrower.position).unripe.amount, 0);
}

#[test]
fn unripe_collateral_stays_unripe_when_the_debt_is_paid_and_leaves_without_one() {
    let mut world = world();
    world.lender(900_000 * USDC);
    let borrower = world.borrower(100 * SOL, 10_000 * USDC);
    world.fund(&borrower, 200 * SOL, 100 * USDC);
    world.deposit_collateral(&borrower, 200 * SOL).unwrap();
    world.repay(&borrower, u64::MAX).unwrap();
    let ix = borrow_ix(&world, &borrower, 11_000 * USDC);
    world.refuses(&ix, &[&borrower.key], E::LtvExceeded);
    world.withdraw_collateral(&borrower, 300 * SOL).unwrap();
    assert_eq!(world.position(&borrower.position).collateral_amount, 0);
}

#[test]
fn what_is_taken_out_within_the_hour_gives_its_room_back() {
    let mut world = world();
    let (attacker, user) = (world.user(100 * SOL, 0), world.user(100 * SOL, 0));
    // without it anyone could close the door for a day with a loan of one transaction
    for _ in 0..3 {
        world.deposit_collateral(&attacker, 100 * SOL).unwrap();
        world.withdraw_collateral(&attacker, 100 * SOL).unwrap();
    }
    assert_eq!(world.vault().new_collateral.total(), 0);
    assert_eq!(world.vault().collateral_inflow.total(), 300 * SOL, "rules see all that came in");
    world.deposit_collateral(&user, 100 * SOL).unwrap();
    // what another has paid in is no own inflow, and stays counted
    let mut world = World::with_vault_args(args());
    let (owner, payer) = (world.user(0, 0), world.user(100 * SOL, 0));
    let ix = lending::deposit_collateral(&world.keys, payer.address(), payer.sol, owner.address(), 100 * SOL);
    world.send(&[ix], &[&payer.key]).unwrap();
    world.withdraw_collateral(&owner, 50 * SOL).unwrap();
    assert_eq!(world.vault().new_collateral.total(), 100 * SOL);
}

/// Resolv and KelpDAO, 2026: collateral minted from nowhere, 500 times what there was, posted and borrowed against before
/// anybody notices. The limit holds the door, the debt of a dollar doesn't open it, and the supply rule closes the asset.
#[test]
fn collateral_minted_500_fold_in_one_slot_borrows_nothing_beyond_the_limit_and_trips_the_supply_rule() {
    let mut world = world();
    let lender = world.lender(900_000 * USDC);
    let honest = poster(&mut world, 100 * SOL);
    pass(&mut world, DAY);
    pass(&mut world, HOUR);
    let mut asset = world.sol_asset();
    asset.supply_reference_amount = 100 * SOL;
    world.store(&world.keys.collateral_asset.clone(), &asset);
    let rule = world.create_rule(1, world.keys.collateral_asset, supply_growth());
    assert_eq!(world.shown(rule), Shown::Clear);
    let minted = 500 * 100 * SOL;
    let attacker = world.user(minted, 0);
    let ix = deposit_ix(&world, &attacker, minted);
    assert_refused(&mut world, &ix, &[&attacker.key], E::InflowLimitReached);
    // so it takes what the limit leaves, borrows a little, and calls the rest a cure
    world.deposit_collateral(&attacker, 100 * SOL).unwrap();
    world.borrow(&attacker, 10 * USDC).unwrap();
    world.deposit_collateral(&attacker, minted - 100 * SOL).unwrap();
    let ix = borrow_ix(&world, &attacker, 11_000 * USDC);
    world.refuses(&ix, &[&attacker.key], E::LtvExceeded);
    world.trip(rule).unwrap();
    assert_eq!(world.level(), Level::Halt);
    let ix = borrow_ix(&world, &attacker, 10 * USDC);
    world.refuses(&ix, &[&attacker.key], E::LevelForbids);
    assert_eq!(world.balance(&attacker.usdc), 10 * USDC);
    // and those who were there get out
    world.withdraw_collateral(&honest, SOL).unwrap();
    world.withdraw(&lender, 1_000 * u128::from(USDC) * rampart::constants::VIRTUAL_SHARES).unwrap();
}

/// A stranger's dust let all that the owner had brought in wait for another day, and again the day after.
#[test]
fn gift_of_dust_does_not_let_the_owner_wait_anew() {
    let mut world = world();
    world.lender(900_000 * USDC);
    let borrower = world.borrower(100 * SOL, 10_000 * USDC);
    world.fund(&borrower, 1_000 * SOL, 0);
    world.deposit_collateral(&borrower, 200 * SOL).unwrap();
    let own = world.position(&borrower.position).unripe;
    let stranger = world.user(10, 0);
    world.advance(60);
    let gift = lending::deposit_collateral(&world.keys, stranger.address(), stranger.sol, borrower.address(), 7);
    world.send(&[gift], &[&stranger.key]).unwrap();
    let position = world.position(&borrower.position);
    assert_eq!((position.unripe, position.unripe_given.amount), (own, 7));
    pass(&mut world, DAY - 60);
    let (position, now_ts) = (world.position(&borrower.position), world.now_ts());
    // the gift waits for a day of its own
    assert_eq!(position.ripe_of(position.collateral_amount, now_ts), 300 * SOL);
    world.borrow(&borrower, 15_000 * USDC).unwrap();
    pass(&mut world, 60);
    assert_eq!(position.ripe_of(position.collateral_amount, world.now_ts()), 300 * SOL + 7);
}
