//! News of the sources: accounts, slots, gaps and snapshots.

use crate::capture::Frame;
use crate::chain::clock::ChainTime;
use crate::chain::tip::HEADROOM_SLOTS;
use crate::chain::ws::Signal;
use crate::early;
use crate::metrics::{SourceLabel, UpdateLabel};
use crate::run::courier::Courier;
use crate::run::engine::Engine;
use crate::run::sources::Turn;
use crate::watch::feeds::{self, CLOCK, WatchSet};
use crate::watch::poll::{Polled, Snapshot};
use crate::watch::store::{Applied, Kind};
use crate::watch::{Origin, Update};
use anchor_lang::prelude::Pubkey;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Slots after which nodes are asked again that had not come as far as the subscriptions.
const EARLY_SLOTS: u32 = 4;

impl<C: Courier> Engine<C> {
    /// Takes updates in and decides what follows.
    pub fn updates(&mut self, updates: Vec<Update>) {
        let at = Instant::now();
        for update in updates {
            self.apply(update, at);
        }
        self.settle(at);
    }

    /// Takes a signal of the subscriptions of `source` in.
    pub fn signal(&mut self, source: usize, signal: Signal) {
        match signal {
            Signal::Slot { slot, at } => {
                self.clock.slot_seen(slot, at);
                self.sources.slot(source, slot, at);
                let micros = u64::try_from(self.clock.slot_duration().as_micros()).unwrap_or(u64::MAX);
                self.shared.slot_micros.store(micros, Ordering::Relaxed);
                self.shared.slot_began.notify_one();
            }
            Signal::Covered(topics) => {
                self.sources.covered(source, &topics, self.clock.tip_slot(), Instant::now());
                self.want_snapshot();
            }
            Signal::Resumed(topics) => {
                let turn = self.sources.resumed(source, &topics, self.clock.tip_slot(), Instant::now());
                self.tell_source(source, turn, "");
                self.shared.is_alone.store(!self.sources.is_socket_gapless(), Ordering::Relaxed);
                self.want_snapshot();
            }
            Signal::Down(reason) => {
                let (turn, name) = (self.sources.down(source), self.socket_name(source));
                self.metrics.source_reconnects.get_or_create(&SourceLabel { source: name }).inc();
                tracing::debug!(source, reason, "the subscription socket is down");
                self.tell_source(source, turn, &reason);
                if !self.sources.is_socket_gapless() {
                    // the requests take over at once
                    self.shared.is_alone.store(true, Ordering::Relaxed);
                    self.shared.snapshot_wanted.notify_one();
                }
            }
        }
        self.shared.slot.store(self.clock.tip_slot(), Ordering::Relaxed);
    }

    /// Takes an answer of the requests in.
    pub fn polled(&mut self, polled: Polled) {
        match polled {
            Polled::Accounts { slot } => self.sources.polled(slot, Instant::now()),
            Polled::Positions(updates) => self.updates(updates),
            Polled::Snapshot(snapshot) => self.snapshot(*snapshot),
            Polled::SteppedBack { slot } => self.step_back(slot),
            Polled::Failed(error) => {
                self.sources.poll_failed();
                tracing::warn!(error = %crate::error::chain(&error), "a request failed");
            }
        }
    }

    fn snapshot(&mut self, snapshot: Snapshot) {
        let at = Instant::now();
        self.sources.polled(snapshot.slot, at);
        if snapshot.found.iter().any(|(feed, key)| self.found.get(feed) != Some(key)) {
            self.ops.record(|| Frame::found(&snapshot.found));
            self.found.extend(snapshot.found);
            self.needs_watch = true;
        }
        for update in snapshot.updates {
            self.apply(update, at);
        }
        if snapshot.is_whole {
            self.close_gaps(&snapshot.listed, snapshot.slot, &snapshot.set, snapshot.asked_at);
        }
        self.shared.positions.send_replace(Arc::new(self.store.positions().map(|(key, _)| *key).collect()));
        self.is_dirty = true;
        self.settle(at);
    }

