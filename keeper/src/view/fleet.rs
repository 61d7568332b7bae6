//! The keepers that share the work, as this one sees them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FleetView {
    /// `single` or `etcd`. All that follows says nothing in a keeper on its own.
    pub mode: String,
    /// Name of this keeper within the fleet.
    pub member: String,
    /// Whether this keeper holds a lease of etcd.
    pub engine_up: bool,
    /// `owner`, `standby` or `detached`; empty in a keeper on its own.
    pub role: String,
    /// Place among those of its guard; the owner's is 0.
    pub rank: u64,
    /// Slots that it leaves everything to those before it.
    pub delay_slots: u64,
    /// Revision of etcd at which the present order was first seen.
    pub fence: i64,
    /// How often it took the place of another owner.
    pub takeovers: u64,
    /// The members of its guard, the owner first, as last seen.
    pub members: Vec<MemberView>,
}

impl Default for FleetView {
    fn default() -> Self {
        Self {
            mode: "single".to_owned(),
            member: String::new(),
            engine_up: false,
            role: String::new(),
            rank: 0,
            delay_slots: 0,
            fence: 0,
            takeovers: 0,
            members: Vec::new(),
        }
    }
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberView {
    /// Its name within the fleet.
    pub id: String,
    /// Its place; the owner's is 0.
    pub rank: u64,
    /// `ready`, `probation` or `draining`.
    pub phase: String,
}
