//! Accounts: one file each, with layout, legal transitions and invariant.

pub mod asset;
pub mod breaker;
pub mod flow;
pub mod flow_cap;
pub mod guard;
pub mod integration;
pub mod oracle_set;
pub mod position;
pub mod rule;
pub mod vault;
pub mod window;

pub use asset::Asset;
pub use breaker::{Breaker, Cause, CauseKind, Level, Levels, Reach};
pub use flow::OutflowLimiter;
pub use flow_cap::{FlowCap, FlowCaps};
pub use guard::{Guard, HardBounds, Roles};
pub use integration::Integration;
pub use oracle_set::{OracleSet, OracleSource, Pin, SourceKind, Switch};
pub use position::Position;
pub use rule::{Comparator, Metric, Rule, Scope};
pub use vault::{InterestCurve, RiskParams, Vault, VaultLimits};
