//! Metrics about an asset beside its price: volatility, disagreement, peg and supply.

use rampart::RegisterAssetArgs;
use rampart::error::RampartError;
use rampart::state::asset::Peg;
use rampart::state::oracle_set::OracleSource;
use rampart::state::rule::RuleParams;
use rampart::state::{Asset, Level};
use rampart_client::{Pubkey, admin};
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::refusals::{with_account, with_extra, without_last};
use rampart_tests::rules::{self, Shown};
use rampart_tests::{World, assert_error};
use solana_sdk::signer::Signer;

fn world_with(params: RuleParams) -> (World, Pubkey) {
    let mut world = World::with_vault();
    let rule = world.create_rule(1, world.keys.collateral_asset, params);
    (world, rule)
}

#[test]
fn realized_volatility_is_true_in_a_storm_and_clear_in_a_calm() {
    let (mut world, rule) = world_with(rules::realized_volatility());
    assert_eq!(world.shown(rule), Shown::Clear);
    for minute in 0..10 {
        world.tick(60, if minute % 2 == 0 { 145.5 } else { 150.0 }, 1.0);
    }
    // nine changes of 3 %
    assert_eq!(world.shown(rule), Shown::True);
    world.warm_up(5, 60);
    assert_eq!(world.shown(rule), Shown::Between);
    world.warm_up(5, 60);
    assert_eq!(world.shown(rule), Shown::Clear);
}

#[test]
fn realized_volatility_is_indeterminate_without_coverage_or_an_agreed_price() {
    let (mut world, rule) = world_with(rules::realized_volatility());
    world.advance(360);
    world.set_prices(150.0, 1.0);
    assert_eq!(world.shown(rule), Shown::Indeterminate);
    world.warm_up(10, 60);
    assert_eq!(world.shown(rule), Shown::Clear);
    let feeds = world.sol_feeds;
    world.publish_pyth(&feeds, 152.0, 5, world.now_ts());
    assert_eq!(world.shown(rule), Shown::Indeterminate);
}

#[test]
fn source_disagreement_is_measured_between_the_ends_of_the_usable_sources() {
    let (mut world, rule) = world_with(rules::source_disagreement());
    let (feeds, now_ts) = (world.sol_feeds, world.now_ts());
    for (other, shown) in [
        (150.0, Shown::Clear),
        (150.44, Shown::Clear),
        (150.5, Shown::Between),
        (149.2, Shown::Between),
        (150.91, Shown::True),
        (149.0, Shown::True),
        // so far apart that there is no price, and the more surely true
        (170.0, Shown::True),
    ] {
        world.publish_switchboard(&feeds, other, 5, now_ts);
        assert_eq!(world.shown(rule), shown, "150 and {other}");
    }
    world.trip(rule).unwrap();
    assert_eq!(world.level(), Level::Caution);
    assert_eq!(world.sol_asset().breaker.levels_at(now_ts).exit, Level::Normal);
    world.publish_switchboard(&feeds, 170.0, 5, now_ts - 91);
    assert_eq!(world.shown(rule), Shown::Indeterminate);
}

#[test]
fn peg_deviation_is_judged_on_both_sides_at_the_favourable_end() {
    let mut world = World::with_vault();
    let rule = world.create_rule(1, world.keys.loan_asset, rules::peg_deviation());
    for (dollars, shown) in [
        (0.9844, Shown::True),
        (0.985, Shown::Between),
        (0.993, Shown::Clear),
        (1.0, Shown::Clear),
        (1.0151, Shown::Between),
        (1.0156, Shown::True),
    ] {
        world.set_prices(150.0, dollars);
        assert_eq!(world.shown(rule), shown, "at {dollars}");
    }
    let feeds = world.usdc_feeds;
    world.publish_pyth(&feeds, 0.95, 5, world.now_ts());
    assert_eq!(world.shown(rule), Shown::Indeterminate);
}

/// Case 33: the peg is what prices are held against and never a source of one.
#[test]
fn case_033_fixed_price_is_no_source_and_a_depeg_is_seen() {
    let mut world = World::with_vault();
    let root = world.root.insecure_clone();
    let mint = world.create_mint(anchor_spl::token::ID, 6).mint;
    let fixed: [fn(&mut OracleSource); 3] = [|s| s.kind = 0, |s| s.kind = 3, |s| s.program = anchor_spl::token::ID];
    for (change, expected) in
        fixed.into_iter().zip([RampartError::UnknownKind, RampartError::UnknownKind, RampartError::OracleSetInvalid])
    {
        let mut oracle = world.usdc_feeds.set();
        change(&mut oracle.sources[0]);
        let args = RegisterAssetArgs { peg: Peg::UsDollar as u8, ..defaults::asset_args(oracle) };
        let ix = admin::register_asset(root.pubkey(), world.guard, mint, args);
        world.refuses(&ix, &[&root], expected);
    }
    let rule = world.create_rule(1, world.keys.loan_asset, rules::peg_deviation());
    world.set_prices(150.0, 0.88);
    world.trip(rule).unwrap();
    assert_eq!(world.level(), Level::ReduceOnly);
}

/// Case 34: a multiplier that jumps under a flat base price shows in the asset's own price, the only one there is.
#[test]
fn case_034_jump_of_an_exchange_rate_is_a_deviation_of_the_assets_own_price() {
    let (mut world, rule) = world_with(rules::deviation());
    world.set_prices(150.0 * 1.11, 1.0);
    assert_eq!(world.shown(rule), Shown::True);
}

