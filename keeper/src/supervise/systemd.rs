//! What systemd is told: ready, alive, stopping. Without systemd nothing is said.

use crate::http::Pulse;
use sd_notify::NotifyState;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Whether the tasks run, or are being started or stopped. Clones share it.
#[derive(Clone, Default)]
pub struct Phase(Arc<AtomicBool>);

impl Phase {
    /// Notes that the tasks run: from now on the loop has to turn. The first call tells systemd that it is ready.
    pub fn running(&self) {
        self.0.store(true, Ordering::Relaxed);
        tell(&[NotifyState::Ready, NotifyState::Status("watching")]);
    }

    /// Notes that the tasks are being stopped, for a restart or for good.
    pub fn stopping(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn is_running(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Tells systemd that the keeper lives, for as long as its loop turns.
pub struct Watchdog {
    /// Proof that the loop turns.
    pub pulse: Pulse,
    /// Whether it has to.
    pub phase: Phase,
}

impl Watchdog {
    /// Runs until `stop`, and then tells that the keeper is stopping. A loop that is stuck gets no more signs of life,
    /// and neither does one on a runtime that is: this runs on the same.
    pub async fn run(self, stop: CancellationToken) {
        let period = sd_notify::watchdog_enabled().map_or(Duration::from_secs(5), |limit| limit / 3);
        let mut ticks = tokio::time::interval(period.max(Duration::from_millis(100)));
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {
                    if self.is_alive() {
                        tell(&[NotifyState::Watchdog]);
                    }
                }
            }
        }
        tell(&[NotifyState::Stopping, NotifyState::Watchdog]);
    }

    fn is_alive(&self) -> bool {
        !self.phase.is_running() || self.pulse.is_alive()
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!("systemd can't be told: {error}");
    }
}
