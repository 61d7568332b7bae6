//! What to do next with a transaction that was sent. Pure.
//!
//! The same bytes may be sent again freely. New bytes are allowed only after [`Outcome::Expired`], which needs two facts:
//! the confirmed chain is past the last height at which the bytes may land, and a node that has seen the chain at least
//! that far does not know the signature. Silence is neither. Both have to be agreed upon; where one node alone says so,
//! it is a [`NextStep::Doubt`], which for some classes is enough after a while.

use super::blame::{Raiser, raised_by, raiser};
use super::wire::{Found, Tip};
use crate::intent::Outcome;
use rampart::error::RampartError;

/// What a node said of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Found(Found),
    /// No, as far as the node has seen.
    NotFound {
        /// Slot up to which the node had seen the chain.
        context_slot: u64,
        /// Whether it looked beyond its recent memory.
        searched_history: bool,
        /// Whether as many nodes said so as have to agree.
        is_agreed: bool,
    },
    /// Nobody said.
    Silence,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// It may still land: go on sending the same bytes.
    Resend,
    /// It is in a block that may still be undone: wait.
    Wait,
    /// It can be neither sent nor given up: ask again.
    AskAgain,
    /// One node alone says that it can never land: as `AskAgain`, unless the class may go by that.
    Doubt,
    /// It is decided.
    Settle(Outcome),
}

/// Decides what to do next with `bytes`.
///
/// `tip` MUST have been asked for before `answer`, or a block between the two could hold the transaction.
pub fn next_step(bytes: &[u8], last_valid_block_height: u64, tip: Option<Tip>, answer: &Answer) -> NextStep {
    match (answer, tip) {
        (Answer::Found(found), _) if found.is_confirmed => NextStep::Settle(outcome(bytes, found)),
        (Answer::Found(_), _) => NextStep::Wait,
        // Nobody knows the height: the bytes may still land, and sending them again is always safe.
        (_, None) => NextStep::Resend,
        (_, Some(tip)) if tip.block_height <= last_valid_block_height => NextStep::Resend,
        (Answer::NotFound { context_slot, searched_history: true, is_agreed }, Some(tip))
            if *context_slot >= tip.slot =>
        {
            if *is_agreed && tip.is_agreed {
                NextStep::Settle(Outcome::Expired)
            } else {
                NextStep::Doubt
            }
        }
        (Answer::NotFound { .. } | Answer::Silence, Some(_)) => NextStep::AskAgain,
    }
}

fn outcome(bytes: &[u8], found: &Found) -> Outcome {
    let Err(error) = &found.result else {
        return Outcome::Landed { slot: found.slot, compute_units: None };
    };
    let code = match raiser(bytes, error) {
        Raiser::Ours(code) => Some(code),
        // the program's refusal only where the logs say so: `attributed`
        Raiser::OursOrRoute(_) | Raiser::Other => None,
    };
    Outcome::Failed { slot: found.slot, error: error.clone(), code, lost_race: code.is_some_and(is_lost_race) }
}

/// Returns the code of a failure that may be our program's or a route's: the logs tell whose.
pub(super) fn asks_for_logs(bytes: &[u8], answer: &Answer) -> Option<u32> {
    let Answer::Found(Found { result: Err(error), is_confirmed: true, .. }) = answer else { return None };
    match raiser(bytes, error) {
        Raiser::OursOrRoute(code) => Some(code),
        Raiser::Ours(_) | Raiser::Other => None,
    }
}

/// Takes `code` for our program's where the logs say that it raised it. What is not told was the route.
pub(super) fn attributed<T: AsRef<str>>(step: NextStep, code: u32, logs: &[T]) -> NextStep {
    match step {
        NextStep::Settle(Outcome::Failed { slot, error, code: None, .. })
            if raised_by(logs, code) == Some(rampart::ID) =>
        {
            let (code, lost_race) = (Some(code), is_lost_race(code));
            NextStep::Settle(Outcome::Failed { slot, error, code, lost_race })
        }
        step => step,
    }
}

/// Refusals that mean: somebody else was first, or the cause is gone. No fault of the keeper's.
const LOST_RACE: [RampartError; 16] = [
    RampartError::TripEpochMoved,
    RampartError::AlreadyTripped,
    RampartError::NotTripped,
    RampartError::RuleNotTrue,
    RampartError::RuleNotClear,
    RampartError::ObservationNotNewer,
    RampartError::PositionHealthy,
    RampartError::OutsideSoftBand,
    RampartError::LiquidationSeqMoved,
    RampartError::LiquidatedThisSlot,
    RampartError::SoftQuotaUsed,
    RampartError::NoDebt,
    RampartError::GroupNotTrue,
    RampartError::GroupNotClear,
    RampartError::LiquidationGrace,
    RampartError::SwapCounterMoved,
];

