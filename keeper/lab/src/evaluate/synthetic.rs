//! Generated hourly markets for tests: volatility that clusters, fat tails, and, where asked, crashes that volume announces.

use crate::data::Series;
use rampart_score::bar::Bar;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{StandardNormal, StudentT};

const START: i64 = 1_577_836_800;

/// Returns `count` hours without any announced crash.
pub fn series(symbol: &str, count: usize, seed: u64) -> Series {
    planted(symbol, count, seed, 0)
}

/// Returns `count` hours; every `every` hours (0: never) volume rises sixfold for 6 h, and then the price falls by 15 %.
pub fn planted(symbol: &str, count: usize, seed: u64, every: usize) -> Series {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let tails = StudentT::new(4.0).unwrap();
    let (mut close, mut log_vol) = (100.0f64, -5.0f64);
    let bars = (0..count).map(|at| {
        let phase = if every == 0 { usize::MAX } else { at % every };
        log_vol = -5.0 + 0.98 * (log_vol + 5.0) + 0.08 * random.sample::<f64, _>(StandardNormal);
        let mut change = log_vol.exp() * random.sample(tails) / 2f64.sqrt();
        if phase == 12 {
            change -= 0.16;
        }
        let open = close;
        close *= change.exp();
        let wick = log_vol.exp() * 0.5 * random.random::<f64>();
        let burst = if (6..12).contains(&phase) { 6.0 } else { 1.0 };
        Bar {
            open_ts: START + at as i64 * 3_600,
            secs: 3_600,
            open,
            high: open.max(close) * (1.0 + wick),
            low: open.min(close) * (1.0 - wick),
            close,
            volume: Some(burst * 1_000.0 * (1.0 + 0.3 * random.random::<f64>())),
            taker_buy: None,
        }
    });
    Series { symbol: symbol.to_owned(), interval_secs: 3_600, bars: bars.collect() }
}
