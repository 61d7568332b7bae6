//! One closed bar of a market, as recorded by an exchange or aggregated by the keeper, and what makes it usable.

use serde::{Deserialize, Serialize};

/// Lowest price that the engine takes, quote per base.
pub const PRICE_MIN: f64 = 1e-15;
/// Highest price that the engine takes, quote per base.
pub const PRICE_MAX: f64 = 1e15;
/// Highest volume that the engine takes, base units of the bar.
pub const VOLUME_MAX: f64 = 1e18;

/// A bar that covers `[open_ts, open_ts + secs)`: known at [`Bar::close_ts`], never before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Start of the bar, unix seconds.
    pub open_ts: i64,
    /// Length of the bar, seconds.
    pub secs: u32,
    /// First price, quote per base.
    pub open: f64,
    /// Highest price, quote per base.
    pub high: f64,
    /// Lowest price, quote per base.
    pub low: f64,
    /// Last price, quote per base.
    pub close: f64,
    /// Traded volume, base units; none where the source doesn't tell it: that isn't the 0 of a bar in which nobody traded.
    pub volume: Option<f64>,
    /// Volume that takers bought, base units; none where the source doesn't tell it.
    pub taker_buy: Option<f64>,
}

/// Why a bar is refused. A refused bar changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum BarError {
    /// A length of zero, or an end beyond the representable.
    #[error("bar at {open_ts} has no length: aggregate it anew")]
    NoLength {
        /// Start of the bar, unix seconds.
        open_ts: i64,
    },
    /// A price that isn't a number from [`PRICE_MIN`] to [`PRICE_MAX`].
    #[error("bar at {open_ts} has a price that isn't a number from 1e-15 to 1e15: check its source")]
    Price {
        /// Start of the bar, unix seconds.
        open_ts: i64,
    },
    /// Open or close outside of low and high.
    #[error("bar at {open_ts} opens or closes outside of its low and high: check its source")]
    Range {
        /// Start of the bar, unix seconds.
        open_ts: i64,
    },
    /// A volume that isn't a number from 0 to [`VOLUME_MAX`], or takers who bought more than is known to have been traded.
    #[error("bar at {open_ts} has a volume that can't be: check its source")]
    Volume {
        /// Start of the bar, unix seconds.
        open_ts: i64,
    },
    /// The bar isn't later than the one before it.
    #[error("bar that closes at {close_ts} isn't later than the last one, {last_close_ts}: feed bars in order")]
    Order {
        /// End of the refused bar, unix seconds.
        close_ts: i64,
        /// End of the last bar that was taken, unix seconds.
        last_close_ts: i64,
    },
}

impl Bar {
    /// A bar of one price, of which nobody tells what was traded.
    pub fn flat(open_ts: i64, secs: u32, price: f64) -> Self {
        Self { open_ts, secs, open: price, high: price, low: price, close: price, volume: None, taker_buy: None }
    }

    /// Returns when the bar is known, unix seconds.
    pub fn close_ts(&self) -> i64 {
        self.open_ts.saturating_add(i64::from(self.secs))
    }

    /// Checks that every value is one that a market can have.
    ///
    /// # Errors
    /// `NoLength`, `Price`, `Range`, `Volume`.
    pub fn validate(&self) -> Result<(), BarError> {
        let open_ts = self.open_ts;
        if self.secs == 0 || open_ts.checked_add(i64::from(self.secs)).is_none() {
            return Err(BarError::NoLength { open_ts });
        }
        let prices = [self.open, self.high, self.low, self.close];
        if !prices.iter().all(|price| (PRICE_MIN..=PRICE_MAX).contains(price)) {
            return Err(BarError::Price { open_ts });
        }
        let inside = |price: f64| self.low <= price && price <= self.high;
        if !inside(self.open) || !inside(self.close) {
            return Err(BarError::Range { open_ts });
        }
        let is_told = self.volume.is_none_or(|volume| (0.0..=VOLUME_MAX).contains(&volume));
        let is_share = |bought| self.volume.is_some_and(|volume| (0.0..=volume).contains(&bought));
        if !is_told || !self.taker_buy.is_none_or(is_share) {
            return Err(BarError::Volume { open_ts });
        }
        Ok(())
    }
}
