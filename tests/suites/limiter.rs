//! The outflow limits on chain, against a slow exact record of what left.

use crate::actions::{borrow_ix, shares_for, withdraw_ix};
use rampart::TightenVaultArgs;
use rampart::Validity;
use rampart::error::RampartError as E;
use rampart::state::Level;
use rampart_client::{admin, lending};
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::assert_refused;
use rampart_tests::scenario::Scope;
use rampart_tests::{User, World};
use solana_sdk::signer::Signer;

/// L of an hour and of a day in the default vault while a fifth of what it holds is less.
const L: u64 = 1_000_000 * USDC;
/// What exits may take at once of that: 60 %, half of it, less two fifths for the floor.
const EXIT_AT_ONCE: u64 = 180_000 * USDC;
/// What new risk may take at once: 40 %, half of it.
const RISK_AT_ONCE: u64 = 200_000 * USDC;

/// A lender whose own inflow no longer counts, and a borrower with more collateral than any limit.
fn settled(lent: u64) -> (World, User, User) {
    let mut world = World::with_vault();
    let lender = world.lender(lent);
    let borrower = world.user(100_000 * SOL, 0);
    world.deposit_collateral(&borrower, 100_000 * SOL).unwrap();
    world.tick(3_600, 150.0, 1.0);
    (world, lender, borrower)
}

/// As [`settled`], with the lender's exit floor of the day used up a while ago, so that the limits alone bind.
fn without_floor(lent: u64) -> (World, User, User) {
    let (mut world, lender, borrower) = settled(lent);
    use_floor(&mut world, &lender, lent / 100);
    (world, lender, borrower)
}

/// Uses the day's exit floor up and waits until the hour has forgotten it.
fn use_floor(world: &mut World, lender: &User, floor: u64) {
    world.raise(Scope::Vault, Level::ReduceOnly);
    assert!(take(world, lender, floor));
    world.calm(Scope::Vault);
    world.tick(3_600, 150.0, 1.0);
}

/// Withdraws `amount`; tells whether it was allowed.
fn take(world: &mut World, lender: &User, amount: u64) -> bool {
    let shares = shares_for(world, amount);
    let before = world.balance(&lender.usdc);
    let is_allowed = world.withdraw(lender, shares).is_ok();
    assert_eq!(world.balance(&lender.usdc) - before, if is_allowed { amount } else { 0 });
    is_allowed
}

#[track_caller]
fn assert_limit(world: &mut World, lender: &User, amount: u64, error: E) {
    let ix = withdraw_ix(world, lender, shares_for(world, amount));
    assert_refused(world, &ix, &[&lender.key], error);
}

/// Lets `secs` pass with observations often enough for the references to stay warm.
fn pass(world: &mut World, secs: i64) {
    for start in (0..secs).step_by(1_800) {
        world.tick((secs - start).min(1_800), 150.0, 1.0);
    }
}

/// The slow truth: the most that left within any `window_secs`.
fn worst_window(out: &[(i64, u64)], window_secs: i64) -> u64 {
    let from = |start: i64| {
        let inside = |t: &i64| (start..start + window_secs).contains(t);
        out.iter().filter(|(t, _)| inside(t)).map(|o| o.1).sum()
    };
    out.iter().map(|(t, _)| from(*t)).max().unwrap_or(0)
}

#[test]
fn withdraw_fails_beyond_the_hour_and_leaks_back_to_the_second() {
    let (mut world, lender, _) = without_floor(2_000_000 * USDC);
    assert_limit(&mut world, &lender, EXIT_AT_ONCE + 1, E::HourlyLimitReached);
    assert!(take(&mut world, &lender, EXIT_AT_ONCE));
    assert_limit(&mut world, &lender, 1, E::HourlyLimitReached);
    // 300,000 leak in an hour: 83.3 in a second
    world.advance(60);
    assert_limit(&mut world, &lender, 5_000 * USDC + 1, E::HourlyLimitReached);
    assert!(take(&mut world, &lender, 5_000 * USDC));
    assert_limit(&mut world, &lender, 1, E::HourlyLimitReached);
}

#[test]
fn withdraw_fails_beyond_the_day_whatever_the_hour_allows() {
    let (mut world, lender, _) = settled(2_000_000 * USDC);
    assert!(take(&mut world, &lender, EXIT_AT_ONCE));
    world.advance(7_200);
    // 60 % of L less two fifths for the floor: 360,000 in a day
    assert!(take(&mut world, &lender, EXIT_AT_ONCE));
    world.advance(7_200);
    assert_limit(&mut world, &lender, 20_001 * USDC, E::DailyLimitReached);
    world.advance(86_400 - 14_400);
    assert_limit(&mut world, &lender, EXIT_AT_ONCE, E::DailyLimitReached);
    world.advance(3_600);
    assert!(take(&mut world, &lender, EXIT_AT_ONCE));
}

