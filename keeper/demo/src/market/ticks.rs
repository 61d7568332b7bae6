//! From bars to ticks.

use crate::market::candles::Candle;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A price of the recorded asset at a second of the recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tick {
    /// Unix seconds of the recording.
    pub ts: i64,
    /// Quote per base.
    pub price: f64,
}

/// A span of the recording without bars. Nothing is made up for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Gap {
    /// When the last bar before it ended, unix seconds.
    pub from_ts: i64,
    /// When the next bar opens, unix seconds.
    pub to_ts: i64,
}

/// A recording as ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticks {
    /// Ascending in time.
    pub ticks: Vec<Tick>,
    /// What the recording lacks.
    pub gaps: Vec<Gap>,
    /// Length of a bar, seconds.
    pub bar_secs: i64,
}

/// Returns the bars' length: the smallest distance between two; a minute for a single bar.
pub fn bar_secs(candles: &[Candle]) -> i64 {
    candles.windows(2).map(|pair| pair[1].open_ts - pair[0].open_ts).min().unwrap_or(60)
}

/// Turns bars into ticks `step_secs` apart.
///
/// Within a bar the price goes straight from open over its two extremes to close; which extreme comes first is drawn, as
/// the bar doesn't say. Every bar shows its open, both extremes and its close, however long a step is.
pub fn expand(candles: &[Candle], step_secs: i64, rng: &mut ChaCha8Rng) -> Ticks {
    let bar_secs = bar_secs(candles);
    let mut out = Ticks { ticks: Vec::new(), gaps: Vec::new(), bar_secs };
    for (index, candle) in candles.iter().enumerate() {
        if let Some(before) = index.checked_sub(1).map(|i| &candles[i])
            && candle.open_ts > before.open_ts + bar_secs
        {
            out.gaps.push(Gap { from_ts: before.open_ts + bar_secs, to_ts: candle.open_ts });
        }
        bar_ticks(candle, bar_secs, step_secs, rng.random(), &mut out.ticks);
    }
    out
}

fn bar_ticks(candle: &Candle, bar_secs: i64, step_secs: i64, is_low_first: bool, ticks: &mut Vec<Tick>) {
    let (first, second) = if is_low_first { (candle.low, candle.high) } else { (candle.high, candle.low) };
    let corners = [candle.open, first, second, candle.close];
    let legs = 3;
    // every leg ends on its corner, so that no extreme is stepped over
    let steps = ((bar_secs - 1) / step_secs.max(1) / legs).max(1);
    let last = steps * legs;
    for n in 0..=last {
        let (leg, within) = ((n / steps).min(legs - 1), n - (n / steps).min(legs - 1) * steps);
        let share = within as f64 / steps as f64;
        let (from, to) = (corners[leg as usize], corners[leg as usize + 1]);
        ticks.push(Tick { ts: candle.open_ts + n * (bar_secs - 1) / last, price: from + (to - from) * share });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    fn candle(open_ts: i64) -> Candle {
        Candle { open_ts, open: 100.0, high: 110.0, low: 80.0, close: 90.0 }
    }

    #[test]
    fn gap_is_reported_and_nothing_is_made_up_for_it() {
        let out = expand(&[candle(0), candle(60), candle(300)], 4, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(out.gaps, [Gap { from_ts: 120, to_ts: 300 }]);
        assert!(out.ticks.iter().all(|t| t.ts < 120 || t.ts >= 300));
    }

    #[test]
    fn same_seed_gives_the_same_ticks() {
        let candles: Vec<_> = (0..50).map(|i| candle(i * 60)).collect();
        let run = |seed| expand(&candles, 4, &mut ChaCha8Rng::seed_from_u64(seed)).ticks;
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    proptest! {
        #[test]
        fn every_bar_shows_its_corners_in_order_and_in_its_own_time(
            low in 1.0f64..50.0, up in 0.0f64..50.0, a in 0.0f64..=1.0, b in 0.0f64..=1.0, step in 1i64..500, seed in any::<u64>(),
        ) {
            let high = low + up;
            let bar = Candle { open_ts: 600, open: low + up * a, high, low, close: low + up * b };
            let next = Candle { open_ts: 900, ..bar };
            let out = expand(&[bar, next], step, &mut ChaCha8Rng::seed_from_u64(seed));
            let mine: Vec<_> = out.ticks.iter().filter(|t| t.ts < 900).collect();
            prop_assert!(mine.iter().all(|t| t.ts >= 600));
            prop_assert!(mine.windows(2).all(|w| w[0].ts < w[1].ts));
            let close_to = |x: f64| move |t: &&&Tick| (t.price - x).abs() < 1e-9 * (1.0 + x);
            for corner in [bar.low, bar.high] {
                prop_assert!(mine.iter().filter(close_to(corner)).count() > 0);
            }
            prop_assert!((mine[0].price - bar.open).abs() < 1e-9);
            prop_assert!((mine[mine.len() - 1].price - bar.close).abs() < 1e-9 * (1.0 + bar.close));
            prop_assert!(mine.iter().all(|t| t.price >= low - 1e-9 && t.price <= high + 1e-9));
        }
    }
}
