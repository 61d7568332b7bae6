//! Which sources and which single subscriptions still deliver.
//!
//! A socket that is open proves nothing: slots have to come. A slot subscription that delivers proves nothing about its
//! neighbours: when a request finds that an account changed and no notification of it follows, that one subscription is
//! dead, and is renewed alone. Pure: every moment comes in as an argument.

use crate::watch::feeds::Topic;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The shortest silence that counts: a scheduler's hiccup is no stall.
const SHORTEST_SILENCE: Duration = Duration::from_millis(250);

/// When a source counts as stalled.
///
/// `silent` since the last slot, at a measured slot duration, tolerated for `stall_slots` slots.
pub fn is_stalled(silent: Duration, slot_duration: Duration, stall_slots: u64) -> bool {
    let slots = u32::try_from(stall_slots).unwrap_or(u32::MAX);
    silent >= slot_duration.saturating_mul(slots).max(SHORTEST_SILENCE)
}

/// Changes that requests found, for which the notification is still missing.
#[derive(Debug, Default)]
pub struct Missed {
    since: HashMap<Topic, Instant>,
}

impl Missed {
    /// Notes that a request found a change that no notification told of.
    pub fn found_by_request(&mut self, topic: Topic, at: Instant) {
        self.since.entry(topic).or_insert(at);
    }

    /// Notes a notification: the subscription lives.
    pub fn notified(&mut self, topic: &Topic) {
        self.since.remove(topic);
    }

    /// Forgets everything, after a reconnection.
    pub fn clear(&mut self) {
        self.since.clear();
    }

    /// Takes out the subscriptions whose notification has been missing for `grace`.
    pub fn take_dead(&mut self, grace: Duration, now: Instant) -> Vec<Topic> {
        let is_dead = |since: &Instant| now.saturating_duration_since(*since) >= grace;
        let dead: Vec<Topic> = self.since.iter().filter(|(_, since)| is_dead(since)).map(|(t, _)| *t).collect();
        self.since.retain(|_, since| !is_dead(since));
        dead
    }
}

/// What is known of one source.
#[derive(Clone, Debug)]
pub struct SourceHealth {
    /// Whether it delivers.
    pub is_up: bool,
    /// Newest slot that it told of.
    pub last_slot: u64,
    /// When it last delivered.
    pub last_at: Instant,
    /// How often it was connected anew.
    pub reconnects: u64,
    /// Whether something may have been missed: nothing is acted on from this source until a full snapshot closed it.
    pub has_gap: bool,
}

impl SourceHealth {
    /// A source that has not delivered yet.
    pub fn new(now: Instant) -> Self {
        Self { is_up: false, last_slot: 0, last_at: now, reconnects: 0, has_gap: true }
    }

    /// Tells whether its data may be acted on.
    pub fn is_gapless(&self) -> bool {
        self.is_up && !self.has_gap
    }

    /// Returns how long it has been silent.
    pub fn silent(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: Duration = Duration::from_millis(400);

    #[test]
    fn stall_follows_the_slot_duration() {
        assert!(!is_stalled(Duration::from_millis(3_199), SLOT, 8));
        assert!(is_stalled(Duration::from_millis(3_200), SLOT, 8));
        assert!(is_stalled(Duration::from_millis(1_600), SLOT / 2, 8));
        assert!(!is_stalled(Duration::from_millis(200), Duration::from_millis(1), 8), "a hiccup is no stall");
    }

    #[test]
    fn only_the_subscription_that_missed_a_change_is_dead() {
        let (start, grace) = (Instant::now(), Duration::from_secs(2));
        let topic = |n| Topic::Account([n; 32].into());
        let mut missed = Missed::default();
        missed.found_by_request(topic(1), start);
        missed.found_by_request(topic(2), start);
        missed.found_by_request(topic(1), start + Duration::from_secs(1));
        missed.notified(&topic(2));
        assert!(missed.take_dead(grace, start + Duration::from_millis(1_999)).is_empty());
        assert_eq!(missed.take_dead(grace, start + grace), [topic(1)]);
        assert!(missed.take_dead(grace, start + grace * 2).is_empty(), "it is renewed once");
    }

    #[test]
    fn source_is_gapless_only_after_its_snapshot() {
        let mut source = SourceHealth::new(Instant::now());
        source.is_up = true;
        assert!(!source.is_gapless());
        source.has_gap = false;
        assert!(source.is_gapless());
        source.is_up = false;
        assert!(!source.is_gapless());
    }
}
