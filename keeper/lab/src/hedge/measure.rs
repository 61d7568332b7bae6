//! How well a pair was hedged: variance, the worst hours and days, crises apart, and what it cost.

use super::pair::{CRISES, Day, crisis_of};
use super::{Assumptions, HedgeError, Method, Pair, Row, Step, play};
use crate::evaluate::{Interval, Resamples};
use serde::{Deserialize, Serialize};

/// The share of bars, and of days, that count as the worst.
const WORST: f64 = 0.01;
const DAY_SECS: i64 = 86_400;
const YEAR_SECS: f64 = 365.0 * 86_400.0;

/// What one pair came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairResult {
    /// The pair.
    pub name: String,
    /// Close of the first bar that was measured, unix seconds.
    pub from_ts: i64,
    /// Close of the last one.
    pub to_ts: i64,
    /// Bars that were measured.
    pub bars: usize,
    /// Length of a bar, seconds.
    pub bar_secs: u32,
    /// Correlation of both returns outside of crises; none where one stood still.
    pub correlation: Option<f64>,
    /// The same within all crises; none without one.
    pub crisis_correlation: Option<f64>,
    /// Who holds the asset and does nothing.
    pub unhedged: Worst,
    /// One for each method, in the order of [`Method::ALL`].
    pub outcomes: Vec<Outcome>,
    /// Crises within the span.
    pub crises: Vec<CrisisResult>,
}

/// Means of the worst, as shares of the value: negative is a loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worst {
    /// Of 1 % of the bars.
    pub bar: f64,
    /// Of 1 % of all spans of a day.
    pub day: f64,
    /// Mean of all bars for a year, bps.
    pub mean_bps_year: f64,
}

/// What one method came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The method.
    pub method: Method,
    /// Mean of what was held: short for one of the asset, or the share that was sold.
    pub held: f64,
    /// Trades in a year.
    pub trades_year: f64,
    /// Cost of the trades in a year, bps of the asset.
    pub cost_bps_year: f64,
    /// Cost of holding in a year, bps of the asset.
    pub carry_bps_year: f64,
    /// 1 less variance after costs over variance without a hedge.
    pub variance_cut: Interval,
    /// The same within all crises; none without one.
    pub crisis_variance_cut: Option<f64>,
    /// Worst bars and days, after costs.
    pub worst: Worst,
    /// By how much the worst days became smaller.
    pub day_cut: Interval,
    /// By how much more than by selling; none for selling.
    pub over_selling: Option<Interval>,
}

/// One crisis of a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrisisResult {
    /// Its name.
    pub name: String,
    /// Its bars.
    pub bars: usize,
    /// Correlation of both returns.
    pub correlation: Option<f64>,
    /// Sum of the asset's returns.
    pub unhedged: f64,
    /// The same after hedge and costs, in the order of [`Method::ALL`].
    pub hedged: Vec<f64>,
}

/// Plays and measures every method, from the end of the estimators' window on.
pub(super) fn measure(
    pair: &Pair,
    assumptions: &Assumptions,
    resamples: usize,
    seed: u64,
) -> Result<PairResult, HedgeError> {
    let day = usize::try_from(DAY_SECS / i64::from(pair.bar_secs.max(1))).unwrap_or(1).max(1);
    let hours = assumptions.window_hours.max(assumptions.half_life_hours);
    let warm = (hours * 3_600.0 / f64::from(pair.bar_secs.max(1))).ceil() as usize;
    // a hundred days: one of them is the worst 1 %
    let needed = warm + 100 * day;
    if pair.rows.len() < needed {
        return Err(HedgeError::TooFew { pair: pair.name.clone(), rows: pair.rows.len(), needed });
    }
    let rows = &pair.rows[warm..];
    let (from_ts, to_ts) = (rows[0].ts, rows[rows.len() - 1].ts);
    let weeks = Resamples::new(from_ts, to_ts + 1, resamples, seed);
    let plays = Method::ALL.map(|method| play(method, &pair.rows, pair.bar_secs, assumptions).split_off(warm));
    let crisis = |row: &&Row| crisis_of(row.ts, pair.bar_secs).is_some();
    let asset: Vec<f64> = rows.iter().map(|row| row.asset).collect();
    let judge = Judge { rows, bar_secs: pair.bar_secs, day, weeks };
    let unhedged = judge.side(&asset);
    let sides: Vec<Side> = plays.iter().map(|steps| judge.side(&nets(steps))).collect();
    let outcome =
        |at: usize| judge.outcome(Method::ALL[at], &plays[at], &sides[at], (&unhedged, &sides[sides.len() - 1]));
    Ok(PairResult {
        name: pair.name.clone(),
        from_ts,
        to_ts,
        bars: rows.len(),
        bar_secs: pair.bar_secs,
        correlation: correlation(rows.iter().filter(|row| !crisis(row))),
        crisis_correlation: correlation(rows.iter().filter(crisis)),
        unhedged: judge.worst(&unhedged),
        outcomes: (0..plays.len()).map(outcome).collect(),
        crises: judge.crises(&plays),
    })
}

