//! Collateral that is a claim on another asset: its price is that of the sources times an exchange rate, on every path.

use crate::actions::{borrow_ix, deleverage_ix, liquidate_ix, withdraw_collateral_ix};
use anchor_lang::error::ErrorCode;
use borsh::BorshSerialize;
use rampart::error::RampartError as E;
use rampart::math::price::Q64_ONE;
use rampart::oracle::rate::{CLOCK, SPL_STAKE_POOL};
use rampart::oracle::{PYTH_RECEIVER, SWITCHBOARD_ON_DEMAND, stake_pool};
use rampart::state::rule::RuleParams;
use rampart::state::{Change, Level, OracleSet, OracleSource, RateSource};
use rampart_client::{Instruction, Pubkey, control, evidence};
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::officers::one_source;
use rampart_tests::refusals::{with_account, with_extra, with_last_two_swapped, without_last};
use rampart_tests::stake_pools::{POOL, POOL_SUPPLY, rate};
use rampart_tests::{World, assert_error, rules};
use solana_sdk::signer::Signer;
use spl_stake_pool::state::{AccountType, StakePool};

/// Places in `observe`: asset, mint, two sources, then these.
const POOL_AT: usize = 4;
const CLOCK_AT: usize = 5;

fn observe(world: &World) -> Instruction {
    evidence::observe(world.keys.collateral_asset, world.sol.mint, &world.sol_feeds.metas())
}

/// The collateral's reference, in cents.
fn reference_cents(world: &World) -> u128 {
    (world.sol_asset().reference.price_q64.get() * 100 + Q64_ONE / 2) / Q64_ONE
}

/// A world in which both sources have a newer print than the last counted.
fn fresh() -> World {
    let mut world = World::with_staked_vault();
    world.advance(10);
    world.set_prices(150.0, 1.0);
    world
}

#[track_caller]
fn is_indeterminate(world: &mut World) {
    world.refuses(&observe(world), &[], E::PriceIndeterminate);
}

/// The provider's own crate, not ours, says what stands where.
#[test]
fn pool_account_is_the_providers_to_the_byte() {
    let pool = StakePool {
        account_type: AccountType::StakePool,
        total_lamports: 1_234_567,
        pool_token_supply: 1_000_000,
        last_update_epoch: 77,
        ..StakePool::default()
    };
    let mut data = Vec::new();
    pool.serialize(&mut data).unwrap();
    data.resize(rampart_feeds::STAKE_POOL_ACCOUNT_LEN, 0);
    assert_eq!(rampart_feeds::stake_pool(1_234_567, 1_000_000, 77), data);
    let said = stake_pool::decode(&data).unwrap();
    assert_eq!((said.total_lamports, said.pool_token_supply, said.last_update_epoch), (1_234_567, 1_000_000, 77));
    assert_eq!(SPL_STAKE_POOL.to_bytes(), spl_stake_pool::id().to_bytes());
    let list = AccountType::ValidatorList;
    let mut other = Vec::new();
    list.serialize(&mut other).unwrap();
    data[0] = other[0];
    assert!(stake_pool::decode(&data).is_err());
}

#[test]
fn price_is_that_of_the_sources_times_the_rate() {
    let mut world = fresh();
    assert_eq!(reference_cents(&world), 18_000);
    world.set_rate(0.9);
    world.advance(300);
    world.set_prices(150.0, 1.0);
    world.set_rate(0.9);
    world.send(&[observe(&world)], &[]).unwrap();
    // half of the way from 180 to 135 in one half-life, and ten seconds
    assert!((15_690..=15_710).contains(&reference_cents(&world)), "{}", reference_cents(&world));
}

/// marginfi L-04: the base price is flat, the multiplier falls, and the breaker sees it.
#[test]
fn case_034_fall_of_the_rate_trips_a_drawdown_on_a_flat_base_price() {
    let mut world = World::with_staked_vault();
    let asset = world.keys.collateral_asset;
    let drawdown = world.create_rule(1, asset, RuleParams { level: Level::Halt as u8, ..defaults::drawdown_rule() });
    let deviation = world.create_rule(2, asset, rules::deviation());
    world.advance(10);
    world.set_prices(150.0, 1.0);
    assert_error(world.trip(drawdown), E::RuleNotTrue);
    world.set_rate(1.05);
    world.trip(drawdown).unwrap();
    world.trip(deviation).unwrap();
    assert_eq!(world.sol_asset().breaker.level_at(world.now_ts()), Level::Halt);
}