fn is_lost_race(code: u32) -> bool {
    LOST_RACE.into_iter().any(|error| u32::from(error) == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::Discriminator;
    use solana_sdk::instruction::{Instruction, InstructionError};
    use solana_sdk::pubkey::Pubkey;
    use solana_sdk::transaction::{Transaction, TransactionError};

    const HEIGHT: u64 = 150;

    fn tip(block_height: u64) -> Option<Tip> {
        Some(Tip { slot: block_height + 1_000, block_height, is_agreed: true })
    }

    fn not_found(context_slot: u64, searched_history: bool) -> Answer {
        Answer::NotFound { context_slot, searched_history, is_agreed: true }
    }

    fn found(result: Result<(), TransactionError>, is_confirmed: bool) -> Answer {
        Answer::Found(Found { slot: 77, result, is_confirmed })
    }

    fn step(tip: Option<Tip>, answer: &Answer) -> NextStep {
        next_step(&[], HEIGHT, tip, answer)
    }

    #[test]
    fn resends_until_the_confirmed_chain_is_past_the_last_height() {
        for answer in [not_found(9_999, true), not_found(0, false), Answer::Silence] {
            assert_eq!(step(tip(HEIGHT), &answer), NextStep::Resend);
            assert_eq!(step(None, &answer), NextStep::Resend);
        }
    }

    #[test]
    fn expires_only_when_a_node_that_saw_the_tip_searched_its_history() {
        let past = tip(HEIGHT + 1);
        let slot = past.expect("a tip").slot;
        assert_eq!(step(past, &not_found(slot, true)), NextStep::Settle(Outcome::Expired));
        assert_eq!(step(past, &not_found(slot - 1, true)), NextStep::AskAgain, "the node lags behind");
        assert_eq!(step(past, &not_found(slot, false)), NextStep::AskAgain, "the node did not search");
        assert_eq!(step(past, &Answer::Silence), NextStep::AskAgain, "silence is not no");
    }

    #[test]
    fn word_of_one_node_is_a_doubt_where_that_of_two_would_be_a_verdict() {
        let agreed = tip(HEIGHT + 1).expect("a tip");
        let alone = Some(Tip { is_agreed: false, ..agreed });
        let missing = |is_agreed| Answer::NotFound { context_slot: agreed.slot, searched_history: true, is_agreed };
        assert_eq!(step(alone, &missing(true)), NextStep::Doubt);
        assert_eq!(step(Some(agreed), &missing(false)), NextStep::Doubt);
        assert_eq!(step(alone, &not_found(agreed.slot - 1, true)), NextStep::AskAgain, "it has not seen the end");
        assert_eq!(step(alone, &not_found(agreed.slot, false)), NextStep::AskAgain, "it did not search");
        assert_eq!(step(alone, &Answer::Silence), NextStep::AskAgain);
    }

    #[test]
    fn a_block_that_may_be_undone_decides_nothing() {
        for tip in [None, tip(HEIGHT), tip(HEIGHT + 1_000)] {
            assert_eq!(step(tip, &found(Ok(()), false)), NextStep::Wait);
        }
    }

    #[test]
    fn a_confirmed_block_decides_whatever_the_tip() {
        let landed = Outcome::Landed { slot: 77, compute_units: None };
        for tip in [None, tip(1), tip(HEIGHT + 1_000)] {
            assert_eq!(step(tip, &found(Ok(()), true)), NextStep::Settle(landed.clone()));
        }
    }

    fn refused(code: u32) -> Answer {
        found(Err(TransactionError::InstructionError(1, InstructionError::Custom(code))), true)
    }

    fn settle(bytes: &[u8], code: u32) -> NextStep {
        next_step(bytes, HEIGHT, None, &refused(code))
    }

    fn is_lost(step: &NextStep) -> bool {
        matches!(step, NextStep::Settle(Outcome::Failed { lost_race: true, code: Some(_), .. }))
    }

    fn is_nobodys(step: &NextStep) -> bool {
        matches!(step, NextStep::Settle(Outcome::Failed { lost_race: false, code: None, .. }))
    }

    #[test]
    fn lost_races_are_told_apart_by_the_program_that_refused() {
        let ours = calls(rampart::ID, &[]);
        for error in LOST_RACE {
            assert!(is_lost(&settle(&ours, error.into())));
            assert_eq!(asks_for_logs(&ours, &refused(error.into())), None);
        }
        assert!(!is_lost(&settle(&ours, RampartError::RuleIndeterminate.into())));
        assert!(!is_lost(&settle(&ours, RampartError::MathOverflow.into())));
        let other = calls(Pubkey::new_from_array([1; 32]), &[]);
        assert!(is_nobodys(&settle(&other, RampartError::TripEpochMoved.into())), "the code of another program");
    }

    #[test]
    fn code_of_a_route_within_our_instruction_is_none_of_ours() {
        // a route's own number 6000 and more was once read as one of ours, and a route that fails as a race that was lost
        let code = u32::from(RampartError::LiquidationSeqMoved);
        assert!(code >= 6_000);
        let fails = |program: Pubkey| format!("Program {program} failed: custom program error: 0x{code:x}");
        let route = Pubkey::new_from_array([4; 32]);
        for tag in
            [rampart::instruction::LiquidateBySwap::DISCRIMINATOR, rampart::instruction::Rebalance::DISCRIMINATOR]
        {
            let bytes = calls(rampart::ID, tag);
            assert_eq!(asks_for_logs(&bytes, &refused(code)), Some(code));
            let step = settle(&bytes, code);
            assert!(is_nobodys(&step), "nothing is known without logs");
            assert!(is_nobodys(&attributed::<&str>(step.clone(), code, &[])), "no way tells logs");
            let by_route = [fails(route), fails(rampart::ID)];
            assert!(is_nobodys(&attributed(step.clone(), code, &by_route)));
            assert!(is_lost(&attributed(step, code, &[fails(rampart::ID)])));
        }
        let unconfirmed = found(Err(TransactionError::InstructionError(1, InstructionError::Custom(code))), false);
        assert_eq!(
            asks_for_logs(&calls(rampart::ID, rampart::instruction::Rebalance::DISCRIMINATOR), &unconfirmed),
            None
        );
    }

    fn calls(program: Pubkey, data: &[u8]) -> Vec<u8> {
        let instruction = |id| Instruction::new_with_bytes(id, data, vec![]);
        let both = [instruction(Pubkey::new_from_array([2; 32])), instruction(program)];
        let transaction = Transaction::new_with_payer(&both, Some(&Pubkey::new_from_array([5; 32])));
        bincode::serialize(&transaction).expect("plain data")
    }
}