    /// Takes out what a full listing does not hold, and closes the gaps that it reaches over.
    fn close_gaps(&mut self, listed: &HashSet<Pubkey>, slot: u64, set: &WatchSet, asked_at: Instant) {
        self.ops.record(|| Frame::listed(listed, slot));
        for gone in self.store.retain_listed(listed, slot) {
            self.index.put(gone, None);
            self.is_dirty = true;
            self.needs_watch = true;
        }
        self.watch();
        let is_early = slot < self.sources.wanted_slot();
        for source in self.sources.snapshot(set, slot, asked_at) {
            self.tell_source(source, Turn::Complete, "");
        }
        self.shared.is_alone.store(!self.sources.is_socket_gapless(), Ordering::Relaxed);
        if is_early {
            // the nodes have to come that far first: asked again at once, they would only say the same
            self.again_at = Some(Instant::now() + self.clock.span(EARLY_SLOTS));
        } else {
            self.want_snapshot();
        }
    }

    /// Asks for a snapshot where one would close a gap.
    fn want_snapshot(&mut self) {
        self.again_at = None;
        self.shared.wanted_slot.store(self.sources.wanted_slot(), Ordering::Relaxed);
        if self.sources.needs_snapshot() {
            self.shared.snapshot_wanted.notify_one();
        }
    }

    /// Asks again for a snapshot, once nodes have had the time to come as far as it has to be.
    pub(super) fn want_later_snapshot(&mut self, now: Instant) {
        if self.again_at.is_some_and(|at| now >= at) {
            self.want_snapshot();
        }
    }

    /// Forgets what came as of slots that never were, and asks for everything anew.
    ///
    /// What is a little after `slot` may be right: that alone is kept.
    fn step_back(&mut self, slot: u64) {
        let bound = slot.saturating_add(HEADROOM_SLOTS);
        let gone = self.store.forget_after(bound);
        if gone.is_empty() && self.clock.tip_slot() <= bound {
            return;
        }
        tracing::warn!(
            slot,
            from = self.clock.tip_slot(),
            accounts = gone.len(),
            "slots that never were are forgotten"
        );
        // a recording has no word for it
        self.ops.record(|| Frame::Lost { frames: 1 });
        gone.into_iter().for_each(|key| self.index.put(key, None));
        self.clock.step_back(slot, bound);
        self.history.step_back(slot);
        self.sources.step_back(slot);
        self.shared.slot.store(self.clock.tip_slot(), Ordering::Relaxed);
        self.shared.is_alone.store(true, Ordering::Relaxed);
        self.shared.wanted_slot.store(self.sources.wanted_slot(), Ordering::Relaxed);
        self.shared.snapshot_wanted.notify_one();
        (self.needs_watch, self.is_dirty) = (true, true);
    }

    pub(super) fn apply(&mut self, update: Update, at: Instant) {
        let (key, origin, told_by) = (update.key, update.origin, update.told_by);
        let position = self.store.position(&key).copied();
        let rule = self.store.rule(&key).copied();
        let group = self.store.group(&key).copied();
        let admin = self.admin_seqs(&key);
        self.ops.record(|| Frame::account(&update));
        let applied = self.store.apply(update, at);
        self.count(origin, told_by, applied);
        let topic = feeds::topic_of(key, self.store.position(&key).or(position.as_ref()), &self.store);
        match origin {
            Origin::Push => self.sources.pushed(&topic, told_by, at),
            Origin::Poll if matches!(applied, Applied::Changed(_)) => self.sources.found_by_request(topic, at),
            Origin::Poll => {}
        }
        match applied {
            Applied::Changed(kind) => self.changed(key, kind),
            Applied::Quarantined(why) => {
                tracing::warn!(account = %key, reason = why.name(), "an account is kept out: {why}");
                self.index.put(key, None);
                self.is_dirty = true;
            }
            Applied::Stale | Applied::Same | Applied::Unwanted => return,
        }
        self.tell_change(&key, position.as_ref(), rule.as_ref(), group.as_ref());
        if matches!(applied, Applied::Changed(Kind::Guard | Kind::KeeperSet)) {
            self.tell_admin(&key, admin);
        }
        if applied == Applied::Changed(Kind::Report) {
            self.tell_report(&key);
        }
    }

