//! Who decides within the guard: policies side by side, from none to one that knows the future.
//!
//! Owns the contenders and what each may look at: what keepers can see, never `Tick::truth`. The one exception is the clairvoyant,
//! the bound that nobody can reach. The pool enforces what the guard allows (`pool::Pool::control`).

mod learned;
mod library;
mod volatility;

pub use learned::Shielded;
pub use library::{Clairvoyant, Fixed, Scaled, default_rules, keeper_scale, median_rule};
pub use library::{standard, tuned_grid, volatility_scale, whole_guard};
pub use volatility::Volatility;

use crate::attack::{Scenario, Tick};
use crate::pool::{Controls, GuardConfig, Pool};

/// Decides while a scenario is played.
pub trait Policy {
    /// Looks at a step that is over and returns other controls; none to leave them.
    fn decide(&mut self, tick: &Tick, pool: &Pool) -> Option<Controls>;
}

/// A policy with its guard, ready to be played on any scenario.
pub trait Contender: Sync {
    /// Name in tables.
    fn name(&self) -> &str;

    /// The guard that it works under.
    fn guard(&self) -> GuardConfig;

    /// Returns the policy at the start of a scenario. Only a bound that is marked as one may look at what is to come.
    fn start(&self, scenario: &Scenario) -> Box<dyn Policy>;
}