fn nets(steps: &[Step]) -> Vec<f64> {
    steps.iter().map(Step::net).collect()
}

/// What all methods of a pair are judged on.
struct Judge<'a> {
    rows: &'a [Row],
    bar_secs: u32,
    /// Bars of a day.
    day: usize,
    weeks: Resamples,
}

/// Returns of one way to hold the asset, laid out for resampling.
struct Side {
    /// Of all bars.
    bars: Moments,
    /// Of the bars within crises alone.
    crisis: Moments,
    worst_bars: Sorted,
    worst_days: Sorted,
}

/// Count, sum and sum of squares of each week.
struct Moments(Vec<[f64; 3]>);

impl Moments {
    fn of(weeks: usize, values: impl Iterator<Item = (usize, f64)>) -> Self {
        let mut sums = vec![[0.0; 3]; weeks];
        for (week, value) in values {
            sums[week].iter_mut().zip([1.0, value, value * value]).for_each(|(sum, term)| *sum += term);
        }
        Self(sums)
    }

    fn total(&self, counts: &[f64]) -> [f64; 3] {
        let add =
            |sum: [f64; 3], (week, times): (&[f64; 3], &f64)| std::array::from_fn(|at| sum[at] + times * week[at]);
        self.0.iter().zip(counts).fold([0.0; 3], add)
    }

    fn variance(&self, counts: &[f64]) -> Option<f64> {
        let [n, sum, squares] = self.total(counts);
        (n > 1.0).then(|| (squares / n - (sum / n).powi(2)).max(0.0))
    }

    fn mean(&self) -> f64 {
        let [n, sum, _] = self.total(&vec![1.0; self.0.len()]);
        sum / n.max(1.0)
    }
}

/// Values with their weeks, the worst first.
struct Sorted {
    values: Vec<(f64, usize)>,
    per_week: Vec<f64>,
}

impl Sorted {
    fn of(weeks: usize, values: impl Iterator<Item = (usize, f64)>) -> Self {
        let mut values: Vec<(f64, usize)> = values.map(|(week, value)| (value, week)).collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut per_week = vec![0.0; weeks];
        values.iter().for_each(|(_, week)| per_week[*week] += 1.0);
        Self { values, per_week }
    }

    /// Returns the mean of the worst 1 %, each week as often as it is counted.
    fn shortfall(&self, counts: &[f64]) -> Option<f64> {
        let all: f64 = self.per_week.iter().zip(counts).map(|(values, times)| values * times).sum();
        let (mut left, mut sum) = (all * WORST, 0.0);
        for (value, week) in &self.values {
            let taken = counts[*week].min(left);
            sum += taken * value;
            left -= taken;
            if left <= 0.0 {
                break;
            }
        }
        (all > 0.0).then(|| sum / (all * WORST))
    }
}

