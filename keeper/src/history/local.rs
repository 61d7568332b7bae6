//! The history's own SQLite file, beside the journal's: the history itself, or what waits for the team's database.
//!
//! All calls block for the length of a disk write. A commit survives the end of the process; one that is lost with the
//! power of the machine is only history.

use super::HistoryError;
use super::query::{Found, Page, Query};
use super::record::{Kind, Record, Shape, Value};
use super::sql::{self, Dialect};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OpenFlags, Transaction, params_from_iter};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Name of the file in the state directory.
pub const FILE: &str = "history.db";
const PATIENCE: Duration = Duration::from_secs(2);
/// Share of the largest size, in percent, from which samples are no longer taken in and the oldest rows go.
const CROWDED_PERCENT: i64 = 80;
/// Steps of pruning in one call, so that writing goes on in between.
const PRUNE_STEPS: usize = 20;

/// A record that waits, with its number; the text where it can't be read.
pub type Waiting = (i64, Result<Record, String>);

/// The file.
pub struct Local {
    connection: Mutex<Connection>,
    path: PathBuf,
    largest_bytes: i64,
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Int(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

impl Local {
    /// Opens the file in `dir`, makes it if it is missing, and brings it to the newest layout.
    ///
    /// # Errors
    /// `File`, `TooNew`.
    pub fn open(dir: &Path, largest_bytes: i64) -> Result<Self, HistoryError> {
        let path = dir.join(FILE);
        let prepared = Connection::open(&path).and_then(|mut connection| {
            connection.busy_timeout(PATIENCE)?;
            connection.execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF; \
                 PRAGMA journal_size_limit = 16777216;",
            )?;
            let page: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
            connection.query_row(
                &format!("PRAGMA max_page_count = {}", largest_bytes / page.max(1)),
                [],
                |_| Ok(()),
            )?;
            let found = migrate(&mut connection)?;
            Ok((connection, found))
        });
        let (connection, found) = prepared.map_err(failed(&path, "set up the layout"))?;
        if let Some((found, known)) = found {
            return Err(HistoryError::TooNew { place: path.display().to_string(), found, known });
        }
        Ok(Self { connection: Mutex::new(connection), path, largest_bytes })
    }

    /// Answers a question from the file in `dir`, beside a keeper that may be writing it.
    ///
    /// # Errors
    /// `Missing`, `File`.
    pub fn page(dir: &Path, query: &Query) -> Result<Page, HistoryError> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Err(HistoryError::Missing { path });
        }
        let read = || {
            let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.busy_timeout(PATIENCE)?;
            let (sql, parameters) = query.sql(Dialect::Sqlite);
            let mut statement = connection.prepare(&sql)?;
            let rows = statement.query_map(params_from_iter(parameters), |row| found(query.kind, row))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map(|found| query.page(found)).map_err(failed(&path, "read a page"))
    }

    /// Stores records, all or none.
    pub fn store(&self, records: &[Record]) -> Result<(), HistoryError> {
        self.write("store records", |change| records.iter().try_for_each(|record| store(change, record)))
    }

    /// Keeps records for the team's database, all or none.
    pub fn spool(&self, records: &[Record]) -> Result<(), HistoryError> {
        self.write("keep records for the database", |change| {
            let mut insert = change.prepare_cached("INSERT INTO spool (is_sample, record) VALUES (?1, ?2)")?;
            records.iter().try_for_each(|record| {
                // CANNOT fail: numbers and text.
                let text = serde_json::to_string(record).unwrap_or_default();
                insert.execute((record.kind() == Kind::Samples, text)).map(drop)
            })
        })
    }

