//! Liquidation: how much, at what price, by whom and how often.

use crate::actions::{
    LIQUIDATION_ORACLES, assert_doubt_refused, assert_oracle_accounts_checked, debt, liquidate_ix, repay_ix, worth,
};
use crate::forced::{assert_forced_accounts_checked, at_risk, crash};
use rampart::LiquidateArgs;
use rampart::error::RampartError as E;
use rampart::state::resolution::ResolutionState;
use rampart::state::{Asset, Level};
use rampart_client::{Pubkey, lending, liquidation};
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC, drawdown_rule};
use rampart_tests::officers::one_source;
use rampart_tests::refusal::{TokenRefusal, assert_refused};
use rampart_tests::scenario::{SCOPES, Scope};
use rampart_tests::world::liquidator;
use rampart_tests::{User, World};

#[test]
fn liquidate_repays_the_close_factor_for_collateral_at_the_bonus() {
    let (mut world, [lender, borrower, by]) = at_risk();
    crash(&mut world, 124.0);
    world.liquidate(&by, borrower.position, u64::MAX).unwrap();
    let (vault, position) = (world.vault(), world.position(&borrower.position));
    // loan-to-value 80.56 %: 27.8 % of the debt at a bonus of 3.18 %; a SOL counts for 124 · 1.0005 / 0.9995
    let seized = world.balance(&by.sol);
    assert_eq!(world.balance(&by.usdc), 100_000 * USDC - 2_780 * USDC);
    assert!((23_109_000_000..23_110_000_000).contains(&seized), "{seized}");
    assert_eq!((position.collateral_amount, vault.collateral_amount), (100 * SOL - seized, 100 * SOL - seized));
    assert_eq!((debt(&world, &borrower), vault.cash_amount), (7_220 * USDC, 992_780 * USDC));
    assert_eq!((vault.totals.liquidated_amount, vault.totals.seized_amount), (2_780 * USDC, seized));
    assert_eq!((vault.totals.bad_debt_amount, vault.lenders_amount().unwrap()), (0, 1_000_000 * USDC));
    assert_eq!((position.liquidation_seq, position.last_liquidation_slot), (1, world.slot()));
    world.assert_books(&[&lender, &borrower, &by], Donated::default());
}

#[test]
fn liquidate_pays_a_bonus_that_ramps_and_never_exceeds_the_surplus() {
    // (dollars, repaid in USDC, bonus in bps): at the line, in between, and where the surplus is the limit
    for (dollars, repaid, bonus_bps) in [(124.8, 2_520.0, 301.0), (111.0, 7_500.0, 633.0), (104.0, 10_000.0, 410.0)] {
        let (mut world, [_, borrower, by]) = at_risk();
        crash(&mut world, dollars);
        world.liquidate(&by, borrower.position, u64::MAX).unwrap();
        let paid = (100_000 * USDC - world.balance(&by.usdc)) as f64 / USDC as f64;
        let received = world.balance(&by.sol) as f64 / SOL as f64 * dollars * 1.0005 / 0.9995;
        assert!((paid - repaid).abs() < 1.0, "{dollars}: {paid}");
        let found_bps = (received / paid - 1.0) * 10_000.0;
        assert!((found_bps - bonus_bps).abs() < 1.0 && found_bps <= bonus_bps + 1e-3, "{dollars}: {found_bps}");
    }
}

#[test]
fn liquidate_fails_at_the_owners_end_of_the_price() {
    let (mut world, [_, borrower, by]) = at_risk();
    let ix = liquidate_ix(&world, &by, borrower.position, u64::MAX);
    assert_refused(&mut world, &ix, &[&by.key], E::PositionHealthy);
    // 80.03 % in the middle of the band, 79.95 % at the owner's end
    crash(&mut world, 124.95);
    assert_refused(&mut world, &ix, &[&by.key], E::PositionHealthy);
    let (feeds, now_ts) = (world.sol_feeds, world.now_ts());
    world.publish_pyth(&feeds, 124.0, 100, now_ts);
    world.publish_switchboard(&feeds, 124.0, 5, now_ts);
    assert_refused(&mut world, &ix, &[&by.key], E::PositionHealthy);
    crash(&mut world, 124.8);
    world.send(&[ix], &[&by.key]).unwrap();
}

