//! Whether it lives, whether it may act, and its numbers.

use super::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A loop that has not turned for this long is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// Proof that the keeper's loop turns. Clones share it.
#[derive(Clone)]
pub struct Pulse {
    started: Instant,
    last_beat_ms: Arc<AtomicU64>,
}

impl Pulse {
    /// Starts alive.
    pub fn new() -> Self {
        Self { started: Instant::now(), last_beat_ms: Arc::default() }
    }

    /// Notes one turn of the loop.
    pub fn beat(&self) {
        self.last_beat_ms.store(self.since_start(Instant::now()), Ordering::Relaxed);
    }

    /// Returns whether the loop has turned lately.
    pub fn is_alive(&self) -> bool {
        self.is_alive_at(Instant::now())
    }

    fn is_alive_at(&self, now: Instant) -> bool {
        let silent_ms = self.since_start(now).saturating_sub(self.last_beat_ms.load(Ordering::Relaxed));
        Duration::from_millis(silent_ms) < STUCK_AFTER
    }

    fn since_start(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }
}

impl Default for Pulse {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether the keeper may act on all classes.
#[derive(Serialize, JsonSchema)]
pub(super) struct Readiness {
    /// Whether it may.
    ready: bool,
    /// Why it may not.
    reasons: Vec<String>,
}

pub(super) async fn live(State(state): State<ApiState>) -> Response {
    match state.pulse.is_alive() {
        true => (StatusCode::OK, "ok\n").into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "the loop is stuck\n").into_response(),
    }
}

pub(super) async fn ready(State(state): State<ApiState>) -> Response {
    let view = state.view.borrow().clone();
    let ready = view.keeper.ready && state.pulse.is_alive();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, reasons: view.keeper.not_ready_reasons.clone() })).into_response()
}

pub(super) async fn metrics(State(state): State<ApiState>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], state.metrics.render())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulse_stops_without_beats_and_returns_with_one() {
        let pulse = Pulse::new();
        assert!(pulse.is_alive_at(pulse.started + STUCK_AFTER - Duration::from_millis(1)));
        assert!(!pulse.is_alive_at(pulse.started + STUCK_AFTER));
        pulse.last_beat_ms.store(5_000, Ordering::Relaxed);
        assert!(pulse.is_alive_at(pulse.started + STUCK_AFTER));
    }
}
