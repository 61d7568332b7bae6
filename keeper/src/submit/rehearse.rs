//! What a node says of a plan before it is sent: whether the program refuses it, and how many units it takes.
//!
//! Only of what costs a fee for nothing when it is refused, and can wait for an answer: never of a trip. The chain decides
//! all the same. A definite refusal by a program keeps the plan back; silence, or a node that lags, keeps back nothing.

use super::Submitter;
use super::blame::{Raiser, raised_by, raiser};
use super::error::SubmitError;
use super::sign::{tips, unsigned};
use super::wire::Simulated;
use crate::chain::standing::Use;
use crate::config::Mode;
use crate::intent::{ActionClass, PlannedTx};
use crate::metrics::ResultLabel;
use crate::plan::MAX_UNITS;
use futures_util::future::join_all;
use solana_sdk::transaction::TransactionError;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Bounds of the time that a simulation may take: a slot, within these.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(400));
/// Units beyond what a simulation took, with a quarter more: the state is another one when it lands.
const SPARE_UNITS: u64 = 10_000;

/// A plan that may be rehearsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// The plan.
    pub plan: PlannedTx,
    /// Units that a simulation doesn't lower the limit below: it ran out of fewer on chain.
    pub least_units: u32,
}

/// Tells whether a class is rehearsed.
pub const fn is_rehearsed(class: ActionClass) -> bool {
    use ActionClass as C;
    match class {
        C::Liquidate | C::Deleverage | C::Rebalance | C::Settle => true,
        C::Trip | C::Observe | C::ObserveRule | C::MarkHalt | C::Report | C::StepDown | C::Post => false,
    }
}

impl Submitter {
    /// Has a node that has come to `min_slot` execute plans without sending them, all at once and for a slot at most.
    ///
    /// # Shape
    /// One result for each plan, in order: the plan with the units that it takes, or as it was where nobody said.
    ///
    /// # Errors
    /// `WouldFail` where a program refuses it.
    pub async fn rehearse(&self, rehearsals: Vec<Rehearsal>, min_slot: u64) -> Vec<Result<PlannedTx, SubmitError>> {
        let is_on = self.shared.tx.simulate && self.shared.mode == Mode::Act;
        let rehearse = |rehearsal: Rehearsal| async move {
            if is_on && is_rehearsed(rehearsal.plan.intent.class) {
                self.rehearse_one(rehearsal, min_slot).await
            } else {
                Ok(rehearsal.plan)
            }
        };
        join_all(rehearsals.into_iter().map(rehearse)).await
    }

    async fn rehearse_one(&self, rehearsal: Rehearsal, min_slot: u64) -> Result<PlannedTx, SubmitError> {
        let Rehearsal { plan, least_units } = rehearsal;
        let class = plan.intent.class;
        let tips = tips(&self.shared.senders, class, &plan.intent.target);
        let Some(bytes) = unsigned(&plan, &self.shared.payer.pubkey(), &tips) else { return Ok(plan) };
        let slot = Duration::from_micros(self.shared.slot_micros.load(Ordering::Relaxed));
        let question = self.shared.wire.simulate(&bytes, min_slot, Use::Calm);
        let said = tokio::time::timeout(slot.clamp(PATIENCE.0, PATIENCE.1), question).await;
        let judged = said.ok().and_then(Result::ok).and_then(|simulated| judge(&bytes, &simulated));
        let result = match &judged {
            None => "unanswered",
            Some(Ok(_)) => "passed",
            Some(Err(_)) => "refused",
        };
        self.shared.metrics.simulations.get_or_create(&ResultLabel { class, result }).inc();
        match judged {
            Some(Err(error)) => Err(error),
            Some(Ok(Some(units))) => Ok(PlannedTx { compute_unit_limit: limit(units, least_units), ..plan }),
            Some(Ok(None)) | None => Ok(plan),
        }
    }
}

/// Returns the units that a transaction took, or the refusal of a program; nothing where the answer decides neither.
fn judge(bytes: &[u8], simulated: &Simulated) -> Option<Result<Option<u64>, SubmitError>> {
    match &simulated.error {
        None => Some(Ok(simulated.compute_units)),
        Some(error @ TransactionError::InstructionError(..)) => {
            let code = match raiser(bytes, error) {
                Raiser::Ours(code) => Some(code),
                Raiser::OursOrRoute(code) => {
                    Some(code).filter(|code| raised_by(&simulated.logs, *code) == Some(rampart::ID))
                }
                Raiser::Other => None,
            };
            Some(Err(SubmitError::WouldFail { error: error.clone(), code }))
        }
        // an unknown blockhash, accounts that the node has not seen yet, a balance: the chain knows better
        Some(_) => None,
    }
}

fn limit(units: u64, least_units: u32) -> u32 {
    let needed = units.saturating_add(units / 4).saturating_add(SPARE_UNITS);
    u32::try_from(needed).unwrap_or(MAX_UNITS).max(least_units).min(MAX_UNITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submit::tests::world::{intent, plan};
    use rampart::error::RampartError;
    use solana_sdk::instruction::InstructionError;
    use solana_sdk::pubkey::Pubkey;

    fn said(error: Option<TransactionError>) -> Simulated {
        Simulated { error, logs: Vec::new(), compute_units: Some(40_000) }
    }

    #[test]
    fn only_a_refusal_by_a_program_is_definite() {
        let bytes = unsigned(&plan(&intent(ActionClass::Liquidate, 1)), &Pubkey::default(), &[]).expect("bytes");
        let code = u32::from(RampartError::PositionHealthy);
        let refusal = TransactionError::InstructionError(1, InstructionError::Custom(code));
        let judged = judge(&bytes, &said(Some(refusal.clone())));
        assert!(
            matches!(&judged, Some(Err(SubmitError::WouldFail { error, code: Some(c) })) if *error == refusal && *c == code),
            "{judged:?}"
        );
        for unsure in [
            TransactionError::BlockhashNotFound,
            TransactionError::AccountNotFound,
            TransactionError::InsufficientFundsForFee,
            TransactionError::AlreadyProcessed,
        ] {
            assert!(judge(&bytes, &said(Some(unsure))).is_none());
        }
        assert!(matches!(judge(&bytes, &said(None)), Some(Ok(Some(40_000)))));
    }

    #[test]
    fn limit_has_room_for_another_state_and_is_not_lowered_below_what_ran_out() {
        assert_eq!(limit(40_000, 0), 60_000);
        assert_eq!(limit(40_000, 200_000), 200_000);
        assert_eq!(limit(u64::MAX, 0), MAX_UNITS);
    }

    #[test]
    fn trips_are_never_rehearsed() {
        use ActionClass::{Deleverage, Liquidate, Rebalance, Settle};
        let rehearsed: Vec<_> = ActionClass::ALL.into_iter().filter(|class| is_rehearsed(*class)).collect();
        assert_eq!(rehearsed, [Liquidate, Deleverage, Settle, Rebalance]);
    }
}
