//! What measurements need of the engine.

pub use crate::run::courier::Courier;
pub use crate::run::engine::{Engine, Refused, Setup};
pub use crate::run::shared::Shared;

use crate::watch::feeds::WatchSet;
use std::sync::Arc;

impl<C: Courier> Engine<C> {
    /// Returns what has to be watched.
    pub fn watched(&self) -> Arc<WatchSet> {
        self.sources.set.clone()
    }

    /// Returns how many positions are candidates.
    pub fn candidates(&self) -> usize {
        self.assessment.candidates.len()
    }

    /// Returns the work of preparing trips.
    pub fn worker(&self) -> impl Future<Output = ()> + Send + use<C> {
        self.armory.worker()
    }
}