    fn changed(&mut self, key: Pubkey, kind: Kind) {
        self.is_dirty = true;
        let is_privileged = match kind {
            Kind::Guard | Kind::Asset | Kind::Vault | Kind::Rule | Kind::KeeperSet | Kind::Integration => true,
            Kind::Policy | Kind::Reserve => true,
            // the dollar limit is kept as bytes
            Kind::Raw => self.store.raw(&key).is_some_and(|account| account.owner == rampart::ID),
            Kind::Position | Kind::Group | Kind::Report | Kind::Bounty => false,
        };
        if is_privileged {
            self.ops.privileged_changed();
        }
        match kind {
            Kind::Position => self.index.put(key, self.store.position(&key)),
            Kind::Asset | Kind::Vault | Kind::Rule | Kind::Guard => self.needs_watch = true,
            Kind::Group | Kind::KeeperSet | Kind::Report | Kind::Policy | Kind::Reserve => self.needs_watch = true,
            Kind::Integration | Kind::Bounty => {}
            Kind::Raw if key == CLOCK => {
                let reading = self.store.raw(&key).and_then(|account| ChainTime::decode(&account.data));
                let _ = reading.is_some_and(|reading| self.clock.take(reading));
            }
            Kind::Raw if key == self.signer => self.courier.set_balance(self.balance()),
            // a pool names its tokens
            Kind::Raw => {
                let watched = &self.sources.set.raw;
                self.needs_watch |= !self.policy.economics.routes.are_watched(&self.store, watched)
                    || !self.scorer.accounts(&self.store).iter().all(|key| watched.contains(key));
            }
        }
    }

    fn count(&self, origin: Origin, told_by: u32, applied: Applied) {
        // streams come after the sockets
        let first_stream = self.sources.sockets.len().saturating_sub(self.config.grpc.len());
        let source = match origin {
            Origin::Poll => "poll",
            Origin::Push if (told_by.trailing_zeros() as usize) < first_stream => "websocket",
            Origin::Push => "grpc",
        };
        let result = match applied {
            Applied::Changed(_) => "applied",
            Applied::Stale => "stale",
            Applied::Same | Applied::Unwanted => "duplicate",
            Applied::Quarantined(_) => "decode_error",
        };
        self.metrics.account_updates.get_or_create(&UpdateLabel { source, result }).inc();
    }

    /// What routes are quoted from, lookup tables, and pools in which collateral is sold.
    fn extra(&self) -> feeds::Extra {
        let routes = &self.policy.economics.routes;
        let tables = self.config.tx.lookup_tables.iter().copied();
        let pools = self.scorer.accounts(&self.store);
        feeds::Extra {
            accounts: routes.accounts(&self.store).into_iter().chain(tables).chain(pools).collect(),
            policies: routes.policies().collect(),
        }
    }

    /// Derives anew what has to be watched, where something appeared or went away.
    pub(super) fn watch(&mut self) {
        if !std::mem::take(&mut self.needs_watch) {
            return;
        }
        self.shared.early.want(early::wanted(&self.store));
        let set = feeds::watch_set(&self.store, &self.signer, &self.found, &self.extra());
        if !self.sources.watch(set) {
            return;
        }
        self.ops.record(|| Frame::raw(&self.sources.set.raw));
        self.store.watch_raw(self.sources.set.raw.clone());
        self.shared.set.send_replace(self.sources.set.clone());
        // topics that are the same are no news: a stream would be asked anew for nothing
        let topics = self.sources.topics.clone();
        self.shared.topics.send_if_modified(|known| std::mem::replace(known, topics.clone()) != topics);
        self.shared.snapshot_wanted.notify_one();
    }
}
