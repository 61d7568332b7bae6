//! Hedging one asset by shorting another, beside what the reserve does instead: selling into the quote asset.
//!
//! Owns pairs of markets (`pair`), what is held (`ratio`), the play with its bands and costs (`play`), how well it went (`measure`),
//! the check that no ratio knows the future (`leaks`) and the tables (`table`). A study: nothing here is done with anybody's funds.
//!
//! # Source
//! docs/risk-results.md, "Hedging one asset by another".

mod leaks;
mod measure;
mod pair;
mod play;
mod ratio;
mod table;
#[cfg(test)]
mod tests;

pub use leaks::{CUTS, check};
pub use measure::{CrisisResult, Outcome, PairResult, Worst};
pub use pair::{CRISES, Day, Pair, PairName, Row, align, generated};
pub use play::{Step, play};
pub use ratio::{Estimator, MOST_RATIO, Method};
pub use table::{BEGIN, END};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a hedge is assumed to cost, and how its ratio is found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assumptions {
    /// Half-life of the exponential weights, hours.
    pub half_life_hours: f64,
    /// Window of the rolling regression, hours; nothing is measured before one has passed.
    pub window_hours: f64,
    /// Distance from the wanted ratio that is left alone.
    pub band: f64,
    /// Cost of a trade in the short, bps of what is traded.
    pub trade_bps: f64,
    /// Cost of a sale into the quote asset, or back, bps of what is traded.
    pub sell_bps: f64,
    /// Cost of holding the short for a year, bps of its value; below 0 where it is paid for.
    pub funding_bps_year: f64,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            half_life_hours: 336.0,
            window_hours: 720.0,
            band: 0.10,
            trade_bps: 8.0,
            sell_bps: 30.0,
            funding_bps_year: 500.0,
        }
    }
}

/// A study, with what it was made on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// What was assumed.
    pub assumptions: Assumptions,
    /// Resamples of the intervals.
    pub resamples: usize,
    /// Seed of the resamples.
    pub seed: u64,
    /// Ratios that were found again to the bit without what came after them.
    pub leak_checks: usize,
    /// SHA-256 of each file, by its name.
    pub data: BTreeMap<String, String>,
    /// One for each pair, in order.
    pub pairs: Vec<PairResult>,
}

impl Study {
    /// Plays every method on every pair.
    ///
    /// # Errors
    /// `TooFew`, `Leak`.
    pub fn of(pairs: &[Pair], assumptions: &Assumptions, resamples: usize, seed: u64) -> Result<Self, HedgeError> {
        let (mut results, mut leak_checks) = (Vec::new(), 0);
        for pair in pairs {
            for method in Method::ALL {
                let ratios =
                    |rows: &[Row]| play(method, rows, pair.bar_secs, assumptions).iter().map(Step::ratio).collect();
                leak_checks += check(&format!("{} of {}", method.name(), pair.name), &pair.rows, ratios)?;
            }
            results.push(measure::measure(pair, assumptions, resamples, seed)?);
        }
        let assumptions = *assumptions;
        Ok(Self { assumptions, resamples, seed, leak_checks, data: BTreeMap::new(), pairs: results })
    }
}

/// Why a study stops.
#[derive(Debug, thiserror::Error)]
pub enum HedgeError {
    /// A pair that isn't `ASSET/SHORT`.
    #[error("`{0}` is no pair: write ASSET/SHORT, two markets by the name of their files, as in SOLUSDT_1h/ETHUSDT_1h")]
    Pair(String),
    /// Two markets of other intervals.
    #[error("`{pair}` has bars of {asset_secs} s and of {short_secs} s: name two markets of one interval")]
    Intervals {
        /// The pair.
        pair: String,
        /// Of the asset, seconds.
        asset_secs: u32,
        /// Of the short, seconds.
        short_secs: u32,
    },
    /// A pair that ends before anything could be measured.
    #[error(
        "`{pair}` has {rows} bars in common with one before them, {needed} are needed: name markets that overlap for longer"
    )]
    TooFew {
        /// The pair.
        pair: String,
        /// How many there are.
        rows: usize,
        /// How many it takes.
        needed: usize,
    },
    /// A ratio that knew the future: no number of the study can be trusted.
    #[error("leak: {what} held {held} in the bar that closed at {ts}, and {again} without what came after it")]
    Leak {
        /// Which ratio.
        what: String,
        /// When, unix seconds.
        ts: i64,
        /// What was held.
        held: f64,
        /// What is held by who doesn't know the bar and what follows.
        again: f64,
    },
}
