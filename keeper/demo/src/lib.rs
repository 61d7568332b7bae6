//! A local Solana network, a market and three keepers that defend it.
//!
//! The network is an embedded Surfpool with the built program; the keepers are production processes; the market is
//! written into oracle accounts as their publishers would. Owns no risk logic: what is true, who may be liquidated and
//! for how much is asked of the program's crate.

pub mod accounts;
pub mod cli;
pub mod error;
pub mod feeder;
pub mod invariants;
pub mod keepers;
pub mod ledger;
pub mod lines;
pub mod live;
pub mod maker;
pub mod market;
pub mod metronome;
pub mod network;
pub mod play;
pub mod run;
pub mod scenario;
pub mod scores;
pub mod summary;
pub mod unguarded;
pub mod watch;
pub mod world;
