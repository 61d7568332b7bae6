//! Parameters that are plain structs.

use super::{
    ComparatorName, Digest, Key, LevelName, MetricName, Part, PartName, PinName, RateName, ScopeName, SourceName,
    SpanName, StandingName, SwitchName, Unknown,
};
use bytemuck::Zeroable;
use rampart::state::asset::ReferenceParams;
use rampart::state::flow::FlowLimits;
use rampart::state::rule::RuleParams;
use rampart::state::{
    AggregateParams, HardBounds, InflowLimits, InterestCurve, KeeperScale, OracleSource, RateSource, RiskParams,
    RiskScale, VaultLimits, VolatilityScale,
};
use serde::{Deserialize, Serialize};

macro_rules! spec {
    ($(#[$doc:meta])* $name:ident of $chain:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),+ } zeros { $($zero:ident),* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(
                #[doc = concat!("As the program's `", stringify!($chain), "::", stringify!($field), "`.")]
                $(#[$attr])*
                pub $field: $kind,
            )+
        }

        impl Part<$chain> for $name {
            fn of(value: &$chain) -> Result<Self, Unknown> {
                Ok(Self { $($field: Part::of(&value.$field)?),+ })
            }

            fn value(&self) -> $chain {
                $chain { $($field: self.$field.value(),)+ $($zero: Zeroable::zeroed(),)* }
            }
        }
    };
}

spec!(
    /// When a position may borrow, is deleveraged and liquidated.
    RiskSpec of RiskParams {
        ltv_bps: u16, soft_line_bps: u16, liquidation_line_bps: u16, full_close_ltv_bps: u16, target_ltv_bps: u16,
        soft_bonus_bps: u16, soft_quota_bps: u16, min_bonus_bps: u16, max_bonus_bps: u16, close_factor_bps: u16,
        min_debt_amount: u64
    } zeros { reserved }
);
spec!(
    /// Interest by utilisation.
    CurveSpec of InterestCurve {
        base_rate_bps: u32, kink_rate_bps: u32, max_rate_bps: u32, kink_bps: u16, reserve_factor_bps: u16
    } zeros {}
);
spec!(
    /// Outflow limits of one mint.
    FlowSpec of FlowLimits {
        absolute_floor_amount: u64, hourly_bps: u16, daily_bps: u16, exit_share_bps: u16, floor_reserve_bps: u16
    } zeros {}
);
spec!(
    /// Limits on new collateral.
    InflowSpec of InflowLimits {
        absolute_floor_amount: u64, hourly_bps: u16, daily_bps: u16
    } zeros { reserved }
);
spec!(
    /// Caps and outflow limits of a vault.
    LimitsSpec of VaultLimits {
        supply_cap_amount: u64, borrow_cap_amount: u64, collateral_cap_amount: u64, exit_floor_bps: u16,
        loan_flow: FlowSpec, collateral_flow: FlowSpec, inflow: InflowSpec
    } zeros { reserved }
);
spec!(
    /// How volatility takes off the loan-to-value limit.
    VolatilitySpec of VolatilityScale {
        switch: SwitchName, span_secs: u32, calm_bps: u16, slope_bps: u16
    } zeros { reserved }
);
spec!(
    /// How keepers' reports take off a limit.
    KeeperScaleSpec of KeeperScale {
        switch: SwitchName, part: PartName, calm_bps: u16, slope_bps: u16, hour_bps: u16, day_bps: u16
    } zeros { reserved }
);
spec!(
    /// How limits on new risk follow the market.
    ScaleSpec of RiskScale {
        floor_ltv_bps: u16, floor_cap_bps: u16, volatility: VolatilitySpec, ltv: KeeperScaleSpec, cap: KeeperScaleSpec
    } zeros {}
);
spec!(
    /// The dollar limit over all vaults.
    AggregateSpec of AggregateParams {
        switch: SwitchName, limit_micro_usd: u64, window_secs: u32, vault_share_bps: u16
    } zeros { reserved }
);
spec!(
    /// What a rule demands.
    RuleSpec of RuleParams {
        metric: MetricName, comparator: ComparatorName, threshold: u64, clear_threshold: u64, level: LevelName,
        #[serde(default)] scope: ScopeName,
        switch: SwitchName, window_secs: u32, min_persist_secs: u32, min_observations: u16, max_gap_secs: u32,
        duration_secs: u32, min_dwell_secs: u32, sources_required: u8,
        #[serde(default)] part: PartName,
        #[serde(default)] reference_span: SpanName,
        #[serde(default)] standing: StandingName,
        #[serde(default)] bounty: SwitchName
    } zeros { reserved }
);
spec!(
    /// How the price reference of an asset is kept.
    ReferenceSpec of ReferenceParams {
        half_life_secs: u32, max_age_secs: u32, cell_secs: u32, min_samples: u32
    } zeros {}
);
spec!(
    /// One price source.
    SourceSpec of OracleSource {
        kind: SourceName, pin: PinName, program: Key,
        #[serde(default)] account: Key,
        #[serde(default)] feed_id: Digest,
        publisher: u8, max_age_secs: u32, max_confidence_bps: u16
    } zeros { reserved }
);
spec!(
    /// The exchange rate that prices are multiplied with.
    RateSpec of RateSource {
        kind: RateName, account: Key, snapshot_e9: u64, snapshot_ts: i64, max_growth_bps: u16, max_age_epochs: u8
    } zeros { reserved }
);
spec!(
    /// Floors and ceilings of a guard.
    BoundsSpec of HardBounds {
        max_oracle_age_secs: u32, max_rule_duration_secs: u32, min_loosen_delay_secs: u32,
        max_execution_window_secs: u32, max_pause_secs: u32, max_guardian_pause_secs: u32, max_guard_pause_secs: u32,
        quorum_reserve_secs: u32, min_warm_up_secs: u32, max_confidence_bps: u16, max_hourly_outflow_bps: u16,
        max_daily_outflow_bps: u16, min_exit_floor_bps: u16, max_ltv_bps: u16, max_bonus_bps: u16, max_effect_bps: u16,
        max_tighten_step_bps: u16, max_slippage_bps: u16, max_swap_loss_bps: u16
    } zeros { reserved }
);
