//! How far a market falls beyond what its volatility says: peaks over a threshold, and the tests that judge them.

mod backtest;
mod gpd;
mod pot;

pub use backtest::{Christoffersen, Violations, acerbi_szekely_z2};
pub use gpd::{Gpd, GpdError};
pub use pot::{Exceedances, Pot, PotFit};
