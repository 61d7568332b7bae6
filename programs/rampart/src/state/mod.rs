//! Accounts: one file each, with layout, legal transitions and invariant.

pub mod asset;
pub mod bounty;
pub mod breaker;
pub mod flow;
pub mod group;
pub mod guard;
pub mod keeper_set;
pub mod oracle_set;
pub mod position;
pub mod report;
pub mod rule;
pub mod vault;
pub mod window;

pub use asset::Asset;
pub use bounty::{BountyParams, BountyVault};
pub use breaker::{Breaker, Cause, CauseKind, Level, Levels, Reach};
pub use flow::OutflowLimiter;
pub use group::{GroupParams, RuleGroup};
pub use guard::{Guard, HardBounds, Roles};
pub use keeper_set::{KeeperMember, KeeperRole, KeeperSeat, KeeperSet};
pub use oracle_set::{OracleSet, OracleSource, Pin, SourceKind, Switch};
pub use position::Position;
pub use report::{Report, ReportPart, ReportParts};
pub use rule::{Comparator, Metric, Rule, Scope, Standing};
pub use vault::{InterestCurve, RiskParams, Vault, VaultLimits};
