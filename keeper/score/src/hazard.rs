//! The seven ways to lose value within the horizon, each as a probability. Rules with stated constants, but for the market's.

use serde::{Deserialize, Serialize};
use statrs::function::erf::erfc;

use crate::anomaly::{Alarm, PriceVerdict};
use crate::input::Input;
use crate::state::{FlowKind, FlowReading, Operations, OracleHealth, Stress};

/// How many hazards there are.
pub const HAZARDS: usize = 7;

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hazard {
    /// The collateral falls through its buffer.
    Market,
    /// The price is wrong.
    Oracle,
    /// Leaving costs more than the liquidation bonus.
    Liquidity,
    /// More leaves than can.
    Run,
    /// What is known is old.
    Staleness,
    /// Everything falls together.
    System,
    /// The keeper sees, agrees or lands too little.
    Operations,
}

impl Hazard {
    /// All hazards, in the order of every array over them.
    pub const ALL: [Self; HAZARDS] =
        [Self::Market, Self::Oracle, Self::Liquidity, Self::Run, Self::Staleness, Self::System, Self::Operations];

    /// Returns the name that `explain` prints.
    pub fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Oracle => "oracle",
            Self::Liquidity => "liquidity",
            Self::Run => "run",
            Self::Staleness => "staleness",
            Self::System => "system",
            Self::Operations => "operations",
        }
    }
}

/// Joins probabilities of which one is enough, as if they were independent.
fn any(probabilities: impl IntoIterator<Item = f64>) -> f64 {
    1.0 - probabilities.into_iter().map(|p| 1.0 - p.clamp(0.0, 1.0)).product::<f64>()
}

/// Joins inputs of which one is enough: missing as soon as one is, unless the known ones exceed `certain` already. One that
/// isn't applicable adds nothing.
fn any_known(inputs: &[Input], certain: f64) -> Input {
    let known = any(inputs.iter().filter_map(|input| input.known()));
    if inputs.iter().any(|input| input.is_missing()) && known < certain { Input::Missing } else { Input::Known(known) }
}

fn ramp(value: f64, from: f64, to: f64) -> f64 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

/// Returns the upper tail of the standard normal distribution.
fn normal_tail(z: f64) -> f64 {
    0.5 * erfc(z / std::f64::consts::SQRT_2)
}

/// A known hazard above this stays known when an input beside it is missing: it says more than the gap does.
const CERTAIN: f64 = 0.5;

/// Returns the market's hazard: the model's probability, and a fall that the cumulative sum has already noticed.
pub fn market(model: Input, fall: Alarm) -> Input {
    let noticed = match fall {
        Alarm::Quiet => 0.0,
        Alarm::Raised => 0.05,
        Alarm::Severe => 0.15,
    };
    model.map(|p| any([p, noticed]))
}

/// Returns the oracle's hazard: the detector's verdict, and measures that are bad by themselves.
///
/// Ramps: 3 to 10 in z, 0.5 to 5 % of confidence, 2 to 10 % between venues; each at most 0.9.
pub fn oracle(health: &OracleHealth, verdict: PriceVerdict) -> Input {
    let z = health.z.map(|z| 0.9 * ramp(z.abs(), 3.0, 10.0));
    let confidence = health.confidence_ratio.map(|ratio| 0.9 * ramp(ratio, 0.005, 0.05));
    let disagreement = health.disagreement.map(|gap| 0.9 * ramp(gap, 0.02, 0.10));
    // One venue that prints alone is known to be a wick: its distance says nothing about the price.
    let disagreement = if verdict == PriceVerdict::Wick { Input::Known(0.0) } else { disagreement };
    any_known(&[verdict.probability(), z, confidence, disagreement], CERTAIN)
}

/// What leaving a liquidated position takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exit {
    /// Size to be sold, quote units.
    pub size: Input,
    /// Where it is sold.
    pub place: Place,
    /// Kyle's lambda, log price per quote unit that is sold; none where too little was traded to tell.
    pub lambda: Option<f64>,
    /// Volatility per square root of a day.
    pub vol_day: Input,
    /// Liquidation bonus, share.
    pub bonus: f64,
}

