//! From a plan to bytes that are signed, durable and not yet sent.

use super::book::{Admission, Book};
use super::sign::{sign, tips, with_tips};
use super::{Prepared, SubmitError, Submitter, fee_lamports};
use crate::config::Mode;
use crate::events::unix_ms;
use crate::intent::{ActionClass, Blockhash, PlannedTx};
use crate::journal::{JournalError, Signed, State};
use crate::post::ends_what_began;
use anchor_lang::solana_program::system_instruction::SystemInstruction;
use anchor_lang::solana_program::system_program;
use solana_sdk::instruction::Instruction;
use solana_sdk::signature::Signature;
use std::sync::Arc;
use std::time::Instant;

impl Submitter {
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

    fn draft(&self, plan: PlannedTx, blockhash: Blockhash, now_ms: u64) -> Result<Draft, SubmitError> {
        let (id, class) = (plan.intent.id(), plan.intent.class);
        let tips = tips(&self.shared.senders, class, &plan.intent.target);
        {
            let mut book = self.book();
            if let Admission::Adopt(signed) = book.admit(&id)? {
                // an earlier run may have sent it: who only observes follows it, and says nothing else of it
                let may_send = self.shared.mode == Mode::Act;
                return if may_send { Ok(Draft::Existing(signed)) } else { Err(SubmitError::InFlight) };
            }
            self.check_room(&book, class)?;
            let fee = with_tips(fee_lamports(plan.compute_unit_limit, plan.priority_micro_lamports), &tips);
            if !ends_what_began(&plan.intent) {
                book.spending.check(class, fee, Instant::now())?;
                if class == ActionClass::Post {
                    // what is lent until the posting ends must not be missing for trips
                    book.spending.check_balance(fee.saturating_add(deposit_lamports(&plan.instructions)))?;
                }
            }
        }
        let signed = Arc::new(sign(plan, blockhash, &self.shared.payer, &tips, now_ms)?);
        let is_known = self.book().ready(&signed.signature, &id);
        Ok(if is_known { Draft::Existing(signed) } else { Draft::New(signed) })
    }

    fn check_room(&self, book: &Book, class: ActionClass) -> Result<(), SubmitError> {
        let takes_room = |class| !matches!(class, ActionClass::Trip | ActionClass::Post);
        let is_counted = |class| class != ActionClass::Post;
        let flights = book.flights().filter(|flight| flight.is_open() && is_counted(flight.signed.intent.class));
        let in_flight = flights.count();
        // Trips are exempt: there are as many as there are rules. Postings have room of their own.
        if takes_room(class) && in_flight >= self.shared.tx.max_in_flight {
            return Err(SubmitError::TooManyInFlight { in_flight });
        }
        Ok(())
    }

    async fn journal_signed(&self, batch: Vec<Signed>) -> Vec<Result<bool, SubmitError>> {
        if batch.is_empty() {
            return Vec::new();
        }
        let classes: Vec<_> = batch.iter().map(|signed| (signed.intent.class, signed.signature)).collect();
        match self.shared.journal.blocking(move |journal| journal.insert_signed(&batch)).await {
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
}

/// Returns what accounts that are created get from the payer.
fn deposit_lamports(instructions: &[Instruction]) -> u64 {
    let of_system = instructions.iter().filter(|instruction| instruction.program_id == system_program::ID);
    let deposit = |instruction: &Instruction| match bincode::deserialize(&instruction.data) {
        Ok(SystemInstruction::CreateAccountWithSeed { lamports, .. }) => lamports,
        _ => 0,
    };
    of_system.map(deposit).fold(0, u64::saturating_add)
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
