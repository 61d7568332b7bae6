//! Soft deleveraging: its band, its quota, its fence.

use crate::actions::{
    LIQUIDATION_ORACLES, assert_doubt_refused, assert_oracle_accounts_checked, debt, deleverage_ix, liquidate_ix,
};
use crate::forced::{assert_forced_accounts_checked, at_risk, crash};
use rampart::LiquidateArgs;
use rampart::error::RampartError as E;
use rampart::state::{Asset, Level};
use rampart_client::{Pubkey, liquidation};
use rampart_tests::World;
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::{TokenRefusal, assert_refused};
use rampart_tests::scenario::Scope;
use rampart_tests::world::liquidator;

/// Lets a slot pass at the prices that stand.
fn next_slot(world: &mut World) {
    world.set_clock(world.now_ts(), world.slot() + 1);
}

#[test]
fn deleverage_repays_a_tenth_at_the_low_bonus() {
    let (mut world, [lender, borrower, by]) = at_risk();
    crash(&mut world, 130.0);
    world.deleverage(&by, borrower.position, u64::MAX).unwrap();
    let (vault, position) = (world.vault(), world.position(&borrower.position));
    // 1,010 dollars of SOL at 130 · 1.0005 / 0.9995
    let seized = world.balance(&by.sol);
    assert!((7_761_000_000..7_762_000_000).contains(&seized), "{seized}");
    assert_eq!((world.balance(&by.usdc), debt(&world, &borrower)), (99_000 * USDC, 9_000 * USDC));
    assert_eq!((vault.cash_amount, vault.collateral_amount), (991_000 * USDC, 100 * SOL - seized));
    assert_eq!((position.liquidation_seq, position.soft_quota.repaid_amount), (1, 1_000 * USDC));
    assert_eq!((vault.totals.liquidated_amount, vault.totals.seized_amount), (1_000 * USDC, seized));
    world.assert_books(&[&lender, &borrower, &by], Donated::default());
}

#[test]
fn deleverage_fails_outside_its_band() {
    let (mut world, [lender, borrower, by]) = at_risk();
    // 74.9 % and 80.05 % at the owner's end; 75.03 % in the middle but 74.95 % at the owner's end
    for dollars in [150.0, 133.4, 133.28, 124.8, 60.0] {
        crash(&mut world, dollars);
        let ix = deleverage_ix(&world, &by, borrower.position, u64::MAX);
        assert_refused(&mut world, &ix, &[&by.key], E::OutsideSoftBand);
    }
    let free = deleverage_ix(&world, &by, lender.position, u64::MAX);
    assert_refused(&mut world, &free, &[&by.key], E::OutsideSoftBand);
    for dollars in [133.1, 125.0] {
        let (mut world, [_, borrower, by]) = at_risk();
        crash(&mut world, dollars);
        world.deleverage(&by, borrower.position, u64::MAX).unwrap();
    }
}

#[test]
fn deleverage_fails_beyond_its_quota_until_the_hour_is_over() {
    let (mut world, [lender, borrower, by]) = at_risk();
    crash(&mut world, 126.0);
    for _ in 0..2 {
        world.deleverage(&by, borrower.position, 500 * USDC).unwrap();
        next_slot(&mut world);
    }
    let ix = deleverage_ix(&world, &by, borrower.position, u64::MAX);
    assert_refused(&mut world, &ix, &[&by.key], E::SoftQuotaUsed);
    world.tick(3_599, 126.0, 1.0);
    assert_refused(&mut world, &ix, &[&by.key], E::SoftQuotaUsed);
    world.tick(1, 126.0, 1.0);
    world.send(&[ix], &[&by.key]).unwrap();
    // a tenth of the 9,000 that were left
    assert_eq!(world.balance(&by.usdc) / USDC, 98_099);
    world.assert_books(&[&lender, &borrower, &by], Donated::default());
}

#[test]
fn deleverage_keeps_to_its_quota_in_any_hour() {
    // an hour that only began with the first repayment let 19 % of the debt go within a second of its end
    let (mut world, [_, borrower, by]) = at_risk();
    crash(&mut world, 126.0);
    world.deleverage(&by, borrower.position, 200 * USDC).unwrap();
    world.tick(3_599, 126.0, 1.0);
    world.deleverage(&by, borrower.position, 800 * USDC).unwrap();
    world.tick(1, 126.0, 1.0);
    let ix = deleverage_ix(&world, &by, borrower.position, u64::MAX);
    assert_refused(&mut world, &ix, &[&by.key], E::SoftQuotaUsed);
    world.tick(3_599, 126.0, 1.0);
    world.send(&[ix], &[&by.key]).unwrap();
}