/// What others used up is not theirs to close: the floor is open at every level, and once a day.
#[test]
fn withdraw_beyond_the_budget_goes_through_the_floor() {
    for level in [Level::Normal, Level::Caution] {
        let (mut world, whale, _) = settled(2_000_000 * USDC);
        let small = world.lender(10_000 * USDC);
        world.tick(3_600, 150.0, 1.0);
        let scale = if level == Level::Normal { 1 } else { 2 };
        if level > Level::Normal {
            world.raise(Scope::Vault, level);
        }
        assert!(take(&mut world, &whale, EXIT_AT_ONCE / scale));
        assert_limit(&mut world, &small, 101 * USDC, E::HourlyLimitReached);
        assert!(take(&mut world, &small, 60 * USDC));
        assert!(take(&mut world, &small, 40 * USDC));
        assert_limit(&mut world, &small, 1, E::HourlyLimitReached);
        assert_eq!(world.level(), level);
        // a halt within the day doesn't give the day's floor again
        world.raise(Scope::Guard, Level::Halt);
        assert_limit(&mut world, &small, 1, E::ExitFloorUsed);
        world.advance(86_400);
        assert!(take(&mut world, &small, 99 * USDC));
    }
}

#[test]
fn withdraw_collateral_beyond_the_budget_goes_through_the_floor() {
    let mut world = World::with_vault();
    let (whale, small) = (world.user(990_000 * SOL, 0), world.user(1_000 * SOL, 0));
    world.deposit_collateral(&whale, 990_000 * SOL).unwrap();
    world.deposit_collateral(&small, 1_000 * SOL).unwrap();
    world.tick(3_600, 150.0, 1.0);
    let limits = world.vault().limits.collateral_flow;
    let exits = limits.absolute_floor_amount / 10_000 * u64::from(limits.exit_share_bps);
    let at_once = exits / 2 - exits / 2 / 10_000 * u64::from(limits.floor_reserve_bps);
    world.withdraw_collateral(&whale, at_once).unwrap();
    let above = lending::withdraw_collateral(&world.keys, small.address(), small.sol, &[], 10 * SOL + 1);
    assert_refused(&mut world, &above, &[&small.key], E::HourlyLimitReached);
    world.withdraw_collateral(&small, 10 * SOL).unwrap();
    assert_eq!(world.balance(&small.sol), 10 * SOL);
}

#[test]
fn case_037_window_edge_drain_gets_one_limit() {
    let (mut world, lender, _) = without_floor(2_000_000 * USDC);
    let to_edge = 3_600 - world.now_ts().rem_euclid(3_600) - 1;
    world.advance(to_edge);
    assert!(take(&mut world, &lender, EXIT_AT_ONCE));
    world.advance(2);
    assert_limit(&mut world, &lender, 167 * USDC, E::HourlyLimitReached);
    assert!(take(&mut world, &lender, 166 * USDC));
}

#[test]
fn withdraw_and_borrow_stay_within_the_limit_in_any_window() {
    let (mut world, lender, borrower) = settled(2_400_000 * USDC);
    let (mut exits, mut risk) = (vec![], vec![]);
    let steps = [0, 1, 299, 600, 1_799, 0, 3_599, 1, 3_600, 47, 7_200, 5_400, 13];
    let started_ts = world.now_ts();
    for step in steps.into_iter().cycle().take(130) {
        pass(&mut world, step);
        for amount in [180_000, 60_000, 9_000, 1_000].map(|a| a * USDC) {
            if world.vault().cash_amount > amount && take(&mut world, &lender, amount) {
                exits.push((world.now_ts(), amount));
            }
            if world.borrow(&borrower, amount).is_ok() {
                risk.push((world.now_ts(), amount));
            }
        }
        // gives the cash back, so that only the limits bind
        let held = world.balance(&borrower.usdc);
        world.repay(&borrower, held).ok();
    }
    let all = [exits.clone(), risk.clone()].concat();
    assert!(world.now_ts() - started_ts > 2 * 86_400);
    assert!(worst_window(&exits, 3_600) <= L * 6 / 10 && worst_window(&exits, 86_400) <= L * 6 / 10);
    assert!(worst_window(&risk, 3_600) <= L * 4 / 10 && worst_window(&risk, 86_400) <= L * 4 / 10);
    assert!(worst_window(&all, 3_600) <= L && worst_window(&all, 86_400) <= L);
    assert!(
        worst_window(&exits, 86_400) >= 350_000 * USDC && worst_window(&risk, 86_400) >= 390_000 * USDC,
        "it binds"
    );
}

