//! Metrics about a vault's books: inflow, utilisation and cover.

use crate::actions::{deposit_ix, shares_for, supply_ix, withdraw_collateral_ix};
use rampart::error::RampartError;
use rampart::state::rule::RuleParams;
use rampart::state::{Level, Levels};
use rampart_client::{Pubkey, admin};
use rampart_tests::World;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::assert_refused;
use rampart_tests::rules::{self, Shown};
use solana_sdk::signer::Signer;

fn world_with(params: RuleParams) -> (World, Pubkey) {
    let mut world = World::with_vault();
    let rule = world.create_rule(1, world.keys.vault, params);
    (world, rule)
}

#[test]
fn inflow_rate_is_judged_against_the_days_base_and_forgets_after_its_window() {
    let (mut world, rule) = world_with(rules::inflow_rate());
    let user = world.user(40_000 * SOL, 0);
    assert_eq!(world.shown(rule), Shown::Clear);
    // the base is the absolute floor of 100,000 SOL
    for (amount, shown) in [(10_000, Shown::Clear), (5_000, Shown::Between), (5_000, Shown::True)] {
        world.deposit_collateral(&user, amount * SOL).unwrap();
        assert_eq!(world.shown(rule), shown, "after {amount}");
    }
    // what leaves again did come in
    world.withdraw_collateral(&user, 1_000 * SOL).unwrap();
    assert_eq!(world.shown(rule), Shown::True);
    world.trip(rule).unwrap();
    let levels = Levels { risk: Level::ReduceOnly, exit: Level::Normal };
    assert_eq!(world.vault().breaker.levels_at(world.now_ts()), levels);
    world.advance(4 * 3_600);
    assert_eq!(world.shown(rule), Shown::Clear);
}

/// Collateral that comes in and goes out in one transaction makes the rule true for the fee: it halted everybody's exits.
#[test]
fn collateral_borrowed_for_one_transaction_narrows_new_risk_and_no_exit() {
    let (mut world, rule) = world_with(rules::inflow_rate());
    let lender = world.lender(10_000 * USDC);
    world.advance(3_600);
    world.set_prices(150.0, 1.0);
    let user = world.user(20_000 * SOL, 0);
    let (there, back) = (deposit_ix(&world, &user, 20_000 * SOL), withdraw_collateral_ix(&world, &user, 20_000 * SOL));
    world.send(&[there, back], &[&user.key]).unwrap();
    world.trip(rule).unwrap();
    // far beyond what the exit floor would let out
    world.withdraw(&lender, shares_for(&world, 5_000 * USDC)).unwrap();
    let supply = supply_ix(&world, &lender, USDC);
    assert_refused(&mut world, &supply, &[&lender.key], RampartError::LevelForbids);
    let halting = RuleParams { level: Level::Halt as u8, ..rules::inflow_rate() };
    let (root, vault) = (world.root.insecure_clone(), world.keys.vault);
    let ix = admin::create_rule(root.pubkey(), world.guard, vault, 2, halting);
    assert_refused(&mut world, &ix, &[&root], RampartError::RuleInvalid);
}

#[test]
fn utilisation_is_what_is_lent_out_of_all() {
    let (mut world, rule) = world_with(rules::utilisation());
    assert_eq!(world.shown(rule), Shown::Clear);
    world.lender(10_000 * USDC);
    let borrower = world.borrower(200 * SOL, 8_990 * USDC);
    assert_eq!(world.shown(rule), Shown::Clear);
    for (amount, shown) in [(100, Shown::Between), (409, Shown::Between), (1, Shown::True)] {
        world.borrow(&borrower, amount * USDC).unwrap();
        assert_eq!(world.shown(rule), shown, "after {amount}");
    }
    world.trip(rule).unwrap();
    world.repay(&borrower, 1_000 * USDC).unwrap();
    assert_eq!(world.shown(rule), Shown::Clear);
}

#[test]
fn reserve_cover_is_what_is_kept_against_bad_debt_over_the_debt() {
    let (mut world, rule) = world_with(rules::reserve_cover());
    // no debt: more than enough
    assert_eq!(world.shown(rule), Shown::Clear);
    world.lender(100_000 * USDC);
    world.borrower(100 * SOL, 10_000 * USDC);
    let key = world.keys.vault;
    for (kept, shown) in [(0, Shown::True), (101, Shown::Between), (199, Shown::Between), (200, Shown::Clear)] {
        let mut vault = world.vault();
        vault.insurance_amount = kept * USDC;
        world.store(&key, &vault);
        assert_eq!(world.shown(rule), shown, "with {kept}");
    }
    let mut vault = world.vault();
    vault.insurance_amount = 50 * USDC;
    world.store(&key, &vault);
    world.trip(rule).unwrap();
    assert_eq!(world.level(), Level::Caution);
}
