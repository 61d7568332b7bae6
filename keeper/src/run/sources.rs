//! Which sources may be acted on: gaps, failover, and what the snapshots closed.

use crate::chain::liveness::{Missed, SourceHealth};
use crate::chain::ws::Topics;
use crate::watch::feeds::{CLOCK, Topic, WatchSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The subscriptions of one endpoint.
#[derive(Debug)]
pub struct Socket {
    /// Its name in the settings.
    pub name: String,
    /// What is known of it.
    pub health: SourceHealth,
    missed: Missed,
    /// When all its topics were subscribed to, and the newest slot then: what changed before is in a snapshot of that slot.
    covered: Option<(Instant, u64)>,
    clock_pushed_at: Option<Instant>,
    /// What was complete when it was lost, where nothing was missed before.
    resumable: Option<Topics>,
}

/// All sources and what is known of their gaps.
#[derive(Debug)]
pub struct Sources {
    /// The subscriptions, one for each endpoint.
    pub sockets: Vec<Socket>,
    /// The requests.
    pub poll: SourceHealth,
    /// What is watched now.
    pub set: Arc<WatchSet>,
    /// The same as topics.
    pub topics: Topics,
    snapshot_at: Option<Instant>,
}

/// What a change of a source means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing to tell.
    Same,
    /// Its subscriptions are complete now.
    Complete,
    /// Its subscriptions can't be relied on any more.
    Lost,
}

impl Sources {
    /// Nothing delivered yet. `names`: of the endpoints that are subscribed to.
    pub fn new(names: impl IntoIterator<Item = String>, now: Instant) -> Self {
        let socket = |name| Socket {
            name,
            health: SourceHealth::new(now),
            missed: Missed::default(),
            covered: None,
            clock_pushed_at: None,
            resumable: None,
        };
        Self {
            sockets: names.into_iter().map(socket).collect(),
            poll: SourceHealth::new(now),
            set: Arc::default(),
            topics: Topics::default(),
            snapshot_at: None,
        }
    }

    /// Takes a new set of what has to be watched; returns whether it is another one.
    pub fn watch(&mut self, set: WatchSet) -> bool {
        if *self.set == set {
            return false;
        }
        let topics = set.topics();
        if topics != *self.topics {
            self.topics = Arc::new(topics);
            // complete only once the new ones are subscribed to; where none is new, nobody would tell that again
            self.sockets.iter_mut().for_each(|socket| socket.covered = None);
        }
        self.set = Arc::new(set);
        // and everything is listed
        self.snapshot_at = None;
        true
    }

    /// Notes a slot from the subscriptions of `source`.
    pub fn slot(&mut self, source: usize, slot: u64, at: Instant) {
        let Some(socket) = self.sockets.get_mut(source) else { return };
        socket.health.is_up = true;
        socket.health.last_slot = socket.health.last_slot.max(slot);
        socket.health.last_at = at;
    }

    /// Notes that `source` is subscribed to all of `topics` while `slot` is the newest; a snapshot of that slot or a later one
    /// that is asked for from now on closes its gap.
    pub fn covered(&mut self, source: usize, topics: &Topics, slot: u64, at: Instant) {
        let is_all = **topics == *self.topics;
        if let Some(socket) = self.sockets.get_mut(source).filter(|_| is_all) {
            socket.covered = Some((at, slot));
            socket.resumable = None;
        }
    }

    /// Notes that `source` is subscribed to all of `topics` and told what changed since it was lost. Where nothing else
    /// was missed and nothing else is watched since then, that closes its gap without a snapshot.
    pub fn resumed(&mut self, source: usize, topics: &Topics, slot: u64, at: Instant) -> Turn {
        let is_all = **topics == *self.topics;
        let Some(socket) = self.sockets.get_mut(source).filter(|_| is_all) else { return Turn::Same };
        socket.covered = Some((at, slot));
        let is_whole = socket.health.is_up && socket.resumable.take().is_some_and(|before| *before == **topics);
        if is_whole && std::mem::take(&mut socket.health.has_gap) { Turn::Complete } else { Turn::Same }
    }

