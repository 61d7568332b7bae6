//! Volatility at several half-lives, from closes and ranges, its jumps and its lower side.

use crate::ewma::{Decays, Ewma};

/// Seconds of a day: volatilities are per square root of it.
pub const DAY_SECS: f64 = 86_400.0;
const HOUR: f64 = 3_600.0;
/// Variance of a day that no market goes below: 1 bp of volatility. Keeps logarithms finite where a price never moves.
const VARIANCE_FLOOR: f64 = 1e-8;
/// 4 ln 2, of Parkinson's range estimator.
const PARKINSON: f64 = 4.0 * std::f64::consts::LN_2;
/// Half-lives of the variance: 30 min, 6 h, 24 h, 7 d, 30 d.
const HALF_LIVES: [f64; 5] = [1_800.0, 6.0 * HOUR, 24.0 * HOUR, 168.0 * HOUR, 720.0 * HOUR];
/// Half-life of the falls' own variance.
const FALLS_HALF_LIFE: [f64; 1] = [2.0 * HOUR];
/// Frozen weights of the HAR-style combination of variances at 6 h, 24 h, 7 d and 30 d.
///
/// # Source
/// Corsi (2009): day, week and month, here with the 6 h one for the first half of the day's weight.
const HAR_WEIGHTS: [f64; 4] = [0.30, 0.30, 0.25, 0.15];
/// Widest range beyond the return that is taken as a move, standard deviations of a bar.
const RANGE_SIGMAS: f64 = 8.0;
/// Gumbel quantile of 1 %: `-ln(-ln(0.99))`.
const GUMBEL_1_PCT: f64 = 4.600_149_226_776_579;
/// Observations of a Lee-Mykland window. A day of 5 min bars; its threshold moves by a few percent from hours to minutes.
const JUMP_WINDOW: f64 = 288.0;

/// Variance estimators of one market.
#[derive(Clone, Copy, Debug)]
pub struct Volatility {
    decays: Decays<5>,
    variances: [Ewma; 5],
    parkinson: Ewma,
    bipower: Ewma,
    realised: Ewma,
    downside: Ewma,
    falls_decay: Decays<1>,
    falls: Ewma,
    last_abs_return: Option<f64>,
    jump_recency: f64,
    jump_threshold: f64,
}

impl Default for Volatility {
    fn default() -> Self {
        Self {
            decays: Decays::new(HALF_LIVES),
            variances: [Ewma::default(); 5],
            parkinson: Ewma::default(),
            bipower: Ewma::default(),
            realised: Ewma::default(),
            downside: Ewma::default(),
            falls_decay: Decays::new(FALLS_HALF_LIFE),
            falls: Ewma::default(),
            last_abs_return: None,
            jump_recency: 0.0,
            jump_threshold: lee_mykland_threshold(JUMP_WINDOW),
        }
    }
}

impl Volatility {
    /// Adds the log return and the log range `ln(high / low)` of a bar of `secs`.
    pub fn push(&mut self, log_return: f64, log_range: f64, secs: f64) {
        let is_jump = self.is_jump(log_return, secs);
        let log_range = self.bounded_range(log_return, log_range, secs);
        let kept = *self.decays.over(secs);
        let per_day = DAY_SECS / secs;
        let rate = log_return * log_return * per_day;
        for (variance, kept) in self.variances.iter_mut().zip(kept) {
            variance.push(rate, kept);
        }
        let day = kept[2];
        self.parkinson.push(log_range * log_range * per_day / PARKINSON, day);
        let of_fall = if log_return < 0.0 { rate } else { 0.0 };
        self.downside.push(of_fall, day);
        self.falls.push(2.0 * of_fall, self.falls_decay.over(secs)[0]);
        if let Some(last) = self.last_abs_return {
            self.bipower.push(std::f64::consts::FRAC_PI_2 * log_return.abs() * last * per_day, day);
            self.realised.push(rate, day);
        }
        self.last_abs_return = Some(log_return.abs());
        self.jump_recency = if is_jump { 1.0 } else { self.jump_recency * kept[1] };
    }

    /// Returns the range without what a wick of one venue adds: at most the return and eight standard deviations.
    fn bounded_range(&self, log_return: f64, log_range: f64, secs: f64) -> f64 {
        let Some(variance) = self.variances[2].mean() else { return log_range };
        let sigma = (variance.max(VARIANCE_FLOOR) * secs / DAY_SECS).sqrt();
        log_range.min(log_return.abs() + RANGE_SIGMAS * sigma)
    }

    /// Adds the range of a bar whose return isn't known, as of the first one.
    pub fn push_range(&mut self, log_range: f64, secs: f64) {
        let day = self.decays.over(secs)[2];
        self.parkinson.push(log_range * log_range * DAY_SECS / secs / PARKINSON, day);
    }

