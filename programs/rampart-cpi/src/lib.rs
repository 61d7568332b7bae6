//! Calls the Rampart guard from another on-chain program.
//!
//! Guard a withdrawal with one call in the instruction that moves the tokens, once the amount is final:
//! [`Guard::record_outflow`]. It fails unless the guard allows the amount, and charges it; there is no answer to misread.
//! `docs/integrating.md` says which call fits which program, and what the kit tests.
//!
//! Depends on Solana's small crates alone, not on Anchor and not on the guard itself; a test compares its constants
//! with the guard's.

pub mod address;
pub mod call;
pub mod error;
#[cfg(feature = "kit")]
pub mod kit;
pub mod verdict;

pub use address::{ID, PROGRAM_DATA, deploy_slot, integration, require_deploy_slot};
pub use call::{Guard, Kind, Payout};
pub use error::GuardError;
pub use verdict::GuardVerdict;
