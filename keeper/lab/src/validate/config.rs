//! The file of a configuration: the program's names and units, and nothing that the program would refuse.

use super::report::canonical_hash;
use crate::attack::templates;
use crate::pool::settings::LOAN_UNIT;
use crate::pool::{GuardConfig, OracleLimits, Settings, is_simulated};
use anchor_lang::error::Error as ProgramError;
use rampart::state::asset::{Peg, ReferenceParams, ReferenceSpan};
use rampart::state::flow::FlowLimits;
use rampart::state::guard::HardBounds;
use rampart::state::rule::{Comparator, Metric, Rule, RuleParams, Scope};
use rampart::state::{Level, ReportPart, RiskParams, RiskScale, Standing, Switch, VolatilityScale};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A complete configuration with every section: what `validate --example` prints.
pub const EXAMPLE: &str = include_str!("example.toml");

/// Why a configuration can't be played.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("failed to read {}: {source}: name a file, or start from `rampart lab validate --example`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, a key that isn't known, or a value of the wrong kind.
    #[error("{0}\nhint: keys and units are those of `rampart lab validate --example`")]
    Syntax(Box<toml::de::Error>),
    /// A guard's file that can't be played.
    #[error("{0}")]
    Guard(String),
    /// A value that the program would refuse.
    #[error("`{key}`: {reason}")]
    Refused {
        /// The key, with its section.
        key: String,
        /// Why, and what to do.
        reason: String,
    },
}

/// Returns what a file holds.
///
/// # Errors
/// `Read`.
pub fn text_of(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })
}

/// A guard's configuration with what it has to survive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name in the verdict.
    pub name: String,
    vault: VaultSection,
    reference: ReferenceSection,
    #[serde(default)]
    oracle: OracleLimits,
    /// Outflow limits of the loan; none without.
    flow: Option<FlowSection>,
    /// How the LTV for new risk follows the collateral's volatility; not at all without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scale: Option<ScaleSection>,
    #[serde(default)]
    bounds: BoundsSection,
    #[serde(default, rename = "rule")]
    rules: Vec<RuleSection>,
    /// What is assumed about people.
    #[serde(default)]
    pub pool: Settings,
    /// What is assumed about the market.
    #[serde(default)]
    pub market: MarketSection,
    /// What the configuration has to keep to.
    pub require: Require,
    /// What of the guard isn't played, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
}

/// One vault of a guard, in the program's types.
#[derive(Clone, Debug)]
pub struct Guarded {
    /// The vault's name.
    pub name: String,
    /// Lines, bonuses, close factor, soft band.
    pub risk: RiskParams,
    /// How the collateral's reference is kept.
    pub reference: ReferenceParams,
    /// What the collateral is meant to be worth.
    pub peg: Peg,
    /// Which prices of the collateral count.
    pub oracle: OracleLimits,
    /// Outflow limits of the loan.
    pub flow: FlowLimits,
    /// How limits on new risk follow the market.
    pub scale: RiskScale,
    /// What a position may take out a day while exits are restricted, bps.
    pub exit_floor_bps: u16,
    /// The guard's hard bounds.
    pub bounds: HardBounds,
    /// Rules about the vault and its collateral, by their numbers.
    pub rules: Vec<(u16, RuleParams)>,
    /// Numbers of the rules about the loan.
    pub loan_rules: Vec<u16>,
}

/// Bounds that every case is held to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Require {
    /// Most that a case may lose, bps of the pool's debt at the start.
    pub max_bad_debt_bps: f64,
    /// Most that the mean of all cases may lose, bps.
    pub max_mean_bad_debt_bps: f64,
    /// Most of the time that users may be held up where nothing is wrong, bps.
    pub max_calm_halted_bps: f64,
    /// Most that lenders take out and attackers borrow within an hour, bps of the deposits at the start.
    pub max_hour_out_bps: f64,
    /// What is a crash: a fall from the high of an hour, of a coin with a peg its gap below it, bps.
    pub crash_bps: f64,
    /// Longest that a crash may stand before new risk is closed, seconds, where a keeper runs and sees it.
    pub max_unanswered_secs: u32,
    /// What is a rough hour: one with this volatility, bps.
    pub rough_bps: f64,
    /// Most of the vault's own LTV limit that new risk may be offered in a rough hour, bps of it; closed is nothing.
    pub max_rough_ltv_bps: f64,
    /// Most that a case may be worse, bps: its loss than with the lines alone, and its measures than what it is held against.
    pub max_worse_bps: f64,
    /// Cases that are left out, by name.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// Templates in which a peg breaks.
