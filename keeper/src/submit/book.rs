//! Which signatures exist, and which of them may be sent. In memory, under one lock.
//!
//! Holds the promise that no intent ever has two signatures that can both land: a new one is admitted only when there is
//! none, or when the one there is was certainly never sent. For trips and steps down the chain holds the last part of it:
//! see `confirm::ALONE`.

use super::SubmitError;
use super::budget::Spending;
use crate::intent::{IntentId, Outcome};
use crate::journal::{Signed, State, Undecided};
use crate::view::TransactionsView;
use solana_sdk::signature::Signature;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// How many landed intents are remembered. Beyond that the fence on chain alone refuses a second try.
pub(super) const REMEMBERED: usize = 10_000;

/// How far a transaction has come, as far as this run knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Signed by this run, certainly never sent.
    Ready,
    /// Signed by an earlier run, and perhaps sent by it.
    InDoubt,
    /// Sent.
    Sent,
    /// Would have been sent, had the keeper been allowed to act.
    Observed,
}

/// A signature that is not decided.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub signed: Arc<Signed>,
    pub stage: Stage,
    /// It is in a block already, or too old to land: not sent again.
    pub is_held: bool,
    pub first_sent: Option<FirstSent>,
    pub silent_turns: u32,
    pub unknown_since: Option<Instant>,
    /// Since when one endpoint alone has called it dead, and nobody said otherwise.
    pub doubted_since: Option<Instant>,
}

/// When a transaction was first handed over.
#[derive(Clone, Copy, Debug)]
pub(super) struct FirstSent {
    pub at: Instant,
    pub unix_ms: u64,
    pub slot: u64,
}

impl Flight {
    pub fn new(signed: Arc<Signed>, stage: Stage) -> Self {
        let (first_sent, unknown_since, doubted_since) = (None, None, None);
        Self { signed, stage, is_held: false, first_sent, silent_turns: 0, unknown_since, doubted_since }
    }

    /// Whether its fate has to be asked for.
    pub const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::InDoubt | Stage::Sent)
    }
}

/// What may be done about an intent.
pub(super) enum Admission {
    /// Sign for it.
    Sign,
    /// Bytes of an earlier run exist, and are the only ones that may be sent.
    Adopt(Arc<Signed>),
}

/// Everything that is known of signatures.
pub(super) struct Book {
    flights: BTreeMap<IntentId, Vec<Flight>>,
    landed: HashSet<IntentId>,
    landed_order: VecDeque<IntentId>,
    pub spending: Spending,
    pub counts: TransactionsView,
    /// Turns since the start, to do rare things rarely.
    pub turn: u64,
}

impl Book {
    pub fn new(spending: Spending, undecided: Vec<Undecided>, landed: Vec<IntentId>) -> Self {
        let counts = TransactionsView::default();
        // all the room at once: what grows for a day looks like a leak for a day
        let room = REMEMBERED + 1;
        let (landed_set, landed_order) = (HashSet::with_capacity(room), VecDeque::with_capacity(room));
        let mut book = Self { flights: BTreeMap::new(), landed: landed_set, landed_order, spending, counts, turn: 0 };
        // Newest first in the journal; the newest must be forgotten last.
        landed.into_iter().rev().for_each(|id| book.remember_landed(id));
        for Undecided { signed, state } in undecided {
            let stage = if state == State::Signed { Stage::InDoubt } else { Stage::Sent };
            book.flights.entry(signed.intent.id()).or_default().push(Flight::new(Arc::new(signed), stage));
        }
        book
    }

    /// Says what may be done about an intent.
    pub fn admit(&self, id: &IntentId) -> Result<Admission, SubmitError> {
        if self.landed.contains(id) {
            return Err(SubmitError::Settled);
        }
        match self.flights.get(id).map(Vec::as_slice) {
            None | Some([]) => Ok(Admission::Sign),
            Some([only]) if only.stage == Stage::Ready => Ok(Admission::Sign),
            Some([only]) if only.stage == Stage::InDoubt && !only.is_held => Ok(Admission::Adopt(only.signed.clone())),
            // More than one of an earlier run: which of them was sent is not known, so none may be.
            Some(_) => Err(SubmitError::InFlight),
        }
    }

    /// Takes new bytes in, and returns the signature that they replace.
    ///
    /// # Errors
    /// `InFlight` or `Settled` if the state moved since `admit`: the new bytes must never be sent.
    pub fn publish(&mut self, signed: Arc<Signed>) -> Result<Option<Signature>, SubmitError> {
        let id = signed.intent.id();
        if !matches!(self.admit(&id)?, Admission::Sign) {
            return Err(SubmitError::InFlight);
        }
        self.counts.signed += 1;
        let flights = self.flights.entry(id).or_default();
        let replaced = flights.pop().map(|old| old.signed.signature);
        flights.push(Flight::new(signed, Stage::Ready));
        Ok(replaced)
    }

