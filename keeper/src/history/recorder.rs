//! The way into the history: bounded, and never waited for.

use super::record::{Kind, Record, Who};
use crate::events::{Event, unix_ms};
use crate::intent::Intent;
use crate::metrics::{KindLabel, Metrics};
use crate::view::View;
use anchor_lang::prelude::Pubkey;
use rampart::state::Report;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Events, decisions and reports that may wait for the disk: some minutes of the busiest hour.
pub(super) const FACTS: usize = 65_536;
/// Samples that may wait, in a queue of their own: they never take the room of facts.
pub(super) const SAMPLES: usize = 4_096;

/// Where facts are recorded. Clones share the queues; no call waits.
#[derive(Clone)]
pub struct Recorder {
    who: Arc<Who>,
    facts: mpsc::Sender<Record>,
    samples: mpsc::Sender<Record>,
    metrics: Metrics,
}

/// The other ends.
pub(super) struct Queues {
    pub facts: mpsc::Receiver<Record>,
    pub samples: mpsc::Receiver<Record>,
}

impl Recorder {
    pub(super) fn new(who: Arc<Who>, metrics: Metrics) -> (Self, Queues) {
        let (facts, from_facts) = mpsc::channel(FACTS);
        let (samples, from_samples) = mpsc::channel(SAMPLES);
        (Self { who, facts, samples, metrics }, Queues { facts: from_facts, samples: from_samples })
    }

    /// Records an event, and the fate of a decision where it tells of one.
    pub fn event(&self, event: &Event) {
        self.put(self.who.event(event));
        self.who.outcome_of(event).into_iter().for_each(|record| self.put(record));
    }

    /// Records that the keeper means to act. `outcome` where nothing follows, as in a dry run.
    pub fn decision(&self, intent: &Intent, scope: Option<Pubkey>, outcome: Option<&str>, slot: u64) {
        self.put(self.who.decision(intent, scope, outcome, now_ms(), slot));
    }

    /// Records that a decision could not be signed.
    pub fn refusal(&self, intent: &Intent, reason: &str, slot: u64) {
        self.put(self.who.outcome(&intent.id().to_string(), "refused", now_ms(), slot, None, Some(reason.to_owned())));
    }

    /// Records a keeper's report on chain.
    pub fn report(&self, address: &Pubkey, report: &Report, slot: u64) {
        self.who.report(address, report, slot).into_iter().for_each(|record| self.put(record));
    }

    /// Records a sample of every asset and vault, one for each period of `every_secs`.
    pub fn samples(&self, view: &View, every_secs: u64) {
        let (ts, slot) = (view.chain.unix_ts, view.chain.slot);
        let bucket = ts.div_euclid(i64::try_from(every_secs.max(1)).unwrap_or(i64::MAX));
        view.assets.iter().for_each(|asset| self.put(self.who.asset(asset, ts, bucket, slot)));
        view.vaults.iter().for_each(|vault| self.put(self.who.vault(vault, ts, bucket, slot)));
        // there are many rules: the first sample of a minute is enough
        let minute = |ts: i64| ts.div_euclid(60);
        if minute(ts) != minute(ts.saturating_sub_unsigned(every_secs)) {
            view.rules.iter().for_each(|rule| self.put(self.who.rule(rule, ts, minute(ts), slot)));
        }
    }

    fn put(&self, record: Record) {
        let kind = record.kind();
        let queue = if kind == Kind::Samples { &self.samples } else { &self.facts };
        if queue.try_send(record).is_err() {
            count_dropped(&self.metrics, kind, 1);
        }
    }
}

/// Counts records that are lost. A fact is worth a line of the log; a sample is not.
pub(super) fn count_dropped(metrics: &Metrics, kind: Kind, count: u64) {
    if count == 0 {
        return;
    }
    let lost = metrics.history_dropped.get_or_create(&KindLabel { kind: kind.as_str() }).inc_by(count);
    if kind != Kind::Samples && (lost == 0 || lost.is_power_of_two()) {
        tracing::error!(kind = kind.as_str(), lost = lost + count, "the history lost facts");
    }
}

fn now_ms() -> i64 {
    i64::try_from(unix_ms()).unwrap_or(i64::MAX)
}
