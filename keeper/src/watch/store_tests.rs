use super::*;
use crate::watch::testing::{SLOT, World, bytes_of, key};
use proptest::prelude::*;
use std::time::Duration;

fn update(at: Pubkey, data: Vec<u8>, slot: u64, origin: Origin) -> Update {
    Update { key: at, owner: rampart::ID, lamports: 1, data, slot, origin, write_version: 0, told_by: 0 }
}

#[test]
fn newest_slot_wins_whatever_the_order_of_arrival() {
    let world = World::new();
    let (a, b, c) = (world.position(1, 1), world.position(2, 2), world.position(3, 3));
    let (mut store, at, now) = (world.store(&[]), key(50), Instant::now());
    assert_eq!(store.apply(update(at, bytes_of(&b), 20, Origin::Push), now), Applied::Changed(Kind::Position));
    assert_eq!(store.apply(update(at, bytes_of(&a), 10, Origin::Push), now), Applied::Stale);
    assert_eq!(store.apply(update(at, bytes_of(&b), 20, Origin::Push), now), Applied::Same);
    assert_eq!(store.apply(update(at, bytes_of(&c), 20, Origin::Push), now), Applied::Changed(Kind::Position));
    assert_eq!(store.position(&at), Some(&c));
}

#[test]
fn answer_never_replaces_a_notification_of_its_own_slot() {
    let world = World::new();
    let (old, new) = (world.position(1, 1), world.position(2, 2));
    let (mut store, at, now) = (world.store(&[]), key(50), Instant::now());
    store.apply(update(at, bytes_of(&new), 20, Origin::Push), now);
    assert_eq!(store.apply(update(at, bytes_of(&old), 20, Origin::Poll), now), Applied::Stale);
    assert_eq!(store.apply(update(at, bytes_of(&old), 21, Origin::Poll), now), Applied::Changed(Kind::Position));
}

#[test]
fn fault_15_bad_bytes_take_the_account_out_until_good_ones_come() {
    let world = World::new();
    let (mut store, now) = (world.store(&[]), Instant::now());
    let vault = bytes_of(&world.vault());
    let bad = vault[..100].to_vec();
    let applied = store.apply(update(world.vault_key, bad, SLOT, Origin::Push), now);
    assert_eq!((applied, store.quarantined()), (Applied::Quarantined(DecodeError::Length), 1));
    assert!(store.vault(&world.vault_key).is_none());
    assert!(store.asset(&world.asset_keys[0]).is_some(), "its neighbours stay");
    store.apply(update(world.vault_key, vault, SLOT + 1, Origin::Push), now);
    assert_eq!((store.vault(&world.vault_key).is_some(), store.quarantined()), (true, 0));
}

#[test]
fn account_of_another_guard_is_refused() {
    let world = World::new();
    let mut foreign = world.vault();
    foreign.guard = key(77);
    let applied = world.store(&[]).apply(update(key(51), bytes_of(&foreign), SLOT, Origin::Push), Instant::now());
    assert_eq!(applied, Applied::Quarantined(DecodeError::Foreign));
}

#[test]
fn fault_15_closed_account_goes_away_and_stays_away() {
    let world = World::new();
    let (at, now) = (key(50), Instant::now());
    let mut store = world.store(&[(at, world.position(1, 1))]);
    let closed = Update::absent(at, SLOT, Origin::Push);
    assert_eq!(store.apply(closed, now), Applied::Changed(Kind::Position));
    let late = update(at, bytes_of(&world.position(1, 1)), SLOT - 1, Origin::Push);
    assert_eq!((store.apply(late, now), store.position(&at)), (Applied::Stale, None));
    assert_eq!(store.apply(Update::absent(key(60), SLOT, Origin::Poll), now), Applied::Unwanted);
}

#[test]
fn listing_removes_what_it_does_not_hold_unless_that_is_newer() {
    let world = World::new();
    let (old, new, listed) = (key(50), key(51), key(52));
    let mut store = world.store(&[]);
    let now = Instant::now();
    for (at, slot) in [(old, 10), (new, 30), (listed, 10)] {
        store.apply(update(at, bytes_of(&world.position(1, 1)), slot, Origin::Push), now);
    }
    let all: HashSet<Pubkey> = [listed, world.vault_key, world.asset_keys[0], world.asset_keys[1]].into();
    assert_eq!(store.retain_listed(&all, 20), [old]);
    assert!(store.position(&new).is_some() && store.position(&listed).is_some() && store.position(&old).is_none());
}

