//! From a plan to signed bytes. No network, no clock.

use super::SubmitError;
use crate::config::Sender;
use crate::config::payer::PayerKey;
use crate::intent::{ActionClass, Blockhash, PlannedTx};
use crate::journal::Signed;
use crate::plan::MAX_UNITS;
use anchor_lang::solana_program::system_instruction::transfer;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_sdk::hash::Hash;
use solana_sdk::instruction::Instruction;
use solana_sdk::message::{Message, VersionedMessage, v0};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Signature;
use solana_sdk::signer::SignerError;
use solana_sdk::transaction::VersionedTransaction;
use std::collections::HashSet;

/// Bytes that fit into one packet.
pub const PACKET_BYTES: usize = 1_232;
/// Fee of one signature.
pub const SIGNATURE_LAMPORTS: u64 = 5_000;
const MICRO: u128 = 1_000_000;

/// Returns the most that a plan can cost: one signature and its priority fee, rounded up.
pub fn fee_lamports(compute_unit_limit: u32, priority_micro_lamports: u64) -> u64 {
    let priority = (u128::from(compute_unit_limit) * u128::from(priority_micro_lamports)).div_ceil(MICRO);
    u64::try_from(priority).unwrap_or(u64::MAX).saturating_add(SIGNATURE_LAMPORTS)
}

/// Lamports that senders ask for within a transaction, and where they go.
pub(super) type Tips = Vec<(Pubkey, u64)>;

/// Returns the tips of a class. `target` spreads them over the accounts that a sender names.
pub(super) fn tips(senders: &[Sender], class: ActionClass, target: &Pubkey) -> Tips {
    let asking = senders.iter().filter(|sender| sender.tip_lamports > 0 && sender.takes(class));
    let tip = |sender: &Sender| {
        let at = usize::from(target.to_bytes()[0]) % sender.tip_accounts.len().max(1);
        sender.tip_accounts.get(at).map(|account| (*account, sender.tip_lamports))
    };
    asking.filter_map(tip).collect()
}

/// Adds tips to a fee.
pub(super) fn with_tips(fee_lamports: u64, tips: &[(Pubkey, u64)]) -> u64 {
    tips.iter().fold(fee_lamports, |sum, (_, tip)| sum.saturating_add(*tip))
}

/// Signs a plan, with tips at its end.
pub(super) fn sign(
    planned: PlannedTx,
    blockhash: Blockhash,
    payer: &PayerKey,
    tips: &Tips,
    planned_ms: u64,
) -> Result<Signed, SubmitError> {
    let refused = |source| SubmitError::Sign { payer: payer.pubkey(), source };
    // what has room for no tip goes by the ways that ask for none
    let tips = if size_with(&planned, &payer.pubkey(), tips) <= PACKET_BYTES { tips.as_slice() } else { &[] };
    let fee = with_tips(fee_lamports(planned.compute_unit_limit, planned.priority_micro_lamports), tips);
    // more accounts than a message can index: the size that would be refused below, too
    let message = message(&planned, &payer.pubkey(), blockhash.hash, tips);
    let message = message.ok_or(SubmitError::TooLarge { bytes: usize::MAX, limit: PACKET_BYTES })?;
    let transaction = VersionedTransaction::try_new(message, &[payer.keypair()]).map_err(refused)?;
    let signature = *transaction.signatures.first().ok_or_else(|| refused(SignerError::NotEnoughSigners))?;
    // CANNOT fail: plain data written into a vector. An empty result would be refused below all the same.
    let bytes = bincode::serialize(&transaction).unwrap_or_default();
    if bytes.is_empty() || bytes.len() > PACKET_BYTES {
        return Err(SubmitError::TooLarge { bytes: bytes.len(), limit: PACKET_BYTES });
    }
    Ok(Signed { intent: planned.intent, signature, bytes, blockhash, fee_lamports: fee, planned_ms })
}

