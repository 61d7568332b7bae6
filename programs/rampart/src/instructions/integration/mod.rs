//! The guard as a service for other programs: register, ask, record, and hold tokens or a mint for them.

pub mod ask;
pub mod custody_mint;
pub mod custody_transfer;
pub mod handover;
pub mod record_outflow;
pub mod register_integration;
pub mod sources;
pub mod tighten_integration;
pub mod token_call;
pub mod verdict;

pub use ask::*;
pub use custody_mint::*;
pub use custody_transfer::*;
pub use record_outflow::*;
pub use register_integration::*;
pub use tighten_integration::*;
pub use verdict::*;
