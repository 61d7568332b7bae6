use super::sweep::{Priced, crosses, step};
use super::*;
use crate::watch::testing::World;
use proptest::prelude::*;
use rampart::math::price::{PRICE_MAX_Q64, PRICE_MIN_Q64};
use rampart::risk::health::crossing_price_q64;
use std::collections::BTreeSet as Set;

fn priced(price_q64: u128, index_q64: u128) -> Priced {
    let mut vault = World::new().vault();
    vault.borrow_index_q64 = index_q64.into();
    Priced { vault: Box::new(vault), price: Price::from_q64(price_q64).unwrap() }
}

/// Amounts and prices of every size, with the small ones, at which rounding matters, well represented.
fn magnitude() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0u32..64).prop_map(|(value, shift)| value >> shift)
}

fn price() -> impl Strategy<Value = u128> {
    (32u32..112)
        .prop_flat_map(|bits| (1u128 << bits)..(1u128 << (bits + 1)))
        .prop_map(|raw| raw.clamp(PRICE_MIN_Q64, PRICE_MAX_Q64))
}

proptest! {
    /// Nothing that the program would take is left out, whatever the price, the index and the position.
    #[test]
    fn no_position_beyond_the_line_is_left_out(scaled in magnitude(), collateral in magnitude(), price in price(), growth in Q64_ONE..Q64_ONE << 32, line in 1u16..=10_000) {
        let mut priced = priced(price, growth);
        priced.vault.risk.soft_line_bps = line;
        let position = World::new().position(collateral, scaled);
        let key = key_of(u128::from(scaled), collateral);
        if crosses(&priced, &position) {
            prop_assert!(key.unwrap() >= threshold(priced.price, growth, line));
        }
    }

    /// What the index returns and the exact check confirms is what a full scan finds.
    #[test]
    fn confirmed_candidates_equal_a_full_scan(amounts in prop::collection::vec((magnitude(), magnitude()), 1..200), price in price(), growth in Q64_ONE..Q64_ONE * 100) {
        let world = World::new();
        let priced = priced(price, growth);
        let positions: Vec<_> = amounts.iter().map(|(c, s)| world.position(*c, *s)).collect();
        let mut index = PriceIndex::default();
        for (at, position) in positions.iter().enumerate() {
            index.put(key(at), Some(position));
        }
        let lowest = threshold(priced.price, growth, priced.vault.risk.soft_line_bps);
        let returned: Vec<Pubkey> = index.vault(&world.vault_key).unwrap().candidates(lowest).collect();
        let at = |k: &Pubkey| usize::from(u16::from_le_bytes([k.to_bytes()[0], k.to_bytes()[1]]));
        let confirmed: Set<usize> = returned.iter().map(at).filter(|i| crosses(&priced, &positions[*i])).collect();
        let scanned: Set<usize> = (0..positions.len()).filter(|i| crosses(&priced, &positions[*i])).collect();
        prop_assert_eq!(confirmed, scanned);
    }

    /// A price at which the program's own bound says that a position crosses finds it in the index.
    #[test]
    fn position_is_found_at_its_crossing_price(debt in 1_000u64..1 << 40, collateral in 1_000u64..1 << 40, line in 1_000u16..9_900) {
        let crossing = crossing_price_q64(debt, collateral, line).unwrap();
        prop_assume!(Price::from_q64(crossing).is_ok());
        let lowest = threshold(Price::from_q64(crossing).unwrap(), Q64_ONE, line);
        prop_assert!(key_of(u128::from(debt), collateral).unwrap() >= lowest);
    }
}

fn key(at: usize) -> Pubkey {
    let mut bytes = [7; 32];
    bytes[..2].copy_from_slice(&(at as u16).to_le_bytes());
    Pubkey::new_from_array(bytes)
}

#[test]
fn few_more_than_those_beyond_the_line_are_returned() {
    let world = World::new();
    let priced = priced(Q64_ONE, Q64_ONE);
    let mut index = PriceIndex::default();
    for at in 0..1_000u64 {
        // loan-to-value from 0 to 99.9 %, the soft line at 75 %
        index.put(key(at as usize), Some(&world.position(1_000_000, at * 1_000)));
    }
    let lowest = threshold(priced.price, Q64_ONE, priced.vault.risk.soft_line_bps);
    assert_eq!(index.vault(&world.vault_key).unwrap().candidates(lowest).count(), 250);
}

