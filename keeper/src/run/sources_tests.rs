use super::*;
use crate::watch::testing::key;

const AGE: Duration = Duration::from_secs(6);

fn set(n: u8) -> WatchSet {
    WatchSet { accounts: [key(n)].into(), ..WatchSet::default() }
}

fn sources(now: Instant) -> Sources {
    let mut sources = Sources::new(["a".to_owned()], now);
    assert!(sources.watch(set(1)));
    sources.slot(0, 5, now);
    sources
}

#[test]
fn gap_is_closed_only_by_a_snapshot_asked_for_after_the_subscriptions() {
    let now = Instant::now();
    let mut s = sources(now);
    assert_eq!(s.snapshot(&set(1), 5, now), [0; 0]);
    let covered = now + Duration::from_millis(10);
    s.covered(0, &s.topics.clone(), 5, covered);
    assert!(s.needs_snapshot());
    assert_eq!(s.snapshot(&set(1), 5, now), [0; 0], "asked for before");
    assert_eq!(s.snapshot(&set(1), 5, covered), [0]);
    assert!(s.is_gapless(now + Duration::from_secs(600), AGE) && !s.needs_snapshot());
    assert_eq!(s.snapshot(&set(1), 5, covered), [0; 0], "told once");
}

#[test]
fn lost_socket_opens_the_gap_and_recent_snapshots_carry() {
    let now = Instant::now();
    let mut s = sources(now);
    s.covered(0, &s.topics.clone(), 5, now);
    s.snapshot(&set(1), 5, now);
    assert_eq!(s.down(0), Turn::Lost);
    assert_eq!(s.down(0), Turn::Same, "told once");
    s.polled(9, now);
    assert!(s.is_gapless(now + AGE, AGE));
    assert!(!s.is_gapless(now + AGE + Duration::from_millis(1), AGE));
    s.poll_failed();
    assert!(!s.is_gapless(now, AGE));
}

#[test]
fn snapshot_of_another_set_closes_nothing() {
    let now = Instant::now();
    let mut s = sources(now);
    s.polled(9, now);
    let before = s.topics.clone();
    assert!(s.watch(set(2)));
    s.covered(0, &before, 5, now);
    assert_eq!(s.snapshot(&set(1), 5, now), [0; 0]);
    assert!(!s.is_gapless(now, AGE));
    s.covered(0, &s.topics.clone(), 5, now);
    assert_eq!(s.snapshot(&set(2), 5, now), [0]);
}

#[test]
fn change_without_a_notification_marks_that_subscription_alone() {
    let now = Instant::now();
    let mut s = sources(now);
    s.covered(0, &s.topics.clone(), 5, now);
    s.snapshot(&set(1), 5, now);
    let topic = |n| Topic::Account(key(n));
    s.found_by_request(topic(7), now);
    s.found_by_request(Topic::Account(CLOCK), now);
    s.found_by_request(topic(8), now);
    s.pushed(&topic(8), 1, now);
    let (later, grace) = (now + Duration::from_secs(3), Duration::from_secs(2));
    assert!(s.take_dead(grace, later).is_empty(), "everything is late, not this one alone");
    s.slot(0, 9, later);
    assert_eq!(s.take_dead(grace, later), [(0, topic(7))]);
    assert!(s.needs_clock(later, Duration::from_secs(1)));
    s.pushed(&Topic::Account(CLOCK), 1, later);
    assert!(!s.needs_clock(later, Duration::from_secs(1)));
}

#[test]
fn second_source_carries_on_and_each_closes_a_gap_of_its_own() {
    let now = Instant::now();
    let mut s = Sources::new(["a".to_owned(), "b".to_owned()], now);
    s.watch(set(1));
    for source in 0..2 {
        s.slot(source, 5, now);
        s.covered(source, &s.topics.clone(), 5, now);
    }
    assert_eq!(s.snapshot(&set(1), 5, now), [0, 1]);
    assert_eq!(s.down(0), Turn::Lost);
    assert!(s.is_socket_gapless() && s.is_gapless(now + Duration::from_secs(600), AGE));
    s.slot(0, 6, now);
    assert!(s.sockets[0].health.has_gap, "slots alone close nothing");
    let covered = now + Duration::from_secs(1);
    s.covered(0, &s.topics.clone(), 5, covered);
    assert!(s.needs_snapshot());
    assert_eq!(s.snapshot(&set(1), 5, covered), [0]);
}

