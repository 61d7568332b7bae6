//! What is forecast, and by whom: the model, the baselines, the challenger.

use crate::train::{BUFFERS, HORIZONS, Line, Point, Row, TrainError};
use rampart_score::model::structural;

/// The forecasters in the order of a row's probabilities. The last one needs the feature `challenger`.
pub const MODELS: [&str; 4] = ["logistic", "EWMA volatility", "drawdown rule", "boosted trees"];
/// Position of the challenger in [`MODELS`].
pub const CHALLENGER: usize = 3;
/// A 24 h drawdown below this is calm: a warning there comes early.
pub const CALM_DRAWDOWN: f64 = 0.03;

/// A fall within a horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Name in tables and files.
    pub name: &'static str,
    /// Position in [`HORIZONS`].
    pub horizon: usize,
    /// Position in [`BUFFERS`].
    pub buffer: usize,
}

/// The tasks that are reported.
pub const TASKS: [Task; 3] = [
    Task { name: "6 h, 5 %", horizon: 0, buffer: 0 },
    Task { name: "24 h, 10 %", horizon: 1, buffer: 2 },
    Task { name: "24 h, 15 %", horizon: 1, buffer: 3 },
];
/// Position in [`TASKS`] of the one that headlines, events and the log of tries use.
pub const MAIN: usize = 1;

impl Task {
    /// Returns the horizon, seconds.
    pub fn horizon_secs(&self) -> u32 {
        HORIZONS[self.horizon]
    }

    /// Returns the buffer, a share of the price.
    pub fn buffer(&self) -> f64 {
        BUFFERS[self.buffer]
    }

    /// Returns whether the price fell through the buffer; none where the future wasn't recorded.
    pub fn is_hit(&self, row: &Row) -> Option<bool> {
        row.falls[self.horizon].map(|fall| fall.depth >= self.buffer())
    }

    /// Returns the EWMA baseline's number: what a random walk of the present volatility says.
    pub fn walk(&self, row: &Row) -> f64 {
        structural(row.features.vol_day(), self.buffer(), self.horizon_secs(), None)
    }

    /// Fits the baselines' numbers to probabilities on training rows: EWMA volatility, drawdown rule.
    ///
    /// # Errors
    /// `TooFew`, `NotSettled`.
    pub fn baselines(&self, rows: &[&Row]) -> Result<[Line; 2], TrainError> {
        let fit = |of: &dyn Fn(&Row) -> f64| {
            let points: Vec<Point> =
                rows.iter().filter_map(|row| Some(Point::of(of(row), self.is_hit(row)?))).collect();
            Line::fit("baseline", points.iter().copied())
        };
        Ok([fit(&|row| self.walk(row))?, fit(&drawdown)?])
    }
}

/// Returns the share below the 24 h high.
pub fn drawdown(row: &Row) -> f64 {
    row.features.get("drawdown_24h").unwrap_or(0.0)
}
