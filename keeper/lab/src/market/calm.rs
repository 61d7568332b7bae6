//! A market on an ordinary day: stochastic volatility, fat tails, a common factor, and books that thin as volatility rises.

use super::{Follow, Source, Step, World};
use crate::attack::{Keeper, VENUES};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, StudentT};

/// Start of every generated world: 2026-01-01 00:00 UTC.
const START_TS: i64 = 1_767_225_600;
/// Persistence of volatility and depth: half-life in minutes.
const REGIME_HALF_LIFE: f64 = 360.0;
/// Degrees of freedom of the returns' shocks.
const TAIL: f64 = 5.0;

/// An ordinary market.
#[derive(Clone, Copy, Debug)]
pub struct Calm {
    /// First price, loan units for one unit of collateral.
    pub price: f64,
    /// Standard deviation of a day's returns.
    pub daily_vol: f64,
    /// Exposure to the market's common factor.
    pub beta: f64,
    /// Standard deviation of the common factor's daily returns.
    pub factor_vol: f64,
    /// Volume of an ordinary minute, in units of collateral.
    pub volume: f64,
    /// Share of deposits that leaves on an ordinary day.
    pub daily_outflow: f64,
}

impl Default for Calm {
    fn default() -> Self {
        Self { price: 100.0, daily_vol: 0.035, beta: 1.2, factor_vol: 0.022, volume: 100.0, daily_outflow: 0.01 }
    }
}

/// What persists from step to step.
#[derive(Default)]
struct Regime {
    log_vol: f64,
    log_depth: f64,
    log_gaps: [f64; VENUES],
}

impl Calm {
    /// Generates `steps` steps of `step_secs`.
    pub fn world(&self, steps: usize, step_secs: u32, rng: &mut ChaCha8Rng) -> World {
        let mut regime = Regime::default();
        let (mut truth, mut factor) = (self.price, 100.0);
        let steps = (0..steps)
            .map(|_| {
                let day = f64::from(step_secs) / 86_400.0;
                regime.advance(f64::from(step_secs) / 60.0, rng);
                let vol = day.sqrt() * regime.log_vol.exp();
                let common = self.factor_vol * vol * shock(rng);
                let own = (self.daily_vol.powi(2) - (self.beta * self.factor_vol).powi(2)).max(0.0).sqrt();
                let change = self.beta * common + own * vol * shock(rng);
                truth *= change.exp();
                factor *= common.exp();
                self.step(truth, factor, change / (self.daily_vol * vol), day, &regime, rng)
            })
            .collect();
        World { start_ts: START_TS, step_secs, steps }
    }

    /// Lays books and flows around recorded prices, one for each step of `step_secs`; `volumes` in units of collateral.
    ///
    /// `daily_vol` is what the steps' squared returns are measured against. The common factor isn't known and stays at 100.
    pub(super) fn around(&self, start_ts: i64, step_secs: u32, steps: &[(f64, f64)], rng: &mut ChaCha8Rng) -> World {
        let mut regime = Regime::default();
        let day = f64::from(step_secs) / 86_400.0;
        let keep = 0.5f64.powf(f64::from(step_secs) / 60.0 / REGIME_HALF_LIFE);
        let ordinary = self.daily_vol * day.sqrt();
        let (mut variance, mut last) = (ordinary.powi(2), steps.first().map_or(1.0, |step| step.0));
        let build = |&(price, volume): &(f64, f64)| {
            let change = f64::ln(price / last);
            last = price;
            variance = keep * variance + (1.0 - keep) * change.powi(2);
            regime.advance(f64::from(step_secs) / 60.0, rng);
            regime.log_vol = (variance.sqrt() / ordinary).max(0.05).ln();
            let step = self.step(price, 100.0, change / variance.sqrt(), day, &regime, rng);
            Step { volume: volume.max(f64::MIN_POSITIVE), ..step }
        };
        World { start_ts, step_secs, steps: steps.iter().map(build).collect() }
    }

    /// Builds one step around a price: books and flows that go with `regime` and with the size of the last move, in sigmas.
    fn step(&self, truth: f64, factor: f64, sigmas: f64, day: f64, regime: &Regime, rng: &mut ChaCha8Rng) -> Step {
        let busy = (regime.log_vol + 0.3 * (sigmas.abs() - 0.8) + 0.3 * normal(rng)).exp();
        Step {
            truth,
            factor,
            gaps: regime.log_gaps.map(f64::exp),
            sources: [Source { follows: Follow::Median, bias: 1.0, is_frozen: false }; 2],
            depth: (regime.log_depth - 0.5 * regime.log_vol).exp(),
            spread: 0.0005 * regime.log_vol.exp(),
            volume: self.volume * day * 1_440.0 * busy,
            taker_buy: (0.5 + 0.15 * (sigmas + normal(rng)).tanh()).clamp(0.0, 1.0),
            borrow_demand: (0.2 * normal(rng)).exp(),
            attack_borrow: 0.0,
            collateral_supply: 1.0,
            outflow: (self.daily_outflow * day * -(1.0 - rng.random::<f64>()).ln()).min(1.0),
            keeper: Keeper::Honest,
            inclusion: 0.98,
            basis: 0.0002 * normal(rng),
            feedback: 0.0,
        }
    }
}

impl Regime {
    fn advance(&mut self, minutes: f64, rng: &mut ChaCha8Rng) {
        revert(&mut self.log_vol, 0.3, REGIME_HALF_LIFE, minutes, rng);
        revert(&mut self.log_depth, 0.2, REGIME_HALF_LIFE, minutes, rng);
        self.log_gaps.iter_mut().for_each(|gap| revert(gap, 0.0003, 2.0, minutes, rng));
    }
}

/// One step of an Ornstein-Uhlenbeck process around 0 with the stationary deviation `deviation`.
fn revert(value: &mut f64, deviation: f64, half_life: f64, minutes: f64, rng: &mut ChaCha8Rng) {
    let keep = 0.5f64.powf(minutes / half_life);
    *value = keep * *value + deviation * (1.0 - keep * keep).sqrt() * normal(rng);
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// A Student-t shock with unit variance, cut at 8 so that one draw can't be a crash by itself.
fn shock(rng: &mut ChaCha8Rng) -> f64 {
    let t = StudentT::new(TAIL).expect("degrees of freedom are a positive constant").sample(rng);
    (t * ((TAIL - 2.0) / TAIL).sqrt()).clamp(-8.0, 8.0)
}
