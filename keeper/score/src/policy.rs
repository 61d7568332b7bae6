//! What to do about a risk: nine actions, a shield that no learner gets past, and a linear value of each action.
//!
//! Owns the actions and the stance that they change (`action`), the shield (`shield`), the tiles of a situation (`situation`), the
//! file of a learned policy (`file`), the frozen library of promoted ones (`library`), the choice among them (`choice`), the gate of
//! promotions (`promote`) and the rules that drive otherwise (`rule`).
//! Training is the lab's. The shield is one piece of code: training and the keeper see the same feasible set, and the program's
//! own bounds come after it.

mod action;
mod choice;
mod file;
mod library;
mod promote;
mod rule;
mod shield;
mod situation;

pub use action::{Action, Stance};
pub use choice::{Choice, ChoiceError};
pub use file::{Mode, POLICY_FORMAT, Policy, PolicyCard, PolicyError, PolicyFile};
pub use library::{LIBRARY_FORMAT, LIBRARY_MAX, Library, LibraryError, LibraryFile};
pub use promote::{Gate, Outcomes, Promotion, paired_lower_bound, promotion};
pub use rule::Rules;
pub use shield::{Bounds, Refusal, Shield};
pub use situation::{SITUATION, Situation, TILES, situation_schema_hex};
