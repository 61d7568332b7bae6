//! The keeper against a simulated chain, network and host: seeded, in virtual time, without sockets and threads.
//!
//! The keeper is the real one, from its subscriptions to its journal; the program is the built one, in LiteSVM. What is
//! modelled is what lies between and around them: see `docs/simulation.md`. One simulation is one process, so that
//! nothing that a process shares between threads or runs can tell two of them apart.

pub mod chain;
pub mod host;
pub mod landing;
pub mod market;
pub mod mutation;
pub mod net;
pub mod node;
pub mod play;
pub mod process;
pub mod pubsub;
pub mod record;
pub mod report;
pub mod scene;
pub mod schedule;
pub mod sends;
pub mod truth;
