//! The keeper of Rampart: watches oracle prices and guarded vaults, and acts when a risk limit is crossed.
//!
//! It trusts no single source and never acts twice: every signature is durable before its first send, and new bytes are
//! signed only when the old ones cannot land any more.

pub mod assess;
pub mod chain;
pub mod cli;
pub mod config;
pub mod decide;
pub mod error;
pub mod events;
pub mod fleet;
pub mod http;
pub mod intent;
pub mod journal;
pub mod metrics;
pub mod plan;
pub mod run;
pub mod submit;
pub mod view;
pub mod watch;
