//! Whether the hourly value at risk was right: coverage and independence, for each asset and way to forecast.

use super::EvaluateError;
use super::walk::FoldModels;
use crate::data::{Series, load};
use crate::train::{DEAD, MAJORS, TrainError};
use rampart_score::features::{Market, Settings};
use rampart_score::model::Tail;
use rampart_score::tail::{Pot, Violations, acerbi_szekely_z2};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::Path;

/// Levels of the value at risk.
pub const LEVELS: [f64; 2] = [0.01, 0.001];
/// Quantiles of the standard normal at the levels.
const NORMAL: [f64; 2] = [2.326_347_874, 3.090_232_306];
/// Ways to forecast: volatility estimator, then tail. Those of one market are refitted weekly on its last year; the model's is
/// of all markets together, before the quarter.
pub const METHODS: [&str; 5] = ["normal, 24 h", "POT, 24 h", "POT, 6 h and 24 h", "POT, 6 h, 24 h and falls", MODEL];
/// The tail that a model file holds.
const MODEL: &str = "model's tail, 6 h, 24 h and falls";
/// How many of the methods have a tail of the market's own.
const OWN: usize = 3;

/// Coverage of one asset, method and level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The market.
    pub symbol: String,
    /// How the forecast is made.
    pub method: String,
    /// Level of the value at risk.
    pub level: f64,
    /// Forecasts.
    pub forecasts: u64,
    /// Share of falls beyond it.
    pub rate: f64,
    /// p-value of Kupiec's test of coverage.
    pub kupiec: f64,
    /// p-value of Christoffersen's test of independence.
    pub independence: f64,
    /// p-value of both together.
    pub conditional: f64,
    /// Share of hits that a hit follows; none without hits.
    pub hit_after_hit: Option<f64>,
    /// Acerbi & Szekely's Z2 of the expected shortfall; none for the normal method. Below -0.70 is rejected at 5 %.
    pub z2: Option<f64>,
}

