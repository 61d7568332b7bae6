//! The keeper of Rampart: watches oracle prices and guarded vaults, and acts when a risk limit is crossed.
//!
//! It trusts no single source and never acts twice: every signature is durable before its first send, and new bytes are
//! signed only when the old ones cannot land any more.

pub mod assess;
#[cfg(any(test, feature = "bench"))]
pub mod bench;
pub mod capture;
pub mod chain;
pub mod cli;
pub mod config;
pub mod control;
pub mod decide;
pub mod deploy;
pub mod early;
pub mod economics;
pub mod error;
pub mod events;
pub mod fleet;
pub mod guard;
pub mod history;
pub mod http;
pub mod intent;
pub mod journal;
pub mod metrics;
pub mod notify;
pub mod plan;
pub mod post;
pub mod records;
pub mod route;
pub mod run;
pub mod score;
pub mod submit;
pub mod supervise;
pub mod takeover;
pub mod view;
pub mod watch;
pub use rampart_lab::whole;
