//! The volatility that a keeper sees: of the agreed price, with a fast and a slow half-life.

const DAY_SECS: f64 = 86_400.0;

/// Two exponentially weighted volatilities of the same price; the larger one counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Volatility {
    last: Option<(i64, f64)>,
    fast: f64,
    slow: f64,
    seen_secs: f64,
}

/// Half-lives, seconds.
const HALF_LIVES: [f64; 2] = [6.0 * 3_600.0, 24.0 * 3_600.0];

impl Volatility {
    /// Takes a price.
    pub fn push(&mut self, ts: i64, price: f64) {
        let Some((last_ts, last)) = self.last.replace((ts, price)) else { return };
        let secs = (ts - last_ts).max(1) as f64;
        let rate = (price / last).ln().powi(2) / secs;
        for (variance, half_life) in [&mut self.fast, &mut self.slow].into_iter().zip(HALF_LIVES) {
            let keep = 0.5f64.powf(secs / half_life);
            *variance = keep * *variance + (1.0 - keep) * rate;
        }
        self.seen_secs += secs;
    }

    /// Returns the volatility of a day, a share; none before two slow half-lives have been seen.
    pub fn day(&self) -> Option<f64> {
        self.is_known().then(|| (self.fast.max(self.slow) * DAY_SECS).sqrt())
    }

    /// Returns the same with the slow half-life alone: what a keeper reports.
    pub fn slow_day(&self) -> Option<f64> {
        self.is_known().then(|| (self.slow * DAY_SECS).sqrt())
    }

    fn is_known(&self) -> bool {
        self.seen_secs >= 2.0 * HALF_LIVES[1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volatility_of_an_even_zigzag_is_its_step_at_the_root_of_the_day() {
        let mut volatility = Volatility::default();
        for step in 0..4_000i64 {
            volatility.push(step * 300, if step % 2 == 0 { 100.0 } else { 100.0 * 0.001f64.exp() });
        }
        let expected = 0.001 * (86_400.0f64 / 300.0).sqrt();
        assert!((volatility.day().unwrap() / expected - 1.0).abs() < 1e-3);
    }

    #[test]
    fn volatility_is_unknown_until_two_half_lives_were_seen() {
        let mut volatility = Volatility::default();
        volatility.push(0, 100.0);
        volatility.push(47 * 3_600, 101.0);
        assert_eq!(volatility.day(), None);
        volatility.push(48 * 3_600, 100.0);
        assert!(volatility.day().is_some());
    }
}
