//! Learning what to do from what the simulator did: least-squares policy iteration with pessimism, under constraints.
//!
//! Owns the learner (`lspi`), the multipliers of constraints (`constrained`), and the pool as a learning problem (`defend`). Knows no
//! network and no clock. What is learned is a linear value for each action, `rampart_score::policy`; the shield masks actions in
//! training as it does live.

mod constrained;
mod environment;
mod lspi;
mod solve;

pub use constrained::{Constraint, Multipliers};
pub use environment::{Environment, Episode, Outcome, State, rollout};
pub use lspi::{LearnError, Linear, Lspi};
pub use solve::solve;
