//! Which transactions a block takes in, and what becomes of them.

use rampart_client::Pubkey;
use solana_sdk::hash::Hash;
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::{Transaction, TransactionError};
use std::collections::VecDeque;

/// Address of the compute budget program.
const COMPUTE_BUDGET: Pubkey = Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");

/// What leaders do.
#[derive(Clone, Debug)]
pub struct Landing {
    /// Blocks for which a blockhash lives.
    pub life_blocks: u64,
    /// Leaders take in nothing that pays less, micro-lamports per compute unit.
    pub min_price: u64,
    /// So many of the next slots have no block.
    pub skipped_leaders: u64,
    /// Leaders leave everything out.
    pub is_congested: bool,
    /// Transactions that ask for fewer compute units fail on chain.
    pub needs_units: u32,
    /// What the next transactions fail with on chain.
    pub refusals: VecDeque<TransactionError>,
}

impl Default for Landing {
    fn default() -> Self {
        let refusals = VecDeque::new();
        Self { life_blocks: 150, min_price: 0, skipped_leaders: 0, is_congested: false, needs_units: 0, refusals }
    }
}

/// A transaction that waits for a block.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its name.
    pub signature: Signature,
    /// Itself.
    pub transaction: Transaction,
    /// Priority fee, micro-lamports per compute unit.
    pub price: u64,
    /// Compute units asked for.
    pub units: u32,
}

/// A transaction that is in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landed {
    /// Slot of the block.
    pub slot: u64,
    /// What the chain made of it.
    pub result: Result<(), TransactionError>,
    /// Compute units used.
    pub units: u64,
}

/// Returns the price that a transaction offers, micro-lamports per compute unit, and the units that it asks for.
pub fn asked(transaction: &Transaction) -> (u64, u32) {
    let budget = |tag: u8| {
        transaction.message.instructions.iter().find_map(|instruction| {
            let program = transaction.message.account_keys.get(usize::from(instruction.program_id_index))?;
            (*program == COMPUTE_BUDGET && instruction.data.first() == Some(&tag)).then(|| instruction.data.clone())
        })
    };
    let units = budget(2).and_then(|data| data.get(1..5)?.try_into().ok().map(u32::from_le_bytes));
    let price = budget(3).and_then(|data| data.get(1..9)?.try_into().ok().map(u64::from_le_bytes));
    (price.unwrap_or(0), units.unwrap_or(200_000))
}

impl Pending {
    /// Reads the bytes of a transaction; `None` for anything else.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let transaction: Transaction = bincode::deserialize(bytes).ok()?;
        let signature = *transaction.signatures.first()?;
        let (price, units) = asked(&transaction);
        Some(Self { signature, price, units, transaction })
    }

    /// Returns its blockhash.
    pub fn blockhash(&self) -> Hash {
        self.transaction.message.recent_blockhash
    }
}

impl Landing {
    /// Returns why a transaction fails whatever it does.
    pub fn refusal(&mut self, pending: &Pending) -> Option<TransactionError> {
        if pending.units < self.needs_units {
            let last = u8::try_from(pending.transaction.message.instructions.len().saturating_sub(1)).unwrap_or(0);
            let error = InstructionError::ComputationalBudgetExceeded;
            return Some(TransactionError::InstructionError(last, error));
        }
        self.refusals.pop_front()
    }
}
