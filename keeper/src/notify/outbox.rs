//! What has to be delivered, in a file of its own: a full or broken outbox never touches the journal.

use super::alert::{Alert, ended_by};
use crate::config::{Sink, SinkKind};
use crate::events::{Event, Severity, unix_ms};
use crate::metrics::{Metrics, NotifyLabel};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Name of the outbox's file in the state directory.
pub const FILE: &str = "outbox.db";
/// Within this time the same fact is told once, milliseconds.
const SAME_MS: u64 = 600_000;
/// What could not be delivered for so long is given up, milliseconds.
pub(super) const KEEP_MS: u64 = 7 * 24 * 3_600_000;

const LAYOUT: &str = "
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;
    CREATE TABLE IF NOT EXISTS alerts (
        id INTEGER PRIMARY KEY,
        sink TEXT NOT NULL,
        event INTEGER NOT NULL,
        key TEXT NOT NULL,
        body TEXT NOT NULL,
        first_ms INTEGER NOT NULL,
        refusals INTEGER NOT NULL DEFAULT 0,
        repeats INTEGER NOT NULL DEFAULT 0,
        done_ms INTEGER,
        UNIQUE (sink, event)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS alerts_waiting ON alerts (sink, id) WHERE done_ms IS NULL;
    CREATE INDEX IF NOT EXISTS alerts_by_key ON alerts (sink, key, first_ms);
";

/// The same fact as told to the sink before, unless its end has been told to it since.
const EARLIER: &str = "
    SELECT id FROM alerts AS earlier WHERE sink = ?1 AND key = ?2 AND first_ms > ?3 AND event <> ?4 AND NOT EXISTS (
        SELECT 1 FROM alerts AS later
        WHERE later.sink = ?1 AND later.id > earlier.id AND json_extract(later.body, '$.ends') = ?2
    ) LIMIT 1";

/// Why the outbox can't be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to {what} in outbox `{}`", path.display())]
pub struct OutboxError {
    path: PathBuf,
    what: &'static str,
    source: rusqlite::Error,
}

/// Something that waits to be delivered.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub id: i64,
    pub alert: Alert,
    pub refusals: u32,
}

/// What waits to be delivered. Clones share it.
#[derive(Clone)]
pub struct Outbox {
    shared: Arc<Shared>,
}

struct Shared {
    connection: Mutex<Connection>,
    path: PathBuf,
    keeper: String,
    sinks: Vec<Sink>,
    metrics: Metrics,
}

