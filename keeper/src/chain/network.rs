//! The way out of the process: every request and every stream of the keeper goes through here.
//!
//! What is asked, and what an answer means, stays the same whatever is behind it: the host's network, or a simulated one.

use crate::chain::http::{CallError, LONGEST_BODY};
use futures_util::future::{BoxFuture, FutureExt};
use reqwest::header::RETRY_AFTER;
use serde_json::Value;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A stream of bytes in both directions.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// What came back from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Status of HTTP.
    pub status: u16,
    /// How long the endpoint asks to wait, where it says so.
    pub retry_after: Option<Duration>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// The way out of the process.
pub trait Network: Send + Sync + 'static {
    /// Posts `request` to `url` and waits at most `patience` for the whole reply.
    ///
    /// An error is `Transport`, where nobody replied or not whole, or `TooLong`.
    fn post<'a>(
        &'a self,
        url: &'a str,
        request: &'a Value,
        patience: Duration,
    ) -> BoxFuture<'a, Result<Reply, CallError>>;

    /// Opens a stream to `authority`, a host with its port.
    fn dial<'a>(&'a self, authority: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Io>>>;
}

/// The host's network.
#[derive(Clone, Debug, Default)]
pub struct HostNetwork {
    client: reqwest::Client,
}

impl Network for HostNetwork {
    fn post<'a>(
        &'a self,
        url: &'a str,
        request: &'a Value,
        patience: Duration,
    ) -> BoxFuture<'a, Result<Reply, CallError>> {
        // the address may hold a key: it is never part of an error
        let failed = |error: reqwest::Error| CallError::Transport(Box::new(error.without_url()));
        async move {
            let mut reply = self.client.post(url).timeout(patience).json(request).send().await.map_err(failed)?;
            let retry_after = reply.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let (status, retry_after) = (reply.status().as_u16(), retry_after.map(Duration::from_secs));
            let mut body = Vec::new();
            // up to the longest that is believable
            while let Some(chunk) = reply.chunk().await.map_err(failed)? {
                if body.len() + chunk.len() > LONGEST_BODY {
                    return Err(CallError::TooLong);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Reply { status, retry_after, body })
        }
        .boxed()
    }

    fn dial<'a>(&'a self, authority: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Io>>> {
        async move { TcpStream::connect(authority).await.map(|stream| Box::new(stream) as Box<dyn Io>) }.boxed()
    }
}
