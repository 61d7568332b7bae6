//! What is known of the chain: sources merged into one account store, and who crosses which price.
//!
//! Owns the state that decisions are made from, and no decisions. One task writes it, so nothing here locks. `feeds`
//! says which keys have to be watched, `store` keeps the newest version of each, `index` finds the positions that a
//! price reaches, `mailbox` brings updates over from the sources' tasks.

mod coverage;
pub mod decode;
pub mod feeds;
pub mod index;
pub mod mailbox;
pub mod oracles;
mod parts;
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
    /// Which version within its slot, where a subscription tells: later ones are higher. Zero where nobody says.
    pub write_version: u64,
    /// The subscriptions that told of the account, one bit for each source.
    pub told_by: u32,
}

impl Update {
    /// An update that says there is no account at `key`.
    pub fn absent(key: Pubkey, slot: u64, origin: Origin) -> Self {
        Self {
            key,
            owner: Pubkey::default(),
            lamports: 0,
            data: Vec::new(),
            slot,
            origin,
            write_version: 0,
            told_by: 0,
        }
    }

    /// Tells whether this version takes the place of `known`: the newer slot, then the later version within it; an answer
    /// never over a notification of its own slot, for it may have been read before that.
    pub fn replaces(&self, known: &Self) -> bool {
        is_newer((self.slot, self.write_version, self.origin), (known.slot, known.write_version, known.origin))
    }

    /// Tells whether this version says that the account doesn't exist.
    pub fn is_absent(&self) -> bool {
        self.lamports == 0
    }
}

/// Tells whether one version (slot, version within it, origin) takes the place of another.
pub(crate) fn is_newer(next: (u64, u64, Origin), known: (u64, u64, Origin)) -> bool {
    let is_weaker = known.2 == Origin::Push && next.2 == Origin::Poll;
    match (next.1, known.1) {
        _ if next.0 != known.0 => next.0 > known.0,
        _ if is_weaker => false,
        // where nobody counted, the later arrival is the later version
        (0, _) | (_, 0) => true,
        (next, known) => next > known,
    }
}