/// Where collateral is sold, and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Place {
    /// Books of which an operator knows the volume of a day.
    Books {
        /// Traded volume of a day, quote units.
        volume_day: Input,
        /// Spread, share.
        spread: Input,
    },
    /// A pool whose reserves are seen.
    Pool(Reserves),
}

/// What a pool of a constant product holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reserves {
    /// Fee of a swap, share: half the spread.
    pub fee: Input,
    /// What it holds of what would be sold, at the agreed price, quote units.
    pub sold: Input,
    /// What it holds of what it pays, at the agreed price, quote units; not applicable where nobody agrees on a price of that.
    pub paid: Input,
}

impl Reserves {
    /// Returns what it holds of what would be sold, and what it pays for at most: less where it pays a worse price than agreed.
    fn sides(&self) -> Option<(f64, f64)> {
        let sold = self.sold.known().filter(|sold| *sold >= 0.0)?;
        let paid = if self.paid.is_applicable() { self.paid.known()? } else { sold };
        Some((sold, paid.clamp(0.0, sold)))
    }

    /// Returns what selling `size` costs beside the fee, share: `1 - min(R, S) / (R + Q)`, which is `Q / (R + Q)` where the pool's
    /// price is the agreed one.
    fn slippage(&self, size: f64) -> Option<f64> {
        let (sold, paid) = self.sides()?;
        Some((sold + size - paid) / (sold + size))
    }

    /// Returns by which share it pays less than agreed, if it does.
    pub fn worse(&self) -> Option<f64> {
        self.sides().filter(|(sold, paid)| paid < sold).map(|(sold, paid)| 1.0 - paid / sold)
    }

    /// Returns what can be sold at a cost of at most `slippage` beside the fee, quote units; nothing at a price that is worse already.
    pub fn depth(&self, slippage: f64) -> Input {
        self.sides().map(|(sold, paid)| (paid / (1.0 - slippage) - sold).max(0.0)).into()
    }
}

/// Impact constant of the square-root law.
const IMPACT: f64 = 1.0;
/// Volatility of the logarithm of an exit's cost, per square root of a day.
const COST_VOLATILITY: f64 = 0.6;

impl Exit {
    /// Returns the cost of leaving, share: half the spread and what the place says of the size, or what the price answered to flow
    /// where that is dearer.
    ///
    /// # Source
    /// docs/risk.md, "Exit".
    pub fn cost(&self) -> Input {
        if !self.size.is_applicable() {
            return Input::NotApplicable;
        }
        let size = self.size.known();
        let Some((half_spread, slippage)) = size.and_then(|size| self.told(size.max(0.0))) else {
            return Input::Missing;
        };
        match size.filter(|size| *size > 0.0) {
            Some(size) => Input::of((half_spread + self.answered(size).map_or(slippage, |a| a.max(slippage))).min(1.0)),
            None => Input::Known(0.0),
        }
    }

    /// Returns half the spread and the slippage of a sale, as the place says: books by the square-root law `Y σ √(Q / V)`, a pool
    /// by its reserves.
    ///
    /// # Source
    /// Square-root law: Tóth et al. (2011).
    fn told(&self, size: f64) -> Option<(f64, f64)> {
        match self.place {
            Place::Books { volume_day, spread } => {
                let (volume, spread, vol) = (volume_day.known()?, spread.known()?, self.vol_day.known()?);
                // Without trading there is no way out.
                let slippage = if volume <= 0.0 { 1.0 } else { IMPACT * vol.abs() * (size / volume).sqrt() };
                Some((spread.abs() / 2.0, slippage))
            }
            Place::Pool(reserves) => Some((reserves.fee.known()?.abs(), reserves.slippage(size)?)),
        }
    }

    /// Returns the slippage by Kyle's lambda: `1 - (1 - e^-x) / x`, `x = λ Q` being the logarithm by which the price falls until all
    /// is sold. A pool that nobody but arbitrage moves has `λ = 2 / R`, and `Q / R` of a small size by both.
    fn answered(&self, size: f64) -> Option<f64> {
        let fall = self.lambda.map(|lambda| lambda * size).filter(|fall| *fall > 0.0)?;
        Some(1.0 + (-fall).exp_m1() / fall)
    }

