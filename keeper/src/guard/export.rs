//! Instructions in the form that a multisig takes.

use anchor_lang::prelude::Pubkey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use solana_sdk::instruction::Instruction;
use solana_sdk::message::Message;

/// Returns what Squads imports: a transaction's message in base58, paid and signed by the vault that holds the role.
///
/// # Shape
/// A message of the older kind with an empty blockhash: the multisig compiles its own.
pub fn squads(instructions: &[Instruction], vault: &Pubkey) -> String {
    bs58::encode(Message::new(instructions, Some(vault)).serialize()).into_string()
}

/// Returns what Realms imports: one instruction as `InstructionData` in base64.
///
/// # Shape
/// Borsh: program, list of (key, is signer, is writable), bytes; lengths are little-endian and of four bytes.
pub fn realms(instruction: &Instruction) -> String {
    let length = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut out = instruction.program_id.to_bytes().to_vec();
    out.extend(length(instruction.accounts.len()));
    for meta in &instruction.accounts {
        out.extend(meta.pubkey.to_bytes());
        out.extend([u8::from(meta.is_signer), u8::from(meta.is_writable)]);
    }
    out.extend(length(instruction.data.len()));
    out.extend(&instruction.data);
    STANDARD.encode(out)
}
