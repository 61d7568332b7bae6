//! What is asked of a node over JSON-RPC, and how its answers are read.

use crate::chain::pool::Pool;
use crate::chain::rpc::Rpc;
use crate::chain::standing::Use;
use crate::config::Commitment;
use crate::intent::{ActionClass, Blockhash, Outcome};
use crate::metrics::Metrics;
use crate::submit::once::{self, Once};
use crate::submit::step::NextStep;
use crate::submit::wire::{Found, PoolWire, Simulated, Tip, Wire, WireError};
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use solana_sdk::hash::Hash;
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::TransactionError;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Answers by method, and everything that was asked.
#[derive(Clone)]
struct Node {
    answers: Arc<BTreeMap<&'static str, Value>>,
    asked: Arc<Mutex<Vec<Value>>>,
}

async fn answer(State(node): State<Node>, Json(request): Json<Value>) -> Json<Value> {
    let method = request["method"].as_str().expect("a method").to_owned();
    let (key, content) = match node.answers.get(method.as_str()) {
        Some(result) => ("result", result.clone()),
        None => ("error", json!({ "code": -32_011, "message": "Transaction history is not available from this node" })),
    };
    node.asked.lock().expect("no panic holds it").push(request.clone());
    Json(json!({ "jsonrpc": "2.0", "id": request["id"], key: content }))
}

