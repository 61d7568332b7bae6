//! One turn of resending, one turn of confirming.

use super::book::{Flight, Stage};
use super::step::{Answer, NextStep, asks_for_logs, attributed, next_step};
use super::wire::{STATUS_BATCH, Tip};
use super::{Settled, Submitter};
use crate::chain::standing::Use;
use crate::config::Mode;
use crate::events::unix_ms;
use crate::intent::{ActionClass, Outcome};
use crate::journal::{Signed, State};
use futures_util::future::join_all;
use solana_sdk::signature::Signature;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Turns between questions that nothing waits for.
const RARE_TURNS: u64 = 25;
/// Turns between two parts of the journal that are pruned: about ten seconds.
const PRUNE_TURNS: u64 = 25;
/// Turns without an answer after which a fate counts as unknown.
const UNKNOWN_AFTER_TURNS: u32 = 10;
/// For how long one endpoint alone must call a signature dead, while no second one says anything, before new bytes are
/// signed for a class of which the chain lets only one land: about as long as a request may take.
pub(super) const ALONE: Duration = Duration::from_secs(5);
/// How long one turn waits to learn whose refusals it has before it; other verdicts wait with it.
const LOGS_PATIENCE: Duration = Duration::from_secs(2);

/// A code that is our program's or a route's, and what was logged.
type Disputed = (u32, Vec<String>);

/// What questions about these transactions are for: those about trips are never held back.
fn purpose<'a>(about: impl IntoIterator<Item = &'a Signed>) -> Use {
    let mut classes = about.into_iter().map(|signed| signed.intent.class);
    if classes.any(|class| class == ActionClass::Trip) { Use::Hot } else { Use::Calm }
}

impl Submitter {
    /// Hands all bytes that may still land to a node again. Who only observes follows what an earlier run sent, no more.
    pub(super) fn resend_turn(&self) {
        if self.shared.mode != Mode::Act {
            return;
        }
        let due: Vec<_> = {
            let book = self.book();
            let due = book.flights().filter(|flight| flight.stage == Stage::Sent && !flight.is_held);
            due.map(|flight| flight.signed.clone()).collect()
        };
        for signed in due {
            self.shared.metrics.resends.inc();
            self.spawn_send(signed);
        }
    }

    /// Asks what became of everything that is open, and acts on the answers.
    pub(super) async fn confirm_turn(&self) {
        let (open, is_due) = self.begin_turn();
        self.prune_in_turn();
        if !is_due {
            return;
        }
        // MUST come before the statuses: see `next_step`.
        let by = purpose(open.iter().map(|signed| &**signed));
        let tip = self.shared.wire.tip(by).await.ok();
        if let Some(tip) = tip.filter(|tip| tip.is_agreed) {
            let forgotten = self.book().forget_unsent(tip.block_height);
            self.note_unsent(forgotten, State::Superseded).await;
        }
        let answers = self.ask(&open, tip, by).await;
        let mut disputed = self.ask_logs(&open, &answers).await;
        for signed in open {
            let answer = answers.get(&signed.signature).unwrap_or(&Answer::Silence);
            let height = signed.blockhash.last_valid_block_height;
            let tip = tip.filter(|tip| tip.is_agreed || signed.intent.class.moves_trip_epoch());
            let step = next_step(&signed.bytes, height, tip, answer);
            let step = match disputed.remove(&signed.signature) {
                Some((code, logs)) => attributed(step, code, &logs),
                None => step,
            };
            if step == NextStep::Wait || (step == NextStep::Resend && tip.is_some()) {
                self.book().believe(&signed);
            }
            self.apply(&signed, step, *answer == Answer::Silence).await;
        }
        self.measure();
    }

    /// Has a part of what is old in the journal removed now and then. Every new blockhash leaves a row for each trip.
    fn prune_in_turn(&self) {
        if self.book().turn.is_multiple_of(PRUNE_TURNS) {
            let submitter = self.clone();
            self.background(async move { submitter.note(|journal| journal.prune(unix_ms()).map(drop)).await });
        }
    }

    fn begin_turn(&self) -> (Vec<Arc<Signed>>, bool) {
        let mut book = self.book();
        book.turn += 1;
        let open: Vec<_> = book.flights().filter(|flight| flight.is_open()).map(|f| f.signed.clone()).collect();
        // Those never sent only have to be forgotten some day.
        let is_due = !open.is_empty() || (book.turn.is_multiple_of(RARE_TURNS) && book.flights().next().is_some());
        (open, is_due)
    }

    async fn ask(&self, open: &[Arc<Signed>], tip: Option<Tip>, by: Use) -> BTreeMap<Signature, Answer> {
        let is_past =
            |signed: &&Arc<Signed>| tip.is_some_and(|tip| tip.block_height > signed.blockhash.last_valid_block_height);
        // The history costs a node more, and only a verdict needs it.
        let (past, recent): (Vec<_>, Vec<_>) = open.iter().partition(is_past);
        let mut answers = BTreeMap::new();
        for (group, search_history) in [(past, true), (recent, false)] {
            let signatures: Vec<_> = group.iter().map(|signed| signed.signature).collect();
            for batch in signatures.chunks(STATUS_BATCH) {
                self.ask_batch((batch, search_history, by), &mut answers).await;
            }
        }
        answers
    }

