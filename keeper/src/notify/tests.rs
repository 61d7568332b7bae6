use super::outbox::KEEP_MS;
use super::*;
use crate::config::{Sink, SinkKind};
use crate::events::{EventKind, Fact, Severity};
use crate::metrics::NotifyLabel;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::post;
use serde_json::Value;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicU16;

const HOUR_MS: u64 = 3_600_000;

type Got = Arc<Mutex<Vec<(String, Option<String>, Value)>>>;

/// A receiver that notes what it gets and answers as told.
struct Server {
    address: SocketAddr,
    got: Got,
    answer: Arc<AtomicU16>,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Server {
    async fn start() -> Self {
        let mut server = Self {
            address: ([127, 0, 0, 1], 0).into(),
            got: Got::default(),
            answer: Arc::new(AtomicU16::new(200)),
            task: None,
        };
        server.up().await;
        server
    }

    async fn up(&mut self) {
        let listener = tokio::net::TcpListener::bind(self.address).await.expect("its port");
        self.address = listener.local_addr().expect("an address");
        let (got, answer) = (self.got.clone(), self.answer.clone());
        let take = move |State(()): State<()>, uri: Uri, headers: HeaderMap, body: String| async move {
            let status = answer.load(Ordering::Relaxed);
            let auth = headers.get("authorization").map(|value| value.to_str().expect("text").to_owned());
            if status == 200 {
                let body = serde_json::from_str(&body).expect("JSON");
                got.lock().expect("a list").push((uri.path().to_owned(), auth, body));
            }
            (StatusCode::from_u16(status).expect("a status"), [("retry-after", "1000")])
        };
        let app = axum::Router::new().route("/{*path}", post(take)).with_state(());
        self.task = Some(tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") }));
    }

    async fn down(&mut self) {
        let task = self.task.take().expect("it is up");
        task.abort();
        let _ = task.await;
    }

    fn texts(&self) -> Vec<String> {
        let got = self.got.lock().expect("a list");
        got.iter().map(|(_, _, body)| body["text"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

struct Rig {
    dir: tempfile::TempDir,
    server: Server,
    metrics: Metrics,
    events: Events,
}

impl Rig {
    async fn new() -> Self {
        let metrics = Metrics::new();
        let events = Events::new(metrics.clone());
        Self { dir: tempfile::tempdir().expect("a directory"), server: Server::start().await, metrics, events }
    }

    fn secret(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
        path
    }

    fn sink(&self, kind: SinkKind) -> Sink {
        let base = format!("http://{}", self.server.address);
        let name = kind.as_str().to_owned();
        let is_posted = matches!(kind, SinkKind::Webhook | SinkKind::Slack);
        let url_file = is_posted.then(|| self.secret("url", &format!("{base}/hook")));
        let token_file = (kind != SinkKind::Slack).then(|| self.secret("token", "t0ken"));
        let url = (!is_posted).then_some(base);
        let min_severity = Severity::Warning;
        Sink { name, kind, url_file, token_file, chat: Some("42".into()), url, min_severity }
    }

    fn open(&self, sinks: &[Sink]) -> (Outbox, Deliverer) {
        let outbox = Outbox::open(self.dir.path(), "keeper-1", sinks, self.metrics.clone()).expect("an outbox");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let deliverer = Deliverer::new(outbox.clone(), sinks.to_vec(), Some(client), self.metrics.clone());
        (outbox, deliverer)
    }

    fn tripped(&self, epoch: u64) -> Arc<Event> {
        let fact = Fact::new(EventKind::BreakerTripped, epoch, format!("trip {epoch}"));
        self.events.emit(fact.with("rule", "r").with("trip_epoch", epoch))
    }
}

#[tokio::test]
async fn fault_54_webhook_down_for_an_hour_gets_every_alert_once() {
    let mut rig = Rig::new().await;
    let (outbox, mut deliverer) = rig.open(&[rig.sink(SinkKind::Webhook)]);
    rig.server.down().await;
    // an hour of virtual time: one trip each six minutes, each told twice
    let (start, mut now, mut rounds) = (1_000_000_000, 1_000_000_000, 0);
    let began = Instant::now();
    let at = |now: u64| began + Duration::from_millis(now - start);
    while now < start + HOUR_MS {
        let epoch = (now - start) / 360_000 + 1;
        outbox.put_at(rig.tripped(epoch), now).await.expect("kept");
        outbox.put_at(rig.tripped(epoch), now).await.expect("kept");
        let wait = deliverer.round(at(now), now).await.expect("it waits").as_millis() as u64;
        assert!((1_000..=300_000).contains(&wait), "{wait}");
        (now, rounds) = (now + wait, rounds + 1);
    }
    assert!(rounds < 30, "it backs off: {rounds} rounds");
    assert!(rig.server.texts().is_empty());
    assert_eq!(rig.metrics.notify_backlog.get(), 10);
    rig.server.up().await;
    assert_eq!(deliverer.round(at(now), now).await, None, "nothing waits any more");
    let expected: Vec<String> = (1..=10).map(|epoch| format!("trip {epoch}")).collect();
    assert_eq!(rig.server.texts(), expected);
    deliverer.round(at(now + 1), now + 1).await;
    assert_eq!(rig.server.texts().len(), 10, "nothing is delivered twice");
    assert_eq!(rig.metrics.notify_backlog.get(), 0);
}

#[tokio::test]
async fn alert_outlives_a_restart_and_the_same_event_is_kept_once() {
    let mut rig = Rig::new().await;
    let sinks = [rig.sink(SinkKind::Webhook)];
    rig.server.down().await;
    let event = rig.tripped(1);
    {
        let (outbox, mut deliverer) = rig.open(&sinks);
        assert_eq!(outbox.put(event.clone()).await.expect("kept"), 1);
        deliverer.round(Instant::now(), unix_ms()).await;
    }
    rig.server.up().await;
    let (outbox, mut deliverer) = rig.open(&sinks);
    assert_eq!(outbox.put(event).await.expect("known"), 0);
    deliverer.round(Instant::now(), unix_ms()).await;
    let got = rig.server.got.lock().expect("a list").clone();
    assert_eq!(got.len(), 1);
    let (path, auth, body) = &got[0];
    assert_eq!((path.as_str(), auth.as_deref()), ("/hook", Some("Bearer t0ken")));
    assert_eq!((&body["kind"], &body["severity"]), (&"breaker_tripped".into(), &"critical".into()));
    assert_eq!(body["key"], "keeper-1/breaker_tripped/r/1");
}

#[tokio::test]
async fn each_kind_gets_its_own_form_and_what_is_minor_stays() {
    let rig = Rig::new().await;
    let kinds = [SinkKind::Slack, SinkKind::PagerDuty, SinkKind::Telegram];
    let (outbox, mut deliverer) = rig.open(&kinds.map(|kind| rig.sink(kind)));
    let down = Fact::new(EventKind::SourceDown, 5, "down <now>").with("source", "websocket");
    let up = Fact::new(EventKind::SourceUp, 6, "up").with("source", "websocket");
    assert_eq!(outbox.put(rig.events.emit(down)).await.expect("kept"), 3);
    assert_eq!(outbox.put(rig.events.emit(up)).await.expect("kept"), 1, "only what can be closed is");
    deliverer.round(Instant::now(), unix_ms()).await;
    let got = rig.server.got.lock().expect("a list").clone();
    let of = |path: &str| got.iter().filter(|(at, ..)| at == path).map(|(.., body)| body.clone()).collect::<Vec<_>>();
    assert_eq!(of("/hook")[0]["text"], ":warning: [warning] keeper-1: down &lt;now&gt; (slot 5)");
    assert_eq!(of("/bott0ken/sendMessage")[0]["chat_id"], "42");
    let pages = of("/v2/enqueue");
    assert_eq!((&pages[0]["event_action"], &pages[0]["payload"]["severity"]), (&"trigger".into(), &"warning".into()));
    assert_eq!((&pages[1]["event_action"], &pages[1]["dedup_key"]), (&"resolve".into(), &pages[0]["dedup_key"]));
}

/// How many deliveries to webhooks ended so.
fn counted(rig: &Rig, result: &'static str) -> u64 {
    rig.metrics.notify.get_or_create(&NotifyLabel { kind: "webhook", result }).get()
}

#[tokio::test]
async fn fault_54_refused_alert_waits_behind_the_others_until_it_is_taken() {
    let rig = Rig::new().await;
    let (outbox, mut deliverer) = rig.open(&[rig.sink(SinkKind::Webhook)]);
    let (mut now, mut now_ms) = (Instant::now(), unix_ms());
    outbox.put(rig.tripped(1)).await.expect("kept");
    rig.server.answer.store(400, Ordering::Relaxed);
    assert_eq!(deliverer.round(now, now_ms).await, Some(Duration::from_secs(60)));
    rig.server.answer.store(200, Ordering::Relaxed);
    outbox.put(rig.tripped(2)).await.expect("kept");
    assert_eq!(deliverer.round(now, now_ms).await, Some(Duration::from_secs(60)), "the first one stays parked");
    assert_eq!(rig.server.texts(), ["trip 2"]);
    // the chat id, or the routing key, is wrong for six days
    rig.server.answer.store(422, Ordering::Relaxed);
    let mut tries = 0;
    for _ in 0..6 * 24 {
        (now, now_ms, tries) = (now + Duration::from_millis(HOUR_MS), now_ms + HOUR_MS, tries + 1);
        let wait = deliverer.round(now, now_ms).await.expect("it waits");
        assert!((Duration::from_secs(120)..=Duration::from_secs(3_600)).contains(&wait), "{wait:?}");
    }
    assert_eq!((counted(&rig, "refused"), counted(&rig, "dropped")), (tries + 1, 0));
    rig.server.answer.store(200, Ordering::Relaxed);
    outbox.put(rig.tripped(3)).await.expect("kept");
    now += Duration::from_millis(HOUR_MS);
    assert_eq!(deliverer.round(now, now_ms + HOUR_MS).await, None);
    assert_eq!(rig.server.texts(), ["trip 2", "trip 3", "trip 1"]);
}

#[tokio::test]
async fn alert_that_is_refused_for_a_week_is_dropped_and_counted() {
    let rig = Rig::new().await;
    let (outbox, mut deliverer) = rig.open(&[rig.sink(SinkKind::Webhook)]);
    outbox.put(rig.tripped(1)).await.expect("kept");
    rig.server.answer.store(413, Ordering::Relaxed);
    let (now, now_ms) = (Instant::now(), unix_ms());
    deliverer.round(now, now_ms).await;
    deliverer.round(now, now_ms + KEEP_MS - HOUR_MS).await;
    assert_eq!((counted(&rig, "dropped"), rig.metrics.notify_backlog.get()), (0, 1));
    deliverer.round(now, now_ms + KEEP_MS + HOUR_MS).await;
    assert_eq!((counted(&rig, "dropped"), rig.metrics.notify_backlog.get()), (1, 0));
}

#[tokio::test]
async fn wall_clock_that_is_set_holds_no_alert_back() {
    let mut rig = Rig::new().await;
    let (outbox, mut deliverer) = rig.open(&[rig.sink(SinkKind::Webhook)]);
    outbox.put(rig.tripped(1)).await.expect("kept");
    rig.server.down().await;
    let (now, now_ms) = (Instant::now(), unix_ms());
    assert_eq!(deliverer.round(now, now_ms).await, Some(Duration::from_secs(1)));
    rig.server.up().await;
    assert_eq!(deliverer.round(now + Duration::from_secs(1), now_ms - HOUR_MS).await, None);
    assert_eq!(rig.server.texts(), ["trip 1"]);
}

#[tokio::test]
async fn outage_after_the_end_of_another_is_told_and_ends_are_always_told() {
    let rig = Rig::new().await;
    let sinks = [rig.sink(SinkKind::PagerDuty)];
    let (outbox, mut deliverer) = rig.open(&sinks);
    let tell = |kind, slot| rig.events.emit(Fact::new(kind, slot, "so"));
    let kinds = [EventKind::KeeperNotReady, EventKind::KeeperReady, EventKind::KeeperNotReady, EventKind::KeeperReady];
    for (slot, kind) in (1..).zip(kinds) {
        assert_eq!(outbox.put(tell(kind, slot)).await.expect("kept"), 1, "{kind:?} {slot}");
    }
    assert_eq!(outbox.put(tell(EventKind::KeeperReady, 5)).await.expect("kept"), 1, "an end is no repeat");
    assert_eq!(outbox.put(tell(EventKind::KeeperNotReady, 6)).await.expect("kept"), 1);
    assert_eq!(outbox.put(tell(EventKind::KeeperNotReady, 7)).await.expect("kept"), 0, "a repeat: nothing ended");
    deliverer.round(Instant::now(), unix_ms()).await;
    let got = rig.server.got.lock().expect("a list").clone();
    let actions: Vec<_> = got.iter().map(|(.., body)| body["event_action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["trigger", "resolve", "trigger", "resolve", "resolve", "trigger"]);
}

#[tokio::test]
async fn facts_of_long_ago_are_not_told_again_after_a_restart_of_the_tasks() {
    let rig = Rig::new().await;
    let (outbox, mut deliverer) = rig.open(&[rig.sink(SinkKind::Webhook)]);
    let taken = Arc::<AtomicU64>::default();
    let stopped = CancellationToken::new();
    stopped.cancel();
    for (epoch, expected) in [(1, &["trip 1"][..]), (2, &["trip 1", "trip 2"][..])] {
        rig.tripped(epoch);
        let inlet = Inlet { outbox: outbox.clone(), wake: Arc::default(), taken: taken.clone() };
        inlet.take_all(rig.events.clone(), stopped.clone()).await;
        deliverer.round(Instant::now(), unix_ms()).await;
        assert_eq!(rig.server.texts(), expected);
        // what is delivered is forgotten meanwhile
        outbox.prune(unix_ms() + HOUR_MS).await.expect("pruned");
    }
}

#[tokio::test]
async fn busy_receiver_is_left_alone_for_as_long_as_it_asks() {
    let rig = Rig::new().await;
    let (outbox, mut deliverer) = rig.open(&[rig.sink(SinkKind::Webhook)]);
    outbox.put(rig.tripped(1)).await.expect("kept");
    rig.server.answer.store(429, Ordering::Relaxed);
    assert_eq!(
        deliverer.round(Instant::now(), unix_ms()).await,
        Some(Duration::from_secs(600)),
        "as asked, but no longer than the bound"
    );
}

#[tokio::test]
async fn errors_of_delivery_hold_no_address_and_no_token() {
    let mut rig = Rig::new().await;
    let sink = rig.sink(SinkKind::Telegram);
    rig.server.down().await;
    let alert = Alert::of(&rig.tripped(1), "keeper-1");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let error = send(&client, &sink, &alert).await.expect_err("nobody is there");
    let text = crate::error::chain(&error);
    assert!(matches!(error, SendError::Unreachable { .. }) && !text.contains("t0ken"), "{text}");
}
