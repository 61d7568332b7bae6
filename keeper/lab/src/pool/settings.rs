//! What a pool and its guard are set to: the program's own parameters, and what is assumed about the people around them.

use super::keepers::KeeperConfig;
use rampart::math::Price;
use rampart::math::price::Q64_ONE;
use rampart::state::asset::{Peg, ReferenceParams, ReferenceSpan};
use rampart::state::flow::FlowLimits;
use rampart::state::rule::{Comparator, Metric, RuleParams, Scope};
use rampart::state::{Level, ReportPart, RiskParams, RiskScale, Standing, Switch};
use serde::{Deserialize, Serialize};

/// Decimals of the collateral mint.
pub const COLLATERAL_DECIMALS: u8 = 9;
/// Decimals of the loan mint.
pub const LOAN_DECIMALS: u8 = 6;
/// Base units of one whole token of the loan mint.
pub const LOAN_UNIT: f64 = 1e6;

/// Returns a vault's price as whole tokens of the loan for one of collateral.
pub fn whole_tokens(pair: Price) -> f64 {
    pair.q64() as f64 / Q64_ONE as f64 * 10f64.powi(i32::from(COLLATERAL_DECIMALS) - i32::from(LOAN_DECIMALS))
}

/// How borrowers, liquidators and keepers behave. Assumed, not measured: results name them, and a sweep varies them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Debt that borrowers want at full offered LTV, whole tokens of the loan.
    pub target_debt: f64,
    /// What lenders have put in, whole tokens of the loan.
    pub deposits: f64,
    /// Share of the gap to the target that is borrowed within a day.
    pub refill_per_day: f64,
    /// Share of the debt that is repaid within a day.
    pub repay_per_day: f64,
    /// How far below the limit borrowers stay, in e-folds of LTV: the share at x below it falls as `exp(-x / this)`.
    pub spread: f64,
    /// Debt of one position, whole tokens of the loan: decides what counts as dust.
    pub position: f64,
    /// Share of the market's volume that liquidators can sell into.
    pub market_share: f64,
    /// Y of the square-root law `impact = spread / 2 + Y · daily volatility · sqrt(sold / daily volume)`.
    pub impact: f64,
    /// How long after a rule is proved true, or a policy has decided, it takes effect, seconds; less than a step is at once.
    pub latency_secs: u32,
    /// How often keepers observe within a step, seconds.
    pub cadence_secs: u32,
    /// What a policy may halt within any 30 days, seconds.
    pub halt_budget_secs: u32,
    /// Share of the first debt that one position at the limit holds. The scenario's and no assumption, so no file sets it.
    #[serde(skip)]
    pub concentration: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            target_debt: 10e6,
            deposits: 12.5e6,
            refill_per_day: 0.5,
            repay_per_day: 0.03,
            spread: 0.15,
            position: 10_000.0,
            market_share: 0.10,
            impact: 1.0,
            latency_secs: 5,
            cadence_secs: 10,
            halt_budget_secs: 12_960,
            concentration: 0.0,
        }
    }
}

/// Which prices count, as an asset's oracle set says it. Two sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OracleLimits {
    /// How many of both sources must be usable and agree.
    pub required: u8,
    /// The oldest publish time that counts, seconds before now.
    pub max_age_secs: u32,
    /// The widest confidence that counts, bps of the price.
    pub max_confidence_bps: u16,
    /// The widest gap between both sources, bps of the lower.
    pub max_disagree_bps: u16,
}

impl Default for OracleLimits {
    fn default() -> Self {
        Self { required: 2, max_age_secs: 90, max_confidence_bps: 200, max_disagree_bps: 100 }
    }
}

/// A guard's configuration, in the program's own types.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardConfig {
    /// Lines, bonuses, close factor, soft band.
    pub risk: RiskParams,
    /// How limits on new risk follow volatility, and what keepers report.
    pub scale: RiskScale,
    /// How the price reference and the window memory are kept.
    pub reference: ReferenceParams,
    /// What the collateral is meant to be worth.
    pub peg: Peg,
    /// Which prices count.
    pub oracle: OracleLimits,
    /// Outflow limits of the loan; none for a pool without.
    pub flow: Option<FlowLimits>,
    /// What a position may take out a day while exits are restricted, bps.
    pub exit_floor_bps: u16,
    /// The most that may be borrowed, whole tokens of the loan.
    pub borrow_cap: f64,
    /// Rules.
    pub rules: Vec<RuleParams>,
    /// Who reports about the collateral; where nobody does, rules and scales about reports do nothing.
    pub keepers: Option<KeeperConfig>,
}