/// A rise beyond the cap is worth nothing to who borrows, and shields nobody from a liquidation for long.
#[test]
fn case_034_rate_that_jumps_beyond_its_cap_counts_at_the_cap() {
    let mut world = fresh();
    world.lender(1_000_000 * USDC);
    let user = world.user(100 * SOL, 0);
    world.deposit_collateral(&user, 100 * SOL).unwrap();
    world.set_rate(12.0);
    // 100 tokens at 180 less 5 bps, 70 % of it: 12,593
    assert_error(world.borrow(&user, 12_600 * USDC), E::LtvExceeded);
    world.borrow(&user, 12_500 * USDC).unwrap();
    world.advance(10);
    world.set_prices(150.0, 1.0);
    world.send(&[observe(&world)], &[]).unwrap();
    assert_eq!(reference_cents(&world), 18_000, "what is observed stays at the cap");
    // at 1.2 SOL and 100 dollars: 12,500 against 12,000 is beyond the line, with 12 SOL it would be far below it
    let by = world.user(0, 50_000 * USDC);
    world.set_prices(100.0, 1.0);
    let ix = liquidate_ix(&world, &by, user.position, u64::MAX);
    world.send(&[ix], &[&by.key]).unwrap();
}

/// Aave, 10 March 2026: a cap 2.85 % under the market liquidated 34 accounts. Here it takes new risk down, nobody's health.
#[test]
fn case_012_cap_below_the_true_rate_liquidates_nobody_near_the_line() {
    let mut world = fresh();
    world.lender(1_000_000 * USDC);
    let user = world.user(100 * SOL, 0);
    world.deposit_collateral(&user, 100 * SOL).unwrap();
    world.borrow(&user, 12_500 * USDC).unwrap();
    let by = world.user(0, 50_000 * USDC);
    // 131 dollars: 12,500 against 100 · 1.2 · 131 = 15,720 is 79.5 %, below the line of 80 %
    world.set_prices(131.0, 1.0);
    let mut asset = world.sol_asset();
    asset.oracle.rate.snapshot_e9 = 1_188_200_000;
    world.store(&world.keys.collateral_asset.clone(), &asset);
    let ix = liquidate_ix(&world, &by, user.position, u64::MAX);
    world.refuses(&ix, &[&by.key], E::PositionHealthy);
}

#[test]
fn pool_that_is_old_gone_or_another_kind_leaves_no_price() {
    let mut world = fresh();
    world.pass_epochs(1);
    world.send(&[observe(&world)], &[]).unwrap();
    world.advance(10);
    world.set_prices(150.0, 1.0);
    world.pass_epochs(1);
    is_indeterminate(&mut world);
    let epoch = world.epoch();
    world.set_rate_of_epoch(1.2, epoch + 1);
    is_indeterminate(&mut world);
    for (total, supply) in [(0, POOL_SUPPLY), (POOL_SUPPLY, 0)] {
        world.put_account(POOL, SPL_STAKE_POOL, rampart_feeds::stake_pool(total, supply, epoch));
        is_indeterminate(&mut world);
    }
    let good = rampart_feeds::stake_pool(POOL_SUPPLY, POOL_SUPPLY, epoch);
    world.put_account(POOL, PYTH_RECEIVER, good.clone());
    is_indeterminate(&mut world);
    world.put_account(POOL, SPL_STAKE_POOL, good[..281].to_vec());
    is_indeterminate(&mut world);
    world.svm.set_account(POOL, Default::default()).unwrap();
    is_indeterminate(&mut world);
    world.put_account(POOL, SPL_STAKE_POOL, good);
    world.send(&[observe(&world)], &[]).unwrap();
}

/// Unknown is never normal: without its rate an asset is blind, new risk is blocked, and exits without a debt are open.
#[test]
fn asset_without_its_rate_is_blind_and_lets_out_who_owes_nothing() {
    let mut world = fresh();
    world.lender(1_000_000 * USDC);
    let user = world.user(100 * SOL, 0);
    world.deposit_collateral(&user, 100 * SOL).unwrap();
    let blind = world.create_rule(1, world.keys.collateral_asset, rules::oracle_age());
    world.pass_epochs(2);
    assert_error(world.borrow(&user, 20 * USDC), E::PriceIndeterminate);
    world.trip(blind).unwrap();
    world.withdraw_collateral(&user, 100 * SOL).unwrap();
}