    /// Returns the probability that the cost exceeds the bonus at the end of the horizon, its logarithm being a random walk.
    pub fn hazard(&self, horizon_secs: u32) -> Input {
        let spread = COST_VOLATILITY * (f64::from(horizon_secs) / 86_400.0).sqrt();
        self.cost().map(|cost| {
            if cost <= 0.0 {
                return 0.0;
            }
            if self.bonus.is_nan() || self.bonus <= 0.0 {
                return 1.0;
            }
            normal_tail((self.bonus / cost).ln() / spread)
        })
    }
}

/// Spread of the logarithm of a horizon's outflow around its expectation.
const RUN_SPREAD: f64 = 1.0;

/// Returns the run's hazard: the probability that outflow exceeds what can be withdrawn, and activity that is unknown.
///
/// # Units
/// `withdrawable`: share of the pool; not applicable where there is no pool to run from. `rarity`: what
/// `HalfSpaceTrees::push` returned.
pub fn run(flow: Option<&FlowReading>, withdrawable: Input, rarity: Input, horizon_secs: u32) -> Input {
    if !withdrawable.is_applicable() {
        return Input::NotApplicable;
    }
    let (Some(flow), Some(withdrawable)) = (flow, withdrawable.known()) else { return Input::Missing };
    let [_, hour, day] = flow.of(FlowKind::Outflow);
    // The last hour's excess dies out within its memory; the day's pace goes on.
    let expected = (hour - day / 24.0).max(0.0) + day * f64::from(horizon_secs) / 86_400.0;
    let exceeded = if withdrawable <= 0.0 {
        f64::from(u8::from(expected > 0.0))
    } else if expected <= 0.0 {
        0.0
    } else {
        normal_tail((withdrawable / expected).ln() / RUN_SPREAD)
    };
    any_known(&[Input::of(exceeded), rarity.map(|rank| 0.5 * strangeness(rank))], CERTAIN)
}

/// Returns how strange a rank is: 0 for one in a hundred or more, 1 for one in ten thousand or less.
pub fn strangeness(rank: f64) -> f64 {
    ramp(-rank.max(1e-9).log10(), 2.0, 4.0)
}

/// Returns the hazard of old data: 0 until `fresh_secs`, 1 from `dead_secs`; an unknown age is as bad as a dead source.
pub fn staleness(age_secs: Input, fresh_secs: f64, dead_secs: f64) -> Input {
    Input::Known(age_secs.known().map_or(1.0, |age| ramp(age, fresh_secs, dead_secs.max(fresh_secs + 1.0))))
}

/// Returns the system's hazard: a logistic of turbulence and of the shift of absorption, 2 % when both are as usual.
pub fn system(stress: Option<&Stress>) -> Input {
    let Some(stress) = stress else { return Input::Missing };
    let logit = -3.9 + 0.8 * stress.turbulence.max(1.0).ln() + 0.35 * stress.absorption_shift.max(0.0);
    Input::of(1.0 / (1.0 + (-logit).exp()))
}

/// Returns the keeper's own hazard: behind by 2 to 16 slots, less than 90 to 40 % landed, peers off by 500 to 3,000 bps,
/// drift of 0.25 to 1. Nothing sent yet and a model without deciles are no hazard; an unknown slot or peer is.
pub fn operations(operations: &Operations) -> Input {
    let behind = operations.slots_behind.map(|slots| ramp(slots, 2.0, 16.0));
    let lost = Input::Known(operations.inclusion().known().map_or(0.0, |share| ramp(1.0 - share, 0.1, 0.6)));
    let apart = operations.disagreement_bps.map(|bps| 0.5 * ramp(bps, 500.0, 3_000.0));
    let drift = Input::Known(operations.drift.known().map_or(0.0, |index| 0.5 * ramp(index, 0.25, 1.0)));
    any_known(&[behind, lost, apart, drift], CERTAIN)
}

#[cfg(test)]
#[path = "hazard_tests.rs"]
mod tests;
