//! New collateral carries nothing for a day and its full loan-to-value only after its warm-up.

use rampart::RegisterAssetArgs;
use rampart::error::RampartError as E;
use rampart::state::{Change, HardBounds};
use rampart_client::{address, admin};
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::leases::Pair;
use rampart_tests::refusals::with_account;
use rampart_tests::{User, World};
use solana_sdk::signer::Signer;

use crate::actions::{borrow_ix, liquidate_ix, withdraw_collateral_ix};

const DAY: i64 = 86_400;
const WEEK: u32 = 7 * DAY as u32;

/// A second pair whose collateral warms up for `warm_up_secs`, at 10 dollars, with a lender of a million USDC.
fn new_pair(warm_up_secs: u32) -> (World, Pair) {
    let mut world = World::with_vault();
    let pair = world.add_pair_of(
        0x31,
        10.0,
        RegisterAssetArgs { warm_up_secs, ..defaults::asset_args(bytemuck::Zeroable::zeroed()) },
    );
    world.lender(1_000_000 * USDC);
    (world, pair)
}

/// Moves the clock to `secs` after the collateral was registered.
fn to(world: &mut World, pair: &Pair, secs: i64) {
    let started = world.sol_asset().warm_up.started_at_ts;
    let wait = started + secs - world.now_ts();
    world.pass_warm(wait, &[*pair]);
}

fn poster(world: &mut World, tokens: u64) -> User {
    let user = world.user(tokens * SOL, 0);
    world.deposit_collateral(&user, tokens * SOL).unwrap();
    user
}

/// Drift, April 2026: collateral from nowhere is listed, priced by sources that agree, and borrowed against at once.
#[test]
fn collateral_that_is_registered_priced_and_borrowed_against_within_a_day_yields_nothing() {
    let (mut world, pair) = new_pair(WEEK);
    // as much as the limits let in, and its price a thousandfold
    let attacker = poster(&mut world, 900_000);
    world.publish(&pair.feeds, 10_000.0);
    let in_cash = world.vault().cash_amount;
    for secs in [3_600, DAY / 2, DAY - 60, DAY] {
        to(&mut world, &pair, secs);
        let ix = borrow_ix(&world, &attacker, 10 * USDC);
        world.refuses(&ix, &[&attacker.key], E::CollateralWarmsUp);
    }
    assert_eq!((world.vault().cash_amount, world.balance(&attacker.usdc)), (in_cash, 0));
}

#[test]
fn weight_rises_in_a_straight_line_after_the_first_day() {
    let (mut world, pair) = new_pair(WEEK);
    // worth 100,000 dollars at the lower end; 70 % when it is warm
    let user = poster(&mut world, 10_005);
    to(&mut world, &pair, 4 * DAY);
    // half of the way: 35 %
    let ix = borrow_ix(&world, &user, 35_050 * USDC);
    world.refuses(&ix, &[&user.key], E::CollateralWarmsUp);
    world.borrow(&user, 34_900 * USDC).unwrap();
    // what stays behind has to carry the debt by the same weight
    let ix = withdraw_collateral_ix(&world, &user, 100 * SOL);
    world.refuses(&ix, &[&user.key], E::CollateralWarmsUp);
    let ix = borrow_ix(&world, &user, 40_000 * USDC);
    world.refuses(&ix, &[&user.key], E::LtvExceeded);
    to(&mut world, &pair, 7 * DAY);
    world.borrow(&user, 34_900 * USDC).unwrap();
    world.withdraw_collateral(&user, SOL).unwrap();
}

#[test]
fn warm_up_makes_nobody_liquidatable() {
    let (mut world, pair) = new_pair(WEEK);
    let user = poster(&mut world, 10_005);
    to(&mut world, &pair, 4 * DAY);
    world.borrow(&user, 34_900 * USDC).unwrap();
    // a longer warm-up takes weight away again
    let change = world.propose(pair.keys.collateral_asset, Change::AssetWarmUp(60 * DAY as u32));
    world.advance(i64::from(defaults::bounds().min_loosen_delay_secs));
    world.execute(change, &[]).unwrap();
    world.pass_warm(60, &[pair]);
    let ix = borrow_ix(&world, &user, 10 * USDC);
    world.refuses(&ix, &[&user.key], E::CollateralWarmsUp);
    let liquidator = world.user(0, 50_000 * USDC);
    let ix = liquidate_ix(&world, &liquidator, user.position, 1_000 * USDC);
    world.refuses(&ix, &[&liquidator.key], E::PositionHealthy);
    // and lets everybody out who owes nothing
    world.fund(&user, 0, 40_000 * USDC);
    world.repay(&user, u64::MAX).unwrap();
    world.withdraw_collateral(&user, 5_000 * SOL).unwrap();
}

#[test]
fn register_asset_fails_below_the_guards_floor_or_beyond_90_days() {
    let mut world = World::with_guard();
    let mut guard = world.guard_state();
    guard.bounds.min_warm_up_secs = 86_400;
    world.store(&world.guard.clone(), &guard);
    let root = world.root.insecure_clone();
    let ix = |world: &World, warm_up_secs| {
        let args = RegisterAssetArgs { warm_up_secs, ..defaults::asset_args(world.sol_feeds.set()) };
        admin::register_asset(world.root.pubkey(), world.guard, world.sol.mint, args)
    };
    for (secs, expected) in [
        (0, E::OutsideHardBounds),
        (86_399, E::OutsideHardBounds),
        (7_776_001, E::WarmUpInvalid),
        (u32::MAX, E::WarmUpInvalid),
    ] {
        let ix = ix(&world, secs);
        world.refuses(&ix, &[&root], expected);
    }
    let ix = ix(&world, 86_400);
    world.send_as_root(&[ix]).unwrap();
    assert_eq!(world.sol_asset().warm_up.duration_secs, 86_400);
}

#[test]
fn warm_up_shortens_only_as_a_change_that_waits_and_not_below_the_floor() {
    let (mut world, pair) = new_pair(WEEK);
    let root = world.root.insecure_clone();
    let (guard_key, mut guard) = (world.guard, world.guard_state());
    guard.bounds = HardBounds { min_warm_up_secs: 3 * DAY as u32, ..guard.bounds };
    world.store(&guard_key, &guard);
    let asset = pair.keys.collateral_asset;
    let below = world.propose_ix(asset, Change::AssetWarmUp(3 * DAY as u32 - 1));
    world.refuses(&below, &[&root], E::OutsideHardBounds);
    let beyond = world.propose_ix(asset, Change::AssetWarmUp(7_776_001));
    world.refuses(&beyond, &[&root], E::WarmUpInvalid);
    let foreign = world.other_guard();
    let theirs = with_account(&world.propose_ix(asset, Change::AssetWarmUp(WEEK - 1)), 2, foreign.collateral_asset);
    world.refuses(&theirs, &[&root], E::ChangeTargetMismatch);
    let change = world.propose(asset, Change::AssetWarmUp(3 * DAY as u32));
    let early = world.execute_ix(change, &[]);
    world.refuses(&early, &[], E::ChangeNotRipe);
    world.ripen();
    world.execute(change, &[]).unwrap();
    assert_eq!(world.sol_asset().warm_up.duration_secs, 3 * DAY as u32);
    assert_eq!(
        world.load::<rampart::state::Asset>(&address::asset(&world.guard, &pair.mint.mint)).warm_up.reserved,
        [0; 4]
    );
}