#[test]
fn liquidate_without_debt_fails() {
    let (mut world, [lender, _, by]) = at_risk();
    crash(&mut world, 1.0);
    let ix = liquidate_ix(&world, &by, lender.position, u64::MAX);
    assert_refused(&mut world, &ix, &[&by.key], E::PositionHealthy);
}

#[test]
fn liquidate_by_the_second_of_two_keepers_fails() {
    let (mut world, [_, borrower, by]) = at_risk();
    let rival = world.user(0, 100_000 * USDC);
    crash(&mut world, 111.0);
    let first = liquidate_ix(&world, &by, borrower.position, 1_000 * USDC);
    let second = liquidate_ix(&world, &rival, borrower.position, 1_000 * USDC);
    world.send(&[first], &[&by.key]).unwrap();
    assert_refused(&mut world, &second, &[&rival.key], E::LiquidationSeqMoved);
    world.advance(1);
    assert_refused(&mut world, &second, &[&rival.key], E::LiquidationSeqMoved);
    let args = LiquidateArgs { liquidation_seq: 2, max_repay_amount: 1_000 * USDC, min_seize_amount: 0 };
    let oracles = world.pair_oracles();
    let ahead = liquidation::liquidate(&world.keys, borrower.position, liquidator(&rival), &oracles, args);
    assert_refused(&mut world, &ahead, &[&rival.key], E::LiquidationSeqMoved);
}

#[test]
fn case_093_liquidate_twice_in_a_slot_fails() {
    let (mut world, [lender, borrower, by]) = at_risk();
    crash(&mut world, 111.0);
    world.liquidate(&by, borrower.position, 1_000 * USDC).unwrap();
    let again = liquidate_ix(&world, &by, borrower.position, 1_000 * USDC);
    assert_refused(&mut world, &again, &[&by.key], E::LiquidatedThisSlot);
    world.set_clock(world.now_ts(), world.slot() + 1);
    world.send(&[again], &[&by.key]).unwrap();
    assert_eq!(world.position(&borrower.position).liquidation_seq, 2);
    world.assert_books(&[&lender, &borrower, &by], Donated::default());
}

#[test]
fn liquidate_lands_after_the_owners_dust_repay() {
    let (mut world, [_, borrower, by]) = at_risk();
    crash(&mut world, 111.0);
    let ix = liquidate_ix(&world, &by, borrower.position, u64::MAX);
    let dust = repay_ix(&world, &borrower, 1);
    world.send(&[dust, ix], &[&borrower.key, &by.key]).unwrap();
    assert_eq!(world.position(&borrower.position).liquidation_seq, 1);
}

#[test]
fn liquidate_fails_for_dust_and_for_leaving_dust() {
    let (mut world, [_, borrower, by]) = at_risk();
    let small = world.borrower(SOL / 4, 25 * USDC);
    crash(&mut world, 103.0);
    let cases = [
        (&borrower, 0, E::ZeroAmount),
        (&borrower, 10 * USDC - 1, E::RepayTooSmall),
        (&small, 16 * USDC, E::DebtBelowMinimum),
    ];
    for (user, max_repay, error) in cases {
        let ix = liquidate_ix(&world, &by, user.position, max_repay);
        assert_refused(&mut world, &ix, &[&by.key], error);
    }
    world.liquidate(&by, small.position, u64::MAX).unwrap();
    assert_eq!(debt(&world, &small), 0);
}

#[test]
fn liquidate_fails_below_the_least_seizure_asked_for() {
    let (mut world, [_, borrower, by]) = at_risk();
    crash(&mut world, 124.0);
    let with = |min_seize_amount| LiquidateArgs { liquidation_seq: 0, max_repay_amount: u64::MAX, min_seize_amount };
    let (keys, oracles) = (world.keys, world.pair_oracles());
    let ix = |min| liquidation::liquidate(&keys, borrower.position, liquidator(&by), &oracles, with(min));
    assert_refused(&mut world, &ix(23_110_000_000), &[&by.key], E::SeizedBelowMinimum);
    world.send(&[ix(23_109_000_000)], &[&by.key]).unwrap();
}

