//! The policies that need no training.

use super::{Contender, Policy, Volatility};
use crate::attack::{Scenario, Tick};
use crate::pool::settings::drawdown_rule;
use crate::pool::{Controls, GuardConfig, KeeperConfig, Pool};
use crate::validate::{Config, EXAMPLE};
use rampart::state::asset::ReferenceParams;
use rampart::state::rule::{Metric, RuleParams};
use rampart::state::{KeeperScale, Level, RiskScale, Switch, VolatilityScale};

/// Seconds between two decisions.
const DECISION_SECS: i64 = 300;
/// The lowest LTV that scaling offers, as a share of the vault's.
const FLOOR: f64 = 0.6;
/// How far a clairvoyant sees, seconds.
const FORESIGHT_SECS: i64 = 4 * 3_600;

/// The two drawdown rules that docs/rules.md starts a SOL vault with, at its closest window for a grid of 5-minute steps.
pub fn default_rules() -> [RuleParams; 2] {
    let halt = RuleParams { clear_threshold: 1_600, ..drawdown_rule(2_700, 3_600, Level::Halt) };
    [drawdown_rule(1_600, 3_600, Level::ReduceOnly), halt]
}

/// How `deploy/guards/sol.toml` lets the LTV for new risk follow the volatility of an hour: what is beyond 3 % comes off, to 55 %.
pub fn volatility_scale() -> RiskScale {
    let off = RiskScale::off(5_500);
    let volatility =
        VolatilityScale { span_secs: 3_600, calm_bps: 300, switch: Switch::Enabled as u8, ..off.volatility };
    RiskScale { volatility, ..off }
}

/// How the limit for new risk follows what keepers report of volatility: from 3.2 % a day on it loses one and a half times what is
/// beyond, to 60 % of it, which is near the formula of [`Scaled`] at two standard deviations. The steps are the
/// program's own, narrower than those of `deploy/guards/sol.toml`: at most 5 % within an hour and 15 % within a day.
pub fn keeper_scale() -> RiskScale {
    let off = RiskScale::off(4_500);
    let ltv = KeeperScale { calm_bps: 320, slope_bps: 15_000, switch: Switch::Enabled as u8, ..off.ltv };
    RiskScale { ltv, ..off }
}

/// A rule on the median of the scores that keepers report: 60 % forbid new risk, until 40 %.
pub fn median_rule() -> RuleParams {
    RuleParams {
        threshold: 6_000,
        clear_threshold: 4_000,
        metric: Metric::KeeperMedian as u8,
        window_secs: 1,
        ..drawdown_rule(6_000, 1, Level::ReduceOnly)
    }
}

/// All that a guard has at once, as `rampart lab validate --example` prints it and the templates of `deploy/guards` do: a lower LTV,
/// limits on what leaves, rules, soft deleveraging and the scale by volatility. Its window has cells of five minutes, as recorded
/// markets have steps: of cells of a minute they would fill one in five, and what isn't seen takes all of the scale.
pub fn whole_guard() -> GuardConfig {
    // CANNOT fail: a test reads the example
    let guard = Config::parse(EXAMPLE).map_or_else(|_| GuardConfig::unguarded(), |config| config.guard());
    let reference = ReferenceParams { cell_secs: DECISION_SECS as u32, ..guard.reference };
    GuardConfig { reference, ..guard }
}

/// A guard that nobody tunes while it runs.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// Name in tables.
    pub name: String,
    /// The guard.
    pub guard: GuardConfig,
}

impl Policy for () {
    fn decide(&mut self, _: &Tick, _: &Pool) -> Option<Controls> {
        None
    }
}

impl Contender for Fixed {
    fn name(&self) -> &str {
        &self.name
    }

    fn guard(&self) -> GuardConfig {
        self.guard.clone()
    }

    fn start(&self, _: &Scenario) -> Box<dyn Policy> {
        Box::new(())
    }
}

