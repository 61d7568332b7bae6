//! Accounts: one file each, with layout, legal transitions and invariant.

pub mod asset;
pub mod bounds;
pub mod breaker;
pub mod change;
pub mod direction;
pub mod flow;
pub mod guard;
pub mod oracle_set;
pub mod pause;
pub mod position;
pub mod rule;
pub mod step_meter;
pub mod vault;
pub mod window;

pub use asset::Asset;
pub use breaker::{Breaker, Cause, CauseKind, Level, Levels, Reach};
pub use change::{Change, ChangeGroup, PendingChange};
pub use direction::Direction;
pub use flow::OutflowLimiter;
pub use guard::{Finality, Guard, HardBounds, Roles};
pub use oracle_set::{OracleSet, OracleSource, Pin, SourceKind, Switch};
pub use pause::PauseBudget;
pub use position::Position;
pub use rule::{Comparator, Metric, Rule, Scope};
pub use step_meter::StepMeter;
pub use vault::{InterestCurve, RiskParams, Vault, VaultLimits};
