//! Recorded candles as a world: prices and volumes are the recording's, books and flows are assumed around them.

use super::{Calm, World};
use rampart_score::bar::Bar;
use rand_chacha::ChaCha8Rng;

/// A span of recorded candles on a finer grid.
#[derive(Clone, Debug)]
pub struct RecordedPath {
    /// Start of the first step, unix seconds.
    pub start_ts: i64,
    /// Seconds of one step.
    pub step_secs: u32,
    /// Price at the end and volume of each step, loan units and units of collateral.
    pub steps: Vec<(f64, f64)>,
}

/// Cuts contiguous `bars` into steps of `step_secs`. Within a bar the price goes from the open through the low and the high (the
/// far one from the close first) to the close, on straight lines in the logarithm; a bar isn't longer than its steps together.
pub fn path(bars: &[Bar], step_secs: u32) -> RecordedPath {
    let cut = |bar: &Bar| {
        let parts = (bar.secs / step_secs).max(1);
        // candle files tell volumes; without one nobody would trade
        let (bar, volume) = (*bar, bar.volume.unwrap_or(0.0) / f64::from(parts));
        (1..=parts).map(move |part| (inside(&bar, f64::from(part) / f64::from(parts)), volume))
    };
    let start_ts = bars.first().map_or(0, |bar| bar.open_ts);
    RecordedPath { start_ts, step_secs, steps: bars.iter().flat_map(cut).collect() }
}

fn inside(bar: &Bar, part: f64) -> f64 {
    let is_up = bar.close >= bar.open;
    let (first, then) = if is_up { (bar.low, bar.high) } else { (bar.high, bar.low) };
    let knots = [bar.open, first, then, bar.close].map(f64::ln);
    let place = (part * 3.0).min(3.0);
    let leg = (place as usize).min(2);
    (knots[leg] + (knots[leg + 1] - knots[leg]) * (place - leg as f64)).exp()
}

/// Returns the standard deviation of a day's returns of contiguous `bars`; none with fewer than three.
pub fn daily_vol(bars: &[Bar]) -> Option<f64> {
    let secs = f64::from(bars.first()?.secs);
    let squares: Vec<f64> = bars.windows(2).map(|pair| (pair[1].close / pair[0].close).ln().powi(2)).collect();
    let mean = squares.iter().sum::<f64>() / squares.len() as f64;
    (squares.len() > 1 && mean > 0.0).then(|| (mean * 86_400.0 / secs).sqrt())
}

impl RecordedPath {
    /// Lays assumed books and flows around the recording.
    pub fn world(&self, daily_vol: f64, rng: &mut ChaCha8Rng) -> World {
        Calm { daily_vol, ..Calm::default() }.around(self.start_ts, self.step_secs, &self.steps, rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(open: f64, high: f64, low: f64, close: f64) -> Bar {
        Bar { open_ts: 300, secs: 300, open, high, low, close, volume: Some(50.0), taker_buy: None }
    }

    #[test]
    fn path_passes_low_and_high_and_ends_at_the_close() {
        let cut = path(&[bar(100.0, 110.0, 90.0, 105.0)], 100);
        let prices: Vec<f64> = cut.steps.iter().map(|step| step.0.round()).collect();
        assert_eq!(prices, [90.0, 110.0, 105.0]);
        assert!((cut.steps.iter().map(|step| step.1).sum::<f64>() - 50.0).abs() < 1e-9);
        let coarse = path(&[bar(100.0, 110.0, 90.0, 105.0)], 300);
        assert_eq!(coarse.steps.len(), 1);
        assert!((coarse.steps[0].0 - 105.0).abs() < 1e-9);
    }
}
