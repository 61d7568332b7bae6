//! The lending pool: positions, the program's guard over them, and the market that liquidators sell into.
//!
//! Owns one step of time (`Pool::step`) and what it adds up to (`Totals`). Positions are held by bucket of loan-to-value (`grid`) or,
//! as the reference that the grid is measured against, one by one (`exact`). What a liquidation does, when a rule trips and what
//! a level allows is the program's own code (`table`, `defence`, `watch`). Who decides is `policy`'s; the path is `attack`'s.
//!
//! A step: the price is read and observed; what was wished for in the step is borrowed and withdrawn under the levels in force;
//! what pays is liquidated; then the rules are judged. So a trip binds from the next step on, and whoever moves with the price is
//! ahead of it: against the defender where it is unclear.

mod book;
mod defence;
mod exact;
mod grid;
mod keepers;
mod liquidity;
pub mod settings;
mod table;
mod users;
mod watch;

#[cfg(test)]
mod tests;

pub use book::{Book, Grace, Graces, Quote, Sale, Soft};
pub use defence::{Adopted, Defence};
pub use exact::{Deed, Exact};
pub use grid::{BUCKETS, Grid, WIDTH, ltv_of};
pub use keepers::{KeeperConfig, Quorum};
pub use liquidity::Liquidity;
pub use settings::{GuardConfig, OracleLimits, Settings};
pub use table::{Row, Table};
pub use users::Wish;
pub use watch::{Pace, Watch, is_simulated};

use crate::attack::{Keeper, Tick};
use rampart::oracle::PriceBand;
use rampart::state::{Level, Levels};
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

const DAY_SECS: f64 = 86_400.0;
/// Days over which the budget of a policy's halts is given.
const HALT_BUDGET_SECS: f64 = 30.0 * DAY_SECS;

/// The most that a cascade takes off a price.
const MOST_PUSHED: f64 = 0.95;

/// What a policy holds the pool to, within what the guard allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    /// LTV for new risk, bps; never above the vault's own.
    pub ltv_bps: u16,
    /// Share of the borrow cap that may be used.
    pub cap: f64,
    /// What keepers softly deleverage of a debt in an hour, bps; never above the vault's quota. Zero: nobody does.
    pub soft_quota_bps: u16,
    /// Asks for a halt of this length from now on, seconds; zero for none. Beyond the budget it is refused.
    pub halt_secs: u32,
}

impl Controls {
    /// Returns what a vault offers by itself: its own LTV and cap, and keepers that deleverage as far as it allows.
    pub fn of(config: &GuardConfig) -> Self {
        Self { ltv_bps: config.risk.ltv_bps, cap: 1.0, soft_quota_bps: config.risk.soft_quota_bps, halt_secs: 0 }
    }
}

/// Sums since the start, whole tokens of the loan where nothing else is said.
///
/// `debt + bad_debt + repaid + liquidated + deleveraged = borrowed`, to rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Borrowed.
    pub borrowed: f64,
    /// Of that, by an attacker.
    pub attacked: f64,
    /// Repaid by owners.
    pub repaid: f64,
    /// Repaid by liquidators.
    pub liquidated: f64,
    /// Repaid by deleveragers.
    pub deleveraged: f64,
    /// Lost.
    pub bad_debt: f64,
    /// What liquidations cost owners beyond the debt they no longer have.
    pub forced_cost: f64,
    /// What soft deleveraging cost them.
    pub soft_cost: f64,
    /// Withdrawn by lenders.
    pub withdrawn: f64,
    /// Wished for by lenders and not paid in the same step.
    pub refused_exits: f64,
    /// Debt times years.
    pub debt_years: f64,
    /// Offered LTV times steps, bps.
    pub offered_bps: f64,
    /// Steps.
    pub steps: u64,
    /// Halts that a policy asked for and got.
    pub pauses: u64,
}

/// What one step came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// End of the step, unix seconds.
    pub ts: i64,
    /// Debt at its end.
    pub debt: f64,
    /// Lost in it.
    pub bad_debt: f64,
    /// Levels at its end.
    pub levels: Levels,
    /// LTV that was offered for new risk, bps.
    pub ltv_bps: u16,
    /// What was softly deleveraged in it.
    pub deleveraged: f64,
    /// Impact of the pool's own sales, a share of the price.
    pub impact: f64,
    /// What lenders took out and an attacker borrowed in it.
    pub out: f64,
}

impl Step {
    /// Tells whether users were held up: no new risk, or exits through the floor alone.
    pub fn is_halted(&self) -> bool {
        self.levels.risk >= Level::ReduceOnly
    }
}

