//! Brings what waits to its sinks, and waits longer after each failure.

use super::outbox::{Outbox, OutboxError, count};
use super::sink::{SendError, send};
use crate::config::Sink;
use crate::metrics::Metrics;
use reqwest::{Client, redirect};
use std::collections::HashMap;
use std::time::Duration;

/// First and longest wait after a failure, milliseconds.
const FIRST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 300_000;
/// Times that the other side may refuse one alert before it is given up.
const REFUSALS: u32 = 5;
/// Alerts that one round brings to one sink.
const BATCH: u32 = 100;
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    failures: u32,
    until_ms: u64,
}

/// Brings what waits to its sinks.
pub struct Deliverer {
    outbox: Outbox,
    sinks: Vec<Sink>,
    client: Option<Client>,
    metrics: Metrics,
    pauses: HashMap<String, Pause>,
}

/// Returns a client that follows no redirection: an alert goes where the operator said.
pub(super) fn client() -> Option<Client> {
    let built = Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none()).build();
    built.map_err(|error| tracing::error!("alerts can't be sent: {}", crate::error::chain(&error))).ok()
}

impl Deliverer {
    /// Delivers from `outbox` to `sinks`.
    pub fn new(outbox: Outbox, sinks: Vec<Sink>, client: Option<Client>, metrics: Metrics) -> Self {
        Self { outbox, sinks, client, metrics, pauses: HashMap::new() }
    }

    /// Delivers what is due at `now_ms`, each sink on its own. Returns how long nothing more is due, milliseconds.
    pub async fn round(&mut self, now_ms: u64) -> Option<u64> {
        let client = self.client.clone()?;
        match self.outbox.prune(now_ms).await {
            Ok(0) => {}
            Ok(given_up) => tracing::error!(given_up, "alerts could not be delivered in time and were given up"),
            Err(error) => tracing::error!("{}", crate::error::chain(&error)),
        }
        let sinks = self.sinks.clone();
        let due = sinks.iter().filter(|sink| self.pause_of(sink).until_ms <= now_ms);
        // one that hangs must not hold the others back
        let work = due.map(|sink| deliver(&self.outbox, &client, sink, &self.metrics, now_ms));
        for (name, result) in futures_util::future::join_all(work).await {
            self.note(name, result, now_ms);
        }
        if let Err(error) = self.outbox.prune(now_ms).await {
            tracing::error!("{}", crate::error::chain(&error));
        }
        let waits = self.pauses.values().filter(|pause| pause.failures > 0);
        waits.map(|pause| pause.until_ms.saturating_sub(now_ms)).min()
    }

    fn pause_of(&self, sink: &Sink) -> Pause {
        self.pauses.get(&sink.name).copied().unwrap_or_default()
    }

    fn note(&mut self, name: String, result: Result<(), Failure>, now_ms: u64) {
        let pause = self.pauses.entry(name.clone()).or_default();
        match result {
            Ok(()) => *pause = Pause::default(),
            Err(failure) => {
                pause.failures = pause.failures.saturating_add(1);
                let wait = FIRST_MS.saturating_mul(1 << (pause.failures - 1).min(20)).min(LONGEST_MS);
                let wanted = failure.after.map_or(0, |after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
                let wait = wait.max(wanted.min(LONGEST_MS * 2));
                pause.until_ms = now_ms.saturating_add(wait);
                if pause.failures.is_power_of_two() {
                    tracing::warn!(sink = name, failures = pause.failures, "an alert waits: {}", failure.text);
                }
            }
        }
    }
}

struct Failure {
    text: String,
    after: Option<Duration>,
}

impl From<OutboxError> for Failure {
    fn from(error: OutboxError) -> Self {
        Self { text: crate::error::chain(&error), after: None }
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        let after = if let SendError::Later { after, .. } = &error { *after } else { None };
        Self { text: crate::error::chain(&error), after }
    }
}

async fn deliver(
    outbox: &Outbox,
    client: &Client,
    sink: &Sink,
    metrics: &Metrics,
    now_ms: u64,
) -> (String, Result<(), Failure>) {
    (sink.name.clone(), deliver_all(outbox, client, sink, metrics, now_ms).await)
}

async fn deliver_all(
    outbox: &Outbox,
    client: &Client,
    sink: &Sink,
    metrics: &Metrics,
    now_ms: u64,
) -> Result<(), Failure> {
    loop {
        let batch = outbox.waiting(&sink.name, BATCH).await?;
        if batch.is_empty() {
            return Ok(());
        }
        for waiting in batch {
            match send(client, sink, &waiting.alert).await {
                Ok(()) => {
                    outbox.done(waiting.id, now_ms).await?;
                    count(metrics, sink, "delivered");
                }
                Err(error @ SendError::Refused { .. }) if waiting.refusals + 1 >= REFUSALS => {
                    tracing::error!(sink = sink.name, key = waiting.alert.key, "an alert was given up: {error}");
                    outbox.done(waiting.id, now_ms).await?;
                    count(metrics, sink, "dropped");
                }
                Err(error) => {
                    if matches!(error, SendError::Refused { .. }) {
                        outbox.refused(waiting.id).await?;
                    }
                    count(metrics, sink, "retried");
                    return Err(error.into());
                }
            }
        }
    }
}
