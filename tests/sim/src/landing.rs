//! A transaction on its way into a block.

use rampart_client::Pubkey;
use rampart_rig::landing::asked;
use solana_sdk::hash::Hash;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::{Transaction, TransactionError};

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
    /// The first slot whose leader knows it.
    pub from_slot: u64,
}

/// A transaction that is in a block.
#[derive(Clone, Debug)]
pub struct Landed {
    /// Slot of the block.
    pub slot: u64,
    /// What the chain made of it.
    pub result: Result<(), TransactionError>,
    /// Compute units used.
    pub units: u64,
    /// What it was.
    pub pending: Pending,
}

impl Pending {
    /// Reads the bytes of a transaction whose signatures are right; `None` for anything else.
    pub fn read(bytes: &[u8], from_slot: u64) -> Option<Self> {
        let transaction: Transaction = bincode::deserialize(bytes).ok()?;
        transaction.verify().ok()?;
        let signature = *transaction.signatures.first()?;
        let (price, units) = asked(&transaction);
        Some(Self { signature, price, units, transaction, from_slot })
    }

    /// Returns its blockhash.
    pub fn blockhash(&self) -> Hash {
        self.transaction.message.recent_blockhash
    }

    /// Returns who pays.
    pub fn payer(&self) -> Pubkey {
        self.transaction.message.account_keys.first().copied().unwrap_or_default()
    }

    /// Returns what it costs, lamports.
    pub fn fee_lamports(&self) -> u64 {
        5_000 + (u64::from(self.units) * self.price).div_ceil(1_000_000)
    }
}
