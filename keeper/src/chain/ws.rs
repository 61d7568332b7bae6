//! One socket with many subscriptions, and proof that they deliver.
//!
//! Accounts go into the mailbox, everything else is a [`Signal`]. The socket counts as stalled when slots stop coming for
//! `stall_slots` measured slots; then, and after any error, it is opened anew with spread delays, and what happened in
//! between is told apart as a gap, which the engine closes by a full snapshot. The set of topics may change at any time.

use crate::chain::liveness::is_stalled;
use crate::chain::pool::Pool;
use crate::chain::tip::Verdict;
use crate::chain::ws_message::{self as message, Incoming};
use crate::chain::ws_session::{Session, connect};
use crate::chain::{Backoff, entropy};
use crate::config::Commitment;
use crate::watch::Update;
use crate::watch::feeds::Topic;
use crate::watch::mailbox::Mailbox;
use futures_util::StreamExt;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
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
    /// Number of the source.
    pub source: usize,
    /// Number of the endpoint in the pool.
    pub index: usize,
    /// All endpoints.
    pub pool: Arc<Pool>,
    /// Where to connect.
    pub url: String,
    /// Commitment of accounts.
    pub commitment: Commitment,
    /// Slots of silence that count as a stall.
    pub stall_slots: u64,
    /// Measured slot duration, microseconds; written by the engine.
    pub slot_micros: Arc<AtomicU64>,
    /// What to subscribe to.
    pub topics: watch::Receiver<Topics>,
    /// Subscriptions to renew alone.
    pub renew: mpsc::Receiver<Topic>,
    /// Where accounts go.
    pub mailbox: Arc<Mailbox>,
    /// Where signals go, with the number of the source.
    pub signals: mpsc::Sender<(usize, Signal)>,
}

pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest that a server may take to confirm a subscription: many may be asked for at once.
pub(super) const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);
/// How often silence is looked at: finer than any slot.
const CHECK: Duration = Duration::from_millis(50);
/// Slots that an account may be ahead of the last slot told without a second look.
const NEAR_SLOTS: u64 = 8;
const FIRST_RETRY: Duration = Duration::from_millis(200);
const LONGEST_RETRY: Duration = Duration::from_secs(10);
/// A session that delivered for this long starts the delays over.
const STEADY: Duration = Duration::from_secs(20);

impl Socket {
    /// Keeps the socket open until it is told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut backoff = Backoff::new(FIRST_RETRY, LONGEST_RETRY);
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
            if started.elapsed() >= STEADY {
                backoff.reset();
            }
            if self.signals.send((self.source, Signal::Down(reason))).await.is_err() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.next_delay(entropy())) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Waits until the endpoint is believed.
    async fn allowed(&self) {
        while self.pool.quarantine_of(self.index).is_some() {
            tokio::time::sleep(CHECK).await;
        }
    }

    /// Connects and delivers; returns why that ended.
    async fn session(&mut self) -> String {
        let stream = match timeout(CONNECT_TIMEOUT, connect(&**self.pool.network(), &self.url)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return format!("failed to connect: {error}"),
            Err(_) => return "failed to connect in time".to_owned(),
        };
        let mut session = Session::new(stream, self.commitment);
        match self.deliver(&mut session).await {
            Ok(never) => match never {},
            Err(reason) => reason,
        }
    }

    async fn deliver(&mut self, session: &mut Session) -> Result<std::convert::Infallible, String> {
        let topics = self.topics.borrow_and_update().clone();
        session.set_topics(topics).await?;
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
                changed = self.topics.changed() => {
                    changed.map_err(|_| "the keeper is stopping".to_owned())?;
                    let topics = self.topics.borrow_and_update().clone();
                    session.set_topics(topics).await?;
                }
                Some(topic) = self.renew.recv() => session.renew(&topic).await?,
                _ = check.tick() => self.check_silence(session)?,
            }
        }
    }

    async fn handle(&self, session: &mut Session, text: &str) -> Result<(), String> {
        match message::read(text) {
            Some(Incoming::Slot { slot, .. }) => {
                self.judge(slot)?;
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
        let update = Update { slot, told_by: 1 << self.source, ..update };
        let write_version = session.versions.number(&update);
        self.mailbox.put([Update { write_version, ..update }]);
        Ok(())
    }

    fn judge(&self, slot: u64) -> Result<(), String> {
        match self.pool.judge(self.index, slot) {
            Verdict::Fine => Ok(()),
            Verdict::Behind(slots) => Err(format!("it is {slots} slots behind")),
            Verdict::Ahead(slots) => Err(format!("it tells of a slot that is {slots} ahead")),
        }
    }

    fn check_silence(&self, session: &Session) -> Result<(), String> {
        if let Some(quarantine) = self.pool.quarantine_of(self.index) {
            return Err(format!("the endpoint is not believed: {}", quarantine.as_str()));
        }
        // slots alone prove nothing about subscriptions that nobody confirmed
        if let Some(topic) = session.overdue() {
            return Err(format!("the server did not confirm the subscription to {topic:?}"));
        }
        let slot_duration = Duration::from_micros(self.slot_micros.load(Ordering::Relaxed));
        let silent = session.last_slot_at.elapsed();
        // the first slot may take as long as the subscriptions themselves
        let is_new = !session.has_slots && silent < CONNECT_TIMEOUT;
        if is_new || !is_stalled(silent, slot_duration, self.stall_slots) {
            return Ok(());
        }
        Err(format!("no slot for {} ms", silent.as_millis()))
    }

    async fn send(&self, signal: Signal) -> Result<(), String> {
        self.signals.send((self.source, signal)).await.map_err(|_| "the keeper is stopping".to_owned())
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
