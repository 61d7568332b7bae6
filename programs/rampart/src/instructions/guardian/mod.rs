//! Guardians raise a level for a bounded time; the resetter takes causes away, with a proof.

pub mod guardian_halt;
pub mod guardian_pause;
pub mod lift_pause;
pub mod reset_breaker;
pub mod scope;

pub use guardian_halt::*;
pub use guardian_pause::*;
pub use lift_pause::*;
pub use reset_breaker::*;
