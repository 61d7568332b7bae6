//! The training set: what was known at each hour, and how far the price fell afterwards.

use super::{DEAD, HORIZONS, MAJORS, TrainError};
use crate::data::{Checksums, Series, load, sha256_hex};
use rampart_score::features::{Features, Market, Settings};
use std::path::Path;

/// How far a price fell within a horizon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fall {
    /// Share of the price at decision time; below 0 where even the low was higher.
    pub depth: f64,
    /// When the bar of the lowest low closed, unix seconds.
    pub low_ts: i64,
}

/// One decision time of one asset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Position in [`Dataset::assets`].
    pub asset: usize,
    /// Close of the last bar that the features saw, unix seconds.
    pub known_ts: i64,
    /// Its price, quote per base.
    pub close: f64,
    /// What was known.
    pub features: Features,
    /// Log return of the bar over its volatility forecast, negated; none after a gap.
    pub standard_fall: Option<f64>,
    /// The same over the volatility that falls are measured by (`Volatility::vol_of_falls`).
    pub scaled_fall: Option<f64>,
    /// What the lows in `(known_ts, known_ts + horizon]` came to, for each of [`HORIZONS`]; none unless every bar of it
    /// was recorded.
    pub falls: [Option<Fall>; HORIZONS.len()],
}

/// An asset of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Name of the market.
    pub symbol: String,
    /// Judged, and never trained on.
    pub is_held_out: bool,
}

/// Every row of every asset.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The assets.
    pub assets: Vec<Asset>,
    /// Rows by asset, then by time.
    pub rows: Vec<Row>,
    /// SHA-256 of the names and checksums of the files that were read, hexadecimal.
    pub sha256: String,
}

impl Dataset {
    /// Reads the hourly markets of a folder, those that are trained on and those that are held out.
    ///
    /// # Errors
    /// `Data` with a file that is absent, malformed or not what SHA256SUMS says; `Bar`.
    pub fn load(dir: &Path) -> Result<Self, TrainError> {
        Self::load_as(dir, |_| ())
    }

    /// Reads the same as a keeper sees it live: no oracle tells what was traded.
    ///
    /// # Errors
    /// As [`Dataset::load`].
    pub fn load_without_volume(dir: &Path) -> Result<Self, TrainError> {
        Self::load_as(dir, without_volume)
    }

    fn load_as(dir: &Path, change: fn(&mut Series)) -> Result<Self, TrainError> {
        let sums = Checksums::read(dir)?;
        let mut set = Self { assets: Vec::new(), rows: Vec::new(), sha256: String::new() };
        let mut listing = String::new();
        for (symbol, is_held_out) in MAJORS.map(|name| (name, false)).into_iter().chain(DEAD.map(|name| (name, true))) {
            let name = format!("{symbol}_1h.csv.gz");
            let path = dir.join(&name);
            let content =
                std::fs::read(&path).map_err(|source| crate::data::DataError::Io { path: path.clone(), source })?;
            let sha256 = sha256_hex(&content);
            sums.check(&path, &sha256)?;
            listing += &format!("{sha256}  {name}\n");
            let mut series = load(&path)?;
            change(&mut series);
            set.add(&series, is_held_out)?;
        }
        set.sha256 = sha256_hex(listing.as_bytes());
        Ok(set)
    }

    /// Makes a set of series that are held in memory.
    ///
    /// # Errors
    /// `Bar`.
    pub fn of(series: &[Series]) -> Result<Self, TrainError> {
        let mut set = Self { assets: Vec::new(), rows: Vec::new(), sha256: sha256_hex(b"in memory") };
        series.iter().try_for_each(|series| set.add(series, false))?;
        Ok(set)
    }

    fn add(&mut self, series: &Series, is_held_out: bool) -> Result<(), TrainError> {
        let asset = self.assets.len();
        self.assets.push(Asset { symbol: series.symbol.clone(), is_held_out });
        self.rows.extend(rows_of(series, asset)?);
        Ok(())
    }

    /// Returns the rows of assets that are trained on (or, `is_held_out`, of those that never are) in `[from, to)`.
    pub fn between(&self, from_ts: i64, to_ts: i64, is_held_out: bool) -> impl Iterator<Item = &Row> + Clone {
        let is_wanted = move |row: &&Row| {
            (from_ts..to_ts).contains(&row.known_ts) && self.assets[row.asset].is_held_out == is_held_out
        };
        self.rows.iter().filter(is_wanted)
    }
}

/// Takes away what was traded.
fn without_volume(series: &mut Series) {
    for bar in &mut series.bars {
        (bar.volume, bar.taker_buy) = (None, None);
    }
}

