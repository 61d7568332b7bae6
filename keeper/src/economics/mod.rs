//! Whether an action pays, in which way, and at which size.
//!
//! Owns the arithmetic of money: what a liquidation or a swap brings, what it costs, and the best size within bounds. The
//! program's own functions say what would land; what this adds is the operator's side of it. Decides nothing about
//! urgency or order.

pub mod liquidation;
pub mod market;
pub mod rebalance;
pub mod search;

use crate::config::{ComputePrices, Config, EconomicsSettings, RebalanceSettings};
use crate::route::Routes;

pub use liquidation::{Declined, Estimate, Offer, SwapWay, Way};
pub use market::Market;
pub use rebalance::Rebalance;

/// What actions are weighed with.
#[derive(Clone, Debug, Default)]
pub struct Economics {
    /// What the operator wants.
    pub settings: EconomicsSettings,
    /// How the reserve's basket is moved.
    pub rebalance: RebalanceSettings,
    /// Where tokens can be swapped.
    pub routes: Routes,
    /// Priority fees.
    pub prices: ComputePrices,
    /// What others pay, by written account.
    pub market: crate::chain::fees::Market,
}

impl Economics {
    /// Derives it from the settings.
    pub fn new(config: &Config) -> Self {
        Self {
            settings: config.economics.clone(),
            rebalance: config.rebalance,
            routes: Routes::of(&config.route),
            prices: config.tx.compute_price.clone(),
            market: Default::default(),
        }
    }
}
