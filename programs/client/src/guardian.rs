//! Pauses by guardians, and their end by the resetter.

use crate::control::signers;
use crate::evidence::{PairAssets, scope_of};
use crate::{AccountMeta, Instruction, Pubkey, address, build};
use rampart::control::nonce::INSTRUCTIONS_SYSVAR;
use rampart::state::Rule;
use rampart::{GuardianPauseArgs, ResetBreakerArgs, Validity};
use rampart::{accounts, instruction};

/// Raises the level of `scope`: the guard, or an asset or vault of it.
pub fn guardian_pause(guardian: Pubkey, guard: Pubkey, scope: Pubkey, args: GuardianPauseArgs) -> Instruction {
    let accounts = accounts::GuardianPause {
        guardian,
        guard,
        scope,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::GuardianPause { args }, &[])
}

/// Halts `scope` by the signatures of `guardians`, a quorum.
pub fn guardian_halt(
    guard: Pubkey,
    scope: Pubkey,
    duration_secs: u32,
    validity: Validity,
    guardians: &[Pubkey],
) -> Instruction {
    let accounts =
        accounts::GuardianHalt { guard, scope, event_authority: address::event_authority(), program: rampart::ID };
    build(accounts, instruction::GuardianHalt { duration_secs, validity }, &signers(guardians))
}

/// Ends the pause of `source` at `scope` early.
pub fn lift_pause(resetter: Pubkey, guard: Pubkey, scope: Pubkey, source: Pubkey, validity: Validity) -> Instruction {
    let accounts = accounts::LiftPause {
        resetter,
        guard,
        scope,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::LiftPause { source, validity }, &[])
}

/// Resets the cause of the rule at `key`, fenced by its `trip_epoch`.
pub fn reset_breaker(
    resetter: Pubkey,
    (key, rule): (Pubkey, &Rule),
    pair: Option<PairAssets>,
    oracles: &[AccountMeta],
    validity: Validity,
) -> Instruction {
    let accounts = accounts::ResetBreaker {
        resetter,
        guard: rule.guard,
        rule: key,
        subject: rule.subject,
        scope: scope_of(rule),
        collateral_asset: pair.map(|p| p.collateral),
        loan_asset: pair.map(|p| p.loan),
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    let args = ResetBreakerArgs { trip_epoch: rule.trip_epoch, validity };
    build(accounts, instruction::ResetBreaker { args }, oracles)
}