#[test]
fn subscription_is_dead_at_the_source_alone_that_did_not_tell() {
    let now = Instant::now();
    let mut s = Sources::new(["a".to_owned(), "b".to_owned()], now);
    s.watch(set(1));
    for source in 0..2 {
        s.slot(source, 5, now);
        s.covered(source, &s.topics.clone(), 5, now);
    }
    s.snapshot(&set(1), 5, now);
    let topic = Topic::Account(key(7));
    s.found_by_request(topic, now);
    s.pushed(&topic, 0b10, now);
    assert_eq!(s.take_dead(Duration::ZERO, now), [(0, topic)]);
}

#[test]
fn gap_is_closed_by_a_resumption_only_where_nothing_else_was_missed() {
    let now = Instant::now();
    let mut s = sources(now);
    let topics = s.topics.clone();
    assert_eq!(s.resumed(0, &topics, 5, now), Turn::Same, "nothing was complete before");
    assert!(s.needs_snapshot());
    s.snapshot(&set(1), 5, now);
    // lost twice before it told everything
    s.down(0);
    s.down(0);
    s.slot(0, 6, now);
    assert_eq!(s.resumed(0, &topics, 5, now), Turn::Complete);
    assert!(s.is_socket_gapless());
    s.down(0);
    s.slot(0, 7, now);
    s.covered(0, &topics, 5, now);
    assert_eq!(s.resumed(0, &topics, 5, now), Turn::Same, "it began anew in between");
    s.snapshot(&set(1), 5, now);
    s.down(0);
    s.watch(WatchSet { raw: [key(2)].into(), ..set(2) });
    s.slot(0, 8, now);
    assert_eq!(s.resumed(0, &s.topics.clone(), 5, now), Turn::Same, "something else is watched");
    assert!(!s.is_socket_gapless());
}

/// The socket was subscribed to everything, and then something appeared that its topics hold already: nobody told again
/// that it was complete, and its gap stayed open until it was connected anew.
#[test]
fn gap_is_closed_where_something_appears_that_the_topics_hold_already() {
    let now = Instant::now();
    let mut s = sources(now);
    s.covered(0, &s.topics.clone(), 5, now);
    let wider = WatchSet { unpinned: [(key(8), [7; 32])].into(), ..set(1) };
    assert!(s.watch(wider.clone()));
    assert_eq!(s.topics, Arc::new(set(1).topics()), "no topic is new");
    assert!(s.needs_snapshot());
    assert_eq!(s.snapshot(&set(1), 5, now), [0; 0], "it does not list what appeared");
    assert_eq!(s.snapshot(&wider, 5, now), [0]);
}

/// A node that lags, behind the same balancer, answered as of a slot before the subscriptions: what changed in between was
/// in neither.
#[test]
fn snapshot_of_a_slot_before_the_subscriptions_closes_nothing() {
    let now = Instant::now();
    let mut s = sources(now);
    s.covered(0, &s.topics.clone(), 9, now);
    assert_eq!(s.wanted_slot(), 9);
    assert_eq!(s.snapshot(&set(1), 8, now), [0; 0]);
    assert!(s.needs_snapshot() && !s.is_socket_gapless());
    assert_eq!(s.snapshot(&set(1), 9, now), [0]);
    assert_eq!((s.wanted_slot(), s.needs_snapshot()), (0, false));
}

#[test]
fn slots_that_never_were_open_every_gap_until_a_snapshot() {
    let now = Instant::now();
    let mut s = sources(now);
    s.slot(0, 50_000_000, now);
    s.covered(0, &s.topics.clone(), 50_000_000, now);
    assert_eq!(s.snapshot(&set(1), 50_000_000, now), [0]);
    s.step_back(1_000);
    assert!(!s.is_gapless(now, AGE) && s.needs_snapshot());
    assert_eq!((s.sockets[0].health.last_slot, s.wanted_slot()), (1_000, 1_000));
    assert_eq!(s.snapshot(&set(1), 1_001, now), [0]);
}
