//! One drawdown rule after another, alone, on the same markets.

use super::percent;
use crate::backtest::{FALSE_FALL, Interval, Market, play, resampled};
use crate::policy::Fixed;
use crate::pool::{GuardConfig, settings::drawdown_rule};
use rampart::state::Level;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Thresholds, bps.
const THRESHOLDS: [u64; 7] = [300, 400, 500, 600, 800, 1_000, 1_200];
/// Windows, seconds.
const WINDOWS: [u32; 2] = [3_600, 14_400];
/// The hours that a fall has, seconds.
const FALL_SECS: i64 = 4 * 3_600;
const YEAR_SECS: f64 = 365.0 * 86_400.0;

/// What one week of all markets came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Length, seconds times markets.
    pub secs: f64,
    /// Of these, with users held up.
    pub held_secs: f64,
    /// Trips.
    pub trips: f64,
    /// Of these, with a fall of 5 % within four hours.
    pub right: f64,
    /// Falls of 12 %.
    pub falls: f64,
    /// Of each that was met, the share that was still ahead.
    pub ahead: Vec<f64>,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.secs += other.secs;
        self.held_secs += other.held_secs;
        self.trips += other.trips;
        self.right += other.right;
        self.falls += other.falls;
        self.ahead.extend(&other.ahead);
    }

    fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        all.into_iter().for_each(|one| sum.add(one));
        sum
    }
}

/// What one rule came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Threshold, bps of the window's high.
    pub threshold_bps: u64,
    /// Window, seconds.
    pub window_secs: u32,
    /// Trips.
    pub trips: u64,
    /// Falls.
    pub falls: u64,
    /// Trips in a year of one market.
    pub trips_year: Option<Interval>,
    /// Share of the falls that were met.
    pub met: Option<Interval>,
    /// Share of the trips that were right.
    pub right: Option<Interval>,
    /// Median share of the fall that was still ahead.
    pub ahead: Option<Interval>,
    /// Share of the time in which users were held up.
    pub held: Option<Interval>,
}

/// Plays every rule over `markets`.
pub fn breaker(markets: &[Market], seed: u64, mut seen: impl FnMut()) -> Vec<Point> {
    let rules = WINDOWS.iter().flat_map(|window| THRESHOLDS.map(|threshold| (threshold, *window)));
    rules
        .map(|(threshold, window)| {
            seen();
            point((threshold, window), markets, seed)
        })
        .collect()
}

/// How many rules there are.
pub const fn rules() -> usize {
    THRESHOLDS.len() * WINDOWS.len()
}

