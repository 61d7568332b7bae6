//! Prices that are heard of before they are on chain: from Hermes, and from price accounts of Pythnet.
//!
//! They decide nothing: the accounts on chain are the truth, and `assess` and `decide` never see this module. They show
//! how far the chain is behind, stand beside it as venues in the risk score, which is advice, and carry the signed updates
//! that `post` may bring on chain. A source that fails is degraded, told once with what to do about it, and everything else
//! goes on as without it.

mod board;
mod error;
mod gap;
mod hermes;
mod pythnet;
mod watcher;

pub use board::{Board, Standing};
pub use error::SignalError;
pub use gap::{Gap, gaps, heard_of, view, wanted};
pub use watcher::Watcher;

use rampart::oracle::RawReading;

/// Pyth's name of a feed: the same on chain, at Hermes, and, read as an address, of the price account on Pythnet.
pub type FeedId = [u8; 32];

/// One price that was heard of.
pub type Heard = (FeedId, RawReading);

/// What a source says at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Prices.
    pub prices: Vec<Heard>,
    /// Signed updates with these prices, base64; the chain takes them, see `post`.
    pub signed: Vec<String>,
}

#[cfg(test)]
mod tests;