/// Returns the bytes of a plan as they would be signed, with all the units that there are and without a signature; nothing
/// where there are none.
pub(super) fn unsigned(planned: &PlannedTx, payer: &Pubkey, tips: &[(Pubkey, u64)]) -> Option<Vec<u8>> {
    // no price: a balance that pays for fewer units would not pay for all of them
    let trial = PlannedTx { compute_unit_limit: MAX_UNITS, priority_micro_lamports: 0, ..planned.clone() };
    let message = message(&trial, payer, Hash::default(), tips)?;
    let signatures = vec![Signature::default(); usize::from(message.header().num_required_signatures)];
    bincode::serialize(&VersionedTransaction { signatures, message }).ok()
}

/// Returns the message of a plan: of version 0 where it needs lookup tables, else one that every node reads.
fn message(planned: &PlannedTx, payer: &Pubkey, blockhash: Hash, tips: &[(Pubkey, u64)]) -> Option<VersionedMessage> {
    // a message indexes accounts by a byte, and an older one would wrap
    let keys: HashSet<&Pubkey> =
        planned.instructions.iter().flat_map(|ix| ix.accounts.iter().map(|meta| &meta.pubkey)).collect();
    if keys.len() > 200 {
        return None;
    }
    let mut instructions = instructions(planned);
    instructions.extend(tips.iter().map(|(account, tip)| transfer(payer, account, *tip)));
    if planned.tables.is_empty() {
        return Some(VersionedMessage::Legacy(Message::new_with_blockhash(&instructions, Some(payer), &blockhash)));
    }
    v0::Message::try_compile(payer, &instructions, &planned.tables, blockhash).ok().map(VersionedMessage::V0)
}

/// Returns how many bytes the signed transaction of a plan takes; `usize::MAX` for one that names too many accounts.
pub fn size_of(planned: &PlannedTx, payer: &Pubkey) -> usize {
    size_with(planned, payer, &[])
}

fn size_with(planned: &PlannedTx, payer: &Pubkey, tips: &[(Pubkey, u64)]) -> usize {
    const SIGNATURE_BYTES: usize = 64;
    let Some(message) = message(planned, payer, Hash::default(), tips) else { return usize::MAX };
    let signatures = usize::from(message.header().num_required_signatures);
    // one byte counts the signatures: a packet has no room for 128
    1 + SIGNATURE_BYTES * signatures + message.serialize().len()
}

fn instructions(planned: &PlannedTx) -> Vec<Instruction> {
    let mut all = Vec::with_capacity(planned.instructions.len() + 2);
    all.push(ComputeBudgetInstruction::set_compute_unit_limit(planned.compute_unit_limit));
    if planned.priority_micro_lamports > 0 {
        all.push(ComputeBudgetInstruction::set_compute_unit_price(planned.priority_micro_lamports));
    }
    all.extend_from_slice(&planned.instructions);
    all
}