const BREAKS_A_PEG: [&str; 3] = ["depeg", "usdc-2023", "resolv-usr-2026"];
/// Templates about lenders, or about nothing: a coin with a peg keeps it there.
pub(super) const KEEPS_A_PEG: [&str; 3] = ["calm", "bank-run", "drift-2026"];
/// A peg this far gone is a crash: what docs/rules.md halts a stablecoin's vault at.
const PEG_CRASH_BPS: f64 = 500.0;

impl Require {
    /// Returns what a vault has to keep to whose file doesn't say: the example's bounds, on the cases that its collateral can meet.
    /// A coin with a peg moves when it loses it, so every case of one in which it does is the worst, and the mean is held to no more
    /// than each; its crash is a gap below the peg. One without has no peg to lose, and one that dies leaves every lender a loss.
    ///
    /// # Errors
    /// None that a build with its own example has.
    pub fn of_peg(peg: Peg) -> Result<Self, ConfigError> {
        let of_example = Config::parse(EXAMPLE)?.require;
        if peg == Peg::Unpegged {
            return Ok(of_example);
        }
        let is_met = |name: &&str| BREAKS_A_PEG.contains(name) || KEEPS_A_PEG.contains(name);
        let names = templates().into_iter().map(|template| template.name);
        let exclude = names.filter(|name| !is_met(name)).map(str::to_owned).collect();
        let max_mean_bad_debt_bps = of_example.max_bad_debt_bps;
        Ok(Self { max_mean_bad_debt_bps, crash_bps: PEG_CRASH_BPS, exclude, ..of_example })
    }
}

/// The market that a vault stands in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketSection {
    /// Debt that borrowers want, in median volumes of five minutes.
    pub volumes: f64,
}

