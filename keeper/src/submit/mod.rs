//! From a plan to its outcome: sign, journal, send, send again, confirm.
//!
//! Owns the promise "at most one landed action for an intent, and none lost". Plans nothing and decides nothing.
//! `confirm` asks what became of transactions; `step` judges the answers; `book` says what may be signed and sent.

mod book;
mod budget;
mod confirm;
mod error;
mod report;
mod sign;
mod step;
#[cfg(test)]
mod tests;
mod wire;

pub use error::SubmitError;
pub use sign::{PACKET_BYTES, fee_lamports};
pub use step::{Answer, NextStep, next_step};
pub use wire::{Answered, Found, RpcWire, STATUS_BATCH, Statuses, Tip, Wire, WireError};

use crate::config::payer::PayerKey;
use crate::config::{Budget, Mode, Tx};
use crate::events::{Events, unix_ms};
use crate::intent::{ActionClass, Blockhash, Intent, IntentId, Outcome, PlannedTx};
use crate::journal::{Journal, JournalError, Signed, State};
use crate::metrics::{ClassLabel, Metrics};
use crate::view::TransactionsView;
use book::{Admission, Book, FirstSent, Stage};
use budget::Spending;
use solana_sdk::signature::Signature;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

/// Outcomes that a slow reader may fall behind.
const OUTCOMES: usize = 4_096;
/// Compute units that a trip is reckoned at when balance is kept back for it.
const TRIP_COMPUTE_UNITS: u32 = 100_000;

/// What a [`Submitter`] needs.
pub struct Setup {
    /// The way to a node.
    pub wire: Arc<dyn Wire>,
    /// The journal of this keeper.
    pub journal: Journal,
    /// Who pays and signs.
    pub payer: PayerKey,
    /// Whether to send.
    pub mode: Mode,
    /// How to send.
    pub tx: Tx,
    /// What may be spent.
    pub budget: Budget,
    /// Where to count.
    pub metrics: Metrics,
    /// Where to tell.
    pub events: Events,
    /// Newest slot known, written by the watcher. For measurements only.
    pub slot: Arc<AtomicU64>,
}

/// Signed and durable; not yet sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// What is meant.
    pub intent: Intent,
    /// Name of the transaction.
    pub signature: Signature,
    /// Until when it may land.
    pub blockhash: Blockhash,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What was meant.
    pub intent: Intent,
    /// Name of the transaction.
    pub signature: Signature,
    /// What became of it. `Unknown` is followed by another one.
    pub outcome: Outcome,
}

/// Signs, journals, sends and confirms. Clones share everything.
#[derive(Clone)]
pub struct Submitter {
    shared: Arc<Shared>,
}

struct Shared {
    wire: Arc<dyn Wire>,
    journal: Journal,
    payer: PayerKey,
    mode: Mode,
    tx: Tx,
    metrics: Metrics,
    events: Events,
    slot: Arc<AtomicU64>,
    book: Mutex<Book>,
    outcomes: broadcast::Sender<Settled>,
    closed: CancellationToken,
    /// The journal is found corrupt, and nothing may be signed any more.
    broken: watch::Sender<Option<Arc<JournalError>>>,
    /// Network calls and disk writes under way.
    pending: AtomicU64,
}

impl Submitter {
    /// Takes over every undecided transaction of earlier runs. Sends nothing by itself; see [`Self::drive`].
    ///
    /// # Errors
    /// Whatever the journal refuses.
    pub fn open(setup: Setup) -> Result<Self, JournalError> {
        let undecided = setup.journal.undecided()?;
        let landed = setup.journal.landed(book::REMEMBERED as u32)?;
        let trip_fee = fee_lamports(TRIP_COMPUTE_UNITS, setup.tx.compute_price.trip.cap);
        let recovered = undecided.len();
        let book = Book::new(Spending::new(setup.budget, trip_fee), undecided, landed);
        let submitter = Self {
            shared: Arc::new(Shared {
                wire: setup.wire,
                journal: setup.journal,
                payer: setup.payer,
                mode: setup.mode,
                tx: setup.tx,
                metrics: setup.metrics,
                events: setup.events,
                slot: setup.slot,
                book: Mutex::new(book),
                outcomes: broadcast::channel(OUTCOMES).0,
                closed: CancellationToken::new(),
                broken: watch::channel(None).0,
                pending: AtomicU64::new(0),
            }),
        };
        submitter.tell_recovered(recovered);
        Ok(submitter)
    }

