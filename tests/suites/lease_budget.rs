//! Leasing a part of the dollar limit to a vault.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError as E;
use rampart::events::LeaseGranted;
use rampart::math::price::Q64_ONE;
use rampart::state::{AggregateParams, Asset, Switch};
use rampart_client::{address, aggregate};
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::events::the_one_logged;
use rampart_tests::leases::USD;
use rampart_tests::refusals::{with_account, with_extra, with_last_two_swapped, with_read_only, without_last};
use rampart_tests::scenario::Fault;
use rampart_tests::{World, assert_error};
use solana_sdk::signer::Signer;

const GUARD: usize = 0;
const LIMIT: usize = 1;
const COLLATERAL: usize = 2;
const LOAN: usize = 3;
const VAULT: usize = 4;

fn in_dollars(q64: u128, units: u64) -> f64 {
    q64 as f64 / Q64_ONE as f64 * units as f64 / USD as f64
}

/// Dollars that a whole token of each mint costs: the loan's, the collateral's.
fn costs(world: &World) -> [f64; 2] {
    let lease = world.vault().lease;
    [in_dollars(lease.loan_cost_q64.get(), USDC), in_dollars(lease.collateral_cost_q64.get(), SOL)]
}

#[track_caller]
fn assert_costs(world: &World, expected: [f64; 2]) {
    for (found, expected) in costs(world).into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} and not {expected}");
    }
}

#[test]
fn lease_budget_grants_to_the_vault_and_fixes_what_base_units_cost() {
    let mut world = World::with_aggregate();
    world.lender(500_000 * USDC);
    let landed = world.lease(120_000 * USD).unwrap();
    let (lease, cell) = (world.vault().lease, world.now_ts() / 3_600);
    assert_eq!((world.leased(), world.leased_by_all()), ((120_000 * USD, 120_000 * USD), 120_000 * USD));
    assert_eq!((lease.cell_secs, lease.priced_at_ts, lease.newest_cell()), (3_600, world.now_ts(), cell));
    // the upper end: five bps of confidence
    assert_costs(&world, [1.0005, 150.075]);
    let fact: LeaseGranted = the_one_logged(&landed);
    assert_eq!((fact.vault, fact.amount_micro_usd), (world.keys.vault, 120_000 * USD));
    assert_eq!(fact.over_at_ts, (cell + 24) * 3_600);
    world.advance(fact.over_at_ts - world.now_ts() - 1);
    assert_eq!(world.leased().0, 120_000 * USD);
    world.advance(1);
    assert_eq!((world.leased(), world.leased_by_all()), ((0, 0), 0), "over for both");
}

#[test]
fn lease_budget_of_nothing_renews_the_costs_alone() {
    let mut world = World::with_aggregate();
    world.lease(0).unwrap();
    assert_eq!(world.leased(), (0, 0));
    world.set_prices(300.0, 1.0);
    world.lease(0).unwrap();
    assert_costs(&world, [1.0005, 300.15]);
    // a price that fell counts once the reference has followed it
    world.set_prices(75.0, 1.0);
    world.lease(0).unwrap();
    assert_costs(&world, [1.0005, 150.0]);
    world.advance(3_601);
    world.set_prices(75.0, 1.0);
    world.lease(0).unwrap();
    assert_costs(&world, [1.0005, 75.0375]);
}

#[test]
fn lease_budget_is_refused_while_the_limit_is_not_in_force() {
    let off = AggregateParams { switch: Switch::Disabled as u8, ..defaults::aggregate() };
    let mut world = World::with_aggregate_of(off);
    let ix = world.lease_ix(0);
    world.refuses(&ix, &[], E::AggregateNotInForce);
}

#[test]
fn lease_budget_is_refused_beyond_need_beyond_the_share_and_beyond_half_of_the_limit() {
    let params = AggregateParams { limit_micro_usd: 200_000 * USD, vault_share_bps: 6_000, ..defaults::aggregate() };
    let mut world = World::with_aggregate_of(params);
    let empty = world.lease_ix(1);
    world.refuses(&empty, &[], E::LeaseBeyondNeed);
    world.lender(10_000 * USDC);
    let first = world.pair();
    let beyond = world.lease_ix(10_005 * USD + 2);
    world.refuses(&beyond, &[], E::LeaseBeyondNeed);
    world.lease(10_005 * USD).unwrap();
    let more = world.lease_ix(2);
    world.refuses(&more, &[], E::LeaseBeyondNeed);
    let endless = world.lease_ix(u64::MAX);
    world.refuses(&endless, &[], E::LeaseBeyondNeed);
    let second = world.add_pair(0x31, 20.0);
    world.lender(500_000 * USDC);
    let beyond = world.lease_ix(60_000 * USD + 1);
    world.refuses(&beyond, &[], E::LeaseShareReached);
    world.lease(60_000 * USD).unwrap();
    let third = world.add_pair(0x32, 3.0);
    world.lender(500_000 * USDC);
    let beyond = world.lease_ix(29_995 * USD + 1);
    world.refuses(&beyond, &[], E::AggregateLimitReached);
    world.lease(29_995 * USD).unwrap();
    world.assert_leases(&[first, second, third].map(|p| p.keys.vault));
    assert_eq!(world.leased_by_all(), 100_000 * USD);
}