/// Returns a row for each bar whose market isn't warming.
///
/// # Errors
/// `Bar`.
pub fn rows_of(series: &Series, asset: usize) -> Result<Vec<Row>, TrainError> {
    let mut market = Market::new(Settings::default());
    let mut rows = Vec::with_capacity(series.bars.len());
    for (at, bar) in series.bars.iter().enumerate() {
        let root = (f64::from(bar.secs) / 86_400.0).sqrt();
        let (forecast, of_falls) = (market.features().vol_day() * root, market.volatility().vol_of_falls() * root);
        market.push(bar).map_err(|source| TrainError::Bar { symbol: series.symbol.clone(), source })?;
        let features = market.features();
        if features.is_warming {
            continue;
        }
        let is_next = at > 0 && series.bars[at - 1].close_ts() == bar.open_ts;
        let standard_fall = is_next.then(|| -market.last_return() / forecast);
        let scaled_fall = is_next.then(|| -market.last_return() / of_falls);
        let falls = HORIZONS.map(|horizon| fall(series, at, horizon));
        rows.push(Row {
            asset,
            known_ts: bar.close_ts(),
            close: bar.close,
            features,
            standard_fall,
            scaled_fall,
            falls,
        });
    }
    Ok(rows)
}

/// Returns the lowest low of the bars in `(close, close + horizon]`.
fn fall(series: &Series, at: usize, horizon: u32) -> Option<Fall> {
    let count = (horizon / series.interval_secs) as usize;
    let future = series.bars.get(at + 1..at + 1 + count)?;
    let bar = &series.bars[at];
    if future.last()?.close_ts() != bar.close_ts() + i64::from(horizon) {
        return None;
    }
    let lowest = future.iter().min_by(|a, b| a.low.total_cmp(&b.low))?;
    Some(Fall { depth: 1.0 - lowest.low / bar.close, low_ts: lowest.close_ts() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::synthetic;

    #[test]
    fn falls_are_those_of_the_lows_after_the_close_when_bars_are_known() {
        let mut series = synthetic::series("A", 200, 1);
        let at = 150;
        let close = series.bars[at].close;
        // What happened in the bar itself is past; the sixth bar after it is the last of 6 h.
        series.bars[at].low = close * 0.5;
        series.bars[at + 6].low = close * 0.8;
        series.bars[at + 7].low = close * 0.7;
        let rows = rows_of(&series, 0).unwrap();
        let row = rows.iter().find(|row| row.known_ts == series.bars[at].close_ts()).unwrap();
        let expected = Fall { depth: 1.0 - series.bars[at + 6].low / close, low_ts: series.bars[at + 6].close_ts() };
        assert_eq!(row.falls[0], Some(expected));
        assert_eq!(row.falls[1].unwrap().low_ts, series.bars[at + 7].close_ts());
    }

    #[test]
    fn falls_are_unknown_when_the_future_is_short_or_has_a_gap() {
        let mut series = synthetic::series("A", 200, 1);
        series.bars.remove(180);
        let rows = rows_of(&series, 0).unwrap();
        let falls = |ts: i64| rows.iter().find(|row| row.known_ts == ts).unwrap().falls;
        assert!(falls(series.bars[173].close_ts())[0].is_some());
        assert!(falls(series.bars[174].close_ts())[0].is_none());
        assert!(falls(series.bars[155].close_ts())[1].is_some());
        assert!(falls(series.bars[156].close_ts())[1].is_none());
        assert!(rows.last().unwrap().falls[0].is_none());
    }

    #[test]
    fn without_volume_the_two_features_of_trade_are_zero_and_all_else_is_as_it_was() {
        let mut series = synthetic::series("A", 200, 1);
        let with = rows_of(&series, 0).unwrap();
        without_volume(&mut series);
        let without = rows_of(&series, 0).unwrap();
        assert_eq!(with.len(), without.len());
        let last = with.len() - 1;
        let (with, without) = (&with[last], &without[last]);
        let changed = (0..with.features.values.len())
            .filter(|at| with.features.values[*at].to_bits() != without.features.values[*at].to_bits());
        let changed: Vec<usize> = changed.collect();
        assert!(!changed.is_empty() && changed.len() <= 2, "{changed:?}");
        assert!(changed.iter().all(|at| without.features.values[*at] == 0.0));
        assert_eq!(with.falls, without.falls);
    }

    #[test]
    fn rows_are_left_out_when_the_market_is_warming() {
        let series = synthetic::series("A", 200, 1);
        let rows = rows_of(&series, 0).unwrap();
        let warmup = Settings::default().warmup_secs as usize / 3_600;
        assert_eq!(rows.len(), 200 - warmup);
    }
}