    /// Signs a plan and makes it durable. No network.
    ///
    /// # Errors
    /// See [`SubmitError`]; nothing may be sent then.
    pub async fn prepare(&self, planned: PlannedTx, blockhash: Blockhash) -> Result<Prepared, SubmitError> {
        // CANNOT be empty: one plan, one result.
        self.prepare_all(vec![planned], blockhash).await.pop().unwrap_or(Err(SubmitError::InFlight))
    }

    /// Signs plans and makes them durable in one disk write. No network.
    ///
    /// Bytes of the same intent that were never sent are replaced. A transaction of an earlier run that may still land is
    /// returned as it is: its bytes are then the only ones that may be sent.
    ///
    /// # Shape
    /// One result for each plan, in order.
    pub async fn prepare_all(&self, plans: Vec<PlannedTx>, blockhash: Blockhash) -> Vec<Result<Prepared, SubmitError>> {
        let now_ms = unix_ms();
        let drafts: Vec<_> = plans.into_iter().map(|plan| self.draft(plan, blockhash, now_ms)).collect();
        let fresh = drafts.iter().filter_map(|draft| match draft {
            Ok(Draft::New(signed)) => Some(Signed::clone(signed)),
            _ => None,
        });
        let written = self.journal_signed(fresh.collect()).await;
        let mut written = written.into_iter();
        let mut unsent = Vec::new();
        let results = drafts.into_iter().map(|draft| match draft? {
            Draft::Existing(signed) => Ok(prepared(&signed)),
            Draft::New(signed) => self.publish(signed, written.next().unwrap_or(Ok(false)), &mut unsent),
        });
        let results: Vec<_> = results.collect();
        self.note_unsent(unsent, State::Superseded).await;
        self.count_refusals(&results);
        results
    }

    /// Hands prepared bytes to a node, and keeps at it until they have landed or never can.
    ///
    /// Returns before the network answers. Does nothing if they were sent before; sends the newer bytes if they were
    /// replaced meanwhile. What the budget refuses is counted, and not sent.
    pub async fn send(&self, prepared: &Prepared) {
        let Some((signed, stage)) = self.depart(&prepared.intent.id()) else { return };
        let class = signed.intent.class;
        if stage == Stage::Observed {
            self.shared.metrics.count_transaction(class, "observed");
            return self.note_unsent(vec![signed.signature], State::Observed).await;
        }
        crash_point();
        self.shared.metrics.count_transaction(class, "sent");
        self.shared.metrics.fee_lamports.get_or_create(&ClassLabel { class }).inc_by(signed.fee_lamports);
        let signature = signed.signature;
        self.spawn_send(signed);
        let submitter = self.clone();
        self.background(async move { submitter.note(move |journal| journal.mark_sent(&signature)).await });
    }

    /// Returns what becomes of transactions from now on.
    pub fn outcomes(&self) -> broadcast::Receiver<Settled> {
        self.shared.outcomes.subscribe()
    }

    /// Returns whether a signature of an intent may still land.
    pub fn is_in_flight(&self, id: &IntentId) -> bool {
        self.book().flights().any(|flight| flight.is_open() && flight.signed.intent.id() == *id)
    }

    /// Takes over the payer's balance.
    pub fn set_balance(&self, lamports: u64) {
        let mut book = self.book();
        book.spending.set_balance(lamports);
        self.shared.metrics.payer_lamports.set(lamports.try_into().unwrap_or(i64::MAX));
        if let Some(trips) = book.spending.trips_affordable() {
            self.shared.metrics.trips_affordable.set(trips.try_into().unwrap_or(i64::MAX));
        }
    }

