//! Which sources may be acted on: gaps, failover, and what the snapshots closed.

use crate::chain::liveness::{Missed, SourceHealth};
use crate::chain::ws::Topics;
use crate::watch::feeds::{CLOCK, Topic, WatchSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Both sources and what is known of their gaps.
#[derive(Debug)]
pub struct Sources {
    /// The subscriptions.
    pub socket: SourceHealth,
    /// The requests.
    pub poll: SourceHealth,
    /// What is watched now.
    pub set: Arc<WatchSet>,
    /// The same as topics.
    pub topics: Topics,
    missed: Missed,
    covered_at: Option<Instant>,
    snapshot_at: Option<Instant>,
    clock_pushed_at: Option<Instant>,
}

/// What a change of the sources means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing to tell.
    Same,
    /// The subscriptions are complete now.
    Complete,
    /// The subscriptions can't be relied on any more.
    Lost,
}

impl Sources {
    /// Nothing delivered yet.
    pub fn new(now: Instant) -> Self {
        Self {
            socket: SourceHealth::new(now),
            poll: SourceHealth::new(now),
            set: Arc::default(),
            topics: Topics::default(),
            missed: Missed::default(),
            covered_at: None,
            snapshot_at: None,
            clock_pushed_at: None,
        }
    }

    /// Takes a new set of what has to be watched; returns whether it is another one.
    pub fn watch(&mut self, set: WatchSet) -> bool {
        if *self.set == set {
            return false;
        }
        self.topics = Arc::new(set.topics());
        self.set = Arc::new(set);
        // complete only once the new ones are subscribed to and listed too
        self.covered_at = None;
        self.snapshot_at = None;
        true
    }

    /// Notes a slot from the subscriptions.
    pub fn slot(&mut self, slot: u64, at: Instant) {
        self.socket.is_up = true;
        self.socket.last_slot = self.socket.last_slot.max(slot);
        self.socket.last_at = at;
    }

    /// Notes that all of `topics` are subscribed to; a snapshot asked for from now on closes the gap.
    pub fn covered(&mut self, topics: &Topics, at: Instant) {
        if **topics == *self.topics {
            self.covered_at = Some(at);
        }
    }

    /// Notes that the subscriptions are gone.
    pub fn down(&mut self) -> Turn {
        let was_up = self.socket.is_up;
        self.socket.is_up = false;
        self.socket.has_gap = true;
        self.socket.reconnects += 1;
        self.covered_at = None;
        self.clock_pushed_at = None;
        self.missed.clear();
        if was_up { Turn::Lost } else { Turn::Same }
    }

    /// Notes an answer as of `slot`.
    pub fn polled(&mut self, slot: u64, at: Instant) {
        self.poll.is_up = true;
        self.poll.last_slot = self.poll.last_slot.max(slot);
        self.poll.last_at = at;
    }

    /// Notes a request that failed.
    pub fn poll_failed(&mut self) {
        self.poll.reconnects += u64::from(self.poll.is_up);
        self.poll.is_up = false;
    }

    /// Notes an applied snapshot that held `set` and was asked for at `asked_at`.
    pub fn snapshot(&mut self, set: &WatchSet, asked_at: Instant) -> Turn {
        if *set != *self.set {
            return Turn::Same;
        }
        self.snapshot_at = Some(asked_at);
        let closes = self.socket.is_up && self.covered_at.is_some_and(|covered| asked_at >= covered);
        if closes && self.socket.has_gap {
            self.socket.has_gap = false;
            return Turn::Complete;
        }
        Turn::Same
    }

    /// Tells whether some source is complete: the subscriptions, or a snapshot not older than `max_age`.
    pub fn is_gapless(&self, now: Instant, max_age: Duration) -> bool {
        let is_recent = self.snapshot_at.is_some_and(|at| now.saturating_duration_since(at) <= max_age);
        self.socket.is_gapless() || (self.poll.is_up && is_recent)
    }

    /// Tells whether a snapshot should close the gap of the subscriptions.
    pub fn needs_snapshot(&self) -> bool {
        self.covered_at.is_some() && (self.socket.has_gap || self.snapshot_at.is_none())
    }

