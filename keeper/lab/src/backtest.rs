//! Policies side by side on the same markets: recorded, grafted or generated.
//!
//! Owns playing (`play`), what a play is measured by (`metrics`, `events`), the tuning of the static rules at an equal budget (`tune`),
//! intervals over weeks (`bootstrap`) and the table. The paths are `data`'s and `attack`'s, the policies `policy`'s.

mod bootstrap;
mod events;
mod metrics;
mod recorded;
mod table;
mod tune;

pub use bootstrap::{Interval, difference, resampled};
pub use events::{Event, Events, FALSE_FALL, lows_ahead};
pub use metrics::{Metrics, Week, week_of, weeks_of};
pub use recorded::{RecordedSettings, minutes, scenarios};
pub use table::{Outcome, Report, compare, marks};
pub use tune::{Tried, measure, tune};

use crate::attack::Scenario;
use crate::policy::Contender;
use crate::pool::{Pool, Settings, Step, Totals};
use rampart::state::Level;

/// One scenario with the pool that stands on it.
#[derive(Clone, Debug)]
pub struct Market {
    /// The path.
    pub scenario: Scenario,
    /// The people around the pool; its size fits the market.
    pub settings: Settings,
    /// What happens on the path, for the measures about warnings.
    pub events: Events,
    /// What amounts are multiplied with, so that every market counts as a pool of [`POOL_DEBT`].
    pub scale: f64,
}

/// The debt that every pool is scaled to before markets are added up, whole tokens of the loan.
pub const POOL_DEBT: f64 = 10e6;

impl Market {
    /// Returns a market with a pool of `volumes` times the median volume of five minutes.
    pub fn new(scenario: Scenario, settings: Settings, volumes: f64) -> Self {
        let mut traded: Vec<f64> = scenario.ticks.iter().map(|tick| tick.volume * tick.truth).collect();
        traded.sort_by(f64::total_cmp);
        let median =
            traded.get(traded.len() / 2).copied().unwrap_or(0.0) * 300.0 / f64::from(scenario.step_secs.max(1));
        let target_debt = (median * volumes).max(settings.position);
        let concentration = scenario.concentration;
        let settings = Settings { target_debt, deposits: target_debt * 1.25, concentration, ..settings };
        let events = Events::of(&scenario);
        Self { scenario, settings, events, scale: POOL_DEBT / target_debt }
    }
}

/// What a play left behind.
#[derive(Clone, Debug)]
pub struct Played {
    /// Every step.
    pub steps: Vec<Step>,
    /// The sums, with what was under water at the end written off.
    pub totals: Totals,
    /// Times at which a rule tripped, unix seconds.
    pub trips: Vec<i64>,
}

/// Plays one contender on one market.
pub fn play(contender: &dyn Contender, market: &Market, seed: u64) -> Played {
    let scenario = &market.scenario;
    let start_ts = scenario.ticks.first().map_or(0, |tick| tick.ts - i64::from(scenario.step_secs));
    let mut pool = Pool::new(&contender.guard(), market.settings, start_ts, seed);
    let mut policy = contender.start(scenario);
    let (mut steps, mut trips) = (Vec::with_capacity(scenario.ticks.len()), Vec::new());
    let mut tripped = 0;
    for tick in &scenario.ticks {
        let step = pool.step(tick, scenario.step_secs);
        let restricts = step.levels.risk >= Level::Caution;
        if pool.defence().trips() + pool.totals().pauses > tripped && restricts {
            trips.push(tick.ts);
        }
        tripped = pool.defence().trips() + pool.totals().pauses;
        steps.push(step);
        if let Some(controls) = policy.decide(tick, &pool) {
            pool.control(controls, tick.ts);
        }
    }
    let mut totals = *pool.totals();
    let lost = pool.underwater();
    totals.bad_debt += lost;
    if let Some(last) = steps.last_mut() {
        last.bad_debt += lost;
    }
    Played { steps, totals, trips }
}
