//! A recorded market as a story: one asset from the file, the others beside it.

use crate::error::Outcome;
use crate::market::PricePoint;
use crate::market::candles::{self, Span};
use crate::market::synthetic::START_USD;
use crate::market::ticks::{Gap, expand};
use crate::world::Coin;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};

/// How much of the recorded asset's move the other collateral makes too.
const FOLLOWS: f64 = 0.6;

/// What to play from which file.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The file.
    pub path: PathBuf,
    /// Which asset it is played as.
    pub coin: Coin,
    /// Which part of it.
    pub span: Span,
}

/// A recorded market, ready to be played.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The first price.
    pub start: f64,
    /// The points; a gap of the recording takes one step, as nothing is known of it.
    pub points: Vec<PricePoint>,
    /// What the recording lacks.
    pub gaps: Vec<Gap>,
    /// When the first bar opened, unix seconds.
    pub from_ts: i64,
    /// When the last bar ended, unix seconds.
    pub to_ts: i64,
}

/// Reads a recording and turns it into points about `step_secs` apart.
///
/// The recorded asset has the recorded prices; the other collateral follows at six tenths of its moves, and the dollar
/// coin stays at one dollar: the file says nothing of them.
///
/// # Errors
/// Those of [`candles::read`].
pub fn load(recording: &Recording, step_secs: i64, seed: u64) -> Outcome<Recorded> {
    let bars = candles::read(&recording.path, recording.span)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x71c5);
    let expanded = expand(&bars, step_secs, &mut rng);
    let (from_ts, to_ts) = (bars[0].open_ts, bars[bars.len() - 1].open_ts + expanded.bar_secs);
    let skipped = |ts: i64| -> i64 {
        let before = expanded.gaps.iter().filter(|gap| gap.to_ts <= ts);
        before.map(|gap| gap.to_ts - gap.from_ts - step_secs).sum()
    };
    let start = expanded.ticks[0].price;
    let points = expanded.ticks.iter().map(|tick| PricePoint {
        at_secs: tick.ts - from_ts - skipped(tick.ts),
        usd: prices(recording.coin, tick.price, start),
    });
    Ok(Recorded { start, points: points.collect(), gaps: expanded.gaps.clone(), from_ts, to_ts })
}

/// Returns all prices where `coin` costs `price` and cost `start` at the beginning.
pub(super) fn prices(coin: Coin, price: f64, start: f64) -> [f64; 3] {
    let mut usd = START_USD;
    let follows = 1.0 + (price / start - 1.0) * FOLLOWS;
    for other in [Coin::Sol, Coin::Btc] {
        usd[other.index()] = if other == coin { price } else { START_USD[other.index()] * follows };
    }
    usd
}

/// Returns where a recording may be found relative to the working directory, for messages.
pub fn shown(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn recording(lines: &str) -> (tempfile::NamedTempFile, Recording) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        let recording = Recording { path: file.path().to_owned(), coin: Coin::Sol, span: Span::default() };
        (file, recording)
    }

    #[test]
    fn gap_takes_one_step_of_the_story() {
        let (_file, recording) = recording("0,10,10,10,10\n60,10,10,10,10\n600,5,5,5,5\n");
        let recorded = load(&recording, 4, 1).unwrap();
        assert_eq!(recorded.gaps, [Gap { from_ts: 120, to_ts: 600 }]);
        assert!(recorded.points.windows(2).all(|w| (1..=8).contains(&(w[1].at_secs - w[0].at_secs))));
        assert_eq!(recorded.points.last().unwrap().usd[0], 5.0);
    }

    #[test]
    fn other_collateral_follows_and_the_dollar_stays() {
        let (_file, recording) = recording("0,10,10,5,5\n");
        let last = *load(&recording, 4, 1).unwrap().points.last().unwrap();
        assert!((last.usd[1] - 42_000.0).abs() < 1.0 && last.usd[2] == 1.0, "{last:?}");
    }
}
