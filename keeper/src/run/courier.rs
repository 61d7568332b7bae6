//! What the engine needs of the submitter; the tests put a recorder in its place.

use crate::fleet::Pass;
use crate::intent::{ActionClass, Blockhash, Intent, PlannedTx};
use crate::run::engine::{Refused, Unsent};
use crate::submit::{Hour, Prepared, Rehearsal, SubmitError, Submitter};
use crate::view::TransactionsView;
use tokio::sync::mpsc;

/// Signs, journals and sends.
pub trait Courier: Clone + Send + Sync + 'static {
    /// Signs plans and makes them durable; one result for each, in order. No network.
    fn prepare_all(
        &self,
        plans: Vec<PlannedTx>,
        blockhash: Blockhash,
    ) -> impl Future<Output = Vec<Result<Prepared, SubmitError>>> + Send;

    /// Has nodes that have come to `min_slot` execute plans of some classes before they are signed; one result for each, in
    /// order.
    fn rehearse(
        &self,
        rehearsals: Vec<Rehearsal>,
        _min_slot: u64,
    ) -> impl Future<Output = Vec<Result<PlannedTx, SubmitError>>> + Send {
        std::future::ready(rehearsals.into_iter().map(|rehearsal| Ok(rehearsal.plan)).collect())
    }

    /// Hands prepared bytes over; returns before the network answers. An error means that nothing departed, and that no
    /// outcome will be told.
    fn send(&self, prepared: &Prepared) -> impl Future<Output = Result<(), SubmitError>> + Send;

    /// Takes over the signer's balance.
    fn set_balance(&self, lamports: u64);

    /// Returns how many transactions came how far.
    fn counts(&self) -> TransactionsView;

    /// Returns what a class has spent within the hour, and what it has left.
    fn hour(&self, class: ActionClass) -> Hour;

    /// Tells whether the journal takes nothing now.
    fn is_journal_failing(&self) -> bool;
}

/// How bytes leave: under the pass of their decision, and back to the engine where that no longer holds.
#[derive(Clone)]
pub struct Departure {
    /// What the decision was allowed by.
    pub pass: Pass,
    /// Where plans that did not leave are told.
    pub refused: mpsc::UnboundedSender<Refused>,
}

impl Departure {
    /// Asks the pass once more, and hands the bytes over.
    pub async fn send<C: Courier>(&self, courier: &C, prepared: &Prepared) {
        let why = match self.pass.check(prepared.intent.class) {
            Ok(()) => match courier.send(prepared).await {
                Ok(()) => return,
                Err(error) => Unsent::Refused(error),
            },
            Err(stale) => Unsent::Stale(stale),
        };
        self.give_back(prepared.intent.clone(), why);
    }

    /// Tells the engine that a plan did not leave.
    pub fn give_back(&self, intent: Intent, why: Unsent) {
        // the engine is gone only when the keeper stops
        drop(self.refused.send((intent, why)));
    }
}

impl Courier for Submitter {
    async fn prepare_all(&self, plans: Vec<PlannedTx>, blockhash: Blockhash) -> Vec<Result<Prepared, SubmitError>> {
        Submitter::prepare_all(self, plans, blockhash).await
    }

    async fn rehearse(&self, rehearsals: Vec<Rehearsal>, min_slot: u64) -> Vec<Result<PlannedTx, SubmitError>> {
        Submitter::rehearse(self, rehearsals, min_slot).await
    }

    async fn send(&self, prepared: &Prepared) -> Result<(), SubmitError> {
        Submitter::send(self, prepared).await
    }

    fn set_balance(&self, lamports: u64) {
        Submitter::set_balance(self, lamports);
    }

    fn counts(&self) -> TransactionsView {
        Submitter::counts(self)
    }

    fn hour(&self, class: ActionClass) -> Hour {
        Submitter::hour(self, class)
    }

    fn is_journal_failing(&self) -> bool {
        Submitter::is_journal_failing(self)
    }
}
