//! A forged message of a bridge mints collateral, which is deposited and borrowed against.

use super::pool::{Pool, Setup, Terms, whole};
use super::{Row, both};
use rampart_tests::defaults::USDC;
use rampart_tests::rules;

const CASH: u64 = 292_000_000;
/// Minted out of nothing, tokens of 2,500 dollars; the honest supply is five times that.
const FORGED: u64 = 116_500;

/// Forged, deposited and borrowed in one go; keepers see the supply a second later, and trip.
fn play(setup: Setup) -> u64 {
    let mut pool = Pool::new(setup, Terms::of(CASH, 4_000.0));
    let honest = pool.world.user(5 * FORGED * 1_000_000_000, 0);
    for _ in 0..600 {
        pool.world.tick(600, 4_000.0, 1.0);
    }
    let subject = pool.world.keys.collateral_asset;
    let rule = pool.is_guarded().then(|| pool.world.create_rule(1, subject, rules::supply_growth()));
    let attacker = pool.attacker(FORGED);
    let _ = honest;
    let mut taken = pool.borrow_most(&attacker, CASH * USDC);
    for _ in 0..60 {
        pool.world.tick(60, 4_000.0, 1.0);
        if let Some(rule) = rule {
            let _ = pool.world.trip(rule);
        }
        taken += pool.borrow_most(&attacker, CASH * USDC - taken);
    }
    taken
}

pub fn row() -> Row {
    let (open, guarded) = both(play);
    Row {
        name: "KelpDAO rsETH, 18 Apr 2026",
        reported: "$292 M",
        counted: "borrowed against forged collateral within an hour",
        open: whole(open),
        guarded: whole(guarded),
        held: "limit on new risk, supply-growth rule",
        note: "116,500 tokens are forged on an honest supply of five times as many, priced as before. The attacker borrows in the transaction that deposits: that much leaves whatever keepers do. A minute later the supply rule halts new risk. A cap on the rate of deposits would cut what is left further.",
    }
}

#[test]
fn kelp_forged_collateral_gets_what_is_there_at_once_and_no_more() {
    let (open, guarded) = both(play);
    assert_eq!(open, CASH * USDC);
    assert!(guarded <= CASH * USDC * 41 / 1_000, "{guarded}");
}
