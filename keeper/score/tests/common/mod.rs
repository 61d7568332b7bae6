//! Bars for the tests: drawn from a seed, and recorded ones where they are at hand.

#![allow(dead_code)]

use std::path::{Path, PathBuf};

use rampart_score::bar::Bar;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws bars of `secs`: a random walk whose volatility per bar is `vol`, with jumps.
pub fn walk(seed: u64, count: usize, secs: u32, vol: f64) -> Vec<Bar> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut close = 100.0f64;
    (0..count)
        .map(|at| {
            let open = close;
            let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
            close *= (vol * normal()).exp();
            let (up, down) = ((vol * normal().abs()).exp(), (-vol * normal().abs()).exp());
            let volume = 1_000.0 * (0.5 * normal()).exp();
            let taker_buy = Some(volume * (0.5 + 0.4 * ((close / open).ln() / vol).tanh()));
            let open_ts = 1_600_000_000 + at as i64 * i64::from(secs);
            Bar {
                open_ts,
                secs,
                open,
                high: open.max(close) * up,
                low: open.min(close) * down,
                close,
                volume,
                taker_buy,
            }
        })
        .collect()
}

/// Returns the recorded bars of `SYMBOL_INTERVAL`, or says why there are none.
pub fn recorded(name: &str, secs: u32) -> Option<Vec<Bar>> {
    let folder = std::env::var_os("RAMPART_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/market"), PathBuf::from);
    let path = folder.join(format!("{name}.csv.gz"));
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(error) => {
            println!("skipped: no recorded market at {}: {error}; set RAMPART_DATA to its folder", path.display());
            return None;
        }
    };
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
    let bars = reader.records().map(|row| {
        let row = row.expect("recorded file is csv");
        let number = |at: usize| row[at].parse::<f64>().expect("recorded value is a number");
        let open_ts = row[0].parse().expect("recorded time is an integer");
        let [open, high, low, close, volume] = [1, 2, 3, 4, 5].map(number);
        Bar { open_ts, secs, open, high, low, close, volume, taker_buy: None }
    });
    Some(bars.collect())
}
