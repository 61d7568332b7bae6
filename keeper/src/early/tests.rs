//! Answers of the server are written from Hermes' published schema, and accounts from Pythnet's; none is recorded.

use super::hermes;
use super::pythnet::{self, offset};
use super::*;
use crate::assess::assess;
use crate::chain::clock::ChainTime;
use crate::config::{SignalKind, SignalSettings};
use crate::events::{EventKind, Events};
use crate::metrics::Metrics;
use crate::watch::index::PriceIndex;
use crate::watch::testing::{NOW, SLOT, World, bytes_of, key};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use rampart::oracle::PYTH_RECEIVER;
use rampart::state::SourceKind;
use serde_json::json;
use std::collections::{BTreeSet, VecDeque};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const FEED: FeedId = [7; 32];

/// What the server answers, one after another, the last again and again; and what it was asked.
#[derive(Clone, Default)]
struct Server {
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: &[(u16, String)]) -> (Self, String) {
        let server = Self { answers: Arc::new(Mutex::new(answers.iter().cloned().collect())), ..Self::default() };
        let router = Router::new().fallback(answer).with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (server, url)
    }
}

async fn answer(State(server): State<Server>, headers: HeaderMap, uri: Uri) -> Response {
    let key = headers.get("authorization").and_then(|key| key.to_str().ok()).unwrap_or("no key");
    server.heard.lock().unwrap().push(format!("{uri} {key}"));
    let mut answers = server.answers.lock().unwrap();
    let (status, body) = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }.unwrap();
    let headers = [("content-type", "text/event-stream"), ("retry-after", "1")];
    (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
}

/// One event with the price of the feed, hundredths of a dollar.
fn event(cents: i64, publish_ts: i64) -> String {
    let price = json!({ "price": cents.to_string(), "conf": "1", "expo": -2, "publish_time": publish_ts });
    let parsed = json!([{ "id": hex::encode(FEED), "price": price, "ema_price": price, "metadata": { "slot": 1 } }]);
    format!("data:{}\n\n", json!({ "binary": { "encoding": "base64", "data": [] }, "parsed": parsed }))
}

fn settings(kind: SignalKind, url: &str) -> SignalSettings {
    let url = url.to_owned();
    SignalSettings { name: "early".into(), kind, url, key_file: None, deviation_bps: 50, poll_ms: 100 }
}

