//! From the local file to the team's database: in order, and once.
//!
//! Records leave the file only after the database committed them. The database keeps, in the same transaction, how far
//! it took each file: a batch whose answer was lost is passed over when it comes again.

use super::intake::before_ms;
use super::local::Local;
use super::postgres::Postgres;
use super::record::{Kind, Record};
use super::recorder::count_dropped;
use super::{HistoryError, blocking};
use crate::chain::{Backoff, entropy};
use crate::config::History;
use crate::events::unix_ms;
use crate::metrics::Metrics;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Records that one transaction takes.
const BATCH: usize = 256;
/// Period of pruning.
const PRUNE: Duration = Duration::from_secs(600);
/// Batches that one kind loses in one round of pruning.
const PRUNE_STEPS: usize = 50;
/// How long a stop waits for the database.
const FAREWELL: Duration = Duration::from_secs(1);

/// Delivers records.
pub(super) struct Delivery {
    pub database: Postgres,
    pub keeper: String,
    pub settings: History,
    pub metrics: Metrics,
    pub filled: Arc<Notify>,
    pub local: Arc<OnceLock<Arc<Local>>>,
}

impl Delivery {
    /// Delivers until `stop`; what is left waits in the file for the next start.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        let mut prune_at = Instant::now() + Duration::from_secs(30);
        loop {
            let result = tokio::select! {
                () = stop.cancelled() => return self.finish().await,
                result = self.round(&mut prune_at) => result,
            };
            self.metrics.history_up.set(i64::from(result.is_ok()));
            let pause = match result {
                Ok(()) => {
                    backoff.reset();
                    None
                }
                Err(error) => {
                    self.metrics.history_errors.inc();
                    tracing::warn!(hint = %error.hint(), "{}", crate::error::chain(&error));
                    Some(backoff.next_delay(entropy()))
                }
            };
            tokio::select! {
                () = stop.cancelled() => return self.finish().await,
                () = sleep(pause.unwrap_or_default()), if pause.is_some() => {}
                () = self.filled.notified(), if pause.is_none() => {}
                () = tokio::time::sleep_until(prune_at), if pause.is_none() => {}
            }
        }
    }

    async fn round(&self, prune_at: &mut Instant) -> Result<(), HistoryError> {
        self.deliver().await?;
        if Instant::now() >= *prune_at {
            self.prune().await?;
            *prune_at = Instant::now() + PRUNE;
        }
        Ok(())
    }

    /// Delivers everything that waits.
    pub(super) async fn deliver(&self) -> Result<(), HistoryError> {
        let Some(local) = self.local.get().cloned() else { return Ok(()) };
        let from = local.clone();
        let writer = blocking(move || from.writer()).await?;
        loop {
            let from = local.clone();
            let (count, waiting) = blocking(move || Ok((from.count_waiting()?, from.waiting(BATCH)?))).await?;
            self.metrics.history_waiting.set(count);
            let Some(last) = waiting.last().map(|(seq, _)| *seq) else { return Ok(()) };
            let mut batch = Vec::with_capacity(waiting.len());
            for (seq, record) in waiting {
                match record {
                    Ok(record) => batch.push((seq, record)),
                    Err(text) => tracing::error!(seq, "a record of the history can't be read and is dropped: {text}"),
                }
            }
            self.deliver_batch(&writer, &batch).await?;
            let from = local.clone();
            blocking(move || from.delivered(last)).await?;
        }
    }

    /// Delivers a batch; where the database takes offence at a record, one by one without that record.
    async fn deliver_batch(&self, writer: &str, batch: &[(i64, Record)]) -> Result<(), HistoryError> {
        match self.database.deliver(writer, &self.keeper, batch).await {
            Err(error) if error.is_about_the_record() => {}
            result => return result,
        }
        for one in batch.chunks(1) {
            match self.database.deliver(writer, &self.keeper, one).await {
                Err(error) if error.is_about_the_record() => {
                    tracing::error!(record = ?one, "the database refuses a record, it is dropped: {}", crate::error::chain(&error));
                    one.iter().for_each(|(_, record)| count_dropped(&self.metrics, record.kind(), 1));
                }
                result => result?,
            }
        }
        Ok(())
    }

    pub(super) async fn prune(&self) -> Result<(), HistoryError> {
        for kind in Kind::ALL {
            let before_ms = before_ms(&self.settings, kind, unix_ms());
            for _ in 0..PRUNE_STEPS {
                if !self.database.prune(kind, before_ms).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn finish(&self) {
        // the intake writes its last records at the same moment
        tokio::select! {
            () = self.filled.notified() => {}
            () = sleep(FAREWELL / 4) => {}
        }
        if !matches!(tokio::time::timeout(FAREWELL, self.deliver()).await, Ok(Ok(()))) {
            tracing::info!("records of the history wait in the state directory for the next start");
        }
    }
}