#[test]
fn rate_is_read_on_every_path_from_the_pinned_pool_and_the_clock() {
    let mut world = fresh();
    let other = world.copy_under(&POOL, SPL_STAKE_POOL);
    world.lender(1_000_000 * USDC);
    let user = world.borrower(100 * SOL, 10_000 * USDC);
    let by = world.user(0, 50_000 * USDC);
    let rule = world.create_rule(1, world.keys.collateral_asset, defaults::drawdown_rule());
    let trip = evidence::trip(rule, &world.rule(&rule), None, &world.sol_feeds.metas());
    let observe_rule = evidence::observe_rule(rule, &world.rule(&rule), None, &world.sol_feeds.metas());
    let paths = [
        observe(&world),
        trip,
        observe_rule,
        borrow_ix(&world, &user, USDC),
        withdraw_collateral_ix(&world, &user, SOL),
        liquidate_ix(&world, &by, user.position, u64::MAX),
        deleverage_ix(&world, &by, user.position, u64::MAX),
    ];
    for ix in paths {
        let at = |key: Pubkey| ix.accounts.iter().position(|meta| meta.pubkey == key).unwrap();
        let (pool, clock) = (at(POOL), at(CLOCK));
        let signers = [&user.key, &by.key];
        let signers: Vec<_> = signers.into_iter().filter(|k| is_signer(&ix, k)).collect();
        world.refuses(&with_account(&ix, pool, other), &signers, E::OracleAccountMismatch);
        world.refuses(&with_account(&ix, clock, other), &signers, E::OracleAccountMismatch);
        let mut without = ix.clone();
        without.accounts.remove(clock);
        world.refuses(&without, &signers, E::OracleAccountsMissing);
    }
}

/// What leaves is counted at the effective price: of the pool, not of the base alone.
#[test]
fn lease_of_a_staked_collateral_is_priced_by_its_rate() {
    let mut world = fresh();
    world.limit_dollars(defaults::aggregate());
    world.lease(0).unwrap();
    let cost_q64 = world.vault().lease.collateral_cost_q64.get();
    let dollars = (cost_q64 * 1_000_000_000) >> 64;
    // 150 · 1.2 and the sources' confidence above
    assert!((180_000_000..181_000_000).contains(&dollars), "{dollars} micro-dollars for a token");
    let ix = world.lease_ix(0);
    world.refuses(&without_last(&ix), &[], E::OracleAccountsMissing);
}

fn is_signer(ix: &Instruction, key: &solana_sdk::signature::Keypair) -> bool {
    ix.accounts.iter().any(|meta| meta.is_signer && meta.pubkey == key.pubkey())
}

#[test]
fn observe_fails_with_accounts_missing_extra_or_swapped() {
    let mut world = fresh();
    let ix = observe(&world);
    assert_eq!((ix.accounts[POOL_AT].pubkey, ix.accounts[CLOCK_AT].pubkey), (POOL, CLOCK));
    world.refuses(&without_last(&ix), &[], E::OracleAccountsMissing);
    world.refuses(&with_extra(&ix, CLOCK), &[], E::OracleAccountsMissing);
    world.refuses(&with_last_two_swapped(&ix), &[], E::OracleAccountMismatch);
    world.anchor_refuses(&with_account(&ix, 0, POOL), &[], ErrorCode::AccountOwnedByWrongProgram);
}

#[test]
fn case_012_rate_is_registered_whole_or_not_at_all() {
    let edits: [fn(&mut RateSource); 5] = [
        |r| r.snapshot_e9 = 0,
        |r| r.snapshot_ts = 0,
        |r| r.max_growth_bps = 0,
        |r| r.max_growth_bps = 2_001,
        |r| r.max_age_epochs = 0,
    ];
    for edit in edits {
        let mut world = World::with_guard();
        let mut set = rampart_tests::oracles::Feeds { rate: rate(world.now_ts()), ..world.sol_feeds };
        edit(&mut set.rate);
        let root = world.root.insecure_clone();
        world.refuses(&world.register_asset_ix(world.sol, set), &[&root], E::RateInvalid);
    }
}

/// What a change of the asset's sources is tried on.
fn execute(world: &World, key: Pubkey) -> Instruction {
    let evidence = [world.sol_feeds.metas(), world.sol_feeds.metas()].concat();
    world.execute_ix(key, &evidence)
}

