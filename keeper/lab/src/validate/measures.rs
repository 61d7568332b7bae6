//! What a play is held to beside its losses: what leaves within an hour, how long a crash stands unanswered, what a rough hour is
//! lent at. Read from what the guard's keepers and sources could see, never from the true price.

use crate::attack::{Keeper, Print, Scenario, Tick};
use crate::pool::{OracleLimits, Step};

const HOUR_SECS: u32 = 3_600;
/// With less than this nobody can be held to land something.
const LEAST_INCLUSION: f64 = 0.5;

/// Returns the most that lenders took out and attackers borrowed within any hour, whole tokens of the loan.
pub(super) fn hour_out(steps: &[Step], step_secs: u32) -> f64 {
    let hour = an_hour(step_secs);
    let until = |end: usize| steps[end.saturating_sub(hour)..end].iter().map(|step| step.out).sum::<f64>();
    (1..=steps.len()).map(until).fold(0.0, f64::max)
}

fn an_hour(step_secs: u32) -> usize {
    (HOUR_SECS / step_secs.max(1)).max(1) as usize
}

/// What the guard could see in one step of the hour before it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seen {
    /// Fall from the hour's high; of a coin with a peg the gap below it. A share.
    fall: f64,
    /// Volatility of the hour: root of the summed squares of its changes. A share.
    volatility: f64,
}

/// A path as the guard's keepers and sources saw it.
pub(super) struct Sight {
    step_secs: u32,
    /// By step; nothing where the keeper is down, little lands, sources are unusable, or less than half of the hour was seen.
    seen: Vec<Option<Seen>>,
}

impl Sight {
    /// Looks at a path through sources with these limits.
    pub(super) fn of(scenario: &Scenario, limits: &OracleLimits, is_pegged: bool) -> Self {
        let hour = an_hour(scenario.step_secs);
        let ends: Vec<Option<(f64, f64)>> = scenario.ticks.iter().map(|tick| ends(tick, limits)).collect();
        let at = |end: usize| {
            let (_, top) = ends[end - 1]?;
            let past: Vec<f64> = ends[end.saturating_sub(hour)..end].iter().flatten().map(|(low, _)| *low).collect();
            let high = if is_pegged { 1.0 } else { past.iter().copied().fold(0.0, f64::max) };
            let moves = past.windows(2).map(|pair| (pair[1] / pair[0]).ln().powi(2));
            let seen = Seen { fall: 1.0 - top / high, volatility: moves.sum::<f64>().sqrt() };
            (past.len() * 2 >= hour).then_some(seen)
        };
        Self { step_secs: scenario.step_secs, seen: (1..=ends.len()).map(at).collect() }
    }

    /// Returns for how long a fall of `crash_bps` stood in sight before new risk was closed, at its longest, seconds; nothing where
    /// there was none. Time in which it can't be seen doesn't count.
    pub(super) fn unanswered_secs(&self, steps: &[Step], crash_bps: f64) -> Option<u32> {
        let (mut open, mut longest) = (0, None);
        for (seen, step) in self.seen.iter().zip(steps).filter_map(|(seen, step)| Some((seen.as_ref()?, step))) {
            let is_crash = seen.fall * 1e4 >= crash_bps;
            open = if is_crash && !step.is_halted() { open + self.step_secs } else { 0 };
            if is_crash {
                longest = longest.max(Some(open));
            }
        }
        longest
    }

    /// Returns the highest LTV limit that new risk was offered in an hour of `rough_bps`, bps; zero where it was closed in all of
    /// them, nothing where there was none.
    pub(super) fn rough_ltv_bps(&self, steps: &[Step], rough_bps: f64) -> Option<u16> {
        let rough = |seen: &&Option<Seen>| seen.is_some_and(|seen| seen.volatility * 1e4 >= rough_bps);
        let offered = |step: &Step| if step.is_halted() { 0 } else { step.ltv_bps };
        self.seen.iter().zip(steps).filter(|(seen, _)| rough(seen)).map(|(_, step)| offered(step)).max()
    }
}

