use super::*;
use crate::config::{Sink, SinkKind};
use crate::events::{EventKind, Fact, Severity};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::post;
use serde_json::Value;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

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
    while now < start + HOUR_MS {
        let epoch = (now - start) / 360_000 + 1;
        outbox.put_at(rig.tripped(epoch), now).await.expect("kept");
        outbox.put_at(rig.tripped(epoch), now).await.expect("kept");
        let wait = deliverer.round(now).await.expect("it waits");
        assert!((1_000..=300_000).contains(&wait), "{wait}");
        (now, rounds) = (now + wait, rounds + 1);
    }
    assert!(rounds < 30, "it backs off: {rounds} rounds");
    assert!(rig.server.texts().is_empty());
    assert_eq!(rig.metrics.notify_backlog.get(), 10);
    rig.server.up().await;
    assert_eq!(deliverer.round(now).await, None, "nothing waits any more");
    let expected: Vec<String> = (1..=10).map(|epoch| format!("trip {epoch}")).collect();
    assert_eq!(rig.server.texts(), expected);
    deliverer.round(now + 1).await;
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
        deliverer.round(unix_ms()).await;
    }
    rig.server.up().await;
    let (outbox, mut deliverer) = rig.open(&sinks);
    assert_eq!(outbox.put(event).await.expect("known"), 0);
    deliverer.round(unix_ms()).await;
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
    deliverer.round(unix_ms()).await;
    let got = rig.server.got.lock().expect("a list").clone();
    let of = |path: &str| got.iter().filter(|(at, ..)| at == path).map(|(.., body)| body.clone()).collect::<Vec<_>>();
    assert_eq!(of("/hook")[0]["text"], ":warning: [warning] keeper-1: down &lt;now&gt; (slot 5)");
    assert_eq!(of("/bott0ken/sendMessage")[0]["chat_id"], "42");
    let pages = of("/v2/enqueue");
    assert_eq!((&pages[0]["event_action"], &pages[0]["payload"]["severity"]), (&"trigger".into(), &"warning".into()));
    assert_eq!((&pages[1]["event_action"], &pages[1]["dedup_key"]), (&"resolve".into(), &pages[0]["dedup_key"]));
}

#[tokio::test]
async fn refused_alert_is_given_up_and_does_not_hold_the_next_back() {
    let rig = Rig::new().await;
    let (outbox, mut deliverer) = rig.open(&[rig.sink(SinkKind::Webhook)]);
    outbox.put(rig.tripped(1)).await.expect("kept");
    rig.server.answer.store(400, Ordering::Relaxed);
    let mut now = unix_ms();
    for _ in 0..4 {
        now += deliverer.round(now).await.expect("it waits");
    }
    rig.server.answer.store(200, Ordering::Relaxed);
    outbox.put(rig.tripped(2)).await.expect("kept");
    rig.server.answer.store(400, Ordering::Relaxed);
    // the fifth refusal gives the first up; the second is refused for the first time
    now += deliverer.round(now).await.expect("it waits");
    rig.server.answer.store(200, Ordering::Relaxed);
    deliverer.round(now).await;
    assert_eq!(rig.server.texts(), ["trip 2"]);
}

#[tokio::test]
async fn busy_receiver_is_left_alone_for_as_long_as_it_asks() {
    let rig = Rig::new().await;
    let (outbox, mut deliverer) = rig.open(&[rig.sink(SinkKind::Webhook)]);
    outbox.put(rig.tripped(1)).await.expect("kept");
    rig.server.answer.store(429, Ordering::Relaxed);
    assert_eq!(deliverer.round(unix_ms()).await, Some(600_000), "as asked, but no longer than the bound");
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