struct Scene {
    board: Board,
    events: Events,
    metrics: Metrics,
    stop: CancellationToken,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Scene {
    fn start(settings: SignalSettings) -> Self {
        let (board, metrics, stop) = (Board::default(), Metrics::new(), CancellationToken::new());
        let events = Events::new(metrics.clone());
        board.begin(std::slice::from_ref(&settings));
        board.want(BTreeSet::from([FEED]));
        let (slot, of) = (Arc::default(), (board.clone(), events.clone(), metrics.clone()));
        let watcher = Watcher { settings, board: of.0, events: of.1, metrics: of.2, slot };
        tokio::spawn(watcher.run(stop.clone()));
        Self { board, events, metrics, stop }
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Standing) -> bool) -> Standing {
        for _ in 0..1_000 {
            let standing = self.board.read()[0].1.clone();
            if is_so(&standing) {
                return standing;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never: {what}; {:?}", self.board.read());
    }

    fn told(&self) -> Vec<(EventKind, String)> {
        self.events.subscribe().0.iter().map(|event| (event.kind, event.text.clone())).collect()
    }
}

fn fault(standing: &Standing) -> Option<&'static str> {
    standing.fault.as_ref().map(|(reason, _)| *reason)
}

#[tokio::test]
async fn hermes_is_asked_for_the_wanted_feeds_with_the_key_and_its_newest_price_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    std::fs::write(&path, "s3cret\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let stream = [event(100, 10), event(90, 12), event(95, 11)].concat();
    let (server, url) = Server::start(&[(200, stream)]).await;
    let scene = Scene::start(SignalSettings { key_file: Some(path), ..settings(SignalKind::Hermes, &url) });
    let standing =
        scene.until("the newest price", |s| s.prices.get(&FEED).is_some_and(|raw| raw.publish_ts == 12)).await;
    assert_eq!((standing.prices[&FEED].price, standing.prices[&FEED].exponent, fault(&standing)), (90, -2, None));
    let expected = format!(
        "/v2/updates/price/stream?ids[]={}&parsed=true&encoding=base64&ignore_invalid_price_ids=true Bearer s3cret",
        hex::encode(FEED)
    );
    assert_eq!(server.heard.lock().unwrap()[0], expected);
}

#[tokio::test]
async fn fault_21_refusal_is_told_once_with_its_fix_and_prices_come_back_without_a_restart() {
    let answers = [(401, String::new()), (401, String::new()), (200, event(100, 10))];
    let (_, url) = Server::start(&answers).await;
    let scene = Scene::start(settings(SignalKind::Hermes, &url));
    let standing = scene.until("two refusals", |s| s.losses == 2).await;
    assert_eq!(fault(&standing), Some("refused"));
    scene.until("a price", |s| !s.prices.is_empty()).await;
    let text = "signal `early` is degraded: the server refuses access with status 401; prices on chain are acted on as \
                before; hint: set `key_file` of this signal to a file with a key of the provider";
    let told = [
        (EventKind::SourceDown, text.to_owned()),
        (EventKind::SourceUp, "signal `early` gives prices again".to_owned()),
    ];
    assert_eq!(scene.told(), told);
    let counted = "rampart_signal_failures_total{source=\"early\",reason=\"refused\"} 2";
    assert!(scene.metrics.render().contains(counted), "{}", scene.metrics.render());
}

#[tokio::test]
async fn fault_21_every_way_to_fail_is_told_apart_and_what_was_heard_before_counts_no_longer() {
    let cases = [
        ((403, String::new()), "refused"),
        ((429, String::new()), "rate_limited"),
        ((503, String::new()), "status"),
        ((200, "data:<html>\n\n".to_owned()), "malformed"),
        (
            (
                200,
                format!(
                    "data:{{\"parsed\":[{{\"id\":\"{}\",\"price\":{{\"price\":\"1e3\",\"conf\":\"1\",\"expo\":0,\"publish_time\":1}}}}]}}\n\n",
                    hex::encode(FEED)
                ),
            ),
            "malformed",
        ),
        ((200, "x".repeat(1 << 21)), "malformed"),
        ((200, String::new()), "ended"),
    ];
    for (answer, expected) in cases {
        let (_, url) = Server::start(&[answer]).await;
        let scene = Scene::start(settings(SignalKind::Hermes, &url));
        scene.board.heard("early", &[(FEED, raw(100, 10))]);
        let standing = scene.until(expected, |s| s.fault.is_some()).await;
        assert_eq!((fault(&standing), standing.prices.len()), (Some(expected), 0));
    }
    let down = Scene::start(settings(SignalKind::Hermes, "http://127.0.0.1:1/s3cret"));
    let standing = down.until("unreachable", |s| s.fault.is_some()).await;
    let (reason, text) = standing.fault.unwrap();
    assert!(reason == "unreachable" && !text.contains("s3cret"), "{text}");
    let nobody = SignalSettings {
        key_file: Some("/nonexistent/key".into()),
        ..settings(SignalKind::Hermes, "http://127.0.0.1:1")
    };
    let scene = Scene::start(nobody);
    assert_eq!(fault(&scene.until("no key", |s| s.fault.is_some()).await), Some("key"));
}

#[test]
fn wait_that_the_server_asks_for_is_kept_and_bounded() {
    let wait = |asked: Option<u64>| match SignalError::of_status(429, asked.map(Duration::from_secs)) {
        SignalError::Limited(wait) => wait.as_secs(),
        other => panic!("{other}"),
    };
    assert_eq!([None, Some(0), Some(7), Some(100_000)].map(wait), [60, 1, 7, 600]);
}

#[test]
fn event_of_hermes_is_read_to_the_unit_or_refused_whole() {
    let event = |id: &str, price: &str| {
        json!({ "parsed": [{ "id": id, "price": { "price": price, "conf": "1", "expo": -2, "publish_time": 3 } }] })
            .to_string()
    };
    assert_eq!(hermes::read(&event(&hex::encode(FEED), "100")).unwrap().prices, [(FEED, raw(100, 3))]);
    assert_eq!(hermes::read(&event(&format!("0x{}", hex::encode(FEED)), "100")).unwrap().prices, [(FEED, raw(100, 3))]);
    for bad in [
        event("07", "100"),
        event(&"é".repeat(32), "100"),
        event(&hex::encode(FEED), "1.5"),
        event(&hex::encode(FEED), "99999999999999999999"),
    ] {
        assert!(matches!(hermes::read(&bad), Err(SignalError::Malformed("a price is no number"))), "{bad}");
    }
    assert!(matches!(hermes::read("{}"), Err(SignalError::Malformed("an event is no update"))));
}

/// A price account of Pythnet, by the published layout.
fn pythnet_account(price: i64, status: u32) -> Vec<u8> {
    let mut data = vec![0; 3_312];
    let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
    [0, 4, 8].iter().zip(pythnet::HEAD).for_each(|(at, word)| put(*at, &word.to_le_bytes()));
    put(offset::EXPONENT, &(-2_i32).to_le_bytes());
    put(offset::TIMESTAMP, &10_i64.to_le_bytes());
    put(offset::PRICE, &price.to_le_bytes());
    put(offset::CONFIDENCE, &1_u64.to_le_bytes());
    put(offset::STATUS, &status.to_le_bytes());
    data
}

fn raw(price: i128, publish_ts: i64) -> RawReading {
    RawReading { price, confidence: 1, exponent: -2, publish_ts }
}

#[test]
fn account_of_pythnet_is_read_by_offset_or_refused() {
    let read = |data: &[u8]| pythnet::read(&pythnet::OWNER, data);
    assert_eq!(read(&pythnet_account(100, pythnet::TRADING)).unwrap(), Some(raw(100, 10)));
    assert_eq!(read(&pythnet_account(100, 0)).unwrap(), None);
    let short = &pythnet_account(100, 1)[..offset::END - 1];
    assert!(matches!(read(short), Err(SignalError::Malformed("an account is too short"))));
    assert!(matches!(read(&[0; 3_312]), Err(SignalError::Malformed("an account is no price"))));
    let stranger = pythnet::read(&key(9), &pythnet_account(100, 1));
    assert!(matches!(stranger, Err(SignalError::Malformed("an account belongs to another program"))));
}

#[tokio::test]
async fn pythnet_is_asked_for_the_account_that_the_feed_names() {
    use base64::Engine;
    let data = base64::engine::general_purpose::STANDARD.encode(pythnet_account(100, pythnet::TRADING));
    let account = json!({ "lamports": 1, "owner": pythnet::OWNER.to_string(), "data": [data, "base64"], "executable": false, "rentEpoch": 0, "space": 3_312 });
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": { "context": { "slot": 5 }, "value": [account] } });
    let (_, url) = Server::start(&[(403, String::new()), (200, answer.to_string())]).await;
    let scene = Scene::start(settings(SignalKind::Pythnet, &url));
    let standing = scene.until("a price", |s| !s.prices.is_empty()).await;
    assert_eq!((standing.prices[&FEED], standing.losses), (raw(100, 10), 1));
}

/// A world whose collateral has Pyth as its first source, a dollar on chain 20 s ago.
fn pyth_world() -> (World, crate::watch::store::Store) {
    let world = World::new();
    let mut store = world.store(&[]);
    let mut asset = world.asset(0);
    let source = &mut asset.oracle.sources[0];
    (source.kind, source.program, source.feed_id) = (SourceKind::Pyth as u8, PYTH_RECEIVER, FEED);
    world.put(&mut store, world.asset_keys[0], bytes_of(&asset));
    let update = pyth_update(100, NOW - 20);
    let of_receiver = crate::watch::Update {
        owner: PYTH_RECEIVER,
        ..crate::watch::testing::of_program(key(10), update, SLOT, crate::watch::Origin::Push)
    };
    store.apply(of_receiver, std::time::Instant::now());
    (world, store)
}

/// The bytes of a `PriceUpdateV2`, fully verified, hundredths of a dollar.
fn pyth_update(cents: i64, publish_ts: i64) -> Vec<u8> {
    let mut data = vec![0; 134];
    let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &[0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd]);
    put(40, &[1]);
    put(41, &FEED);
    put(73, &cents.to_le_bytes());
    put(81, &1_u64.to_le_bytes());
    put(89, &(-2_i32).to_le_bytes());
    put(93, &publish_ts.to_le_bytes());
    data
}

