//! One file per action. A handler reads as load, validate, compute a value, apply it, emit.

pub mod admin;
pub mod evidence;
pub mod exit;
pub mod integration;
pub mod lending;
pub mod liquidation;
pub mod shared;

pub use admin::*;
pub use evidence::*;
pub use exit::*;
pub use integration::*;
pub use lending::*;
pub use liquidation::*;