    /// Returns how many transactions came how far, since the start.
    pub fn counts(&self) -> TransactionsView {
        let book = self.book();
        let unknown = book.flights().filter(|flight| flight.unknown_since.is_some()).count() as u64;
        TransactionsView { unknown, ..book.counts.clone() }
    }

    /// Resends and confirms until [`Self::drain`] closes it.
    ///
    /// # Errors
    /// `Journal` as soon as the journal is found corrupt: the keeper must end then.
    pub async fn drive(self) -> Result<(), SubmitError> {
        let period = Duration::from_millis(self.shared.tx.resend_ms);
        let closed = self.shared.closed.clone();
        let resend = every(period, || async { self.resend_turn() });
        let confirm = every(period, || self.confirm_turn());
        let mut broken = self.shared.broken.subscribe();
        tokio::select! {
            () = closed.cancelled() => Ok(()),
            () = resend => Ok(()),
            () = confirm => Ok(()),
            // CANNOT close: this submitter holds the other end.
            found = broken.wait_for(Option::is_some) => {
                found.ok().and_then(|found| found.clone()).map_or(Ok(()), |error| Err(SubmitError::Journal(error)))
            }
        }
    }

    /// Waits until every sent transaction is decided, or `patience` is over; then closes [`Self::drive`].
    ///
    /// What is undecided stays in the journal, for the next start.
    pub async fn drain(&self, patience: Duration) {
        let wait = async {
            while self.book().flights().any(|flight| flight.stage == Stage::Sent) || self.is_busy() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        // Either way the journal holds the truth.
        let _ = tokio::time::timeout(patience, wait).await;
        self.shared.closed.cancel();
    }

    fn draft(&self, plan: PlannedTx, blockhash: Blockhash, now_ms: u64) -> Result<Draft, SubmitError> {
        let (id, class) = (plan.intent.id(), plan.intent.class);
        {
            let mut book = self.book();
            if let Admission::Adopt(signed) = book.admit(&id)? {
                return Ok(Draft::Existing(signed));
            }
            self.check_room(&book, class)?;
            let fee = fee_lamports(plan.compute_unit_limit, plan.priority_micro_lamports);
            book.spending.check(class, fee, Instant::now())?;
        }
        let signed = Arc::new(sign::sign(plan, blockhash, &self.shared.payer, now_ms)?);
        let is_known = self.book().ready(&signed.signature, &id);
        Ok(if is_known { Draft::Existing(signed) } else { Draft::New(signed) })
    }

    fn check_room(&self, book: &Book, class: ActionClass) -> Result<(), SubmitError> {
        let in_flight = book.flights().filter(|flight| flight.is_open()).count();
        // Trips are exempt: there are as many as there are rules.
        if class != ActionClass::Trip && in_flight >= self.shared.tx.max_in_flight {
            return Err(SubmitError::TooManyInFlight { in_flight });
        }
        Ok(())
    }

    async fn journal_signed(&self, batch: Vec<Signed>) -> Vec<Result<bool, SubmitError>> {
        if batch.is_empty() {
            return Vec::new();
        }
        let classes: Vec<_> = batch.iter().map(|signed| (signed.intent.class, signed.signature)).collect();
        match self.blocking(move |journal| journal.insert_signed(&batch)).await {
            Ok(written) => written.into_iter().map(Ok).collect(),
            Err(error) => {
                let error = self.judge(error);
                classes.into_iter().map(|(class, signature)| despite(class, signature, &error)).collect()
            }
        }
    }

    fn publish(
        &self,
        signed: Arc<Signed>,
        is_written: Result<bool, SubmitError>,
        unsent: &mut Vec<Signature>,
    ) -> Result<Prepared, SubmitError> {
        if !is_written? {
            return Err(SubmitError::SameBytes);
        }
        self.shared.metrics.count_transaction(signed.intent.class, "signed");
        match self.book().publish(signed.clone()) {
            Ok(replaced) => unsent.extend(replaced),
            Err(error) => {
                unsent.push(signed.signature);
                return Err(error);
            }
        }
        Ok(prepared(&signed))
    }

    fn depart(&self, id: &IntentId) -> Option<(Arc<Signed>, Stage)> {
        let (mut book, now) = (self.book(), Instant::now());
        let signed = book.sendable(id)?;
        let class = signed.intent.class;
        if let Err(error) = book.spending.check(class, signed.fee_lamports, now) {
            self.shared.metrics.count_transaction(class, "refused");
            tracing::warn!(class = class.as_str(), reason = error.as_str(), "a transaction was not sent: {error}");
            return None;
        }
        let stage = if self.shared.mode == Mode::Act { Stage::Sent } else { Stage::Observed };
        if stage == Stage::Sent {
            book.spending.charge(class, signed.fee_lamports, now);
        }
        let slot = self.shared.slot.load(Ordering::Relaxed);
        book.depart(id, stage, FirstSent { at: now, unix_ms: unix_ms(), slot });
        Some((signed, stage))
    }

    fn spawn_send(&self, signed: Arc<Signed>) {
        let submitter = self.clone();
        self.background(async move {
            let started = Instant::now();
            match submitter.shared.wire.send(&signed.bytes).await {
                Ok(()) => {
                    let label = ClassLabel { class: signed.intent.class };
                    let seconds = started.elapsed().as_secs_f64();
                    submitter.shared.metrics.send_seconds.get_or_create(&label).observe(seconds);
                }
                // It may have been forwarded all the same: only the chain can say.
                Err(error) => tracing::debug!(signature = %signed.signature, "{}", crate::error::chain(&error)),
            }
        });
    }

    async fn note_unsent(&self, signatures: Vec<Signature>, state: State) {
        if !signatures.is_empty() {
            self.note(move |journal| journal.mark_unsent(&signatures, state)).await;
        }
    }

    /// Writes something that is safe to lose: the next start finds it out by asking the chain.
    async fn note(&self, write: impl FnOnce(&Journal) -> Result<(), JournalError> + Send + 'static) {
        if let Err(error) = self.blocking(write).await {
            tracing::error!("{}", crate::error::chain(&self.judge(error)));
        }
    }

    /// Ends [`Self::drive`] if the journal cannot be trusted any more.
    fn judge(&self, error: JournalError) -> Arc<JournalError> {
        let error = Arc::new(error);
        if !error.is_transient() {
            self.shared.broken.send_replace(Some(error.clone()));
        }
        error
    }

    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Journal) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let journal = self.shared.journal.clone();
        match tokio::task::spawn_blocking(move || call(&journal)).await {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    fn background(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.shared.pending.fetch_add(1, Ordering::AcqRel);
        let submitter = self.clone();
        tokio::spawn(async move {
            work.await;
            submitter.shared.pending.fetch_sub(1, Ordering::AcqRel);
        });
    }

    fn is_busy(&self) -> bool {
        self.shared.pending.load(Ordering::Acquire) > 0
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Every change under this lock is one step: a panic elsewhere leaves it whole.
        self.shared.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Draft {
    Existing(Arc<Signed>),
    New(Arc<Signed>),
}

fn prepared(signed: &Signed) -> Prepared {
    Prepared { intent: signed.intent.clone(), signature: signed.signature, blockhash: signed.blockhash }
}

/// Lets a trip go on without the journal while the disk is full or away: what it protects is worth more, and the rule's
/// `trip_epoch` lets only one land. Everything else stops.
fn despite(class: ActionClass, signature: Signature, error: &Arc<JournalError>) -> Result<bool, SubmitError> {
    if class == ActionClass::Trip && error.is_transient() {
        tracing::error!(%signature, "a trip goes on without the journal: {}", crate::error::chain(error));
        return Ok(true);
    }
    Err(SubmitError::Journal(error.clone()))
}

async fn every<F: Future<Output = ()>>(period: Duration, mut turn: impl FnMut() -> F) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        turn().await;
    }
}

#[cfg(feature = "faults")]
fn crash_point() {
    if std::env::var("RAMPART_FAULT").is_ok_and(|fault| fault == "crash_after_journal") {
        std::process::abort();
    }
}

#[cfg(not(feature = "faults"))]
const fn crash_point() {}
