//! Governance from the terminal: every command against the built program, served over JSON-RPC on loopback.

mod act;
mod bounds;
mod deploy;
mod desk;
mod export;
mod fields;
mod judged;
mod means;
mod migrate;
mod plan;
mod resolution;
mod show;
mod table;
mod urgent;
