//! Layout and statements, the same for SQLite and PostgreSQL but for a few words.
//!
//! Parameters are `$1`, `$2`, .. in both; SQLite numbers them by their first appearance, so they MUST appear in order.

use super::record::{Kind, Record, Row, Shape, Value};

/// Notes the fate of the newest open decision on an intent. A final fate is never changed.
pub const OUTCOME: &str = "UPDATE history_decisions SET outcome = $1, outcome_at_ms = $2, outcome_slot = $3, \
    signature = $4, error = $5 WHERE id = (SELECT max(id) FROM history_decisions \
    WHERE keeper = $6 AND signer = $7 AND intent = $8 AND (outcome IS NULL OR outcome = 'unknown'))";

/// Rows that one step of pruning removes.
pub const PRUNE_BATCH: i64 = 2_000;

/// The words that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The local file.
    Sqlite,
    /// The team's database.
    Postgres,
}

/// One step for each layout, in both dialects. Append only.
const STEPS: [&str; 2] = [
    "
    CREATE TABLE history_events ({head}, guard TEXT NOT NULL, keeper TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT,
        scope TEXT, text TEXT NOT NULL, fields TEXT NOT NULL){tail};
    CREATE INDEX history_events_by_time ON history_events (guard, at_ms, id);
    CREATE INDEX history_events_by_scope ON history_events (scope, at_ms, id);
    CREATE INDEX history_events_by_subject ON history_events (subject, at_ms, id);
    CREATE TABLE history_decisions ({head}, guard TEXT NOT NULL, keeper TEXT NOT NULL, signer TEXT NOT NULL,
        class TEXT NOT NULL, subject TEXT NOT NULL, scope TEXT, intent TEXT NOT NULL, fence TEXT NOT NULL,
        reason TEXT NOT NULL, outcome TEXT, outcome_at_ms {int}, outcome_slot {int}, signature TEXT, error TEXT){tail};
    CREATE INDEX history_decisions_by_time ON history_decisions (guard, at_ms, id);
    CREATE INDEX history_decisions_by_scope ON history_decisions (scope, at_ms, id);
    CREATE INDEX history_decisions_by_intent ON history_decisions (intent);
    CREATE TABLE history_reports ({head}, guard TEXT NOT NULL, keeper TEXT NOT NULL, reporter TEXT NOT NULL,
        subject TEXT NOT NULL, seq TEXT NOT NULL, set_epoch TEXT NOT NULL, observed_at_ts {int} NOT NULL,
        score_bps {int} NOT NULL, volatility_bps {int} NOT NULL, liquidity_bps {int} NOT NULL,
        correlation_bps {int} NOT NULL, anomaly_bps {int} NOT NULL, system_health_bps {int} NOT NULL){tail};
    CREATE INDEX history_reports_by_time ON history_reports (guard, at_ms, id);
    CREATE INDEX history_reports_by_subject ON history_reports (subject, at_ms, id);
    CREATE TABLE history_samples ({head}, guard TEXT NOT NULL, keeper TEXT NOT NULL, kind TEXT NOT NULL,
        subject TEXT NOT NULL, price TEXT, reference TEXT, lo TEXT, hi TEXT, level {int} NOT NULL,
        utilisation_bps {int}, cash_amount TEXT, debt_amount TEXT){tail};
    CREATE INDEX history_samples_by_time ON history_samples (guard, at_ms, id);
    CREATE INDEX history_samples_by_subject ON history_samples (subject, at_ms, id);
    {own}
",
    "ALTER TABLE history_samples ADD COLUMN value TEXT;",
];

/// What only one side has: the file keeps what waits for the database, the database how far each file was taken.
const OWN: [(&str, &str); 2] = [(
    "CREATE TABLE spool (seq INTEGER PRIMARY KEY AUTOINCREMENT, is_sample INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
     CREATE INDEX spool_by_worth ON spool (is_sample, seq);
     CREATE TABLE writer (name TEXT NOT NULL) STRICT;
     INSERT INTO writer VALUES (lower(hex(randomblob(16))));",
    "CREATE TABLE history_writers (writer TEXT PRIMARY KEY, keeper TEXT NOT NULL, last_seq BIGINT NOT NULL);",
), ("", "")];

