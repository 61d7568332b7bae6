//! The note that ties a proposal to the report that it was judged by.
//!
//! A pending change has no room for it: what it stores is the value alone. A memo in the same transaction stands in the
//! chain's history beside the proposal, and lands only with it.

use super::spec::Digest;
use anchor_lang::prelude::Pubkey;
use solana_sdk::instruction::Instruction;

/// Address of the memo program.
pub const MEMO: Pubkey = Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

/// Returns the text of the note on change `id` of `guard`.
pub fn text(report: &Digest, guard: &Pubkey, id: u64) -> String {
    format!("rampart guard {guard} change {id} report sha256:{}", hex::encode(report.0))
}

/// Returns the instruction that writes the note.
pub fn note(report: &Digest, guard: &Pubkey, id: u64) -> Instruction {
    Instruction { program_id: MEMO, accounts: Vec::new(), data: text(report, guard, id).into_bytes() }
}
