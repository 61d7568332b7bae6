//! What became of transactions, told as events and numbers.

use super::Submitter;
use super::book::FirstSent;
use super::{Prepared, SubmitError};
use crate::events::{EventKind, Fact, unix_ms};
use crate::intent::Outcome;
use crate::journal::Signed;
use crate::metrics::ClassLabel;
use std::sync::atomic::Ordering;
use std::time::Instant;

impl Submitter {
    /// Tells an outcome to everybody: log, metrics, event stream, readers of outcomes.
    pub(super) fn tell(&self, signed: &Signed, first_sent: Option<FirstSent>, outcome: Outcome) {
        let class = signed.intent.class;
        self.shared.metrics.count_transaction(class, outcome.as_str());
        if let (Outcome::Landed { .. }, Some(first)) = (&outcome, first_sent) {
            let seconds = first.at.elapsed().as_secs_f64();
            self.shared.metrics.land_seconds.get_or_create(&ClassLabel { class }).observe(seconds);
        }
        let slot = self.shared.slot.load(Ordering::Relaxed);
        self.shared.events.emit(fact(signed, first_sent, &outcome, slot));
        self.publish_outcome(signed, outcome);
    }

    /// Tells that an earlier run left something behind.
    pub(super) fn tell_recovered(&self, count: usize) {
        if count == 0 {
            return;
        }
        let text = format!("took over {count} undecided transactions of an earlier run");
        let slot = self.shared.slot.load(Ordering::Relaxed);
        self.shared.events.emit(Fact::new(EventKind::CrashRecovered, slot, text).with("transactions", count));
    }

    /// Counts plans that were refused for want of room or money.
    pub(super) fn count_refusals(&self, results: &[Result<Prepared, SubmitError>]) {
        for error in results.iter().filter_map(|result| result.as_ref().err()) {
            tracing::debug!(reason = error.as_str(), "a plan was not signed: {error}");
        }
    }

    /// Sets the gauges of what is under way.
    pub(super) fn measure(&self) {
        let book = self.book();
        let open = book.flights().filter(|flight| flight.is_open()).count();
        let oldest = book.flights().filter_map(|flight| flight.unknown_since).min();
        let age = oldest.map_or(0, |since| Instant::now().saturating_duration_since(since).as_secs());
        self.shared.metrics.in_flight.set(open.try_into().unwrap_or(i64::MAX));
        self.shared.metrics.unknown_oldest_seconds.set(age.try_into().unwrap_or(i64::MAX));
    }
}

fn fact(signed: &Signed, first_sent: Option<FirstSent>, outcome: &Outcome, now_slot: u64) -> Fact {
    let (kind, slot, verb) = match outcome {
        Outcome::Landed { slot, .. } => (EventKind::TransactionLanded, *slot, "landed"),
        Outcome::Failed { slot, lost_race: true, .. } => (EventKind::TransactionLostRace, *slot, "lost its race"),
        Outcome::Failed { slot, .. } => (EventKind::TransactionFailed, *slot, "failed on chain"),
        Outcome::Expired => (EventKind::TransactionExpired, now_slot, "expired"),
        Outcome::Unknown => (EventKind::TransactionUnknown, now_slot, "has an unknown fate"),
    };
    let intent = &signed.intent;
    let fact = Fact::new(kind, slot, format!("{} of {} {verb}", intent.class, intent.target))
        .with("class", intent.class.as_str())
        .with("target", intent.target.to_string())
        .with("intent", intent.id().to_string())
        .with("reason", intent.reason.as_str())
        .with("signature", signed.signature.to_string())
        .with("slot", slot)
        .with("first_sent_unix_ms", first_sent.map(|first| first.unix_ms))
        .with("first_sent_slot", first_sent.map(|first| first.slot));
    detail(fact, outcome)
}

fn detail(fact: Fact, outcome: &Outcome) -> Fact {
    match outcome {
        Outcome::Landed { compute_units, .. } => {
            fact.with("landed_unix_ms", unix_ms()).with("compute_units", *compute_units)
        }
        Outcome::Failed { error, code, .. } => fact.with("error", error.to_string()).with("code", *code),
        Outcome::Expired | Outcome::Unknown => fact,
    }
}