/// Returns both ends of what two usable sources that agree print, where a keeper can act on it.
fn ends(tick: &Tick, limits: &OracleLimits) -> Option<(f64, f64)> {
    let prints = [tick.oracle, tick.second];
    let share = |bps: u16| f64::from(bps) / 1e4;
    let is_usable = |print: &Print| {
        print.age_secs <= limits.max_age_secs && print.conf <= share(limits.max_confidence_bps) * print.price
    };
    let (low, high) = (prints[0].price.min(prints[1].price), prints[0].price.max(prints[1].price));
    let is_seen = tick.keeper != Keeper::Down
        && tick.inclusion >= LEAST_INCLUSION
        && prints.iter().all(is_usable)
        && high - low <= share(limits.max_disagree_bps) * low;
    is_seen.then(|| (low, prints.iter().map(|print| print.price + print.conf).fold(0.0, f64::max)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::{Origin, Split};
    use rampart::state::{Level, Levels};

    fn scenario(prices: &[f64]) -> Scenario {
        let tick = |(at, price): (usize, &f64)| Tick::ordinary(60 * at as i64, *price, 0.0, (5e-4, 1.0, 0.5));
        Scenario {
            name: "drawn by hand".into(),
            origin: Origin::Synthetic,
            split: Split::Test,
            seed: 1,
            step_secs: 60,
            concentration: 0.0,
            drawn: Vec::new(),
            onset: None,
            ticks: prices.iter().enumerate().map(tick).collect(),
        }
    }

    fn steps(levels: &[Level], ltv_bps: u16) -> Vec<Step> {
        let step = |level: &Level| Step {
            ts: 0,
            debt: 0.0,
            bad_debt: 0.0,
            levels: Levels::all(*level),
            ltv_bps,
            deleveraged: 0.0,
            impact: 0.0,
            out: 1.0,
        };
        levels.iter().map(step).collect()
    }

    fn sight(scenario: &Scenario) -> Sight {
        Sight::of(scenario, &OracleLimits::default(), false)
    }

    #[test]
    fn hour_is_the_worst_of_all_hours() {
        let mut steps = steps(&[Level::Normal; 200], 7_000);
        steps.iter_mut().enumerate().for_each(|(at, step)| step.out = if (90..150).contains(&at) { 2.0 } else { 1.0 });
        assert_eq!(hour_out(&steps, 60), 120.0);
        assert_eq!(hour_out(&steps[..30], 60), 30.0);
        assert_eq!(hour_out(&[], 60), 0.0);
    }

    #[test]
    fn crash_stands_unanswered_until_new_risk_is_closed_while_it_can_be_seen() {
        let mut path = scenario(&[[100.0; 60], [70.0; 60]].concat());
        let mut levels = [[Level::Normal; 60], [Level::Normal; 60]].concat();
        levels[63..].fill(Level::ReduceOnly);
        assert_eq!(sight(&path).unanswered_secs(&steps(&levels, 7_000), 2_500.0), Some(180));
        assert_eq!(sight(&path).unanswered_secs(&steps(&levels, 7_000), 3_500.0), None);
        levels[63..].fill(Level::Caution);
        // the hour's high is a hundred for another 59 steps
        assert_eq!(sight(&path).unanswered_secs(&steps(&levels, 7_000), 2_500.0), Some(59 * 60));
        path.ticks[60..].iter_mut().for_each(|tick| tick.keeper = Keeper::Down);
        assert_eq!(sight(&path).unanswered_secs(&steps(&levels, 7_000), 2_500.0), None);
        path.ticks[60..].iter_mut().for_each(|tick| (tick.keeper, tick.inclusion) = (Keeper::Honest, 0.1));
        assert_eq!(sight(&path).unanswered_secs(&steps(&levels, 7_000), 2_500.0), None);
        path.ticks[60..].iter_mut().for_each(|tick| (tick.inclusion, tick.second.price) = (1.0, 100.0));
        assert_eq!(sight(&path).unanswered_secs(&steps(&levels, 7_000), 2_500.0), None, "sources disagree");
    }

    #[test]
    fn peg_is_measured_against_itself() {
        let path = scenario(&[0.94; 120]);
        let levels = [Level::Normal; 120];
        let pegged = Sight::of(&path, &OracleLimits::default(), true);
        assert_eq!(
            pegged.unanswered_secs(&steps(&levels, 9_000), 500.0),
            Some(91 * 60),
            "half of an hour is seen first"
        );
        assert_eq!(sight(&path).unanswered_secs(&steps(&levels, 9_000), 500.0), None);
    }

    #[test]
    fn rough_hour_is_lent_at_the_highest_limit_offered_in_it() {
        let prices: Vec<f64> = (0..120).map(|at| if at % 2 == 0 { 100.0 } else { 101.0 }).collect();
        let (path, mut levels) = (scenario(&prices), vec![Level::Normal; 120]);
        // 59 changes of about 1 %
        assert_eq!(sight(&path).rough_ltv_bps(&steps(&levels, 6_500), 700.0), Some(6_500));
        assert_eq!(sight(&path).rough_ltv_bps(&steps(&levels, 6_500), 800.0), None);
        levels.fill(Level::ReduceOnly);
        assert_eq!(sight(&path).rough_ltv_bps(&steps(&levels, 6_500), 700.0), Some(0));
    }
}
