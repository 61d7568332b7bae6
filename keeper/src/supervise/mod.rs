//! What keeps the keeper going, or ends it: restarts, the watchdog, reloads.
//!
//! A task that dies takes the others with it: they are stopped as on a signal and all start anew from the journal, so that
//! no half of the keeper works on the state of another time. The third restart within a minute was the last; then the
//! process ends, and whoever supervises it decides.

mod reload;
mod restarts;
mod systemd;

pub use reload::{Reload, adopt};
pub use restarts::{LIMIT, Restarts, WINDOW, restarting};
pub use systemd::{Phase, Watchdog};

use crate::events::Events;
use crate::http::Pulse;
use crate::metrics::Metrics;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What outlives a restart of the tasks.
#[derive(Clone)]
pub struct Host {
    /// Numbers.
    pub metrics: Metrics,
    /// Facts.
    pub events: Events,
    /// Proof that the loop turns.
    pub pulse: Pulse,
    /// How far the start is.
    pub phase: Phase,
    /// Number of the newest fact that the outbox of alerts has taken.
    pub taken: Arc<AtomicU64>,
}

impl Host {
    /// A host on which nothing runs yet.
    pub fn new() -> Self {
        Self::with(Metrics::new())
    }

    /// As [`Self::new`], with numbers of the caller's.
    pub fn with(metrics: Metrics) -> Self {
        let started = crate::events::unix_ts();
        metrics.started_seconds.set(started);
        let (events, taken) = (Events::new(metrics.clone()), Arc::default());
        Self { events, metrics, pulse: Pulse::new(), phase: Phase::default(), taken }
    }
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}