#[test]
fn gap_is_measured_against_the_same_feed_and_is_a_move_only_from_the_deviation_on_and_never_by_an_older_price() {
    let (world, store) = pyth_world();
    assert_eq!(wanted(&store), BTreeSet::from([FEED]), "Switchboard has no feed of Pyth");
    let now = ChainTime { slot: SLOT, unix_ts: NOW };
    let assessment = assess(&store, &PriceIndex::default(), &world.found(), now);
    let board = Board::default();
    let settings = settings(SignalKind::Hermes, "http://h");
    board.begin(&[settings]);
    board.want(wanted(&store));
    let gap_of = |raw: RawReading| {
        board.begin(&board.read().into_iter().map(|(settings, _)| settings).collect::<Vec<_>>());
        board.heard("early", &[(FEED, raw), ([8; 32], raw)]);
        gaps(&board, &store, &assessment)
    };
    assert_eq!(gaps(&board, &store, &assessment), []);
    let found = gap_of(RawReading { price: 7_500, exponent: -4, ..raw(0, NOW - 5) });
    assert_eq!((found.len(), found[0].asset, found[0].index), (1, world.asset_keys[0], 0));
    assert_eq!((found[0].gap_bps, found[0].lead_secs, found[0].is_moved), (Some(-2_500), Some(15), true));
    assert_eq!(found[0].text(), "0.75, -2500 bps to the chain, published +15 s; the chain doesn't show this move yet");
    let small = gap_of(RawReading { price: 10_049, exponent: -4, ..raw(0, NOW - 5) });
    assert_eq!((small[0].gap_bps, small[0].is_moved), (Some(49), false));
    let older = &gap_of(raw(50, NOW - 21))[0];
    assert_eq!((older.lead_secs, older.is_moved), (Some(-1), false));
    assert_eq!(gap_of(raw(0, NOW)), [], "no price is zero");
    // Pyth's clock may be ahead of the chain's
    assert_eq!(gap_of(raw(99, NOW + 60))[0].lead_secs, Some(80));
}

#[test]
fn loss_and_recovery_are_shown_with_the_reason() {
    let board = Board::default();
    board.begin(&[settings(SignalKind::Hermes, "http://h")]);
    board.want(BTreeSet::from([FEED]));
    assert!(!view(&board)[0].up && !view(&board)[0].degraded);
    assert!(board.lost("early", &SignalError::Refused(401), "why; fix".into()));
    assert!(!board.lost("early", &SignalError::Refused(401), "why; fix".into()), "told already");
    assert!(board.lost("early", &SignalError::Status(500), "other".into()));
    let shown = &view(&board)[0];
    assert_eq!((shown.up, shown.degraded, shown.reason.as_deref(), shown.losses), (false, true, Some("other"), 3));
    assert!(board.heard("early", &[(FEED, raw(1, 1))]));
    let shown = &view(&board)[0];
    assert_eq!((shown.up, shown.degraded, shown.feeds), (true, false, 1));
}
