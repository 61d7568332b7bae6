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
    /// Returns the probability that any of the horizon's bars falls by more than `depth` (log), by the fitted tail.
    ///
    /// Bars are taken as independent, `1 - (1 - p)^bars`: the sum of their probabilities would be 1 for every depth below
    /// the threshold of a day, and tell one buffer from the next no more.
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
        -(bars * (-self.share * survival).ln_1p()).exp_m1()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(shape: f64) -> Tail {
        Tail { bar_secs: 3_600, threshold: 1.5, shape, scale: 0.7, share: 0.05 }
    }

    #[test]
    fn tail_of_a_day_stays_below_one_and_tells_buffers_apart() {
        // once the sum over the bars, 24 · 0.05 = 1.2, cut off at 1: a logit of 20.7 for every buffer up to the threshold
        let tail = tail(0.2);
        let logit = |buffer| structural(0.04, buffer, 86_400, Some(&tail));
        let at_threshold = 1.0 - 0.95f64.powi(24);
        assert!((tail.probability(0.0, 0.04, 86_400) - at_threshold).abs() < 1e-12, "1 - 0.95^24 is 0.708");
        assert!((logit(0.005) - 3.507).abs() < 0.001, "{}", logit(0.005));
        assert!(logit(0.01) > logit(0.02) && logit(0.02) > logit(0.05), "each buffer has another one");
    }

    #[test]
    fn value_at_risk_is_the_volatility_of_a_bar_times_the_quantile() {
        // 1.5 + 0.6 / 0.25 · (5^0.25 - 1) is 2.688837 deviations of an hour, 0.04 / √24: a logarithm of 0.0219543
        let tail = Tail { shape: 0.25, scale: 0.6, ..tail(0.2) };
        assert!((tail.value_at_risk(0.01, 0.04) - 0.021_954_3).abs() < 1e-6, "{}", tail.value_at_risk(0.01, 0.04));
        let back = tail.probability(tail.value_at_risk(0.001, 0.04), 0.04, 3_600);
        assert!((back - 0.001).abs() < 1e-12, "{back}");
    }

    #[test]
    fn tail_keeps_its_digits_where_it_is_thin() {
        // 40 scales beyond the threshold: 1 - (1 - p)^24 in plain arithmetic is 0 there
        let day_bar = 0.04 / 24f64.sqrt();
        let p = tail(0.0).probability((1.5 + 40.0 * 0.7) * day_bar, 0.04, 86_400);
        let sum = 24.0 * 0.05 * (-40.0f64).exp();
        assert!((p / sum - 1.0).abs() < 1e-9, "{p} {sum}");
    }

    #[test]
    fn tail_is_certain_when_every_bar_falls_that_far() {
        assert_eq!(Tail { share: 1.0, ..tail(0.2) }.probability(0.0, 0.04, 86_400), 1.0);
    }
}
