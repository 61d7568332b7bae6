//! The team's database.
//!
//! Connects when it is needed and again after any failure. Every call ends within a fixed time.

use super::HistoryError;
use super::query::{Found, Page, Query};
use super::record::{Kind, Record, Shape, Value};
use super::sql::{self, Dialect};
use super::url::HistoryUrl;
use rustls::pki_types::CertificateDer;
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Row, Statement, Transaction};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The longest that any one call may take.
const PATIENCE: Duration = Duration::from_secs(20);
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// What the session starts with: nothing of ours may hold the server for long.
const SESSION: &str = "SET statement_timeout = '15s'; SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '30s'; SET application_name = 'rampart'";
/// Keepers that start together lay the tables out one after the other. The number is an arbitrary constant of ours.
const LAYOUT_LOCK: &str = "SELECT pg_advisory_xact_lock(7206128117461983601)";

/// One connection to the database.
pub struct Postgres {
    config: Config,
    password_file: Option<PathBuf>,
    tls: MakeRustlsConnect,
    url: String,
    client: Mutex<Option<Client>>,
}

impl Value {
    fn as_sql(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Int(number) => number,
            Self::Text(text) => text,
        }
    }
}

impl Postgres {
    /// Prepares a connection; nothing is sent yet. `password_file` is read at each connect.
    ///
    /// Certificates are checked against the system's; `SSL_CERT_FILE` names others.
    pub fn new(url: &HistoryUrl, password_file: Option<PathBuf>) -> Self {
        Self::trusting(url, password_file, rustls_native_certs::load_native_certs().certs)
    }

    /// Likewise, with the certificates that the server's is checked against.
    pub(super) fn trusting(
        url: &HistoryUrl,
        password_file: Option<PathBuf>,
        certificates: Vec<CertificateDer<'static>>,
    ) -> Self {
        let mut config = url.parsed();
        config.connect_timeout(CONNECT_PATIENCE).keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(PATIENCE);
        Self { config, password_file, tls: tls(certificates), url: url.to_string(), client: Mutex::default() }
    }

    /// Stores records, all or none, in order. What this writer has delivered before is passed over.
    ///
    /// # Errors
    /// `Database`, `Timeout`, `Password`, `TooNew`.
    pub async fn deliver(&self, writer: &str, keeper: &str, batch: &[(i64, Record)]) -> Result<(), HistoryError> {
        let mut guard = self.client().await?;
        let Some(client) = guard.as_mut() else { return Err(HistoryError::Broken) };
        let result = self.bounded("write to", deliver(client, writer, keeper, batch)).await;
        if result.as_ref().is_err_and(|error| !error.is_about_the_record()) {
            *guard = None;
        }
        result
    }

    /// Answers a question.
    ///
    /// # Errors
    /// As [`Self::deliver`].
    pub async fn page(&self, query: &Query) -> Result<Page, HistoryError> {
        let (sql, parameters) = query.sql(Dialect::Postgres);
        let rows = self.run("read from", &sql, &parameters).await?;
        let found = rows.iter().map(|row| found(query.kind, row)).collect::<Result<Vec<_>, _>>();
        Ok(query.page(found.map_err(|source| self.failed("read from", source))?))
    }

    /// Removes one batch of a kind's rows older than `before_ms`, unix milliseconds. Returns whether some may be left.
    ///
    /// # Errors
    /// As [`Self::deliver`].
    pub async fn prune(&self, kind: Kind, before_ms: i64) -> Result<bool, HistoryError> {
        // the id alone comes back: a batch is small
        let sql = format!("{} RETURNING id", sql::prune(kind));
        let removed = self.run("prune", &sql, &[Value::Int(Some(before_ms))]).await?;
        Ok(!removed.is_empty())
    }

    async fn run(&self, what: &'static str, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, HistoryError> {
        let mut guard = self.client().await?;
        let Some(client) = guard.as_ref() else { return Err(HistoryError::Broken) };
        let parameters: Vec<_> = parameters.iter().map(Value::as_sql).collect();
        let result = self.bounded(what, client.query(sql, &parameters)).await;
        if result.is_err() {
            *guard = None;
        }
        result
    }