impl Outbox {
    /// Opens the outbox of a directory, and makes it if it is missing.
    ///
    /// # Errors
    /// Whatever the disk refuses.
    pub fn open(dir: &Path, keeper: &str, sinks: &[Sink], metrics: Metrics) -> Result<Self, OutboxError> {
        let path = dir.join(FILE);
        let failed = |source| OutboxError { path: path.clone(), what: "open the file", source };
        let connection = Connection::open(&path).map_err(failed)?;
        connection.execute_batch(LAYOUT).map_err(failed)?;
        let shared = Shared {
            connection: Mutex::new(connection),
            path,
            keeper: keeper.to_owned(),
            sinks: sinks.to_vec(),
            metrics,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Keeps a fact for every sink that wants it; a fact that a sink has already is kept once. Returns for how many.
    ///
    /// # Errors
    /// Whatever the disk refuses.
    pub async fn put(&self, event: Arc<Event>) -> Result<usize, OutboxError> {
        self.put_at(event, unix_ms()).await
    }

    pub(super) async fn put_at(&self, event: Arc<Event>, now_ms: u64) -> Result<usize, OutboxError> {
        let alert = Alert::of(&event, &self.shared.keeper);
        let wanted: Vec<Sink> = self.shared.sinks.iter().filter(|sink| wants(sink, &alert)).cloned().collect();
        if wanted.is_empty() {
            return Ok(0);
        }
        let metrics = self.shared.metrics.clone();
        self.blocking("keep an alert", move |connection| {
            let body = serde_json::to_string(&alert).unwrap_or_default();
            let mut kept = 0;
            let change = connection.transaction()?;
            for sink in &wanted {
                // both sides of a thing that comes and goes are told: what ends an alert is never taken for a repeat, nor is
                // what begins after its end
                let earlier: Option<i64> = match alert.ends {
                    Some(_) => None,
                    None => change
                        .prepare_cached(EARLIER)?
                        .query_row(
                            params![sink.name, alert.key, now_ms.saturating_sub(SAME_MS).cast_signed(), event.id.cast_signed()],
                            |row| row.get(0),
                        )
                        .optional()?,
                };
                if let Some(id) = earlier {
                    change.execute("UPDATE alerts SET repeats = repeats + 1 WHERE id = ?1", [id])?;
                    count(&metrics, sink, "repeated");
                    continue;
                }
                kept += change.execute(
                    "INSERT INTO alerts (sink, event, key, body, first_ms) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                    params![sink.name, event.id.cast_signed(), alert.key, body, now_ms.cast_signed()],
                )?;
            }
            change.commit()?;
            Ok(kept)
        })
        .await
    }

    /// Returns what waits for a sink but `parked`, oldest first; what was refused before comes behind the rest.
    pub(super) async fn waiting(&self, sink: &str, limit: u32, parked: &[i64]) -> Result<Vec<Waiting>, OutboxError> {
        let (sink, parked) = (sink.to_owned(), serde_json::to_string(parked).unwrap_or_default());
        self.blocking("read what waits", move |connection| {
            let sql = "SELECT id, body, refusals FROM alerts WHERE sink = ?1 AND done_ms IS NULL \
                       AND id NOT IN (SELECT value FROM json_each(?3)) ORDER BY refusals > 0, id LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params![sink, limit, parked], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, u32>(2)?))
            })?;
            let read = |(id, body, refusals): (i64, String, u32)| {
                Some(Waiting { id, alert: serde_json::from_str(&body).ok()?, refusals })
            };
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().filter_map(read).collect())
        })
        .await
    }

    /// Notes that nothing more is to be done about an alert: it is delivered.
    pub(super) async fn done(&self, id: i64, now_ms: u64) -> Result<(), OutboxError> {
        self.blocking("note a delivery", move |connection| {
            connection
                .execute("UPDATE alerts SET done_ms = ?2 WHERE id = ?1", params![id, now_ms.cast_signed()])
                .map(drop)
        })
        .await
    }

    /// Notes that the other side refused an alert as such.
    pub(super) async fn refused(&self, id: i64) -> Result<(), OutboxError> {
        self.blocking("note a refusal", move |connection| {
            connection.execute("UPDATE alerts SET refusals = refusals + 1 WHERE id = ?1", [id]).map(drop)
        })
        .await
    }

    /// Forgets what is done, gives up what is too old or for a sink that is no more, and measures the rest.
    ///
    /// Returns how many were given up.
    pub(super) async fn prune(&self, now_ms: u64) -> Result<usize, OutboxError> {
        let sinks = self.shared.sinks.clone();
        let metrics = self.shared.metrics.clone();
        self.blocking("prune", move |connection| {
            let before = |span: u64| now_ms.saturating_sub(span).cast_signed();
            connection.execute("DELETE FROM alerts WHERE done_ms < ?1 AND first_ms < ?1", [before(SAME_MS)])?;
            for sink in &sinks {
                let sql = "SELECT COUNT(*) FROM alerts WHERE done_ms IS NULL AND first_ms < ?1 AND sink = ?2";
                let late: u32 = connection.query_row(sql, params![before(KEEP_MS), sink.name], |row| row.get(0))?;
                (0..late).for_each(|_| count(&metrics, sink, "dropped"));
            }
            let names: Vec<&str> = sinks.iter().map(|sink| sink.name.as_str()).collect();
            let names = serde_json::to_string(&names).unwrap_or_default();
            let old = "DELETE FROM alerts WHERE done_ms IS NULL AND (first_ms < ?1 OR sink NOT IN (SELECT value FROM json_each(?2)))";
            let given_up = connection.execute(old, params![before(KEEP_MS), names])?;
            let sql = "SELECT COUNT(*), MIN(first_ms) FROM alerts WHERE done_ms IS NULL";
            let (count, oldest): (i64, Option<i64>) = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            metrics.notify_backlog.set(count);
            let age = oldest.map_or(0, |oldest| now_ms.cast_signed().saturating_sub(oldest) / 1_000);
            metrics.notify_oldest_seconds.set(age);
            Ok(given_up)
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        what: &'static str,
        call: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, OutboxError> {
        let shared = self.shared.clone();
        let path = self.shared.path.clone();
        let work = move || call(&mut shared.connection.lock().unwrap_or_else(PoisonError::into_inner));
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result.map_err(|source| OutboxError { path, what, source }),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// Whether a sink wants an alert. What ends an alert is wanted by who got that, where there is something to close.
fn wants(sink: &Sink, alert: &Alert) -> bool {
    let closes = sink.kind == SinkKind::PagerDuty
        && ended_by(alert.kind).is_some_and(|kind| kind.severity().max(Severity::Warning) >= sink.min_severity);
    alert.severity >= sink.min_severity || closes
}

pub(super) fn count(metrics: &Metrics, sink: &Sink, result: &'static str) {
    metrics.notify.get_or_create(&NotifyLabel { kind: sink.kind.as_str(), result }).inc();
}
