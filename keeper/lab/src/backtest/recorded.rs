//! Recorded candles as scenarios: one step for each bar, at its close.
//!
//! What a candle doesn't say is assumed and named: both oracles print the close, with a confidence of 5 bps and no delay; depth is
//! what the volume is; nobody attacks. A gap of more than an hour ends a scenario: no pool is played across what isn't known.

use crate::attack::{Keeper, Origin, Print, Scenario, Split, Tick, VENUES};
use crate::data::Series;

/// What is assumed about a recorded market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordedSettings {
    /// Half-width of the oracles' confidence, a share of the price.
    pub confidence: f64,
    /// Quoted spread, a share of the price.
    pub spread: f64,
}

impl Default for RecordedSettings {
    fn default() -> Self {
        Self { confidence: 5e-4, spread: 5e-4 }
    }
}

/// The longest gap that a pool is played across, seconds.
const MAX_GAP_SECS: i64 = 3_600;
/// Shorter pieces say nothing, steps.
const MIN_STEPS: usize = 288;

/// Returns the pieces of `series` that close after `from_ts` and until `to_ts`, each without a gap of more than an hour.
pub fn scenarios(
    series: &Series,
    from_ts: i64,
    to_ts: i64,
    split: Split,
    settings: &RecordedSettings,
) -> Vec<Scenario> {
    let secs = i64::from(series.interval_secs);
    let bars: Vec<_> = series.bars.iter().filter(|bar| bar.close_ts() > from_ts && bar.close_ts() <= to_ts).collect();
    let pieces = bars.chunk_by(|a, b| b.open_ts - a.close_ts() <= MAX_GAP_SECS.max(secs));
    let scenario = |bars: &[&rampart_score::bar::Bar]| Scenario {
        name: series.symbol.clone(),
        origin: Origin::Recorded,
        split,
        seed: 0,
        step_secs: series.interval_secs,
        concentration: 0.0,
        drawn: Vec::new(),
        onset: None,
        ticks: bars.iter().map(|bar| tick(bar, settings)).collect(),
    };
    pieces.filter(|bars| bars.len() >= MIN_STEPS).map(scenario).collect()
}

fn tick(bar: &rampart_score::bar::Bar, settings: &RecordedSettings) -> Tick {
    let price = bar.close;
    let print = Print { price, conf: price * settings.confidence, age_secs: 0 };
    Tick {
        ts: bar.close_ts(),
        truth: price,
        venues: [price; VENUES],
        oracle: print,
        second: print,
        factor: 100.0,
        depth: 1.0,
        spread: settings.spread,
        volume: bar.volume,
        taker_buy: bar.taker_buy.unwrap_or(bar.volume / 2.0),
        borrow_demand: 1.0,
        attack_borrow: 0.0,
        collateral_supply: 1.0,
        outflow: 0.0,
        keeper: Keeper::Honest,
        inclusion: 1.0,
        basis: 0.0,
        feedback: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart_score::bar::Bar;

    fn series(gap_at: usize) -> Series {
        let bar = |at: usize| Bar {
            open_ts: (at as i64 + if at >= gap_at { 100 } else { 0 }) * 300,
            secs: 300,
            open: 1.0,
            high: 2.0,
            low: 0.5,
            close: 1.5,
            volume: 10.0,
            taker_buy: None,
        };
        Series { symbol: "SOLUSDT".into(), interval_secs: 300, bars: (0..800).map(bar).collect() }
    }

    #[test]
    fn step_is_a_bar_at_its_close_and_never_before() {
        let all = scenarios(&series(9_999), i64::MIN, i64::MAX, Split::Test, &RecordedSettings::default());
        assert_eq!((all.len(), all[0].ticks.len()), (1, 800));
        assert_eq!((all[0].ticks[0].ts, all[0].ticks[0].truth), (300, 1.5));
    }

    #[test]
    fn gap_of_more_than_an_hour_ends_a_scenario() {
        let all = scenarios(&series(400), i64::MIN, i64::MAX, Split::Test, &RecordedSettings::default());
        assert_eq!(all.iter().map(|s| s.ticks.len()).collect::<Vec<_>>(), [400, 400]);
        let cut = scenarios(&series(400), 120_000, i64::MAX, Split::Test, &RecordedSettings::default());
        assert_eq!(cut.len(), 1);
    }
}
