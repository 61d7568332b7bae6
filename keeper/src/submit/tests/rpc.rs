//! What is asked of a node over JSON-RPC, and how its answers are read.

use crate::metrics::Metrics;
use crate::submit::wire::{Found, RpcWire, Tip, Wire, WireError};
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::TransactionError;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

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

async fn wire(answers: &[(&'static str, Value)]) -> (RpcWire, Node) {
    let node = Node { answers: Arc::new(answers.iter().cloned().collect()), asked: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().route("/", post(answer)).with_state(node.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (RpcWire::new(Arc::new(RpcClient::new(url)), Metrics::new()), node)
}

fn status(confirmation: &str, error: Value) -> Value {
    let status = if error.is_null() { json!({ "Ok": null }) } else { json!({ "Err": error }) };
    json!({ "slot": 90, "confirmations": 1, "status": status, "err": error, "confirmationStatus": confirmation })
}

#[tokio::test]
async fn bytes_are_sent_without_preflight_and_without_retries_by_the_node() {
    let (wire, node) = wire(&[("sendTransaction", json!(Signature::default().to_string()))]).await;
    wire.send(&[1, 2, 3]).await.expect("an answer");
    let asked = node.asked.lock().expect("no panic holds it").clone();
    let options = json!({ "encoding": "base64", "skipPreflight": true, "maxRetries": 0 });
    assert_eq!(asked[0]["params"], json!(["AQID", options]));
    assert_eq!(asked.len(), 1, "one request, nothing before it");
}

#[tokio::test]
async fn statuses_tell_landed_refused_unconfirmed_and_unseen_apart() {
    let refusal = json!({ "InstructionError": [2, { "Custom": 6_055 }] });
    let value =
        json!([status("confirmed", json!(null)), status("finalized", refusal), status("processed", json!(null)), null]);
    let (wire, node) = wire(&[("getSignatureStatuses", json!({ "context": { "slot": 99 }, "value": value }))]).await;
    let signatures = [1, 2, 3, 4].map(|number| Signature::from([number; 64]));
    let statuses = wire.statuses(&signatures, true).await.expect("an answer");
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
    let error = wire.statuses(&[Signature::default()], false).await.expect_err("a refusal");
    assert!(matches!(error, WireError::Shape(_)), "{error}");
}

#[tokio::test]
async fn an_error_of_the_node_is_no_answer() {
    let (wire, _) = wire(&[]).await;
    assert!(matches!(wire.statuses(&[Signature::default()], true).await, Err(WireError::Rpc(_))));
    assert!(matches!(wire.tip().await, Err(WireError::Rpc(_))));
    assert!(matches!(wire.send(&[1]).await, Err(WireError::Rpc(_))));
    assert_eq!(wire.compute_units(&Signature::default()).await, None);
}

#[tokio::test]
async fn tip_is_the_lower_of_both_heights() {
    let epoch = |height: u64| json!({ "absoluteSlot": 500, "blockHeight": height, "epoch": 1, "slotIndex": 1, "slotsInEpoch": 10, "transactionCount": 1 });
    for (height, of_epoch) in [(400, 431), (431, 400)] {
        let (wire, node) = wire(&[("getBlockHeight", json!(height)), ("getEpochInfo", epoch(of_epoch))]).await;
        assert_eq!(wire.tip().await.expect("an answer"), Tip { slot: 500, block_height: 400 });
        let asked = node.asked.lock().expect("no panic holds it").clone();
        assert!(asked.iter().all(|request| request["params"][0]["commitment"] == "confirmed"), "{asked:?}");
    }
}

#[tokio::test]
async fn compute_units_are_read_from_the_transaction() {
    let (wire, _) =
        wire(&[("getTransaction", json!({ "slot": 90, "meta": { "computeUnitsConsumed": 12_345 } }))]).await;
    assert_eq!(wire.compute_units(&Signature::default()).await, Some(12_345));
}
