//! The best static rules: chosen on the training markets, at the same budget of halted time and nearly the same debt as others.

use super::metrics::{Metrics, Tally};
use super::{Market, play};
use crate::policy::{Contender, Fixed};
use serde::{Deserialize, Serialize};

/// One configuration that was tried, kept whether it won or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// What was tried.
    pub name: String,
    /// What it came to on the training markets.
    pub metrics: Metrics,
    /// Whether it stayed within the budget and kept the debt.
    pub is_eligible: bool,
}

/// The share of the static default's debt that a tuned one has to keep.
const LEAST_DEBT: f64 = 0.95;

/// Returns the configuration with the least bad debt among those within `halted_bps` that keep 95 % of `debt`, and all that was
/// tried, with what each came to. Where none is eligible, the one with the fewest halted hours.
pub fn tune(
    grid: &[Fixed],
    halted_bps: f64,
    debt: f64,
    measured: impl FnMut(&Fixed) -> Metrics,
) -> (Fixed, Vec<Tried>) {
    let judged = |(fixed, metrics): (&Fixed, Metrics)| {
        let is_eligible = metrics.halted_bps <= halted_bps && metrics.average_debt >= debt * LEAST_DEBT;
        Tried { name: fixed.name().into(), metrics, is_eligible }
    };
    let tried: Vec<Tried> = grid.iter().zip(grid.iter().map(measured)).map(judged).collect();
    let best = (0..tried.len())
        .min_by(|a, b| rank(&tried[*a]).partial_cmp(&rank(&tried[*b])).unwrap_or(std::cmp::Ordering::Equal));
    let mut chosen = grid[best.unwrap_or(0)].clone();
    chosen.name = format!("static tuned ({})", chosen.name.trim_start_matches("static "));
    (chosen, tried)
}

fn rank(tried: &Tried) -> (bool, f64, f64) {
    let metrics = &tried.metrics;
    if tried.is_eligible {
        (false, metrics.bad_debt_bps_year, metrics.halted_bps)
    } else {
        (true, metrics.halted_bps, 0.0)
    }
}

/// Returns what a contender comes to over `markets`.
pub fn measure(contender: &dyn Contender, markets: &[Market], seed: u64) -> Metrics {
    let mut tally = Tally::default();
    markets.iter().for_each(|market| tally.add(market, &play(contender, market, seed)));
    tally.metrics()
}
