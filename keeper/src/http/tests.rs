use super::*;
use crate::chain::http::CallError;
use crate::chain::rpc::{Listing, RpcError};
use crate::events::{EventKind, Fact};
use crate::watch::feeds::Child;
use crate::watch::{Origin, Update};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use solana_sdk::pubkey::Pubkey;
use std::sync::atomic::{AtomicUsize, Ordering};

const ASSET: Pubkey = Pubkey::new_from_array([5; 32]);

struct OneAsset;

impl PriceHistory for OneAsset {
    fn samples(&self, asset: &Pubkey) -> Option<Vec<Sample>> {
        let sample = Sample { ts: 7, price: Some("150.25".into()), ..Sample::default() };
        (*asset == ASSET).then(|| vec![sample])
    }
}

/// One account of every kind but reserves, which no endpoint lists; counts how often it was asked.
#[derive(Default)]
struct OneAccount {
    asked: AtomicUsize,
}

fn listing(key: Pubkey, data: &[u8]) -> Listing {
    let (owner, data, origin) = (rampart::ID, data.to_vec(), Origin::Poll);
    let update = Update { key, owner, lamports: 1, data, slot: 9, write_version: 0, origin, told_by: 0 };
    Listing { updates: vec![update], slot: 9 }
}

impl AccountList for OneAccount {
    fn list<'a>(&'a self, child: Child, parent: &'a Pubkey) -> BoxFuture<'a, Result<Listing, RpcError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = if child == Child::Reserve {
            Err(RpcError::NoEndpoint)
        } else {
            Ok(listing(*parent, child.discriminator()))
        };
        async { answer }.boxed()
    }

    fn fetch<'a>(&'a self, keys: &'a [Pubkey]) -> BoxFuture<'a, Result<Listing, RpcError>> {
        async { Ok(listing(keys[0], b"position")) }.boxed()
    }
}

/// A chain with one height, which refuses to say what became of signatures and answers nothing about the genesis.
struct OneChain;

impl Chain for OneChain {
    fn ask<'a>(
        &'a self,
        method: &'static str,
        params: serde_json::Value,
    ) -> BoxFuture<'a, Result<serde_json::Value, RpcError>> {
        let refused = CallError::Refused { code: -32_602, message: "which?".into() };
        let answer = match method {
            "getSignatureStatuses" => Err(RpcError::Request { what: "statuses", source: refused }),
            "getGenesisHash" => Err(RpcError::NoEndpoint),
            _ => Ok(serde_json::json!([method, params])),
        };
        async { answer }.boxed()
    }
}

struct Server {
    lab: tempfile::TempDir,
    base: String,
    view: watch::Sender<Arc<View>>,
    events: Events,
    list: Arc<OneAccount>,
    shutdown: CancellationToken,
    serving: tokio::task::JoinHandle<Result<(), HttpError>>,
}

async fn server(peers: &[Peer]) -> Server {
    let (view, receiver) = watch::channel(Arc::new(View::default()));
    let metrics = Metrics::new();
    let events = Events::new(metrics.clone());
    let state = ApiState::new(receiver, events.clone(), metrics, Arc::new(OneAsset), Pulse::new(), peers);
    let list = Arc::new(OneAccount::default());
    let lab = tempfile::tempdir().expect("a folder");
    let state = state.with_accounts(list.clone(), ASSET).with_relay(Arc::new(OneChain));
    let state = state.with_lab(lab.path().to_owned());
    let listener = bind(([127, 0, 0, 1], 0).into()).await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, state, shutdown.clone()));
    Server { lab, base, view, events, list, shutdown, serving }
}

fn view(is_ready: bool) -> Arc<View> {
    let mut view = View { schema: crate::view::SCHEMA, ..View::default() };
    (view.keeper.ready, view.keeper.slot) = (is_ready, 77);
    view.keeper.not_ready_reasons = if is_ready { vec![] } else { vec!["no source is up".into()] };
    view.keeper.transactions.landed = 3;
    view.chain.slot = 77;
    Arc::new(view)
}

