//! What every source of pushed updates shares: what it is asked for, where it delivers, and how it comes back.

use crate::chain::pool::Pool;
use crate::chain::ws::{Signal, Topics};
use crate::chain::{Backoff, entropy};
use crate::config::Commitment;
use crate::watch::feeds::Topic;
use crate::watch::mailbox::Mailbox;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How often silence is looked at: finer than any slot.
pub(super) const CHECK: Duration = Duration::from_millis(50);
/// Slots that an account may be ahead of the last slot told without a second look.
pub(super) const NEAR_SLOTS: u64 = 8;
const FIRST_RETRY: Duration = Duration::from_millis(200);
const LONGEST_RETRY: Duration = Duration::from_secs(10);
/// A session that delivered for this long starts the delays over.
const STEADY: Duration = Duration::from_secs(20);

/// One source of pushed updates.
pub struct Feed {
    /// Number of the source.
    pub source: usize,
    /// Number of the endpoint in the pool, or of the stream among the streams.
    pub index: usize,
    /// All endpoints: witnesses of its slots.
    pub pool: Arc<Pool>,
    /// Commitment of accounts.
    pub commitment: Commitment,
    /// Slots of silence that count as a stall.
    pub stall_slots: u64,
    /// Measured slot duration, microseconds; written by the engine.
    pub slot_micros: Arc<AtomicU64>,
    /// What to subscribe to.
    pub topics: watch::Receiver<Topics>,
    /// What missed a change and is to be asked for anew.
    pub renew: mpsc::Receiver<Topic>,
    /// Where accounts go.
    pub mailbox: Arc<Mailbox>,
    /// Where signals go, with the number of the source.
    pub signals: mpsc::Sender<(usize, Signal)>,
}

/// Delays between one session and the next.
pub(super) fn retries() -> Backoff {
    Backoff::new(FIRST_RETRY, LONGEST_RETRY)
}

impl Feed {
    /// Returns the measured slot duration.
    pub(super) fn slot_duration(&self) -> Duration {
        Duration::from_micros(self.slot_micros.load(Ordering::Relaxed))
    }

    /// Tells that the session which `started` then is down, and waits for the next attempt; false where there is none.
    pub(super) async fn lost(
        &self,
        started: Instant,
        why: String,
        retries: &mut Backoff,
        stop: &CancellationToken,
    ) -> bool {
        if started.elapsed() >= STEADY {
            retries.reset();
        }
        if self.signals.send((self.source, Signal::Down(why))).await.is_err() {
            return false;
        }
        tokio::select! {
            () = tokio::time::sleep(retries.next_delay(entropy())) => true,
            () = stop.cancelled() => false,
        }
    }
}