#[test]
fn coverage_counts_what_requests_verified() {
    let world = World::new();
    let start = Instant::now();
    let mut store = world.store(&[(key(50), world.position(1, 1)), (key(51), world.position(1, 1))]);
    store.apply(update(key(50), bytes_of(&world.position(1, 1)), SLOT, Origin::Poll), start);
    let later = start + Duration::from_secs(5);
    assert_eq!(store.coverage(later, Duration::from_secs(10)).0, 0.5);
    assert_eq!(store.coverage(later, Duration::from_secs(1)).0, 0.0);
    store.apply(update(key(51), bytes_of(&world.position(2, 1)), SLOT, Origin::Poll), start);
    assert_eq!(store.coverage(later, Duration::from_secs(10)), (1.0, Duration::from_secs(5)));
}

#[test]
fn coverage_and_quarantine_are_what_a_walk_over_all_counts() {
    let (world, start) = (World::new(), Instant::now());
    let (mut store, mut noise) = (world.store(&[]), crate::bench::market::Noise::new(1));
    for step in 0..4_000 {
        let at = key(u8::try_from(50 + noise.below(12)).unwrap());
        let (slot, now) = (SLOT + step, start + Duration::from_secs(step));
        let origin = if noise.below(3) == 0 { Origin::Push } else { Origin::Poll };
        let position = bytes_of(&world.position(1 + noise.below(3), 1));
        let _ = match noise.below(8) {
            0 => store.apply(Update::absent(at, slot, origin), now),
            1 => store.apply(update(at, position[..100].to_vec(), slot, origin), now),
            2 => {
                let listed: HashSet<Pubkey> = (50..62).map(key).filter(|_| noise.below(4) > 0).collect();
                store.retain_listed(&listed, slot);
                Applied::Same
            }
            _ => store.apply(update(at, position, slot, origin), now),
        };
        let ages: Vec<_> = (store.positions.keys())
            .map(|at| store.versions[at].verified_at.map_or(Duration::MAX, |at| now.saturating_duration_since(at)))
            .collect();
        let lately = Duration::from_secs(20);
        let verified = ages.iter().filter(|age| **age <= lately).count();
        let share = if ages.is_empty() { 1.0 } else { verified as f64 / ages.len() as f64 };
        let oldest = ages.into_iter().max().unwrap_or_default();
        assert_eq!(store.coverage(now, lately), (share, oldest), "step {step}");
        assert_eq!(store.quarantined(), store.versions.values().filter(|v| v.is_quarantined).count(), "step {step}");
    }
}

#[test]
fn raw_accounts_are_kept_only_while_asked_for() {
    let world = World::new();
    let mut store = world.store(&[]);
    let oracle = world.oracle_keys()[0];
    assert!(store.raw(&oracle).is_some());
    store.watch_raw(HashSet::from([world.oracle_keys()[1]]));
    assert!(store.raw(&oracle).is_none() && store.raw(&world.oracle_keys()[1]).is_some());
}

proptest! {
    #[test]
    fn fault_16_garbage_in_a_known_account_never_panics_nor_touches_its_neighbours(data in prop::collection::vec(any::<u8>(), 0..6_000), kind in 0usize..4, lamports in 0u64..2) {
        let world = World::new();
        let position = (key(50), world.position(1, 1));
        let mut store = world.store(&[position]);
        let heads = [world.vault_key, world.asset_keys[0], world.guard_key, key(53)];
        let disguised = match kind {
            0 => bytes_of(&world.vault()),
            1 => bytes_of(&world.asset(0)),
            2 => bytes_of(&world.guard),
            _ => bytes_of(&world.rule()),
        };
        // the right head on random bytes of the right length
        let mut bytes = disguised.clone();
        for (slot, byte) in bytes.iter_mut().skip(8).zip(data.iter().cycle()) {
            *slot = *byte;
        }
        for bytes in [data.clone(), bytes] {
            let next = Update { lamports, ..update(heads[kind], bytes, SLOT, Origin::Push) };
            store.apply(next, Instant::now());
        }
        prop_assert_eq!(store.position(&key(50)), Some(&position.1));
    }
}