async fn get(server: &Server, path: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    client.get(format!("{}{path}", server.base)).send().await.expect("an answer")
}

#[tokio::test]
async fn state_is_the_newest_view() {
    let server = server(&[]).await;
    server.view.send_replace(view(true));
    let answer = get(&server, "/api/v1/state").await;
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert!(answer.headers()["content-security-policy"].to_str().expect("text").starts_with("default-src 'self'"));
    assert_eq!(answer.json::<View>().await.expect("a view"), *view(true));
}

#[tokio::test]
async fn state_is_refused_until_the_chain_was_read() {
    let server = server(&[]).await;
    let answer = get(&server, "/api/v1/state").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.expect("a body").contains("has not been read yet"));
}

#[tokio::test]
async fn readiness_follows_the_view_and_says_why() {
    let server = server(&[]).await;
    server.view.send_replace(view(false));
    let answer = get(&server, "/readyz").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.expect("a body").contains("no source is up"));
    server.view.send_replace(view(true));
    assert_eq!(get(&server, "/readyz").await.status(), 200);
    assert_eq!(get(&server, "/livez").await.status(), 200);
}

#[tokio::test]
async fn history_tells_assets_apart() {
    let server = server(&[]).await;
    let body: serde_json::Value =
        get(&server, &format!("/api/v1/history?asset={ASSET}")).await.json().await.expect("JSON");
    assert_eq!(body["samples"][0]["price"], "150.25");
    assert_eq!(body["samples"][0]["ts"], 7);
    assert_eq!(get(&server, &format!("/api/v1/history?asset={}", Pubkey::default())).await.status(), 404);
    assert_eq!(get(&server, "/api/v1/history?asset=abc").await.status(), 400);
    assert_eq!(get(&server, "/api/v1/history").await.status(), 400);
    assert_eq!(get(&server, "/api/v1/nothing").await.status(), 404);
}

#[tokio::test]
async fn metrics_are_told_as_text() {
    let server = server(&[]).await;
    let answer = get(&server, "/metrics").await;
    assert!(answer.headers()["content-type"].to_str().expect("text").contains("openmetrics-text"));
    assert!(answer.text().await.expect("a body").contains("rampart_build_info{"));
}

/// Reads frames until `count` events came.
async fn events_of(answer: reqwest::Response, count: usize) -> String {
    let mut stream = answer.bytes_stream_text();
    let mut text = String::new();
    while text.matches("\nid: ").count() < count {
        text.push_str(&stream.next().await.expect("the stream goes on"));
    }
    text
}

trait TextStream {
    fn bytes_stream_text(self) -> futures_util::stream::BoxStream<'static, String>;
}

impl TextStream for reqwest::Response {
    fn bytes_stream_text(self) -> futures_util::stream::BoxStream<'static, String> {
        futures_util::stream::unfold(self, |mut answer| async move {
            let chunk = answer.chunk().await.ok()??;
            Some((String::from_utf8_lossy(&chunk).into_owned(), answer))
        })
        .boxed()
    }
}

#[tokio::test]
async fn events_are_replayed_and_then_followed() {
    let server = server(&[]).await;
    let first = server.events.emit(Fact::new(EventKind::SourceDown, 5, "gone"));
    let answer = get(&server, "/api/v1/events").await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    server.events.emit(Fact::new(EventKind::SourceUp, 6, "back"));
    let text = events_of(answer, 2).await;
    assert!(text.starts_with("event: source_down\n"), "{text}");
    assert!(text.contains("event: source_up\n") && text.contains(&format!("\"id\":{}", first.id)), "{text}");
}

#[tokio::test]
async fn a_returning_reader_gets_only_what_it_missed() {
    let server = server(&[]).await;
    let seen = server.events.emit(Fact::new(EventKind::SourceDown, 5, "gone"));
    server.events.emit(Fact::new(EventKind::SourceUp, 6, "back"));
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let request = client.get(format!("{}/api/v1/events", server.base)).header("last-event-id", seen.id);
    let text = events_of(request.send().await.expect("an answer"), 1).await;
    assert!(text.starts_with("event: source_up\n"), "{text}");
}

