//! The dollar limit over all vaults of a guard: its creation, its tightening, and the leases that outflows are paid from.

pub mod initialize_aggregate;
pub mod lease_budget;
pub mod return_lease;
pub mod tighten_aggregate;

pub use initialize_aggregate::*;
pub use lease_budget::*;
pub use return_lease::*;
pub use tighten_aggregate::*;
