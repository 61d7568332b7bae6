//! What doesn't look like the past: a drift downwards, a new regime, an unknown mix of activity, a price of one venue.

mod bocpd;
mod cusum;
mod half_space;
mod manipulation;
mod regime;

pub use bocpd::Bocpd;
pub use cusum::{Alarm, Cusum};
pub use half_space::{ACTIVITY, HalfSpaceTrees};
pub use manipulation::{Detector, Observation, PriceVerdict, VENUES_MAX};

pub(crate) use manipulation::median;
pub use regime::Regime;
