//! Holds a fresh blockhash, so that nothing has to be asked when it is needed.

use crate::chain::pool::Pool;
use crate::chain::{Backoff, entropy};
use crate::intent::Blockhash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A blockhash lives 150 blocks. What is signed with one at the end of its turn still has two thirds of that.
const REFRESH_SLOTS: u32 = 40;
/// It is renewed at least this often, however long a slot takes.
const REFRESH: Duration = Duration::from_secs(8);
/// And no more often than this.
const SHORTEST: Duration = Duration::from_millis(500);
/// Nothing new is signed with one that is older.
pub const LIFE_SLOTS: u32 = 90;
/// What is signed already is not sent for the first time with one that is older: a fifth of its life is left to land in.
const LANDING_SLOTS: u32 = 120;
/// First and longest wait after a failure: well below the refresh.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(3));

/// A blockhash, and the slot that a node gave it as of: from then on it grows older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    /// The blockhash.
    pub blockhash: Blockhash,
    /// The slot.
    pub slot: u64,
}

/// The newest blockhash, and news of it.
pub type Blockhashes = watch::Receiver<Option<Dated>>;

/// Returns how often a blockhash is renewed where a slot takes `slot_duration`.
pub fn refresh_period(slot_duration: Duration) -> Duration {
    slot_duration.saturating_mul(REFRESH_SLOTS).clamp(SHORTEST, REFRESH)
}

/// Returns how long a blockhash is signed with where a slot takes `slot_duration`.
pub fn signing_life(slot_duration: Duration) -> Duration {
    slot_duration.saturating_mul(LIFE_SLOTS).max(SHORTEST * 2)
}

/// Returns how old the blockhash of bytes may be that are sent for the first time.
pub fn landing_life(slot_duration: Duration) -> Duration {
    slot_duration.saturating_mul(LANDING_SLOTS).max(SHORTEST * 2)
}

/// Renews the blockhash until it is told to stop. `slot_micros`: the measured slot duration.
pub async fn run(
    pool: Arc<Pool>,
    newest: watch::Sender<Option<Dated>>,
    slot_micros: Arc<AtomicU64>,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    while !stop.is_cancelled() {
        let wait = match pool.dated_blockhash().await {
            Ok(dated) => {
                backoff.reset();
                // the same hash again is no news: what was prepared with it stays good
                newest.send_if_modified(|known| {
                    known.replace(dated).is_none_or(|known| known.blockhash != dated.blockhash)
                });
                refresh_period(Duration::from_micros(slot_micros.load(Ordering::Relaxed)))
            }
            Err(error) => {
                tracing::warn!(error = %crate::error::chain(&error), "failed to renew the blockhash");
                backoff.next_delay(entropy())
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn period_follows_the_slots_and_leaves_most_of_the_life() {
        assert_eq!(refresh_period(Duration::from_millis(400)), REFRESH);
        assert_eq!(refresh_period(Duration::from_millis(100)), Duration::from_secs(4));
        for slot_ms in [50, 100, 200, 300, 400] {
            let slot = Duration::from_millis(slot_ms);
            // prepared at the end of a turn, sent at the end of the next
            assert!(refresh_period(slot) * 2 <= slot * 150 && signing_life(slot) < slot * 150);
        }
    }
}
