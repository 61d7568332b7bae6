//! The journal: every signature is on the disk before its first send.
//!
//! Owns one SQLite file and the lock of its directory. Decides nothing: `submit` says what is true. All calls block for
//! the length of one disk write; async callers use a blocking task.
//!
//! ```text
//! signed ─> sent ─> landed | failed | lost_race | expired
//!   │         └──> unknown ─> (any of these)
//!   └──> superseded | observed          never sent, certainly
//! ```

mod error;
mod row;
mod schema;
#[cfg(test)]
mod tests;

pub use error::JournalError;
pub use row::{Signed, State, Undecided};
#[cfg(test)]
pub(crate) use tests::{copy_files, old as old_signed, signed as sample_signed};

use crate::events::unix_ms;
use crate::intent::{ActionClass, Outcome};
use crate::metrics::Metrics;
use rusqlite::{Connection, Transaction, params};
use solana_sdk::signature::Signature;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Name of the journal's file in the state directory.
pub const FILE: &str = "journal.db";
const LOCK: &str = "keeper.lock";
/// How long decided transactions are kept.
const KEEP_DECIDED_MS: u64 = 7 * 24 * 3_600 * 1_000;
/// How long transactions that were never sent are kept.
const KEEP_UNSENT_MS: u64 = 10 * 60 * 1_000;
/// Rows that one turn of pruning removes at most of each kind: nobody may wait for it who signs.
const PRUNED_ROWS: u32 = 500;

/// What the journal's file lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// A disk of the host: writes block, in a thread of their own.
    Host,
    /// One that takes as long as the simulated clock says, in the caller's own task.
    Simulated {
        /// What a write takes.
        latency: std::time::Duration,
    },
}

/// The journal of one state directory. Clones share it.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    connection: Mutex<Connection>,
    path: PathBuf,
    metrics: Metrics,
    disk: Disk,
    /// The last write failed.
    is_failing: AtomicBool,
    #[cfg(test)]
    after_commit: Mutex<Option<tests::Hook>>,
    // Released by the system when the process ends, however it ends.
    _lock: File,
}

impl Journal {
    /// Opens the journal of a directory, and makes both if they are missing.
    ///
    /// # Errors
    /// `Locked` if another keeper holds the directory, `Corrupt` if the file is not whole, `TooNew`, `Directory`, and
    /// `Storage` for anything the disk refuses.
    pub fn open(dir: &Path, metrics: Metrics) -> Result<Self, JournalError> {
        Self::open_on(dir, Disk::Host, metrics)
    }