#[tokio::test]
async fn stop_ends_open_streams() {
    let server = server(&[]).await;
    let answer = get(&server, "/api/v1/events").await;
    server.shutdown.cancel();
    server.serving.await.expect("the task ends").expect("without an error");
    assert!(answer.bytes_stream_text().collect::<Vec<_>>().await.iter().all(|text| !text.contains("event:")));
}

#[tokio::test]
async fn peers_are_shown_up_and_down() {
    let peer = server(&[]).await;
    peer.view.send_replace(view(true));
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let named = |url: &str| PeerView { name: "two".into(), url: url.into(), ..PeerView::default() };
    let up = peers::refresh(&client, named(&peer.base)).await;
    assert_eq!((up.up, up.ready, up.slot, up.transactions.landed), (true, true, 77, 3));
    peer.shutdown.cancel();
    peer.serving.await.expect("the task ends").expect("without an error");
    let down = peers::refresh(&client, up).await;
    assert_eq!((down.up, down.ready, down.slot), (false, false, 77));
}

#[tokio::test]
async fn a_screen_gets_the_page_and_a_missing_file_does_not() {
    let server = server(&[]).await;
    let (screen, file) = (get(&server, "/vaults/one").await, get(&server, "/assets/none-12345678.js").await);
    assert_eq!(file.status(), 404);
    // With the app built in, every screen is the one page; without it, the answer says so.
    match screen.status().as_u16() {
        200 => assert_eq!(screen.headers()["cache-control"], "no-cache"),
        404 => assert!(screen.text().await.expect("a body").contains("without the app")),
        other => panic!("unexpected status {other}"),
    }
    assert_eq!(get(&server, "/../../Cargo.toml").await.status(), 404);
}

