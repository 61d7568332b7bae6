//! Layout of the journal's file and how an older one becomes the newest.

use super::JournalError;
use rusqlite::Connection;
use std::path::Path;

/// One step for each layout; `user_version` counts the steps made. Append only.
const STEPS: [&str; 1] = ["
    CREATE TABLE transactions (
        id INTEGER PRIMARY KEY,
        intent TEXT NOT NULL,
        class TEXT NOT NULL,
        target TEXT NOT NULL,
        fence INTEGER NOT NULL,
        reason TEXT NOT NULL,
        signature TEXT NOT NULL UNIQUE,
        bytes BLOB NOT NULL,
        blockhash TEXT NOT NULL,
        last_valid_block_height INTEGER NOT NULL,
        fee_lamports INTEGER NOT NULL,
        checksum BLOB NOT NULL,
        state TEXT NOT NULL,
        planned_ms INTEGER NOT NULL,
        signed_ms INTEGER NOT NULL,
        sent_ms INTEGER,
        decided_ms INTEGER,
        slot INTEGER,
        detail TEXT
    ) STRICT;
    CREATE INDEX transactions_by_state ON transactions (state, planned_ms);
    CREATE INDEX transactions_by_intent ON transactions (intent);
"];

/// Sets the connection up, proves the file whole, and brings it to the newest layout.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), JournalError> {
    let failed = |what| move |source| JournalError::from_sqlite(path, what, source);
    // FULL: a commit returns after the log is on the disk. The whole promise of the journal rests on it.
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;")
        .map_err(failed("set up"))?;
    connection.busy_timeout(std::time::Duration::from_secs(2)).map_err(failed("set up"))?;
    prove_whole(connection, path)?;
    migrate(connection, path)
}

fn prove_whole(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    // leaves out whether indexes and rows agree, which takes many times as long: nobody is defended meanwhile. Every row
    // that is read is proved by its own checksum
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|source| JournalError::from_sqlite(path, "check", source))?;
    if verdict == "ok" { Ok(()) } else { Err(JournalError::Corrupt { path: path.to_owned(), reason: verdict }) }
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), JournalError> {
    let failed = |source| JournalError::from_sqlite(path, "bring the layout up to date", source);
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    let known = STEPS.len() as i64;
    let Some(missing) = usize::try_from(found).ok().and_then(|made| STEPS.get(made..)) else {
        return Err(JournalError::TooNew { path: path.to_owned(), found, known });
    };
    let change = connection.transaction().map_err(failed)?;
    for step in missing {
        change.execute_batch(step).map_err(failed)?;
    }
    change.pragma_update(None, "user_version", known).map_err(failed)?;
    change.commit().map_err(failed)
}