    /// Notes that the subscriptions of `source` are gone.
    pub fn down(&mut self, source: usize) -> Turn {
        let Some(socket) = self.sockets.get_mut(source) else { return Turn::Same };
        if socket.health.is_gapless() && socket.covered.is_some() {
            socket.resumable = Some(self.topics.clone());
        }
        let was_up = std::mem::take(&mut socket.health.is_up);
        socket.health.has_gap = true;
        socket.health.reconnects += 1;
        socket.covered = None;
        socket.clock_pushed_at = None;
        socket.missed.clear();
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

    /// Notes an applied snapshot as of `slot` that held `set` and was asked for at `asked_at`; returns the sources that it
    /// completed. One of a node that had not come so far as the subscriptions completes nothing.
    pub fn snapshot(&mut self, set: &WatchSet, slot: u64, asked_at: Instant) -> Vec<usize> {
        if *set != *self.set {
            return Vec::new();
        }
        self.snapshot_at = Some(asked_at);
        let mut completed = Vec::new();
        for (source, socket) in self.sockets.iter_mut().enumerate() {
            let reaches = |(at, covered): (Instant, u64)| asked_at >= at && slot >= covered;
            let closes = socket.health.is_up && socket.covered.is_some_and(reaches);
            if closes && std::mem::take(&mut socket.health.has_gap) {
                completed.push(source);
            }
        }
        completed
    }

    /// Tells whether the subscriptions of some endpoint are complete.
    pub fn is_socket_gapless(&self) -> bool {
        self.sockets.iter().any(|socket| socket.health.is_gapless())
    }

    /// Tells whether some source is complete: subscriptions, or a snapshot not older than `max_age`.
    pub fn is_gapless(&self, now: Instant, max_age: Duration) -> bool {
        let is_recent = self.snapshot_at.is_some_and(|at| now.saturating_duration_since(at) <= max_age);
        self.is_socket_gapless() || (self.poll.is_up && is_recent)
    }

    /// Tells whether a snapshot should close the gap of subscriptions.
    pub fn needs_snapshot(&self) -> bool {
        let needs = |socket: &Socket| socket.covered.is_some() && (socket.health.has_gap || self.snapshot_at.is_none());
        self.sockets.iter().any(needs)
    }

    /// Returns the slot that a snapshot must be of, or a later one, to close every gap; zero where none is open.
    pub fn wanted_slot(&self) -> u64 {
        let open = self.sockets.iter().filter(|socket| socket.health.has_gap);
        open.filter_map(|socket| socket.covered).map(|(_, slot)| slot).max().unwrap_or(0)
    }

    /// Takes back slots after `slot`, which never were, with all that was told as of them: a snapshot has to close every gap.
    pub fn step_back(&mut self, slot: u64) {
        self.snapshot_at = None;
        self.poll.last_slot = self.poll.last_slot.min(slot);
        for socket in &mut self.sockets {
            socket.health.last_slot = socket.health.last_slot.min(slot);
            socket.health.has_gap = true;
            socket.resumable = None;
            socket.covered = socket.covered.map(|(at, covered)| (at, covered.min(slot)));
        }
    }

    /// Notes a notification of `topic`, by every source whose bit `told_by` holds.
    pub fn pushed(&mut self, topic: &Topic, told_by: u32, at: Instant) {
        for (source, socket) in self.sockets.iter_mut().enumerate() {
            if told_by & (1 << source) == 0 {
                continue;
            }
            if *topic == Topic::Account(CLOCK) {
                socket.clock_pushed_at = Some(at);
            }
            socket.missed.notified(topic);
        }
    }

    /// Notes that a request found a change that no notification told of.
    pub fn found_by_request(&mut self, topic: Topic, at: Instant) {
        // some servers never notify of sysvars: the clock is asked for then
        if topic == Topic::Account(CLOCK) {
            return;
        }
        for socket in self.sockets.iter_mut().filter(|socket| socket.health.is_gapless()) {
            socket.missed.found_by_request(topic, at);
        }
    }

    /// Takes out the subscriptions that have to be renewed: slots keep coming, and their notification does not.
    pub fn take_dead(&mut self, grace: Duration, now: Instant) -> Vec<(usize, Topic)> {
        let mut dead = Vec::new();
        for (source, socket) in self.sockets.iter_mut().enumerate() {
            if socket.health.silent(now) <= grace / 2 {
                dead.extend(socket.missed.take_dead(grace, now).into_iter().map(|topic| (source, topic)));
            }
        }
        dead
    }

    /// Tells whether the clock has to be asked for.
    pub fn needs_clock(&self, now: Instant, patience: Duration) -> bool {
        let pushed = self.sockets.iter().filter_map(|socket| socket.clock_pushed_at).max();
        pushed.is_none_or(|at| now.saturating_duration_since(at) >= patience)
    }
}

#[cfg(test)]
#[path = "sources_tests.rs"]
mod tests;
