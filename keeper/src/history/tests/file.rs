//! The history in its own file.

use super::local::Local;
use super::*;
use crate::history::record::Value;
use crate::journal::Journal;
use crate::view::View;

const MIB: i64 = 1 << 20;

fn who() -> Who {
    Who { guard: key(1).to_string(), keeper: "one".into(), signer: key(9).to_string() }
}

/// An event of the moment `ts`.
fn event(id: u64, ts: i64) -> Record {
    let fields = trip(4, id).fields;
    who().event(&Event {
        id,
        ts,
        slot: id,
        kind: EventKind::BreakerTripped,
        severity: EventKind::BreakerTripped.severity(),
        text: "tripped".into(),
        fields,
    })
}

fn sample(ts: i64) -> Record {
    who().vault(&view(ts).vaults[0], ts, ts, 1)
}

fn count(dir: &Path, kind: Kind) -> usize {
    Local::page(dir, &Query::new(kind, &all(), &key(1)).expect("a question")).expect("a page").items.len()
}

#[tokio::test]
async fn facts_are_kept_once_and_read_in_pages() {
    let dir = tempfile::tempdir().expect("a directory");
    let running = Running::start(config(dir.path(), "one", ""), 9);
    for epoch in [1, 2, 2, 3, 4, 1, 5] {
        running.events.emit(trip(4, epoch));
    }
    running.events.record(|to| (1..4).for_each(|_| to.report(&key(7), &report(6), 50)));
    running.events.record(|to| (0..3).for_each(|n| to.samples(&view(TS + n), 15)));
    let settings = running.config.clone();
    let metrics = running.stop().await;
    assert_eq!(Kind::ALL.map(|kind| dropped(&metrics, kind)), [0; 4]);

    let (mut slots, mut cursor, mut pages) = (Vec::new(), None, 0);
    loop {
        let filter = Filter { limit: Some(2), cursor, ..Filter::default() };
        let found = page(&settings, Kind::Events, filter).await.expect("a page");
        slots.extend(texts(&found, "slot"));
        (cursor, pages) = (found.next, pages + 1);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((slots.join(" ").as_str(), pages), ("105 104 103 102 101", 3));

    let reports = page(&settings, Kind::Reports, all()).await.expect("a page");
    assert_eq!((texts(&reports, "seq"), texts(&reports, "score_bps")), (vec!["6".into()], vec!["4200".into()]));
    assert_eq!(texts(&reports, "at"), ["2027-01-15T08:00:00.000Z"]);
    let samples = page(&settings, Kind::Samples, all()).await.expect("a page");
    assert_eq!(texts(&samples, "kind"), ["rule", "vault", "asset"], "one of each in a period");
    assert_eq!((&samples.items[0]["value"], &samples.items[0]["level"]), (&"731".into(), &2.into()));
    assert_eq!(samples.items[1]["debt_amount"], "18446744073709551615");
    assert_eq!(samples.items[2]["price"], "150.250000000000000001");
}

#[tokio::test]
async fn closes_are_the_last_price_of_each_asset_in_each_period() {
    let dir = tempfile::tempdir().expect("a directory");
    let local = Local::open(dir.path(), 64 * MIB).expect("a file");
    local.store(&prices()).expect("a write");
    drop(local);
    closes_are_the_last(&config(dir.path(), "one", "")).await;
}

#[tokio::test]
async fn filters_choose_rows() {
    let dir = tempfile::tempdir().expect("a directory");
    let local = Local::open(dir.path(), 64 * MIB).expect("a file");
    local.store(&[event(1, TS), event(2, TS + 60), event(3, TS + 120)]).expect("a write");
    let settings = config(dir.path(), "one", "");
    let cases = [
        (Filter { from: Some(TS + 60), ..all() }, "3 2"),
        (Filter { to: Some(TS + 60), ..all() }, "1"),
        (Filter { vault: Some(key(3).to_string()), ..all() }, "3 2 1"),
        (Filter { vault: Some(key(4).to_string()), limit: Some(1), ..all() }, "3"),
        (Filter { vault: Some(key(5).to_string()), ..all() }, ""),
        (Filter { subject: Some(key(3).to_string()), ..all() }, ""),
        (Filter { guard: Some(key(2).to_string()), ..all() }, ""),
        (Filter { name: Some("breaker_tripped".into()), from: Some(TS + 100), ..all() }, "3"),
        (Filter { name: Some("source_up".into()), ..all() }, ""),
    ];
    for (filter, expected) in cases {
        let found = page(&settings, Kind::Events, filter.clone()).await.expect("a page");
        assert_eq!(texts(&found, "slot").join(" "), expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_decision_gets_its_fate_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let running = Running::start(config(dir.path(), "one", ""), 9);
    let (first, second) = (intent(1), intent(2));
    for (slot, intent) in [(4, &second), (5, &first)] {
        running.events.record(|to| to.decision(intent, Some(key(3)), None, slot));
    }
    // a second attempt that is refused must not take the fate of the first
    tokio::time::sleep(Duration::from_millis(2)).await;
    running.events.record(|to| to.decision(&first, Some(key(3)), None, 6));
    running.events.record(|to| to.refusal(&first, "in_flight", 6));
    running.events.emit(fate(EventKind::TransactionUnknown, &first, "s1", 6));
    running.events.emit(fate(EventKind::TransactionLanded, &first, "s1", 7));
    running.events.emit(fate(EventKind::TransactionExpired, &first, "s1", 8));
    let settings = running.config.clone();
    running.stop().await;
    let found = page(&settings, Kind::Decisions, all()).await.expect("a page");
    let fate = |item: &serde_json::Value| {
        ["slot", "fence", "outcome", "outcome_slot", "error"]
            .map(|name| item[name].to_string().replace('"', ""))
            .join(" ")
    };
    let mut fates: Vec<_> = found.items.iter().map(fate).collect();
    fates.sort();
    assert_eq!(fates, ["4 2 null null null", "5 1 landed 7 null", "6 1 refused 6 in_flight"]);
    assert_eq!(texts(&found, "reason"), ["it is true"; 3]);
}

#[test]
fn retention_removes_what_is_older_by_kind() {
    let dir = tempfile::tempdir().expect("a directory");
    let local = Local::open(dir.path(), 64 * MIB).expect("a file");
    let day = 24 * 3_600;
    let events: Vec<Record> = (0..10).map(|n| event(n, TS - n.cast_signed() * day)).collect();
    let samples: Vec<Record> = (0..10).map(|n| sample(TS - n * day)).collect();
    local.store(&[events, samples].concat()).expect("a write");
    let settings = crate::config::History { events_days: 7, samples_days: 2, ..Default::default() };
    let now_ms = (TS.unsigned_abs() + 60) * 1_000;
    let is_done = local.prune(|kind| intake::before_ms(&settings, kind, now_ms)).expect("a write");
    assert!(is_done);
    assert_eq!((count(dir.path(), Kind::Events), count(dir.path(), Kind::Samples)), (7, 2));
}

#[test]
fn samples_never_take_the_room_of_facts() {
    let metrics = Metrics::new();
    let (recorder, mut queues) = Recorder::new(Arc::new(who()), metrics.clone());
    let rounds = recorder::SAMPLES / 2 + 10;
    let without_rules = |ts| View { rules: Vec::new(), ..view(ts) };
    (0..rounds).for_each(|n| recorder.samples(&without_rules(TS + n as i64), 1));
    assert_eq!(dropped(&metrics, Kind::Samples), 20);
    recorder.decision(&intent(1), None, None, 5);
    assert!(queues.facts.try_recv().is_ok());
    assert_eq!(dropped(&metrics, Kind::Decisions), 0);
    (0..=recorder::FACTS).for_each(|_| recorder.decision(&intent(1), None, None, 5));
    assert_eq!(dropped(&metrics, Kind::Decisions), 1, "the queue is bounded");
}

#[test]
fn a_crowded_file_loses_samples_first_and_stays_within_its_bound() {
    let dir = tempfile::tempdir().expect("a directory");
    let local = Local::open(dir.path(), MIB).expect("a file");
    local.store(&(0..100).map(|n| event(n, TS)).collect::<Vec<_>>()).expect("a write");
    let mut ts = TS;
    while !local.is_crowded().expect("an answer") {
        local.store(&(0..50).map(|n| sample(ts + n)).collect::<Vec<_>>()).expect("a write");
        ts += 50;
    }
    local.make_room().expect("room");
    assert!(!local.is_crowded().expect("an answer"));
    assert_eq!(count(dir.path(), Kind::Events), 100);
    // nothing but facts: the file ends at its bound, whole
    let mut id = 1_000;
    let refused = loop {
        let batch: Vec<Record> = (id..id + 50).map(|id| event(id, TS)).collect();
        id += 50;
        assert!(id < 100_000, "the bound does not hold");
        if let Err(error) = local.store(&batch) {
            break error;
        }
    };
    assert!(matches!(refused, HistoryError::File { what: "store records", .. }), "{refused}");
    let size = std::fs::metadata(dir.path().join(local::FILE)).expect("a file").len();
    assert!(size <= MIB.unsigned_abs(), "{size}");
    local.make_room().expect("room");
    local.store(&[event(id, TS)]).expect("a write");
}

#[tokio::test]
async fn a_dead_history_leaves_the_journal_alone_and_keeps_its_facts() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = Journal::open(dir.path(), Metrics::new()).expect("a journal");
    // no file can be made where a directory is
    std::fs::create_dir(dir.path().join(local::FILE)).expect("a directory");
    let running = Running::start(config(dir.path(), "one", ""), 9);
    (1..=3).for_each(|epoch| drop(running.events.emit(trip(4, epoch))));
    running.events.record(|to| to.samples(&view(TS), 15));
    until("the failure", async || running.metrics.history_errors.get() > 1).await;
    assert!(matches!(running.page(Kind::Events, all()).await, Err(HistoryError::File { what: "read a page", .. })));
    let signed = crate::journal::sample_signed(1);
    assert_eq!(journal.insert_signed(std::slice::from_ref(&signed)).expect("a write"), [true]);
    assert_eq!(journal.undecided().expect("rows").len(), 1);

    std::fs::remove_dir(dir.path().join(local::FILE)).expect("it is empty");
    running.has(Kind::Events, 3).await;
    assert_eq!(dropped(&running.metrics, Kind::Events), 0);
    running.stop().await;
}

#[test]
fn a_file_of_a_later_version_is_refused_and_left() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(Local::open(dir.path(), MIB).expect("a file"));
    let file = rusqlite::Connection::open(dir.path().join(local::FILE)).expect("the file");
    file.pragma_update(None, "user_version", 99).expect("a write");
    let error = Local::open(dir.path(), MIB).err().expect("a refusal");
    assert!(matches!(error, HistoryError::TooNew { found: 99, known: 2, .. }), "{error}");
    assert_eq!(file.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).expect("a number"), 99);
}

