//! A local Solana network, a market and three keepers that defend it.
//!
//! The network is an embedded Surfpool with the built program; the keepers are production processes; the market is
//! written into oracle accounts as their publishers would. Owns no risk logic: what is true, who may be liquidated and
//! for how much is asked of the program's crate.

pub mod accounts;
pub mod error;
pub mod feeder;
pub mod market;
pub mod metronome;
pub mod network;
pub mod world;
