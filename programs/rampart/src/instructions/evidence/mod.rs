//! What anyone may prove: prices, rules, trips and their end.

pub mod bounty;
pub mod evaluate;
pub mod observe;
pub mod observe_rule;
pub mod open_report;
pub mod reports;
pub mod scale_risk;
pub mod step_down;
pub mod step_down_group;
pub mod submit_report;
pub mod trip;
pub mod trip_group;

pub use observe::*;
pub use observe_rule::*;
pub use open_report::*;
pub use scale_risk::*;
pub use step_down::*;
pub use step_down_group::*;
pub use submit_report::*;
pub use trip::*;
pub use trip_group::*;
