//! Change control: what may not happen at once is proposed, waits, can be stopped, and is tried before it holds.

pub mod accept_root;
pub mod activate_standby;
pub mod cancel_change;
pub mod census;
pub mod close_census;
pub mod count_census;
pub mod effect;
pub mod execute_change;
pub mod freeze_forever;
pub mod keepers;
pub mod narrow_bounds;
pub mod nonce;
pub mod open_census;
pub mod propose_change;
pub mod release;
pub mod standby;
pub mod target;
pub mod veto_change;

pub use accept_root::*;
pub use activate_standby::*;
pub use cancel_change::*;
pub use close_census::*;
pub use count_census::*;
pub use execute_change::*;
pub use freeze_forever::*;
pub use narrow_bounds::*;
pub use open_census::*;
pub use propose_change::*;
pub use veto_change::*;