impl GuardConfig {
    /// Returns a pool without rules, limits or soft deleveraging: borrow to 75 %, liquidate from 80 %.
    pub fn unguarded() -> Self {
        Self {
            risk: risk_params(7_500, 8_000),
            scale: RiskScale::off(7_500),
            reference: ReferenceParams { half_life_secs: 1_800, max_age_secs: 3_600, cell_secs: 300, min_samples: 3 },
            peg: Peg::Unpegged,
            oracle: OracleLimits::default(),
            flow: None,
            exit_floor_bps: 50,
            borrow_cap: f64::INFINITY,
            rules: Vec::new(),
            keepers: None,
        }
    }

    /// Returns the same lines with nothing that defends them: no rules, limits, cap, scale or soft deleveraging.
    pub fn without_defences(&self) -> Self {
        let scale = RiskScale::off(self.risk.ltv_bps);
        let bare =
            Self { scale, rules: Vec::new(), flow: None, borrow_cap: f64::INFINITY, keepers: None, ..self.clone() };
        Self { risk: without_soft(&bare.risk), ..bare }
    }

    /// Returns the same with another LTV for new risk, bps; the target of liquidations follows it.
    pub fn with_ltv(mut self, ltv_bps: u16) -> Self {
        self.risk.ltv_bps = ltv_bps;
        self.risk.target_ltv_bps = self.risk.target_ltv_bps.min(ltv_bps);
        self
    }

    /// Returns the same with a band of soft deleveraging from `soft_line_bps` on: `quota_bps` of the debt an hour at 1 %.
    pub fn with_soft(mut self, soft_line_bps: u16, quota_bps: u16) -> Self {
        self.risk.soft_line_bps = soft_line_bps;
        self.risk.soft_quota_bps = quota_bps;
        self.risk.soft_bonus_bps = 100;
        self
    }

    /// Returns the same with an LTV for new risk that follows volatility as `scale` says.
    pub fn with_scale(mut self, scale: RiskScale) -> Self {
        self.scale = scale;
        self
    }

    /// Returns the same with keepers that report.
    pub fn with_keepers(mut self, keepers: KeeperConfig) -> Self {
        self.keepers = Some(keepers);
        self
    }

    /// Returns the same with one more rule.
    pub fn with_rule(mut self, rule: RuleParams) -> Self {
        self.rules.push(rule);
        self
    }
}

/// Returns lines with the bonus ramp of the program's defaults (3 % to 8 %), and a soft band that is as good as closed.
pub fn risk_params(ltv_bps: u16, liquidation_line_bps: u16) -> RiskParams {
    RiskParams {
        min_debt_amount: 10 * LOAN_UNIT as u64,
        ltv_bps,
        soft_line_bps: liquidation_line_bps - 1,
        liquidation_line_bps,
        target_ltv_bps: ltv_bps.min(7_000),
        soft_bonus_bps: 100,
        soft_quota_bps: 1,
        min_bonus_bps: 300,
        max_bonus_bps: 800,
        close_factor_bps: 2_500,
        full_close_ltv_bps: 9_500,
        reserved: [0; 4],
    }
}

/// Returns a rule on the fall from the window's high: two sources, one observation, an hour, clear at half.
pub fn drawdown_rule(threshold_bps: u64, window_secs: u32, level: Level) -> RuleParams {
    RuleParams {
        threshold: threshold_bps,
        clear_threshold: threshold_bps / 2,
        window_secs,
        min_persist_secs: 0,
        max_gap_secs: 900,
        duration_secs: 3_600,
        min_dwell_secs: 900,
        min_observations: 1,
        sources_required: 2,
        metric: Metric::Drawdown as u8,
        comparator: Comparator::Above as u8,
        level: level as u8,
        scope: Scope::Subject as u8,
        switch: Switch::Enabled as u8,
        part: ReportPart::Score as u8,
        reference_span: ReferenceSpan::Short as u8,
        standing: Standing::Alone as u8,
        bounty: Switch::Disabled as u8,
        reserved: [0; 8],
    }
}

/// Returns the same lines with a soft band that is as good as closed.
pub fn without_soft(risk: &RiskParams) -> RiskParams {
    RiskParams { soft_line_bps: risk.liquidation_line_bps - 1, soft_quota_bps: 1, ..*risk }
}
