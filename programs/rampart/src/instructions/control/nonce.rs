//! Refuses transactions that a durable nonce kept signable for weeks.

use crate::error::RampartError;
use crate::refuse::require;
use anchor_lang::prelude::*;
use anchor_lang::system_program;

/// The sysvar that holds the instructions of the running transaction.
pub const INSTRUCTIONS_SYSVAR: Pubkey = pubkey!("Sysvar1nstructions1111111111111111111111111");

/// Data of the System program's `AdvanceNonceAccount` starts so.
const ADVANCE_NONCE: [u8; 4] = [4, 0, 0, 0];

/// Checks that the transaction doesn't start by advancing a nonce: what a durable one has to do.
///
/// `instructions` MUST be checked to be the sysvar.
///
/// # Errors
/// `DurableNonceRefused`; `UnknownStoredValue` for a sysvar that can't be read.
pub fn refuse_durable_nonce(instructions: &AccountInfo) -> Result<()> {
    let data = instructions.try_borrow_data()?;
    let (program, first) = first_instruction(&data).ok_or(RampartError::UnknownStoredValue)?;
    let is_nonce = program == system_program::ID.as_ref() && first.starts_with(&ADVANCE_NONCE);
    require!(!is_nonce, RampartError::DurableNonceRefused);
    Ok(())
}

/// Program and data of the transaction's first instruction.
///
/// # Source
/// solana-instructions-sysvar 3, `serialize_instructions`: count, an offset each; then per instruction the number of
/// accounts, 33 bytes each, the program, the length of the data, the data. All numbers u16 LE.
fn first_instruction(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let number = |at: usize| Some(usize::from(u16::from_le_bytes(data.get(at..at + 2)?.try_into().ok()?)));
    let start = number(2)?;
    let program = start + 2 + 33 * number(start)?;
    let bytes = program + 34;
    Some((data.get(program..program + 32)?, data.get(bytes..bytes + number(program + 32)?)?))
}
