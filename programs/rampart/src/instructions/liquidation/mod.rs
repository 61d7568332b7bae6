//! Forced reduction of positions, open to anyone.

pub mod apply;
pub mod deleverage;
pub mod liquidate;

pub use apply::*;
pub use deleverage::*;
pub use liquidate::*;