/// Offers less LTV as volatility rises: what falls by `z` standard deviations within a day stays below the line. A formula of the lab's
/// over a keeper's volatility, with half-lives of 6 h and 24 h; the program's own scale is [`volatility_scale`].
#[derive(Clone, Debug)]
pub struct Scaled {
    /// Name in tables.
    pub name: String,
    /// The guard.
    pub guard: GuardConfig,
    /// Standard deviations of a day.
    pub z: f64,
}

struct Scaling {
    z: f64,
    volatility: Volatility,
    due_ts: i64,
}

impl Scaling {
    fn new(z: f64) -> Self {
        Self { z, volatility: Volatility::default(), due_ts: i64::MIN }
    }
}

impl Policy for Scaling {
    fn decide(&mut self, tick: &Tick, pool: &Pool) -> Option<Controls> {
        self.volatility.push(tick.ts, pool.price()?);
        if tick.ts < self.due_ts {
            return None;
        }
        self.due_ts = tick.ts + DECISION_SECS;
        let base = *pool.base_controls();
        let line = f64::from(pool.defence().risk().liquidation_line_bps);
        // a volatility that isn't known yet offers the least
        let offered = self.volatility.day().map_or(0.0, |day| line * (-self.z * day).exp());
        let ltv_bps = offered.clamp(FLOOR * f64::from(base.ltv_bps), f64::from(base.ltv_bps)) as u16;
        Some(Controls { ltv_bps, ..base })
    }
}

impl Contender for Scaled {
    fn name(&self) -> &str {
        &self.name
    }

    fn guard(&self) -> GuardConfig {
        self.guard.clone()
    }

    fn start(&self, _: &Scenario) -> Box<dyn Policy> {
        Box::new(Scaling::new(self.z))
    }
}

/// Scaled by volatility, and knowing the lowest price of the next four hours: a bound for whoever works with the same levers, not
/// a policy.
#[derive(Clone, Debug)]
pub struct Clairvoyant {
    /// The guard.
    pub guard: GuardConfig,
    /// Standard deviations of a day.
    pub z: f64,
}

struct Foresight {
    scaling: Scaling,
    /// Lowest true price within the foresight, by step.
    lows: Vec<f64>,
    at: usize,
}

impl Policy for Foresight {
    fn decide(&mut self, tick: &Tick, pool: &Pool) -> Option<Controls> {
        let low = self.lows.get(self.at).copied().unwrap_or(tick.truth);
        self.at += 1;
        let mut controls = self.scaling.decide(tick, pool)?;
        let line = f64::from(pool.defence().risk().liquidation_line_bps);
        // nobody borrows what the fall ahead would bring to the line
        controls.ltv_bps = controls.ltv_bps.min((line * low / tick.truth * 0.98) as u16);
        Some(controls)
    }
}

impl Contender for Clairvoyant {
    fn name(&self) -> &str {
        "clairvoyant (4 h)"
    }

    fn guard(&self) -> GuardConfig {
        self.guard.clone()
    }

    fn start(&self, scenario: &Scenario) -> Box<dyn Policy> {
        let steps = (FORESIGHT_SECS / i64::from(scenario.step_secs.max(1))) as usize;
        let path: Vec<f64> = scenario.ticks.iter().map(|tick| tick.truth).collect();
        let lows = crate::backtest::lows_ahead(&path, steps);
        Box::new(Foresight { scaling: Scaling::new(self.z), lows, at: 0 })
    }
}

