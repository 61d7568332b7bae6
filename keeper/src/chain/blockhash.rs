//! Holds a fresh blockhash, so that nothing has to be asked when it is needed.

use crate::chain::rpc::Rpc;
use crate::chain::{Backoff, entropy};
use crate::intent::Blockhash;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the blockhash is renewed. A blockhash lives 150 blocks: 30 s at the shortest slots, so what is signed with
/// one at the end of its turn still has two thirds of that.
pub const REFRESH: Duration = Duration::from_secs(8);
/// First and longest wait after a failure: well below the refresh.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(3));

/// The newest blockhash, and news of it.
pub type Blockhashes = watch::Receiver<Option<Blockhash>>;

/// Renews the blockhash until it is told to stop.
pub async fn run(rpc: Arc<Rpc>, newest: watch::Sender<Option<Blockhash>>, stop: CancellationToken) {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    while !stop.is_cancelled() {
        let wait = match rpc.latest_blockhash().await {
            Ok(blockhash) => {
                backoff.reset();
                // the same hash again is no news: what was prepared with it stays good
                newest.send_if_modified(|known| known.replace(blockhash) != Some(blockhash));
                REFRESH
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