/// One pool under one guard.
pub struct Pool<B = Grid> {
    book: B,
    defence: Defence,
    liquidity: Liquidity,
    settings: Settings,
    base: Controls,
    controls: Controls,
    waiting: Option<(i64, Controls)>,
    deposits: f64,
    borrow_cap: f64,
    totals: Totals,
    halt_left_secs: f64,
    rates: Rates,
    rng: ChaCha8Rng,
    price: Option<f64>,
    is_seeded: bool,
    /// What the pool's own sales took off every price for good, a share: in cascades alone.
    pushed: f64,
}

/// Shares of a step's length.
#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    step_secs: u32,
    refill: f64,
    repay: f64,
}

impl Rates {
    fn of(settings: &Settings, step_secs: u32) -> Self {
        let share = |per_day: f64| 1.0 - (1.0 - per_day.clamp(0.0, 0.999_999)).powf(f64::from(step_secs) / DAY_SECS);
        Self { step_secs, refill: share(settings.refill_per_day), repay: share(settings.repay_per_day) }
    }
}

impl Pool<Grid> {
    /// Returns a pool with positions by bucket, which fills up to its target at the first price.
    pub fn new(config: &GuardConfig, settings: Settings, now_ts: i64, seed: u64) -> Self {
        let position = (settings.position * settings::LOAN_UNIT) as u64;
        let grid = Grid::new(Table::new(&config.risk, position, 0.0), settings.spread);
        Self::with_book(grid, config, settings, now_ts, seed)
    }

    /// Returns collateral that is missing behind open debt, whole tokens of the loan: lost, but not yet written off.
    pub fn underwater(&self) -> f64 {
        self.book.underwater()
    }
}

impl<B: Book> Pool<B> {
    /// Returns a pool over a book that holds its positions already or fills up at the first price.
    pub fn with_book(book: B, config: &GuardConfig, settings: Settings, now_ts: i64, seed: u64) -> Self {
        let base = Controls::of(config);
        let mut defence = Defence::new(config, settings.deposits, now_ts);
        book.found(&mut defence.vault, (settings.deposits * settings::LOAN_UNIT) as u64);
        let borrowed = book.debt(&defence.vault);
        let is_seeded = borrowed > 0.0;
        let totals = Totals { borrowed, ..Totals::default() };
        Self {
            defence,
            liquidity: Liquidity::default(),
            base,
            controls: base,
            waiting: None,
            deposits: settings.deposits,
            borrow_cap: config.borrow_cap,
            totals,
            halt_left_secs: f64::from(settings.halt_budget_secs),
            rates: Rates::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            price: None,
            is_seeded,
            pushed: 0.0,
            book,
            settings,
        }
    }

    /// Returns the positions.
    pub fn book(&self) -> &B {
        &self.book
    }

    /// Returns the debt that would reach the line if the price fell by `fall`, as a share of all debt.
    pub fn share_within(&self, fall: f64) -> f64 {
        let debt = self.debt();
        if debt > 0.0 { self.book.within(&self.defence.vault, fall) / debt } else { 0.0 }
    }

    /// Returns all debt, whole tokens of the loan.
    pub fn debt(&self) -> f64 {
        self.book.debt(&self.defence.vault)
    }

    /// Returns the program's accounts.
    pub fn defence(&self) -> &Defence {
        &self.defence
    }

    /// Returns the program's accounts, to set what stands outside of a scenario.
    pub fn defence_mut(&mut self) -> &mut Defence {
        &mut self.defence
    }

    /// Returns the sums since the start.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Returns what is assumed about people.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the last agreed price at the owners' end, whole tokens of the loan; none before the first.
    pub fn price(&self) -> Option<f64> {
        self.price
    }

    /// Returns the market's side.
    pub fn liquidity(&self) -> &Liquidity {
        &self.liquidity
    }

    /// Returns what is in force of a policy's controls.
    pub fn controls(&self) -> &Controls {
        &self.controls
    }

    /// Returns the controls of the guard by itself, with nothing tightened.
    pub fn base_controls(&self) -> &Controls {
        &self.base
    }

    /// Returns the lenders' deposits.
    pub fn deposits(&self) -> f64 {
        self.deposits
    }

    /// Returns what a policy may still halt, seconds.
    pub fn halt_left_secs(&self) -> f64 {
        self.halt_left_secs
    }

