//! Taking lent tokens back.

use crate::actions::{Scene, at_every_level, shares_for, under_every_doubt, withdraw_ix, worth};
use rampart::WithdrawArgs;
use rampart::error::RampartError as E;
use rampart::state::Level;
use rampart_client::lending;
use rampart_tests::World;
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC, drawdown_rule};
use rampart_tests::refusal::assert_refused;
use rampart_tests::scenario::Scope;

/// Shares of one USDC in a vault that has earned nothing.
const SHARES: u128 = USDC as u128 * rampart::constants::VIRTUAL_SHARES;

#[test]
fn withdraw_burns_shares_and_pays_their_worth() {
    let mut world = World::with_vault();
    let (user, other) = (world.lender(3_000 * USDC), world.lender(500 * USDC));
    world.withdraw(&user, 1_200 * SHARES).unwrap();
    let (vault, position) = (world.vault(), world.position(&user.position));
    assert_eq!(position.supply_shares.get(), 1_800 * SHARES);
    assert_eq!(vault.supply_shares.get(), 2_300 * SHARES);
    assert_eq!((vault.cash_amount, vault.totals.withdrawn_amount), (2_300 * USDC, 1_200 * USDC));
    assert_eq!((world.balance(&user.usdc), position.supply_credit.amount), (1_200 * USDC, 1_800 * USDC));
    world.withdraw(&user, 1_800 * SHARES).unwrap();
    assert_eq!(world.balance(&user.usdc), 3_000 * USDC);
    assert!(world.position(&user.position).is_empty());
    world.assert_books(&[&user, &other], Donated::default());
}

#[test]
fn withdraw_pays_interest_to_every_lender() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(1_000 * SOL, 80_000 * USDC);
    world.fund(&borrower, 0, 2_000 * USDC);
    world.advance(30 * 86_400);
    world.repay(&borrower, u64::MAX).unwrap();
    let shares = world.position(&lender.position).supply_shares.get();
    let due = worth(&world, &lender);
    // 80 % lent at 10 % a year for 30 days is 657.5 USDC, a tenth of which is kept against bad debt
    assert!((100_591 * USDC..100_592 * USDC).contains(&due), "{due}");
    world.withdraw(&lender, shares).unwrap();
    assert_eq!(world.balance(&lender.usdc), due);
    assert!((65 * USDC..66 * USDC).contains(&world.vault().insurance_amount));
    world.assert_books(&[&lender, &borrower], Donated::default());
}

#[test]
fn withdraw_fails_for_nothing_or_more_than_held() {
    let mut s = Scene::new();
    let held = s.world.position(&s.lender.position).supply_shares.get();
    let cases = [(0, E::ZeroAmount), (held + 1, E::AmountExceedsPosition), (u128::MAX, E::AmountExceedsPosition)];
    for (shares, error) in cases {
        let ix = withdraw_ix(&s.world, &s.lender, shares);
        assert_refused(&mut s.world, &ix, &[&s.lender.key], error);
    }
    let worthless = withdraw_ix(&s.world, &s.lender, 1);
    assert_refused(&mut s.world, &worthless, &[&s.lender.key], E::SlippageExceeded);
    let of_nobody = withdraw_ix(&s.world, &s.stranger, 1);
    assert_refused(&mut s.world, &of_nobody, &[&s.stranger.key], E::AmountExceedsPosition);
}

/// Shares that round to nothing would otherwise keep a position, and its rent, for ever.
#[test]
fn withdraw_of_the_last_shares_may_pay_nothing() {
    let mut world = World::with_vault();
    let lender = world.lender(100 * USDC);
    world.advance(3_600);
    world.withdraw(&lender, 100 * SHARES - 1).unwrap();
    let paid = world.balance(&lender.usdc);
    let ix = lending::withdraw(&world.keys, lender.address(), lender.usdc, WithdrawArgs { shares: 1, min_amount: 1 });
    assert_refused(&mut world, &ix, &[&lender.key], E::SlippageExceeded);
    world.withdraw(&lender, 1).unwrap();
    assert!(world.position(&lender.position).is_empty());
    assert_eq!(world.balance(&lender.usdc), paid);
}

#[test]
fn withdraw_fails_below_the_least_asked_for() {
    let mut s = Scene::new();
    let (keys, owner, to) = (s.world.keys, s.lender.address(), s.lender.usdc);
    let shares = shares_for(&s.world, 100 * USDC);
    let ix = |min_amount| lending::withdraw(&keys, owner, to, WithdrawArgs { shares, min_amount });
    assert_refused(&mut s.world, &ix(100 * USDC + 1), &[&s.lender.key], E::SlippageExceeded);
    s.world.send(&[ix(100 * USDC)], &[&s.lender.key]).unwrap();
}

