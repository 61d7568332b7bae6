//! Requests of the app to the chain, passed on to the keeper's own endpoints: simulations, what a wallet signed, single accounts.
//!
//! A page that the keeper serves may talk to nobody else, and an operator's endpoint may hold a key that no browser should see.
//! Only what the app needs is passed on, a few at a time, behind everything of the keeper's own; what becomes of it says
//! nothing about an endpoint. Acting needs no token here: a transaction is signed by whoever may, or it does nothing.

use super::ApiState;
use super::api::refuse;
use crate::chain::http::CallError;
use crate::chain::pool::Pool;
use crate::chain::rpc::RpcError;
use crate::error::chain;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Longest body that is passed on: a hundred addresses, or a transaction, with room.
pub(super) const LARGEST_BODY: usize = 16_384;
/// Requests that are under way at once.
const AT_ONCE: usize = 4;
/// Nobody answers now: a number that JSON-RPC leaves to servers.
const NOBODY: i64 = -32_000;

/// Who passes requests on.
pub trait Chain: Send + Sync + 'static {
    /// Asks any endpoint that may be asked.
    fn ask<'a>(&'a self, method: &'static str, params: Value) -> BoxFuture<'a, Result<Value, RpcError>>;
}

impl Chain for Pool {
    fn ask<'a>(&'a self, method: &'static str, params: Value) -> BoxFuture<'a, Result<Value, RpcError>> {
        self.pass_on(method, params).boxed()
    }
}

/// The way to the chain.
#[derive(Clone)]
pub(super) struct Relay {
    chain: Arc<dyn Chain>,
    seats: Arc<Semaphore>,
}

impl Relay {
    pub(super) fn new(chain: Arc<dyn Chain>) -> Self {
        Self { chain, seats: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

/// What is passed on.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Method {
    /// The chain's identity.
    GetGenesisHash,
    /// A blockhash to sign with.
    GetLatestBlockhash,
    /// The height by which a blockhash ends.
    GetBlockHeight,
    /// Accounts by address.
    GetMultipleAccounts,
    /// Accounts of this program.
    GetProgramAccounts,
    /// Transactions that named an account.
    GetSignaturesForAddress,
    /// What became of signatures.
    GetSignatureStatuses,
    /// A transaction that landed, with its logs.
    GetTransaction,
    /// A signed transaction.
    SendTransaction,
    /// What a transaction would do.
    SimulateTransaction,
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::GetGenesisHash => "getGenesisHash",
            Self::GetLatestBlockhash => "getLatestBlockhash",
            Self::GetBlockHeight => "getBlockHeight",
            Self::GetMultipleAccounts => "getMultipleAccounts",
            Self::GetProgramAccounts => "getProgramAccounts",
            Self::GetSignaturesForAddress => "getSignaturesForAddress",
            Self::GetSignatureStatuses => "getSignatureStatuses",
            Self::GetTransaction => "getTransaction",
            Self::SendTransaction => "sendTransaction",
            Self::SimulateTransaction => "simulateTransaction",
        }
    }
}

/// A request of JSON-RPC 2.0.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "RpcRequest")]
pub(super) struct Request {
    /// Given back with the answer.
    id: Value,
    /// What is asked.
    method: Method,
    /// Its parameters, as the method has them.
    #[serde(default)]
    params: Vec<Value>,
}

/// An answer of JSON-RPC 2.0: a result or an error.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RpcAnswer")]
pub(super) struct Answer {
    /// `2.0`.
    jsonrpc: &'static str,
    /// That of the request.
    id: Value,
    /// As the method gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Refused>,
}

/// Why there is no result.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RpcRefused")]
struct Refused {
    /// The endpoint's number, or -32000 where nobody answers.
    code: i64,
    /// What the endpoint said.
    message: String,
}

/// 404 means that this keeper passes nothing on, 503 that too many requests are under way.
pub(super) async fn relay(State(state): State<ApiState>, body: Result<Json<Request>, JsonRejection>) -> Response {
    let Some(relay) = &state.relay else {
        return refuse(StatusCode::NOT_FOUND, "this keeper passes nothing on to the chain; `http.relay` says so");
    };
    let Ok(Json(Request { id, method, params })) = body else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "the body must be a request of JSON-RPC for a method that is passed on",
        );
    };
    let is_ours = params.first().and_then(Value::as_str) == Some(&rampart::ID.to_string());
    if matches!(method, Method::GetProgramAccounts) && !is_ours {
        return refuse(StatusCode::BAD_REQUEST, "only accounts of the guard's program are listed");
    }
    let Ok(_seat) = relay.seats.try_acquire() else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many requests are under way; ask again in a moment");
    };
    let (result, error) = match relay.chain.ask(method.name(), Value::Array(params)).await {
        Ok(result) => (Some(result), None),
        Err(RpcError::Request { source: CallError::Refused { code, message }, .. }) => {
            (None, Some(Refused { code, message }))
        }
        Err(error) => {
            // the answer goes to anybody who can reach the API: it says no more than it must
            tracing::warn!(method = method.name(), "a request of the app has no answer: {}", chain(&error));
            let message = "no endpoint answers now; the keeper's log says why".to_owned();
            (None, Some(Refused { code: NOBODY, message }))
        }
    };
    Json(Answer { jsonrpc: "2.0", id, result, error }).into_response()
}
