//! What liquidators can sell, and at what price.

use super::settings::Settings;
use crate::attack::Tick;

const DAY_SECS: f64 = 86_400.0;
/// Half-life of volume and volatility, seconds.
const MEMORY_SECS: f64 = DAY_SECS;
/// Half-life of the pressure that sales leave behind, seconds.
const PRESSURE_SECS: f64 = 3_600.0;

/// The market's side of a liquidation.
///
/// # Source
/// docs/lab.md, "Liquidity": square-root impact over what was sold within the last hours, a share of the volume as capacity.
#[derive(Clone, Debug, Default)]
pub struct Liquidity {
    last: Option<(i64, f64)>,
    /// Volume, whole tokens of the loan a second, and the squared return a second, both with the weight that they have.
    volume: f64,
    variance: f64,
    weight: f64,
    pressure: f64,
    /// What can still be sold in this step.
    left: f64,
    half_spread: f64,
    /// Y · daily volatility.
    scale: f64,
    day_volume: f64,
    decay: Decay,
}

/// The decays of a step's length.
#[derive(Clone, Copy, Debug, Default)]
struct Decay {
    secs: i64,
    memory: f64,
    pressure: f64,
}

impl Decay {
    fn of(secs: i64) -> Self {
        let halved = |half_life: f64| 0.5f64.powf(secs as f64 / half_life);
        Self { secs, memory: halved(MEMORY_SECS), pressure: halved(PRESSURE_SECS) }
    }
}

impl Liquidity {
    /// A market that takes everything without a move: for tests of amounts.
    pub fn endless() -> Self {
        Self { left: f64::INFINITY, day_volume: f64::INFINITY, ..Self::default() }
    }

    /// Takes a step of the market: what it traded, how far it moved, and how deep it is.
    pub fn update(&mut self, tick: &Tick, step_secs: u32, settings: &Settings) {
        let secs = self.last.map_or(i64::from(step_secs), |(ts, _)| (tick.ts - ts).max(1));
        if self.decay.secs != secs {
            self.decay = Decay::of(secs);
        }
        let change = self.last.map_or(0.0, |(_, price)| (tick.truth / price).ln());
        let keep = self.decay.memory;
        // a step stands for its own length, however long nothing was recorded before it
        self.volume = keep * self.volume + (1.0 - keep) * tick.volume * tick.truth / f64::from(step_secs);
        self.variance = keep * self.variance + (1.0 - keep) * change * change / secs as f64;
        self.weight = keep * self.weight + (1.0 - keep);
        self.last = Some((tick.ts, tick.truth));
        self.pressure *= self.decay.pressure;
        let deep_volume = self.volume / self.weight * tick.depth;
        self.day_volume = deep_volume * DAY_SECS;
        self.left = settings.market_share * deep_volume * f64::from(step_secs) * tick.inclusion;
        self.half_spread = tick.spread / 2.0;
        self.scale = settings.impact * (self.variance / self.weight * DAY_SECS).sqrt();
    }

    /// Returns what can be sold in this step, in whole tokens of the loan, with the last one still worth it at `margin`.
    pub fn room(&self, margin: f64) -> f64 {
        let spare = margin - self.half_spread;
        if spare <= 0.0 {
            return 0.0;
        }
        if self.scale <= 0.0 {
            return self.left;
        }
        let reach = spare / self.scale;
        (self.day_volume * reach * reach - self.pressure).clamp(0.0, self.left)
    }

    /// Sells.
    pub fn sell(&mut self, value: f64) {
        self.pressure += value;
        self.left = (self.left - value).max(0.0);
    }

    /// Returns the impact of what was sold, a share of the price.
    pub fn impact(&self) -> f64 {
        if self.day_volume > 0.0 { self.scale * (self.pressure / self.day_volume).sqrt() } else { 0.0 }
    }

    /// Returns the market's volatility of a day, a share.
    pub fn day_volatility(&self) -> f64 {
        if self.weight > 0.0 { (self.variance / self.weight * DAY_SECS).sqrt() } else { 0.0 }
    }

    /// Returns what the market trades in a day at its present depth, whole tokens of the loan.
    pub fn day_volume(&self) -> f64 {
        self.day_volume
    }
}