    /// Says that nothing was seen for `secs`: variances grow by the day's share of it, up to four times.
    pub fn gap(&mut self, secs: f64) {
        let factor = (1.0 + secs / DAY_SECS).min(4.0);
        self.variances.iter_mut().for_each(|variance| variance.inflate(factor));
        self.parkinson.inflate(factor);
        self.falls.inflate(factor);
        // No product of returns is taken across the gap.
        self.last_abs_return = None;
    }

    /// Returns whether a return is a jump at 1 %, judged by what was seen before it.
    ///
    /// # Source
    /// Lee & Mykland (2008): the return over the square root of local bipower variation, against a Gumbel quantile.
    pub fn is_jump(&self, log_return: f64, secs: f64) -> bool {
        let Some(bipower) = self.bipower.mean() else { return false };
        let local = (bipower.max(VARIANCE_FLOOR) * secs / DAY_SECS).sqrt();
        log_return.abs() / local > self.jump_threshold
    }

    /// Returns the natural logarithms of the volatility per square root of a day: 30 min, 6 h, 24 h, 7 d, 30 d.
    pub fn log_vols(&self) -> [f64; 5] {
        self.variances.map(|variance| half_log(variance.mean_or(VARIANCE_FLOOR)))
    }

    /// Returns the logarithm of the 24 h volatility from ranges.
    pub fn log_parkinson(&self) -> f64 {
        half_log(self.parkinson.mean_or(VARIANCE_FLOOR))
    }

    /// Returns the logarithm of the volatility that the HAR-style combination of variances gives.
    pub fn log_har(&self) -> f64 {
        let combined = HAR_WEIGHTS.iter().zip(&self.variances[1..]).map(|(weight, mean)| weight * mean.mean_or(0.0));
        half_log(combined.sum())
    }

    /// Returns whether a return was seen.
    pub fn is_known(&self) -> bool {
        self.variances[0].mean().is_some()
    }

    /// Returns whether a day of returns was seen: what rests on fewer is one or two returns' chance.
    pub fn is_settled(&self) -> bool {
        // a day of a half-life of a day is half the weight, but for rounding
        self.variances[2].weight() >= 0.5 - 1e-9
    }

    /// Returns the variance per day at 24 h.
    pub fn variance_day(&self) -> f64 {
        self.variances[2].mean_or(VARIANCE_FLOOR).max(VARIANCE_FLOOR)
    }

    /// Returns the volatility that a bar's fall is measured by, per square root of a day: the mean of the variances at 6 h and 24 h
    /// and of twice that of falls alone at 2 h. A fall makes the next one likelier for hours; without the last part falls beyond
    /// the value at risk come in clusters.
    ///
    /// # Source
    /// Barndorff-Nielsen, Kinnebrock & Shephard (2010), realised semivariance; docs/risk-results.md, "Value at risk".
    pub fn vol_of_falls(&self) -> f64 {
        let parts = [self.variances[1], self.variances[2], self.falls].map(|mean| mean.mean_or(0.0));
        (parts.iter().sum::<f64>() / 3.0).max(VARIANCE_FLOOR).sqrt()
    }

    /// Returns the volatility per square root of a day at 7 d.
    pub fn vol_week(&self) -> f64 {
        self.variances[3].mean_or(VARIANCE_FLOOR).max(VARIANCE_FLOOR).sqrt()
    }

    /// Returns the share of the day's variance that jumps made, 0 to 1: `1 - BV / RV`.
    pub fn jump_ratio(&self) -> f64 {
        match (self.bipower.mean(), self.realised.mean()) {
            (Some(bipower), Some(realised)) if realised > 0.0 => (1.0 - bipower / realised).clamp(0.0, 1.0),
            _ => 0.0,
        }
    }

    /// Returns how recent the last jump is: 1 at once, half after 6 h.
    pub fn jump_recency(&self) -> f64 {
        self.jump_recency
    }

    /// Returns the share of the day's variance that falls made; a half before the first return.
    pub fn downside_share(&self) -> f64 {
        let total = self.variances[2].mean_or(0.0);
        if total > 0.0 { (self.downside.mean_or(0.0) / total).clamp(0.0, 1.0) } else { 0.5 }
    }
}

fn half_log(variance: f64) -> f64 {
    0.5 * variance.max(VARIANCE_FLOOR).ln()
}

/// Returns the 1 % threshold of Lee & Mykland for `n` observations: `C_n + S_n · 4.60`.
pub fn lee_mykland_threshold(n: f64) -> f64 {
    let c = (2.0 / std::f64::consts::PI).sqrt();
    let root = (2.0 * n.ln()).sqrt();
    let center = root / c - (std::f64::consts::PI.ln() + n.ln().ln()) / (2.0 * c * root);
    center + GUMBEL_1_PCT / (c * root)
}
