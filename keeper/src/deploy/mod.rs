//! Putting the program on a chain: what stands there, what is left to do, and the transactions that do it.
//!
//! Nothing is remembered between runs. Where the bytes of a program are gathered follows from the payer and the bytes
//! themselves, so that a run that was cut off is taken up by any later one, on any machine, from what the chain holds.

pub mod act;
pub mod drive;
pub mod image;
pub mod plan;
pub mod standing;

pub use drive::{Drive, DriveError};
pub use image::{Image, ImageError};
pub use plan::{PlanError, Step, Wants, plan};
pub use standing::{Buffer, Deployed, Place, Standing};
