//! Recorded candles as scenarios: one step for each bar, at its close.
//!
//! What a candle doesn't say is assumed and named: both oracles print the close, with a confidence of 5 bps and no delay; depth is
//! what the volume is; nobody attacks. A gap of more than an hour ends a scenario: no pool is played across what isn't known.

use crate::attack::{Origin, Scenario, Split, Tick};
use crate::data::Series;
use rampart_score::bar::Bar;

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
    pieces((series, MIN_STEPS), from_ts, to_ts, split, settings)
}

/// As [`scenarios`], of pieces with at least `least` bars.
fn pieces(
    (series, least): (&Series, usize),
    from_ts: i64,
    to_ts: i64,
    split: Split,
    settings: &RecordedSettings,
) -> Vec<Scenario> {
    let secs = i64::from(series.interval_secs);
    let bars: Vec<_> = series.bars.iter().filter(|bar| bar.close_ts() > from_ts && bar.close_ts() <= to_ts).collect();
    let pieces = bars.chunk_by(|a, b| b.open_ts - a.close_ts() <= MAX_GAP_SECS.max(secs));
    let scenario = |bars: &[&Bar]| Scenario {
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
    pieces.filter(|bars| bars.len() >= least).map(scenario).collect()
}

/// As [`scenarios`] over `span`, with each bar as steps of at most `step_secs`, along a path through its four prices: a rising bar
/// is at its low first, a falling one at its high. Where within the bar they were isn't known.
pub fn minutes(
    series: &Series,
    (from_ts, to_ts): (i64, i64),
    step_secs: u32,
    split: Split,
    settings: &RecordedSettings,
) -> Vec<Scenario> {
    let parts = series.interval_secs.div_ceil(step_secs.max(1)).max(1);
    let whole = pieces((series, MIN_STEPS.div_ceil(parts as usize)), from_ts, to_ts, split, settings);
    if parts == 1 {
        return whole;
    }
    let bar_of = |tick: &Tick| {
        let at = series.bars.partition_point(|bar| bar.close_ts() < tick.ts);
        &series.bars[at]
    };
    let expand = |scenario: Scenario| {
        let ticks = scenario.ticks.iter().flat_map(|tick| inside(bar_of(tick), parts, settings)).collect();
        Scenario { ticks, step_secs: series.interval_secs / parts, ..scenario }
    };
    whole.into_iter().map(expand).collect()
}

/// The steps of one bar.
fn inside(bar: &Bar, parts: u32, settings: &RecordedSettings) -> impl Iterator<Item = Tick> {
    let Bar { open, high, low, close, .. } = *bar;
    let stops = if close >= open { [open, low, high, close] } else { [open, high, low, close] };
    let (whole, secs, confidence) = (tick(bar, settings), bar.secs / parts, settings.confidence);
    // the extremes are reached at the ends of steps
    let third = |n: u32| (parts * n + 1) / 3;
    let ends = [0, third(1), third(2), parts];
    (1..=parts).map(move |part| {
        let leg = (1..3).find(|leg| part <= ends[*leg]).unwrap_or(3);
        let share = f64::from(part - ends[leg - 1]) / f64::from((ends[leg] - ends[leg - 1]).max(1));
        let price = stops[leg - 1] + (stops[leg] - stops[leg - 1]) * share;
        let ts = whole.ts - i64::from(secs * (parts - part));
        let traded = (whole.spread, whole.volume / f64::from(parts), whole.taker_buy / f64::from(parts));
        Tick::ordinary(ts, price, confidence, traded)
    })
}

fn tick(bar: &Bar, settings: &RecordedSettings) -> Tick {
    // candle files tell volumes; without one nobody would trade
    let volume = bar.volume.unwrap_or(0.0);
    let traded = (settings.spread, volume, bar.taker_buy.unwrap_or(volume / 2.0));
    Tick::ordinary(bar.close_ts(), bar.close, settings.confidence, traded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(gap_at: usize) -> Series {
        let bar = |at: usize| Bar {
            open_ts: (at as i64 + if at >= gap_at { 100 } else { 0 }) * 300,
            secs: 300,
            open: 1.0,
            high: 2.0,
            low: 0.5,
            close: 1.5,
            volume: Some(10.0),
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
    fn steps_inside_a_bar_pass_its_extremes_and_end_at_its_close() {
        let all = minutes(&series(9_999), (i64::MIN, i64::MAX), 60, Split::Test, &RecordedSettings::default());
        let first: Vec<_> = all[0].ticks[..5].iter().map(|tick| (tick.ts, (tick.truth * 1e3).round())).collect();
        // open 1, low 0.5, high 2, close 1.5
        assert_eq!(first, [(60, 750.0), (120, 500.0), (180, 2_000.0), (240, 1_750.0), (300, 1_500.0)]);
        assert_eq!((all[0].step_secs, all[0].ticks.len(), all[0].ticks[0].volume), (60, 4_000, 2.0));
    }

    #[test]
    fn short_piece_of_long_bars_has_steps_enough() {
        let short = Series { bars: series(9_999).bars[..100].to_vec(), ..series(9_999) };
        let whole = (i64::MIN, i64::MAX);
        assert!(scenarios(&short, whole.0, whole.1, Split::Test, &RecordedSettings::default()).is_empty());
        let all = minutes(&short, whole, 60, Split::Test, &RecordedSettings::default());
        assert_eq!(all.iter().map(|s| s.ticks.len()).collect::<Vec<_>>(), [500]);
    }

    #[test]
    fn gap_of_more_than_an_hour_ends_a_scenario() {
        let all = scenarios(&series(400), i64::MIN, i64::MAX, Split::Test, &RecordedSettings::default());
        assert_eq!(all.iter().map(|s| s.ticks.len()).collect::<Vec<_>>(), [400, 400]);
        let cut = scenarios(&series(400), 120_000, i64::MAX, Split::Test, &RecordedSettings::default());
        assert_eq!(cut.len(), 1);
    }
}
