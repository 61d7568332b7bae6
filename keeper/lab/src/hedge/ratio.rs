//! How much is held against the asset, from bars that have closed.

use super::{Assumptions, Row};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The most that is shorted for one of the asset: an estimate beyond it is noise.
pub const MOST_RATIO: f64 = 3.0;
/// A variance below this is none: the market stood still.
const LEAST_VARIANCE: f64 = 1e-18;

/// How a ratio is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Minimum variance by exponential weights.
    Ewma,
    /// Minimum variance by regression over a rolling window.
    Ols,
    /// One short for one of the asset.
    OneToOne,
    /// The live alternative: as much of the asset is sold into the quote asset as should cut the variance like the hedge by EWMA.
    Sell,
}

impl Method {
    /// All of them; the alternative comes last.
    pub const ALL: [Self; 4] = [Self::Ewma, Self::Ols, Self::OneToOne, Self::Sell];

    /// Returns its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ewma => "short, EWMA",
            Self::Ols => "short, rolling OLS",
            Self::OneToOne => "short, 1:1",
            Self::Sell => "sell into quote",
        }
    }
}

/// What a method has seen.
#[derive(Clone, Debug)]
pub enum Estimator {
    /// Weighted squares and product, around 0.
    Ewma(Weighted),
    /// The rows of the window, and their sums.
    Ols(Window),
    /// Nothing is needed.
    OneToOne,
    /// As by EWMA.
    Sell(Weighted),
}

impl Estimator {
    /// Returns one that has seen nothing.
    pub fn new(method: Method, assumptions: &Assumptions, bar_secs: u32) -> Self {
        let bars = |hours: f64| hours * 3_600.0 / f64::from(bar_secs.max(1));
        let weighted = Weighted { keep: 0.5f64.powf(1.0 / bars(assumptions.half_life_hours)), ..Weighted::default() };
        match method {
            Method::Ewma => Self::Ewma(weighted),
            Method::Ols => Self::Ols(Window { most: bars(assumptions.window_hours) as usize, ..Window::default() }),
            Method::OneToOne => Self::OneToOne,
            Method::Sell => Self::Sell(weighted),
        }
    }

    /// Takes in a bar that has closed.
    pub fn see(&mut self, row: &Row) {
        match self {
            Self::Ewma(weighted) | Self::Sell(weighted) => weighted.see(row),
            Self::Ols(window) => window.see(row),
            Self::OneToOne => {}
        }
    }

    /// Returns what should be held from now on: short for one of the asset, or the share that is sold. None while it isn't known.
    pub fn target(&self) -> Option<f64> {
        match self {
            Self::Ewma(weighted) => weighted.ratio(),
            Self::Ols(window) => window.ratio(),
            Self::OneToOne => Some(1.0),
            Self::Sell(weighted) => weighted.share_sold(),
        }
    }
}

/// Second moments under weights that fall exponentially. Bars are short: the mean counts as 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weighted {
    keep: f64,
    asset: f64,
    short: f64,
    both: f64,
}

impl Weighted {
    fn see(&mut self, row: &Row) {
        let moved = |old: f64, new: f64| self.keep * old + (1.0 - self.keep) * new;
        (self.asset, self.short, self.both) = (
            moved(self.asset, row.asset * row.asset),
            moved(self.short, row.short * row.short),
            moved(self.both, row.asset * row.short),
        );
    }

    fn ratio(&self) -> Option<f64> {
        (self.short > LEAST_VARIANCE).then(|| (self.both / self.short).clamp(0.0, MOST_RATIO))
    }

    /// The best short leaves `1 - correlation²` of the variance, a sale of `s` leaves `(1 - s)²`.
    fn share_sold(&self) -> Option<f64> {
        let squares = self.asset * self.short;
        let correlation = self.both.max(0.0) / squares.sqrt();
        (self.asset > LEAST_VARIANCE && self.short > LEAST_VARIANCE)
            .then(|| 1.0 - (1.0 - correlation * correlation).max(0.0).sqrt())
    }
}

/// The last rows, and the sums of a regression over them.
#[derive(Clone, Debug, Default)]
pub struct Window {
    most: usize,
    rows: VecDeque<(f64, f64)>,
    /// Of the asset, the short, their product, the short's square.
    sums: [f64; 4],
}

impl Window {
    fn see(&mut self, row: &Row) {
        self.rows.push_back((row.asset, row.short));
        self.add((row.asset, row.short), 1.0);
        if self.rows.len() > self.most
            && let Some(oldest) = self.rows.pop_front()
        {
            self.add(oldest, -1.0);
        }
    }

    fn add(&mut self, (asset, short): (f64, f64), sign: f64) {
        let terms = [asset, short, asset * short, short * short];
        self.sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += sign * term);
    }

    fn ratio(&self) -> Option<f64> {
        let (n, [asset, short, product, square]) = (self.rows.len() as f64, self.sums);
        let variance = square / n - (short / n).powi(2);
        let covariance = product / n - asset * short / (n * n);
        (self.rows.len() > 1 && variance > LEAST_VARIANCE).then(|| (covariance / variance).clamp(0.0, MOST_RATIO))
    }
}
