//! Governance from the terminal: every command against the built program, served over JSON-RPC on loopback.

mod act;
mod deploy;
mod desk;
mod export;
mod fields;
mod migrate;
mod plan;
mod show;
mod table;