    async fn ask_batch(
        &self,
        (batch, history, by): (&[Signature], bool, Use),
        answers: &mut BTreeMap<Signature, Answer>,
    ) {
        let statuses = match self.shared.wire.statuses(batch, history, by).await {
            Ok(statuses) => statuses,
            // Nobody said anything: no entry, which reads as silence.
            Err(error) => return tracing::debug!("{}", crate::error::chain(&error)),
        };
        let (context_slot, is_agreed) = (statuses.context_slot, statuses.is_agreed);
        for (signature, found) in batch.iter().zip(statuses.found) {
            let not_found = Answer::NotFound { context_slot, searched_history: history, is_agreed };
            answers.insert(*signature, found.map_or(not_found, Answer::Found));
        }
    }

    /// Asks for the logs of what failed with a code that may be our program's or a route's; no logs where nobody tells.
    async fn ask_logs(
        &self,
        open: &[Arc<Signed>],
        answers: &BTreeMap<Signature, Answer>,
    ) -> BTreeMap<Signature, Disputed> {
        let disputed = open.iter().filter_map(|signed| {
            let code = asks_for_logs(&signed.bytes, answers.get(&signed.signature)?)?;
            Some((signed.signature, code))
        });
        let asked = disputed.map(|(signature, code)| async move {
            let logs = tokio::time::timeout(LOGS_PATIENCE, self.shared.wire.logs(&signature, Use::Calm)).await;
            (signature, (code, logs.ok().flatten().unwrap_or_default()))
        });
        join_all(asked).await.into_iter().collect()
    }

    async fn apply(&self, signed: &Signed, step: NextStep, is_silent: bool) {
        match step {
            NextStep::Resend => self.mark(signed, false, is_silent).await,
            NextStep::Wait => self.mark(signed, true, false).await,
            NextStep::Doubt if self.may_go_by_one(signed) => {
                let (class, signature) = (signed.intent.class, &signed.signature);
                tracing::warn!(%class, %signature, "given up by the word of one endpoint: no other says anything");
                self.settle(signed, Outcome::Expired).await;
            }
            NextStep::AskAgain | NextStep::Doubt => self.mark(signed, true, true).await,
            NextStep::Settle(outcome) => self.settle(signed, outcome).await,
        }
    }

    /// Notes that one endpoint alone calls a signature dead, and tells whether that is enough by now: the fence on chain
    /// must refuse what would be done twice, and nobody may have said otherwise for a while.
    fn may_go_by_one(&self, signed: &Signed) -> bool {
        let mut book = self.book();
        let flight = book.flight_mut(signed).filter(|_| signed.intent.class.moves_trip_epoch());
        flight.is_some_and(|flight| flight.doubted_since.get_or_insert_with(Instant::now).elapsed() >= ALONE)
    }

    async fn mark(&self, signed: &Signed, is_held: bool, is_silent: bool) {
        let is_news = {
            let mut book = self.book();
            let Some(flight) = book.flight_mut(signed) else { return };
            flight.is_held = is_held;
            flight.silent_turns = if is_silent { flight.silent_turns.saturating_add(1) } else { 0 };
            let is_unknown = flight.silent_turns >= UNKNOWN_AFTER_TURNS;
            let is_news = is_unknown && flight.unknown_since.is_none();
            flight.unknown_since = is_unknown.then(|| flight.unknown_since.unwrap_or_else(Instant::now));
            is_news
        };
        if is_news {
            let (signature, outcome) = (signed.signature, Outcome::Unknown);
            self.note(move |journal| journal.decide(&signature, &outcome)).await;
            self.tell(signed, None, Outcome::Unknown);
        }
    }

    async fn settle(&self, signed: &Signed, outcome: Outcome) {
        let (signature, durable) = (signed.signature, outcome.clone());
        self.note(move |journal| journal.decide(&signature, &durable)).await;
        let flight = {
            let mut book = self.book();
            let Some(flight) = book.settle(signed, &outcome) else { return };
            // what one endpoint alone called dead may have been paid for
            let is_unpaid = outcome == Outcome::Expired && flight.doubted_since.is_none();
            if is_unpaid && flight.first_sent.is_some() {
                book.spending.refund(signed.fee_lamports);
            }
            // sent by an earlier run that could not note it any more
            if flight.stage == Stage::InDoubt && outcome != Outcome::Expired {
                book.spending.charge(signed.intent.class, signed.fee_lamports, Instant::now());
            }
            flight
        };
        let submitter = self.clone();
        self.background(async move { submitter.finish(flight, outcome).await });
    }

    async fn finish(&self, flight: Flight, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Landed { slot, .. } => {
                let compute_units =
                    self.shared.wire.compute_units(&flight.signed.signature, purpose([&*flight.signed])).await;
                Outcome::Landed { slot, compute_units }
            }
            other => other,
        };
        self.tell(&flight.signed, flight.first_sent, outcome);
    }

    pub(super) fn publish_outcome(&self, signed: &Signed, outcome: Outcome) {
        let settled = Settled { intent: signed.intent.clone(), signature: signed.signature, outcome };
        // Nobody listening is fine.
        let _ = self.shared.outcomes.send(settled);
    }
}
