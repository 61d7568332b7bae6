//! What a market's closed bars say about it, as fixed-order numbers for models: O(1) a bar, no allocation, no look ahead.

mod extremes;
mod liquidity;
mod market;
mod momentum;
mod volatility;

pub use extremes::HighRing;
pub use liquidity::Liquidity;
pub use market::{Market, Settings};
pub use momentum::PastClose;
pub use volatility::{Volatility, lee_mykland_threshold};

use serde::{Deserialize, Serialize};
use solana_sha256_hasher::hash;

/// How many features there are.
pub const COUNT: usize = 21;

/// Version of what the names mean: rises when a formula changes and its name doesn't.
pub const SCHEMA_VERSION: u32 = 1;

/// The names, in the order of [`Features::values`].
///
/// # Units
/// `log_vol_*`: natural logarithm of the volatility per square root of a day. `jump_ratio`, `jump_recency` and
/// `downside_share`: 0 to 1. `drawdown_*`: share below the high, 0 to 1. `momentum_*`: in standard deviations of the
/// horizon. `*_log_ratio`: natural logarithm of fast over slow.
///
/// # Source
/// docs/risk.md, "Features".
pub const FEATURES: [&str; COUNT] = [
    "log_vol_30m",
    "log_vol_6h",
    "log_vol_24h",
    "log_vol_7d",
    "log_vol_30d",
    "log_parkinson_24h",
    "log_vol_har",
    "jump_ratio_24h",
    "jump_recency_6h",
    "downside_share_24h",
    "drawdown_1h",
    "drawdown_4h",
    "drawdown_24h",
    "drawdown_7d",
    "drawdown_30d",
    "momentum_1h",
    "momentum_6h",
    "momentum_24h",
    "momentum_7d",
    "amihud_log_ratio",
    "volume_log_ratio",
];

/// Position of `log_vol_24h`: what the structural feature of a model is made of.
pub const LOG_VOL_24H: usize = 2;
/// Position of the first feature that is made of volumes: so are all behind it.
const FIRST_OF_VOLUME: usize = 19;

/// The features of one market at the close of its last bar. Every value is finite.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// Values in the order of [`FEATURES`]; 0 for one that isn't known, see [`Features::known`].
    pub values: [f64; COUNT],
    /// Too little was seen since the start or the last gap: the conservative band applies.
    pub is_warming: bool,
    /// Volumes were told for a day, with a trade among them: else the ratios of volumes aren't known.
    pub has_volume: bool,
}

impl Features {
    /// Returns the value of a name; none where the bars' source doesn't tell it.
    pub fn get(&self, name: &str) -> Option<f64> {
        FEATURES.iter().position(|known| *known == name).and_then(|at| self.known(at))
    }

    /// Returns the value at a position of [`FEATURES`]; none where the bars' source doesn't tell it: an oracle tells prices
    /// alone, and a ratio of volumes that nobody told isn't the 0 of a market that trades as it always does.
    pub fn known(&self, at: usize) -> Option<f64> {
        (self.has_volume || at < FIRST_OF_VOLUME).then(|| self.values[at])
    }

    /// Returns the volatility per square root of a day, half-life 24 h.
    pub fn vol_day(&self) -> f64 {
        self.values[LOG_VOL_24H].exp()
    }
}

/// Returns the hash of names, order and version, that a model must have been trained for.
pub fn schema_hash() -> [u8; 32] {
    hash(format!("rampart features {SCHEMA_VERSION}\n{}", FEATURES.join("\n")).as_bytes()).to_bytes()
}

/// Returns [`schema_hash`] in hexadecimal, as model files hold it.
pub fn schema_hash_hex() -> String {
    hex::encode(schema_hash())
}
