//! One account has nearly all of the collateral, and its liquidation would break the market.

use super::pool::{Pool, Setup, Terms, whole};
use super::{Row, both};
use rampart::state::RiskParams;
use rampart_tests::defaults::{self, SOL, USDC};

const CASH: u64 = 120_000_000;
/// SOL that the whale has deposited.
const TOKENS: u64 = 5_700_000;
/// What it owes.
const DEBT: u64 = 108_000_000;

/// The price falls to where the soft band begins, and further by the minute for an hour. Counted: forced sales in that
/// hour, dollars.
fn play(setup: Setup) -> u64 {
    let risk = match setup {
        Setup::Guarded => defaults::risk(),
        // no band before the line, and all at once at the line
        Setup::Open => RiskParams {
            soft_line_bps: 7_499,
            liquidation_line_bps: 7_500,
            target_ltv_bps: 100,
            soft_quota_bps: 1,
            close_factor_bps: 10_000,
            ..defaults::risk()
        },
    };
    let mut pool = Pool::new(setup, Terms { risk, ..Terms::of(CASH, 40.0) });
    let whale = pool.attacker(TOKENS);
    let mut owed = 0;
    while owed < DEBT * USDC {
        owed += pool.borrow_most(&whale, DEBT * USDC - owed);
        pool.world.tick(1_800, 40.0, 1.0);
    }
    let by = pool.world.user(0, 2 * DEBT * USDC);
    let ltv = 0.755;
    let first = DEBT as f64 / (TOKENS as f64 * ltv);
    let mut dollars = first;
    let mut sold = 0.0;
    for _ in 0..60 {
        pool.world.tick(60, dollars, 1.0);
        let before = pool.world.balance(&by.sol);
        let _ = pool.world.deleverage(&by, whale.position, u64::MAX);
        let _ = pool.world.liquidate(&by, whale.position, u64::MAX);
        sold += (pool.world.balance(&by.sol) - before) as f64 / SOL as f64 * dollars;
        // a fifth of a percent in an hour: a slide, not a crash
        dollars -= first * 0.000_03;
    }
    (sold * 1e6) as u64
}

pub fn row() -> Row {
    let (open, guarded) = both(play);
    Row {
        name: "Solend whale, 19 June 2022",
        reported: "$108 M at risk; governance voted to take the account over",
        counted: "forced sales in the first hour at the line, dollars",
        open: whole(open),
        guarded: whole(guarded),
        held: "soft deleveraging under an hourly quota; no instruction takes over an account",
        note: "5.7 million SOL against $108 M. Without: no band before the line, and a close factor of one. The quota spreads the sale over hours, and doesn't make the position smaller: a collateral cap would have. In a fall faster than the quota liquidation goes on, at up to a quarter of the debt at once.",
    }
}

#[test]
fn solend_whale_is_deleveraged_by_a_tenth_an_hour() {
    let (open, guarded) = both(play);
    assert!(open > 100_000_000 * USDC, "{open}");
    assert!(guarded > 9_000_000 * USDC && guarded < 12_000_000 * USDC, "{guarded}");
}
