//! Why the API cannot be served or asked.

use std::io;
use std::net::SocketAddr;

/// Why the API cannot be served or asked.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address cannot be taken.
    #[error("failed to listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The listener failed.
    #[error("failed to serve the API")]
    Serve {
        /// What the system said.
        source: io::Error,
    },
    /// A running keeper could not be asked.
    #[error("failed to ask the keeper at {url}")]
    Ask {
        /// What was asked.
        url: String,
        /// Why it failed.
        source: reqwest::Error,
    },
}

impl HttpError {
    /// Returns whether trying again may help.
    pub const fn is_transient(&self) -> bool {
        true
    }

    /// Returns what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Bind { .. } => "stop what listens there, or set `http.listen` to another port".into(),
            Self::Serve { .. } => "restart the keeper; nothing that was sent is lost".into(),
            Self::Ask { .. } => "check that the keeper runs, and that `http.listen` is the address it runs with".into(),
        }
    }
}
