//! Periods by time, for all assets together, with what their futures share left out before each border.

use super::{Config, HORIZONS};
use crate::time::start_of_day;
use serde::{Deserialize, Serialize};
use std::ops::Range;

const DAY_SECS: i64 = 86_400;

/// Where training, calibration and test lie. Nothing after the test is ever trained on, so an embargo after it has nothing to cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Rows before this border are trained on, less the purge; unix seconds.
    pub calibrate_from: i64,
    /// Rows from `calibrate_from` to this border calibrate, less the purge; unix seconds.
    pub calibrate_to: i64,
    /// Rows of the test, unix seconds.
    pub test: Range<i64>,
}

impl Split {
    /// Cuts the calibration period off right before the test.
    pub fn before(test: Range<i64>, config: &Config) -> Self {
        let calibrate_from = test.start - i64::from(config.calibration_days) * DAY_SECS;
        Self { calibrate_from, calibrate_to: test.start, test }
    }

    /// Returns the split of the model that ships: what came after September 2023 was seen by nobody.
    ///
    /// # Source
    /// docs/risk-results.md, "The crash model": train until 2022-09-30, calibrate until 2023-09-27, test 2024-01-01 to 2025-06-30.
    pub fn development() -> Self {
        let day = |year, month, day| start_of_day(year, month, day).unwrap_or_default();
        Self {
            calibrate_from: day(2022, 10, 8),
            calibrate_to: day(2023, 10, 5),
            test: day(2024, 1, 1)..day(2025, 7, 1),
        }
    }

    /// Returns the decision times that are trained on, for a horizon: its end is `purge_days` before the border.
    pub fn train(&self, horizon: u32, config: &Config) -> Range<i64> {
        i64::MIN..self.calibrate_from - purge(horizon, config)
    }

    /// Returns the decision times that calibrate, for a horizon.
    pub fn calibrate(&self, horizon: u32, config: &Config) -> Range<i64> {
        self.calibrate_from..self.calibrate_to - purge(horizon, config)
    }

    /// Returns the last second that training or calibration saw, with their futures.
    pub fn seen_until(&self, config: &Config) -> i64 {
        let horizon = HORIZONS[HORIZONS.len() - 1];
        self.calibrate(horizon, config).end + i64::from(horizon)
    }
}

fn purge(horizon: u32, config: &Config) -> i64 {
    i64::from(horizon) + i64::from(config.purge_days) * DAY_SECS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn futures_end_a_week_before_each_border_when_split() {
        let config = Config::default();
        let split = Split::before(1_000 * DAY_SECS..1_090 * DAY_SECS, &config);
        for horizon in HORIZONS {
            let (train, calibrate) = (split.train(horizon, &config), split.calibrate(horizon, &config));
            assert_eq!(train.end + i64::from(horizon) + 7 * DAY_SECS, calibrate.start);
            assert_eq!(calibrate.end + i64::from(horizon) + 7 * DAY_SECS, split.test.start);
        }
        assert_eq!(split.seen_until(&config), split.test.start - 7 * DAY_SECS);
    }
}
