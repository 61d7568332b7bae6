//! A key without a ceiling mints eighty million in two calls.

use super::pool::{Setup, whole, world_with_guard};
use super::{Row, both};
use rampart::state::{FlowCap, FlowCaps};
use rampart_tests::defaults::USDC;
use rampart_tests::integrations::{Setup as Place, amounts};

const CALLS: [u64; 2] = [50_000_000, 30_000_000];
const SUPPLY: u64 = 100_000_000;
/// 1 % of the supply an hour, 4 % a day.
const HOURLY: u64 = 1_000_000;
const DAILY: u64 = 4_000_000;

/// The thief has the key; each minute of an hour it mints what passes, after both great calls.
fn play(setup: Setup) -> u64 {
    let mut world = world_with_guard(setup);
    let (usdc, owner) = (world.usdc, world.payer_address());
    world.create_token_account(usdc, owner, SUPPLY * USDC);
    let risk = match setup {
        // the whole supply: more than that the program lets no guard allow
        Setup::Open => amounts(SUPPLY * USDC, SUPPLY * USDC),
        Setup::Guarded => amounts(HOURLY * USDC, DAILY * USDC),
    };
    let caps = FlowCaps { exit: FlowCap::default(), risk, floor: FlowCap::default() };
    let place = world.register(Place { caps, ..Place::mint() });
    for amount in CALLS {
        let _ = world.custody_mint(&place, amount * USDC);
        world.advance(3_600);
    }
    let minted = world.balance(&place.destination);
    if minted > 0 {
        return minted;
    }
    for _ in 0..60 {
        let mut amount = HOURLY * USDC;
        while amount >= USDC {
            if world.custody_mint(&place, amount).is_err() {
                amount /= 2;
            }
        }
        world.advance(60);
    }
    world.balance(&place.destination)
}

pub fn row() -> Row {
    let (open, guarded) = both(play);
    Row {
        name: "Resolv USR, 22 Mar 2026",
        reported: "80 M minted in two calls",
        counted: "tokens minted within an hour by a thief of the key",
        open: whole(open),
        guarded: whole(guarded),
        held: "custody of the mint authority with a limit",
        note: "1 % of a supply of 100 M an hour and 4 % a day; without, all of it an hour, the widest that the program lets a guard have. The second call comes an hour after the first. Both great calls are refused; what is counted is what patience gets in the hour until somebody pauses. A guardian's pause ends it at once.",
    }
}

#[test]
fn resolv_key_mints_no_more_than_an_hours_limit() {
    let (open, guarded) = both(play);
    assert_eq!(open, 80_000_000 * USDC);
    assert!(guarded <= HOURLY * USDC && guarded > HOURLY * USDC / 2, "{guarded}");
}