#[test]
fn liquidate_insolvent_takes_the_insurance_first_and_the_share_price_at_once() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(1_000 * SOL, 80_000 * USDC);
    let by = world.user(0, 200_000 * USDC);
    world.advance(30 * 86_400);
    crash(&mut world, 70.0);
    let (owed, before) = (debt(&world, &borrower), worth(&world, &lender));
    world.liquidate(&by, borrower.position, u64::MAX).unwrap();
    let vault = world.vault();
    // 1,000 SOL at 70 · 1.0005 / 0.9995 are worth 70,070.04; at 3 % they are sold for 68,029.16
    let paid = 200_000 * USDC - world.balance(&by.usdc);
    assert!((68_029 * USDC..68_030 * USDC).contains(&paid), "{paid}");
    assert_eq!((world.balance(&by.sol), world.position(&borrower.position).is_empty()), (1_000 * SOL, true));
    let (bad, insured) = (vault.totals.bad_debt_amount, vault.totals.insured_amount);
    assert!(bad == owed - paid || bad == owed - paid + 1, "rounded against the vault by one unit at most");
    assert!((65 * USDC..66 * USDC).contains(&insured) && vault.insurance_amount == 0);
    let (lost, due) = (before - worth(&world, &lender), bad - insured);
    assert!(lost.abs_diff(due) <= 5, "{lost} of {due}");
    world.assert_books(&[&lender, &borrower, &by], Donated::default());
}

#[test]
fn liquidate_insolvent_within_the_insurance_costs_lenders_nothing() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let (big, small) = (world.borrower(10_000 * SOL, 79_000 * USDC), world.borrower(SOL / 2, 50 * USDC));
    let by = world.user(0, 200_000 * USDC);
    world.advance(30 * 86_400);
    crash(&mut world, 80.0);
    let before = worth(&world, &lender);
    world.liquidate(&by, small.position, u64::MAX).unwrap();
    let vault = world.vault();
    assert!(vault.totals.bad_debt_amount > 10 * USDC && vault.totals.insured_amount == vault.totals.bad_debt_amount);
    assert!(worth(&world, &lender) >= before);
    world.assert_books(&[&lender, &big, &small, &by], Donated::default());
}

#[test]
fn case_094_liquidate_insolvent_by_halves_fails() {
    let (mut world, [_, borrower, by]) = at_risk();
    crash(&mut world, 90.0);
    let ix = liquidate_ix(&world, &by, borrower.position, 8_000 * USDC);
    assert_refused(&mut world, &ix, &[&by.key], E::DebtBelowMinimum);
}

#[test]
fn liquidate_without_collateral_writes_the_debt_off_for_nothing() {
    let (mut world, [lender, borrower, by]) = at_risk();
    // no instruction leaves debt without collateral: put there by hand
    let (mut vault, mut position) = (world.vault(), world.position(&borrower.position));
    (vault.collateral_amount, position.collateral_amount) = (0, 0);
    world.store(&world.keys.vault.clone(), &vault);
    world.store(&borrower.position, &position);
    world.liquidate(&by, borrower.position, 0).unwrap();
    assert_eq!((world.balance(&by.usdc), world.balance(&by.sol)), (100_000 * USDC, 0));
    assert_eq!(world.vault().totals.bad_debt_amount, 10_000 * USDC);
    assert_eq!(worth(&world, &lender), 990_000 * USDC);
}

#[test]
fn liquidate_passes_at_every_level_at_a_price_of_two_sources() {
    for level in [Level::Caution, Level::ReduceOnly, Level::Halt] {
        let (mut world, [_, borrower, by]) = at_risk();
        crash(&mut world, 124.0);
        world.raise(Scope::Guard, level);
        world.raise(Scope::CollateralAsset, level);
        world.liquidate(&by, borrower.position, u64::MAX).unwrap();
    }
}

#[test]
fn liquidate_at_a_halt_fails_at_a_price_of_one_source() {
    let (mut world, [_, borrower, by]) = at_risk();
    let key = world.keys.collateral_asset;
    let mut asset: Asset = world.load(&key);
    asset.oracle.required = 1;
    world.store(&key, &asset);
    crash(&mut world, 124.0);
    let switchboard = world.sol_feeds.switchboard;
    world.put_account(switchboard, Pubkey::default(), vec![]);
    let ix = liquidate_ix(&world, &by, borrower.position, u64::MAX);
    world.raise(Scope::Vault, Level::Halt);
    assert_refused(&mut world, &ix, &[&by.key], E::TwoSourcesRequired);
    world.calm(Scope::Vault);
    world.raise(Scope::Vault, Level::ReduceOnly);
    world.send(&[ix], &[&by.key]).unwrap();
}

