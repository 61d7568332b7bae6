//! Crashes as events: how many were announced in the day before their low, and how early, at a given rate of false alarms.

use super::judge::Judged;
use super::task::MODELS;
use super::{FoldModels, Interval, Resamples, Task};
use crate::train::{Config, Dataset};
use serde::{Deserialize, Serialize};

/// Falls nearer than this belong to one event, and an alarm counts if it isn't older, seconds.
const DAY_SECS: i64 = 86_400;
/// Shares of calm-ending hours that may alarm; set on the calibration period, never on the test.
pub const FALSE_ALARMS: [f64; 2] = [0.01, 0.03];

/// A fall of one asset: rows that fell, less than a day apart.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Event {
    asset: usize,
    low_ts: i64,
    week: usize,
}

/// What one forecaster announced at one rate of false alarms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Announced {
    /// Name of the forecaster.
    pub model: String,
    /// Share of false alarm hours that the threshold was set for, on calibration data.
    pub aimed: f64,
    /// Share of false alarm hours in the test.
    pub false_alarms: f64,
    /// Share of events with an alarm in the 24 h before their low.
    pub recall: Interval,
    /// Share of alarm hours that were followed by the fall.
    pub precision: f64,
    /// Median time from the first of these alarms to the low, hours; none without any.
    pub lead_hours: Option<f64>,
    /// Events.
    pub events: usize,
}

/// Counts what each forecaster announced.
pub fn announced(
    set: &Dataset,
    folds: &[FoldModels],
    (at, task): (usize, &Task),
    judged: &[Judged],
    (resamples, config): (&Resamples, &Config),
) -> Vec<Announced> {
    let events = events(judged, task, resamples);
    let mut all = Vec::new();
    for (model, name) in MODELS.iter().enumerate().filter(|(model, _)| judged[0].probabilities[*model].is_finite()) {
        let calm: Vec<Vec<f64>> = folds.iter().map(|fold| quiet_scores(set, fold, (at, task), model, config)).collect();
        for aimed in FALSE_ALARMS {
            let thresholds: Vec<f64> = calm.iter().map(|scores| upper_quantile(scores, aimed)).collect();
            let is_alarm = |row: &&Judged| row.probabilities[model] > thresholds[row.fold];
            let alarms: Vec<&Judged> = judged.iter().filter(is_alarm).collect();
            all.push(summary(name, aimed, judged, &alarms, &events, resamples));
        }
    }
    all
}

fn summary(
    model: &str,
    aimed: f64,
    judged: &[Judged],
    alarms: &[&Judged],
    events: &[Event],
    resamples: &Resamples,
) -> Announced {
    let leads: Vec<Option<f64>> = events.iter().map(|event| lead_hours(event, alarms)).collect();
    let share = |weights: &[f64]| {
        let (found, all) = events.iter().zip(&leads).fold((0.0, 0.0), |(found, all), (event, lead)| {
            let weight = weights[event.week];
            (found + if lead.is_some() { weight } else { 0.0 }, all + weight)
        });
        (all > 0.0).then(|| found / all)
    };
    let quiet = judged.iter().filter(|row| !row.is_hit).count();
    let false_alarms = alarms.iter().filter(|row| !row.is_hit).count();
    let mut found: Vec<f64> = leads.iter().flatten().copied().collect();
    found.sort_unstable_by(f64::total_cmp);
    Announced {
        model: model.to_owned(),
        aimed,
        false_alarms: false_alarms as f64 / quiet.max(1) as f64,
        recall: resamples.interval(share).unwrap_or(Interval { value: 0.0, low: 0.0, high: 0.0 }),
        precision: (alarms.len() - false_alarms) as f64 / alarms.len().max(1) as f64,
        lead_hours: found.get(found.len() / 2).copied(),
        events: events.len(),
    }
}

/// Returns the time from the first alarm of the event's asset in the day before its low, hours. `alarms` by asset and time.
fn lead_hours(event: &Event, alarms: &[&Judged]) -> Option<f64> {
    let first =
        alarms.partition_point(|alarm| (alarm.row.asset, alarm.row.known_ts) < (event.asset, event.low_ts - DAY_SECS));
    let alarm =
        alarms.get(first).filter(|alarm| alarm.row.asset == event.asset && alarm.row.known_ts < event.low_ts)?;
    Some((event.low_ts - alarm.row.known_ts) as f64 / 3_600.0)
}

fn events(judged: &[Judged], task: &Task, resamples: &Resamples) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut last: Option<(usize, i64, f64)> = None;
    for row in judged.iter().filter(|row| row.is_hit) {
        let Some(fall) = row.row.falls[task.horizon] else { continue };
        let low = row.row.close * (1.0 - fall.depth);
        let event = Event { asset: row.row.asset, low_ts: fall.low_ts, week: resamples.week(fall.low_ts) };
        match (&mut last, events.last_mut()) {
            (Some((asset, ts, lowest)), Some(open)) if *asset == event.asset && row.row.known_ts - *ts <= DAY_SECS => {
                if low < *lowest {
                    (*lowest, *open) = (low, event);
                }
                *ts = row.row.known_ts;
            }
            _ => {
                events.push(event);
                last = Some((event.asset, row.row.known_ts, low));
            }
        }
    }
    events
}

/// Returns the scores of hours that no fall followed, in the period that calibrates.
fn quiet_scores(
    set: &Dataset,
    fold: &FoldModels,
    (at, task): (usize, &Task),
    model: usize,
    config: &Config,
) -> Vec<f64> {
    let period = fold.calibration(task, config);
    let quiet = set.between(period.start, period.end, false).filter(|row| task.is_hit(row) == Some(false));
    // Every fourth hour: a quantile needs no neighbours.
    let mut scores: Vec<f64> =
        quiet.filter(|row| row.known_ts / 3_600 % 4 == 0).map(|row| fold.probabilities(at, task, row)[model]).collect();
    scores.sort_unstable_by(f64::total_cmp);
    scores
}

fn upper_quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * (1.0 - share)) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{TASKS, synthetic};
    use crate::train::{Fall, Row, rows_of};

    fn judged(row: &Row, is_hit: bool, p: f64) -> Judged<'_> {
        Judged { row, week: 0, fold: 0, is_hit, is_calm: true, probabilities: [p, 0.0, 0.0, 0.0] }
    }

    #[test]
    fn events_are_one_when_falls_are_within_a_day_and_their_low_is_the_lowest() {
        let mut rows = rows_of(&synthetic::series("A", 300, 2), 0).unwrap();
        let start = rows[0].known_ts;
        for (at, depth, low_at) in [(0, 0.12, 20), (10, 0.15, 22), (60, 0.11, 70)] {
            rows[at].close = 100.0;
            rows[at].falls[1] = Some(Fall { depth, low_ts: start + low_at * 3_600 });
        }
        let all: Vec<Judged> = [0, 10, 60].map(|at| judged(&rows[at], true, 0.5)).into();
        let resamples = Resamples::new(start, start + 300 * 3_600, 1, 1);
        let events = events(&all, &TASKS[1], &resamples);
        assert_eq!(events.iter().map(|event| event.low_ts - start).collect::<Vec<_>>(), [22 * 3_600, 70 * 3_600]);
        let alarms: Vec<&Judged> = all.iter().collect();
        // Ten hours to the low of 22; the alarm at 0 is the first of its day: 22 h.
        assert_eq!(lead_hours(&events[0], &alarms), Some(22.0));
        assert_eq!(lead_hours(&events[0], &alarms[1..]), Some(12.0));
        assert_eq!(lead_hours(&events[1], &alarms[..2]), None);
    }
}
