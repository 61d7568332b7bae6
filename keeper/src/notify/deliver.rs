//! Brings what waits to its sinks, and waits longer after each failure.

use super::outbox::{Outbox, OutboxError, Waiting, count};
use super::sink::{SendError, send};
use crate::config::Sink;
use crate::metrics::Metrics;
use reqwest::{Client, redirect};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// First and longest wait after a failure.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
/// First and longest wait of an alert that the other side refuses as such: most often a setting is wrong, here or there.
const FIRST_REFUSED: Duration = Duration::from_secs(60);
const LONGEST_REFUSED: Duration = Duration::from_secs(3_600);
/// Alerts that one round brings to one sink.
const BATCH: u32 = 100;
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    failures: u32,
    until: Option<Instant>,
}

/// Brings what waits to its sinks.
pub struct Deliverer {
    outbox: Outbox,
    sinks: Vec<Sink>,
    client: Option<Client>,
    metrics: Metrics,
    pauses: HashMap<String, Pause>,
    /// Alerts that were refused, by their number in the outbox: until when each is left alone.
    parked: HashMap<i64, Instant>,
}

/// Returns a client that follows no redirection: an alert goes where the operator said.
pub(super) fn client() -> Option<Client> {
    let built = Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none()).build();
    built.map_err(|error| tracing::error!("alerts can't be sent: {}", crate::error::chain(&error))).ok()
}

impl Deliverer {
    /// Delivers from `outbox` to `sinks`.
    pub fn new(outbox: Outbox, sinks: Vec<Sink>, client: Option<Client>, metrics: Metrics) -> Self {
        Self { outbox, sinks, client, metrics, pauses: HashMap::new(), parked: HashMap::new() }
    }

    /// Delivers what is due, each sink on its own. Returns how long nothing more is due.
    ///
    /// `now` is what waits go by, and `now_ms`, the wall clock, only how old an alert is: a clock that is set must not hold
    /// alerts back.
    pub async fn round(&mut self, now: Instant, now_ms: u64) -> Option<Duration> {
        let client = self.client.clone()?;
        match self.outbox.prune(now_ms).await {
            Ok(0) => {}
            Ok(given_up) => tracing::error!(given_up, "alerts could not be delivered in time and were given up"),
            Err(error) => tracing::error!("{}", crate::error::chain(&error)),
        }
        self.parked.retain(|_, until| *until > now);
        let parked: Vec<i64> = self.parked.keys().copied().collect();
        let sinks = self.sinks.clone();
        let due = sinks.iter().filter(|sink| self.pause_of(sink).until.is_none_or(|until| until <= now));
        // one that hangs must not hold the others back
        let work = due.map(|sink| {
            let delivery = Delivery { outbox: &self.outbox, client: &client, sink, metrics: &self.metrics, now_ms };
            delivery.run(parked.clone())
        });
        for (name, refused, result) in futures_util::future::join_all(work).await {
            self.parked.extend(refused.into_iter().map(|(id, refusals)| (id, now + wait_of(refusals))));
            self.note(name, result, now);
        }
        if let Err(error) = self.outbox.prune(now_ms).await {
            tracing::error!("{}", crate::error::chain(&error));
        }
        let waits = self.pauses.values().filter_map(|pause| pause.until).chain(self.parked.values().copied());
        waits.map(|until| until.saturating_duration_since(now)).min()
    }

    fn pause_of(&self, sink: &Sink) -> Pause {
        self.pauses.get(&sink.name).copied().unwrap_or_default()
    }

    fn note(&mut self, name: String, result: Result<(), Failure>, now: Instant) {
        let pause = self.pauses.entry(name.clone()).or_default();
        match result {
            Ok(()) => *pause = Pause::default(),
            Err(failure) => {
                pause.failures = pause.failures.saturating_add(1);
                let wait = doubled(FIRST, pause.failures).min(LONGEST);
                pause.until = Some(now + wait.max(failure.after.unwrap_or_default().min(LONGEST * 2)));
                if pause.failures.is_power_of_two() {
                    tracing::warn!(sink = name, failures = pause.failures, "an alert waits: {}", failure.text);
                }
            }
        }
    }
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(1 << times.saturating_sub(1).min(20))
}

/// How long an alert is left alone that was refused so often.
fn wait_of(refusals: u32) -> Duration {
    doubled(FIRST_REFUSED, refusals).min(LONGEST_REFUSED)
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

/// One sink's part of a round.
struct Delivery<'a> {
    outbox: &'a Outbox,
    client: &'a Client,
    sink: &'a Sink,
    metrics: &'a Metrics,
    now_ms: u64,
}

impl Delivery<'_> {
    /// Brings everything but what is `parked`. Returns the sink's name, what was refused with how often, and what stopped it.
    async fn run(self, parked: Vec<i64>) -> (String, Vec<(i64, u32)>, Result<(), Failure>) {
        let mut refused = Vec::new();
        let result = self.bring_all(parked, &mut refused).await;
        (self.sink.name.clone(), refused, result)
    }

    async fn bring_all(&self, mut parked: Vec<i64>, refused: &mut Vec<(i64, u32)>) -> Result<(), Failure> {
        loop {
            let batch = self.outbox.waiting(&self.sink.name, BATCH, &parked).await?;
            if batch.is_empty() {
                return Ok(());
            }
            for waiting in batch {
                if let Some(refusals) = self.bring(&waiting).await? {
                    parked.push(waiting.id);
                    refused.push((waiting.id, refusals));
                }
            }
        }
    }

    /// Brings one. Returns how often it has been refused as such, if it was.
    async fn bring(&self, waiting: &Waiting) -> Result<Option<u32>, Failure> {
        match send(self.client, self.sink, &waiting.alert).await {
            Ok(()) => {
                self.outbox.done(waiting.id, self.now_ms).await?;
                count(self.metrics, self.sink, "delivered");
                Ok(None)
            }
            Err(error @ SendError::Refused { .. }) => {
                let (refusals, key) = (waiting.refusals.saturating_add(1), &waiting.alert.key);
                if refusals.is_power_of_two() {
                    tracing::error!(sink = self.sink.name, key, refusals, "an alert is kept and tried again: {error}");
                }
                self.outbox.refused(waiting.id).await?;
                count(self.metrics, self.sink, "refused");
                Ok(Some(refusals))
            }
            Err(error) => {
                count(self.metrics, self.sink, "retried");
                Err(error.into())
            }
        }
    }
}
