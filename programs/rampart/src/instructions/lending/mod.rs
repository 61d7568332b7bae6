//! What owners do with their positions.

pub mod accrue;
pub mod borrow;
pub mod close_position;
pub mod deposit_collateral;
pub mod exit;
pub mod open_position;
pub mod repay;
pub mod supply;
pub mod withdraw;
pub mod withdraw_collateral;

pub use accrue::*;
pub use borrow::*;
pub use close_position::*;
pub use deposit_collateral::*;
pub use open_position::*;
pub use repay::*;
pub use supply::*;
pub use withdraw::*;
pub use withdraw_collateral::*;