fn proposed(world: &mut World, edit: impl FnOnce(&mut OracleSet)) -> Pubkey {
    let mut set = world.sol_asset().oracle;
    edit(&mut set);
    world.propose(world.keys.collateral_asset, Change::AssetOracle(set))
}

/// The update that moved the ratio by another time than its own: its cap bites when it is executed, so it is refused.
#[test]
fn case_012_new_cap_that_would_bite_at_once_is_refused() {
    let mut world = World::with_staked_vault();
    let now_ts = world.now_ts();
    let key = proposed(&mut world, |s| (s.rate.snapshot_e9, s.rate.snapshot_ts) = (1_166_000_000, now_ts));
    world.ripen();
    world.set_rate(1.2);
    world.refuses(&execute(&world, key), &[], E::EffectTooLarge);
    let sound = proposed(&mut world, |s| (s.rate.snapshot_e9, s.rate.snapshot_ts) = (1_201_000_000, now_ts));
    world.ripen();
    world.set_rate(1.2);
    world.send(&[execute(&world, sound)], &[]).unwrap();
    assert_eq!(world.sol_asset().oracle.rate.snapshot_e9, 1_201_000_000);
}

/// The rate isn't dropped by a change of sources: that would be a fall of the price by a sixth, and a growth by one in the
/// other direction; the bound decides.
#[test]
fn change_that_takes_the_rate_away_is_judged_by_the_effective_price() {
    let mut world = World::with_staked_vault();
    world.set_rate(1.2);
    let mut set = one_source(world.sol_asset().oracle);
    set.rate = RateSource::UNRATED;
    let mut bounds = world.guard_state();
    bounds.bounds.max_effect_bps = 1_000;
    let guard = world.guard;
    world.store(&guard, &bounds);
    let key = world.propose(world.keys.collateral_asset, Change::AssetOracle(set));
    world.ripen();
    let evidence = [world.sol_feeds.metas(), world.sol_feeds.metas()[..1].to_vec()].concat();
    world.refuses(&world.execute_ix(key, &evidence), &[], E::EffectTooLarge);
}

/// A vault on a stake pool's token lives: supply, borrow, a fall of the rate, liquidation, repayment, exit.
#[test]
fn vault_of_a_staked_collateral_is_liquidated_when_the_rate_falls() {
    let mut world = fresh();
    world.lender(1_000_000 * USDC);
    let user = world.borrower(100 * SOL, 12_000 * USDC);
    let by = world.user(0, 50_000 * USDC);
    let healthy = liquidate_ix(&world, &by, user.position, u64::MAX);
    world.refuses(&healthy, &[&by.key], E::PositionHealthy);
    world.set_rate(0.98);
    let ix = liquidate_ix(&world, &by, user.position, u64::MAX);
    world.send(&[ix], &[&by.key]).unwrap();
    assert!(world.balance(&by.sol) > 0);
    world.fund(&user, 0, 20_000 * USDC);
    world.repay(&user, u64::MAX).unwrap();
    let left = world.position(&user.position).collateral_amount;
    world.withdraw_collateral(&user, left).unwrap();
}

/// A pool that says nothing for a while is no way around the witness: the price would be there with its next update.
#[test]
fn standby_is_not_let_in_while_the_rate_is_unknown() {
    let mut world = World::with_staked_vault();
    let (key, spare) = (world.keys.collateral_asset, Pubkey::new_from_array([0x71; 32]));
    let mut asset = world.sol_asset();
    asset.standby.count = 1;
    asset.standby.sources[0] = OracleSource { account: spare, publisher: 3, ..asset.oracle.sources[1] };
    asset.oracle = one_source(asset.oracle);
    world.store(&key, &asset);
    world.advance(10);
    let (now_ts, slot) = (world.now_ts(), world.slot());
    let value = 190_000_000_000_000_000_000;
    world.put_account(spare, SWITCHBOARD_ON_DEMAND, rampart_feeds::switchboard_pull_feed(value, 0, now_ts, slot));
    world.svm.set_account(world.sol_feeds.pyth, Default::default()).unwrap();
    let admin = world.risk_admin.insecure_clone();
    let oracles = rampart_client::oracle_metas(&asset.oracle);
    let ix = control::activate_standby(admin.pubkey(), (key, &asset), (0, 0), world.validity(), &oracles);
    world.refuses(&ix, &[&admin], E::EffectTooLarge);
    world.pass_epochs(2);
    world.refuses(&ix, &[&admin], E::PriceIndeterminate);
}
