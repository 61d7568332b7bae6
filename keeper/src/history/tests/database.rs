//! The history in a real PostgreSQL.

use super::local::Local;
use super::postgres::Postgres;
use super::server::{PASSWORD, Server};
use super::*;
use crate::error::chain;
use crate::history::record::Value;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

fn database(config: &Config) -> Postgres {
    Postgres::new(config.history.url.as_ref().expect("an address"), config.history.password_file.clone())
}

async fn number(client: &tokio_postgres::Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.expect("an answer").get(0)
}

fn file(config: &Config) -> rusqlite::Connection {
    rusqlite::Connection::open(config.keeper.state_dir.join(local::FILE)).expect("the file")
}

fn waiting(config: &Config) -> i64 {
    file(config).query_row("SELECT count(*) FROM spool", [], |row| row.get(0)).expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_while_the_database_is_down_is_delivered_once_and_in_order() {
    let Some(server) = Server::start() else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let running = Running::start(config(dir.path(), "one", &server.settings(dir.path())), 9);
    (1..=5).for_each(|epoch| drop(running.events.emit(trip(4, epoch))));
    running.has(Kind::Events, 5).await;

    server.down();
    (6..=20).for_each(|epoch| drop(running.events.emit(trip(4, epoch))));
    let (first, again) = (intent(1), intent(1));
    running.events.record(|to| to.decision(&first, Some(key(3)), None, 30));
    running.events.emit(fate(EventKind::TransactionExpired, &first, "s1", 31));
    tokio::time::sleep(Duration::from_millis(2)).await;
    running.events.record(|to| to.decision(&again, Some(key(3)), None, 32));
    running.events.record(|to| to.samples(&view(TS), 15));
    running.events.record(|to| to.report(&key(7), &report(1), 33));
    let expected = 15 + 2 + 1 + 1 + 3 + 1;
    until("the spool", async || waiting(&running.config) == expected).await;
    let error = running.page(Kind::Events, all()).await.expect_err("it is down");
    assert!(matches!(error, HistoryError::Database { what: "connect to" | "read from", .. }), "{error}");
    let kept: Vec<(i64, String)> = {
        let file = file(&running.config);
        let mut rows = file.prepare("SELECT seq, record FROM spool ORDER BY seq").expect("a statement");
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        rows.collect::<Result<_, _>>().expect("rows")
    };

    server.up("");
    running.has(Kind::Events, 21).await;
    until("the spool to empty", async || waiting(&running.config) == 0).await;
    let client = server.client().await;
    let rows = client
        .query("SELECT slot FROM history_events WHERE kind = 'breaker_tripped' ORDER BY id", &[])
        .await
        .expect("rows");
    let slots: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(slots, (101..=120).collect::<Vec<i64>>(), "in order");
    let decisions = running.page(Kind::Decisions, all()).await.expect("a page");
    assert_eq!(texts(&decisions, "outcome"), ["null", "expired"], "newest first");
    let settings = running.config.clone();
    let metrics = running.stop().await;
    assert_eq!(Kind::ALL.map(|kind| dropped(&metrics, kind)), [0; 4]);

    // an answer that was lost: the same batch comes once more, and must not touch the newer decision
    let writer = Local::open(dir.path(), 1 << 26).expect("the file").writer().expect("its name");
    let batch: Vec<(i64, Record)> =
        kept.iter().map(|(seq, text)| (*seq, serde_json::from_str(text).expect("a record"))).collect();
    database(&settings).deliver(&writer, "one", &batch).await.expect("a delivery");
    let decisions = page(&settings, Kind::Decisions, all()).await.expect("a page");
    assert_eq!(texts(&decisions, "outcome"), ["null", "expired"]);
    for (table, count) in [("events", 21), ("decisions", 2), ("samples", 3), ("reports", 1)] {
        assert_eq!(number(&client, &format!("SELECT count(*) FROM history_{table}")).await, count, "{table}");
    }
    let at = client.query_one("SELECT extract(epoch FROM at)::BIGINT FROM history_samples LIMIT 1", &[]).await;
    assert_eq!(at.expect("a row").get::<_, i64>(0), TS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_keepers_that_see_the_same_fact_store_it_once() {
    let Some(server) = Server::start() else { return };
    let dirs = [tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory")];
    // both lay the tables out at the same time
    let keepers = [("one", 9), ("two", 10)]
        .into_iter()
        .zip(&dirs)
        .map(|((name, signer), dir)| Running::start(config(dir.path(), name, &server.settings(dir.path())), signer));
    let keepers: Vec<Running> = keepers.collect();
    for (index, keeper) in keepers.iter().enumerate() {
        let mut epochs: Vec<u64> = (1..=300).collect();
        if index == 1 {
            epochs.reverse();
        }
        epochs.into_iter().for_each(|epoch| drop(keeper.events.emit(trip(4, epoch))));
        keeper.events.emit(Fact::new(EventKind::SourceUp, 5, "up"));
        keeper.events.record(|to| to.report(&key(7), &report(1), 33));
        keeper.events.record(|to| to.samples(&view(TS), 15));
        keeper.events.record(|to| to.decision(&intent(1), None, None, 5));
    }
    keepers[1].events.emit(fate(EventKind::TransactionLanded, &intent(1), "s2", 7));
    for keeper in &keepers {
        until("the spool to empty", async || {
            keeper.count(Kind::Events).await.is_some() && waiting(&keeper.config) == 0
        })
        .await;
    }
    let client = server.client().await;
    for (table, count) in [("events WHERE kind = 'breaker_tripped'", 300), ("reports", 1), ("samples", 3)] {
        assert_eq!(number(&client, &format!("SELECT count(*) FROM history_{table}")).await, count, "{table}");
    }
    // what only one of them knows is told by each
    assert_eq!(number(&client, "SELECT count(*) FROM history_events WHERE kind = 'source_up'").await, 2);
    let decisions = keepers[0].page(Kind::Decisions, all()).await.expect("a page");
    let mut fates: Vec<_> = texts(&decisions, "keeper").into_iter().zip(texts(&decisions, "outcome")).collect();
    fates.sort();
    assert_eq!(fates, [("one".into(), "null".into()), ("two".into(), "landed".to_owned())]);
    for keeper in keepers {
        keeper.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_retention_layout_and_refused_records() {
    let Some(server) = Server::start() else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let settings = config(dir.path(), "one", &server.settings(dir.path()));
    let database = database(&settings);
    let who = Who { guard: key(1).to_string(), keeper: "one".into(), signer: key(9).to_string() };
    let at = |n: u64, ts: i64| {
        let fields = trip(4, n).fields;
        who.event(&Event {
            id: n,
            ts,
            slot: n,
            kind: EventKind::BreakerTripped,
            severity: EventKind::BreakerTripped.severity(),
            text: "tripped\0".into(),
            fields,
        })
    };
    // 5,000 old ones and 7 new ones
    let mut batch: Vec<(i64, Record)> = (1..=5_000_i64).map(|n| (n, at(n.unsigned_abs(), TS - 1_000 - n))).collect();
    batch.extend((5_001..=5_007_i64).map(|n| (n, at(n.unsigned_abs(), TS + n))));
    database.deliver("w", "one", &batch).await.expect("a delivery");

    let (mut slots, mut cursor) = (Vec::new(), None);
    for _ in 0..3 {
        let filter = Filter { limit: Some(3), from: Some(TS), cursor, ..Filter::default() };
        let found = page(&settings, Kind::Events, filter).await.expect("a page");
        slots.extend(texts(&found, "slot"));
        cursor = found.next;
    }
    assert_eq!((slots.join(" ").as_str(), cursor), ("5007 5006 5005 5004 5003 5002 5001", None));
    let one = page(&settings, Kind::Events, Filter { limit: Some(1), ..all() }).await.expect("a page");
    assert_eq!(texts(&one, "text"), ["tripped\u{fffd}"]);
    assert_eq!(texts(&one, "at"), ["2027-01-15T09:23:27.000Z"]);

    let samples = prices().into_iter().zip(5_008..).map(|(record, seq)| (seq, record)).collect::<Vec<_>>();
    database.deliver("w", "one", &samples).await.expect("a delivery");
    closes_are_the_last(&settings).await;

    let mut steps = 0;
    while database.prune(Kind::Events, TS * 1_000).await.expect("a step") {
        steps += 1;
        assert!(steps < 10);
    }
    assert_eq!(steps, 3, "in batches of {}", sql::PRUNE_BATCH);
    let client = server.client().await;
    assert_eq!(number(&client, "SELECT count(*) FROM history_events").await, 7);

    // a record that the database will never take doesn't hold the others up
    let local = Local::open(dir.path(), 1 << 26).expect("a file");
    let Record::Row(mut broken) = at(6_000, TS) else { panic!("a row") };
    broken.values[2] = Value::Text(None);
    local.spool(&[at(5_999, TS), Record::Row(broken), at(6_001, TS)]).expect("a write");
    drop(local);
    let running = Running::start(settings, 9);
    running.events.emit(trip(4, 6_002));
    running.has(Kind::Events, 10).await;
    until("the spool to empty", async || waiting(&running.config) == 0).await;
    assert_eq!(dropped(&running.metrics, Kind::Events), 1);
    let settings = running.config.clone();
    running.stop().await;

    client.execute("UPDATE history_layout SET version = 99", &[]).await.expect("a write");
    let error = page(&settings, Kind::Events, all()).await.expect_err("a refusal");
    assert!(matches!(error, HistoryError::TooNew { found: 99, known: 2, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_name_the_database_without_its_password() {
    let dir = tempfile::tempdir().expect("a directory");
    let nobody = config(dir.path(), "one", "url = \"postgres://u:s3cret@127.0.0.1:1/d\"");
    let error = page(&nobody, Kind::Events, all()).await.expect_err("nobody listens there");
    assert!(
        chain(&error).starts_with("failed to connect to history database `postgres://<hidden>@127.0.0.1:1/<hidden>`: ")
    );
    assert!(!format!("{error:?} {}", chain(&error)).contains("s3cret"), "{error:?}");

    let readable = dir.path().join("readable");
    std::fs::write(&readable, "s3cret").expect("a file");
    std::fs::set_permissions(&readable, std::os::unix::fs::PermissionsExt::from_mode(0o604)).expect("its mode");
    let section = format!("url = \"postgres://u@127.0.0.1:1/d\"\npassword_file = {:?}", readable.display().to_string());
    let error = page(&config(dir.path(), "one", &section), Kind::Events, all()).await.expect_err("a refusal");
    assert!(chain(&error).ends_with("of the history database: others have a right to it"), "{error}");

    let Some(server) = Server::start() else { return };
    let wrong = format!("url = \"postgres://rampart:s3cret@127.0.0.1:{}/postgres\"", server.port);
    let error = page(&config(dir.path(), "one", &wrong), Kind::Events, all()).await.expect_err("a refusal");
    let shown = chain(&error);
    assert!(shown.contains("password authentication failed for user \"rampart\""), "{shown}");
    assert!(!format!("{error:?} {shown}").contains("s3cret"), "{error:?}");
    let right = format!("url = \"postgres://rampart:{PASSWORD}@127.0.0.1:{}/postgres\"", server.port);
    let right = config(dir.path(), "one", &right);
    assert_eq!(page(&right, Kind::Events, all()).await.expect("a page"), Page::default());
    let printed = toml::to_string_pretty(&right).expect("TOML");
    assert!(printed.contains("postgres://rampart:***@") && !printed.contains(PASSWORD), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_believed_by_its_certificate_alone() {
    let Some(server) = Server::start() else { return };
    let path = server.up_with_tls();
    let dir = tempfile::tempdir().expect("a directory");
    let address = format!("postgres://rampart:{PASSWORD}@127.0.0.1:{}/postgres", server.port);
    let certificate = CertificateDer::from_pem_file(&path).expect("a certificate");
    let question = Query::new(Kind::Events, &all(), &key(1)).expect("a question");
    for mode in ["", "?sslmode=require"] {
        let settings = config(dir.path(), "one", &format!("url = \"{address}{mode}\""));
        let url = settings.history.url.as_ref().expect("an address");
        let known = Postgres::trusting(url, None, vec![certificate.clone()]);
        assert_eq!(known.page(&question).await.expect("a page"), Page::default());
        // neither in the clear instead, nor with an unknown server
        let error = Postgres::trusting(url, None, vec![]).page(&question).await.expect_err("a refusal");
        assert!(chain(&error).contains("invalid peer certificate: UnknownIssuer"), "{}", chain(&error));
    }
}
