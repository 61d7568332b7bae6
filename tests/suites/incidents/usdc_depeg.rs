//! A stablecoin falls to 88 cents while somebody takes it for a dollar.

use super::pool::{Pool, Setup, Terms, whole};
use super::{Row, both};
use rampart::state::RiskParams;
use rampart::state::asset::Peg;
use rampart::state::rule::RuleParams;
use rampart_tests::defaults::{self, USDC};
use rampart_tests::rules;

const CASH: u64 = 1_000_000_000;

/// Lines of a pair that is thought to be worth the same.
fn pegged() -> RiskParams {
    RiskParams {
        ltv_bps: 9_500,
        soft_line_bps: 9_600,
        liquidation_line_bps: 9_700,
        full_close_ltv_bps: 9_900,
        target_ltv_bps: 9_500,
        soft_bonus_bps: 10,
        min_bonus_bps: 20,
        max_bonus_bps: 100,
        ..defaults::risk()
    }
}

/// Collateral: USDC. Loan: another dollar. Everybody brings what falls and takes what holds. Without, the price stays at a
/// dollar by decree; with, it is read, and a rule on the peg trips.
fn play(setup: Setup) -> u64 {
    let mut pool = Pool::new(setup, Terms { risk: pegged(), peg: Peg::UsDollar, ..Terms::of(CASH, 1.0) });
    let subject = pool.world.keys.collateral_asset;
    let params = RuleParams { duration_secs: 21_600, ..rules::peg_deviation() };
    let rule = pool.is_guarded().then(|| pool.world.create_rule(1, subject, params));
    let crowd = pool.attacker(2 * CASH);
    let mut gained = 0.0;
    // three hours down to 88 cents
    for step in 1..=36 {
        let fair = 1.0 - 0.12 * f64::from(step) / 36.0;
        pool.world.tick(300, if pool.is_guarded() { fair } else { 1.0 }, 1.0);
        let left = CASH * USDC - pool.world.balance(&crowd.usdc);
        let taken = pool.borrow_most(&crowd, left);
        // each dollar taken leaves collateral behind for it, at the price at which it was taken
        let behind = taken as f64 / 0.95 * 0.88;
        gained += (taken as f64 - behind).max(0.0);
        if let Some(rule) = rule {
            let _ = pool.world.trip(rule);
        }
    }
    gained as u64
}

pub fn row() -> Row {
    let (open, guarded) = both(play);
    Row {
        name: "USDC depeg, 11 Mar 2023",
        reported: "$0.88; a module that took it for a dollar was filled with billions",
        counted: "lost by a pool of 1,000 M at 88 cents, dollars",
        open: whole(open),
        guarded: whole(guarded),
        held: "a real price, peg rule, limit on new risk",
        note: "Lending at 95 % in place of a swap at par. Without: the price is a dollar by decree, which the program has no source for; the accounts were written so. With: what is lost was lent in the first minutes, before the price had fallen far enough to trip the rule.",
    }
}

#[test]
fn usdc_depeg_costs_a_guarded_pool_a_small_part() {
    let (open, guarded) = both(play);
    assert!(open > 70_000_000 * USDC, "{open}");
    assert!(guarded * 10 < open, "{guarded}");
}