/// Forecasts every hour of the folds, of the majors and of assets that died, from what was known before it.
///
/// # Errors
/// `Train` with a file that is refused.
pub fn coverage(dir: &Path, folds: &[FoldModels]) -> Result<Vec<Coverage>, EvaluateError> {
    let quarters: Vec<Quarter> = folds.iter().map(Quarter::of).collect();
    let bar = super::walk::progress((MAJORS.len() + DEAD.len()) as u64, "coverage");
    let mut all = Vec::new();
    for symbol in MAJORS.into_iter().chain(DEAD) {
        bar.set_message(symbol);
        let series = load(&dir.join(format!("{symbol}_1h.csv.gz"))).map_err(TrainError::from)?;
        all.extend(of_series(&series, &quarters)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(all)
}

/// A test period, and the tail of the model that was fitted before it.
#[derive(Clone, Debug)]
struct Quarter {
    period: Range<i64>,
    tail: Option<Tail>,
}

impl Quarter {
    fn of(fold: &FoldModels) -> Self {
        Self { period: fold.fold.split.test.clone(), tail: fold.model.falls().copied() }
    }
}

/// Forecasts and losses of one method and level.
#[derive(Default)]
struct Tally {
    violations: Violations,
    shortfalls: Vec<(f64, f64, f64)>,
}

impl Tally {
    fn push(&mut self, fall: f64, value_at_risk: f64, shortfall: Option<f64>) {
        self.violations.push(fall > value_at_risk);
        self.shortfalls.extend(shortfall.map(|shortfall| (fall, value_at_risk, shortfall)));
    }
}

fn of_series(series: &Series, quarters: &[Quarter]) -> Result<Vec<Coverage>, TrainError> {
    let mut market = Market::new(Settings::default());
    let mut pots: [Pot; OWN] = std::array::from_fn(|_| Pot::hourly());
    let mut tallies: Vec<Tally> = (0..METHODS.len() * LEVELS.len()).map(|_| Tally::default()).collect();
    let mut last_close_ts = None;
    for bar in &series.bars {
        let vols = vols(&market);
        let is_next = last_close_ts == Some(bar.open_ts) && !market.is_warming();
        market.push(bar).map_err(|source| TrainError::Bar { symbol: series.symbol.clone(), source })?;
        last_close_ts = Some(bar.close_ts());
        if !is_next {
            tallies.iter_mut().for_each(|tally| tally.violations.gap());
            continue;
        }
        let (log_return, root) = (market.last_return(), (f64::from(bar.secs) / 86_400.0).sqrt());
        let sigmas = vols.map(|vol| vol * root);
        if let Some(quarter) = quarters.iter().find(|quarter| quarter.period.contains(&bar.open_ts)) {
            judge(&mut tallies, &pots, sigmas, -log_return);
            judge_model(&mut tallies, quarter, vols[OWN - 1], -log_return);
        }
        pots.iter_mut().zip(sigmas).for_each(|(pot, sigma)| pot.push(log_return, sigma));
    }
    Ok(summary(&series.symbol, &tallies))
}

/// Returns the volatility of the next bar, per square root of a day: half-life 24 h, the mean variance of 6 h and 24 h, and that
/// with falls counted once more.
fn vols(market: &Market) -> [f64; OWN] {
    let [_, six_hours, day, ..] = market.volatility().log_vols().map(|log| (2.0 * log).exp());
    [day.sqrt(), (0.5 * (six_hours + day)).sqrt(), market.volatility().vol_of_falls()]
}

fn judge(tallies: &mut [Tally], pots: &[Pot; OWN], sigmas: [f64; OWN], fall: f64) {
    for (at, (level, normal)) in LEVELS.iter().zip(NORMAL).enumerate() {
        tallies[at].push(fall, normal * sigmas[0], None);
        for (way, (pot, sigma)) in pots.iter().zip(sigmas).enumerate() {
            let Some(value_at_risk) = pot.value_at_risk(*level, sigma) else { continue };
            let shortfall = pot.expected_shortfall(*level, sigma);
            tallies[(way + 1) * LEVELS.len() + at].push(fall, value_at_risk, shortfall);
        }
    }
}

fn judge_model(tallies: &mut [Tally], quarter: &Quarter, vol_day: f64, fall: f64) {
    let Some(tail) = quarter.tail else { return };
    for (at, level) in LEVELS.into_iter().enumerate() {
        let tally = &mut tallies[(OWN + 1) * LEVELS.len() + at];
        tally.push(fall, tail.value_at_risk(level, vol_day), tail.expected_shortfall(level, vol_day));
    }
}

fn summary(symbol: &str, tallies: &[Tally]) -> Vec<Coverage> {
    let of = |(at, tally): (usize, &Tally)| {
        let (level, violations) = (LEVELS[at % LEVELS.len()], &tally.violations);
        let tests = violations.christoffersen(level);
        Coverage {
            symbol: symbol.to_owned(),
            method: METHODS[at / LEVELS.len()].to_owned(),
            level,
            forecasts: violations.count,
            rate: violations.rate().unwrap_or(0.0),
            kupiec: violations.kupiec(level),
            independence: tests.independence,
            conditional: tests.conditional_coverage,
            hit_after_hit: violations.hit_after_hit(),
            z2: (!tally.shortfalls.is_empty()).then(|| acerbi_szekely_z2(tally.shortfalls.iter().copied(), level)),
        }
    };
    tallies.iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::synthetic;

    #[test]
    fn coverage_is_accepted_when_returns_come_from_a_fat_tailed_market() {
        let series = synthetic::series("A", 24_000, 9);
        let from = series.bars[4_000].open_ts;
        // the tail of Student's t with four degrees, as a year before the test gives it
        let rows = crate::train::rows_of(&synthetic::series("B", 24_000, 10), 0).unwrap();
        let falls = rows.iter().filter_map(|row| row.scaled_fall);
        let tail = crate::train::crash::tail(falls, &crate::train::Config::default()).ok();
        let all = of_series(&series, &[Quarter { period: from..i64::MAX, tail }]).unwrap();
        assert_eq!(all.len(), METHODS.len() * LEVELS.len());
        for method in &METHODS[1..] {
            let pot = all.iter().find(|row| row.method == *method && row.level == 0.01).unwrap();
            assert_eq!(pot.forecasts, 20_000);
            assert!(pot.kupiec > 0.01 && (0.007..0.013).contains(&pot.rate), "{pot:?}");
        }
        let normal = all.iter().find(|row| row.method == METHODS[0] && row.level == 0.001).unwrap();
        assert!(normal.kupiec < 0.01 && normal.rate > 0.002, "fat tails pass a normal quantile: {normal:?}");
    }
}