#[test]
fn deleverage_shares_the_fence_with_liquidate() {
    let (mut world, [_, borrower, by]) = at_risk();
    crash(&mut world, 126.0);
    let second = deleverage_ix(&world, &by, borrower.position, 500 * USDC);
    world.deleverage(&by, borrower.position, 400 * USDC).unwrap();
    assert_refused(&mut world, &second, &[&by.key], E::LiquidationSeqMoved);
    let again = deleverage_ix(&world, &by, borrower.position, 500 * USDC);
    assert_refused(&mut world, &again, &[&by.key], E::LiquidatedThisSlot);
    crash(&mut world, 111.0);
    let hard = liquidate_ix(&world, &by, borrower.position, u64::MAX);
    assert_refused(&mut world, &hard, &[&by.key], E::LiquidatedThisSlot);
    next_slot(&mut world);
    world.send(&[hard], &[&by.key]).unwrap();
}

#[test]
fn deleverage_fails_for_dust_and_for_leaving_dust() {
    let (mut world, [_, borrower, by]) = at_risk();
    let small = world.borrower(SOL / 10, 10 * USDC);
    crash(&mut world, 126.0);
    let cases = [
        (borrower.position, 0, E::ZeroAmount),
        (borrower.position, 10 * USDC - 1, E::RepayTooSmall),
        (small.position, u64::MAX, E::DebtBelowMinimum),
    ];
    for (position, max_repay, error) in cases {
        let ix = deleverage_ix(&world, &by, position, max_repay);
        assert_refused(&mut world, &ix, &[&by.key], error);
    }
}

#[test]
fn deleverage_fails_below_the_least_seizure_asked_for() {
    let (mut world, [_, borrower, by]) = at_risk();
    crash(&mut world, 130.0);
    let with = |min_seize_amount| LiquidateArgs { liquidation_seq: 0, max_repay_amount: u64::MAX, min_seize_amount };
    let (keys, oracles) = (world.keys, world.pair_oracles());
    let ix = |min| liquidation::deleverage(&keys, borrower.position, liquidator(&by), &oracles, with(min));
    assert_refused(&mut world, &ix(7_762_000_000), &[&by.key], E::SeizedBelowMinimum);
    world.send(&[ix(7_761_000_000)], &[&by.key]).unwrap();
}

#[test]
fn deleverage_passes_at_every_level_at_a_price_of_two_sources() {
    for level in [Level::Caution, Level::ReduceOnly, Level::Halt] {
        let (mut world, [_, borrower, by]) = at_risk();
        crash(&mut world, 130.0);
        world.raise(Scope::LoanAsset, level);
        world.deleverage(&by, borrower.position, u64::MAX).unwrap();
    }
}

#[test]
fn deleverage_at_a_halt_fails_at_a_price_of_one_source() {
    let (mut world, [_, borrower, by]) = at_risk();
    let key = world.keys.loan_asset;
    let mut asset: Asset = world.load(&key);
    asset.oracle.required = 1;
    world.store(&key, &asset);
    crash(&mut world, 130.0);
    let switchboard = world.usdc_feeds.switchboard;
    world.put_account(switchboard, Pubkey::default(), vec![]);
    let ix = deleverage_ix(&world, &by, borrower.position, u64::MAX);
    world.raise(Scope::Guard, Level::Halt);
    assert_refused(&mut world, &ix, &[&by.key], E::TwoSourcesRequired);
    world.calm(Scope::Guard);
    world.send(&[ix], &[&by.key]).unwrap();
}

#[test]
fn deleverage_fails_while_a_price_is_in_doubt() {
    let (mut world, [_, borrower, by]) = at_risk();
    crash(&mut world, 130.0);
    let ix = deleverage_ix(&world, &by, borrower.position, u64::MAX);
    assert_doubt_refused(&mut world, &ix, &by);
    assert_oracle_accounts_checked(&mut world, &ix, &by, LIQUIDATION_ORACLES);
    world.send(&[ix], &[&by.key]).unwrap();
}

#[test]
fn deleverage_fails_beyond_the_callers_balance() {
    let (mut world, [_, borrower, _]) = at_risk();
    let poor = world.user(0, 100 * USDC);
    crash(&mut world, 130.0);
    let ix = deleverage_ix(&world, &poor, borrower.position, u64::MAX);
    assert_refused(&mut world, &ix, &[&poor.key], TokenRefusal::InsufficientFunds);
}

#[test]
fn deleverage_fails_with_any_wrong_account() {
    let (mut world, [_, borrower, by]) = at_risk();
    crash(&mut world, 130.0);
    let ix = deleverage_ix(&world, &by, borrower.position, u64::MAX);
    assert_forced_accounts_checked(&mut world, &ix, &by, &borrower);
    world.send(&[ix], &[&by.key]).unwrap();
}
