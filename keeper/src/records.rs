//! What the journal holds, read while a keeper may be writing it. Never writes.

use crate::intent::{ActionClass, Intent};
use crate::journal::{FILE, JournalError};
use rusqlite::{Connection, OpenFlags, Row};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TxRecord {
    /// Identity of its intent.
    pub intent: String,
    /// Class of action.
    pub class: String,
    /// The account acted on.
    pub target: String,
    /// The value on chain that the action moves.
    pub fence: u64,
    /// Why.
    pub reason: String,
    /// Its name on chain.
    pub signature: String,
    /// How far it has come.
    pub state: String,
    /// The most it can cost.
    pub fee_lamports: u64,
    /// Blockhash in it.
    pub blockhash: String,
    /// Block height at which it dies.
    pub last_valid_block_height: u64,
    /// When it was planned, unix milliseconds.
    pub planned_ms: u64,
    /// When it was signed.
    pub signed_ms: u64,
    /// When it was first sent.
    pub sent_ms: Option<u64>,
    /// When its fate was known.
    pub decided_ms: Option<u64>,
    /// Slot of its block.
    pub slot: Option<u64>,
    /// What the chain said.
    pub detail: Option<String>,
}

/// One intent with its transactions, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IntentRecord {
    /// Its identity.
    pub intent: String,
    /// Its transactions.
    pub transactions: Vec<TxRecord>,
}

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this class.
    pub class: Option<String>,
    /// Only this state.
    pub state: Option<String>,
    /// Only intents whose identity starts so.
    pub intent: Option<String>,
    /// Only signatures that start so.
    pub signature: Option<String>,
    /// Only this account.
    pub target: Option<String>,
    /// How many at most.
    pub limit: u32,
    /// Also what was prepared and never sent.
    pub with_unsent: bool,
}

/// The journal of a state directory, for reading.
pub struct Records {
    connection: Connection,
    path: PathBuf,
}

impl Records {
    /// Opens the journal of a directory.
    ///
    /// # Errors
    /// `Storage` if there is none or it can't be read.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let path = dir.join(FILE);
        let failed = |source| JournalError::Storage { path: path.clone(), what: "read", source };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
        connection.busy_timeout(Duration::from_secs(2)).map_err(failed)?;
        Ok(Self { connection, path })
    }

    /// Returns transactions, newest first.
    ///
    /// # Errors
    /// `Storage`.
    pub fn transactions(&self, filter: &Filter) -> Result<Vec<TxRecord>, JournalError> {
        let failed = |source| JournalError::Storage { path: self.path.clone(), what: "read transactions", source };
        let sql = "SELECT intent, class, target, fence, reason, signature, state, fee_lamports, blockhash, \
                   last_valid_block_height, planned_ms, signed_ms, sent_ms, decided_ms, slot, detail \
                   FROM transactions WHERE (?1 IS NULL OR class = ?1) AND (?2 IS NULL OR state = ?2) \
                   AND (?3 IS NULL OR substr(intent, 1, length(?3)) = ?3) \
                   AND (?4 IS NULL OR substr(signature, 1, length(?4)) = ?4) AND (?5 IS NULL OR target = ?5) \
                   AND (?6 OR state NOT IN ('signed', 'superseded', 'observed')) ORDER BY id DESC LIMIT ?7";
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let given = rusqlite::params![
            filter.class,
            filter.state,
            filter.intent,
            filter.signature,
            filter.target,
            filter.with_unsent || filter.state.is_some(),
            if filter.limit == 0 { i64::MAX } else { filter.limit.into() },
        ];
        let rows = statement.query_map(given, read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// Returns intents with their transactions, the intent with the newest transaction first.
    ///
    /// # Errors
    /// `Storage`.
    pub fn intents(&self, filter: &Filter) -> Result<Vec<IntentRecord>, JournalError> {
        let mut intents: Vec<IntentRecord> = Vec::new();
        for tx in self.transactions(&Filter { limit: 0, ..filter.clone() })? {
            match intents.iter_mut().find(|known| known.intent == tx.intent) {
                Some(known) => known.transactions.push(tx),
                None => intents.push(IntentRecord { intent: tx.intent.clone(), transactions: vec![tx] }),
            }
        }
        if filter.limit > 0 {
            intents.truncate(filter.limit as usize);
        }
        Ok(intents)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<TxRecord> {
    let number = |at: usize| row.get::<_, i64>(at).map(i64::cast_unsigned);
    let maybe = |at: usize| row.get::<_, Option<i64>>(at).map(|value| value.map(i64::cast_unsigned));
    Ok(TxRecord {
        intent: row.get(0)?,
        class: row.get(1)?,
        target: row.get(2)?,
        fence: number(3)?,
        reason: row.get(4)?,
        signature: row.get(5)?,
        state: row.get(6)?,
        fee_lamports: number(7)?,
        blockhash: row.get(8)?,
        last_valid_block_height: number(9)?,
        planned_ms: number(10)?,
        signed_ms: number(11)?,
        sent_ms: maybe(12)?,
        decided_ms: maybe(13)?,
        slot: maybe(14)?,
        detail: row.get(15)?,
    })
}

impl TxRecord {
    /// Returns the intent; nothing for a class or account that this version can't read.
    pub fn intent(&self) -> Option<Intent> {
        let (class, target) = (ActionClass::from_name(&self.class)?, self.target.parse().ok()?);
        Some(Intent { class, target, fence: self.fence, reason: self.reason.clone() })
    }
}
