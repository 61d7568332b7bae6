//! Admin keys are taken, fake collateral is listed, and 31 withdrawals empty the exchange in twelve minutes.

use super::pool::{Pool, Setup, Terms, whole};
use super::{Row, both};
use rampart::error::RampartError as E;
use rampart::state::Change;
use rampart_tests::assert_error;
use rampart_tests::defaults::USDC;

const CASH: u64 = 285_000_000;
const WITHDRAWALS: u64 = 31;

/// The collateral is the attacker's own and both feeds say what it likes: that the delays let through is assumed. Then 31
/// withdrawals in twelve minutes.
fn play(setup: Setup) -> u64 {
    let mut pool = Pool::new(setup, Terms::of(CASH, 1.0));
    let attacker = pool.attacker(1_000_000_000);
    let each = CASH * USDC / WITHDRAWALS + 1;
    let mut taken = 0;
    for _ in 0..WITHDRAWALS {
        taken += pool.borrow_most(&attacker, each.min(CASH * USDC - taken));
        pool.world.tick(23, 1.0, 1.0);
    }
    taken
}

/// What the keys alone are good for within the twelve minutes.
fn keys_alone() {
    let mut pool = Pool::new(Setup::Guarded, Terms::of(CASH, 1.0));
    let mut limits = pool.world.vault().limits;
    limits.loan_flow.absolute_floor_amount = 1 << 60;
    let vault = pool.world.keys.vault;
    let key = pool.world.propose(vault, Change::VaultLimits(limits));
    pool.world.advance(12 * 60);
    assert_error(pool.world.execute(key, &[]), E::ChangeNotRipe);
    // and after two days its effect is refused
    pool.world.ripen();
    assert_error(pool.world.execute(key, &[]), E::EffectTooLarge);
}

pub fn row() -> Row {
    let (open, guarded) = both(play);
    Row {
        name: "Drift, 1 Apr 2026",
        reported: "$285 M in 31 withdrawals, 12 minutes",
        counted: "tokens that left in twelve minutes",
        open: whole(open),
        guarded: whole(guarded),
        held: "limit on new risk; before that the delay of a loosening, its effect, and no durable nonces",
        note: "The worst is assumed: fake collateral is in place and every feed of it lies. The keys alone get nothing in twelve minutes: raising the limit waits two days and is then refused for its effect. Transactions signed in advance on durable nonces are refused (case 1). A warm-up of new collateral would cut what is left further.",
    }
}

#[test]
fn drift_keys_alone_get_nothing_and_fake_collateral_a_few_percent() {
    keys_alone();
    let (open, guarded) = both(play);
    assert_eq!(open, CASH * USDC);
    // 4 % at once, and 4 % an hour from then on
    assert!(guarded <= CASH * USDC * 5 / 100, "{guarded}");
}
