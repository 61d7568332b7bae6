//! Governance from the terminal: every command against the built program, served over JSON-RPC on loopback.

mod act;
mod desk;
mod export;
mod fields;
mod plan;
mod show;
mod table;
