//! A Yellowstone gRPC stream as a source: the same accounts and sets as the subscriptions, and slots.
//!
//! Nothing here waits for the engine but the few signals that must not be lost, so a server has no reason to call this
//! reader slow. A stream counts as silent when slots stop coming for `stall_slots` measured slots, 25 s at most, whatever
//! the connection says; then, and after any error, it is opened anew with spread delays and asks for a replay from where
//! it was lost. A server that doesn't hold that slot any more ends it at once: the next one starts at the tip, and a
//! snapshot closes the gap. Which request is in force is proved by the name under which slots come.

use crate::chain::feed::{CHECK, Feed, NEAR_SLOTS, retries};
use crate::chain::grpc_message::{alive, read};
use crate::chain::grpc_session::{End, Session};
use crate::chain::liveness::is_stalled;
use crate::chain::tip::Verdict;
use crate::chain::ws::{CONNECT_TIMEOUT, Signal};
use crate::config::GrpcEndpoint;
use crate::metrics::{Metrics, StreamLabel};
use crate::watch::Update;
use std::convert::Infallible;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::codec::Streaming;
use yellowstone_grpc_proto::geyser::subscribe_update::UpdateOneof;
use yellowstone_grpc_proto::geyser::{SubscribeUpdate, SubscribeUpdateAccount};

/// Silence that no setting makes longer.
const LONGEST_SILENCE: Duration = Duration::from_secs(25);

/// What the stream needs.
pub struct Stream {
    /// What it shares with all sources.
    pub feed: Feed,
    /// Where to connect.
    pub settings: GrpcEndpoint,
    /// Where ends are counted.
    pub metrics: Metrics,
}

impl Stream {
    /// Keeps the stream open until it is told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        self.turned_away_begin();
        let (mut retries, mut from_slot) = (retries(), None);
        loop {
            let started = Instant::now();
            let end = tokio::select! {
                end = self.session(&mut from_slot) => end,
                () = stop.cancelled() => return,
            };
            let label = StreamLabel { source: self.settings.name.clone(), reason: end.reason };
            self.metrics.stream_ends.get_or_create(&label).inc();
            if !self.feed.lost(started, end.text, &mut retries, &stop).await {
                return;
            }
        }
    }

    /// An alert looks at these: they are there from the first moment on.
    fn turned_away_begin(&self) {
        for reason in ["limited", "failed", "refused"] {
            drop(self.metrics.stream_ends.get_or_create(&StreamLabel { source: self.settings.name.clone(), reason }));
        }
    }

    /// Connects and delivers, from `from_slot` on; returns why that ended, and leaves where to go on.
    async fn session(&mut self, from_slot: &mut Option<u64>) -> End {
        let (wanted, target) = (self.feed.topics.borrow_and_update().clone(), self.feed.pool.newest_slot());
        let opened = Session::open(&self.settings, self.feed.commitment, wanted, *from_slot, target).await;
        let (mut session, mut updates) = match opened {
            Ok(opened) => opened,
            // a status in place of a stream may be about the slot as well
            Err(end) if end.reason == "failed" && from_slot.take().is_some() => return End { reason: "replay", ..end },
            Err(end) => return end,
        };
        let end = match self.deliver(&mut session, &mut updates).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        let is_lost = session.lost_its_slot(&end);
        *from_slot = session.next_from().filter(|_| !is_lost);
        if is_lost { End { reason: "replay", ..end } } else { end }
    }

    async fn deliver(
        &mut self,
        session: &mut Session,
        updates: &mut Streaming<SubscribeUpdate>,
    ) -> Result<Infallible, End> {
        let mut check = interval(CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // a request that overtakes another before that holds would take its replay away
            let is_settled = session.is_covered;
            tokio::select! {
                received = updates.message() => match received {
                    Ok(Some(update)) => self.handle(session, update).await?,
                    Ok(None) => return Err(End::new("closed", "the server closed the stream")),
                    Err(status) => return Err(End::of(&status)),
                },
                changed = self.feed.topics.changed(), if is_settled => {
                    changed.map_err(|_| End::new("closed", "the keeper is stopping"))?;
                    let topics = self.feed.topics.borrow_and_update().clone();
                    session.ask(topics, self.feed.commitment)?;
                }
                Some(topic) = self.feed.renew.recv(), if is_settled => {
                    tracing::warn!(?topic, source = self.settings.name, "the stream missed a change and is asked anew");
                    session.ask(session.wanted.clone(), self.feed.commitment)?;
                }
                _ = check.tick() => self.check_silence(session)?,
            }
        }
    }

    async fn handle(&self, session: &mut Session, update: SubscribeUpdate) -> Result<(), End> {
        match update.update_oneof {
            Some(UpdateOneof::Slot(told)) => self.slot(session, &update.filters, told.slot).await,
            Some(UpdateOneof::Account(told)) => self.account(session, told),
            Some(UpdateOneof::Ping(_)) => session.send(alive()),
            _ => Ok(()),
        }
    }

    async fn slot(&self, session: &mut Session, filters: &[String], slot: u64) -> Result<(), End> {
        self.judge(slot, session.is_catching_up())?;
        // slots of the past come at no pace that could be measured
        if !session.slot(slot) {
            return Ok(());
        }
        // a slot that finds no room is followed by another
        let _ = self.feed.signals.try_send((self.feed.source, Signal::Slot { slot, at: session.last_slot_at }));
        if session.covers(filters) {
            let topics = session.wanted.clone();
            let signal = if session.is_resumption() { Signal::Resumed(topics) } else { Signal::Covered(topics) };
            let sent = self.feed.signals.send((self.feed.source, signal)).await;
            sent.map_err(|_| End::new("closed", "the keeper is stopping"))?;
        }
        Ok(())
    }

    /// Passes an account on, as a version of a slot that can have been.
    fn account(&self, session: &mut Session, told: SubscribeUpdateAccount) -> Result<(), End> {
        let Some((update, written)) = read(told) else {
            tracing::debug!(source = self.settings.name, "an account of the stream can't be read");
            return Ok(());
        };
        if session.last_slot > 0 && update.slot > session.last_slot.saturating_add(NEAR_SLOTS) {
            self.judge(update.slot, true)?;
        }
        let update = Update { told_by: 1 << self.feed.source, ..update };
        if let Some(write_version) = session.versions.place(&update, written) {
            self.feed.mailbox.put([Update { write_version, ..update }]);
        }
        Ok(())
    }

    fn judge(&self, slot: u64, is_past_fine: bool) -> Result<(), End> {
        match self.feed.pool.judge_stream(self.feed.index, slot) {
            Verdict::Behind(slots) if !is_past_fine => Err(End::new("slot", format!("it is {slots} slots behind"))),
            Verdict::Ahead(slots) => Err(End::new("slot", format!("it tells of a slot that is {slots} ahead"))),
            _ => Ok(()),
        }
    }

    fn check_silence(&self, session: &Session) -> Result<(), End> {
        if session.is_overdue() {
            return Err(End::new("silent", "no slot came under the newest request"));
        }
        let silent = session.last_slot_at.elapsed();
        // the first slot may take as long as the connection itself
        let is_new = session.last_slot == 0 && silent < CONNECT_TIMEOUT;
        let is_silent =
            silent >= LONGEST_SILENCE || is_stalled(silent, self.feed.slot_duration(), self.feed.stall_slots);
        if is_new || !is_silent {
            Ok(())
        } else {
            Err(End::new("silent", format!("no slot for {} ms", silent.as_millis())))
        }
    }
}
