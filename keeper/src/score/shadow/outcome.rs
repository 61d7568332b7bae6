//! What each policy would have brought on the vaults' own prices: the lab's pool is played on them, beside the keeper's work.
//!
//! A vault's debt, people and volume are the lab's assumptions, as in training; the prices are those that were agreed.

use rampart_lab::attack::Split;
use rampart_lab::backtest::{Market, POOL_DEBT, RecordedSettings, scenarios};
use rampart_lab::data::Series;
use rampart_lab::learn::{Decider, Record, VOLUMES};
use rampart_lab::pool::Settings;
use rampart_score::bar::Bar;
use rampart_score::policy::Library;
use std::collections::BTreeMap;
use std::thread::JoinHandle;

const DAY_SECS: i64 = 86_400;
const BAR_SECS: u32 = 300;
/// Two days to warm up on, and the one that counts.
const SPAN_SECS: i64 = 3 * DAY_SECS;
/// The fewest closes of a span that is played: nine tenths of it.
const CLOSES_MIN: usize = 777;

/// Returns the day, days since 1970.
pub(super) fn day_of(ts: i64) -> i64 {
    ts.div_euclid(DAY_SECS)
}

/// The last closes of a vault's price.
#[derive(Debug, Default)]
pub(super) struct Closes(BTreeMap<i64, f64>);

impl Closes {
    /// Takes a price: the last one within five minutes counts.
    pub(super) fn push(&mut self, ts: i64, price: f64) {
        let open_ts = ts - ts.rem_euclid(i64::from(BAR_SECS));
        if price > 0.0 && price.is_finite() {
            self.0.insert(open_ts, price);
        }
        // a day more than is played, as a round begins after its day
        let newest = self.0.last_key_value().map_or(0, |(open_ts, _)| *open_ts);
        self.0 = self.0.split_off(&(newest - SPAN_SECS - DAY_SECS));
    }

    /// Returns the bars of the three days before `day`; nothing where more than a tenth is missing.
    pub(super) fn until(&self, day: i64) -> Option<Vec<Bar>> {
        let end = day * DAY_SECS;
        let mut bars: Vec<Bar> = Vec::new();
        for (open_ts, close) in self.0.range(end - SPAN_SECS..end) {
            let (open_ts, close) = (*open_ts, *close);
            let open = bars.last().filter(|last| last.close_ts() == open_ts).map_or(close, |last| last.close);
            // no oracle tells what was traded: an even volume, of which the pool is as large as in training
            let volume = Some(POOL_DEBT / VOLUMES / close);
            let (high, low) = (open.max(close), open.min(close));
            bars.push(Bar { open_ts, secs: BAR_SECS, open, high, low, close, volume, taker_buy: None });
        }
        (bars.len() >= CLOSES_MIN).then_some(bars)
    }
}

/// One day's play, on a thread of its own.
pub(super) struct Round {
    /// The day that begins when the played one ends.
    pub(super) day: i64,
    thread: JoinHandle<Option<Vec<f64>>>,
}

impl Round {
    /// Begins to play `paths`; nothing without any.
    pub(super) fn begin(library: &Library, paths: Vec<Vec<Bar>>, day: i64) -> Option<Self> {
        if paths.is_empty() {
            return None;
        }
        let library = library.clone();
        let play = move || utilities(&library, paths);
        let thread = std::thread::Builder::new().name("shadow".into()).spawn(play);
        thread.map(|thread| Self { day, thread }).ok()
    }

    pub(super) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Returns the mean utility of each policy, bps of the debt; nothing where it could not be played.
    pub(super) fn utilities(self) -> Option<Vec<f64>> {
        self.thread.join().ok().flatten()
    }
}

/// Plays every policy on every path; none where nothing can be played.
fn utilities(library: &Library, paths: Vec<Vec<Bar>>) -> Option<Vec<f64>> {
    let series = paths.into_iter().map(|bars| Series { symbol: "vault".into(), interval_secs: BAR_SECS, bars });
    let recorded = RecordedSettings::default();
    let found = series.flat_map(|series| scenarios(&series, i64::MIN, i64::MAX, Split::Test, &recorded));
    let markets: Vec<Market> = found.map(|path| Market::new(path, Settings::default(), VOLUMES)).collect();
    let play = |policy| Record::of("", &Decider::Learned(Box::new(policy)), &markets).utility();
    (!markets.is_empty()).then(|| library.policies().iter().map(|policy| play(policy.into())).collect())
}
