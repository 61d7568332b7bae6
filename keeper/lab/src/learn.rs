//! Learning what to do from what the simulator did: least-squares policy iteration with pessimism, under constraints.
//!
//! Owns the learner (`lspi`), the multipliers of constraints (`constrained`), and the pool as a learning problem (`defend`, `watcher`), the
//! comparison with tuned rules (`contest`, `standings`) and the loop around it all (`train`). Knows no
//! network and no clock. What is learned is a linear value for each action, `rampart_score::policy`; the shield masks actions in
//! training as it does live.

mod constrained;
mod contest;
mod defend;
mod environment;
mod lspi;
mod solve;
pub mod standings;
mod train;
mod watcher;

pub use constrained::{Constraint, Multipliers};
pub use contest::{
    Decider, LEAST_HALTED_BPS, Learned, Play, Record, best_within, default_guard, halt_budget, rules_grid,
};
pub use defend::{DECISION_SECS, Defend, Prices, VOLUMES, View, controls, guard, shield, state};
pub use environment::{Environment, Episode, Outcome, State, rollout};
pub use lspi::{LearnError, Linear, Lspi};
pub use solve::solve;
pub use standings::Standings;
pub use train::{Trained, Training, train};
pub use watcher::Watcher;
