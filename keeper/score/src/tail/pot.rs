//! Value at risk and expected shortfall: volatility times a quantile of what falls were beyond it.

use serde::{Deserialize, Serialize};

use super::{Gpd, GpdError};

/// A fitted tail of standardised falls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PotFit {
    /// Threshold u, standard deviations.
    pub threshold: f64,
    /// Share of observations beyond it, ζ.
    pub share: f64,
    /// Distribution of the exceedances.
    pub gpd: Gpd,
}

impl PotFit {
    /// Fits falls (standardised, positive for a fall) beyond their quantile of `1 - share`.
    ///
    /// Sorts `falls` in place and allocates nothing.
    ///
    /// # Errors
    /// `GpdError`.
    ///
    /// # Source
    /// McNeil & Frey (2000).
    pub fn fit(falls: &mut [f64], share: f64) -> Result<Self, GpdError> {
        falls.sort_unstable_by(f64::total_cmp);
        let beyond = (falls.len() as f64 * share).floor() as usize;
        if beyond == 0 || beyond >= falls.len() {
            return Err(GpdError::TooFew { found: beyond });
        }
        let split = falls.len() - beyond;
        let threshold = falls[split - 1];
        let share = beyond as f64 / falls.len() as f64;
        let exceedances = &mut falls[split..];
        exceedances.iter_mut().for_each(|fall| *fall -= threshold);
        let gpd = Gpd::fit(exceedances);
        exceedances.iter_mut().for_each(|fall| *fall += threshold);
        Ok(Self { threshold, share, gpd: gpd? })
    }

    /// Returns the standardised value at risk: the fall that is exceeded with probability `p`, at most ζ.
    pub fn value_at_risk(&self, p: f64) -> f64 {
        self.threshold + self.gpd.quantile((p / self.share).min(1.0))
    }

    /// Returns the standardised expected shortfall beyond [`PotFit::value_at_risk`]; none if ξ >= 1: it has no mean.
    pub fn expected_shortfall(&self, p: f64) -> Option<f64> {
        let Gpd { shape, scale } = self.gpd;
        (shape < 1.0).then(|| (self.value_at_risk(p) + scale - shape * self.threshold) / (1.0 - shape))
    }

    /// Returns the probability that a standardised fall exceeds `z`; beyond the threshold only.
    pub fn probability(&self, z: f64) -> f64 {
        self.share * self.gpd.survival(z - self.threshold)
    }
}

/// The last N standardised falls.
#[derive(Clone, Debug)]
pub struct Exceedances {
    falls: Vec<f64>,
    scratch: Vec<f64>,
    next: usize,
    len: usize,
}

impl Exceedances {
    /// Makes room for `capacity` observations.
    pub fn new(capacity: usize) -> Self {
        Self { falls: vec![0.0; capacity], scratch: vec![0.0; capacity], next: 0, len: 0 }
    }

    /// Adds a fall; one that isn't a number is left out.
    pub fn push(&mut self, fall: f64) {
        if fall.is_finite() && !self.falls.is_empty() {
            self.falls[self.next] = fall;
            self.next = (self.next + 1) % self.falls.len();
            self.len = (self.len + 1).min(self.falls.len());
        }
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fits the tail of the observations.
    ///
    /// # Errors
    /// `GpdError`.
    pub fn fit(&mut self, share: f64) -> Result<PotFit, GpdError> {
        self.scratch[..self.len].copy_from_slice(&self.falls[..self.len]);
        PotFit::fit(&mut self.scratch[..self.len], share)
    }
}

/// Filtered peaks over threshold of one market: fed each bar's return and the volatility that was known before it.
#[derive(Clone, Debug)]
pub struct Pot {
    falls: Exceedances,
    fit: Option<PotFit>,
    share: f64,
    fit_min: usize,
    refit_every: usize,
    since_fit: usize,
}

impl Pot {
    /// Prepares 8,760 observations (a year of hours), a weekly refit (168), the first after 2,000, and 5 % of tail.
    pub fn hourly() -> Self {
        Self { falls: Exceedances::new(8_760), fit: None, share: 0.05, fit_min: 2_000, refit_every: 168, since_fit: 0 }
    }

