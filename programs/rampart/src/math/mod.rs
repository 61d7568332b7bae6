//! Integer arithmetic for prices, shares, interest and limits.
//!
//! Owns numbers only: no accounts, no clock, no logs. Called by `state`, `risk`, `oracle` and by the keeper, which links
//! this crate so that both sides agree to the unit.

pub mod bookings;
pub mod bps;
pub mod decay;
pub mod limiter;
pub mod price;
pub mod shares;
pub mod wide;

pub use bps::Bps;
pub use price::Price;
pub use wide::{U128, mul_div_ceil, mul_div_floor};