/// Returns the program that a top-level instruction of signed bytes calls, and the data that it gets.
pub(super) fn called_by(bytes: &[u8], instruction: u8) -> Option<(Pubkey, Vec<u8>)> {
    let transaction: VersionedTransaction = bincode::deserialize(bytes).ok()?;
    let called = transaction.message.instructions().get(usize::from(instruction))?;
    // CANNOT be a key that is looked up: a program is always named
    let program = transaction.message.static_account_keys().get(usize::from(called.program_id_index)).copied()?;
    Some((program, called.data.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::Intent;
    use solana_sdk::hash::Hash;
    use solana_sdk::instruction::AccountMeta;
    use solana_sdk::message::AddressLookupTableAccount;
    use solana_sdk::signature::Keypair;
    use solana_sdk::transaction::Transaction;

    fn program_of(bytes: &[u8], instruction: u8) -> Option<Pubkey> {
        called_by(bytes, instruction).map(|(program, _)| program)
    }

    fn planned(data: usize) -> PlannedTx {
        let target = Pubkey::new_from_array([3; 32]);
        let intent = Intent { class: ActionClass::Trip, target, fence: 1, reason: "test".into() };
        let instruction =
            Instruction::new_with_bytes(rampart::ID, &vec![0; data], vec![AccountMeta::new(target, false)]);
        PlannedTx {
            intent,
            instructions: vec![instruction],
            compute_unit_limit: 100_000,
            priority_micro_lamports: 15,
            tables: Vec::new(),
        }
    }

    fn blockhash() -> Blockhash {
        Blockhash { hash: Hash::new_from_array([9; 32]), last_valid_block_height: 150 }
    }

    #[test]
    fn sign_makes_bytes_that_verify() {
        let payer = PayerKey::new(Keypair::new());
        let signed = sign(planned(8), blockhash(), &payer, &Tips::new(), 1).expect("a signature");
        let transaction: Transaction = bincode::deserialize(&signed.bytes).expect("a transaction");
        assert!(transaction.verify().is_ok());
        assert_eq!(transaction.signatures[0], signed.signature);
        assert_eq!(transaction.message.recent_blockhash, blockhash().hash);
        assert_eq!(program_of(&signed.bytes, 2), Some(rampart::ID));
        assert_eq!(program_of(&signed.bytes, 3), None);
    }

    #[test]
    fn fault_37_sign_fails_when_the_packet_would_overflow() {
        let payer = PayerKey::new(Keypair::new());
        let error = sign(planned(1_200), blockhash(), &payer, &Tips::new(), 1).expect_err("too large");
        assert!(matches!(error, SubmitError::TooLarge { limit: PACKET_BYTES, .. }), "{error}");
    }

    #[test]
    fn fault_37_plan_with_a_table_is_signed_as_version_0_and_its_program_is_found() {
        let payer = PayerKey::new(Keypair::new());
        let key = |n: u8| Pubkey::new_from_array([n; 32]);
        let mut plan = planned(8);
        plan.instructions[0].accounts = (10..60).map(|n| AccountMeta::new(key(n), false)).collect();
        assert!(size_of(&plan, &payer.pubkey()) > PACKET_BYTES);
        plan.tables = vec![AddressLookupTableAccount { key: key(9), addresses: (10..60).map(key).collect() }];
        let size = size_of(&plan, &payer.pubkey());
        let signed = sign(plan, blockhash(), &payer, &vec![], 1).expect("a signature");
        assert_eq!(signed.bytes.len(), size);
        assert!(size < 500, "{size}");
        let transaction: VersionedTransaction = bincode::deserialize(&signed.bytes).expect("a transaction");
        assert!(transaction.verify_with_results().iter().all(|is_valid| *is_valid));
        assert!(matches!(transaction.message, VersionedMessage::V0(_)));
        assert_eq!(program_of(&signed.bytes, 2), Some(rampart::ID));
    }

    #[test]
    fn plan_without_room_for_a_tip_is_signed_without_one() {
        let payer = PayerKey::new(Keypair::new());
        let tips = vec![(Pubkey::new_from_array([8; 32]), 7_000)];
        let bare = |data: usize| size_of(&planned(data), &payer.pubkey());
        let fitting = (0..PACKET_BYTES).rev().find(|data| bare(*data) <= PACKET_BYTES).expect("some fit");
        let tight = sign(planned(fitting), blockhash(), &payer, &tips, 1).expect("a signature");
        assert_eq!(tight.bytes.len(), bare(fitting));
        let roomy = sign(planned(8), blockhash(), &payer, &tips, 1).expect("a signature");
        assert!(roomy.bytes.len() > bare(8));
        assert_eq!(roomy.fee_lamports, tight.fee_lamports + 7_000);
    }

    #[test]
    fn size_of_a_plan_is_the_size_of_its_signed_bytes() {
        let payer = PayerKey::new(Keypair::new());
        let signed = sign(planned(8), blockhash(), &payer, &vec![], 1).expect("a signature");
        assert_eq!(size_of(&planned(8), &payer.pubkey()), signed.bytes.len());
    }

    #[test]
    fn sign_fails_when_somebody_else_must_sign() {
        let payer = PayerKey::new(Keypair::new());
        let mut plan = planned(8);
        plan.instructions[0].accounts.push(AccountMeta::new(Pubkey::new_from_array([4; 32]), true));
        let error = sign(plan, blockhash(), &payer, &Tips::new(), 1).expect_err("a missing signer");
        assert!(matches!(error, SubmitError::Sign { .. }), "{error}");
    }

    #[test]
    fn fee_counts_the_signature_and_rounds_the_priority_up() {
        assert_eq!(fee_lamports(200_000, 0), 5_000);
        assert_eq!(fee_lamports(100_000, 15), 5_002);
        assert_eq!(fee_lamports(u32::MAX, u64::MAX), u64::MAX);
    }
}
