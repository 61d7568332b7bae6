//! From the queues to the local file.

use super::local::Local;
use super::record::{Kind, Record};
use super::recorder::{Queues, count_dropped};
use super::{HistoryError, blocking};
use crate::chain::{Backoff, entropy};
use crate::config::History;
use crate::events::unix_ms;
use crate::metrics::{KindLabel, Metrics};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Records that one write takes.
const BATCH: usize = 512;
/// Period of pruning.
const PRUNE: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Takes records in.
pub(super) struct Intake {
    pub dir: PathBuf,
    pub settings: History,
    pub queues: Queues,
    pub metrics: Metrics,
    /// Told after each write: the delivery may go on.
    pub filled: Arc<Notify>,
    /// Set once the file is open.
    pub local: Arc<OnceLock<Arc<Local>>>,
}

impl Intake {
    /// Writes until `stop`, then once more what is in the queues.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut prune = interval(PRUNE);
        prune.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (mut batch, mut samples) = (Vec::new(), Vec::new());
            tokio::select! {
                () = stop.cancelled() => return self.finish().await,
                taken = self.queues.facts.recv_many(&mut batch, BATCH) => if taken == 0 { return },
                taken = self.queues.samples.recv_many(&mut samples, BATCH) => if taken == 0 { return },
                _ = prune.tick() => {
                    let pruned = self.prune().await;
                    self.note(&pruned);
                    continue;
                }
            }
            batch.append(&mut samples);
            self.keep(batch, &stop).await;
        }
    }

    /// Writes a batch, however long it takes; facts wait in memory meanwhile, samples go.
    async fn keep(&mut self, batch: Vec<Record>, stop: &CancellationToken) {
        let mut batch = Arc::new(batch);
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        loop {
            let written = self.write(batch.clone()).await;
            self.note(&written);
            if written.is_ok() {
                return;
            }
            let (samples, facts): (Vec<Record>, Vec<Record>) =
                batch.iter().cloned().partition(|record| record.kind() == Kind::Samples);
            count_dropped(&self.metrics, Kind::Samples, samples.len() as u64);
            if facts.is_empty() {
                return;
            }
            batch = Arc::new(facts);
            tokio::select! {
                () = stop.cancelled() => return batch.iter().for_each(|r| count_dropped(&self.metrics, r.kind(), 1)),
                () = tokio::time::sleep(backoff.next_delay(entropy())) => {}
            }
        }
    }

    async fn write(&self, batch: Arc<Vec<Record>>) -> Result<(), HistoryError> {
        let local = self.open().await?;
        let (is_spool, metrics) = (self.settings.url.is_some(), self.metrics.clone());
        blocking(move || {
            let is_crowded = local.is_crowded()?;
            let is_kept = |record: &&Record| !(is_crowded && record.kind() == Kind::Samples);
            let kept: Vec<Record> = batch.iter().filter(is_kept).cloned().collect();
            if is_spool {
                local.spool(&kept)?
            } else {
                local.store(&kept)?
            }
            count_dropped(&metrics, Kind::Samples, (batch.len() - kept.len()) as u64);
            for record in &kept {
                metrics.history_records.get_or_create(&KindLabel { kind: record.kind().as_str() }).inc();
            }
            Ok(())
        })
        .await?;
        self.filled.notify_one();
        Ok(())
    }

    /// Opens the file, if it is not open yet.
    async fn open(&self) -> Result<Arc<Local>, HistoryError> {
        if let Some(local) = self.local.get() {
            return Ok(local.clone());
        }
        let dir = self.dir.clone();
        let bytes = i64::try_from(self.settings.max_mb.saturating_mul(1 << 20)).unwrap_or(i64::MAX);
        let is_spool = self.settings.url.is_some();
        let local = blocking(move || {
            let local = Local::open(&dir, bytes)?;
            // what waited for a database that is no longer set belongs here
            while !is_spool && local.store_waiting(BATCH)? {}
            Ok(Arc::new(local))
        })
        .await?;
        Ok(self.local.get_or_init(|| local).clone())
    }

    async fn prune(&self) -> Result<(), HistoryError> {
        let (local, settings) = (self.open().await?, self.settings.clone());
        let dropped = blocking(move || {
            let now_ms = unix_ms();
            // what is left goes next time: the queues' writes must come in between
            local.prune(|kind| before_ms(&settings, kind, now_ms))?;
            local.make_room()
        })
        .await?;
        count_dropped(&self.metrics, Kind::Samples, dropped);
        Ok(())
    }

    async fn finish(&mut self) {
        let mut batch = Vec::new();
        while let Ok(record) = self.queues.facts.try_recv() {
            batch.push(record);
        }
        while let Ok(record) = self.queues.samples.try_recv() {
            batch.push(record);
        }
        let batch = Arc::new(batch);
        if let Err(error) = self.write(batch.clone()).await {
            self.note(&Err(error));
            batch.iter().for_each(|record| count_dropped(&self.metrics, record.kind(), 1));
        }
    }

    fn note(&self, result: &Result<(), HistoryError>) {
        if let Err(error) = result {
            self.metrics.history_errors.inc();
            tracing::warn!(hint = %error.hint(), "{}", crate::error::chain(error));
        }
    }
}

/// Returns the moment before which rows of a kind go, unix milliseconds.
pub(super) fn before_ms(settings: &History, kind: Kind, now_ms: u64) -> i64 {
    let days = match kind {
        Kind::Events => settings.events_days,
        Kind::Decisions => settings.decisions_days,
        Kind::Reports => settings.reports_days,
        Kind::Samples => settings.samples_days,
    };
    let span = i64::from(days).saturating_mul(DAY_MS);
    i64::try_from(now_ms).unwrap_or(i64::MAX).saturating_sub(span)
}
