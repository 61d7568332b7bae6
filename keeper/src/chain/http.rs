//! One JSON-RPC call over HTTP: an answer, or exactly why there is none.
//!
//! No retries and no waiting: who calls decides that. An answer that is cut off, a web page, or an error that comes with
//! status 200 is no answer.

use crate::chain::network::{HostNetwork, Network};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Wait that is assumed where an endpoint asks for one and names none.
const ASSUMED_WAIT: Duration = Duration::from_secs(1);
/// The longest that an endpoint may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Why a call has no answer. None of these says anything about the chain.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The endpoint could not be reached, or the answer did not come in time or not whole.
    #[error("the connection failed")]
    Transport(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The endpoint asks for fewer requests.
    #[error("the endpoint asks to wait {0:?}")]
    TooMany(Duration),
    /// The endpoint answered with another status than 200.
    #[error("the endpoint answered with status {0}")]
    Status(u16),
    /// The body does not end.
    #[error("the body is longer than {LONGEST_BODY} bytes")]
    TooLong,
    /// The body is no JSON-RPC answer: a web page, or half of one.
    #[error("the body is no JSON-RPC answer")]
    NotJson,
    /// The node refused.
    #[error("the node refused with code {code}: {message}")]
    Refused {
        /// JSON-RPC code.
        code: i64,
        /// What it said.
        message: String,
    },
    /// The answer does not fit the question.
    #[error("the answer has another shape: {0}")]
    Shape(#[source] serde_json::Error),
}

impl CallError {
    /// Returns the name used in metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Transport(_) => "unreachable",
            Self::TooMany(_) => "rate_limited",
            Self::Status(_) => "status",
            Self::TooLong => "too_long",
            Self::NotJson => "no_json",
            Self::Refused { .. } => "refused",
            Self::Shape(_) => "shape",
        }
    }

    /// Tells whether the node does not serve the method at all, or says that it can't serve it to us.
    ///
    /// # Source
    /// Method not found, and the range in which nodes say that a feature is off.
    pub const fn is_unserved(&self) -> bool {
        matches!(self, Self::Refused { code: -32_601 | -32_010, .. })
    }

    /// Tells whether it was too much for one answer: less of it may be asked for.
    ///
    /// # Source
    /// `JSON_RPC_SCAN_ERROR`: more than the node looks through for one listing.
    pub const fn is_too_much(&self) -> bool {
        matches!(self, Self::TooLong | Self::Refused { code: -32_012, .. })
    }

    /// Tells whether the node has not come as far as the slot that it was asked about.
    ///
    /// # Source
    /// `JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED`.
    pub const fn is_early(&self) -> bool {
        matches!(self, Self::Refused { code: -32_016, .. })
    }
}

/// The longest body that is read: a listing of some 60,000 accounts. Where there are more, less is asked for at once; what a body
/// says takes several times its size while it is read.
pub(super) const LONGEST_BODY: usize = 32 << 20;

/// One endpoint.
#[derive(Clone)]
pub struct Http {
    network: Arc<dyn Network>,
    url: String,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the address may hold a key
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Envelope {
    result: Option<Value>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

impl Http {
    /// An endpoint at `url`, reached over the host's network. Nothing is asked yet.
    pub fn new(url: &str) -> Self {
        Self::over(Arc::new(HostNetwork::default()), url)
    }

    /// An endpoint at `url`, reached over `network`. Nothing is asked yet.
    pub fn over(network: Arc<dyn Network>, url: &str) -> Self {
        Self { network, url: url.to_owned() }
    }

    /// Calls `method` and waits at most `patience` for the whole answer.
    ///
    /// # Errors
    /// All of [`CallError`].
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
        patience: Duration,
    ) -> Result<T, CallError> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let reply = self.network.post(&self.url, &request, patience).await?;
        match reply.status {
            429 => return Err(CallError::TooMany(reply.retry_after.unwrap_or(ASSUMED_WAIT).min(LONGEST_WAIT))),
            // some nodes tell a refusal by the status too
            200..300 | 400 => {}
            status => return Err(CallError::Status(status)),
        }
        let envelope: Envelope = serde_json::from_slice(&reply.body).map_err(|_| CallError::NotJson)?;
        match (envelope.error, envelope.result) {
            (Some(Refusal { code, message }), _) => Err(CallError::Refused { code, message }),
            (None, result) => serde_json::from_value(result.unwrap_or_default()).map_err(CallError::Shape),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::http::StatusCode;
    use axum::http::header::RETRY_AFTER;
    use axum::response::{IntoResponse, Response};
    use axum::routing::post;

    /// An endpoint that gives one answer to everything.
    async fn answering(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Http {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/key-in-the-path", listener.local_addr().unwrap());
        let router = Router::new().fallback(post(move || async move { answer() }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Http::new(&url)
    }

    async fn ask(http: &Http) -> Result<u64, CallError> {
        http.call("getSlot", json!([]), Duration::from_secs(5)).await
    }

    #[tokio::test]
    async fn fault_13_what_is_no_answer_is_told_apart_by_its_cause() {
        let whole = answering(|| r#"{"jsonrpc":"2.0","id":1,"result":7}"#.into_response()).await;
        assert_eq!(ask(&whole).await.unwrap(), 7);
        let half = answering(|| r#"{"jsonrpc":"2.0","id":1,"res"#.into_response()).await;
        assert!(matches!(ask(&half).await, Err(CallError::NotJson)));
        let page = answering(|| "<html>bad gateway</html>".into_response()).await;
        assert!(matches!(ask(&page).await, Err(CallError::NotJson)));
        let shape = answering(|| r#"{"result":"seven"}"#.into_response()).await;
        assert!(matches!(ask(&shape).await, Err(CallError::Shape(_))));
        let refused = answering(|| r#"{"error":{"code":-32601,"message":"no"}}"#.into_response()).await;
        let error = ask(&refused).await.unwrap_err();
        assert!(matches!(&error, CallError::Refused { code: -32_601, message } if message == "no"));
        assert!(error.is_unserved());
        let busy = answering(|| (StatusCode::SERVICE_UNAVAILABLE, "").into_response()).await;
        assert!(matches!(ask(&busy).await, Err(CallError::Status(503))));
    }

    #[tokio::test]
    async fn fault_12_wait_that_is_asked_for_is_read_and_bounded() {
        for (header, expected) in [("7", 7), ("1000000", 120), ("soon", 1)] {
            let answer = move || (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, header)], "").into_response();
            let error = ask(&answering(answer).await).await.unwrap_err();
            assert!(matches!(error, CallError::TooMany(wait) if wait == Duration::from_secs(expected)), "{error}");
        }
    }

    #[tokio::test]
    async fn address_is_in_no_error() {
        let error = ask(&Http::new("http://127.0.0.1:1/key-in-the-path")).await.unwrap_err();
        let text = crate::error::chain(&error);
        assert!(matches!(error, CallError::Transport(_)) && !text.contains("key-in-the-path"), "{text}");
    }
}