    /// As [`Self::open`], on a disk of the caller's choice.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_on(dir: &Path, disk: Disk, metrics: Metrics) -> Result<Self, JournalError> {
        let lock = lock(dir)?;
        let path = dir.join(FILE);
        let mut connection =
            Connection::open(&path).map_err(|source| JournalError::from_sqlite(&path, "open the file", source))?;
        schema::prepare(&mut connection, &path)?;
        let journal = Self {
            shared: Arc::new(Shared {
                connection: Mutex::new(connection),
                path,
                metrics,
                disk,
                is_failing: AtomicBool::new(false),
                #[cfg(test)]
                after_commit: Mutex::default(),
                _lock: lock,
            }),
        };
        // a first part; what else is old goes while it runs
        journal.prune(unix_ms())?;
        Ok(journal)
    }

    /// Runs `call` where it may block.
    pub async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Self) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let journal = self.clone();
        match self.shared.disk {
            Disk::Host => match tokio::task::spawn_blocking(move || call(&journal)).await {
                Ok(result) => result,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
            Disk::Simulated { latency } => {
                // whoever is ended in the first half has written nothing, and in the second everything
                tokio::time::sleep(latency / 2).await;
                let result = call(&journal);
                tokio::time::sleep(latency / 2).await;
                result
            }
        }
    }

    /// Writes new transactions, all in one durable step.
    ///
    /// # Shape
    /// For each one whether it was written: `false` if these very bytes were signed before.
    pub fn insert_signed(&self, batch: &[Signed]) -> Result<Vec<bool>, JournalError> {
        self.write("write signed transactions", |change| batch.iter().map(|signed| insert(change, signed)).collect())
    }

    /// Notes that a transaction was handed to a node.
    pub fn mark_sent(&self, signature: &Signature) -> Result<(), JournalError> {
        self.write("note a send", |change| {
            let now = unix_ms().cast_signed();
            change
                .prepare_cached(
                    "UPDATE transactions SET state = 'sent', sent_ms = ?2 WHERE signature = ?1 AND state = 'signed'",
                )?
                .execute(params![signature.to_string(), now])
                .map(drop)
        })
    }

    /// Notes that transactions were never sent and never will be.
    ///
    /// `state` is `Superseded` or `Observed`.
    pub fn mark_unsent(&self, signatures: &[Signature], state: State) -> Result<(), JournalError> {
        debug_assert!(matches!(state, State::Superseded | State::Observed));
        self.write("note transactions that were not sent", |change| {
            let sql = "UPDATE transactions SET state = ?2, decided_ms = ?3 WHERE signature = ?1 AND state = 'signed'";
            let mut statement = change.prepare_cached(sql)?;
            let now = unix_ms().cast_signed();
            signatures.iter().try_for_each(|s| statement.execute(params![s.to_string(), state.as_str(), now]).map(drop))
        })
    }

    /// Notes what became of a transaction. A final state is never changed.
    pub fn decide(&self, signature: &Signature, outcome: &Outcome) -> Result<(), JournalError> {
        let (state, slot, detail) = describe(outcome);
        self.write("note an outcome", |change| {
            let sql = "UPDATE transactions SET state = ?2, decided_ms = ?3, slot = ?4, detail = ?5 \
                       WHERE signature = ?1 AND state IN ('signed', 'sent', 'unknown')";
            let slot = slot.map(u64::cast_signed);
            let row = params![signature.to_string(), state.as_str(), unix_ms().cast_signed(), slot, detail];
            change.prepare_cached(sql)?.execute(row).map(drop)
        })
    }

    /// Returns every transaction that may still land, oldest first.
    ///
    /// # Errors
    /// `Corrupt` if a row is not what was written.
    pub fn undecided(&self) -> Result<Vec<Undecided>, JournalError> {
        let sql = format!(
            "SELECT {} FROM transactions WHERE state NOT IN \
             ('landed', 'failed', 'lost_race', 'expired', 'superseded', 'observed') ORDER BY id",
            row::COLUMNS
        );
        let rows = self.query(&sql)?;
        rows.into_iter().map(|row| row.map_err(|reason| self.corrupt(reason))).collect()
    }

    /// Returns the newest transactions of a class, at most `limit`, whatever became of them.
    ///
    /// # Errors
    /// `Corrupt` if a row is not what was written.
    pub fn newest(&self, class: ActionClass, limit: u32) -> Result<Vec<Undecided>, JournalError> {
        let sql =
            format!("SELECT {} FROM transactions WHERE class = '{class}' ORDER BY id DESC LIMIT {limit}", row::COLUMNS);
        let rows = self.query(&sql)?;
        rows.into_iter().map(|row| row.map_err(|reason| self.corrupt(reason))).collect()
    }

    /// Returns class, fee and time of every transaction that was sent since `since_ms` and may have been paid for, oldest
    /// first. The time is that of the first send; of the signing, where a crash lay between the send and its note.
    ///
    /// # Errors
    /// `Corrupt` if a row is not what was written.
    pub fn spent_since(&self, since_ms: u64) -> Result<Vec<(ActionClass, u64, u64)>, JournalError> {
        let failed = |source| JournalError::from_sqlite(&self.shared.path, "read what was spent", source);
        let sql = "SELECT class, fee_lamports, COALESCE(sent_ms, signed_ms) AS at_ms FROM transactions WHERE at_ms > ?1 \
                   AND (sent_ms IS NOT NULL OR state IN ('landed', 'failed', 'lost_race')) ORDER BY at_ms";
        let connection = self.connection();
        let mut statement = connection.prepare(sql).map_err(failed)?;
        let read =
            |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        let rows = statement.query_map([since_ms.cast_signed()], read).map_err(failed)?;
        let rows: Vec<_> = rows.collect::<Result<_, _>>().map_err(failed)?;
        let known = |(class, fee, at): (String, i64, i64)| -> Result<_, JournalError> {
            let class = ActionClass::from_name(&class)
                .ok_or_else(|| self.corrupt(format!("a row has the unknown class `{class}`")))?;
            Ok((class, fee.cast_unsigned(), at.cast_unsigned()))
        };
        rows.into_iter().map(known).collect()
    }

    /// Returns the newest intents that landed, at most `limit`: they must not be acted on again.
    pub fn landed(&self, limit: u32) -> Result<Vec<crate::intent::IntentId>, JournalError> {
        let sql =
            format!("SELECT {} FROM transactions WHERE state = 'landed' ORDER BY id DESC LIMIT {limit}", row::COLUMNS);
        let rows = self.query(&sql)?;
        rows.into_iter()
            .map(|row| row.map(|undecided| undecided.signed.intent.id()).map_err(|reason| self.corrupt(reason)))
            .collect()
    }

    /// Removes what is decided and old, a bounded part of it at a time. Nothing undecided is ever removed.
    ///
    /// Returns how many rows went away.
    pub fn prune(&self, now_ms: u64) -> Result<usize, JournalError> {
        let before = |keep| now_ms.saturating_sub(keep).cast_signed();
        let kinds = [
            ("'superseded', 'observed'", before(KEEP_UNSENT_MS)),
            ("'landed', 'failed', 'lost_race', 'expired'", before(KEEP_DECIDED_MS)),
        ];
        self.write("prune", |change| {
            let remove = |(states, before): (&str, i64)| {
                let sql = format!(
                    "DELETE FROM transactions WHERE id IN (SELECT id FROM transactions \
                     WHERE state IN ({states}) AND planned_ms < ?1 LIMIT ?2)"
                );
                change.prepare_cached(&sql)?.execute(params![before, PRUNED_ROWS])
            };
            kinds.into_iter().map(remove).sum()
        })
    }

    fn query(&self, sql: &str) -> Result<Vec<Result<Undecided, String>>, JournalError> {
        let failed = |source| JournalError::from_sqlite(&self.shared.path, "read transactions", source);
        let connection = self.connection();
        let mut statement = connection.prepare(sql).map_err(failed)?;
        let rows = statement.query_map([], row::read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    fn write<T>(
        &self,
        what: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        let started = Instant::now();
        let result = self.commit(change).map_err(|source| JournalError::from_sqlite(&self.shared.path, what, source));
        self.shared.metrics.journal_write_seconds.observe(started.elapsed().as_secs_f64());
        if result.is_err() {
            self.shared.metrics.journal_errors.inc();
        }
        self.shared.is_failing.store(result.is_err(), Ordering::Relaxed);
        result
    }

    /// Tells whether the last write failed: nothing but trips can be signed then.
    pub fn is_failing(&self) -> bool {
        self.shared.is_failing.load(Ordering::Relaxed)
    }

    /// Writes what is there already, to find out whether writes pass.
    ///
    /// # Errors
    /// Whatever the disk refuses.
    pub fn probe(&self) -> Result<(), JournalError> {
        self.write("try a write", |change| {
            let layout: i64 = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            change.pragma_update(None, "user_version", layout)
        })
    }

    fn commit<T>(&self, change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let value = change(&transaction)?;
        transaction.commit()?;
        #[cfg(test)]
        self.tell_commit();
        Ok(value)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic rolls its transaction back: the connection stays usable.
        self.shared.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn corrupt(&self, reason: String) -> JournalError {
        JournalError::Corrupt { path: self.shared.path.clone(), reason }
    }
}

fn lock(dir: &Path) -> Result<File, JournalError> {
    let failed = |source| JournalError::Directory { path: dir.to_owned(), source };
    if !dir.is_dir() {
        // Its files tell what the keeper is about to do: for the owner only.
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    }
    let mut options = fs::OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    let mut file = options.open(dir.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            // only for whoever is refused
            file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())).map_err(failed)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { path: dir.to_owned(), pid: holder(&mut file) }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Returns the process that holds the lock, where it could say so.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn insert(change: &Transaction<'_>, signed: &Signed) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO transactions (intent, class, target, fence, reason, signature, bytes, blockhash, \
               last_valid_block_height, fee_lamports, checksum, state, planned_ms, signed_ms) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'signed', ?12, ?13) \
               ON CONFLICT (signature) DO NOTHING";
    let (intent, blockhash) = (&signed.intent, &signed.blockhash);
    let row = params![
        intent.id().to_string(),
        intent.class.as_str(),
        intent.target.to_string(),
        intent.fence.cast_signed(),
        intent.reason,
        signed.signature.to_string(),
        signed.bytes,
        blockhash.hash.to_string(),
        blockhash.last_valid_block_height.cast_signed(),
        signed.fee_lamports.cast_signed(),
        signed.checksum(),
        signed.planned_ms.cast_signed(),
        unix_ms().cast_signed(),
    ];
    change.prepare_cached(sql)?.execute(row).map(|written| written == 1)
}

fn describe(outcome: &Outcome) -> (State, Option<u64>, Option<String>) {
    match outcome {
        Outcome::Landed { slot, .. } => (State::Landed, Some(*slot), None),
        Outcome::Failed { slot, error, lost_race, .. } => {
            let state = if *lost_race { State::LostRace } else { State::Failed };
            (state, Some(*slot), Some(error.to_string()))
        }
        Outcome::Expired => (State::Expired, None, None),
        Outcome::Unknown => (State::Unknown, None, None),
    }
}