#[test]
fn deepest_comes_first_and_no_collateral_is_deepest() {
    let world = World::new();
    let mut index = PriceIndex::default();
    index.put(key(1), Some(&world.position(100, 80)));
    index.put(key(2), Some(&world.position(0, 1)));
    index.put(key(3), Some(&world.position(100, 90)));
    index.put(key(4), Some(&world.position(100, 0)));
    let order: Vec<_> = index.vault(&world.vault_key).unwrap().candidates(0).collect();
    assert_eq!(order, [key(2), key(3), key(1)]);
}

#[test]
fn position_that_changes_or_goes_leaves_nothing_behind() {
    let world = World::new();
    let mut index = PriceIndex::default();
    index.put(key(1), Some(&world.position(100, 80)));
    index.put(key(1), Some(&world.position(200, 80)));
    assert_eq!(index.vault(&world.vault_key).unwrap().candidates(0).count(), 1);
    index.put(key(1), None);
    assert!(index.vault(&world.vault_key).unwrap().is_empty());
    assert_eq!(index.vault(&world.vault_key).unwrap().candidates(0).count(), 0);
}

#[test]
fn sweep_finds_a_stale_key_and_a_missing_one() {
    let world = World::new();
    let positions =
        [(key(1), world.position(100, 80)), (key(2), world.position(100, 10)), (key(3), world.position(100, 90))];
    let store = world.store(&positions);
    let mut index = PriceIndex::default();
    for (at, position) in &positions {
        index.put(*at, Some(position));
    }
    let priced = HashMap::from([(world.vault_key, priced(Q64_ONE, Q64_ONE))]);
    let mut tallies = HashMap::new();
    let clean = step(&store, &index, &priced, None, 10, &mut tallies);
    let tally = &tallies[&world.vault_key];
    assert_eq!((tally.count, tally.borrowers, tally.soft, tally.liquidatable), (3, 3, 0, 2));
    assert_eq!((tally.bars[2], tally.bars[16], tally.bars[18]), ((1, 10), (1, 80), (1, 90)));
    assert_eq!((clean.checked, clean.mismatched.len(), clean.cursor), (3, 0, None));
    index.put(key(1), Some(&world.position(1_000_000, 80)));
    index.put(key(3), None);
    let first = step(&store, &index, &priced, None, 2, &mut tallies);
    let rest = step(&store, &index, &priced, first.cursor, 2, &mut tallies);
    assert_eq!([first.mismatched, rest.mismatched].concat(), [key(1), key(3)]);
}

/// How many positions a gap is played over: a million where the build is optimised.
const CROWD: u64 = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };

fn numbered(n: u64) -> Pubkey {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    Pubkey::new_from_array(bytes)
}

/// A collateral and a loan-to-value of 0 to 110 % at the price of one, spread by a multiplication that mixes the bits.
fn spread(world: &World, n: u64, seed: u64) -> Position {
    let mixed = (n ^ seed).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let collateral = 1_000 + (mixed >> 24);
    world.position(collateral, collateral / 10_000 * (mixed % 11_000))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 8 } else { 3 }))]

    /// Every position that crosses its line by a gap of 30 % in one update is a candidate at once, and the sweep over all
    /// of them finds no difference.
    #[test]
    fn fault_23_gap_of_30_percent_misses_none_against_brute_force(seed in any::<u64>(), growth in Q64_ONE..Q64_ONE * 2) {
        let world = World::new();
        let crowd: Vec<(Pubkey, Position)> = (0..CROWD).map(|n| (numbered(n), spread(&world, n, seed))).collect();
        let mut index = PriceIndex::default();
        crowd.iter().for_each(|(at, position)| index.put(*at, Some(position)));
        let vault = index.vault(&world.vault_key).unwrap();
        let mut found_before = 0;
        for price in [Q64_ONE, Q64_ONE / 10 * 7] {
            let priced = priced(price, growth);
            let lowest = threshold(priced.price, growth, priced.vault.risk.soft_line_bps);
            let returned: Set<Pubkey> = vault.candidates(lowest).collect();
            let crossing = crowd.iter().filter(|(_, position)| crosses(&priced, position));
            let missed = crossing.clone().filter(|(at, _)| !returned.contains(at)).count();
            let crossed = crossing.count();
            prop_assert_eq!(missed, 0);
            prop_assert!(crossed > found_before, "the gap made candidates: {} of {}", crossed, found_before);
            // one in a thousand more than those at most: what is looked at again is no scan
            prop_assert!(returned.len() <= crossed + crowd.len() / 1_000, "{} for {crossed}", returned.len());
            found_before = crossed;
        }
    }
}