impl Dialect {
    /// Returns the steps from the first layout to the newest.
    pub fn steps(self) -> Vec<String> {
        let (int, tail) = match self {
            Self::Sqlite => ("INTEGER", " STRICT"),
            Self::Postgres => ("BIGINT", ""),
        };
        let step = |(step, own): (&&str, &(&str, &str))| {
            let own = if self == Self::Sqlite { own.0 } else { own.1 };
            step.replace("{head}", &self.head()).replace("{int}", int).replace("{tail}", tail).replace("{own}", own)
        };
        STEPS.iter().zip(&OWN).map(step).collect()
    }

    /// The columns that every table begins with; `at` is for people who read with other tools.
    fn head(self) -> String {
        let (id, int, at) = match self {
            Self::Sqlite => (
                "INTEGER PRIMARY KEY",
                "INTEGER",
                "TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch')) VIRTUAL",
            ),
            Self::Postgres => (
                "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                "BIGINT",
                "TIMESTAMPTZ GENERATED ALWAYS AS (to_timestamp(at_ms / 1000.0)) STORED",
            ),
        };
        format!("id {id}, unique_key TEXT NOT NULL UNIQUE, at_ms {int} NOT NULL, at {at}, slot {int} NOT NULL")
    }

    /// Returns `at` as text: RFC 3339 in UTC, to the millisecond.
    pub const fn at(self) -> &'static str {
        match self {
            Self::Sqlite => "at",
            Self::Postgres => "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
        }
    }
}

/// Returns the statement that stores a record, and its parameters.
pub fn store(record: &Record) -> (String, Vec<Value>) {
    match record {
        Record::Row(row) => (insert(row.kind), parameters(row)),
        Record::Outcome(outcome) => (OUTCOME.to_owned(), outcome.values.clone()),
    }
}

fn insert(kind: Kind) -> String {
    let columns = kind.columns();
    let names: String = columns.iter().map(|(name, _)| format!(", {name}")).collect();
    let places: String = (4..4 + columns.len()).map(|n| format!(", ${n}")).collect();
    format!(
        "INSERT INTO {} (unique_key, at_ms, slot{names}) VALUES ($1, $2, $3{places}) ON CONFLICT (unique_key) DO NOTHING",
        kind.table()
    )
}

fn parameters(row: &Row) -> Vec<Value> {
    let head = [Value::Text(Some(row.key.clone())), Value::Int(Some(row.at_ms)), Value::Int(Some(row.slot))];
    let own = row.kind.columns().iter().enumerate().map(|(index, (_, shape))| {
        // a row of an older keeper is shorter
        row.values.get(index).cloned().unwrap_or(match shape {
            Shape::Int => Value::Int(None),
            Shape::Text | Shape::Json => Value::Text(None),
        })
    });
    head.into_iter().chain(own).collect()
}

/// Returns the statement that removes one batch of what is older than `$1`, unix milliseconds.
pub fn prune(kind: Kind) -> String {
    let table = kind.table();
    format!("DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE at_ms < $1 ORDER BY id LIMIT {PRUNE_BATCH})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insert_names_every_column_once_and_its_parameters_in_order() {
        assert_eq!(
            insert(Kind::Events),
            "INSERT INTO history_events (unique_key, at_ms, slot, guard, keeper, kind, subject, scope, text, fields) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (unique_key) DO NOTHING"
        );
    }

    #[test]
    fn every_column_is_in_the_layout_of_both() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let layout = dialect.steps().concat();
            assert!(!layout.contains('{'), "{layout}");
            for kind in Kind::ALL {
                let table = layout.split(&format!("CREATE TABLE {} (", kind.table())).nth(1).expect("its table");
                let table = table.split(';').next().expect("its end");
                for (column, _) in kind.columns() {
                    let later = format!("ALTER TABLE {} ADD COLUMN {column} ", kind.table());
                    let is_there = table.contains(&format!(" {column} ")) || layout.contains(&later);
                    assert!(is_there, "{column} of {table}");
                }
            }
        }
    }
}
