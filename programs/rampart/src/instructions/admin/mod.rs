//! Privileged actions: creation and tightening; and migration, which anyone may do.

pub mod create_group;
pub mod create_rule;
pub mod initialize_bounty;
pub mod initialize_guard;
pub mod initialize_keepers;
pub mod initialize_vault;
pub mod migrate_vault;
pub mod register_asset;
pub mod set_bounty;
pub mod set_keepers;
pub mod tighten_rule;
pub mod tighten_vault;
pub mod withdraw_bounty;

pub use create_group::*;
pub use create_rule::*;
pub use initialize_bounty::*;
pub use initialize_guard::*;
pub use initialize_keepers::*;
pub use initialize_vault::*;
pub use migrate_vault::*;
pub use register_asset::*;
pub use set_bounty::*;
pub use set_keepers::*;
pub use tighten_rule::*;
pub use tighten_vault::*;
pub use withdraw_bounty::*;
