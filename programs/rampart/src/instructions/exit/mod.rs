//! Ways out beyond the limit of now: tickets, and the orderly end of a vault.

pub mod cancel_withdrawal;
pub mod claim_collateral;
pub mod claim_resolution;
pub mod claim_withdrawal;
pub mod enter_resolution;
pub mod record_shortfall;
pub mod request_withdrawal;

pub use cancel_withdrawal::*;
pub use claim_resolution::*;
pub use claim_withdrawal::*;
pub use enter_resolution::*;
pub use record_shortfall::*;
pub use request_withdrawal::*;
