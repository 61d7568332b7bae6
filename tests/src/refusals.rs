//! Transactions that have to be refused: the exact error, and nothing changed.

use crate::asserts::{assert_anchor_error, assert_error, assert_unchanged};
use crate::world::{Outcome, World};
use anchor_lang::error::ErrorCode;
use rampart::error::RampartError;
use rampart_client::{AccountMeta, Instruction, Pubkey};
use solana_sdk::account::Account;
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Keypair;
use solana_sdk::transaction::{Transaction, TransactionError};

impl World {
    /// Asserts that the program refuses `ix` with `expected` and that none of its accounts changes.
    ///
    /// # Panics
    /// Otherwise.
    #[track_caller]
    pub fn refuses(&mut self, ix: &Instruction, signers: &[&Keypair], expected: RampartError) {
        let outcome = self.refused(ix, signers);
        assert_error(outcome, expected);
    }

    /// Asserts that Anchor's checks refuse `ix` with `expected` and that none of its accounts changes.
    ///
    /// # Panics
    /// Otherwise.
    #[track_caller]
    pub fn anchor_refuses(&mut self, ix: &Instruction, signers: &[&Keypair], expected: ErrorCode) {
        let outcome = self.refused(ix, signers);
        assert_anchor_error(outcome, expected);
    }

    /// Asserts that a program which `ix` calls refuses it with its own code `expected`, and nothing changes.
    ///
    /// # Panics
    /// Otherwise.
    #[track_caller]
    pub fn callee_refuses(&mut self, ix: &Instruction, signers: &[&Keypair], expected: u32) {
        self.refuses_with(ix, signers, InstructionError::Custom(expected));
    }

    /// Asserts that `ix` is refused with the general error `expected`, and nothing changes.
    ///
    /// # Panics
    /// Otherwise.
    #[track_caller]
    pub fn refuses_with(&mut self, ix: &Instruction, signers: &[&Keypair], expected: InstructionError) {
        let failed = self.refused(ix, signers).expect_err("expected a refusal, but the transaction landed");
        let expected = TransactionError::InstructionError(0, expected);
        assert_eq!(failed.err, expected, "{}", failed.meta.logs.join("\n"));
    }

    #[track_caller]
    fn refused(&mut self, ix: &Instruction, signers: &[&Keypair]) -> Outcome {
        let payer = self.payer_address();
        let keys: Vec<Pubkey> = ix.accounts.iter().map(|m| m.pubkey).filter(|k| *k != payer).collect();
        let mut outcome = None;
        assert_unchanged(self, &keys, |w| outcome = Some(w.send(std::slice::from_ref(ix), signers)));
        outcome.expect("the transaction was sent")
    }

    /// Runs `instructions`, signed by the payer alone, without keeping what they do.
    ///
    /// # Errors
    /// What they fail with.
    pub fn simulate(&self, instructions: &[Instruction]) -> Result<(), TransactionError> {
        self.simulate_with(instructions, &[])
    }

    /// As [`World::simulate`], signed by the payer and `signers`.
    ///
    /// # Errors
    /// What they fail with.
    pub fn simulate_with(&self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<(), TransactionError> {
        let mut all = vec![&self.payer];
        all.extend_from_slice(signers);
        let blockhash = self.svm.latest_blockhash();
        let tx = Transaction::new_signed_with_payer(instructions, Some(&self.payer_address()), &all, blockhash);
        self.svm.simulate_transaction(tx).map(|_| ()).map_err(|failed| failed.err)
    }

    /// Returns the payer's address.
    pub fn payer_address(&self) -> Pubkey {
        solana_sdk::signer::Signer::pubkey(&self.payer)
    }

    /// Returns a copy of the account at `key` that `owner` owns, at an address of its own.
    pub fn copy_under(&mut self, key: &Pubkey, owner: Pubkey) -> Pubkey {
        let address = solana_sdk::signer::Signer::pubkey(&self.new_key());
        let account = self.svm.get_account(key).expect("account exists");
        self.svm.set_account(address, Account { owner, ..account }).expect("account is written");
        address
    }
}

/// Returns `ix` with the account at position `index` replaced by `key`.
pub fn with_account(ix: &Instruction, index: usize, key: Pubkey) -> Instruction {
    let mut changed = ix.clone();
    changed.accounts[index].pubkey = key;
    changed
}

/// Returns `ix` with the account at position `index` read-only.
pub fn with_read_only(ix: &Instruction, index: usize) -> Instruction {
    let mut changed = ix.clone();
    changed.accounts[index].is_writable = false;
    changed
}

/// Returns `ix` with one more account at its end.
pub fn with_extra(ix: &Instruction, key: Pubkey) -> Instruction {
    let mut changed = ix.clone();
    changed.accounts.push(AccountMeta::new_readonly(key, false));
    changed
}

/// Returns `ix` without the account at its end.
pub fn without_last(ix: &Instruction) -> Instruction {
    let mut changed = ix.clone();
    changed.accounts.pop();
    changed
}

/// Returns `ix` with its last two accounts in the other order.
pub fn with_last_two_swapped(ix: &Instruction) -> Instruction {
    let mut changed = ix.clone();
    let count = changed.accounts.len();
    changed.accounts.swap(count - 2, count - 1);
    changed
}
