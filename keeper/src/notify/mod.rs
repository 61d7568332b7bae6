//! Alerts: facts that are urgent enough go to people, at least once, however long the other side is away.
//!
//! A fact is written to the outbox before anything is sent, and stays there until the other side took it. Nothing waits
//! for any of this: the engine tells its facts and goes on. A crash between a delivery and its note repeats the
//! delivery, under the same key, by which the other side can tell.

mod alert;
mod deliver;
mod outbox;
mod sink;
#[cfg(test)]
mod tests;

pub use alert::Alert;
pub use deliver::Deliverer;
pub use outbox::{FILE, Outbox, OutboxError};
pub use sink::{SendError, send};

use crate::config::Config;
use crate::events::{Event, Events, unix_ms};
use crate::metrics::Metrics;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// The longest time between two looks at the outbox.
const ROUND: Duration = Duration::from_secs(30);

/// Takes facts in and delivers them, for as long as the keeper runs.
pub struct Notifier {
    outbox: Outbox,
    deliverer: Deliverer,
    wake: Arc<Notify>,
    taken: Arc<AtomicU64>,
}

impl Notifier {
    /// Opens the outbox of the state directory. `taken` is the number of the newest fact that went into it, and outlives
    /// this: facts are told again to whoever listens anew, and what is delivered is not remembered for long.
    ///
    /// # Errors
    /// Whatever the disk refuses.
    pub fn open(config: &Config, metrics: Metrics, taken: Arc<AtomicU64>) -> Result<Self, OutboxError> {
        let outbox = Outbox::open(&config.keeper.state_dir, &config.keeper.name, &config.notify, metrics.clone())?;
        let deliverer = Deliverer::new(outbox.clone(), config.notify.clone(), deliver::client(), metrics);
        Ok(Self { outbox, deliverer, wake: Arc::default(), taken })
    }

    /// Runs until `stop`, and then once more through what is due.
    pub async fn run(mut self, events: Events, stop: CancellationToken) {
        let inlet = Inlet { outbox: self.outbox.clone(), wake: self.wake.clone(), taken: self.taken.clone() };
        let taking = inlet.take_all(events, stop.clone());
        let delivering = async {
            while !stop.is_cancelled() {
                let next = self.deliverer.round(Instant::now(), unix_ms()).await;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.wake.notified() => {}
                    () = tokio::time::sleep(next.map_or(ROUND, |wait| wait.min(ROUND))) => {}
                }
            }
        };
        tokio::join!(taking, delivering);
        self.deliverer.round(Instant::now(), unix_ms()).await;
    }
}

/// The way of facts into the outbox.
struct Inlet {
    outbox: Outbox,
    wake: Arc<Notify>,
    taken: Arc<AtomicU64>,
}

impl Inlet {
    /// Writes every fact to the outbox, also those that were told before it listened and those that it was too slow for.
    async fn take_all(&self, events: Events, stop: CancellationToken) {
        let (recent, mut stream) = events.subscribe();
        self.take_each(recent).await;
        loop {
            let received = tokio::select! {
                // what was told before the stop still goes in
                biased;
                received = stream.recv() => received,
                () = stop.cancelled() => return,
            };
            match received {
                Ok(event) => self.take(event).await,
                Err(RecvError::Closed) => return,
                Err(RecvError::Lagged(lost)) => {
                    let (recent, fresh) = events.subscribe();
                    stream = fresh;
                    tracing::warn!(
                        lost,
                        "alerts fell behind; the newest {} facts are gone through again",
                        recent.len()
                    );
                    self.take_each(recent).await;
                }
            }
        }
    }

    async fn take_each(&self, recent: Vec<Arc<Event>>) {
        for event in recent {
            self.take(event).await;
        }
    }

    async fn take(&self, event: Arc<Event>) {
        let id = event.id;
        if id <= self.taken.load(Ordering::Relaxed) {
            return;
        }
        match self.outbox.put(event).await {
            Ok(kept) => {
                self.taken.store(id, Ordering::Relaxed);
                if kept > 0 {
                    self.wake.notify_one();
                }
            }
            // it is in the log at least
            Err(error) => tracing::error!("an alert can't be kept: {}", crate::error::chain(&error)),
        }
    }
}
