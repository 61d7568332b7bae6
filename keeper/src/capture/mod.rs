//! Recording of everything that decisions are made from, and their replay without a chain, a clock or a key.
//!
//! The engine hands frames over and never waits: what the disk is too slow for is lost, counted, and marked in the
//! recording. A replay feeds the same frames to the same assessment and decision, so that its decisions are those of the
//! run, byte for byte; a build that decides otherwise is seen at the step where it first does.
//!
//! A recording is one JSON object per line, compressed with gzip: `zcat capture.gz | head` shows it.

mod error;
mod frame;
mod record;
mod replay;
#[cfg(test)]
mod tests;

pub use error::CaptureError;
pub use frame::{Decided, Frame, Header, VERSION};
pub use record::Recorder;
pub use replay::{Step, Summary, replay};
