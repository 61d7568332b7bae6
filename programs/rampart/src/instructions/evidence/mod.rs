//! What anyone may prove: prices, rules, trips and their end.

pub mod evaluate;
pub mod observe;
pub mod observe_rule;
pub mod open_report;
pub mod reports;
pub mod step_down;
pub mod submit_report;
pub mod trip;

pub use observe::*;
pub use observe_rule::*;
pub use open_report::*;
pub use step_down::*;
pub use submit_report::*;
pub use trip::*;