    /// Adds a bar: its log return and the volatility that was forecast for it. Refits when it is time.
    pub fn push(&mut self, log_return: f64, vol_bar: f64) {
        self.falls.push(-log_return / vol_bar);
        self.since_fit += 1;
        let is_due = self.fit.is_none() || self.since_fit >= self.refit_every;
        if is_due && self.falls.len() >= self.fit_min {
            // A fit that fails leaves the last one.
            self.fit = self.falls.fit(self.share).ok().or(self.fit);
            self.since_fit = 0;
        }
    }

    /// Returns the last fit.
    pub fn fit(&self) -> Option<&PotFit> {
        self.fit.as_ref()
    }

    /// Returns the fall that the next bar exceeds with probability `p`, log, for the volatility forecast `vol_bar`.
    pub fn value_at_risk(&self, p: f64, vol_bar: f64) -> Option<f64> {
        self.fit.map(|fit| vol_bar * fit.value_at_risk(p))
    }

    /// Returns the mean fall beyond [`Pot::value_at_risk`].
    pub fn expected_shortfall(&self, p: f64, vol_bar: f64) -> Option<f64> {
        Some(vol_bar * self.fit?.expected_shortfall(p)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIT: PotFit = PotFit { threshold: 1.5, share: 0.05, gpd: Gpd { shape: 0.25, scale: 0.6 } };

    #[test]
    fn value_at_risk_equals_the_formula_when_parameters_are_given() {
        // 1.5 + 0.6/0.25 · ((0.01/0.05)^-0.25 - 1), by hand: 5^0.25 = 1.4953487812
        assert!((FIT.value_at_risk(0.01) - (1.5 + 2.4 * 0.495_348_781_2)).abs() < 1e-9);
        assert!((FIT.probability(FIT.value_at_risk(0.003)) - 0.003).abs() < 1e-12);
        assert!((FIT.value_at_risk(0.05) - 1.5).abs() < 1e-12);
    }

    #[test]
    fn expected_shortfall_equals_the_integral_of_quantiles_beyond_it() {
        let (p, steps) = (0.01, 2_000_000);
        // ES = 1/p ∫₀ᵖ VaR(s) ds, by the midpoint rule over s = p·t⁴, which tames the pole at 0.
        let integral: f64 = (0..steps)
            .map(|at| {
                let t = (at as f64 + 0.5) / steps as f64;
                FIT.value_at_risk(p * t.powi(4)) * 4.0 * t.powi(3) / steps as f64
            })
            .sum();
        assert!((FIT.expected_shortfall(p).unwrap() - integral).abs() < 1e-6);
        let heavy = PotFit { gpd: Gpd { shape: 1.0, scale: 1.0 }, ..FIT };
        assert_eq!(heavy.expected_shortfall(p), None);
    }

    #[test]
    fn fit_takes_the_share_beyond_the_quantile_when_observations_are_ranked() {
        let mut falls: Vec<f64> = (1..=1_000).rev().map(f64::from).collect();
        let fit = PotFit::fit(&mut falls, 0.05).unwrap();
        assert_eq!((fit.threshold, fit.share), (950.0, 0.05));
        // Uniform exceedances: ξ = -1.
        assert!((fit.gpd.shape + 1.0).abs() < 0.1, "{fit:?}");
    }

    #[test]
    fn ring_keeps_the_last_observations_when_it_is_full() {
        let mut ring = Exceedances::new(100);
        (0..250).for_each(|at| ring.push(f64::from(at)));
        ring.push(f64::NAN);
        let mut last: Vec<f64> = (150..250).map(f64::from).collect();
        assert_eq!(ring.fit(0.3), PotFit::fit(&mut last, 0.3));
    }
}
