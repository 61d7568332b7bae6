//! What anyone may prove: prices, rules, trips and their end.

pub mod evaluate;
pub mod observe;
pub mod observe_rule;
pub mod step_down;
pub mod trip;

pub use observe::*;
pub use observe_rule::*;
pub use step_down::*;
pub use trip::*;