#[test]
fn withdraw_fails_beyond_the_cash_that_is_there() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    world.borrower(1_000 * SOL, 80_000 * USDC);
    let too_much = withdraw_ix(&world, &lender, shares_for(&world, 20_000 * USDC + 1));
    assert_refused(&mut world, &too_much, &[&lender.key], E::InsufficientCash);
    let shares = shares_for(&world, 20_000 * USDC);
    world.withdraw(&lender, shares).unwrap();
    assert_eq!((world.vault().cash_amount, world.balance(&lender.usdc)), (0, 20_000 * USDC));
}

#[test]
fn withdraw_goes_on_through_the_floor_after_a_trip() {
    let mut world = World::with_vault();
    let rule = world.create_rule(1, world.keys.collateral_asset, drawdown_rule());
    let lender = world.lender(1_000_000 * USDC);
    world.tick(30, 120.0, 1.0);
    world.trip(rule).unwrap();
    assert_eq!(world.level(), Level::ReduceOnly);
    let above = withdraw_ix(&world, &lender, 10_000 * SHARES + 1);
    assert_refused(&mut world, &above, &[&lender.key], E::ExitFloorUsed);
    world.withdraw(&lender, 4_000 * SHARES).unwrap();
    world.withdraw(&lender, 6_000 * SHARES).unwrap();
    let more = withdraw_ix(&world, &lender, SHARES);
    assert_refused(&mut world, &more, &[&lender.key], E::ExitFloorUsed);
    assert_eq!(world.balance(&lender.usdc), 10_000 * USDC);
}

#[test]
fn withdraw_gets_a_new_floor_each_day_of_the_same_base() {
    let mut world = World::with_vault();
    let lender = world.lender(1_000_000 * USDC);
    world.raise(Scope::Guard, Level::Halt);
    for day in 1..=3u64 {
        world.withdraw(&lender, 10_000 * SHARES).unwrap();
        let more = withdraw_ix(&world, &lender, SHARES);
        assert_refused(&mut world, &more, &[&lender.key], E::ExitFloorUsed);
        assert_eq!(world.balance(&lender.usdc), day * 10_000 * USDC);
        world.advance(86_399);
        let early = withdraw_ix(&world, &lender, SHARES);
        assert_refused(&mut world, &early, &[&lender.key], E::ExitFloorUsed);
        world.advance(1);
    }
}

#[test]
fn withdraw_of_one_owner_leaves_the_floor_of_others() {
    let mut world = World::with_vault();
    let (whale, small) = (world.lender(5_000_000 * USDC), world.lender(10_000 * USDC));
    world.advance(3_600);
    world.raise(Scope::Vault, Level::ReduceOnly);
    world.withdraw(&whale, 50_000 * SHARES).unwrap();
    world.withdraw(&small, 100 * SHARES).unwrap();
    assert_eq!(world.balance(&small.usdc), 100 * USDC);
}

#[test]
fn withdraw_has_half_its_budget_at_caution() {
    let mut world = World::with_vault();
    let lender = world.lender(2_000_000 * USDC);
    world.advance(3_600);
    world.raise(Scope::LoanAsset, Level::Caution);
    // L is 1,000,000: 60 % for exits, half of it at this level, half of it at once, 40 % held back for the floor
    let above = withdraw_ix(&world, &lender, shares_for(&world, 90_000 * USDC + 1));
    assert_refused(&mut world, &above, &[&lender.key], E::HourlyLimitReached);
    world.withdraw(&lender, 90_000 * SHARES).unwrap();
}

#[test]
fn withdraw_passes_at_every_level_and_under_every_doubt() {
    let Scene { mut world, lender, .. } = Scene::new();
    let before = world.balance(&lender.usdc);
    at_every_level(&mut world, |w| {
        w.withdraw(&lender, SHARES).unwrap();
    });
    under_every_doubt(&mut world, |w| {
        w.withdraw(&lender, SHARES).unwrap();
    });
    assert!((19 * USDC..=20 * USDC).contains(&(world.balance(&lender.usdc) - before)));
}

#[test]
fn case_087_withdraw_of_one_unit_at_a_time_never_gains() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(1_000 * SOL, 80_000 * USDC);
    world.advance(77_777);
    let user = world.lender(1_000);
    for _ in 0..150 {
        let shares = shares_for(&world, 1);
        if shares > world.position(&user.position).supply_shares.get() || world.withdraw(&user, shares).is_err() {
            break;
        }
    }
    let rest = worth(&world, &user);
    assert!(world.balance(&user.usdc) >= 140, "the steps landed");
    assert!(world.balance(&user.usdc) + rest <= 1_000, "rounding is against the caller");
    world.assert_books(&[&lender, &borrower, &user], Donated::default());
}

#[test]
fn withdraw_fails_with_any_wrong_account() {
    let mut s = Scene::new();
    let user = s.world.lender(1_000 * USDC);
    let ix = withdraw_ix(&s.world, &user, SHARES);
    s.assert_accounts_checked(&ix, &user, E::WrongAuthority);
    s.world.withdraw(&user, SHARES).unwrap();
}
