//! The attack generator: templates of crashes, manipulations, runs and faults, drawn with explicit seeds.
//!
//! Owns the templates and the split of their parameters between training and test. The markets that they are played on are
//! `market`'s; what they do to a pool is `pool`'s.

mod crash;
mod dice;
mod fault;
mod graft;
mod incident;
mod manipulation;
mod scenario;
mod template;
#[cfg(test)]
mod tests;

pub use dice::Dice;
pub use graft::{CRISES, Crisis, Grafts};
pub use scenario::{Keeper, Origin, Print, STEP_SECS, Scenario, Split, Tick, VENUES};
pub use template::{AttackError, Template, generate, suite, template, templates};