async fn wire(answers: &[(&'static str, Value)]) -> (PoolWire, Node) {
    let (url, node) = node(answers).await;
    (over(&[url]), node)
}

async fn node(answers: &[(&'static str, Value)]) -> (String, Node) {
    let node = Node { answers: Arc::new(answers.iter().cloned().collect()), asked: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().route("/", post(answer)).with_state(node.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, node)
}

/// All of `urls`, believed.
fn over(urls: &[String]) -> PoolWire {
    PoolWire::new(pool(urls), &[], Metrics::new())
}

fn pool(urls: &[String]) -> Arc<Pool> {
    let endpoint = |(n, url)| toml::from_str(&format!("name = \"e{n}\"\nhttp = \"{url}\"")).expect("settings");
    let endpoints = urls.iter().enumerate().map(endpoint).collect();
    let pool = Arc::new(Pool::new(endpoints, Commitment::Processed, Metrics::new()));
    pool.endpoints().iter().for_each(|endpoint| pool.verified(endpoint));
    pool
}

fn status(confirmation: &str, error: Value) -> Value {
    let status = if error.is_null() { json!({ "Ok": null }) } else { json!({ "Err": error }) };
    json!({ "slot": 90, "confirmations": 1, "status": status, "err": error, "confirmationStatus": confirmation })
}

#[tokio::test]
async fn bytes_are_sent_without_preflight_and_without_retries_by_the_node() {
    let (wire, node) = wire(&[("sendTransaction", json!(Signature::default().to_string()))]).await;
    wire.send(ActionClass::Trip, &[1, 2, 3]).await.expect("an answer");
    let asked = node.asked.lock().expect("no panic holds it").clone();
    let options = json!({ "encoding": "base64", "skipPreflight": true, "maxRetries": 0 });
    assert_eq!(asked[0]["params"], json!(["AQID", options]));
    assert_eq!(asked.len(), 1, "one request, nothing before it");
}

/// The same bytes are sent again in every slot; at a way that hung each of these requests stayed open.
#[tokio::test]
async fn way_that_has_not_answered_is_not_asked_again_for_the_same_bytes() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let hang = move || {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<Json<Value>>()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(hang))).await });
    let (up, node) = node(&[("sendTransaction", json!(Signature::default().to_string()))]).await;
    let wire = Arc::new(over(&[url, up]));
    for n in [1, 1, 2] {
        wire.send(ActionClass::Trip, &[n; 200]).await.expect("by the other way");
    }
    let heard = async {
        while asked.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(4), heard).await.expect("both of them come in");
    // a third one would come in by then
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(asked.load(Ordering::SeqCst), 2, "once for each transaction");
    assert_eq!(node.asked.lock().expect("no panic holds it").len(), 3, "one that answers is asked each time");
}

#[tokio::test]
async fn statuses_tell_landed_refused_unconfirmed_and_unseen_apart() {
    let refusal = json!({ "InstructionError": [2, { "Custom": 6_055 }] });
    let value =
        json!([status("confirmed", json!(null)), status("finalized", refusal), status("processed", json!(null)), null]);
    let (wire, node) = wire(&[("getSignatureStatuses", json!({ "context": { "slot": 99 }, "value": value }))]).await;
    let signatures = [1, 2, 3, 4].map(|number| Signature::from([number; 64]));
    let statuses = wire.statuses(&signatures, true, Use::Hot).await.expect("an answer");
    let error = TransactionError::InstructionError(2, InstructionError::Custom(6_055));
    let found = |result, is_confirmed| Some(Found { slot: 90, result, is_confirmed });
    assert_eq!(statuses.context_slot, 99);
    assert_eq!(statuses.found, [found(Ok(()), true), found(Err(error), true), found(Ok(()), false), None]);
    let asked = node.asked.lock().expect("no panic holds it").clone();
    assert_eq!(asked[0]["params"][1]["searchTransactionHistory"], true);
}

#[tokio::test]
async fn a_short_answer_is_no_answer() {
    let (wire, _) = wire(&[("getSignatureStatuses", json!({ "context": { "slot": 99 }, "value": [] }))]).await;
    let error = wire.statuses(&[Signature::default()], false, Use::Hot).await.expect_err("a refusal");
    assert!(matches!(error, WireError::Shape(_)), "{error}");
}

#[tokio::test]
async fn an_error_of_the_node_is_no_answer() {
    let fresh = async || wire(&[]).await.0;
    assert!(matches!(fresh().await.statuses(&[Signature::default()], true, Use::Hot).await, Err(WireError::Rpc(_))));
    assert!(matches!(fresh().await.tip(Use::Hot).await, Err(WireError::Rpc(_))));
    assert!(matches!(fresh().await.send(ActionClass::Trip, &[1]).await, Err(WireError::Call(_))));
    assert_eq!(fresh().await.compute_units(&Signature::default(), Use::Hot).await, None);
}

#[tokio::test]
async fn tip_is_the_lower_of_both_heights() {
    let epoch = |height: u64| json!({ "absoluteSlot": 500, "blockHeight": height, "epoch": 1, "slotIndex": 1, "slotsInEpoch": 10, "transactionCount": 1 });
    for (height, of_epoch) in [(400, 431), (431, 400)] {
        let (wire, node) = wire(&[("getBlockHeight", json!(height)), ("getEpochInfo", epoch(of_epoch))]).await;
        assert_eq!(wire.tip(Use::Hot).await.expect("an answer"), Tip { slot: 500, block_height: 400, is_agreed: true });
        let asked = node.asked.lock().expect("no panic holds it").clone();
        assert!(asked.iter().all(|request| request["params"][0]["commitment"] == "confirmed"), "{asked:?}");
    }
}

#[tokio::test]
async fn compute_units_are_read_from_the_transaction() {
    let (wire, _) =
        wire(&[("getTransaction", json!({ "slot": 90, "meta": { "computeUnitsConsumed": 12_345 } }))]).await;
    assert_eq!(wire.compute_units(&Signature::default(), Use::Hot).await, Some(12_345));
}

#[tokio::test]
async fn logs_are_read_from_the_transaction() {
    let (wire, _) = wire(&[("getTransaction", json!({ "meta": { "logMessages": ["Program log: a"] } }))]).await;
    assert_eq!(wire.logs(&Signature::default(), Use::Calm).await, Some(vec!["Program log: a".to_owned()]));
    for silent in [json!(null), json!({ "meta": { "logMessages": null } })] {
        let (wire, _) = self::wire(&[("getTransaction", silent)]).await;
        assert_eq!(wire.logs(&Signature::default(), Use::Calm).await, None, "the node keeps none");
    }
}

#[tokio::test]
async fn simulation_replaces_the_blockhash_and_asks_for_the_state_that_was_decided_on() {
    let refusal = json!({ "InstructionError": [2, { "Custom": 6_055 }] });
    let value = json!({ "err": refusal, "logs": ["Program log: a"], "unitsConsumed": 12_345, "accounts": null });
    let (wire, node) = wire(&[("simulateTransaction", json!({ "context": { "slot": 99 }, "value": value }))]).await;
    let simulated = wire.simulate(&[1, 2, 3], 98, Use::Calm).await.expect("an answer");
    let error = TransactionError::InstructionError(2, InstructionError::Custom(6_055));
    let logs = vec!["Program log: a".to_owned()];
    assert_eq!(simulated, Simulated { error: Some(error), logs, compute_units: Some(12_345) });
    let asked = node.asked.lock().expect("no panic holds it").clone();
    let options = json!({
        "encoding": "base64", "commitment": "processed", "sigVerify": false, "replaceRecentBlockhash": true,
        "minContextSlot": 98,
    });
    assert_eq!(asked[0]["params"], json!(["AQID", options]));
}

/// Of a node that was asked for version 0 at most, a newer transaction came back as an error.
#[tokio::test]
async fn history_is_asked_for_transactions_of_version_1_as_well() {
    let (wire, node) =
        wire(&[("getTransaction", json!({ "slot": 90, "meta": { "computeUnitsConsumed": 5 }, "version": 1 }))]).await;
    assert_eq!(wire.compute_units(&Signature::default(), Use::Hot).await, Some(5));
    let asked = node.asked.lock().expect("no panic holds it").clone();
    assert_eq!(asked[0]["params"][1]["maxSupportedTransactionVersion"], 1);
}

fn of_statuses(slot: u64, value: Value) -> [(&'static str, Value); 1] {
    [("getSignatureStatuses", json!({ "context": { "slot": slot }, "value": [value] }))]
}

/// A wire over nodes that answer as told.
async fn over_nodes(nodes: &[&[(&'static str, Value)]]) -> PoolWire {
    let mut urls = Vec::new();
    for answers in nodes {
        urls.push(node(answers).await.0);
    }
    over(&urls)
}

#[tokio::test]
async fn signature_is_missing_only_where_two_nodes_say_so() {
    let ask = async |nodes: &[&[(&'static str, Value)]]| {
        over_nodes(nodes).await.statuses(&[Signature::default()], true, Use::Hot).await.expect("an answer")
    };
    let (null, older) = (of_statuses(99, Value::Null), of_statuses(95, Value::Null));
    let both = ask(&[&null, &older]).await;
    assert_eq!((both.context_slot, both.found[0].is_none(), both.is_agreed), (95, true, true));
    let one = ask(&[&null, &[]]).await;
    assert_eq!((one.found[0].is_none(), one.is_agreed), (true, false), "the other did not say");
    let third = ask(&[&[], &null, &older]).await;
    assert!(third.is_agreed, "a third stands in for the first");
    let landed = of_statuses(90, status("confirmed", json!(null)));
    assert!(ask(&[&null, &landed]).await.found[0].as_ref().is_some_and(|found| found.is_confirmed));
}

fn at(height: u64, slot: u64) -> [(&'static str, Value); 2] {
    let epoch = json!({ "absoluteSlot": slot, "blockHeight": height, "epoch": 1, "slotIndex": 1, "slotsInEpoch": 10, "transactionCount": 1 });
    [("getBlockHeight", json!(height)), ("getEpochInfo", epoch)]
}

#[tokio::test]
async fn transaction_of_a_person_is_given_up_only_where_two_nodes_say_so() {
    let ask = async |nodes: &[(u64, Option<Value>)]| {
        let mut endpoints = Vec::new();
        for (height, told) in nodes {
            let status = told.clone().map(|told| of_statuses(600, told));
            let answers: Vec<_> = at(*height, 500).into_iter().chain(status.into_iter().flatten()).collect();
            endpoints.push(Rpc::new(&node(&answers).await.0, Commitment::Confirmed, Metrics::new()));
        }
        let blockhash = Blockhash { hash: Hash::default(), last_valid_block_height: 150 };
        let sent = Once { signature: Signature::default(), bytes: Vec::new(), blockhash };
        once::ask(&endpoints, &[&sent]).await.remove(0)
    };
    let (past, unseen) = (151, Some(Value::Null));
    let landed = Some(status("confirmed", json!(null)));
    let expired = NextStep::Settle(Outcome::Expired);
    assert_eq!(ask(&[(past, unseen.clone()), (past, unseen.clone())]).await, expired);
    assert_eq!(ask(&[(past, unseen.clone())]).await, expired, "there is no other to ask");
    assert_eq!(ask(&[(past, unseen.clone()), (past, None)]).await, NextStep::Doubt, "the other did not say");
    assert_eq!(ask(&[(past, unseen.clone()), (150, unseen.clone())]).await, NextStep::Resend, "it may land there");
    assert_eq!(ask(&[(past, None)]).await, NextStep::Resend, "nobody said");
    let landed_at = NextStep::Settle(Outcome::Landed { slot: 90, compute_units: None });
    assert_eq!(ask(&[(past, unseen), (past, landed)]).await, landed_at);
}

#[tokio::test]
async fn chain_is_past_a_height_only_where_two_nodes_say_so() {
    let tip = over_nodes(&[&at(400, 505), &at(390, 500)]).await.tip(Use::Hot).await.expect("an answer");
    assert_eq!(tip, Tip { slot: 505, block_height: 390, is_agreed: true });
    let known = |slot: u64| async move {
        let (up, down) = (node(&at(400, 505)).await.0, node(&[]).await.0);
        let pool = pool(&[up, down]);
        pool.judge(0, slot);
        PoolWire::new(pool, &[], Metrics::new()).tip(Use::Hot).await
    };
    assert_eq!(known(510).await.expect("an answer"), Tip { slot: 505, block_height: 400, is_agreed: false });
    for elsewhere in [400, 600] {
        let alone = known(elsewhere).await;
        assert!(matches!(alone, Err(WireError::Shape(_))), "{alone:?}");
    }
}
