//! What happens on a path, whoever defends: falls, and what lies ahead of each step.

use crate::attack::Scenario;
use std::collections::VecDeque;

/// A fall of this share from the high of the last four hours is an event.
pub const EVENT_FALL: f64 = 0.12;
/// A halt is false where no fall of this share follows within four hours.
pub const FALSE_FALL: f64 = 0.05;
/// Hours of both.
const SPAN_SECS: i64 = 4 * 3_600;
/// Events closer to each other than this are one, seconds.
const APART_SECS: i64 = 86_400;

/// One fall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Step at which the fall reached [`EVENT_FALL`].
    pub hit: usize,
    /// High that it fell from.
    pub high: f64,
    /// Lowest price within a day from the hit on.
    pub low: f64,
}

/// The events of a path and the lowest price ahead of each step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    /// Falls, in order.
    pub falls: Vec<Event>,
    /// Lowest true price from each step to four hours later.
    pub lows: Vec<f64>,
}

impl Events {
    /// Finds what happens on a path.
    pub fn of(scenario: &Scenario) -> Self {
        let step_secs = i64::from(scenario.step_secs.max(1));
        let path: Vec<f64> = scenario.ticks.iter().map(|tick| tick.truth).collect();
        let span = (SPAN_SECS / step_secs) as usize;
        let apart = (APART_SECS / step_secs) as usize;
        let highs = highs_behind(&path, span);
        let mut falls: Vec<Event> = Vec::new();
        let mut free_from = 0;
        for (at, (price, high)) in path.iter().zip(&highs).enumerate() {
            if at >= free_from && *price <= high * (1.0 - EVENT_FALL) {
                let low = path[at..(at + apart).min(path.len())].iter().copied().fold(f64::INFINITY, f64::min);
                falls.push(Event { hit: at, high: *high, low });
                free_from = at + apart;
            }
        }
        Self { falls, lows: lows_ahead(&path, span) }
    }
}

/// Returns the lowest of each value and the `span` ones after it.
pub fn lows_ahead(path: &[f64], span: usize) -> Vec<f64> {
    let mut lows = extremes(&path.iter().rev().map(|value| -value).collect::<Vec<_>>(), span);
    lows.reverse();
    lows.into_iter().map(|value| -value).collect()
}

fn highs_behind(path: &[f64], span: usize) -> Vec<f64> {
    extremes(path, span)
}

/// The highest of each value and the `span` ones before it.
fn extremes(path: &[f64], span: usize) -> Vec<f64> {
    let mut best: VecDeque<usize> = VecDeque::new();
    let mut found = Vec::with_capacity(path.len());
    for (at, value) in path.iter().enumerate() {
        while best.back().is_some_and(|last| path[*last] <= *value) {
            best.pop_back();
        }
        best.push_back(at);
        while best.front().is_some_and(|first| first + span < at) {
            best.pop_front();
        }
        found.push(best.front().map_or(*value, |first| path[*first]));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lows_ahead_reach_as_far_as_asked_and_no_further() {
        let path = [5.0, 4.0, 3.0, 6.0, 1.0];
        assert_eq!(lows_ahead(&path, 2), [3.0, 3.0, 1.0, 1.0, 1.0]);
        assert_eq!(lows_ahead(&path, 0), path);
        assert_eq!(extremes(&path, 1), [5.0, 5.0, 4.0, 6.0, 6.0]);
    }
}
