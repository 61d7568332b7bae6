//! One venue prints a low price, and users are liquidated at it.

use super::pool::{Pool, Setup, Terms, whole};
use super::{Row, both};
use rampart_tests::defaults::USDC;

/// Users' collateral, tokens of a dollar.
const TOKENS: u64 = 10_000_000;

/// The print is a quarter low for two minutes. Without, both pinned accounts follow the venue; with, one is another.
fn play(setup: Setup) -> u64 {
    let mut pool = Pool::new(setup, Terms::of(100_000_000, 1.0));
    let user = pool.attacker(TOKENS);
    pool.borrow_most(&user, TOKENS * USDC * 68 / 100);
    let by = pool.world.user(0, 100_000_000 * USDC);
    let feeds = pool.world.sol_feeds;
    for _ in 0..8 {
        pool.world.advance(15);
        pool.world.set_prices(0.75, 1.0);
        if pool.is_guarded() {
            pool.world.publish_switchboard(&feeds, 1.0, 5, pool.world.now_ts());
        }
        let _ = pool.world.liquidate(&by, user.position, u64::MAX);
    }
    // what the users lost: collateral at its true dollar, less what was repaid for it
    let repaid = 100_000_000 * USDC - pool.world.balance(&by.usdc);
    (pool.world.balance(&by.sol) / 1_000).saturating_sub(repaid)
}

pub fn row() -> Row {
    let (open, guarded) = both(play);
    Row {
        name: "Drift USDY, Sept 2025",
        reported: "users liquidated at one venue's print",
        counted: "lost by users with 10 M of collateral, dollars",
        open: whole(open),
        guarded: whole(guarded),
        held: "liquidation at a price on which two sources agree",
        note: "The sources we have name no amount: ten million is a scale, a print of 75 cents an assumption. Without: both pinned accounts follow the venue. A vault with a single source would have liquidated, too.",
    }
}

#[test]
fn drift_usdy_print_of_one_venue_liquidates_nobody() {
    let (open, guarded) = both(play);
    assert!(open > 500_000 * USDC, "{open}");
    assert_eq!(guarded, 0);
}
