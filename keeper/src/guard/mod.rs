//! Governance of a guard from outside: what stands, what waits, what a file asks for, and the instructions in between.
//!
//! Judges nothing that the program judges: directions, checks and hashes are the program's own functions. `cli/guard`
//! parses, prints and signs; `spec` and `change` are the readable forms; `plan` compares a file with the chain.

pub mod act;
pub mod bounds;
pub mod census;
pub mod change;
pub mod effect;
pub mod evidence;
pub mod export;
pub mod file;
pub mod import;
pub mod judged;
pub mod means;
pub mod memo;
pub mod migrate;
pub mod plan;
pub mod played;
pub mod refusal;
pub mod resolution;
pub mod snapshot;
pub mod spec;
#[cfg(test)]
mod templates_tests;
pub mod trial;
pub mod urgent;
pub mod view;
pub mod words;
