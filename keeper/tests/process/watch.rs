//! The small guarded world of the unit tests.

pub use rampart_keeper::watch::*;

#[allow(dead_code, reason = "only a part of the world is played")]
#[path = "../../src/watch/testing.rs"]
pub mod testing;