/// Two sources that can't be waited for: bad debt piled up behind a halt.
#[test]
fn liquidate_goes_on_in_a_halt_where_an_asset_has_a_single_source() {
    let (mut world, [_, borrower, by]) = at_risk();
    let key = world.keys.collateral_asset;
    let mut asset: Asset = world.load(&key);
    asset.oracle = one_source(asset.oracle);
    world.store(&key, &asset);
    crash(&mut world, 124.0);
    let oracles = [&world.sol_feeds.metas()[..1], &world.usdc_feeds.metas()].concat();
    let args = world.liquidate_args(borrower.position, u64::MAX);
    let ix = liquidation::liquidate(&world.keys, borrower.position, liquidator(&by), &oracles, args);
    for scope in SCOPES {
        let mut world = world.replica();
        world.raise(scope, Level::Halt);
        world.send(std::slice::from_ref(&ix), &[&by.key]).unwrap();
        // all else is halted all the same
        let borrow = lending::borrow(&world.keys, borrower.address(), borrower.usdc, &oracles, USDC);
        assert_refused(&mut world, &borrow, &[&borrower.key], E::LevelForbids);
    }
    // Resolution is another matter until its date
    let mut vault = world.vault();
    vault.resolution.state = ResolutionState::Entered as u8;
    vault.resolution.ends_at_ts = world.now_ts() + 60;
    world.store(&world.keys.vault.clone(), &vault);
    assert_refused(&mut world, &ix, &[&by.key], E::LevelForbids);
    world.advance(60);
    crash(&mut world, 124.0);
    world.send(&[ix], &[&by.key]).unwrap();
}

#[test]
fn case_053_liquidate_goes_on_after_a_trip_and_at_a_cold_reference() {
    let (mut world, [_, borrower, by]) = at_risk();
    let rule = world.create_rule(1, world.keys.collateral_asset, drawdown_rule());
    world.tick(30, 111.0, 1.0);
    world.trip(rule).unwrap();
    world.liquidate(&by, borrower.position, 1_000 * USDC).unwrap();
    world.advance(7_200);
    crash(&mut world, 111.0);
    world.liquidate(&by, borrower.position, 1_000 * USDC).unwrap();
}

#[test]
fn liquidate_fails_while_a_price_is_in_doubt() {
    let (mut world, [_, borrower, by]) = at_risk();
    crash(&mut world, 111.0);
    let ix = liquidate_ix(&world, &by, borrower.position, u64::MAX);
    assert_doubt_refused(&mut world, &ix, &by);
    assert_oracle_accounts_checked(&mut world, &ix, &by, LIQUIDATION_ORACLES);
    world.send(&[ix], &[&by.key]).unwrap();
}

#[test]
fn liquidate_fails_beyond_the_liquidators_balance() {
    let (mut world, [_, borrower, _]) = at_risk();
    let poor = world.user(0, 100 * USDC);
    crash(&mut world, 111.0);
    let ix = liquidate_ix(&world, &poor, borrower.position, u64::MAX);
    assert_refused(&mut world, &ix, &[&poor.key], TokenRefusal::InsufficientFunds);
}

#[test]
fn case_092_liquidate_of_the_own_position_gains_nothing_from_the_vault() {
    let (mut world, [lender, borrower, by]) = at_risk();
    crash(&mut world, 111.0);
    let before = worth(&world, &lender);
    world.liquidate(&borrower, borrower.position, u64::MAX).unwrap();
    let own = world.balance(&borrower.sol) + world.position(&borrower.position).collateral_amount;
    assert_eq!((own, world.balance(&borrower.usdc)), (100 * SOL, debt(&world, &borrower)));
    assert_eq!(worth(&world, &lender), before);
    world.assert_books(&[&lender, &borrower, &by], Donated::default());
}

#[test]
fn liquidate_fails_with_any_wrong_account() {
    let (mut world, [_, borrower, by]): (World, [User; 3]) = at_risk();
    crash(&mut world, 111.0);
    let ix = liquidate_ix(&world, &by, borrower.position, u64::MAX);
    assert_forced_accounts_checked(&mut world, &ix, &by, &borrower);
    world.send(&[ix], &[&by.key]).unwrap();
}
