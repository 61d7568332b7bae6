//! The guarded swap: policies, and the one way in which tokens of the guard pass through a foreign program.

pub mod create_swap_policy;
pub mod escrow;
pub mod route;
pub mod tighten_swap_policy;
pub mod transfer;

pub use create_swap_policy::*;
pub use tighten_swap_policy::*;