#[test]
fn borrow_cannot_close_the_exits() {
    let (mut world, lender, borrower) = settled(2_000_000 * USDC);
    world.borrow(&borrower, RISK_AT_ONCE).unwrap();
    let more = borrow_ix(&world, &borrower, 10 * USDC);
    assert_refused(&mut world, &more, &[&borrower.key], E::HourlyLimitReached);
    for _ in 0..3 {
        world.repay(&borrower, 50_000 * USDC).unwrap();
        assert_refused(&mut world, &more, &[&borrower.key], E::HourlyLimitReached);
    }
    assert!(take(&mut world, &lender, EXIT_AT_ONCE));
}

#[test]
fn withdraw_cannot_close_the_borrowing() {
    let (mut world, lender, borrower) = settled(2_000_000 * USDC);
    assert!(take(&mut world, &lender, EXIT_AT_ONCE));
    world.borrow(&borrower, RISK_AT_ONCE).unwrap();
}

#[test]
fn withdraw_is_charged_net_of_the_own_inflow_of_an_hour() {
    let (mut world, lender, _) = without_floor(2_000_000 * USDC);
    assert!(take(&mut world, &lender, EXIT_AT_ONCE));
    let newcomer = world.lender(500_000 * USDC);
    assert!(take(&mut world, &newcomer, 400_000 * USDC));
    assert_limit(&mut world, &lender, 1, E::HourlyLimitReached);
    assert_limit(&mut world, &newcomer, 100_000 * USDC + 1, E::AmountExceedsPosition);
    world.advance(3_600);
    let used = world.vault().loan_flow.exit.hour.used_scaled.get();
    assert!(take(&mut world, &newcomer, 100_000 * USDC));
    assert_ne!(world.vault().loan_flow.exit.hour.used_scaled.get(), used, "the credit is over");
    assert_limit(&mut world, &lender, EXIT_AT_ONCE, E::HourlyLimitReached);
}

#[test]
fn withdraw_cannot_use_an_inflow_twice() {
    let (mut world, lender, _) = without_floor(2_000_000 * USDC);
    world.fund(&lender, 0, 50_000 * USDC);
    world.supply(&lender, 50_000 * USDC).unwrap();
    assert_limit(&mut world, &lender, EXIT_AT_ONCE + 50_000 * USDC + 1, E::HourlyLimitReached);
    assert!(take(&mut world, &lender, 50_000 * USDC));
    assert!(take(&mut world, &lender, EXIT_AT_ONCE));
    assert_limit(&mut world, &lender, 1, E::HourlyLimitReached);
}

#[test]
fn case_039_040_supply_and_withdraw_within_a_day_leave_its_base_alone() {
    let (mut world, lender, _) = settled(10_000_000 * USDC);
    world.advance(2 * 86_400);
    let accrue = lending::accrue(world.keys.vault);
    world.send(&[accrue], &[]).unwrap();
    let base = world.vault().loan_flow.base.amount;
    assert!((9_900_000 * USDC..=10_000_000 * USDC).contains(&base), "{base}");
    // 60 % of a fifth of the base, half of it, less two fifths
    let at_once = base / 10_000 * 2_000 * 6 / 10 / 2 * 6 / 10;
    let flash = world.lender(50_000_000 * USDC);
    assert_limit(&mut world, &lender, at_once + USDC, E::HourlyLimitReached);
    assert!(take(&mut world, &lender, at_once - USDC));
    assert!(take(&mut world, &flash, 50_000_000 * USDC));
    assert_eq!(world.vault().loan_flow.base.amount, base);
    world.advance(3_600);
    assert!(take(&mut world, &lender, at_once - USDC), "what left does not shrink the limit");
}

#[test]
fn case_039_supply_held_only_over_midnight_does_not_raise_the_next_base() {
    let (mut world, _, _) = settled(1_000_000 * USDC);
    let day_starts = world.vault().loan_flow.base.started_ts + 86_400;
    world.set_clock(day_starts - 60, world.slot() + 1);
    let flash = world.lender(90_000_000 * USDC);
    world.set_clock(day_starts, world.slot() + 240);
    assert!(take(&mut world, &flash, 90_000_000 * USDC));
    let base = world.vault().loan_flow.base.amount;
    assert!(base < 1_100_000 * USDC, "{base}");
}

#[test]
fn case_050_limits_survive_a_clock_that_goes_back_and_long_gaps() {
    let (mut world, lender, _) = without_floor(2_000_000 * USDC);
    assert!(take(&mut world, &lender, EXIT_AT_ONCE));
    let now = world.now_ts();
    for back in [1, 3_600, 3 * 86_400] {
        world.set_clock(now - back, world.slot() + 1);
        assert_limit(&mut world, &lender, 1, E::HourlyLimitReached);
    }
    world.set_clock(now, world.slot() + 1);
    assert_limit(&mut world, &lender, 1, E::HourlyLimitReached);
    world.advance(30 * 86_400);
    assert_limit(&mut world, &lender, EXIT_AT_ONCE + 1, E::HourlyLimitReached);
    assert!(take(&mut world, &lender, EXIT_AT_ONCE));
    assert_limit(&mut world, &lender, 20_001 * USDC, E::HourlyLimitReached);
}

