//! The fault rig: a chain that follows a script, endpoints that fail on demand, and the real keeper against them.
//!
//! `chain` owns the timeline: slots, blockhashes, and a landing model behind which LiteSVM executes every transaction
//! with the built program, so that "once" is what the program's own fences let through. `endpoint` serves it over HTTP
//! and WebSocket on loopback, each with switches of its own (`faults`). `keeper` runs the keeper's library entry point.
//! Nothing here judges the keeper: the tests do.

pub mod chain;
pub mod endpoint;
pub mod faults;
#[cfg(feature = "grpc")]
pub mod geyser;
#[cfg(feature = "grpc")]
mod geyser_service;
pub mod hermes;
pub mod keeper;
pub mod landing;
pub mod pubsub;
pub mod relay;
pub mod rpc;
pub mod scene;
pub mod standby;
pub mod templates;
pub mod wait;

pub use chain::Chain;
pub use endpoint::Endpoint;
pub use faults::{Faults, HttpFault, SendFault, SimulationFault};
#[cfg(feature = "grpc")]
pub use geyser::Geyser;
pub use hermes::Hermes;
pub use keeper::Keeper;
pub use scene::Scene;
pub use wait::until;