    /// Takes the connection; there is one in it.
    async fn client(&self) -> Result<MutexGuard<'_, Option<Client>>, HistoryError> {
        let mut guard = self.client.lock().await;
        if guard.as_ref().is_none_or(Client::is_closed) {
            *guard = None;
            *guard = Some(self.connect().await?);
        }
        Ok(guard)
    }

    async fn connect(&self) -> Result<Client, HistoryError> {
        let mut config = self.config.clone();
        if let Some(password) = self.password()? {
            config.password(password);
        }
        let (mut client, connection) = self.bounded("connect to", config.connect(self.tls.clone())).await?;
        // ends with its client
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %crate::error::chain(&error), "the connection to the history database ended");
            }
        });
        self.bounded("set up a session of", client.batch_execute(SESSION)).await?;
        match self.bounded("lay out the tables of", migrate(&mut client)).await? {
            None => Ok(client),
            Some((found, known)) => Err(HistoryError::TooNew { place: self.url.clone(), found, known }),
        }
    }

    fn password(&self) -> Result<Option<String>, HistoryError> {
        let Some(path) = &self.password_file else { return Ok(None) };
        let failed = |reason: String| HistoryError::Password { path: path.clone(), reason };
        let mode = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.permissions().mode();
        if mode & 0o007 != 0 {
            return Err(failed("others have a right to it".into()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    async fn bounded<T>(
        &self,
        what: &'static str,
        call: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, HistoryError> {
        match tokio::time::timeout(PATIENCE, call).await {
            Ok(result) => result.map_err(|source| self.failed(what, source)),
            Err(_) => Err(HistoryError::Timeout { url: self.url.clone() }),
        }
    }

    fn failed(&self, what: &'static str, source: tokio_postgres::Error) -> HistoryError {
        HistoryError::Database { url: self.url.clone(), what, source }
    }
}

async fn deliver(
    client: &mut Client,
    writer: &str,
    keeper: &str,
    batch: &[(i64, Record)],
) -> Result<(), tokio_postgres::Error> {
    let change = client.transaction().await?;
    // The row is locked until the commit: how far this writer came and what it wrote change together.
    let mark = "INSERT INTO history_writers (writer, keeper, last_seq) VALUES ($1, $2, 0) \
                ON CONFLICT (writer) DO UPDATE SET keeper = $2 RETURNING last_seq";
    let last: i64 = change.query_one(mark, &[&writer, &keeper]).await?.get(0);
    let mut statements: HashMap<String, Statement> = HashMap::new();
    for (_, record) in batch.iter().filter(|(seq, _)| *seq > last) {
        store(&change, &mut statements, record).await?;
    }
    let newest = batch.iter().map(|(seq, _)| *seq).max().unwrap_or(last).max(last);
    change.execute("UPDATE history_writers SET last_seq = $1 WHERE writer = $2", &[&newest, &writer]).await?;
    change.commit().await
}

async fn store(
    change: &Transaction<'_>,
    statements: &mut HashMap<String, Statement>,
    record: &Record,
) -> Result<(), tokio_postgres::Error> {
    let (sql, parameters) = sql::store(record);
    let statement = match statements.get(&sql) {
        Some(statement) => statement.clone(),
        None => statements.entry(sql.clone()).or_insert(change.prepare(&sql).await?).clone(),
    };
    let parameters: Vec<_> = parameters.iter().map(Value::as_sql).collect();
    change.execute(&statement, &parameters).await.map(drop)
}

/// Brings the layout up to date; returns found and known where it is too new. A reader without rights to change tables
/// may come after a writer: where nothing is missing, nothing is changed.
async fn migrate(client: &mut Client) -> Result<Option<(i64, i64)>, tokio_postgres::Error> {
    let steps = Dialect::Postgres.steps();
    let known = steps.len() as i64;
    let found = layout(client).await?;
    if found >= known {
        return Ok((found > known).then_some((found, known)));
    }
    let change = client.transaction().await?;
    change.execute(LAYOUT_LOCK, &[]).await?;
    change.batch_execute("CREATE TABLE IF NOT EXISTS history_layout (version BIGINT NOT NULL)").await?;
    let found: i64 = change.query_one("SELECT coalesce(max(version), 0) FROM history_layout", &[]).await?.get(0);
    let missing = usize::try_from(found).ok().and_then(|made| steps.get(made..)).unwrap_or_default();
    for step in missing {
        change.batch_execute(step).await?;
    }
    change.execute("DELETE FROM history_layout", &[]).await?;
    change.execute("INSERT INTO history_layout VALUES ($1)", &[&found.max(known)]).await?;
    change.commit().await?;
    Ok((found > known).then_some((found, known)))
}

async fn layout(client: &Client) -> Result<i64, tokio_postgres::Error> {
    let is_there: bool = client.query_one("SELECT to_regclass('history_layout') IS NOT NULL", &[]).await?.get(0);
    if !is_there {
        return Ok(0);
    }
    Ok(client.query_one("SELECT coalesce(max(version), 0) FROM history_layout", &[]).await?.get(0))
}

fn found(kind: Kind, row: &Row) -> Result<Found, tokio_postgres::Error> {
    let value = |(index, (_, shape)): (usize, &(&str, Shape))| match shape {
        Shape::Int => row.try_get(index + 4).map(Value::Int),
        Shape::Text | Shape::Json => row.try_get(index + 4).map(Value::Text),
    };
    Ok(Found {
        id: row.try_get(0)?,
        at_ms: row.try_get(1)?,
        at: row.try_get(2)?,
        slot: row.try_get(3)?,
        values: kind.columns().iter().enumerate().map(value).collect::<Result<_, _>>()?,
    })
}

fn tls(certificates: Vec<CertificateDer<'static>>) -> MakeRustlsConnect {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    // CANNOT fail: the provider has suites for both versions, as a test shows.
    let config = versions.expect("the provider knows TLS 1.2 and 1.3");
    MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth())
}
