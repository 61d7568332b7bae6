//! What is known of one endpoint: whether it may be asked, and why not.

use crate::chain::http::CallError;
use crate::chain::rpc::RpcError;
use std::time::{Duration, Instant};

/// The longest that an endpoint is left alone by requests that others wait for.
const LONGEST_HOT_REST: Duration = Duration::from_secs(1);
/// The shortest that the sweep leaves an endpoint alone that asked for fewer requests.
const SHORTEST_SWEEP_REST: Duration = Duration::from_secs(2);
/// Rest after a failure, doubled with each further one.
const FIRST_REST: Duration = Duration::from_millis(100);

/// Why nothing is taken from an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quarantine {
    /// It was not asked yet which chain it serves.
    Unverified,
    /// It serves another chain.
    OtherCluster,
    /// It is behind the others.
    Behind,
    /// It tells of slots that can't have been.
    Ahead,
}

impl Quarantine {
    /// Returns the name used in the API and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::OtherCluster => "other_cluster",
            Self::Behind => "behind",
            Self::Ahead => "ahead",
        }
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A trip may wait for it: prices, blockhashes, what became of trips. Never held back.
    Hot,
    /// Something waits for it that is no trip: what became of other transactions.
    Calm,
    /// It verifies what is known, and may come later.
    Sweep,
}

/// Whether one endpoint may be asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    /// Why nothing is taken from it.
    pub quarantine: Option<Quarantine>,
    failures: u32,
    hot_from: Option<Instant>,
    sweep_from: Option<Instant>,
}

impl Standing {
    /// Of an endpoint that was not asked yet which chain it serves.
    pub fn unverified() -> Self {
        Self { quarantine: Some(Quarantine::Unverified), ..Self::default() }
    }

    /// Tells whether it may be asked now.
    pub fn is_free(&self, purpose: Use, now: Instant) -> bool {
        let from = match purpose {
            Use::Hot | Use::Calm => self.hot_from,
            Use::Sweep => self.hot_from.max(self.sweep_from),
        };
        self.quarantine.is_none() && from.is_none_or(|from| now >= from)
    }

    /// Notes an answer.
    pub fn answered(&mut self) {
        (self.failures, self.hot_from) = (0, None);
    }

    /// Notes why there was no answer.
    pub fn failed(&mut self, error: &RpcError, now: Instant) {
        match error {
            RpcError::Request { source: CallError::TooMany(wait), .. } => {
                self.hot_from = Some(now + (*wait).min(LONGEST_HOT_REST));
                self.sweep_from = Some(now + (*wait).max(SHORTEST_SWEEP_REST));
            }
            // it serves others well, or soon will
            RpcError::Request { source, .. } if source.is_unserved() || source.is_early() || source.is_too_much() => {}
            // the next node behind its address may be abreast
            RpcError::Behind { .. } | RpcError::OldBlockhash { .. } | RpcError::Ahead { .. } => {}
            RpcError::Request { .. } | RpcError::Unreadable { .. } | RpcError::NoEndpoint => {
                let rest = FIRST_REST.saturating_mul(1 << self.failures.min(6)).min(LONGEST_HOT_REST);
                self.failures = self.failures.saturating_add(1);
                self.hot_from = Some(now + rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweep_waits_longer_than_what_others_wait_for() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        let source = CallError::TooMany(Duration::from_secs(30));
        standing.failed(&RpcError::Request { what: "accounts", source }, now);
        let after = |secs| now + Duration::from_secs(secs);
        assert!(!standing.is_free(Use::Hot, now));
        assert!(standing.is_free(Use::Hot, after(1)) && !standing.is_free(Use::Sweep, after(29)));
        standing.answered();
        assert!(!standing.is_free(Use::Sweep, after(29)), "an answer to others does not lift it");
        assert!(standing.is_free(Use::Sweep, after(30)));
    }

    #[test]
    fn failures_are_followed_by_longer_rests_and_an_unserved_method_by_none() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        let refused =
            |code| RpcError::Request { what: "accounts", source: CallError::Refused { code, message: String::new() } };
        standing.failed(&refused(-32_601), now);
        assert!(standing.is_free(Use::Hot, now));
        standing.failed(&refused(-32_603), now);
        assert!(!standing.is_free(Use::Hot, now) && standing.is_free(Use::Hot, now + FIRST_REST));
        standing.failed(&refused(-32_603), now);
        assert!(!standing.is_free(Use::Hot, now + FIRST_REST));
        standing.answered();
        assert!(standing.is_free(Use::Hot, now));
        standing.quarantine = Some(Quarantine::Behind);
        standing.answered();
        assert!(!standing.is_free(Use::Hot, now + Duration::from_secs(3_600)), "a probe alone lifts it");
    }
}
