//! Ways out beyond the limit of now: tickets, and the orderly end of a vault.

pub mod cancel_withdrawal;
pub mod claim_withdrawal;
pub mod request_withdrawal;

pub use cancel_withdrawal::*;
pub use claim_withdrawal::*;
pub use request_withdrawal::*;
