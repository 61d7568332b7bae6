//! The tiles of a situation: what a linear policy sees.

use super::{Action, Shield};
use serde::{Deserialize, Serialize};
use solana_sha256_hasher::hash;

/// Number of tiles.
pub const TILES: usize = 22;

/// Names of the tiles, in order.
pub const SITUATION: [&str; TILES] = [
    "one",
    "p_market >= 0.02",
    "p_market >= 0.05",
    "p_market >= 0.15",
    "p_market >= 0.35",
    "p_liquidity >= 0.1",
    "p_liquidity >= 0.4",
    "p_oracle >= 0.2",
    "p_run >= 0.1",
    "p_run >= 0.4",
    "score rose by 500 or more in 30 minutes",
    "score fell by 500 or more in 30 minutes",
    "share of debt within 5 % of its line",
    "share of debt within 10 % of its line",
    "share of debt within 20 % of its line",
    "ln(1 + debt / depth) / ln(1001)",
    "LTV: share of the range that is used up",
    "caps: share of the range that is used up",
    "hedge: share of its bound",
    "halted",
    "half-life of 30 minutes since the last action",
    "share of the halt budget that is left",
];

/// What is known when a policy decides. A probability that isn't known is 1: unknown is never normal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Situation {
    /// Probability that the price falls through the buffer.
    pub p_market: f64,
    /// Probability that the exit costs more than the bonus.
    pub p_liquidity: f64,
    /// Probability that the price isn't the market's.
    pub p_oracle: f64,
    /// Probability that more wants to leave than can.
    pub p_run: f64,
    /// Change of the score within 30 minutes, in units of the score.
    pub slope: f64,
    /// Shares of the debt within 5, 10 and 20 % of their liquidation line.
    pub near: [f64; 3],
    /// Debt over what the books take within 2 %, both in loan units.
    pub debt_to_depth: f64,
}

impl Situation {
    /// Returns the tiles of the situation under `shield` at `now_ts`, each from 0 to 1.
    pub fn tiles(&self, shield: &Shield, now_ts: i64) -> [f64; TILES] {
        let (stance, bounds) = (shield.stance(), shield.bounds());
        let reached = |value: f64, threshold: f64| if value.is_nan() || value >= threshold { 1.0 } else { 0.0 };
        let is_true = |claim: bool| if claim { 1.0 } else { 0.0 };
        let used = |value: u16, low: u16, high: u16| {
            f64::from(high.saturating_sub(value)) / f64::from(high.saturating_sub(low).max(1))
        };
        let since = shield.since_last_action(now_ts).map_or(0.0, |secs| 0.5f64.powf(secs as f64 / 1_800.0));
        let left = f64::from(shield.halt_budget_left(now_ts)) / f64::from(bounds.halt_budget_secs.max(1));
        let crowded = (1.0 + self.debt_to_depth.max(0.0)).ln() / 1_001f64.ln();
        [
            1.0,
            reached(self.p_market, 0.02),
            reached(self.p_market, 0.05),
            reached(self.p_market, 0.15),
            reached(self.p_market, 0.35),
            reached(self.p_liquidity, 0.1),
            reached(self.p_liquidity, 0.4),
            reached(self.p_oracle, 0.2),
            reached(self.p_run, 0.1),
            reached(self.p_run, 0.4),
            is_true(self.slope.is_nan() || self.slope >= 500.0),
            is_true(self.slope <= -500.0),
            share(self.near[0]),
            share(self.near[1]),
            share(self.near[2]),
            share(crowded),
            used(stance.ltv_bps, bounds.ltv_min_bps, bounds.ltv_max_bps),
            used(stance.caps_bps, bounds.caps_min_bps, bounds.caps_max_bps),
            f64::from(stance.hedge_bps) / f64::from(bounds.hedge_max_bps.max(1)),
            is_true(stance.is_halted(now_ts)),
            since,
            left,
        ]
    }
}

/// A share within 0 and 1; what isn't a number counts as all.
fn share(value: f64) -> f64 {
    if value.is_nan() { 1.0 } else { value.clamp(0.0, 1.0) }
}

/// Returns the SHA-256 of the names of tiles and actions, hexadecimal: a policy of other ones is refused.
pub fn situation_schema_hex() -> String {
    let names = SITUATION.map(str::to_owned).into_iter().chain(Action::ALL.map(|action| format!("{action:?}")));
    hex::encode(hash(names.collect::<Vec<_>>().join("\n").as_bytes()).to_bytes())
}
