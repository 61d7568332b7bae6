//! One socket with many subscriptions, and proof that they deliver.
//!
//! Accounts go into the mailbox, everything else is a [`Signal`]. The socket counts as stalled when slots stop coming for
//! `stall_slots` measured slots; then, and after any error, it is opened anew with spread delays, and what happened in
//! between is told apart as a gap, which the engine closes by a full snapshot. The set of topics may change at any time.

use crate::chain::feed::{CHECK, Feed, NEAR_SLOTS, retries};
use crate::chain::liveness::is_stalled;
use crate::chain::tip::{HEADROOM_SLOTS, Verdict};
use crate::chain::ws_message::{self as message, Incoming};
use crate::chain::ws_session::{Session, connect};
use crate::watch::Update;
use crate::watch::feeds::Topic;
use futures_util::StreamExt;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

/// Topics of the socket.
pub type Topics = Arc<BTreeSet<Topic>>;

/// What the socket tells beyond accounts.
#[derive(Clone, Debug)]
pub enum Signal {
    /// A slot.
    Slot {
        /// The slot.
        slot: u64,
        /// When it arrived.
        at: Instant,
    },
    /// Every one of these topics is subscribed to: what changes from now on arrives.
    Covered(Topics),
    /// The same, and what changed since the last of them was lost has arrived too.
    Resumed(Topics),
    /// The socket is gone, or silent.
    Down(String),
}

/// What the socket needs.
pub struct Socket {
    /// What it shares with all sources.
    pub feed: Feed,
    /// Where to connect.
    pub url: String,
}

pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest that a server may take to confirm a subscription: many may be asked for at once.
pub(super) const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);

impl Socket {
    /// Keeps the socket open until it is told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut retries = retries();
        loop {
            tokio::select! {
                () = self.allowed() => {}
                () = stop.cancelled() => return,
            }
            let started = Instant::now();
            let reason = tokio::select! {
                reason = self.session() => reason,
                () = stop.cancelled() => return,
            };
            if !self.feed.lost(started, reason, &mut retries, &stop).await {
                return;
            }
        }
    }

    /// Waits until the endpoint is believed.
    async fn allowed(&self) {
        while self.feed.pool.quarantine_of(self.feed.index).is_some() {
            tokio::time::sleep(CHECK).await;
        }
    }

    /// Connects and delivers; returns why that ended.
    async fn session(&mut self) -> String {
        let stream = match timeout(CONNECT_TIMEOUT, connect(&**self.feed.pool.network(), &self.url)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return format!("failed to connect: {error}"),
            Err(_) => return "failed to connect in time".to_owned(),
        };
        let mut session = Session::new(stream, self.feed.commitment);
        match self.deliver(&mut session).await {
            Ok(never) => match never {},
            Err(reason) => reason,
        }
    }

    async fn deliver(&mut self, session: &mut Session) -> Result<std::convert::Infallible, String> {
        self.subscribe(session).await?;
        let mut check = interval(CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                received = session.stream.next() => {
                    let text = text_of(received)?;
                    if let Some(text) = text {
                        self.handle(session, &text).await?;
                    }
                }
                changed = self.feed.topics.changed() => {
                    changed.map_err(|_| "the keeper is stopping".to_owned())?;
                    self.subscribe(session).await?;
                }
                Some(topic) = self.feed.renew.recv() => session.renew(&topic).await?,
                _ = check.tick() => self.check_silence(session)?,
            }
        }
    }

    /// Asks for what is wanted now. Where nothing of it is new, nobody confirms anything: it is complete at once.
    async fn subscribe(&mut self, session: &mut Session) -> Result<(), String> {
        let topics = self.feed.topics.borrow_and_update().clone();
        session.set_topics(topics).await?;
        if session.is_covered() {
            self.send(Signal::Covered(session.wanted.clone())).await?;
        }
        Ok(())
    }

    async fn handle(&self, session: &mut Session, text: &str) -> Result<(), String> {
        match message::read(text) {
            Some(Incoming::Slot { slot, .. }) => {
                self.judge(slot)?;
                // a slot that never was would be put on accounts
                if slot.saturating_add(HEADROOM_SLOTS) < session.last_slot {
                    return Err(format!("its slots went back from {} to {slot}", session.last_slot));
                }
                session.last_slot = session.last_slot.max(slot);
                session.last_slot_at = Instant::now();
                self.send(Signal::Slot { slot, at: session.last_slot_at }).await?;
            }
            Some(Incoming::Keyed { subscription, update }) => {
                self.put(session, subscription, update)?;
            }
            Some(Incoming::Account { subscription, update }) => {
                if let Some(Topic::Account(key)) = session.active.get(&subscription).copied() {
                    self.put(session, subscription, Update { key, ..update })?;
                }
            }
            Some(Incoming::Subscribed { id, subscription }) => {
                if session.accepted(id, subscription) {
                    self.send(Signal::Covered(session.wanted.clone())).await?;
                }
            }
            Some(Incoming::Refused { id, reason }) => return session.refused(id, &reason),
            Some(Incoming::Other) => {}
            None => tracing::debug!(bytes = text.len(), "a message of the subscription socket can't be read"),
        }
        Ok(())
    }

    /// Passes an account on, as a version of a slot that can have been.
    fn put(&self, session: &mut Session, subscription: u64, update: Update) -> Result<(), String> {
        let slot = session.stamps.judge(subscription, update.slot, session.last_slot);
        if slot > session.last_slot.saturating_add(NEAR_SLOTS) {
            self.judge(slot)?;
        }
        let update = Update { slot, told_by: 1 << self.feed.source, ..update };
        let write_version = session.versions.number(&update);
        self.feed.mailbox.put([Update { write_version, ..update }]);
        Ok(())
    }

    fn judge(&self, slot: u64) -> Result<(), String> {
        match self.feed.pool.judge(self.feed.index, slot) {
            Verdict::Fine => Ok(()),
            Verdict::Behind(slots) => Err(format!("it is {slots} slots behind")),
            Verdict::Ahead(slots) => Err(format!("it tells of a slot that is {slots} ahead")),
        }
    }

    fn check_silence(&self, session: &Session) -> Result<(), String> {
        if let Some(quarantine) = self.feed.pool.quarantine_of(self.feed.index) {
            return Err(format!("the endpoint is not believed: {}", quarantine.as_str()));
        }
        // slots alone prove nothing about subscriptions that nobody confirmed
        if let Some(topic) = session.overdue() {
            return Err(format!("the server did not confirm the subscription to {topic:?}"));
        }
        let silent = session.last_slot_at.elapsed();
        // the first slot may take as long as the subscriptions themselves
        let is_new = !session.has_slots && silent < CONNECT_TIMEOUT;
        if is_new || !is_stalled(silent, self.feed.slot_duration(), self.feed.stall_slots) {
            return Ok(());
        }
        Err(format!("no slot for {} ms", silent.as_millis()))
    }

    async fn send(&self, signal: Signal) -> Result<(), String> {
        self.feed.signals.send((self.feed.source, signal)).await.map_err(|_| "the keeper is stopping".to_owned())
    }
}

/// The text of a message; nothing for a frame without one; why the stream ended.
fn text_of(
    received: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
) -> Result<Option<tokio_tungstenite::tungstenite::Utf8Bytes>, String> {
    match received {
        Some(Ok(Message::Text(text))) => Ok(Some(text)),
        Some(Ok(Message::Close(_))) | None => Err("the server closed the socket".to_owned()),
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(format!("the socket failed: {error}")),
    }
}

#[cfg(test)]
#[path = "ws_tests.rs"]
mod tests;
