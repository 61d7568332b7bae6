//! The task of one source: connect, hand prices on, and where it fails say so once and try again.

use super::board::Wanted;
use super::{Board, Said, SignalError, hermes, pythnet};
use crate::chain::{Backoff, entropy};
use crate::config::{SignalKind, SignalSettings};
use crate::events::{EventKind, Events, Fact};
use crate::metrics::{Metrics, OnlyResultLabel, SignalLabel};
use crate::post::{SignedUpdate, UpdateError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Wait before the first attempt after a loss.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait that the server did not ask for.
const LONGEST: Duration = Duration::from_secs(60);

/// The task of one source.
pub struct Watcher {
    /// The source.
    pub settings: SignalSettings,
    /// Where prices go.
    pub board: Board,
    /// Where its losses are told.
    pub events: Events,
    /// Where they are counted.
    pub metrics: Metrics,
    /// Newest slot known.
    pub slot: Arc<AtomicU64>,
}

impl Watcher {
    /// Keeps the source until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new(FIRST, LONGEST);
        let mut wanted = self.board.subscribe();
        loop {
            let feeds = wanted.borrow_and_update().clone();
            let has_delivered = AtomicBool::new(false);
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                // other feeds are wanted: a new request
                changed = wanted.changed() => if changed.is_ok() { continue } else { return },
                ended = self.session(&feeds, &has_delivered) => ended,
            };
            let has_delivered = has_delivered.into_inner();
            if has_delivered {
                backoff.reset();
            }
            let wait = ended.err().map_or(Duration::ZERO, |error| self.lost(&error, has_delivered, &mut backoff));
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(wait) => {}
            }
        }
    }

    async fn session(&self, feeds: &Wanted, has_delivered: &AtomicBool) -> Result<(), SignalError> {
        if feeds.is_empty() {
            return std::future::pending().await;
        }
        let tell = |said: &Said| {
            has_delivered.store(true, Ordering::Relaxed);
            self.heard(said);
        };
        match self.settings.kind {
            SignalKind::Hermes => hermes::stream(&self.settings, feeds, tell).await,
            SignalKind::Pythnet => pythnet::poll(&self.settings, &self.metrics, feeds, tell).await,
        }
    }

    fn heard(&self, said: &Said) {
        if self.board.heard(&self.settings.name, &said.prices) {
            self.tell(EventKind::SourceUp, format!("signal `{}` gives prices again", self.settings.name), None);
        }
        if self.board.keeps_updates() {
            said.signed.iter().for_each(|text| self.keep(text));
        }
    }

    /// Keeps a signed update. One that can't be read costs nothing but itself: the prices beside it are shown.
    fn keep(&self, text: &str) {
        let bytes = STANDARD.decode(text).map_err(|_| UpdateError::Encoding);
        let result = match bytes.and_then(|bytes| SignedUpdate::read(&bytes)).map(|update| self.board.signed(update)) {
            Ok(true) => "kept",
            Ok(false) => "older",
            Err(error) => {
                tracing::debug!(signal = self.settings.name, "a signed update can't be read: {error}");
                "malformed"
            }
        };
        self.metrics.signed_updates.get_or_create(&OnlyResultLabel { result }).inc();
    }

    /// Tells a loss, once for each reason; returns how long to wait.
    fn lost(&self, error: &SignalError, has_delivered: bool, backoff: &mut Backoff) -> Duration {
        let reason = error.as_str();
        let label = SignalLabel { source: self.settings.name.clone(), reason };
        self.metrics.signal_failures.get_or_create(&label).inc();
        // servers end streams now and then: that is only a fault where the next attempt fails too
        if has_delivered && matches!(error, SignalError::Ended | SignalError::Unreachable(_)) {
            return backoff.next_delay(entropy());
        }
        let (cause, fix) = (crate::error::chain(error), error.fix(&self.settings));
        if self.board.lost(&self.settings.name, error, format!("{cause}; {fix}")) {
            let name = &self.settings.name;
            let text =
                format!("signal `{name}` is degraded: {cause}; prices on chain are acted on as before; hint: {fix}");
            self.tell(EventKind::SourceDown, text, Some(reason));
        }
        match error {
            SignalError::Limited(wait) => *wait,
            _ => backoff.next_delay(entropy()),
        }
    }

    fn tell(&self, kind: EventKind, text: String, reason: Option<&'static str>) {
        let fact = Fact::new(kind, self.slot.load(Ordering::Relaxed), text).with("source", self.settings.name.clone());
        self.events.emit(match reason {
            Some(reason) => fact.with("reason", reason),
            None => fact,
        });
    }
}