    /// Notes a notification of `topic`.
    pub fn pushed(&mut self, topic: &Topic, at: Instant) {
        if *topic == Topic::Account(CLOCK) {
            self.clock_pushed_at = Some(at);
        }
        self.missed.notified(topic);
    }

    /// Notes that a request found a change that no notification told of.
    pub fn found_by_request(&mut self, topic: Topic, at: Instant) {
        // some servers never notify of sysvars: the clock is asked for then
        if self.socket.is_gapless() && topic != Topic::Account(CLOCK) {
            self.missed.found_by_request(topic, at);
        }
    }

    /// Takes out the subscriptions that have to be renewed: slots keep coming, and their notification does not.
    pub fn take_dead(&mut self, grace: Duration, now: Instant) -> Vec<Topic> {
        let is_slow = self.socket.silent(now) > grace / 2;
        if is_slow { Vec::new() } else { self.missed.take_dead(grace, now) }
    }

    /// Tells whether the clock has to be asked for.
    pub fn needs_clock(&self, now: Instant, patience: Duration) -> bool {
        self.clock_pushed_at.is_none_or(|at| now.saturating_duration_since(at) >= patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::testing::key;

    const AGE: Duration = Duration::from_secs(6);

    fn set(n: u8) -> WatchSet {
        WatchSet { accounts: [key(n)].into(), ..WatchSet::default() }
    }

    fn sources(now: Instant) -> Sources {
        let mut sources = Sources::new(now);
        assert!(sources.watch(set(1)));
        sources.slot(5, now);
        sources
    }

    #[test]
    fn gap_is_closed_only_by_a_snapshot_asked_for_after_the_subscriptions() {
        let now = Instant::now();
        let mut s = sources(now);
        assert_eq!(s.snapshot(&set(1), now), Turn::Same);
        let covered = now + Duration::from_millis(10);
        s.covered(&s.topics.clone(), covered);
        assert!(s.needs_snapshot());
        assert_eq!(s.snapshot(&set(1), now), Turn::Same, "asked for before");
        assert_eq!(s.snapshot(&set(1), covered), Turn::Complete);
        assert!(s.is_gapless(now + Duration::from_secs(600), AGE) && !s.needs_snapshot());
        assert_eq!(s.snapshot(&set(1), covered), Turn::Same, "told once");
    }

    #[test]
    fn lost_socket_opens_the_gap_and_recent_snapshots_carry() {
        let now = Instant::now();
        let mut s = sources(now);
        s.covered(&s.topics.clone(), now);
        s.snapshot(&set(1), now);
        assert_eq!(s.down(), Turn::Lost);
        assert_eq!(s.down(), Turn::Same, "told once");
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
        s.covered(&before, now);
        assert_eq!(s.snapshot(&set(1), now), Turn::Same);
        assert!(!s.is_gapless(now, AGE));
        s.covered(&s.topics.clone(), now);
        assert_eq!(s.snapshot(&set(2), now), Turn::Complete);
    }

    #[test]
    fn change_without_a_notification_marks_that_subscription_alone() {
        let now = Instant::now();
        let mut s = sources(now);
        s.covered(&s.topics.clone(), now);
        s.snapshot(&set(1), now);
        let topic = |n| Topic::Account(key(n));
        s.found_by_request(topic(7), now);
        s.found_by_request(Topic::Account(CLOCK), now);
        s.found_by_request(topic(8), now);
        s.pushed(&topic(8), now);
        let (later, grace) = (now + Duration::from_secs(3), Duration::from_secs(2));
        assert!(s.take_dead(grace, later).is_empty(), "everything is late, not this one alone");
        s.slot(9, later);
        assert_eq!(s.take_dead(grace, later), [topic(7)]);
        assert!(s.needs_clock(later, Duration::from_secs(1)));
        s.pushed(&Topic::Account(CLOCK), later);
        assert!(!s.needs_clock(later, Duration::from_secs(1)));
    }
}
