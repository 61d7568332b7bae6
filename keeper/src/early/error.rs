//! Why a source of early prices gives none, and what to do about it.

use crate::chain::http::CallError;
use crate::chain::rpc::RpcError;
use crate::config::SignalSettings;
use crate::config::payer::KeyError;
use std::time::Duration;
use thiserror::Error;

/// Why a source gives no prices.
#[derive(Debug, Error)]
pub enum SignalError {
    /// The file of its key can't be used.
    #[error("its key can't be read")]
    Key(#[from] KeyError),
    /// It refuses the key, or wants one.
    #[error("the server refuses access with status {0}")]
    Refused(u16),
    /// It asks for fewer requests.
    #[error("the server asks to wait {} s", .0.as_secs())]
    Limited(Duration),
    /// It answers with another status.
    #[error("the server answers with status {0}")]
    Status(u16),
    /// It can't be reached, or broke off.
    #[error("the server can't be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It ended the stream.
    #[error("the server ended the stream")]
    Ended,
    /// It is connected and says nothing.
    #[error("nothing came for {} s", .0.as_secs())]
    Silent(Duration),
    /// What it says can't be read.
    #[error("what the server says can't be read: {0}")]
    Malformed(&'static str),
}

impl SignalError {
    /// Returns the name used in metrics, in events and in the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Refused(_) => "refused",
            Self::Limited(_) => "rate_limited",
            Self::Status(_) => "status",
            Self::Unreachable(_) => "unreachable",
            Self::Ended => "ended",
            Self::Silent(_) => "silent",
            Self::Malformed(_) => "malformed",
        }
    }

    /// Returns what an operator can do about it.
    pub fn fix(&self, settings: &SignalSettings) -> String {
        let file = || settings.key_file.as_ref().map(|path| path.display().to_string());
        match (self, file()) {
            (Self::Key(error), _) => error.hint(),
            (Self::Refused(_), Some(path)) => format!("put a valid key into `{path}`; it is read anew at each attempt"),
            (Self::Refused(_), None) => "set `key_file` of this signal to a file with a key of the provider".into(),
            (Self::Limited(_), _) => "ask for a higher limit, or let fewer keepers share the key or the address".into(),
            (Self::Status(404), _) => {
                "check `url` of this signal: it is the base address, without a path of the API".into()
            }
            (Self::Malformed(_), _) => "check that `kind` and `url` of this signal belong together".into(),
            (Self::Status(_) | Self::Unreachable(_) | Self::Ended | Self::Silent(_), _) => {
                "check `url` of this signal and the provider's state; it is tried again by itself".into()
            }
        }
    }

    /// Reads a status that isn't success. `wait`: what the server asked for, if anything.
    pub(super) fn of_status(status: u16, wait: Option<Duration>) -> Self {
        match status {
            401 | 403 => Self::Refused(status),
            429 => Self::Limited(wait.unwrap_or(ASSUMED_WAIT).clamp(SHORTEST_WAIT, LONGEST_WAIT)),
            _ => Self::Status(status),
        }
    }
}

/// Hermes turns everything away for a minute once the limit is passed.
///
/// # Source
/// docs.pyth.network, "Rate limits" of Hermes.
const ASSUMED_WAIT: Duration = Duration::from_secs(60);
/// A server that asks for no wait at all is not asked in a loop.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// The longest that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

impl From<reqwest::Error> for SignalError {
    fn from(error: reqwest::Error) -> Self {
        // the address may hold a key
        Self::Unreachable(Box::new(error.without_url()))
    }
}

impl From<RpcError> for SignalError {
    fn from(error: RpcError) -> Self {
        match error {
            RpcError::Request { source: CallError::TooMany(wait), .. } => Self::of_status(429, Some(wait)),
            RpcError::Request { source: CallError::Status(status), .. } => Self::of_status(status, None),
            RpcError::Request { source: CallError::Transport(cause), .. } => Self::Unreachable(cause),
            RpcError::Request { source: CallError::Refused { .. }, .. } => Self::Malformed("the node refused"),
            RpcError::Request { source: CallError::TooLong | CallError::NotJson | CallError::Shape(_), .. }
            | RpcError::Unreadable { .. } => Self::Malformed("it is no answer of a node"),
            RpcError::Behind { .. } | RpcError::OldBlockhash { .. } | RpcError::Ahead { .. } | RpcError::NoEndpoint => {
                Self::Malformed("it answers for a slot that can't be")
            }
        }
    }
}
