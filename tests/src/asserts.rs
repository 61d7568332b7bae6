//! What a test asserts of an outcome.

use crate::world::Outcome;
use rampart::error::RampartError;
use solana_sdk::instruction::InstructionError;
use solana_sdk::transaction::TransactionError;

/// Asserts that the program refused with exactly `expected`.
///
/// # Panics
/// Otherwise, with the logs.
#[track_caller]
pub fn assert_error(outcome: Outcome, expected: RampartError) {
    assert_code(outcome, u32::from(expected), &format!("{expected:?}"));
}

/// Asserts that Anchor's own checks refused with exactly `expected`.
///
/// # Panics
/// Otherwise, with the logs.
#[track_caller]
pub fn assert_anchor_error(outcome: Outcome, expected: anchor_lang::error::ErrorCode) {
    assert_code(outcome, u32::from(expected), &format!("{expected:?}"));
}

#[track_caller]
fn assert_code(outcome: Outcome, code: u32, name: &str) {
    let failed = outcome.expect_err(&format!("expected {name}, but the transaction landed"));
    match failed.err {
        TransactionError::InstructionError(_, InstructionError::Custom(found)) if found == code => {}
        other => panic!("expected {name} ({code}), found {other:?}\n{}", failed.meta.logs.join("\n")),
    }
}

/// Runs `action` and asserts that none of the accounts at `keys` changed.
///
/// # Panics
/// If one did.
#[track_caller]
pub fn assert_unchanged(
    world: &mut crate::World,
    keys: &[rampart_client::Pubkey],
    action: impl FnOnce(&mut crate::World),
) {
    let read =
        |w: &crate::World| keys.iter().map(|k| w.svm.get_account(k).map(|a| (a.owner, a.data))).collect::<Vec<_>>();
    let before = read(world);
    action(world);
    assert!(before == read(world), "a refused instruction changed an account");
}

/// Returns the compute units that a landed transaction used.
///
/// # Panics
/// If it failed, with the logs.
#[track_caller]
pub fn compute_units(outcome: Outcome) -> u64 {
    outcome.unwrap_or_else(|e| panic!("{:?}\n{}", e.err, e.meta.logs.join("\n"))).compute_units_consumed
}

/// Returns the custom code with which an instruction of a transaction failed.
///
/// # Panics
/// If it failed otherwise.
#[track_caller]
pub fn code_of(error: &TransactionError) -> u32 {
    match error {
        TransactionError::InstructionError(_, InstructionError::Custom(code)) => *code,
        other => panic!("not an error of a program: {other:?}"),
    }
}
