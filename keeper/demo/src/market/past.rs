//! What a market did before the story: the keepers' past, as candles in files. Recorded, or made up and calm.

use crate::error::{DemoError, Outcome};
use crate::feeder::NOISE_BPS;
use crate::market::candles::{self, Candle, Span};
use crate::market::recorded::{Recorded, Recording, prices};
use crate::world::{Coin, SOURCES};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// How far back keepers look, seconds.
const SPAN_SECS: i64 = 7 * 86_400;
/// Length of a bar that is made up, seconds.
const BAR_SECS: i64 = 300;
/// Volatility of a calm day, by [`Coin`], and how much of it all coins share.
const CALM_DAY: [f64; 3] = [0.03, 0.02, 0.0];
const SHARED: f64 = 0.9;

/// Bars before the story, with their closes by [`Coin`].
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Seconds from a bar's opening to the story's start, and the prices at its close.
    closes: Vec<(i64, [f64; 3])>,
}

impl Past {
    /// Reads the week before a recording; empty where the file begins with it.
    ///
    /// # Errors
    /// Those of [`candles::read_any`].
    pub fn read(recording: &Recording, recorded: &Recorded) -> Outcome<Self> {
        let (from_ts, to_ts) = (recorded.from_ts.saturating_sub(SPAN_SECS), recorded.from_ts);
        let span = Span { from_ts: Some(from_ts), to_ts: Some(to_ts) };
        let bars: Vec<Candle> = candles::read_any(&recording.path, span)?;
        let close = |bar: &Candle| (to_ts - bar.open_ts, prices(recording.coin, bar.close, recorded.start));
        Ok(Self { closes: bars.iter().map(close).collect() })
    }

    /// Makes up a calm week that ends at `start`: a made-up story falls out of it.
    pub fn calm(start: [f64; 3], seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xca1f);
        // even draws of a variance of one
        let mut draw = move || rng.random_range(-1.0..1.0) * 3f64.sqrt();
        let per_bar = (BAR_SECS as f64 / 86_400.0).sqrt();
        let mut logs = [0.0f64; 3];
        let mut closes = Vec::new();
        for bar in 1..=SPAN_SECS / BAR_SECS {
            closes.push((bar * BAR_SECS, std::array::from_fn(|at| start[at] * logs[at].exp())));
            let shared = draw();
            for (log, day) in logs.iter_mut().zip(CALM_DAY) {
                *log += day * per_bar * (SHARED * shared + (1.0 - SHARED * SHARED).sqrt() * draw());
            }
        }
        closes.reverse();
        Self { closes }
    }

    /// Writes a file for each coin to `dir`, moved in time so that the last bar ends at `start_ts`; none without bars.
    ///
    /// Closes are what keepers would have read, the mean of what the publishers print: beside a dollar coin that never moved at
    /// all the first print of the story would be an event.
    ///
    /// # Errors
    /// [`DemoError::File`].
    pub fn write(&self, dir: &Path, start_ts: i64, seed: u64) -> Outcome<Vec<PathBuf>> {
        if self.closes.is_empty() {
            return Ok(Vec::new());
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x9a57);
        let of = |coin: Coin| {
            let mut text = "time,open,high,low,close\n".to_owned();
            for (before_secs, usd) in &self.closes {
                let noise_bps =
                    (0..SOURCES).map(|_| rng.random_range(-NOISE_BPS..NOISE_BPS)).sum::<f64>() / SOURCES as f64;
                let close = usd[coin.index()] * (1.0 + noise_bps / 10_000.0);
                // CANNOT fail: a String takes any write
                let _ = writeln!(text, "{},{close},{close},{close},{close}", start_ts - before_secs);
            }
            let path = dir.join(format!("{}.csv", coin.symbol()));
            std::fs::write(&path, text).map_err(|source| DemoError::File { path: path.clone(), source })?;
            Ok(path)
        };
        Coin::ALL.into_iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::recorded;

    #[test]
    fn calm_week_ends_at_the_start_and_moves_as_calm_markets_do() {
        let start = [150.0, 60_000.0, 1.0];
        let past = Past::calm(start, 7);
        assert_eq!(
            (past.closes.len(), past.closes[0].0, *past.closes.last().unwrap()),
            (2_016, SPAN_SECS, (BAR_SECS, start))
        );
        assert_eq!(past.closes, Past::calm(start, 7).closes);
        let returns = |at: usize| past.closes.windows(2).map(move |pair| (pair[1].1[at] / pair[0].1[at]).ln());
        let dot = |a: usize, b: usize| returns(a).zip(returns(b)).map(|(a, b)| a * b).sum::<f64>() / 7.0;
        let [sol, btc, usdc] = [0, 1, 2].map(|at| dot(at, at).sqrt());
        assert!((sol / 0.03 - 1.0).abs() < 0.1 && (btc / 0.02 - 1.0).abs() < 0.1 && usdc == 0.0, "{sol} {btc} {usdc}");
        assert!((dot(0, 1) / sol / btc - SHARED * SHARED).abs() < 0.1);
    }

    #[test]
    fn bars_before_the_story_are_written_up_to_its_start_and_nothing_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("market.csv");
        std::fs::write(&path, "0,8,8,8,8\n60,9,9,9,9\n120,10,10,5,5\n180,5,5,5,5\n").unwrap();
        let span = Span { from_ts: Some(120), to_ts: None };
        let recording = Recording { path, coin: Coin::Sol, span };
        let recorded = recorded::load(&recording, 4, 1).unwrap();
        let past = Past::read(&recording, &recorded).unwrap();
        let files = past.write(dir.path(), 10_000, 1).unwrap();
        let sol = std::fs::read_to_string(&files[0]).unwrap();
        let bars: Vec<Vec<f64>> =
            sol.lines().skip(1).map(|line| line.split(',').map(|field| field.parse().unwrap()).collect()).collect();
        assert_eq!((sol.lines().next(), bars.len(), files.len()), (Some("time,open,high,low,close"), 2, 3));
        for (bar, (open_ts, close)) in bars.iter().zip([(9_880.0, 8.0), (9_940.0, 9.0)]) {
            assert!(bar[0] == open_ts && bar[1..] == [bar[4]; 4], "{bar:?}");
            assert!((bar[4] / close - 1.0).abs() <= NOISE_BPS / 10_000.0 && bar[4] != close, "{bar:?}");
        }
        let first = Recording { span: Span::default(), ..recording };
        let recorded = recorded::load(&first, 4, 1).unwrap();
        assert_eq!(Past::read(&first, &recorded).unwrap().write(dir.path(), 10_000, 1).unwrap(), Vec::<PathBuf>::new());
    }
}
