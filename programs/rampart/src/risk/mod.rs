//! Pure judgements over values: what is allowed, how healthy a position is, what a rule measures.
//!
//! No accounts, no clock, no logs. Instruction handlers call it on chain, the keeper calls the same functions off chain.

pub mod basket;
pub mod gate;
pub mod health;
pub mod keepers;
pub mod liquidation;
pub mod measures;
pub mod swap;
pub mod verdict;
