//! Accounts: one file each, with layout, legal transitions and invariant.

pub mod asset;
pub mod breaker;
pub mod flow;
pub mod flow_cap;
pub mod guard;
pub mod integration;
pub mod keeper_set;
pub mod oracle_set;
pub mod position;
pub mod report;
pub mod resolution;
pub mod rule;
pub mod shortfall;
pub mod ticket;
pub mod vault;
pub mod window;

pub use asset::Asset;
pub use breaker::{Breaker, Cause, CauseKind, Halts, Level, Levels, Reach};
pub use flow::OutflowLimiter;
pub use flow_cap::{FlowCap, FlowCaps};
pub use guard::{Guard, HardBounds, Roles};
pub use integration::Integration;
pub use keeper_set::{KeeperMember, KeeperRole, KeeperSeat, KeeperSet};
pub use oracle_set::{OracleSet, OracleSource, Pin, SourceKind, Switch};
pub use position::Position;
pub use report::{Report, ReportPart, ReportParts};
pub use resolution::{Resolution, ResolutionState};
pub use rule::{Comparator, Metric, Rule, Scope};
pub use shortfall::{Holding, Shortfall, ShortfallState};
pub use ticket::{TicketState, Tickets, WithdrawTicket};
pub use vault::{InterestCurve, RiskParams, Vault, VaultLimits};
