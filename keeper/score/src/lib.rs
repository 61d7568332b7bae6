//! The risk engine: what a market's past says about its next hours, as one score with its parts.
//!
//! Owns features, anomaly detectors, models, hazards, the score and the policy's choice. No I/O, no clock, no network: time
//! and prices come in as arguments, so that the keeper and the lab run the same code. `f64` ends here: what leaves for the
//! chain is integers in bps.
//!
//! Called by the keeper for each guarded asset, and by the lab (`keeper/lab`) on recorded and generated markets.

pub mod anomaly;
pub mod band;
pub mod bar;
pub mod coarse;
pub mod engine;
pub mod ewma;
pub mod features;
pub mod hazard;
pub mod input;
pub mod model;
pub mod policy;
pub mod score;
pub mod state;
pub mod tail;
