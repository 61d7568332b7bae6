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
use std::time::Duration;
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
}

impl Notifier {
    /// Opens the outbox of the state directory.
    ///
    /// # Errors
    /// Whatever the disk refuses.
    pub fn open(config: &Config, metrics: Metrics) -> Result<Self, OutboxError> {
        let outbox = Outbox::open(&config.keeper.state_dir, &config.keeper.name, &config.notify, metrics.clone())?;
        let deliverer = Deliverer::new(outbox.clone(), config.notify.clone(), deliver::client(), metrics);
        Ok(Self { outbox, deliverer, wake: Arc::default() })
    }

    /// Runs until `stop`, and then once more through what is due.
    pub async fn run(mut self, events: Events, stop: CancellationToken) {
        let (outbox, wake) = (self.outbox.clone(), self.wake.clone());
        let taking = take_all(outbox, wake, events, stop.clone());
        let delivering = async {
            while !stop.is_cancelled() {
                let next = self.deliverer.round(unix_ms()).await;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.wake.notified() => {}
                    () = tokio::time::sleep(next.map_or(ROUND, |ms| Duration::from_millis(ms).min(ROUND))) => {}
                }
            }
        };
        tokio::join!(taking, delivering);
        self.deliverer.round(unix_ms()).await;
    }
}

/// Writes every fact to the outbox, also those that were told before it listened and those that it was too slow for.
async fn take_all(outbox: Outbox, wake: Arc<Notify>, events: Events, stop: CancellationToken) {
    let (recent, mut stream) = events.subscribe();
    for event in recent {
        take(&outbox, &wake, event).await;
    }
    loop {
        let received = tokio::select! {
            // what was told before the stop still goes in
            biased;
            received = stream.recv() => received,
            () = stop.cancelled() => return,
        };
        match received {
            Ok(event) => take(&outbox, &wake, event).await,
            Err(RecvError::Closed) => return,
            Err(RecvError::Lagged(lost)) => {
                let (recent, fresh) = events.subscribe();
                stream = fresh;
                tracing::warn!(lost, "alerts fell behind; the newest {} facts are taken again", recent.len());
                for event in recent {
                    take(&outbox, &wake, event).await;
                }
            }
        }
    }
}

async fn take(outbox: &Outbox, wake: &Notify, event: Arc<Event>) {
    match outbox.put(event).await {
        Ok(0) => {}
        Ok(_) => wake.notify_one(),
        // it is in the log at least
        Err(error) => tracing::error!("an alert can't be kept: {}", crate::error::chain(&error)),
    }
}
