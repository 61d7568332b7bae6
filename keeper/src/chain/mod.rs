//! The way to and from the chain: requests, subscriptions, its clock, and a fresh blockhash.
//!
//! Owns connections and time. Knows no account layouts and decides nothing. Answers have three values: yes, no, and
//! unknown; an endpoint that can't be asked never counts as an answer.

pub mod blockhash;
pub mod clock;
pub mod feed;
pub mod fees;
#[cfg(feature = "grpc")]
pub mod grpc;
#[cfg(feature = "grpc")]
mod grpc_message;
#[cfg(feature = "grpc")]
mod grpc_session;
pub mod http;
pub mod liveness;
pub mod network;
pub mod pace;
pub mod pool;
pub mod rpc;
mod rpc_error;
pub mod standing;
pub mod tip;
pub mod ws;
mod ws_message;
mod ws_session;
mod ws_stamps;
mod ws_versions;

use std::time::Duration;

/// Delays between attempts: doubled each time up to a limit, and spread, so that keepers don't come back in step.
#[derive(Clone, Debug)]
pub struct Backoff {
    attempt: u32,
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Starts at `first`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { attempt: 0, first, longest }
    }

    /// Returns the next delay: between half and all of what is doubled. `entropy`: any number that differs by process.
    pub fn next_delay(&mut self, entropy: u64) -> Duration {
        let full = self.first.saturating_mul(1 << self.attempt.min(16)).min(self.longest);
        self.attempt = self.attempt.saturating_add(1);
        let thousandths = 500 + u32::try_from(entropy % 501).unwrap_or(0);
        full * thousandths / 1_000
    }

    /// Starts over after a success.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

/// Returns a number that differs between processes and from call to call; for spreading, not for secrets.
pub fn entropy() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_their_limit_and_stay_spread() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        let full: Vec<_> = (0..8).map(|_| backoff.next_delay(500).as_millis()).collect();
        assert_eq!(full, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(backoff.next_delay(0).as_millis(), 2_500);
        backoff.reset();
        assert!((50..=100).contains(&backoff.next_delay(entropy()).as_millis()));
    }
}
