//! Why an endpoint gave no answer that can be used.

use crate::chain::http::CallError;
use thiserror::Error;

/// Why the chain could not be asked. None of these says anything about the chain's state.
#[derive(Debug, Error)]
pub enum RpcError {
    /// The endpoint refused, failed, or did not answer in time.
    #[error("failed to ask the endpoint for {what}")]
    Request {
        /// What was asked for.
        what: &'static str,
        /// Why it failed.
        source: CallError,
    },
    /// The answer is about the past.
    #[error("endpoint answered for slot {slot}, {lag} slots behind the newest known")]
    Behind {
        /// Slot of the answer.
        slot: u64,
        /// How far behind.
        lag: u64,
    },
    /// The blockhash is too old to sign with.
    #[error("endpoint gave a blockhash of slot {slot}, {lag} slots behind the newest known")]
    OldBlockhash {
        /// Slot of the blockhash.
        slot: u64,
        /// How far behind.
        lag: u64,
    },
    /// The answer is about slots that can't have been.
    #[error("endpoint answered for slot {slot}, {ahead} slots ahead of what others tell of")]
    Ahead {
        /// Slot of the answer.
        slot: u64,
        /// How far ahead.
        ahead: u64,
    },
    /// No endpoint can be asked now: all are in quarantine, or asked for a rest.
    #[error("no endpoint can be asked now")]
    NoEndpoint,
    /// The answer can't be read.
    #[error("endpoint gave an answer about {what} that can't be read")]
    Unreadable {
        /// What was asked for.
        what: &'static str,
    },
}

impl RpcError {
    /// Tells whether it was too much for one answer: less of it may be asked for.
    pub const fn is_too_much(&self) -> bool {
        matches!(self, Self::Request { source, .. } if source.is_too_much())
    }

    /// Tells whether the same request may succeed later. All of them may.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Request { .. } | Self::Behind { .. } | Self::Ahead { .. } | Self::Unreadable { .. } => true,
            Self::OldBlockhash { .. } | Self::NoEndpoint => true,
        }
    }

    /// Returns the name used in metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Request { source, .. } => source.as_str(),
            Self::Behind { .. } => "behind",
            Self::OldBlockhash { .. } => "old_blockhash",
            Self::Ahead { .. } => "ahead",
            Self::NoEndpoint => "no_endpoint",
            Self::Unreadable { .. } => "unreadable",
        }
    }
}
