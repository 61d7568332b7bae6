//! From a plan to its outcome: sign, journal, send, send again, confirm.
//!
//! Owns the promise "at most one landed action for an intent, and none lost". Plans nothing and decides nothing.
//! `confirm` asks what became of transactions; `step` judges the answers, `blame` whose refusal it was; `book` says what may be
//! signed and sent; `rehearse` asks what would become of a plan.

mod blame;
mod book;
mod budget;
mod confirm;
mod drive;
mod error;
mod many;
mod node;
mod once;
mod prepare;
mod rehearse;
mod report;
mod sign;
mod step;
#[cfg(test)]
mod tests;
mod ways;
mod wire;

pub use blame::raised_by;
pub use budget::Hour;
pub use error::SubmitError;
pub use many::many;
pub use once::{Once, once};
pub use rehearse::{Rehearsal, is_rehearsed};
pub use sign::{PACKET_BYTES, fee_lamports, size_of};
pub use step::{Answer, NextStep, next_step};
pub use wire::{Answered, Found, PoolWire, STATUS_BATCH, Simulated, Statuses, Tip, Wire, WireError};

use crate::config::payer::PayerKey;
use crate::config::{Budget, Mode, Sender, Tx};
use crate::events::{Events, unix_ms};
use crate::intent::{ActionClass, Blockhash, Intent, IntentId, Outcome};
use crate::journal::{Journal, JournalError, Signed, State};
use crate::metrics::{ClassLabel, Metrics};
use crate::post::ends_what_began;
use crate::view::TransactionsView;
use book::{Book, FirstSent, Stage};
use budget::Spending;
use solana_sdk::pubkey::Pubkey;
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
    /// Further ways, and the tips that they ask for.
    pub senders: Vec<Sender>,
    /// What may be spent.
    pub budget: Budget,
    /// What may be spent on postings within any hour, lamports.
    pub posts_lamports_per_hour: u64,
    /// Where to count.
    pub metrics: Metrics,
    /// Where to tell.
    pub events: Events,
    /// Newest slot known, written by the watcher. For measurements only.
    pub slot: Arc<AtomicU64>,
    /// Measured slot duration, microseconds, written by the watcher: what is under way is sent again in every slot.
    pub slot_micros: Arc<AtomicU64>,
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
    senders: Vec<Sender>,
    metrics: Metrics,
    events: Events,
    slot: Arc<AtomicU64>,
    slot_micros: Arc<AtomicU64>,
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
        let tips = sign::tips(&setup.senders, ActionClass::Trip, &Pubkey::default());
        let trip_fee = sign::with_tips(fee_lamports(TRIP_COMPUTE_UNITS, setup.tx.compute_price.trip.cap), &tips);
        let recovered = undecided.len();
        let mut spending = Spending::new(setup.budget, setup.posts_lamports_per_hour, trip_fee);
        spending.resume(spent_before(&setup.journal, unix_ms())?, Instant::now());
        let book = Book::new(spending, undecided, landed);
        let submitter = Self {
            shared: Arc::new(Shared {
                wire: setup.wire,
                journal: setup.journal,
                payer: setup.payer,
                mode: setup.mode,
                tx: setup.tx,
                senders: setup.senders,
                metrics: setup.metrics,
                events: setup.events,
                slot: setup.slot,
                slot_micros: setup.slot_micros,
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

    /// Hands prepared bytes to a node, and keeps at it until they have landed or never can.
    ///
    /// Returns before the network answers. Does nothing if they were sent before; sends the newer bytes if they were
    /// replaced meanwhile.
    ///
    /// # Errors
    /// What the budget refuses, `Settled` and `Gone`: nothing departed, and no outcome will be told.
    pub async fn send(&self, prepared: &Prepared) -> Result<(), SubmitError> {
        let Some((signed, stage)) = self.depart(&prepared.intent.id())? else { return Ok(()) };
        let class = signed.intent.class;
        if stage == Stage::Observed {
            self.shared.metrics.count_transaction(class, "observed");
            self.note_unsent(vec![signed.signature], State::Observed).await;
            return Ok(());
        }
        crash_point();
        self.shared.metrics.count_transaction(class, "sent");
        self.shared.metrics.fee_lamports.get_or_create(&ClassLabel { class }).inc_by(signed.fee_lamports);
        let signature = signed.signature;
        self.spawn_send(signed);
        let submitter = self.clone();
        self.background(async move { submitter.note(move |journal| journal.mark_sent(&signature)).await });
        Ok(())
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

    /// Returns what a class has spent within the hour, and what it has left.
    pub fn hour(&self, class: ActionClass) -> Hour {
        self.book().spending.hour(class, Instant::now())
    }

    /// Returns how many transactions came how far, since the start.
    pub fn counts(&self) -> TransactionsView {
        let book = self.book();
        let unknown = book.flights().filter(|flight| flight.unknown_since.is_some()).count() as u64;
        TransactionsView { unknown, ..book.counts.clone() }
    }

    /// Takes bytes out of the book for their first send; nothing where they departed before.
    fn depart(&self, id: &IntentId) -> Result<Option<(Arc<Signed>, Stage)>, SubmitError> {
        let (mut book, now) = (self.book(), Instant::now());
        let Some(signed) = book.sendable(id)? else { return Ok(None) };
        let class = signed.intent.class;
        let checked = match ends_what_began(&signed.intent) {
            true => Ok(()),
            false => book.spending.check(class, signed.fee_lamports, now),
        };
        if let Err(error) = checked {
            self.shared.metrics.count_transaction(class, "refused");
            tracing::warn!(class = class.as_str(), reason = error.as_str(), "a transaction was not sent: {error}");
            return Err(error);
        }
        let stage = if self.shared.mode == Mode::Act { Stage::Sent } else { Stage::Observed };
        if stage == Stage::Sent {
            book.spending.charge(class, signed.fee_lamports, now);
        }
        let slot = self.shared.slot.load(Ordering::Relaxed);
        book.depart(id, stage, FirstSent { at: now, unix_ms: unix_ms(), slot });
        Ok(Some((signed, stage)))
    }

    /// Tells whether the journal takes nothing now, so that nothing but trips can be signed.
    pub fn is_journal_failing(&self) -> bool {
        self.shared.journal.is_failing()
    }

    fn spawn_send(&self, signed: Arc<Signed>) {
        let submitter = self.clone();
        self.background(async move {
            let started = Instant::now();
            match submitter.shared.wire.send(signed.intent.class, &signed.bytes).await {
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

    fn book(&self) -> MutexGuard<'_, Book> {
        // Every change under this lock is one step: a panic elsewhere leaves it whole.
        self.shared.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns what earlier runs spent within the last hour: a start is no new hour.
fn spent_before(journal: &Journal, now_ms: u64) -> Result<Vec<(ActionClass, u64, Duration)>, JournalError> {
    let hour_ms = u64::try_from(budget::HOUR.as_millis()).unwrap_or(u64::MAX);
    let spent = journal.spent_since(now_ms.saturating_sub(hour_ms))?;
    let age = |at_ms: u64| Duration::from_millis(now_ms.saturating_sub(at_ms));
    Ok(spent.into_iter().map(|(class, fee_lamports, at_ms)| (class, fee_lamports, age(at_ms))).collect())
}

#[cfg(feature = "faults")]
fn crash_point() {
    if std::env::var("RAMPART_FAULT").is_ok_and(|fault| fault == "crash_after_journal") {
        std::process::abort();
    }
}

#[cfg(not(feature = "faults"))]
const fn crash_point() {}