    /// Returns the bytes of an intent that may be sent now for the first time in this run; nothing where its bytes are out
    /// already, so that an outcome will be told.
    ///
    /// # Errors
    /// `Settled` if it has landed, `Gone` if nothing is left that could be sent: nobody will tell of an outcome.
    pub fn sendable(&self, id: &IntentId) -> Result<Option<Arc<Signed>>, SubmitError> {
        match self.flights.get(id).map(Vec::as_slice) {
            None | Some([]) if self.landed.contains(id) => Err(SubmitError::Settled),
            None | Some([]) => Err(SubmitError::Gone),
            Some([only]) if matches!(only.stage, Stage::Ready | Stage::InDoubt) && !only.is_held => {
                Ok(Some(only.signed.clone()))
            }
            Some(_) => Ok(None),
        }
    }

    /// Notes the first send. MUST follow `sendable` under the same lock.
    pub fn depart(&mut self, id: &IntentId, stage: Stage, first_sent: FirstSent) {
        if let Some([only]) = self.flights.get_mut(id).map(Vec::as_mut_slice) {
            only.stage = stage;
            only.first_sent = Some(first_sent);
            self.counts.sent += u64::from(stage == Stage::Sent);
        }
    }

    /// Returns bytes that were signed by this run under the same signature.
    pub fn ready(&self, signature: &Signature, id: &IntentId) -> bool {
        let flights = self.flights.get(id).into_iter().flatten();
        flights.into_iter().any(|f| f.stage == Stage::Ready && f.signed.signature == *signature)
    }

    /// Returns all flights.
    pub fn flights(&self) -> impl Iterator<Item = &Flight> {
        self.flights.values().flatten()
    }

    /// Returns all flights, to be changed.
    #[cfg(test)]
    pub fn flights_mut(&mut self) -> impl Iterator<Item = &mut Flight> {
        self.flights.values_mut().flatten()
    }

    /// Returns one flight.
    pub fn flight_mut(&mut self, signed: &Signed) -> Option<&mut Flight> {
        let flights = self.flights.get_mut(&signed.intent.id())?;
        flights.iter_mut().find(|flight| flight.signed.signature == signed.signature)
    }

    /// Notes that a flight may still land after all.
    pub fn believe(&mut self, signed: &Signed) {
        self.flight_mut(signed).into_iter().for_each(|flight| flight.doubted_since = None);
    }

    /// Removes one flight, and remembers its intent if it landed.
    pub fn settle(&mut self, signed: &Signed, outcome: &Outcome) -> Option<Flight> {
        let id = signed.intent.id();
        if matches!(outcome, Outcome::Landed { .. }) {
            self.remember_landed(id);
        }
        let flights = self.flights.get_mut(&id)?;
        let at = flights.iter().position(|flight| flight.signed.signature == signed.signature)?;
        let flight = flights.remove(at);
        if flights.is_empty() {
            self.flights.remove(&id);
        }
        self.count(outcome);
        Some(flight)
    }

    /// Removes flights that were never sent and whose blockhash is dead; returns those that are still `signed` on disk.
    pub fn forget_unsent(&mut self, block_height: u64) -> Vec<Signature> {
        let mut forgotten = Vec::new();
        self.flights.retain(|_, flights| {
            flights.retain(|flight| {
                let is_dead = block_height > flight.signed.blockhash.last_valid_block_height;
                if is_dead && flight.stage == Stage::Ready {
                    forgotten.push(flight.signed.signature);
                }
                !(is_dead && matches!(flight.stage, Stage::Ready | Stage::Observed))
            });
            !flights.is_empty()
        });
        forgotten
    }

    fn remember_landed(&mut self, id: IntentId) {
        if self.landed.insert(id) {
            self.landed_order.push_back(id);
        }
        if self.landed_order.len() > REMEMBERED
            && let Some(oldest) = self.landed_order.pop_front()
        {
            self.landed.remove(&oldest);
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Landed { .. } => &mut self.counts.landed,
            Outcome::Failed { lost_race: true, .. } => &mut self.counts.lost_race,
            Outcome::Failed { .. } => &mut self.counts.failed,
            Outcome::Expired => &mut self.counts.expired,
            Outcome::Unknown => return,
        };
        *counter += 1;
    }
}
