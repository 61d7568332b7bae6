//! Recorded markets in calendar weeks, each with the two days before it to warm up on.

use crate::attack::Split;
use crate::backtest::{Market, RecordedSettings, scenarios};
use crate::data::Series;
use crate::learn::VOLUMES;
use crate::pool::Settings;

/// Length of a week, seconds.
pub const WEEK_SECS: i64 = 7 * 86_400;
/// First Monday, unix seconds.
const MONDAY_SECS: i64 = 4 * 86_400;
/// What a decider sees before its first decision, seconds.
const WARM_SECS: i64 = 2 * 86_400;

/// One market in one week. A gap of more than an hour cuts a week into several.
#[derive(Clone, Debug)]
pub struct WeekMarket {
    /// Its Monday, unix seconds.
    pub week_ts: i64,
    /// The market, with the two days before.
    pub market: Market,
}

/// Returns the Monday of the week that holds `ts`, unix seconds UTC.
pub fn week_start(ts: i64) -> i64 {
    ts - (ts - MONDAY_SECS).rem_euclid(WEEK_SECS)
}

/// Returns the last Monday that all markets have reached; none without bars of each.
pub fn newest_week(data: &[Series]) -> Option<i64> {
    let ends: Option<Vec<i64>> = data.iter().map(|series| Some(series.bars.last()?.close_ts())).collect();
    ends?.into_iter().min().map(week_start)
}

/// Returns the weeks from the one at `from_ts` to before the one at `to_ts`, week by week, each with all markets.
pub fn weeks(data: &[Series], from_ts: i64, to_ts: i64, split: Split) -> Vec<WeekMarket> {
    let mondays = (0..).map(|week| from_ts + week * WEEK_SECS).take_while(|week_ts| *week_ts < to_ts);
    let of = |week_ts: i64| {
        data.iter().flat_map(move |series| {
            let settings = RecordedSettings::default();
            let pieces = scenarios(series, week_ts - WARM_SECS, week_ts + WEEK_SECS, split, &settings);
            let markets = pieces.into_iter().map(|scenario| Market::new(scenario, Settings::default(), VOLUMES));
            markets.map(move |market| WeekMarket { week_ts, market })
        })
    };
    mondays.flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::start_of_day;
    use rampart_score::bar::Bar;

    #[test]
    fn week_begins_on_monday() {
        let monday = start_of_day(2024, 8, 5).unwrap();
        assert_eq!([monday, monday + 1, monday + WEEK_SECS - 1].map(week_start), [monday; 3]);
        assert_eq!(week_start(monday - 1), monday - WEEK_SECS);
    }

    #[test]
    fn week_holds_its_own_bars_and_two_days_before() {
        let monday = start_of_day(2024, 8, 5).unwrap();
        let bar = |at: i64| Bar { volume: Some(1.0), ..Bar::flat(monday + at * 300, 300, 1.0) };
        let series = Series { symbol: "X".into(), interval_secs: 300, bars: (-2_000..4_500).map(bar).collect() };
        let found = weeks(&[series], monday, monday + 2 * WEEK_SECS, Split::Test);
        let spans = found.iter().map(|week| {
            let ticks = &week.market.scenario.ticks;
            (week.week_ts, ticks[0].ts, ticks[ticks.len() - 1].ts)
        });
        let expected = [0, 1].map(|week| {
            let week_ts = monday + week * WEEK_SECS;
            (week_ts, week_ts - WARM_SECS + 300, week_ts + WEEK_SECS)
        });
        assert_eq!(spans.collect::<Vec<_>>(), expected);
    }
}
