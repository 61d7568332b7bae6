//! Waiting for conditions, never for a time.

use std::time::{Duration, Instant};

/// Far longer than anything here takes, so that only a condition that never comes true runs into it.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
pub const PAUSE: Duration = Duration::from_millis(20);

/// Waits until `is_met`.
///
/// # Panics
/// If that does not happen, with `what` was waited for.
pub async fn until<F: Future<Output = bool>>(what: &str, mut is_met: impl FnMut() -> F) {
    let started = Instant::now();
    while !is_met().await {
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}
