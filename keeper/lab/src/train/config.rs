//! What is fixed before anything is measured on the test period.

use serde::{Deserialize, Serialize};

/// Drawdown buffers that rows are judged at, rising shares of the price.
pub const BUFFERS: [f64; 6] = [0.05, 0.075, 0.10, 0.15, 0.20, 0.30];
/// Horizons of the heads, seconds: 6 h and 24 h.
pub const HORIZONS: [u32; 2] = [6 * 3_600, 24 * 3_600];
/// The markets that a model is trained on, hourly.
pub const MAJORS: [&str; 9] =
    ["ADAUSDT", "BCHUSDT", "BTCUSDT", "DOTUSDT", "ETHUSDT", "LINKUSDT", "LTCUSDT", "SOLUSDT", "XRPUSDT"];
/// Markets that died or nearly did. Never trained on: today's majors are survivors, these show what that hides.
pub const DEAD: [&str; 3] = ["LUNAUSDT", "RAYUSDT", "SRMUSDT"];

/// The hyper-parameters. The defaults were set before anything was measured; `rampart lab evaluate --tune` compares others on
/// data until 2022-09-30 alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Every n-th hour of an asset is trained on: neighbours share almost all of their future.
    pub thin: usize,
    /// Weight of the squares of standardised coefficients, against the mean loss of a row and buffer.
    pub l2: f64,
    /// Length of the calibration period before the test period, days.
    pub calibration_days: u32,
    /// Days beyond the horizon that are left out before each border.
    pub purge_days: u32,
    /// Share of the hourly falls that the tail is fitted on.
    pub tail_share: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { thin: 2, l2: 1e-3, calibration_days: 365, purge_days: 7, tail_share: 0.05 }
    }
}