/// Returns every contender that needs neither training nor tuning; the first is no guard, the second the static default.
pub fn standard() -> Vec<Box<dyn Contender>> {
    let bare = GuardConfig::unguarded();
    let ruled = default_rules().into_iter().fold(bare.clone(), GuardConfig::with_rule);
    let soft = ruled.clone().with_soft(7_600, 1_000);
    let [ruled_scaled, soft_scaled] = [&ruled, &soft].map(|guard| guard.clone().with_scale(volatility_scale()));
    let reported = |guard: &GuardConfig| guard.clone().with_scale(keeper_scale()).with_keepers(KeeperConfig::of(5));
    let whole = whole_guard();
    let [ruled_reported, soft_reported] = [&ruled, &soft].map(reported);
    let floor_ltv_bps = whole.scale.floor_ltv_bps;
    let by_both = RiskScale { volatility: whole.scale.volatility, floor_ltv_bps, ..keeper_scale() };
    let whole_reported = whole.clone().with_scale(by_both).with_keepers(KeeperConfig::of(5));
    let fixed = |name: &str, guard: &GuardConfig| -> Box<dyn Contender> {
        Box::new(Fixed { name: name.into(), guard: guard.clone() })
    };
    let scaled = |name: &str, guard: &GuardConfig| -> Box<dyn Contender> {
        Box::new(Scaled { name: name.into(), guard: guard.clone(), z: 2.0 })
    };
    vec![
        fixed("no guard", &bare),
        fixed("static default", &ruled),
        fixed("volatility-scaled LTV", &ruled_scaled),
        fixed("LTV by the keepers' median", &ruled_reported),
        scaled("LTV by the lab's EWMA", &ruled),
        fixed("soft deleverage", &soft),
        fixed("volatility-scaled + soft", &soft_scaled),
        fixed("LTV by the keepers' median + soft", &soft_reported),
        scaled("LTV by the lab's EWMA + soft", &soft),
        fixed("whole guard", &whole),
        fixed("whole guard, keepers' median", &whole_reported),
        Box::new(Clairvoyant { guard: soft, z: 2.0 }),
    ]
}

/// Returns the configurations among which the static rules are tuned: LTV, threshold and window of a drawdown rule.
pub fn tuned_grid() -> Vec<Fixed> {
    let mut grid = Vec::new();
    for ltv_bps in [7_500, 7_250, 7_000, 6_750, 6_500] {
        for (threshold, window_secs) in
            [(800, 14_400), (1_200, 14_400), (1_600, 14_400), (800, 3_600), (1_200, 3_600), (1_600, 3_600)]
        {
            let rule = drawdown_rule(threshold, window_secs, Level::ReduceOnly);
            let name = format!("static {ltv_bps}, {threshold} bps in {} h", window_secs / 3_600);
            grid.push(Fixed { name, guard: GuardConfig::unguarded().with_ltv(ltv_bps).with_rule(rule) });
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_guard_has_every_line_of_defence() {
        let guard = whole_guard();
        assert!(guard.flow.is_some() && guard.rules.len() == 3 && guard.risk.soft_quota_bps > 0);
        assert_eq!(guard.scale.volatility, volatility_scale().volatility);
        let names: Vec<String> = standard().iter().map(|contender| contender.name().to_owned()).collect();
        assert!(names.iter().any(|name| name == "whole guard, keepers' median"), "{names:?}");
    }

    #[test]
    fn volatility_scale_is_that_of_the_guard_file_for_sol() {
        let file: toml::Table = include_str!("../../../../deploy/guards/sol.toml").parse().unwrap();
        let scale = &file["vault"][0]["scale"];
        let number = |of: &toml::Value, key: &str| of[key].as_integer().unwrap();
        let RiskScale { volatility, floor_ltv_bps, .. } = volatility_scale();
        let ours: [i64; 3] = [volatility.span_secs.into(), volatility.calm_bps.into(), volatility.slope_bps.into()];
        assert_eq!(ours, ["span_secs", "calm_bps", "slope_bps"].map(|key| number(&scale["volatility"], key)));
        assert_eq!(i64::from(floor_ltv_bps), number(scale, "floor_ltv_bps"));
        assert!(volatility_scale().validate().is_ok());
        let reported = keeper_scale().ltv;
        let files = ["hour_bps", "day_bps"].map(|key| number(&scale["ltv"], key));
        assert!(i64::from(reported.hour_bps) <= files[0] && i64::from(reported.day_bps) <= files[1]);
        assert!(keeper_scale().validate().is_ok());
    }
}