#[test]
fn create_rule_fails_where_the_asset_has_not_what_the_metric_needs() {
    let mut world = World::with_vault();
    let root = world.root.insecure_clone();
    let (guard, collateral) = (world.guard, world.keys.collateral_asset);
    let ix = admin::create_rule(root.pubkey(), guard, collateral, 7, rules::peg_deviation());
    world.refuses(&ix, &[&root], RampartError::RuleInvalid);
    let ix = admin::create_rule(root.pubkey(), guard, collateral, 7, rules::realized_volatility());
    world.simulate_with(std::slice::from_ref(&ix), &[&root]).unwrap();
    // with one source required, one source fills the memory; and one alone disagrees with nobody
    let mut asset: Asset = world.sol_asset();
    asset.oracle.required = 1;
    world.store(&collateral, &asset);
    world.refuses(&ix, &[&root], RampartError::RuleInvalid);
    asset.oracle.count = 1;
    world.store(&collateral, &asset);
    let ix = admin::create_rule(root.pubkey(), guard, collateral, 7, rules::source_disagreement());
    world.refuses(&ix, &[&root], RampartError::RuleInvalid);
}

#[test]
fn register_asset_stores_the_peg_and_the_supply_and_refuses_an_unknown_peg() {
    let mut world = World::with_vault();
    assert_eq!(world.sol_asset().peg, Peg::Unpegged as u8);
    assert_eq!(world.load::<Asset>(&world.keys.loan_asset).peg, Peg::UsDollar as u8);
    let root = world.root.insecure_clone();
    let mint = world.create_mint(anchor_spl::token::ID, 6);
    let owner = world.new_key().pubkey();
    world.create_token_account(mint, owner, 777);
    for peg in [0, 3, u8::MAX] {
        let args = RegisterAssetArgs { peg, ..defaults::asset_args(world.sol_feeds.set()) };
        let ix = admin::register_asset(root.pubkey(), world.guard, mint.mint, args);
        world.refuses(&ix, &[&root], RampartError::UnknownKind);
    }
    let peg = Peg::UsDollar as u8;
    let args = RegisterAssetArgs { peg, ..defaults::asset_args(world.sol_feeds.set()) };
    world.send_as_root(&[admin::register_asset(root.pubkey(), world.guard, mint.mint, args)]).unwrap();
    let asset: Asset = world.load(&rampart_client::address::asset(&world.guard, &mint.mint));
    assert_eq!((asset.peg, asset.supply_reference_amount), (peg, 777));
}

/// A world whose collateral has a supply of 1,000 SOL for longer than can be told.
fn supplied() -> (World, Pubkey, Pubkey) {
    let (mut world, rule) = world_with(rules::supply_growth());
    let user = world.user(1_000 * SOL, 0);
    let mut asset = world.sol_asset();
    asset.supply_reference_amount = 1_000 * SOL;
    world.store(&world.keys.collateral_asset.clone(), &asset);
    (world, rule, user.sol)
}

/// Case 88: a supply that grows 500-fold within a slot is seen by whoever looks next.
#[test]
fn case_088_supply_that_grows_in_a_slot_halts_on_the_next_touch() {
    let (mut world, rule, account) = supplied();
    world.lender(1_000 * USDC);
    assert_eq!(world.shown(rule), Shown::Clear);
    for (minted, shown) in [(50 * SOL, Shown::Clear), (SOL, Shown::Between), (49 * SOL, Shown::True)] {
        world.mint_to(world.sol, account, minted);
        assert_eq!(world.shown(rule), shown, "after {minted}");
    }
    world.mint_to(world.sol, account, 499_000 * SOL);
    world.trip(rule).unwrap();
    assert_eq!(world.level(), Level::Halt);
    let attacker = world.user(100 * SOL, 0);
    world.deposit_collateral(&attacker, 100 * SOL).unwrap();
    assert_error(world.borrow(&attacker, 100 * USDC), RampartError::LevelForbids);
}

#[test]
fn supply_reference_follows_by_a_half_life_of_a_day_and_is_unknown_after_one() {
    let (mut world, rule, account) = supplied();
    world.mint_to(world.sol, account, 1_000 * SOL);
    world.warm_up(24, 3_600);
    let half_way = world.sol_asset().supply_reference_amount;
    assert!(half_way.abs_diff(1_500 * SOL) < SOL, "{half_way}");
    world.advance(86_400);
    assert_eq!(world.shown(rule), Shown::True);
    world.advance(1);
    assert_eq!(world.shown(rule), Shown::Indeterminate);
}

#[test]
fn supply_growth_is_read_from_the_assets_own_mint_alone() {
    let (mut world, rule, account) = supplied();
    world.mint_to(world.sol, account, 1_000 * SOL);
    let trip = world.trip_ix(rule);
    let last = trip.accounts.len() - 1;
    let mismatch = RampartError::AssetMintMismatch;
    let twin = world.copy_under(&world.sol.mint.clone(), anchor_spl::token::ID);
    for other in [world.usdc.mint, account, world.guard, twin] {
        world.refuses(&with_account(&trip, last, other), &[], mismatch);
    }
    world.refuses(&without_last(&trip), &[], mismatch);
    world.refuses(&with_extra(&trip, world.sol.mint), &[], mismatch);
}

#[test]
fn observe_fails_with_another_mint_than_the_assets() {
    let mut world = World::with_vault();
    world.advance(60);
    world.set_prices(150.0, 1.0);
    let metas = world.sol_feeds.metas();
    let twin = world.copy_under(&world.sol.mint.clone(), anchor_spl::token::ID);
    for mint in [world.usdc.mint, world.keys.vault, twin] {
        let ix = rampart_client::evidence::observe(world.keys.collateral_asset, mint, &metas);
        world.refuses(&ix, &[], RampartError::AssetMintMismatch);
    }
}