fn point((threshold_bps, window_secs): (u64, u32), markets: &[Market], seed: u64) -> Point {
    let rule = drawdown_rule(threshold_bps, window_secs, Level::ReduceOnly);
    let fixed = Fixed { name: "one rule".into(), guard: GuardConfig::unguarded().with_rule(rule) };
    let mut weeks: BTreeMap<i64, Counts> = BTreeMap::new();
    markets.iter().for_each(|market| count(&fixed, market, seed, &mut weeks));
    let weeks: Vec<Counts> = weeks.into_values().collect();
    let all = Counts::sum(&weeks);
    let of = |value: fn(&Counts) -> Option<f64>| {
        resampled(weeks.len(), seed, |drawn| value(&Counts::sum(drawn.iter().map(|at| &weeks[*at]))))
    };
    Point {
        threshold_bps,
        window_secs,
        trips: all.trips as u64,
        falls: all.falls as u64,
        trips_year: of(|one| ratio(one.trips * YEAR_SECS, one.secs)),
        met: of(|one| ratio(one.ahead.len() as f64, one.falls)),
        right: of(|one| ratio(one.right, one.trips)),
        ahead: of(|one| median(&one.ahead)),
        held: of(|one| ratio(one.held_secs, one.secs)),
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

fn count(fixed: &Fixed, market: &Market, seed: u64, weeks: &mut BTreeMap<i64, Counts>) {
    let (scenario, played) = (&market.scenario, play(fixed, market, seed));
    let secs = f64::from(scenario.step_secs);
    let mut week =
        |ts: i64, act: &mut dyn FnMut(&mut Counts)| act(weeks.entry(crate::backtest::week_of(ts)).or_default());
    for step in &played.steps {
        week(step.ts, &mut |counts| {
            counts.secs += secs;
            counts.held_secs += if step.is_halted() { secs } else { 0.0 };
        });
    }
    let ticks = &scenario.ticks;
    for ts in &played.trips {
        let at = ticks.partition_point(|tick| tick.ts < *ts);
        let is_right = market.events.lows.get(at).is_some_and(|low| *low <= ticks[at].truth * (1.0 - FALSE_FALL));
        week(*ts, &mut |counts| {
            counts.trips += 1.0;
            counts.right += f64::from(u8::from(is_right));
        });
    }
    for fall in &market.events.falls {
        let hit_ts = ticks[fall.hit].ts;
        let trip = played.trips.iter().find(|ts| (hit_ts - FALL_SECS..hit_ts).contains(*ts));
        let ahead = trip.map(|ts| {
            let price = ticks[ticks.partition_point(|tick| tick.ts < *ts)].truth;
            ((price - fall.low) / (fall.high - fall.low)).clamp(0.0, 1.0)
        });
        week(hit_ts, &mut |counts| {
            counts.falls += 1.0;
            counts.ahead.extend(ahead);
        });
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self
            .trips_year
            .map_or_else(|| "-".into(), |Interval { mean, low, high }| format!("{mean:.1} ({low:.1} to {high:.1})"));
        let held = self.held.map_or_else(|| "-".into(), |held| format!("{:.2} %", held.mean * 100.0));
        write!(
            f,
            "| {:.0} % in {} h | {number} | {} of {} | {} | {} | {held} |",
            self.threshold_bps as f64 / 100.0,
            self.window_secs / 3_600,
            percent(self.met),
            self.falls,
            percent(self.right),
            percent(self.ahead),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::{Origin, Scenario, Split, Tick};
    use crate::pool::Settings;

    /// Calm at 100, and after `calm` steps of a minute a fall by `share` within an hour, ten days in all.
    fn market(share: f64) -> Market {
        let price = |at: usize| 100.0 * (1.0 - share * (at.saturating_sub(3_000) as f64 / 60.0).min(1.0));
        let tick = |at: usize| Tick::ordinary(1_700_000_000 + 60 * at as i64, price(at), 5e-4, (5e-4, 1e4, 5e3));
        let scenario = Scenario {
            name: "fall".into(),
            origin: Origin::Recorded,
            split: Split::Test,
            seed: 0,
            step_secs: 60,
            concentration: 0.0,
            drawn: Vec::new(),
            onset: None,
            ticks: (0..14_400).map(tick).collect(),
        };
        Market::new(scenario, Settings::default(), 300.0)
    }

    #[test]
    fn rule_meets_the_fall_that_is_deeper_than_its_threshold_early_and_no_shallow_one() {
        let point = point((600, 3_600), &[market(0.20)], 1);
        assert_eq!(point.falls, 1);
        let met = point.met.unwrap();
        assert!((met.mean - 1.0).abs() < 1e-9, "{point:?}");
        // it tripped at 6 % of 20 %
        let ahead = point.ahead.unwrap().mean;
        assert!((0.60..=0.72).contains(&ahead), "{ahead}");
        assert!(point.right.unwrap().mean > 0.0);
        let late = super::point((1_900, 3_600), &[market(0.20)], 1);
        assert_eq!((late.met.unwrap().mean, late.ahead), (0.0, None), "its threshold is beyond the fall's 12 %");
        let calm = super::point((600, 3_600), &[market(0.05)], 1);
        assert_eq!((calm.trips, calm.falls, calm.met), (0, 0, None));
    }
}
