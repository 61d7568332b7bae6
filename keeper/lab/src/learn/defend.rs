//! Defending a pool as a learning problem: a decision every five minutes, behind the shield.

use super::environment::{Environment, Outcome, State};
use super::watcher::Watcher;
use crate::attack::Tick;
use crate::backtest::Market;
use crate::policy::default_rules;
use crate::pool::{Controls, GuardConfig, Pool};
use rampart_score::policy::{Action, Bounds, Shield, Stance, TILES};

/// Debt over the median volume of five minutes of a market that is learned from or judged on.
pub const VOLUMES: f64 = 300.0;
/// Seconds between two decisions.
pub const DECISION_SECS: i64 = 300;
/// Cap that nothing reaches: a policy's caps are a share of the market's own.
const ENDLESS_CAP: f64 = 1e15;
/// Base cap over the debt that borrowers want at the full LTV.
const CAP_ROOM: f64 = 1.1;
/// The vault's quota of soft deleveraging, and what keepers use of it at rest, bps an hour.
const QUOTA_BPS: u16 = 1_000;
const REST_QUOTA_BPS: u16 = QUOTA_BPS - Action::QUOTA_BPS;
/// Reserve in the collateral asset that a hedge moves, as a share of the debt.
const RESERVE: f64 = 0.03;

/// What a step costs, in bps of the debt that the pool is made for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// Share of what liquidations cost owners.
    pub forced: f64,
    /// Share of what soft deleveraging costs them.
    pub soft: f64,
    /// Cost of a minute in which users are held up, bps of the debt.
    pub halted_minute: f64,
    /// Cost of a unit of the reserve that is moved, share.
    pub hedge_turnover: f64,
    /// Lending fee of a year, share of the debt.
    pub fee_year: f64,
}

impl Default for Prices {
    fn default() -> Self {
        Self { forced: 0.2, soft: 0.05, halted_minute: 0.02, hedge_turnover: 0.0008, fee_year: 0.05 }
    }
}

/// Returns the guard that rules and policies work under: the default drawdown rules and a soft band.
pub fn guard() -> GuardConfig {
    let ruled = default_rules().into_iter().fold(GuardConfig::unguarded(), GuardConfig::with_rule);
    GuardConfig { borrow_cap: ENDLESS_CAP, ..ruled.with_soft(7_600, QUOTA_BPS) }
}

/// Returns what a stance asks of a pool at `now_ts`.
pub fn controls(stance: &Stance, pool: &Pool, halt: bool, now_ts: i64) -> Controls {
    let base = *pool.base_controls();
    let cap = pool.settings().target_debt * f64::from(base.ltv_bps) / 1e4 * CAP_ROOM * f64::from(stance.caps_bps) / 1e4;
    let soft_quota_bps = if stance.is_deleveraging(now_ts) { QUOTA_BPS } else { REST_QUOTA_BPS };
    let halt_secs = if halt { Action::HALT_SECS as u32 } else { 0 };
    Controls { ltv_bps: stance.ltv_bps, cap: (cap / ENDLESS_CAP).min(1.0), soft_quota_bps, halt_secs }
}

/// What is known for a decision: the situation, what the shield lets pass, and the time, unix seconds.
pub type View<'a> = (&'a Watcher, &'a Shield, i64);

/// Returns the state that a decision is made in.
pub fn state((watcher, shield, now_ts): View) -> State<TILES> {
    let tiles = watcher.situation().tiles(shield, now_ts).map(|tile| tile as f32);
    let allowed = shield.mask(watcher.is_calm(), now_ts).into_iter().enumerate();
    State { tiles, mask: allowed.fold(0, |mask, (action, may)| mask | u16::from(may) << action) }
}

/// Returns the shield of a vault that offers `ltv_bps`.
pub fn shield(ltv_bps: u16) -> Shield {
    Shield::new(Bounds { ltv_max_bps: ltv_bps, ..Bounds::default() })
}

/// One market with a pool to defend.
pub struct Defend<'a> {
    market: &'a Market,
    guard: GuardConfig,
    prices: Prices,
    seed: u64,
    pool: Pool,
    watcher: Watcher,
    shield: Shield,
    at: usize,
    /// Nobody decides: the guard works by itself.
    is_passive: bool,
    counted: Counted,
}

/// Sums at the last decision.
#[derive(Clone, Copy, Default)]
struct Counted {
    lost: f64,
    forced: f64,
    soft: f64,
    debt_years: f64,
    price: f64,
    halted_minutes: f64,
}