#[test]
fn case_015_048_tightened_limits_keep_what_was_used() {
    let (mut world, lender, _) = settled(10_000_000 * USDC);
    world.advance(2 * 86_400);
    let accrue = lending::accrue(world.keys.vault);
    world.send(&[accrue], &[]).unwrap();
    use_floor(&mut world, &lender, 100_000 * USDC);
    assert!(take(&mut world, &lender, 300_000 * USDC));
    let vault = world.vault();
    let mut loan_flow = vault.limits.loan_flow;
    loan_flow.hourly_bps = 1_700;
    let args = TightenVaultArgs {
        ltv_bps: vault.risk.ltv_bps,
        supply_cap_amount: vault.limits.supply_cap_amount,
        borrow_cap_amount: vault.limits.borrow_cap_amount,
        collateral_cap_amount: vault.limits.collateral_cap_amount,
        loan_flow,
        collateral_flow: vault.limits.collateral_flow,
        inflow: vault.limits.inflow,
        scale: vault.scale,
    };
    let validity =
        Validity { authority_epoch: world.guard_state().authority_epoch, expires_at_ts: world.now_ts() + 60 };
    let ix = admin::tighten_vault(world.risk_admin.pubkey(), world.guard, world.keys.vault, args, validity);
    let admin = world.risk_admin.insecure_clone();
    world.send(&[ix], &[&admin]).unwrap();
    // 17 % of the base now: 18 % of that at once
    let at_once = vault.loan_flow.base.amount / 10_000 * 1_700 * 18 / 100;
    assert_limit(&mut world, &lender, at_once - 300_000 * USDC + USDC, E::HourlyLimitReached);
    assert!(take(&mut world, &lender, at_once - 300_000 * USDC - USDC));
}

#[test]
fn donations_change_no_share_no_limit_and_no_ledger() {
    let (mut world, lender, borrower) = settled(2_000_000 * USDC);
    let (vault, shares) = (world.vault(), world.position(&lender.position).supply_shares.get());
    let worth = vault.assets_for_shares(shares).unwrap();
    let (loan, collateral) = (world.keys.loan_token, world.keys.collateral_token);
    world.mint_to(world.usdc, loan, 9_000_000 * USDC);
    world.mint_to(world.sol, collateral, 9_000_000 * SOL);
    assert_eq!(bytemuck::bytes_of(&world.vault()), bytemuck::bytes_of(&vault));
    assert_eq!(world.vault().assets_for_shares(shares).unwrap(), worth);
    assert_limit(&mut world, &lender, EXIT_AT_ONCE + 1, E::HourlyLimitReached);
    assert!(take(&mut world, &lender, EXIT_AT_ONCE));
    let late = world.lender(1_000 * USDC);
    let minted = world.position(&late.position).supply_shares.get();
    assert_eq!(minted, u128::from(1_000 * USDC) * rampart::constants::VIRTUAL_SHARES);
    let donated = Donated { loan: 9_000_000 * USDC, collateral: 9_000_000 * SOL };
    world.assert_books(&[&lender, &borrower, &late], donated);
}

#[test]
fn case_086_first_supplier_cannot_inflate_the_share_price() {
    let mut world = World::with_vault();
    let attacker = world.lender(1);
    let loan = world.keys.loan_token;
    world.mint_to(world.usdc, loan, 1_000_000 * USDC);
    let victim = world.lender(1_000 * USDC);
    let shares = world.position(&victim.position).supply_shares.get();
    world.withdraw(&victim, shares).unwrap();
    assert_eq!(world.balance(&victim.usdc), 1_000 * USDC);
    let own = world.position(&attacker.position).supply_shares.get();
    world.withdraw(&attacker, own).unwrap();
    assert_eq!(world.balance(&attacker.usdc), 1);
}

#[test]
fn withdraw_to_another_vault_is_a_gift_that_its_books_ignore() {
    let (mut world, lender, _) = settled(2_000_000 * USDC);
    let other = world.reversed_vault();
    let before = world.svm.get_account(&other.vault).unwrap().data;
    let args = rampart::WithdrawArgs { shares: shares_for(&world, USDC), min_amount: 0 };
    let ix = lending::withdraw(&world.keys, lender.address(), other.collateral_token, args);
    world.send(&[ix], &[&lender.key]).unwrap();
    assert_eq!(world.svm.get_account(&other.vault).unwrap().data, before);
    assert_eq!(world.balance(&other.collateral_token), USDC);
}