    /// Asks for other controls. They take effect after the keeper's latency, within what the guard allows.
    pub fn control(&mut self, controls: Controls, now_ts: i64) {
        let Controls { ltv_bps, cap, soft_quota_bps, halt_secs } = controls;
        let bounded = Controls {
            ltv_bps: ltv_bps.min(self.base.ltv_bps),
            cap: cap.clamp(0.0, 1.0),
            soft_quota_bps: soft_quota_bps.min(self.base.soft_quota_bps),
            halt_secs,
        };
        self.waiting = Some((now_ts + i64::from(self.settings.latency_secs), bounded));
    }

    /// Plays one step.
    pub fn step(&mut self, tick: &Tick, step_secs: u32) -> Step {
        if self.pushed > 0.0 {
            return self.play(&pushed(tick, 1.0 - self.pushed), step_secs);
        }
        self.play(tick, step_secs)
    }

    fn play(&mut self, tick: &Tick, step_secs: u32) -> Step {
        if self.rates.step_secs != step_secs {
            self.rates = Rates::of(&self.settings, step_secs);
        }
        let lands = tick.keeper != Keeper::Down && (tick.inclusion >= 1.0 || self.rng.random::<f64>() < tick.inclusion);
        self.liquidity.update(tick, step_secs, &self.settings);
        self.halt_left_secs = (self.halt_left_secs
            + f64::from(self.settings.halt_budget_secs) * f64::from(step_secs) / HALT_BUDGET_SECS)
            .min(f64::from(self.settings.halt_budget_secs));
        if lands {
            self.take_controls(tick.ts);
        }
        let before = self.totals;
        let band = self.defence.observe(tick, step_secs);
        let graces = self.defence.graces(tick.ts);
        let mut deleveraged = 0.0;
        self.withdraw(tick);
        self.repay(tick.ts);
        if let Ok(band) = &band {
            let quote = self.defence.quote(band, B::NEEDS_UNITS, tick.ts);
            self.price = Some(quote.price);
            self.totals.bad_debt += self.book.reprice(&quote);
            self.borrow(tick, band, &quote);
            deleveraged = self.force(tick, band, (&quote, &graces), lands, step_secs);
        }
        // positions one by one stand on the vault's own books
        if let Some(price) = self.price.filter(|_| self.defence.needs_books && !B::NEEDS_UNITS) {
            self.defence.note(self.deposits, self.debt(), self.book.collateral_value(), price, tick.ts);
        }
        if lands {
            self.report(tick);
            self.judge(tick, step_secs);
        }
        self.close(tick, step_secs, &before, deleveraged)
    }

    fn close(&mut self, tick: &Tick, step_secs: u32, before: &Totals, deleveraged: f64) -> Step {
        let debt = self.debt();
        self.totals.debt_years += debt * f64::from(step_secs) / (365.0 * DAY_SECS);
        let ltv_bps = self.offered_bps(tick.ts);
        self.totals.offered_bps += f64::from(ltv_bps);
        self.totals.steps += 1;
        Step {
            ts: tick.ts,
            debt,
            bad_debt: self.totals.bad_debt - before.bad_debt,
            levels: self.defence.levels(tick.ts),
            ltv_bps,
            deleveraged,
            impact: self.liquidity.impact(),
            out: self.totals.withdrawn + self.totals.attacked - before.withdrawn - before.attacked,
        }
    }

    /// Returns the LTV for new risk: the stricter of what a policy asks for and what the program's own scale leaves, bps.
    fn offered_bps(&self, now_ts: i64) -> u16 {
        self.controls.ltv_bps.min(self.defence.ltv_for_new_risk(now_ts))
    }

    fn take_controls(&mut self, now_ts: i64) {
        let Some((_, controls)) = self.waiting.take_if(|(due_ts, _)| *due_ts <= now_ts) else { return };
        self.controls = Controls { halt_secs: 0, ..controls };
        let secs = controls.halt_secs;
        if secs > 0 && f64::from(secs) <= self.halt_left_secs && self.defence.pause(secs, now_ts) {
            self.halt_left_secs -= f64::from(secs);
            self.totals.pauses += 1;
        }
    }

    fn withdraw(&mut self, tick: &Tick) {
        if tick.outflow <= 0.0 {
            return;
        }
        let wanted = tick.outflow * self.deposits;
        // what isn't there is refused before it is charged
        let cash = (self.deposits - self.debt()).max(0.0);
        let paid = self.defence.admit_exit(wanted.min(cash), self.deposits, tick.ts);
        self.deposits -= paid;
        self.totals.withdrawn += paid;
        self.totals.refused_exits += wanted - paid;
    }

