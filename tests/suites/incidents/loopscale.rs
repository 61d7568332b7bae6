//! A price read from a program of the attacker's own.

use super::Row;
use super::pool::{Pool, Setup, Terms, whole};
use rampart::error::RampartError as E;
use rampart_tests::assert_error;
use rampart_tests::defaults::USDC;

/// USDC, and thousandths of a SOL.
const POOLS: [u64; 2] = [5_730_000, 1_211_000];

/// The attacker brings a price account of a program of its own: in place of the pinned one it is refused, and at its
/// address it isn't a price.
fn spoofed(cash: u64) -> u64 {
    let mut pool = Pool::new(Setup::Guarded, Terms::of(cash, 1.0));
    let attacker = pool.attacker(1_000);
    let (feeds, own) = (pool.world.sol_feeds, rampart_client::Pubkey::new_from_array([0x66; 32]));
    pool.world.set_prices(1_000_000.0, 1.0);
    let forged = pool.world.copy_under(&feeds.pyth, own);
    let mut ix = rampart_client::lending::borrow(
        &pool.world.keys,
        attacker.address(),
        attacker.usdc,
        &pool.world.pair_oracles(),
        cash * USDC,
    );
    // the first of the oracles, behind what borrow names itself
    ix.accounts[12].pubkey = forged;
    pool.world.set_prices(1.0, 1.0);
    assert_error(pool.world.send(&[ix], &[&attacker.key]), E::OracleAccountMismatch);
    let account = pool.world.svm.get_account(&forged).expect("forged");
    pool.world.put_account(feeds.pyth, own, account.data);
    assert_error(pool.world.borrow(&attacker, cash * USDC), E::PriceIndeterminate);
    pool.world.balance(&attacker.usdc)
}

/// As if the spoofed price had been believed: both pinned accounts say a million.
fn believed(cash: u64) -> u64 {
    let mut pool = Pool::new(Setup::Guarded, Terms::of(cash, 1.0));
    let attacker = pool.attacker(1_000_000);
    pool.world.warm_up(1, 60);
    for _ in 0..12 {
        pool.world.tick(60, 1_000_000.0, 1.0);
    }
    pool.borrow_most(&attacker, cash * USDC)
}

pub fn row() -> Row {
    let [usdc, sol] = POOLS.map(spoofed);
    Row {
        name: "Loopscale, 26 Apr 2025",
        reported: "5.73 M USDC and 1,211 SOL",
        counted: "tokens that left both pools at once",
        open: "5,730,000 and 1,211 (computed)".to_owned(),
        guarded: format!("{} and {}", whole(usdc), whole(sol / 1_000)),
        held: "owner, program and address pinned on every path",
        note: "Without is computed: no setting of this program reads a price from a program that isn't pinned. Had the price been believed all the same, the limit on new risk would have let 4 % of each pool out at once: 229,200 USDC and 48 SOL.",
    }
}

#[test]
fn loopscale_price_of_another_program_is_refused_on_every_path() {
    for cash in POOLS {
        assert_eq!(spoofed(cash), 0);
    }
}

#[test]
fn loopscale_believed_price_would_let_a_limit_out() {
    for cash in POOLS {
        let left = believed(cash);
        let at_once = cash * USDC * 4 / 100;
        assert!(left <= at_once && left > at_once - 100 * USDC, "{left} of {cash}");
    }
}