#[tokio::test]
async fn what_the_lab_found_is_served_once_it_is_there() {
    let server = server(&[]).await;
    let answer = get(&server, "/lab/backtest.json").await;
    assert_eq!(answer.status(), 404);
    assert!(answer.text().await.expect("a body").contains("http.lab_dir"));
    std::fs::write(server.lab.path().join("backtest.json"), b"{\"title\":\"one\"}").expect("a file");
    let answer = get(&server, "/lab/backtest.json").await;
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["content-type"].to_str().expect("text")),
        (200, "application/json")
    );
    assert_eq!(answer.json::<serde_json::Value>().await.expect("JSON")["title"], "one");
    std::fs::write(server.lab.path().join("cells.jsonl"), b"{}\n").expect("a file");
    // nothing else of the folder, or around it
    for name in [".hidden.json", "payer.key", "index.json"] {
        std::fs::write(server.lab.path().join(name), b"{}").expect("a file");
    }
    std::fs::create_dir(server.lab.path().join("folder.json")).expect("a folder");
    let index: serde_json::Value = get(&server, "/lab/index.json").await.json().await.expect("JSON");
    assert_eq!(index, serde_json::json!({ "results": ["backtest.json", "cells.jsonl"] }));
    for path in ["/lab/.hidden.json", "/lab/payer.key", "/lab/..%2Fbacktest.json", "/lab/%2e%2e%2fbacktest.json"] {
        assert_eq!(get(&server, path).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn results_of_the_lab_that_are_no_file_are_refused() {
    let server = server(&[]).await;
    std::fs::create_dir(server.lab.path().join("backtest.json")).expect("a folder");
    let answer = get(&server, "/lab/backtest.json").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.expect("a body").contains("the keeper's log says why"));
}

#[tokio::test]
async fn accounts_are_listed_by_kind_and_asked_for_once_in_a_while() {
    let server = server(&[]).await;
    for _ in 0..3 {
        let answer = get(&server, "/api/v1/accounts?kind=pending_change").await;
        let body: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!((&body["schema"], &body["slot"]), (&1.into(), &9.into()));
        assert_eq!(body["accounts"][0]["address"], ASSET.to_string());
        // the discriminator of a pending change in base64
        assert_eq!(body["accounts"][0]["data"], "6LewxA/Dc5M=");
    }
    assert_eq!(server.list.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_a_change_may_be_about_is_listed_the_dollar_limit_by_its_address() {
    let server = server(&[]).await;
    let listed = async |kind: &str| -> serde_json::Value {
        get(&server, &format!("/api/v1/accounts?kind={kind}")).await.json().await.expect("JSON")
    };
    let limit = rampart_client::address::aggregate(&ASSET).to_string();
    assert_eq!(listed("aggregate_limit").await["accounts"][0]["address"], limit);
    let wanted = STANDARD.encode(Child::Integration.discriminator());
    assert_eq!(listed("integration").await["accounts"][0]["data"], wanted);
}

#[tokio::test]
async fn accounts_of_unknown_kinds_are_refused_and_failures_are_told() {
    let server = server(&[]).await;
    assert_eq!(get(&server, "/api/v1/accounts?kind=position").await.status(), 400);
    assert_eq!(get(&server, "/api/v1/accounts").await.status(), 400);
    assert_eq!(get(&server, "/api/v1/accounts?kind=reserve").await.status(), 503);
}

#[tokio::test]
async fn positions_are_found_by_their_owner() {
    let server = server(&[]).await;
    let vault = crate::view::VaultView { address: ASSET.to_string(), ..Default::default() };
    server.view.send_replace(Arc::new(View { vaults: vec![vault], ..View::default() }));
    let answer = get(&server, &format!("/api/v1/positions?owner={}", rampart::ID)).await;
    let body: serde_json::Value = answer.json().await.expect("JSON");
    let wanted = rampart_client::address::position(&ASSET, &rampart::ID).to_string();
    assert_eq!(body["accounts"][0]["address"], wanted);
    assert_eq!(get(&server, "/api/v1/positions?owner=nobody").await.status(), 400);
}

async fn relayed(server: &Server, body: serde_json::Value) -> (u16, serde_json::Value) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = client.post(format!("{}/api/v1/rpc", server.base)).json(&body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn requests_of_the_app_are_passed_on_and_answered_as_the_chain_does() {
    use serde_json::json;
    let server = server(&[]).await;
    let ask = |method: &str, params| json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    let (status, answer) = relayed(&server, ask("getBlockHeight", json!([{ "commitment": "confirmed" }]))).await;
    assert_eq!((status, &answer["id"]), (200, &json!(7)));
    assert_eq!(answer["result"], json!(["getBlockHeight", [{ "commitment": "confirmed" }]]));
    assert!(answer.get("error").is_none());
    let (status, answer) = relayed(&server, ask("getSignatureStatuses", json!([]))).await;
    assert_eq!((status, &answer["error"]), (200, &json!({ "code": -32_602, "message": "which?" })));
    let (status, answer) = relayed(&server, ask("getGenesisHash", json!([]))).await;
    assert_eq!((status, &answer["error"]["code"]), (200, &json!(-32_000)));
}

#[tokio::test]
async fn what_the_app_does_not_need_is_not_passed_on() {
    use serde_json::json;
    let server = server(&[]).await;
    for (method, params) in [
        ("requestAirdrop", json!([])),
        ("getProgramAccounts", json!([Pubkey::default().to_string()])),
        ("getProgramAccounts", json!([])),
    ] {
        let (status, answer) = relayed(&server, json!({ "id": 1, "method": method, "params": params })).await;
        assert_eq!(status, 400, "{method}: {answer}");
    }
    let ours = json!({ "id": 1, "method": "getProgramAccounts", "params": [rampart::ID.to_string()] });
    assert_eq!(relayed(&server, ours).await.0, 200);
    let long = json!({ "id": 1, "method": "getBlockHeight", "params": ["x".repeat(relay::LARGEST_BODY)] });
    assert_eq!(relayed(&server, long).await.0, 400);
}
