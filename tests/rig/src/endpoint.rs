//! One endpoint: HTTP and WebSocket on loopback, with faults of its own.

use crate::chain::{Chain, Forwards};
use crate::faults::{Faults, HttpFault, SendFault};
use crate::{pubsub, rpc};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use rampart_client::Pubkey;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A running endpoint. Clones share it.
#[derive(Clone)]
pub struct Endpoint {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    chain: Chain,
    http: String,
    ws: String,
    faults: Mutex<Faults>,
    asked: Mutex<BTreeMap<String, u64>>,
    /// Raised to end every open WebSocket without a close.
    resets: watch::Sender<u64>,
    sockets: watch::Sender<u64>,
    subscriptions: Mutex<BTreeMap<Pubkey, u64>>,
}

impl Endpoint {
    /// Starts an endpoint of `chain`.
    ///
    /// # Panics
    /// If loopback has no free port.
    pub async fn start(name: &str, chain: &Chain) -> Self {
        let http = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let ws = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = |listener: &tokio::net::TcpListener| listener.local_addr().expect("an address");
        let endpoint = Self {
            shared: Arc::new(Shared {
                name: name.to_owned(),
                chain: chain.clone(),
                http: format!("http://{}", address(&http)),
                ws: format!("ws://{}", address(&ws)),
                faults: Mutex::default(),
                asked: Mutex::default(),
                resets: watch::Sender::new(0),
                sockets: watch::Sender::new(0),
                subscriptions: Mutex::default(),
            }),
        };
        let router = Router::new().route("/", post(answer)).with_state(endpoint.clone());
        tokio::spawn(async move { axum::serve(http, router).await });
        tokio::spawn(pubsub::accept(ws, endpoint.clone()));
        endpoint
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Returns the chain that it serves.
    pub fn chain(&self) -> &Chain {
        &self.shared.chain
    }

    /// Returns the address of its JSON-RPC.
    pub fn http(&self) -> &str {
        &self.shared.http
    }

    /// Returns the address of its subscriptions.
    pub fn ws(&self) -> &str {
        &self.shared.ws
    }

    /// Returns its switches.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Switches every fault off.
    pub fn heal(&self) {
        *self.faults() = Faults::default();
    }

    /// Drops every open WebSocket without a close.
    pub fn reset_sockets(&self) {
        self.shared.resets.send_modify(|resets| *resets += 1);
    }

    /// Returns how many WebSockets were opened so far.
    pub fn sockets_opened(&self) -> u64 {
        *self.shared.sockets.borrow()
    }

    /// Returns how often an account was subscribed to.
    pub fn subscriptions_of(&self, account: &Pubkey) -> u64 {
        let subscriptions = self.shared.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        subscriptions.get(account).copied().unwrap_or(0)
    }

    /// Returns how often a method was asked for; the empty name stands for all.
    pub fn asked(&self, method: &str) -> u64 {
        let asked = self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if method.is_empty() { asked.values().sum() } else { asked.get(method).copied().unwrap_or(0) }
    }

    pub(crate) fn resets(&self) -> watch::Receiver<u64> {
        self.shared.resets.subscribe()
    }

    pub(crate) fn note_subscription(&self, account: Pubkey) {
        let mut subscriptions = self.shared.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        *subscriptions.entry(account).or_default() += 1;
    }

    pub(crate) fn note_socket(&self) {
        self.shared.sockets.send_modify(|sockets| *sockets += 1);
    }

    fn note(&self, method: &str) {
        let mut asked = self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        *asked.entry(method.to_owned()).or_default() += 1;
    }

    /// Takes a transaction in as the switches say.
    async fn take(&self, request: &Value) -> Response {
        let fault = self.faults().send;
        match fault {
            Some(SendFault::TooManyRequests) => return too_many(1),
            Some(SendFault::Unavailable) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
            _ => {}
        }
        let bytes = rpc::sent_bytes(&request["params"]);
        let forwards = match fault {
            Some(SendFault::Dropped) => Forwards::Never,
            _ if request["params"][1]["maxRetries"] == 0 => Forwards::Once,
            _ => Forwards::Repeatedly,
        };
        let signature = bytes.and_then(|bytes| self.chain().receive(self.name(), &bytes, forwards));
        if fault == Some(SendFault::ForwardedWithoutAnswer) {
            std::future::pending::<()>().await;
        }
        Json(match signature {
            Some(signature) => json!({ "jsonrpc": "2.0", "id": request["id"], "result": signature.to_string() }),
            None => rpc::error(request, -32_602, "invalid transaction"),
        })
        .into_response()
    }
}

async fn answer(State(endpoint): State<Endpoint>, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let method = request["method"].as_str().unwrap_or_default().to_owned();
    endpoint.note(&method);
    let faults = endpoint.faults().clone();
    match faults.http {
        Some(HttpFault::TooManyRequests { retry_after_secs }) => return too_many(retry_after_secs),
        Some(HttpFault::JsonError) => return Json(rpc::error(&request, -32_603, "internal error")).into_response(),
        Some(HttpFault::Html) => return axum::response::Html("<html><body>bad gateway</body></html>").into_response(),
        Some(HttpFault::Unavailable) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(HttpFault::Hang) => std::future::pending::<()>().await,
        Some(HttpFault::Truncated) | None => {}
    }
    if faults.methods_down.contains(method.as_str()) {
        return Json(rpc::error(&request, -32_010, "method is disabled on this node")).into_response();
    }
    if method == "sendTransaction" {
        return endpoint.take(&request).await;
    }
    let answer = rpc::answer(endpoint.chain(), &faults, &request);
    if faults.http == Some(HttpFault::Truncated) {
        let text = answer.to_string();
        let half = text.get(..text.len() / 2).unwrap_or_default().to_owned();
        return ([(header::CONTENT_TYPE, "application/json")], half).into_response();
    }
    Json(answer).into_response()
}

fn too_many(retry_after_secs: u64) -> Response {
    let retry_after = HeaderValue::from(retry_after_secs);
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, retry_after)], "slow down").into_response()
}
