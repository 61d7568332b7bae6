//! One file per action. A handler reads as load, validate, compute a value, apply it, emit.

pub mod admin;
pub mod aggregate;
pub mod control;
pub mod evidence;
pub mod exit;
pub mod guardian;
pub mod integration;
pub mod lending;
pub mod liquidation;
pub mod reserve;
pub mod shared;
pub mod swap;

pub use admin::*;
pub use aggregate::*;
pub use control::*;
pub use evidence::*;
pub use exit::*;
pub use guardian::*;
pub use integration::*;
pub use lending::*;
pub use liquidation::*;
pub use reserve::*;
pub use swap::*;
