//! What is known of the chain: sources merged into one account store, and who crosses which price.
//!
//! Owns the state that decisions are made from, and no decisions. One task writes it, so nothing here locks. `feeds`
//! says which keys have to be watched, `store` keeps the newest version of each, `index` finds the positions that a
//! price reaches, `mailbox` brings updates over from the sources' tasks.

pub mod decode;
pub mod feeds;
pub mod index;
pub mod mailbox;
pub mod oracles;
pub mod poll;
pub mod store;

#[cfg(any(test, feature = "bench"))]
pub mod testing;

use anchor_lang::prelude::Pubkey;

/// Where an update came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A subscription.
    Push,
    /// A request: the whole account as of the answer's context slot.
    Poll,
}

/// One version of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Its address.
    pub key: Pubkey,
    /// The program that owns it.
    pub owner: Pubkey,
    /// Its balance; zero where there is no account.
    pub lamports: u64,
    /// Its bytes; empty where there is no account.
    pub data: Vec<u8>,
    /// The slot that this version is of: the notification's, or the context slot of the answer.
    pub slot: u64,
    /// Where it came from.
    pub origin: Origin,
}

impl Update {
    /// An update that says there is no account at `key`.
    pub fn absent(key: Pubkey, slot: u64, origin: Origin) -> Self {
        Self { key, owner: Pubkey::default(), lamports: 0, data: Vec::new(), slot, origin }
    }

    /// Tells whether this version says that the account doesn't exist.
    pub fn is_absent(&self) -> bool {
        self.lamports == 0
    }
}