impl Judge<'_> {
    /// Lays out one value for each row.
    fn side(&self, values: &[f64]) -> Side {
        let weeks = self.weeks.weeks();
        let week = |at: usize| self.weeks.week(self.rows[at].ts);
        let bars = || values.iter().enumerate().map(|(at, value)| (week(at), *value));
        let in_crisis = |at: &usize| crisis_of(self.rows[*at].ts, self.bar_secs).is_some();
        let crisis = (0..values.len()).filter(in_crisis).map(|at| (week(at), values[at]));
        Side {
            bars: Moments::of(weeks, bars()),
            crisis: Moments::of(weeks, crisis),
            worst_bars: Sorted::of(weeks, bars()),
            worst_days: Sorted::of(weeks, self.days(values).map(|(at, sum)| (week(at), sum))),
        }
    }

    /// Sums over every day without a gap, by the place of its last bar.
    fn days(&self, values: &[f64]) -> impl Iterator<Item = (usize, f64)> {
        let span = i64::from(self.bar_secs) * (self.day as i64 - 1);
        let is_whole = move |at: &usize| self.rows[*at].ts - self.rows[at + 1 - self.day].ts == span;
        let sums: Vec<(usize, f64)> = (self.day - 1..values.len())
            .filter(is_whole)
            .map(|at| (at, values[at + 1 - self.day..=at].iter().sum()))
            .collect();
        sums.into_iter()
    }

    fn bars_a_year(&self) -> f64 {
        YEAR_SECS / f64::from(self.bar_secs)
    }

    fn worst(&self, side: &Side) -> Worst {
        let ones = vec![1.0; self.weeks.weeks()];
        Worst {
            bar: side.worst_bars.shortfall(&ones).unwrap_or_default(),
            day: side.worst_days.shortfall(&ones).unwrap_or_default(),
            mean_bps_year: side.bars.mean() * self.bars_a_year() * 1e4,
        }
    }

    fn outcome(&self, method: Method, steps: &[Step], side: &Side, (unhedged, sold): (&Side, &Side)) -> Outcome {
        let ones = vec![1.0; self.weeks.weeks()];
        let mean = |of: fn(&Step) -> f64| steps.iter().map(of).sum::<f64>() / steps.len() as f64;
        let a_year = |of: fn(&Step) -> f64| mean(of) * self.bars_a_year();
        let cut = |counts: &[f64]| ratio(side.bars.variance(counts), unhedged.bars.variance(counts));
        let day_cut =
            |of: &Side, counts: &[f64]| ratio(of.worst_days.shortfall(counts), unhedged.worst_days.shortfall(counts));
        let over = |counts: &[f64]| Some(day_cut(side, counts)? - day_cut(sold, counts)?);
        let none = Interval { value: 0.0, low: 0.0, high: 0.0 };
        Outcome {
            method,
            held: mean(|step| step.held),
            trades_year: a_year(|step| if step.traded > 0.0 { 1.0 } else { 0.0 }),
            cost_bps_year: a_year(|step| step.cost) * 1e4,
            carry_bps_year: a_year(|step| step.carry) * 1e4,
            // undefined where the asset stood still: nothing to hedge, nothing cut
            variance_cut: self.weeks.interval(cut).unwrap_or(none),
            crisis_variance_cut: ratio(side.crisis.variance(&ones), unhedged.crisis.variance(&ones)),
            worst: self.worst(side),
            day_cut: self.weeks.interval(|counts| day_cut(side, counts)).unwrap_or(none),
            over_selling: if method == Method::Sell { None } else { self.weeks.interval(over) },
        }
    }

    fn crises(&self, plays: &[Vec<Step>]) -> Vec<CrisisResult> {
        let of = |(number, (name, ..)): (usize, &(&str, Day, Day))| {
            let is_in = |at: &usize| crisis_of(self.rows[*at].ts, self.bar_secs) == Some(number);
            let places: Vec<usize> = (0..self.rows.len()).filter(is_in).collect();
            let hedged = plays.iter().map(|steps| places.iter().map(|at| steps[*at].net()).sum()).collect();
            (!places.is_empty()).then(|| CrisisResult {
                name: (*name).into(),
                bars: places.len(),
                correlation: correlation(places.iter().map(|at| &self.rows[*at])),
                unhedged: places.iter().map(|at| self.rows[*at].asset).sum(),
                hedged,
            })
        };
        CRISES.iter().enumerate().filter_map(of).collect()
    }
}

/// Returns by how much `with` is less than `without`, as a share of it; none where there is nothing to cut.
fn ratio(with: Option<f64>, without: Option<f64>) -> Option<f64> {
    let (with, without) = (with?, without?);
    (without != 0.0).then(|| 1.0 - with / without)
}

fn correlation<'a>(rows: impl Iterator<Item = &'a Row>) -> Option<f64> {
    let mut sums = [0.0; 6];
    for Row { asset, short, .. } in rows {
        let terms = [1.0, *asset, *short, asset * asset, short * short, asset * short];
        sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
    }
    let [n, a, s, aa, ss, product] = sums;
    let squares = (aa - a * a / n) * (ss - s * s / n);
    (n > 2.0 && squares > 0.0).then(|| (product - a * s / n) / squares.sqrt())
}