#[test]
fn lease_budget_counts_at_the_reference_and_a_haircut_where_no_price_is_agreed_and_never_for_nothing() {
    for fault in [Fault::Stale, Fault::Wide, Fault::Disagreeing, Fault::OneDead] {
        let mut world = World::with_aggregate();
        let feeds = world.sol_feeds;
        world.inflict(fault, &feeds, 150.0);
        world.lease(0).unwrap();
        assert_costs(&world, [1.0005, 180.0]);
    }
    // nothing was ever seen of it: no lease, whatever the amount
    let mut world = World::with_aggregate();
    let mut asset: Asset = world.sol_asset();
    asset.reference = Default::default();
    asset.anchors = Default::default();
    world.store(&world.keys.collateral_asset.clone(), &asset);
    world.lease(0).expect("the price itself is enough");
    let feeds = world.sol_feeds;
    world.inflict(Fault::OneDead, &feeds, 150.0);
    let ix = world.lease_ix(0);
    world.refuses(&ix, &[], E::PriceIndeterminate);
}

#[test]
fn lease_budget_fails_when_oracle_accounts_are_missing_extra_swapped_or_foreign() {
    let mut world = World::with_aggregate();
    world.lender(500_000 * USDC);
    let lease = world.lease_ix(USD);
    world.refuses(&without_last(&lease), &[], E::OracleAccountsMissing);
    world.refuses(&with_extra(&lease, world.usdc_feeds.pyth), &[], E::OracleAccountsMissing);
    let swapped = with_last_two_swapped(&lease);
    let outcome = world.send(&[swapped], &[]);
    assert_error(outcome, E::OracleAccountMismatch);
    let foreign = with_account(&lease, VAULT + 1, world.usdc_feeds.pyth);
    let outcome = world.send(&[foreign], &[]);
    assert_error(outcome, E::OracleAccountMismatch);
    assert_eq!(world.leased(), (0, 0));
}

#[test]
fn lease_budget_fails_when_any_account_is_another() {
    let mut world = World::with_aggregate();
    world.lender(500_000 * USDC);
    let lease = world.lease_ix(USD);
    let other = world.other_guard();
    let theirs = aggregate::initialize_aggregate(world.root.pubkey(), other.guard, defaults::aggregate());
    world.send_as_root(&[theirs]).unwrap();
    let reversed = world.reversed_vault();
    let wrong = [
        (GUARD, other.guard, E::AggregateMismatch),
        (LIMIT, address::aggregate(&other.guard), E::AggregateMismatch),
        (COLLATERAL, world.keys.loan_asset, E::VaultAssetsInvalid),
        (COLLATERAL, other.collateral_asset, E::VaultAssetsInvalid),
        (LOAN, world.keys.collateral_asset, E::VaultAssetsInvalid),
        (VAULT, reversed.vault, E::VaultAssetsInvalid),
        (VAULT, other.vault, E::VaultAssetsInvalid),
    ];
    for (index, key, expected) in wrong {
        world.refuses(&with_account(&lease, index, key), &[], expected);
    }
    for index in [GUARD, LIMIT, COLLATERAL, LOAN, VAULT] {
        let key = if index == GUARD { world.keys.vault } else { world.guard };
        world.anchor_refuses(&with_account(&lease, index, key), &[], ErrorCode::AccountDiscriminatorMismatch);
        let stolen = world.copy_under(&lease.accounts[index].pubkey, anchor_spl::token::ID);
        world.anchor_refuses(&with_account(&lease, index, stolen), &[], ErrorCode::AccountOwnedByWrongProgram);
    }
    for index in [LIMIT, VAULT] {
        world.anchor_refuses(&with_read_only(&lease, index), &[], ErrorCode::ConstraintMut);
    }
    assert_eq!(world.leased(), (0, 0));
}
