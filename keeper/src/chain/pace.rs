//! How often one endpoint is asked: what can wait is spread over time, what can't goes at once and is counted.
//!
//! A token bucket, told by the moment at which it would be full. No crate: it is two lines of arithmetic, and none of those
//! that limit rates counts requests that are not held back.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most that urgent requests push the others back: these come later, never not at all.
const LONGEST_PUSH: Duration = Duration::from_secs(1);
/// Part of a second whose requests may be asked at once.
const BURST: u32 = 8;

/// The limit of one endpoint, which all requests to it share.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    /// What may be asked at once.
    burst: Duration,
    full_at: Mutex<Instant>,
}

impl Pace {
    /// A limit of `max_rps` requests a second; zero counts as one.
    pub fn new(max_rps: u32, now: Instant) -> Self {
        let interval = Duration::from_secs(1) / max_rps.max(1);
        Self { interval, burst: interval * (max_rps / BURST).max(1), full_at: Mutex::new(now) }
    }

    /// Takes a token and returns how long to wait for it: in the order in which they are asked for.
    pub fn reserve(&self, now: Instant) -> Duration {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        *full_at = (*full_at).max(now) + self.interval;
        full_at.saturating_duration_since(now + self.burst)
    }

    /// Takes a token for a request that doesn't wait: the others give way to it.
    pub fn count(&self, now: Instant) {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let pushed = (*full_at).max(now) + self.interval;
        *full_at = (*full_at).max(pushed.min(now + LONGEST_PUSH));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_wait_is_spread_evenly_behind_a_short_burst() {
        let start = Instant::now();
        let pace = Pace::new(16, start);
        let waits: Vec<_> = (0..6).map(|_| pace.reserve(start).as_micros()).collect();
        assert_eq!(waits, [0, 0, 62_500, 125_000, 187_500, 250_000]);
        assert_eq!(pace.reserve(start + Duration::from_secs(9)), Duration::ZERO, "it fills up again, and not beyond");
        let in_a_second = (0..100).filter(|_| pace.reserve(start + Duration::from_secs(20)) < Duration::from_secs(1));
        assert!(in_a_second.count() <= 16 + 2);
    }

    #[test]
    fn what_is_urgent_is_counted_and_pushes_the_others_back_by_a_second_at_most() {
        let start = Instant::now();
        let pace = Pace::new(4, start);
        pace.count(start);
        assert_eq!(pace.reserve(start), Duration::from_millis(250));
        (0..1_000).for_each(|_| pace.count(start));
        assert!(pace.reserve(start) <= LONGEST_PUSH, "not at all would be too late");
        let before = pace.reserve(start);
        pace.count(start);
        assert!(pace.reserve(start) > before, "and never forward");
    }
}
