//! What the engine needs of the submitter; the tests put a recorder in its place.

use crate::intent::{Blockhash, PlannedTx};
use crate::submit::{Prepared, SubmitError, Submitter};
use crate::view::TransactionsView;

/// Signs, journals and sends.
pub trait Courier: Clone + Send + Sync + 'static {
    /// Signs plans and makes them durable; one result for each, in order. No network.
    fn prepare_all(
        &self,
        plans: Vec<PlannedTx>,
        blockhash: Blockhash,
    ) -> impl Future<Output = Vec<Result<Prepared, SubmitError>>> + Send;

    /// Hands prepared bytes over; returns before the network answers.
    fn send(&self, prepared: &Prepared) -> impl Future<Output = ()> + Send;

    /// Takes over the signer's balance.
    fn set_balance(&self, lamports: u64);

    /// Returns how many transactions came how far.
    fn counts(&self) -> TransactionsView;
}

impl Courier for Submitter {
    async fn prepare_all(&self, plans: Vec<PlannedTx>, blockhash: Blockhash) -> Vec<Result<Prepared, SubmitError>> {
        Submitter::prepare_all(self, plans, blockhash).await
    }

    async fn send(&self, prepared: &Prepared) {
        Submitter::send(self, prepared).await;
    }

    fn set_balance(&self, lamports: u64) {
        Submitter::set_balance(self, lamports);
    }

    fn counts(&self) -> TransactionsView {
        Submitter::counts(self)
    }
}
