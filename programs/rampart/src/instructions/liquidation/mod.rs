//! Forced reduction of positions, open to anyone.

pub mod apply;
pub mod backing;
pub mod deleverage;
pub mod grace;
pub mod liquidate;
pub mod liquidate_by_swap;

pub use apply::*;
pub use deleverage::*;
pub use grace::*;
pub use liquidate::*;
pub use liquidate_by_swap::*;
