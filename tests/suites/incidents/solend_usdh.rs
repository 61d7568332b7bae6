//! One pool is the price, and the attacker is the pool.

use super::pool::{Pool, Setup, Terms, whole};
use super::{Row, both};
use rampart_tests::defaults::USDC;

const CASH: u64 = 1_260_000;
/// USDH that the attacker deposits, worth a dollar each.
const TOKENS: u64 = 220_000;

/// The pool's price goes from 1 to 8.80. Without, both pinned accounts follow the pool; with, one is another venue.
fn play(setup: Setup) -> u64 {
    let mut pool = Pool::new(setup, Terms::of(CASH, 1.0));
    let attacker = pool.attacker(TOKENS);
    pool.world.tick(60, 1.0, 1.0);
    let feeds = pool.world.sol_feeds;
    for _ in 0..3 {
        pool.world.advance(15);
        pool.world.set_prices(8.8, 1.0);
        if pool.is_guarded() {
            pool.world.publish_switchboard(&feeds, 1.0, 5, pool.world.now_ts());
        } else {
            pool.world.observe_both();
        }
    }
    let taken = pool.borrow_most(&attacker, CASH * USDC);
    taken.saturating_sub(TOKENS * USDC)
}

pub fn row() -> Row {
    let (open, guarded) = both(play);
    Row {
        name: "Solend USDH, 2 Nov 2022",
        reported: "$1.26 M",
        counted: "borrowed beyond the collateral's worth",
        open: whole(open),
        guarded: whole(guarded),
        held: "two sources that have to agree",
        note: "Without: both pinned accounts follow the one pool, as one source would. The program takes a single source, too; then the reference and the limit on new risk are what is left.",
    }
}

#[test]
fn solend_usdh_price_of_one_pool_lends_nothing() {
    let (open, guarded) = both(play);
    assert_eq!((open, guarded), (CASH * USDC - TOKENS * USDC, 0));
}
