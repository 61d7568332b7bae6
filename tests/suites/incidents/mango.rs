//! A trader pumps a thin token on every venue that the price is made of, and borrows against it.

use super::pool::{Pool, Setup, Terms, whole};
use super::{Row, both};
use rampart::state::rule::RuleParams;
use rampart_tests::defaults::USDC;
use rampart_tests::rules;

const CASH: u64 = 114_000_000;
/// MNGO in the attacker's position: 483 million at 3.8 cents.
const TOKENS: u64 = 483_000_000;

/// From 3.8 to 91 cents within twenty minutes, on every source; the attacker borrows all along.
fn play(setup: Setup) -> u64 {
    let mut pool = Pool::new(setup, Terms::of(CASH, 0.038));
    let subject = pool.world.keys.collateral_asset;
    let params = RuleParams { threshold: 1_500, clear_threshold: 750, ..rules::deviation() };
    let rule = pool.is_guarded().then(|| pool.world.create_rule(1, subject, params));
    let attacker = pool.attacker(TOKENS);
    let mut taken = 0;
    for minute in 1..=20 {
        let dollars = 0.038 * (0.91f64 / 0.038).powf(f64::from(minute) / 20.0);
        pool.world.tick(60, dollars, 1.0);
        // the attacker comes before whoever trips
        taken += pool.borrow_most(&attacker, CASH * USDC - taken);
        if let Some(rule) = rule {
            let _ = pool.world.trip(rule);
        }
    }
    // what the collateral was worth before isn't taken from anyone
    taken.saturating_sub((TOKENS as f64 * 0.038) as u64 * USDC)
}

pub fn row() -> Row {
    let (open, guarded) = both(play);
    Row {
        name: "Mango, 11 Oct 2022",
        reported: "$114 M",
        counted: "borrowed beyond the collateral's worth before the pump",
        open: whole(open),
        guarded: whole(guarded),
        held: "reference, deviation rule, limit on new risk",
        note: "All sources are pumped alike, so that their agreement proves nothing. Mango counted unrealised profit as collateral; here the attacker holds the token itself. A keeper trips once a minute, after the attacker has acted.",
    }
}

#[test]
fn mango_pumped_collateral_borrows_nothing_beyond_its_worth() {
    let (open, guarded) = both(play);
    assert!(open > 90_000_000 * USDC, "{open}");
    assert_eq!(guarded, 0);
}