    /// Returns the oldest records that wait.
    pub fn waiting(&self, limit: usize) -> Result<Vec<Waiting>, HistoryError> {
        let connection = self.connection();
        let read = || {
            let mut statement = connection.prepare_cached("SELECT seq, record FROM spool ORDER BY seq LIMIT ?1")?;
            let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                let text: String = row.get(1)?;
                Ok((row.get(0)?, serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(failed(&self.path, "read what waits"))
    }

    /// Lets go of what was delivered: everything up to number `seq`.
    pub fn delivered(&self, seq: i64) -> Result<(), HistoryError> {
        self.write("let go of delivered records", |change| {
            change.execute("DELETE FROM spool WHERE seq <= ?1", [seq]).map(drop)
        })
    }

    /// Returns how many records wait.
    pub fn count_waiting(&self) -> Result<i64, HistoryError> {
        self.ask("SELECT count(*) FROM spool")
    }

    /// Returns the random name under which this file delivers.
    pub fn writer(&self) -> Result<String, HistoryError> {
        self.ask("SELECT name FROM writer")
    }

    /// Stores what waits for a database that is no longer set, a batch at a time. Returns whether some is left.
    pub fn store_waiting(&self, limit: usize) -> Result<bool, HistoryError> {
        let waiting = self.waiting(limit)?;
        let Some((last, _)) = waiting.last() else { return Ok(false) };
        self.write("store what waited", |change| {
            waiting.iter().filter_map(|(_, record)| record.as_ref().ok()).try_for_each(|r| store(change, r))?;
            change.execute("DELETE FROM spool WHERE seq <= ?1", [last]).map(drop)
        })?;
        Ok(true)
    }

    /// Removes rows older than `before_ms` of their kind, unix milliseconds, in small steps. Returns whether it is done.
    pub fn prune(&self, before_ms: impl Fn(Kind) -> i64) -> Result<bool, HistoryError> {
        let mut steps = 0;
        for kind in Kind::ALL {
            let statement = sql::prune(kind);
            while self.change("prune", &statement, before_ms(kind))? > 0 {
                steps += 1;
                if steps == PRUNE_STEPS {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Removes the oldest rows while the file is crowded, samples first, in small steps. Returns how many samples that
    /// waited for the database were among them.
    pub fn make_room(&self) -> Result<u64, HistoryError> {
        let mut dropped = 0;
        for _ in 0..PRUNE_STEPS {
            if !self.is_crowded()? {
                break;
            }
            let batch = sql::PRUNE_BATCH;
            let waiting =
                "DELETE FROM spool WHERE seq IN (SELECT seq FROM spool WHERE is_sample = 1 ORDER BY seq LIMIT ?1)";
            let samples = self.change("make room", waiting, batch)?;
            dropped += samples as u64;
            let mut removed = samples + self.change("make room", &oldest(Kind::Samples), batch)?;
            for kind in Kind::ALL {
                if removed == 0 {
                    removed = self.change("make room", &oldest(kind), batch)?;
                }
            }
            if removed == 0 {
                break;
            }
        }
        Ok(dropped)
    }

    /// Tells whether so little room is left that samples must not take it.
    pub fn is_crowded(&self) -> Result<bool, HistoryError> {
        let pages: i64 =
            self.ask("SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count")?;
        let size: i64 = self.ask("PRAGMA page_size")?;
        Ok(pages.saturating_mul(size) > self.largest_bytes / 100 * CROWDED_PERCENT)
    }

    fn ask<T: rusqlite::types::FromSql>(&self, sql: &str) -> Result<T, HistoryError> {
        self.connection().query_row(sql, [], |row| row.get(0)).map_err(failed(&self.path, "read"))
    }

    fn change(&self, what: &'static str, sql: &str, parameter: i64) -> Result<usize, HistoryError> {
        self.write(what, |change| change.prepare_cached(sql)?.execute([parameter]))
    }

    fn write<T>(
        &self,
        what: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, HistoryError> {
        let mut connection = self.connection();
        let commit = || {
            let transaction = connection.transaction()?;
            let value = change(&transaction)?;
            transaction.commit().map(|()| value)
        };
        commit().map_err(failed(&self.path, what))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic rolls its transaction back: the connection stays usable.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(path: &Path, what: &'static str) -> impl FnOnce(rusqlite::Error) -> HistoryError {
    let path = path.to_owned();
    move |source| HistoryError::File { path, what, source }
}

/// Brings the layout up to date; returns found and known where it is too new.
fn migrate(connection: &mut Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    let steps = Dialect::Sqlite.steps();
    let change = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i64 = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = steps.len() as i64;
    let Some(missing) = usize::try_from(found).ok().and_then(|made| steps.get(made..)) else {
        return Ok(Some((found, known)));
    };
    missing.iter().try_for_each(|step| change.execute_batch(step))?;
    change.pragma_update(None, "user_version", known)?;
    change.commit()?;
    Ok(None)
}

fn store(change: &Transaction<'_>, record: &Record) -> rusqlite::Result<()> {
    let (sql, parameters) = sql::store(record);
    change.prepare_cached(&sql)?.execute(params_from_iter(parameters)).map(drop)
}

fn found(kind: Kind, row: &rusqlite::Row<'_>) -> rusqlite::Result<Found> {
    let value = |(index, (_, shape)): (usize, &(&str, Shape))| match shape {
        Shape::Int => row.get(index + 4).map(Value::Int),
        Shape::Text | Shape::Json => row.get(index + 4).map(Value::Text),
    };
    Ok(Found {
        id: row.get(0)?,
        at_ms: row.get(1)?,
        at: row.get(2)?,
        slot: row.get(3)?,
        values: kind.columns().iter().enumerate().map(value).collect::<Result<_, _>>()?,
    })
}

fn oldest(kind: Kind) -> String {
    let table = kind.table();
    format!("DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT ?1)")
}