impl Default for MarketSection {
    fn default() -> Self {
        Self { volumes: 300.0 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VaultSection {
    min_debt_amount: u64,
    ltv_bps: u16,
    soft_line_bps: u16,
    liquidation_line_bps: u16,
    target_ltv_bps: u16,
    soft_bonus_bps: u16,
    soft_quota_bps: u16,
    min_bonus_bps: u16,
    max_bonus_bps: u16,
    close_factor_bps: u16,
    full_close_ltv_bps: u16,
    borrow_cap_amount: Option<u64>,
    exit_floor_bps: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceSection {
    half_life_secs: u32,
    max_age_secs: u32,
    cell_secs: u32,
    min_samples: u32,
    #[serde(default)]
    is_pegged: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlowSection {
    absolute_floor_amount: u64,
    hourly_bps: u16,
    daily_bps: u16,
    exit_share_bps: u16,
    floor_reserve_bps: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScaleSection {
    span_secs: u32,
    calm_bps: u16,
    slope_bps: u16,
    floor_ltv_bps: u16,
}

/// The guard's hard bounds that parameters are checked against.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct BoundsSection {
    max_rule_duration_secs: u32,
    max_ltv_bps: u16,
    max_bonus_bps: u16,
    max_hourly_outflow_bps: u16,
    max_daily_outflow_bps: u16,
    min_exit_floor_bps: u16,
}

impl Default for BoundsSection {
    fn default() -> Self {
        Self {
            max_rule_duration_secs: 86_400,
            max_ltv_bps: 9_000,
            max_bonus_bps: 1_000,
            max_hourly_outflow_bps: 3_000,
            max_daily_outflow_bps: 6_000,
            min_exit_floor_bps: 50,
        }
    }
}

macro_rules! named {
    ($name:ident of $of:ident { $($variant:ident),+ $(,)? }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        enum $name { $($variant),+ }
        impl From<$name> for u8 {
            fn from(name: $name) -> u8 {
                match name { $($name::$variant => $of::$variant as u8),+ }
            }
        }
        impl $name {
            /// Returns the name of a stored value; nothing where the lab has none for it.
            fn of(value: u8) -> Option<Self> {
                $(if value == $of::$variant as u8 { return Some(Self::$variant); })+
                None
            }
        }
    };
}
named!(MetricName of Metric {
    Drawdown, DeviationFromReference, OracleAge, ConfidenceRatio, OutflowRate, CollateralRatio, RealizedVolatility,
    SourceDisagreement, PegDeviation, SupplyGrowth, InflowRate, Utilisation, ReserveCover, KeeperMedian, KeeperSilence,
    KeeperSpread, VaultShortfall,
});
named!(LevelName of Level { Caution, ReduceOnly, Halt });
named!(SpanName of ReferenceSpan { Short, FourHours, Day });
named!(ScopeName of Scope { Subject, Guard });
named!(ComparatorName of Comparator { Above, Below });

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSection {
    /// Number in messages [default: its place].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<u16>,
    metric: MetricName,
    threshold: u64,
    clear_threshold: u64,
    level: LevelName,
    duration_secs: u32,
    #[serde(default = "one")]
    window_secs: u32,
    #[serde(default)]
    min_persist_secs: u32,
    #[serde(default = "two_minutes")]
    max_gap_secs: u32,
    #[serde(default)]
    min_dwell_secs: u32,
    #[serde(default = "once")]
    min_observations: u16,
    #[serde(default = "both")]
    sources_required: u8,
    #[serde(default = "above")]
    comparator: ComparatorName,
    #[serde(default = "subject")]
    scope: ScopeName,
    #[serde(default = "short")]
    reference_span: SpanName,
}

fn one() -> u32 {
    1
}
fn once() -> u16 {
    1
}
fn both() -> u8 {
    2
}
fn two_minutes() -> u32 {
    120
}
fn above() -> ComparatorName {
    ComparatorName::Above
}
fn subject() -> ScopeName {
    ScopeName::Subject
}
fn short() -> SpanName {
    SpanName::Short
}

impl RuleSection {
    /// Returns the rule as it is written; nothing where it is off, or holds what the lab has no name for.
    fn of(id: u16, params: &RuleParams) -> Option<Self> {
        if params.switch != Switch::Enabled as u8 || params.standing != Standing::Alone as u8 {
            return None;
        }
        Some(Self {
            id: Some(id),
            metric: MetricName::of(params.metric)?,
            threshold: params.threshold,
            clear_threshold: params.clear_threshold,
            level: LevelName::of(params.level)?,
            duration_secs: params.duration_secs,
            window_secs: params.window_secs,
            min_persist_secs: params.min_persist_secs,
            max_gap_secs: params.max_gap_secs,
            min_dwell_secs: params.min_dwell_secs,
            min_observations: params.min_observations,
            sources_required: params.sources_required,
            comparator: ComparatorName::of(params.comparator)?,
            scope: ScopeName::of(params.scope)?,
            reference_span: SpanName::of(params.reference_span)?,
        })
    }

    fn name(&self, at: usize) -> String {
        format!("rule {} ({:?})", self.id.map_or(at + 1, usize::from), self.metric)
    }

    fn params(&self) -> RuleParams {
        RuleParams {
            threshold: self.threshold,
            clear_threshold: self.clear_threshold,
            window_secs: self.window_secs,
            min_persist_secs: self.min_persist_secs,
            max_gap_secs: self.max_gap_secs,
            duration_secs: self.duration_secs,
            min_dwell_secs: self.min_dwell_secs,
            min_observations: self.min_observations,
            sources_required: self.sources_required,
            metric: self.metric.into(),
            comparator: self.comparator.into(),
            level: self.level.into(),
            scope: self.scope.into(),
            switch: Switch::Enabled as u8,
            part: ReportPart::Score as u8,
            reference_span: self.reference_span.into(),
            standing: Standing::Alone as u8,
            bounty: Switch::Disabled as u8,
            reserved: [0; 8],
        }
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// `Read`, `Syntax`, `Refused`.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&text_of(path)?)
    }

    /// Reads and checks a text.
    ///
    /// # Errors
    /// `Syntax`, `Refused`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|source| ConfigError::Syntax(Box::new(source)))?;
        config.check()?;
        Ok(config)
    }

    /// Returns a vault of a guard with what it has to survive.
    ///
    /// # Errors
    /// `Refused` for what the program would refuse.
    pub fn of(guarded: Guarded, require: Require) -> Result<Self, ConfigError> {
        let config = Self::unchecked(guarded, require);
        config.check()?;
        Ok(config)
    }

    /// Returns the same of what the program may refuse, to be compared and not played. Rules are in the order of their numbers, wherever
    /// they come from.
    pub fn unchecked(guarded: Guarded, require: Require) -> Self {
        let left_out = left_out(&guarded);
        let Guarded { name, risk, reference, peg, oracle, flow, scale, exit_floor_bps, bounds, mut rules, .. } =
            guarded;
        rules.sort_by_key(|(id, _)| *id);
        Self {
            name,
            vault: VaultSection::of(&risk, exit_floor_bps),
            reference: ReferenceSection {
                half_life_secs: reference.half_life_secs,
                max_age_secs: reference.max_age_secs,
                cell_secs: reference.cell_secs,
                min_samples: reference.min_samples,
                is_pegged: peg == Peg::UsDollar,
            },
            oracle,
            flow: Some(FlowSection::of(&flow)),
            scale: ScaleSection::of(&scale),
            bounds: BoundsSection::of(&bounds),
            rules: rules.iter().filter_map(|(id, params)| RuleSection::of(*id, params)).collect(),
            pool: Settings::default(),
            market: MarketSection::default(),
            require,
            left_out,
        }
    }

    /// Returns the SHA-256 of all but its name: a guard's file and the chain name the same vault as they like.
    pub fn sha256(&self) -> String {
        canonical_hash(&Self { name: String::new(), ..self.clone() })
    }

    /// Tells whether the pool plays both alike, whatever it leaves out of either. Bounds that parameters are only checked against, and
    /// rules that it can't play, move nothing in it.
    pub fn plays_as(&self, other: &Self) -> bool {
        let played = |config: &Self| {
            let mut guard = config.guard();
            guard.rules.retain(|rule| Metric::try_from(rule.metric).is_ok_and(is_simulated));
            guard
        };
        played(self) == played(other)
    }

    /// Returns the guard in the program's types.
    pub fn guard(&self) -> GuardConfig {
        let ReferenceSection { half_life_secs, max_age_secs, cell_secs, min_samples, is_pegged } = self.reference;
        GuardConfig {
            risk: self.risk(),
            scale: self.risk_scale(),
            reference: ReferenceParams { half_life_secs, max_age_secs, cell_secs, min_samples },
            peg: if is_pegged { Peg::UsDollar } else { Peg::Unpegged },
            oracle: self.oracle,
            flow: self.flow.map(|flow| flow.limits()),
            exit_floor_bps: self.vault.exit_floor_bps,
            borrow_cap: self.vault.borrow_cap_amount.map_or(f64::INFINITY, |amount| amount as f64 / LOAN_UNIT),
            rules: self.rules.iter().map(RuleSection::params).collect(),
            keepers: None,
        }
    }

    /// Returns the rules that the pool can't play, in words.
    pub fn unplayed(&self) -> Vec<String> {
        let is_unplayed = |rule: &RuleSection| !Metric::try_from(u8::from(rule.metric)).is_ok_and(is_simulated);
        let named = self.rules.iter().enumerate().filter(|(_, rule)| is_unplayed(rule));
        named.map(|(at, rule)| rule.name(at)).chain(self.left_out.iter().cloned()).collect()
    }

    fn risk(&self) -> RiskParams {
        let vault = &self.vault;
        RiskParams {
            min_debt_amount: vault.min_debt_amount,
            ltv_bps: vault.ltv_bps,
            soft_line_bps: vault.soft_line_bps,
            liquidation_line_bps: vault.liquidation_line_bps,
            target_ltv_bps: vault.target_ltv_bps,
            soft_bonus_bps: vault.soft_bonus_bps,
            soft_quota_bps: vault.soft_quota_bps,
            min_bonus_bps: vault.min_bonus_bps,
            max_bonus_bps: vault.max_bonus_bps,
            close_factor_bps: vault.close_factor_bps,
            full_close_ltv_bps: vault.full_close_ltv_bps,
            reserved: [0; 4],
        }
    }

    /// What keepers report takes nothing off here.
    fn risk_scale(&self) -> RiskScale {
        let off = RiskScale::off(self.vault.ltv_bps);
        let Some(ScaleSection { span_secs, calm_bps, slope_bps, floor_ltv_bps }) = self.scale else { return off };
        let switch = Switch::Enabled as u8;
        let volatility = VolatilityScale { span_secs, calm_bps, slope_bps, switch, ..off.volatility };
        RiskScale { volatility, floor_ltv_bps, ..off }
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.check_order()?;
        let bounds = self.bounds.hard();
        self.risk().validate(&bounds).map_err(|error| refused("vault", &error))?;
        self.risk_scale().validate().map_err(|error| refused("scale", &error))?;
        if let Some(flow) = self.flow {
            let checked = flow.limits().validate(self.vault.exit_floor_bps, &bounds);
            checked.map_err(|error| refused("flow", &error))?;
        }
        if self.reference.cell_secs == 0 {
            return Err(ConfigError::Refused {
                key: "reference.cell_secs".into(),
                reason: "is zero: a cell of the window has a length, such as 60".into(),
            });
        }
        for (at, rule) in self.rules.iter().enumerate() {
            let key = rule.name(at);
            rule.params().validate(&bounds).map_err(|error| refused(&key, &error))?;
            Rule::validate_window(&rule.params(), self.reference.cell_secs).map_err(|_| ConfigError::Refused {
                key: format!("{key}.window_secs"),
                reason: format!(
                    "{} s is longer than the memory of 64 cells of {} s: raise reference.cell_secs or shorten it",
                    rule.window_secs, self.reference.cell_secs
                ),
            })?;
        }
        Ok(())
    }

    /// The program says that lines are out of order, but not which.
    fn check_order(&self) -> Result<(), ConfigError> {
        let v = &self.vault;
        let pairs = [
            ("vault.ltv_bps", v.ltv_bps + 1, "vault.soft_line_bps", v.soft_line_bps),
            ("vault.soft_line_bps", v.soft_line_bps + 1, "vault.liquidation_line_bps", v.liquidation_line_bps),
            (
                "vault.liquidation_line_bps",
                v.liquidation_line_bps + 1,
                "vault.full_close_ltv_bps",
                v.full_close_ltv_bps,
            ),
            ("vault.target_ltv_bps", v.target_ltv_bps, "vault.soft_line_bps", v.soft_line_bps),
            ("vault.soft_bonus_bps", v.soft_bonus_bps, "vault.min_bonus_bps", v.min_bonus_bps),
            ("vault.min_bonus_bps", v.min_bonus_bps, "vault.max_bonus_bps", v.max_bonus_bps),
        ];
        for (key, least, above, value) in pairs {
            if value < least {
                let reason = format!("must stay below {above}, which is {value}: lower it or raise the other");
                return Err(ConfigError::Refused { key: key.into(), reason });
            }
        }
        Ok(())
    }
}

impl VaultSection {
    fn of(risk: &RiskParams, exit_floor_bps: u16) -> Self {
        Self {
            min_debt_amount: risk.min_debt_amount,
            ltv_bps: risk.ltv_bps,
            soft_line_bps: risk.soft_line_bps,
            liquidation_line_bps: risk.liquidation_line_bps,
            target_ltv_bps: risk.target_ltv_bps,
            soft_bonus_bps: risk.soft_bonus_bps,
            soft_quota_bps: risk.soft_quota_bps,
            min_bonus_bps: risk.min_bonus_bps,
            max_bonus_bps: risk.max_bonus_bps,
            close_factor_bps: risk.close_factor_bps,
            full_close_ltv_bps: risk.full_close_ltv_bps,
            borrow_cap_amount: None,
            exit_floor_bps,
        }
    }
}

impl ScaleSection {
    /// Returns the part that follows volatility; nothing where it is off.
    fn of(scale: &RiskScale) -> Option<Self> {
        let VolatilityScale { span_secs, calm_bps, slope_bps, switch, reserved: _ } = scale.volatility;
        let is_on = switch == Switch::Enabled as u8;
        is_on.then_some(Self { span_secs, calm_bps, slope_bps, floor_ltv_bps: scale.floor_ltv_bps })
    }
}

impl FlowSection {
    fn of(limits: &FlowLimits) -> Self {
        Self {
            absolute_floor_amount: limits.absolute_floor_amount,
            hourly_bps: limits.hourly_bps,
            daily_bps: limits.daily_bps,
            exit_share_bps: limits.exit_share_bps,
            floor_reserve_bps: limits.floor_reserve_bps,
        }
    }

    fn limits(self) -> FlowLimits {
        FlowLimits {
            absolute_floor_amount: self.absolute_floor_amount,
            hourly_bps: self.hourly_bps,
            daily_bps: self.daily_bps,
            exit_share_bps: self.exit_share_bps,
            floor_reserve_bps: self.floor_reserve_bps,
        }
    }
}

impl BoundsSection {
    fn of(bounds: &HardBounds) -> Self {
        Self {
            max_rule_duration_secs: bounds.max_rule_duration_secs,
            max_ltv_bps: bounds.max_ltv_bps,
            max_bonus_bps: bounds.max_bonus_bps,
            max_hourly_outflow_bps: bounds.max_hourly_outflow_bps,
            max_daily_outflow_bps: bounds.max_daily_outflow_bps,
            min_exit_floor_bps: bounds.min_exit_floor_bps,
        }
    }

    fn hard(&self) -> HardBounds {
        HardBounds {
            max_rule_duration_secs: self.max_rule_duration_secs,
            max_ltv_bps: self.max_ltv_bps,
            max_bonus_bps: self.max_bonus_bps,
            max_hourly_outflow_bps: self.max_hourly_outflow_bps,
            max_daily_outflow_bps: self.max_daily_outflow_bps,
            min_exit_floor_bps: self.min_exit_floor_bps,
            ..bytemuck::Zeroable::zeroed()
        }
    }
}

/// What the pool has no part for, with the reason.
fn left_out(guarded: &Guarded) -> Vec<String> {
    let caps = "caps and the limits of collateral (the pool is as large as its market, whatever they are)".to_owned();
    let RiskScale { ltv, cap, .. } = &guarded.scale;
    let reported: Vec<&str> =
        [("ltv", ltv), ("cap", cap)].iter().filter(|(_, scale)| scale.is_on()).map(|(name, _)| *name).collect();
    let scale =
        (!reported.is_empty()).then(|| format!("scale.{} (nobody reports to the pool)", reported.join(" and scale.")));
    let of_loan = guarded.loan_rules.iter().map(|id| (*id, "about the loan, which stands for a dollar"));
    let is_off = |(id, params): &(u16, RuleParams)| RuleSection::of(*id, params).is_none();
    let off = guarded.rules.iter().filter(|rule| is_off(rule)).map(|(id, _)| (*id, "off, or part of a group only"));
    let mut rules: Vec<(u16, &str)> = of_loan.chain(off).collect();
    rules.sort_unstable();
    let rules = rules.iter().map(|(id, why)| format!("rule {id} ({why})"));
    std::iter::once(caps).chain(scale).chain(rules).collect()
}

fn refused(key: &str, error: &ProgramError) -> ConfigError {
    let reason = match error {
        ProgramError::AnchorError(error) => {
            format!("the program refuses it with {}: {}", error.error_name, error.error_msg)
        }
        ProgramError::ProgramError(error) => format!("the program refuses it: {}", error.program_error),
    };
    ConfigError::Refused {
        key: key.into(),
        reason: format!("{reason}; see docs/rules.md and `rampart lab validate --example`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(from: &str, to: &str) -> String {
        assert!(EXAMPLE.contains(from), "the example has `{from}`");
        Config::parse(&EXAMPLE.replacen(from, to, 1)).unwrap_err().to_string()
    }

    fn guarded() -> Guarded {
        let example = Config::parse(EXAMPLE).unwrap();
        let guard = example.guard();
        let off = RuleParams { switch: Switch::Disabled as u8, ..guard.rules[0] };
        Guarded {
            name: example.name,
            risk: guard.risk,
            reference: guard.reference,
            peg: guard.peg,
            oracle: guard.oracle,
            flow: guard.flow.unwrap(),
            scale: guard.scale,
            exit_floor_bps: guard.exit_floor_bps,
            bounds: BoundsSection::default().hard(),
            rules: guard.rules.iter().enumerate().map(|(at, rule)| (at as u16 + 1, *rule)).chain([(9, off)]).collect(),
            loan_rules: vec![7],
        }
    }

    #[test]
    fn example_is_a_configuration_that_the_program_takes() {
        let config = Config::parse(EXAMPLE).unwrap();
        assert!(config.rules.len() >= 2 && config.unplayed().is_empty());
    }

    #[test]
    fn unknown_key_is_named_with_its_line() {
        let error = error_of("soft_quota_bps", "soft_qouta_bps");
        assert!(error.contains("soft_qouta_bps") && error.contains("line"), "{error}");
    }

    #[test]
    fn lines_out_of_order_name_both_keys() {
        let error = error_of("soft_line_bps = 7_600", "soft_line_bps = 8_100");
        assert!(error.contains("`vault.soft_line_bps`") && error.contains("vault.liquidation_line_bps"), "{error}");
    }

    #[test]
    fn vault_of_a_guard_is_played_as_it_is_written_and_what_is_left_out_is_named() {
        let mut example = Config::parse(EXAMPLE).unwrap();
        let (guard, guarded) = (example.guard(), guarded());
        let config = Config::of(guarded, Require::of_peg(Peg::Unpegged).unwrap()).unwrap();
        let caps = "caps and the limits of collateral (the pool is as large as its market, whatever they are)";
        let rules = ["rule 7 (about the loan, which stands for a dollar)", "rule 9 (off, or part of a group only)"];
        assert_eq!(config.unplayed(), [&[caps][..], &rules].concat());
        assert_eq!(config.guard(), guard);
        // its example's own, but for the numbers of rules
        assert_eq!(config.require, example.require);
        example.rules.iter_mut().zip(1..).for_each(|(rule, id)| rule.id = Some(id));
        assert_eq!(Config { left_out: vec![], ..config }, example);
        let pegged = Require::of_peg(Peg::UsDollar).unwrap();
        assert!(
            pegged.exclude.iter().any(|name| name == "flash-crash")
                && !pegged.exclude.iter().any(|name| name == "depeg")
        );
    }

    #[test]
    fn name_and_order_of_rules_are_no_part_of_the_hash_and_the_scale_is() {
        let first = guarded();
        let rules = first.rules.iter().rev().copied().collect();
        let config = |guarded: Guarded| Config::of(guarded, Require::of_peg(Peg::Unpegged).unwrap()).unwrap();
        let renamed = Guarded { name: "another".into(), rules, ..first.clone() };
        assert_eq!(config(renamed).sha256(), config(first.clone()).sha256());
        let mut steeper = first.clone();
        steeper.scale.volatility.slope_bps += 1;
        assert_ne!(config(steeper.clone()).sha256(), config(first.clone()).sha256());
        assert!(!config(steeper).plays_as(&config(first.clone())));
        // what keepers report is named, and not played
        let mut reported = first.clone();
        (reported.scale.ltv.switch, reported.scale.cap.switch) = (Switch::Enabled as u8, Switch::Enabled as u8);
        let reported = config(reported);
        assert!(reported.unplayed().contains(&"scale.ltv and scale.cap (nobody reports to the pool)".to_owned()));
        assert_ne!(reported.sha256(), config(first.clone()).sha256());
        assert!(reported.plays_as(&config(first)));
    }

    #[test]
    fn rule_that_the_program_refuses_is_named_with_the_programs_reason() {
        let error = error_of("clear_threshold = 800", "clear_threshold = 1_700");
        assert!(error.contains("rule 1 (Drawdown)") && error.contains("RuleInvalid"), "{error}");
    }

    #[test]
    fn window_beyond_the_memory_names_the_next_step() {
        let error = error_of("window_secs = 3_600", "window_secs = 7_200");
        assert!(error.contains("rule 1 (Drawdown).window_secs") && error.contains("cell_secs"), "{error}");
    }
}