impl<'a> Defend<'a> {
    /// Prepares a market under `guard`; `is_passive` leaves the guard to itself, whatever is chosen.
    pub fn new(market: &'a Market, guard: GuardConfig, is_passive: bool, seed: u64) -> Self {
        let shield = shield(guard.risk.ltv_bps);
        let (pool, watcher) = (start(market, &guard, seed), Watcher::default());
        let (prices, counted) = (Prices::default(), Counted::default());
        Self { market, guard, prices, seed, pool, watcher, shield, at: 0, is_passive, counted }
    }

    /// Returns what is known for a decision now.
    pub fn view(&self) -> View<'_> {
        (&self.watcher, &self.shield, self.now_ts())
    }

    fn now_ts(&self) -> i64 {
        self.market.scenario.ticks[self.at.saturating_sub(1)].ts
    }

    fn tick(&mut self) -> Option<&'a Tick> {
        let tick = self.market.scenario.ticks.get(self.at)?;
        self.at += 1;
        let step_secs = self.market.scenario.step_secs;
        let step = self.pool.step(tick, step_secs);
        self.watcher.push(tick, &self.pool);
        self.counted.halted_minutes += if step.is_halted() { f64::from(step_secs) / 60.0 } else { 0.0 };
        Some(tick)
    }

    /// Plays to the next decision; none if the record ends before.
    fn advance(&mut self) -> Option<()> {
        let until = self.now_ts() + DECISION_SECS;
        loop {
            let tick = self.tick()?;
            if tick.ts >= until {
                self.watcher.judge(tick, &self.pool);
                return Some(());
            }
        }
    }

    fn state(&self) -> State<TILES> {
        state(self.view())
    }

    fn count(&self) -> Counted {
        let totals = self.pool.totals();
        Counted {
            lost: totals.bad_debt + self.pool.underwater(),
            forced: totals.forced_cost,
            soft: totals.soft_cost,
            debt_years: totals.debt_years,
            price: self.market.scenario.ticks[self.at.saturating_sub(1)].truth,
            halted_minutes: self.counted.halted_minutes,
        }
    }

    /// Returns what happened since `before`, with the reserve's hedge at `hedged` after a move of `moved`.
    fn outcome(&self, before: &Counted, hedged: f64, moved: f64) -> Outcome {
        let (now, prices) = (self.count(), &self.prices);
        let bps = 1e4 / (self.pool.settings().target_debt * f64::from(self.guard.risk.ltv_bps) / 1e4);
        let (lost, halted) = ((now.lost - before.lost) * bps, now.halted_minutes - before.halted_minutes);
        let owners = prices.forced * (now.forced - before.forced) + prices.soft * (now.soft - before.soft);
        let fee = prices.fee_year * (now.debt_years - before.debt_years);
        let reserve = RESERVE * ((1.0 - hedged) * (now.price / before.price - 1.0) - moved * prices.hedge_turnover);
        let reward = bps * (fee - owners) + 1e4 * reserve - lost - prices.halted_minute * halted;
        Outcome { reward, costs: [halted, lost], is_terminal: false }
    }
}

fn start(market: &Market, guard: &GuardConfig, seed: u64) -> Pool {
    let scenario = &market.scenario;
    let start_ts = scenario.ticks.first().map_or(0, |tick| tick.ts - i64::from(scenario.step_secs));
    Pool::new(guard, market.settings, start_ts, seed)
}

impl Environment<TILES> for Defend<'_> {
    /// Plays until two days are known, without a decision.
    fn reset(&mut self) -> State<TILES> {
        (self.pool, self.watcher, self.at) = (start(self.market, &self.guard, self.seed), Watcher::default(), 0);
        self.shield = Shield::new(*self.shield.bounds());
        self.counted = Counted::default();
        while !self.watcher.is_warm() && self.tick().is_some() {}
        let last = &self.market.scenario.ticks[self.at.saturating_sub(1)];
        self.watcher.judge(last, &self.pool);
        self.state()
    }

    fn step(&mut self, action: usize) -> Option<(Outcome, State<TILES>)> {
        let now_ts = self.now_ts();
        let action = *Action::ALL.get(action)?;
        let before_bps = self.shield.stance().hedge_bps;
        let mut moved = 0.0;
        if !self.is_passive {
            let is_done = self.shield.act(action, self.watcher.is_calm(), now_ts).is_ok();
            let asked = controls(self.shield.stance(), &self.pool, is_done && action == Action::Halt, now_ts);
            self.pool.control(asked, now_ts);
            moved = f64::from(self.shield.stance().hedge_bps.abs_diff(before_bps)) / 1e4;
        }
        let before = self.count();
        self.advance()?;
        // A move takes its five minutes: the return until the next decision is the old hedge's.
        let outcome = self.outcome(&before, f64::from(before_bps) / 1e4, moved);
        Some((outcome, self.state()))
    }
}
