//! The guard's reserve: its creation, what goes in and out, its basket, and what it pays for bad debt.

pub mod basket;
pub mod cover;
pub mod fund_reserve;
pub mod initialize_reserve;
pub mod rebalance;
pub mod withdraw_reserve;

pub use fund_reserve::*;
pub use initialize_reserve::*;
pub use rebalance::*;
pub use withdraw_reserve::*;
