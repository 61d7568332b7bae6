//! The structural feature: what a driftless random walk with the present volatility and fat tails says by itself.

use statrs::function::erf::erfc;

use super::Tail;

/// Bounds of the probability before the logit: beyond them a model has seen nothing.
const P_MIN: f64 = 1e-9;
const DAY_SECS: f64 = 86_400.0;

/// Returns the logit of the probability to touch `1 - buffer` within the horizon: falls with the buffer, never rises.
///
/// Reflection principle for the walk, `2Φ(-|ln(1-b)| / (σ√N))`; joined with the tail beyond the threshold, when one was
/// fitted, as if the two were independent ways to fall.
///
/// # Units
/// `vol_day` per square root of a day; `buffer` from 0 to 1, both exclusive.
pub fn structural(vol_day: f64, buffer: f64, horizon_secs: u32, tail: Option<&Tail>) -> f64 {
    let depth = -(1.0 - buffer).ln();
    let days = f64::from(horizon_secs) / DAY_SECS;
    let walk = erfc(depth / (vol_day * days.sqrt()) / std::f64::consts::SQRT_2);
    let jump = tail.map_or(0.0, |tail| tail.probability(depth, vol_day, horizon_secs));
    let p = (1.0 - (1.0 - walk) * (1.0 - jump)).clamp(P_MIN, 1.0 - P_MIN);
    (p / (1.0 - p)).ln()
}

impl Tail {
    /// Returns the probability that one of the horizon's bars falls by more than `depth` (log), by the fitted tail.
    fn probability(&self, depth: f64, vol_day: f64, horizon_secs: u32) -> f64 {
        let bar_days = f64::from(self.bar_secs) / DAY_SECS;
        let z = depth / (vol_day * bar_days.sqrt());
        let beyond = ((z - self.threshold) / self.scale).max(0.0);
        let survival = if self.shape.abs() < 1e-9 {
            (-beyond).exp()
        } else {
            (1.0 + self.shape * beyond).max(0.0).powf(-1.0 / self.shape)
        };
        let bars = f64::from(horizon_secs) / f64::from(self.bar_secs);
        (bars * self.share * survival).min(1.0)
    }
}
