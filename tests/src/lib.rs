//! Harness of the suites: a small world in LiteSVM with the built program, real mints and real oracle accounts.

pub mod asserts;
pub mod books;
pub mod defaults;
pub mod events;
pub mod integrations;
pub mod integrator;
pub mod keepers;
pub mod layouts;
pub mod leases;
pub mod officers;
pub mod oracles;
pub mod program;
pub mod refusal;
pub mod refusals;
pub mod rules;
pub mod scale;
pub mod scenario;
pub mod stake_pools;
pub mod swaps;
pub mod tokens;
pub mod world;

pub use asserts::{assert_anchor_error, assert_error, assert_unchanged, compute_units};
pub use world::{Outcome, User, World};
