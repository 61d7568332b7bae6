//! What a play is measured by.
//!
//! # Source
//! docs/lab.md, "Measures": definitions with their units.

use super::events::FALSE_FALL;
use super::{Market, Played};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const WEEK_SECS: i64 = 7 * 86_400;
const DAY_SECS: i64 = 86_400;
/// Unix time began on a Thursday; weeks begin on Mondays.
const MONDAY_SECS: i64 = 4 * 86_400;
const YEAR_SECS: f64 = 365.0 * 86_400.0;
/// The worst part of the weeks that the expected shortfall is the mean of.
const TAIL: f64 = 0.05;

/// One calendar week of one contender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Week {
    /// Lost, whole tokens of the loan in a pool of [`super::POOL_DEBT`].
    pub bad_debt: f64,
    /// Debt times seconds.
    pub debt_secs: f64,
    /// Time in which users were held up, seconds.
    pub halted_secs: f64,
    /// Length of what was played of it, seconds.
    pub secs: f64,
}

impl Week {
    /// Returns what was lost, bps of the debt of that week.
    pub fn loss_bps(&self) -> f64 {
        if self.debt_secs > 0.0 { self.bad_debt * self.secs / self.debt_secs * 1e4 } else { 0.0 }
    }
}

/// Returns the number of the calendar week that a moment is in.
pub fn week_of(ts: i64) -> i64 {
    (ts - MONDAY_SECS).div_euclid(WEEK_SECS)
}

/// The weeks of a play, by number of the week.
pub fn weeks_of(market: &Market, played: &Played) -> BTreeMap<i64, Week> {
    let secs = f64::from(market.scenario.step_secs);
    let mut weeks: BTreeMap<i64, Week> = BTreeMap::new();
    for step in &played.steps {
        let week = weeks.entry(week_of(step.ts)).or_default();
        week.bad_debt += step.bad_debt * market.scale;
        week.debt_secs += step.debt * secs * market.scale;
        week.halted_secs += if step.is_halted() { secs } else { 0.0 };
        week.secs += secs;
    }
    weeks
}

/// What one contender came to over all its markets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Years played, over all markets.
    pub years: f64,
    /// Mean debt, whole tokens of the loan, each pool scaled to [`super::POOL_DEBT`].
    pub average_debt: f64,
    /// Lost, bps of the mean debt a year.
    pub bad_debt_bps_year: f64,
    /// What liquidations cost owners, bps of the mean debt a year.
    pub forced_cost_bps_year: f64,
    /// What soft deleveraging cost owners, bps of the mean debt a year.
    pub soft_cost_bps_year: f64,
    /// Mean of the worst twentieth of the weeks, bps of the week's debt.
    pub es95_week_bps: f64,
    /// Trips and pauses.
    pub halts: u64,
    /// Of these, with no fall of 5 % within the four hours after.
    pub false_halts: u64,
    /// False halts in 30 days of one market.
    pub false_halts_month: f64,
    /// Share of the time in which users were held up, bps.
    pub halted_bps: f64,
    /// Falls of 12 % from the high of four hours.
    pub events: u64,
    /// Share of these with any tightening before the fall reached 12 %, within the day before.
    pub warned_share: f64,
    /// Median time from the first tightening to that point, over events with one, seconds.
    pub lead_secs: f64,
    /// Median share of the fall that was still ahead at the first trip within the day before the point or the day after it.
    pub fall_ahead: f64,
    /// Mean offered LTV over the vault's own of 75 %.
    pub capital_efficiency: f64,
}

/// Sums over markets, until the means are taken.
#[derive(Default)]
pub(super) struct Tally {
    secs: f64,
    debt_secs: f64,
    bad: f64,
    forced: f64,
    soft: f64,
    halted_secs: f64,
    offered: f64,
    steps: f64,
    halts: u64,
    false_halts: u64,
    events: u64,
    leads: Vec<f64>,
    ahead: Vec<f64>,
    losses: Vec<f64>,
}

/// LTV that efficiency is measured against, bps.
const STATIC_LTV_BPS: f64 = 7_500.0;

