//! Parameters that the suites start from; a test changes the one that it is about.

use crate::officers::Officer;
use rampart::RegisterAssetArgs;
use rampart::math::price::Q64_ONE;
use rampart::mint::Issuer;
use rampart::state::asset::{Peg, ReferenceParams, ReferenceSpan};
use rampart::state::flow::FlowLimits;
use rampart::state::guard::{HardBounds, Roles};
use rampart::state::rule::{Comparator, Metric, RuleParams, Scope};
use rampart::state::{AggregateParams, InflowLimits, InterestCurve, Level, OracleSet};
use rampart::state::{ReportPart, RiskParams, Standing, Switch, VaultLimits};
use rampart_client::Pubkey;

/// One dollar, in U64.64.
pub const DOLLAR_Q64: u128 = Q64_ONE;
/// One USDC in base units.
pub const USDC: u64 = 1_000_000;
/// One SOL in lamports.
pub const SOL: u64 = 1_000_000_000;

/// Roles of distinct keys, with two guardians.
pub fn roles(root: Pubkey, risk_admin: Pubkey) -> Roles {
    let mut guardians = [Pubkey::default(); 8];
    guardians[0] = Officer::FirstGuardian.address();
    guardians[1] = Officer::SecondGuardian.address();
    Roles {
        root,
        risk_admin,
        resetter: Officer::Resetter.address(),
        vetoer: Officer::Vetoer.address(),
        guardians,
        guardian_count: 2,
        guardian_quorum: 2,
        reserved: [0; 6],
    }
}

/// Wide but binding bounds.
pub fn bounds() -> HardBounds {
    HardBounds {
        max_oracle_age_secs: 120,
        max_rule_duration_secs: 86_400,
        min_loosen_delay_secs: 172_800,
        max_execution_window_secs: 259_200,
        max_pause_secs: 21_600,
        max_guardian_pause_secs: 43_200,
        max_guard_pause_secs: 172_800,
        quorum_reserve_secs: 86_400,
        min_warm_up_secs: 0,
        max_confidence_bps: 500,
        max_hourly_outflow_bps: 3_000,
        max_daily_outflow_bps: 6_000,
        min_exit_floor_bps: 50,
        max_ltv_bps: 9_000,
        max_bonus_bps: 1_000,
        max_effect_bps: 2_500,
        max_tighten_step_bps: 10_000,
        max_slippage_bps: 500,
        max_swap_loss_bps: 100,
        reserved: [0; 8],
    }
}

/// A reference that is warm after three observations.
pub fn reference() -> ReferenceParams {
    ReferenceParams { half_life_secs: 300, max_age_secs: 3_600, cell_secs: 60, min_samples: 3 }
}

/// An asset that is worth what the market says, of an issuer without powers, with nothing standing by.
pub fn asset_args(oracle: OracleSet) -> RegisterAssetArgs {
    RegisterAssetArgs {
        oracle,
        reference: reference(),
        standby: None,
        peg: Peg::Unpegged as u8,
        issuer: Issuer::Powerless as u8,
        warm_up_secs: 0,
    }
}

/// Borrow to 70 %, deleverage from 75 %, liquidate from 80 %.
pub fn risk() -> RiskParams {
    RiskParams {
        min_debt_amount: 10 * USDC,
        ltv_bps: 7_000,
        soft_line_bps: 7_500,
        liquidation_line_bps: 8_000,
        target_ltv_bps: 7_000,
        soft_bonus_bps: 100,
        soft_quota_bps: 1_000,
        min_bonus_bps: 300,
        max_bonus_bps: 800,
        close_factor_bps: 2_500,
        full_close_ltv_bps: 9_500,
        reserved: [0; 4],
    }
}

/// 10 % at the kink of 80 %, 100 % at full utilisation, a tenth kept against bad debt.
pub fn curve() -> InterestCurve {
    InterestCurve {
        base_rate_bps: 0,
        kink_rate_bps: 1_000,
        max_rate_bps: 10_000,
        kink_bps: 8_000,
        reserve_factor_bps: 1_000,
    }
}

/// Limits with an absolute floor of `absolute_floor_amount`.
pub fn flow(absolute_floor_amount: u64) -> FlowLimits {
    FlowLimits {
        absolute_floor_amount,
        hourly_bps: 2_000,
        daily_bps: 4_000,
        exit_share_bps: 6_000,
        floor_reserve_bps: 4_000,
    }
}

/// Limits on new collateral of at least `absolute_floor_amount`.
pub fn inflow(absolute_floor_amount: u64) -> InflowLimits {
    InflowLimits { absolute_floor_amount, hourly_bps: 5_000, daily_bps: 10_000, reserved: [0; 4] }
}

/// Ten million dollars a day, of which half may be leased at once, and of that each vault half.
pub fn aggregate() -> AggregateParams {
    AggregateParams {
        limit_micro_usd: 10_000_000 * USDC,
        window_secs: 86_400,
        vault_share_bps: 5_000,
        switch: Switch::Enabled as u8,
        reserved: [0; 1],
    }
}

/// Caps far away and an hourly limit of one million USDC and 100,000 SOL.
pub fn limits() -> VaultLimits {
    VaultLimits {
        supply_cap_amount: 100_000_000 * USDC,
        borrow_cap_amount: 80_000_000 * USDC,
        collateral_cap_amount: 1_000_000 * SOL,
        loan_flow: flow(1_000_000 * USDC),
        collateral_flow: flow(100_000 * SOL),
        exit_floor_bps: 100,
        reserved: [0; 6],
        inflow: inflow(1_000_000 * SOL),
    }
}

/// True at once on a fall of 10 % within ten minutes, proved by two sources: level ReduceOnly on the asset for an hour.
pub fn drawdown_rule() -> RuleParams {
    RuleParams {
        threshold: 1_000,
        clear_threshold: 500,
        window_secs: 600,
        min_persist_secs: 0,
        max_gap_secs: 120,
        duration_secs: 3_600,
        min_dwell_secs: 300,
        min_observations: 1,
        sources_required: 2,
        metric: Metric::Drawdown as u8,
        comparator: Comparator::Above as u8,
        level: Level::ReduceOnly as u8,
        scope: Scope::Subject as u8,
        switch: Switch::Enabled as u8,
        part: ReportPart::Score as u8,
        reference_span: ReferenceSpan::Short as u8,
        standing: Standing::Alone as u8,
        bounty: Switch::Disabled as u8,
        reserved: [0; 8],
    }
}