    fn repay(&mut self, now_ts: i64) {
        if self.rates.repay > 0.0 {
            self.totals.repaid += self.book.repay(&mut self.defence.vault, self.rates.repay, now_ts);
        }
    }

    /// Borrows what owners and an attacker wish for, as far as cash, cap, level and limiter let them.
    fn borrow(&mut self, tick: &Tick, band: &PriceBand, quote: &Quote) {
        let Some(price) = self.defence.new_risk_price(band, tick.ts) else { return };
        let debt = self.debt();
        // a pool that stands already filled up while its window knew the market
        let offered = if self.is_seeded { self.offered_bps(tick.ts) } else { self.controls.ltv_bps };
        let target = self.settings.target_debt * f64::from(offered) / 1e4;
        let share = if self.is_seeded { (self.rates.refill * tick.borrow_demand).min(1.0) } else { 1.0 };
        let cap = self.borrow_cap * self.controls.cap * self.defence.cap_share(tick.ts);
        let room = (self.deposits - debt).min(cap - debt).max(0.0);
        let ltv = f64::from(offered) / 1e4 * price / quote.price;
        let wanted = ((target - debt).max(0.0) * share).min(room);
        if wanted > 0.0 {
            // a pool that stands already was not borrowed in one step
            let lent = if self.is_seeded { self.defence.admit_borrow(wanted, tick.ts) } else { wanted };
            // one position at the limit, and the others below it
            let whale = if self.is_seeded { 0.0 } else { lent * self.settings.concentration };
            self.lend(whale, ltv, true);
            self.lend(lent - whale, ltv, false);
            self.is_seeded = true;
        }
        let attacked = (tick.attack_borrow * self.deposits).min((room - wanted).max(0.0));
        if attacked > 0.0 {
            let lent = self.defence.admit_borrow(attacked, tick.ts);
            self.totals.attacked += lent;
            self.lend(lent, ltv, true);
        }
    }

    fn lend(&mut self, amount: f64, ltv: f64, is_at_limit: bool) {
        if amount > 0.0 {
            self.book.borrow(&mut self.defence.vault, amount, ltv, is_at_limit);
            self.totals.borrowed += amount;
        }
    }

    /// Deleverages and liquidates what pays.
    fn force(
        &mut self,
        tick: &Tick,
        band: &PriceBand,
        (quote, graces): (&Quote, &Graces),
        lands: bool,
        step_secs: u32,
    ) -> f64 {
        if !self.defence.may_liquidate(band, tick.ts) {
            return 0.0;
        }
        let ratio = tick.truth / quote.price;
        let before = self.liquidity.impact();
        let vault = &mut *self.defence.vault;
        let hard = self.book.liquidate(vault, ratio, graces, &mut self.liquidity);
        self.totals.liquidated += hard.repaid;
        self.totals.forced_cost += hard.cost();
        self.totals.bad_debt += hard.bad_debt;
        let impact = (self.liquidity.impact() - before).max(0.0);
        self.pushed = (self.pushed + tick.feedback * impact).min(MOST_PUSHED);
        if self.controls.soft_quota_bps == 0 || !lands {
            return 0.0;
        }
        let quota_bps = self.controls.soft_quota_bps;
        let soft = Soft { share: f64::from(quota_bps) / 1e4 * f64::from(step_secs) / 3_600.0, quota_bps };
        let sold = self.book.deleverage(vault, soft, ratio, graces, &mut self.liquidity);
        self.totals.deleveraged += sold.repaid;
        self.totals.soft_cost += sold.cost();
        sold.repaid
    }

    /// Lets keepers report, where there are any, and the limits on new risk follow.
    fn report(&mut self, tick: &Tick) {
        let Some(mut quorum) = self.defence.quorum.take() else { return };
        quorum.report(tick, self);
        self.defence.scale(&quorum, tick.ts);
        self.defence.quorum = Some(quorum);
    }

    fn judge(&mut self, tick: &Tick, step_secs: u32) {
        let Settings { cadence_secs, latency_secs, .. } = self.settings;
        self.defence.watch(Pace { step_secs, cadence_secs, latency_secs }, tick.ts);
    }
}

/// The step with every price at a share of what it was: where sales of the pool have moved the market.
fn pushed(tick: &Tick, share: f64) -> Tick {
    let mut moved = *tick;
    moved.truth *= share;
    moved.venues.iter_mut().for_each(|venue| *venue *= share);
    for print in [&mut moved.oracle, &mut moved.second] {
        print.price *= share;
        print.conf *= share;
    }
    moved
}