#[test]
fn a_file_of_the_first_layout_is_brought_up_to_date_and_keeps_its_rows() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(local::FILE);
    let file = rusqlite::Connection::open(&path).expect("the file");
    file.execute_batch(&sql::Dialect::Sqlite.steps()[0]).expect("the first layout");
    file.pragma_update(None, "user_version", 1).expect("a write");
    file.execute("INSERT INTO history_samples (unique_key, at_ms, slot, guard, keeper, kind, subject, level) VALUES ('k', 1, 1, 'g', 'one', 'asset', 's', 0)", []).expect("a row");
    drop(file);
    drop(Local::open(dir.path(), MIB).expect("a file"));
    let file = rusqlite::Connection::open(&path).expect("the file");
    let row = file.query_row("SELECT subject, value FROM history_samples", [], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(row.expect("the row"), ("s".to_owned(), None::<String>));
}

#[tokio::test]
async fn what_waited_for_a_database_that_is_no_longer_set_is_kept_here() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = "url = \"postgres://u@127.0.0.1:1/d\"";
    let running = Running::start(config(dir.path(), "one", url), 9);
    (1..=3).for_each(|epoch| drop(running.events.emit(trip(4, epoch))));
    running.stop().await;
    assert_eq!(count(dir.path(), Kind::Events), 0);
    let running = Running::start(config(dir.path(), "one", ""), 9);
    running.has(Kind::Events, 3).await;
    running.stop().await;
}

#[test]
fn rows_of_an_older_keeper_are_stored_with_what_they_have() {
    let dir = tempfile::tempdir().expect("a directory");
    let local = Local::open(dir.path(), MIB).expect("a file");
    let Record::Row(mut row) = event(1, TS) else { panic!("a row") };
    let Record::Row(mut sample) = sample(TS) else { panic!("a row") };
    sample.values.truncate(9);
    row.values[5] = Value::Text(Some("a \u{fffd}".into()));
    local.store(&[Record::Row(row), Record::Row(sample)]).expect("a write");
    assert_eq!((count(dir.path(), Kind::Events), count(dir.path(), Kind::Samples)), (1, 1));
}
