//! Whether the market's volatility entered a new regime: change points of the logarithm of hourly ranges.

use super::Bocpd;
use crate::bar::Bar;

const HOUR: i64 = 3_600;
/// Narrowest range that is told apart, log: a tenth of a bp.
const RANGE_MIN: f64 = 1e-5;

/// Change-point detection over the hours of a market, whatever its bars' length up to an hour.
///
/// # Source
/// The log range is nearly normal: Alizadeh, Brandt & Diebold (2002).
#[derive(Clone, Debug, Default)]
pub struct Regime {
    hour: Option<Hour>,
    changes: Option<Bocpd>,
    probability: f64,
}

#[derive(Clone, Copy, Debug)]
struct Hour {
    index: i64,
    high: f64,
    low: f64,
}

impl Regime {
    /// Adds a bar that was validated; an hour counts when it is over.
    pub fn push(&mut self, bar: &Bar) {
        let index = (bar.close_ts() - 1).div_euclid(HOUR);
        match &mut self.hour {
            Some(hour) if hour.index == index => {
                hour.high = hour.high.max(bar.high);
                hour.low = hour.low.min(bar.low);
            }
            hour => {
                if let Some(over) = hour.replace(Hour { index, high: bar.high, low: bar.low }) {
                    self.close(&over);
                }
            }
        }
    }

    fn close(&mut self, hour: &Hour) {
        let x = (hour.high / hour.low).ln().max(RANGE_MIN).ln();
        let changes = self.changes.get_or_insert_with(|| Bocpd::log_vol(x));
        self.probability = changes.push(x);
    }

    /// Returns the probability that the regime is at most ten hours old.
    pub fn change_probability(&self) -> f64 {
        self.probability
    }
}