impl Tally {
    pub(super) fn add(&mut self, market: &Market, played: &Played) {
        let secs = f64::from(market.scenario.step_secs);
        let totals = &played.totals;
        self.secs += secs * played.steps.len() as f64;
        self.debt_secs += totals.debt_years * YEAR_SECS * market.scale;
        self.bad += totals.bad_debt * market.scale;
        self.forced += totals.forced_cost * market.scale;
        self.soft += totals.soft_cost * market.scale;
        self.halted_secs += secs * played.steps.iter().filter(|step| step.is_halted()).count() as f64;
        self.offered += totals.offered_bps;
        self.steps += totals.steps as f64;
        self.losses.extend(weeks_of(market, played).values().map(Week::loss_bps));
        self.add_halts(market, played);
        self.add_warnings(market, played);
    }

    fn add_halts(&mut self, market: &Market, played: &Played) {
        let ticks = &market.scenario.ticks;
        self.halts += played.trips.len() as u64;
        for ts in &played.trips {
            let at = ticks.partition_point(|tick| tick.ts < *ts);
            let is_false = market.events.lows.get(at).is_some_and(|low| *low > ticks[at].truth * (1.0 - FALSE_FALL));
            self.false_halts += u64::from(is_false);
        }
    }

    fn add_warnings(&mut self, market: &Market, played: &Played) {
        let day = (DAY_SECS / i64::from(market.scenario.step_secs.max(1))) as usize;
        let base = played.steps.iter().map(|step| step.ltv_bps).max().unwrap_or(0);
        for event in &market.events.falls {
            self.events += 1;
            let from = event.hit.saturating_sub(day);
            let tightened = |step: &super::Step| {
                step.levels.risk > rampart::state::Level::Normal || step.deleveraged > 0.0 || step.ltv_bps + 100 <= base
            };
            if let Some(first) = played.steps[from..event.hit].iter().position(tightened) {
                self.leads.push((event.hit - from - first) as f64 * f64::from(market.scenario.step_secs));
            }
            let ticks = &market.scenario.ticks;
            let until = ticks[(event.hit + day).min(ticks.len() - 1)].ts;
            let trip = played.trips.iter().find(|ts| (ticks[from].ts..=until).contains(ts));
            if let Some(ts) = trip {
                let price = ticks[ticks.partition_point(|tick| tick.ts < *ts)].truth;
                self.ahead.push(((price - event.low) / (event.high - event.low)).clamp(0.0, 1.0));
            }
        }
    }

    pub(super) fn metrics(mut self) -> Metrics {
        let years = self.secs / YEAR_SECS;
        let average_debt = if self.secs > 0.0 { self.debt_secs / self.secs } else { 0.0 };
        let yearly = |amount: f64| if self.debt_secs > 0.0 { amount / self.debt_secs * YEAR_SECS * 1e4 } else { 0.0 };
        let months = self.secs / (30.0 * DAY_SECS as f64);
        Metrics {
            years,
            average_debt,
            bad_debt_bps_year: yearly(self.bad),
            forced_cost_bps_year: yearly(self.forced),
            soft_cost_bps_year: yearly(self.soft),
            es95_week_bps: shortfall(&mut self.losses),
            halts: self.halts,
            false_halts: self.false_halts,
            false_halts_month: self.false_halts as f64 / months.max(1e-9),
            halted_bps: self.halted_secs / self.secs.max(1e-9) * 1e4,
            events: self.events,
            warned_share: self.leads.len() as f64 / (self.events as f64).max(1.0),
            lead_secs: median(&mut self.leads),
            fall_ahead: median(&mut self.ahead),
            capital_efficiency: self.offered / self.steps.max(1.0) / STATIC_LTV_BPS,
        }
    }
}

/// The mean of the worst twentieth, of one at least.
fn shortfall(losses: &mut [f64]) -> f64 {
    losses.sort_by(|a, b| b.total_cmp(a));
    let count = ((losses.len() as f64 * TAIL).ceil() as usize).clamp(1, losses.len().max(1));
    losses.iter().take(count).sum::<f64>() / count as f64
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortfall_is_the_mean_of_the_worst_twentieth() {
        let mut losses: Vec<f64> = (1..=40).map(f64::from).collect();
        assert_eq!(shortfall(&mut losses), 39.5);
        assert_eq!((shortfall(&mut [3.0]), shortfall(&mut [])), (3.0, 0.0));
    }

    #[test]
    fn median_of_an_even_number_is_the_mean_of_the_middle() {
        assert_eq!((median(&mut [3.0, 1.0]), median(&mut [5.0, 1.0, 2.0]), median(&mut [])), (2.0, 2.0, 0.0));
    }
}
