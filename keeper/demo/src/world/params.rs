//! What the demo's guard, assets, vaults and rules demand.

use crate::world::{Coin, RuleOf, SOURCES, VAULTS, cast::Cast, pool, vault_name};
use rampart::SetKeepersArgs;
use rampart::constants::{MAX_GUARDIANS, MAX_SOURCES, RESERVE_ASSETS};
use rampart::oracle::{PYTH_RECEIVER, SWITCHBOARD_ON_DEMAND};
use rampart::state::RateSource;
use rampart::state::asset::{Peg, ReferenceParams, ReferenceSpan};
use rampart::state::flow::FlowLimits;
use rampart::state::keeper_set::KeeperLimits;
use rampart::state::oracle_set::OracleSource;
use rampart::state::rule::RuleParams;
use rampart::state::{
    Comparator, CoverCaps, HardBounds, InflowLimits, InterestCurve, KeeperRole, KeeperSeat, Level, Metric, OracleSet,
    Pin, Prefix, Purpose, ReportPart, ReservePlan, RiskParams, RiskScale, Roles, Scope, SourceKind, Standing,
    SwapCaller, SwapParams, Switch, VaultLimits,
};
use rampart_client::{MintOf, Pubkey, VaultKeys, address};

/// Number of the demo's guard.
pub const GUARD_ID: u16 = 1;
/// One USDC, base units.
pub const USDC: u64 = 1_000_000;
/// What each lender lends, base units of USDC.
pub const LENT_AMOUNT: u64 = 2_000_000 * USDC;
/// Length of a cell of the window memory, seconds.
pub const CELL_SECS: u32 = 60;
/// Observations before a reference counts.
pub const WARM_SAMPLES: u32 = 10;
/// The window of the drawdown rules, seconds.
pub const DRAWDOWN_SECS: u32 = 900;

/// Number of the guard's swap policy.
pub const POLICY_ID: u16 = 1;
/// What the reserve holds, in the order of its plan; the last is its quote asset, the first the one that is scored.
pub const BASKET: [Coin; 2] = [Coin::Sol, Coin::Usdc];
/// What the reserve holds of each at the start, US dollars.
pub const RESERVE_USD: f64 = 1_000_000.0;

/// Pyth feed ids, by [`Coin`]: those of SOL/USD, BTC/USD and USDC/USD.
pub const FEED_IDS: [[u8; 32]; 3] = [
    hex32(b"ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d"),
    hex32(b"e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"),
    hex32(b"eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a"),
];

const fn hex32(text: &[u8; 64]) -> [u8; 32] {
    const fn digit(c: u8) -> u8 {
        if c <= b'9' { c - b'0' } else { c - b'a' + 10 }
    }
    let mut out = [0; 32];
    let mut i = 0;
    while i < 32 {
        out[i] = digit(text[2 * i]) * 16 + digit(text[2 * i + 1]);
        i += 1;
    }
    out
}

/// Hard bounds of the guard.
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

/// Roles of the guard: every one a key of its own.
pub fn roles(cast: &Cast) -> Roles {
    let [resetter, vetoer, first, second] = cast.officers.each_ref().map(|officer| officer.key());
    let mut guardians = [Pubkey::default(); MAX_GUARDIANS];
    (guardians[0], guardians[1]) = (first, second);
    Roles {
        root: cast.root.key(),
        risk_admin: cast.risk_admin.key(),
        resetter,
        vetoer,
        guardians,
        guardian_count: 2,
        guardian_quorum: 2,
        reserved: [0; 6],
    }
}

/// Two sources that both have to be fresh, narrow and in agreement.
pub fn oracle_set(coin: Coin, accounts: [Pubkey; SOURCES]) -> OracleSet {
    let source = |kind: SourceKind, program: Pubkey, account: Pubkey, publisher: u8, feed_id: [u8; 32]| OracleSource {
        program,
        account,
        feed_id,
        max_age_secs: 90,
        max_confidence_bps: 200,
        kind: kind as u8,
        pin: Pin::Account as u8,
        publisher,
        reserved: [0; 7],
    };
    let pyth = source(SourceKind::Pyth, PYTH_RECEIVER, accounts[0], 1, FEED_IDS[coin.index()]);
    let switchboard = source(SourceKind::Switchboard, SWITCHBOARD_ON_DEMAND, accounts[1], 2, [0; 32]);
    let unused = OracleSource { program: Pubkey::default(), account: Pubkey::default(), ..switchboard };
    let mut sources =
        [OracleSource { kind: 0, pin: 0, publisher: 0, max_age_secs: 0, max_confidence_bps: 0, ..unused }; MAX_SOURCES];
    (sources[0], sources[1]) = (pyth, switchboard);
    OracleSet { sources, count: 2, required: 2, max_disagree_bps: 150, reserved: [0; 4], rate: RateSource::UNRATED }
}

/// What a coin is meant to be worth.
pub fn peg(coin: Coin) -> u8 {
    (if coin == Coin::Usdc { Peg::UsDollar } else { Peg::Unpegged }) as u8
}

/// How every reference is kept.
pub fn reference() -> ReferenceParams {
    ReferenceParams { half_life_secs: 300, max_age_secs: 1_800, cell_secs: CELL_SECS, min_samples: WARM_SAMPLES }
}

/// Borrow to 75 %, deleverage from 78 %, liquidate from 83 %.
pub fn risk() -> RiskParams {
    RiskParams {
        min_debt_amount: 100 * USDC,
        ltv_bps: 7_500,
        soft_line_bps: 7_800,
        liquidation_line_bps: 8_300,
        target_ltv_bps: 7_000,
        soft_bonus_bps: 100,
        soft_quota_bps: 2_000,
        min_bonus_bps: 300,
        max_bonus_bps: 800,
        close_factor_bps: 5_000,
        full_close_ltv_bps: 9_300,
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

/// A fifth of the day's base an hour, two fifths a day; never less than `absolute_floor_amount`.
pub fn flow(absolute_floor_amount: u64) -> FlowLimits {
    FlowLimits {
        absolute_floor_amount,
        hourly_bps: 2_000,
        daily_bps: 4_000,
        exit_share_bps: 6_000,
        floor_reserve_bps: 4_000,
    }
}

/// Absolute floors of the limiters of a vault: loan, then collateral.
#[derive(Clone, Copy, Debug)]
pub struct Floors {
    /// Base units of the loan mint.
    pub loan_amount: u64,
    /// Base units of the collateral mint.
    pub collateral_amount: u64,
}

impl Floors {
    /// Wide enough for all borrowers to borrow on the first day, when a limiter has no base yet.
    pub fn opening() -> Self {
        Self { loan_amount: 80_000_000 * USDC, collateral_amount: u64::MAX / 100_000 }
    }

    /// What stays in force for a vault that holds this much: the hour's share of it, the least that the program takes.
    pub fn in_force(lent_amount: u64, collateral_amount: u64) -> Self {
        // a tenth of a percent above, for the interest of the moment
        let share = |amount: u64| amount / 10_000 * u64::from(flow(0).hourly_bps) / 999 * 1_000 + 10_000;
        Self { loan_amount: share(lent_amount), collateral_amount: share(collateral_amount) }
    }
}

/// Caps and outflow limits.
pub fn limits(floors: Floors) -> VaultLimits {
    VaultLimits {
        supply_cap_amount: 50_000_000 * USDC,
        borrow_cap_amount: 40_000_000 * USDC,
        collateral_cap_amount: u64::MAX / 4,
        loan_flow: flow(floors.loan_amount),
        collateral_flow: flow(floors.collateral_amount),
        exit_floor_bps: 100,
        reserved: [0; 6],
        // the demo's borrowers all come at once
        inflow: InflowLimits {
            absolute_floor_amount: u64::MAX / 4,
            hourly_bps: 5_000,
            daily_bps: 10_000,
            reserved: [0; 4],
        },
    }
}

/// The limit on new risk that follows the collateral's own volatility: calm up to 2 % an hour, then twice what is beyond,
/// down to 50 %.
pub fn scale(mut scale: RiskScale) -> RiskScale {
    (scale.volatility.switch, scale.volatility.slope_bps) = (Switch::Enabled as u8, 20_000);
    scale.floor_ltv_bps = 5_000;
    scale
}

/// Half SOL, half USDC in a calm market; all USDC at a halt. Bad debt is covered with 50,000 USDC a vault.
pub fn reserve_plan() -> ReservePlan {
    let mut weights_bps = [[0; 4]; RESERVE_ASSETS];
    weights_bps[0] = [5_000, 2_500, 1_000, 0];
    weights_bps[1] = [5_000, 7_500, 9_000, 10_000];
    let mut cover = [CoverCaps::default(); RESERVE_ASSETS];
    cover[1] = CoverCaps { vault_amount: 50_000 * USDC, day_amount: 80_000 * USDC, life_amount: 200_000 * USDC };
    ReservePlan { weights_bps, cover, min_improvement_bps: 100, count: 2, quote: 1, scored: 0, reserved: [0; 3] }
}

/// The policy once it is enabled: half a million dollars a swap, five million a day, of which 20,000 may be lost; a rebalance every two minutes.
pub fn swap_policy() -> SwapParams {
    let mut prefixes = [Prefix::default(); 8];
    prefixes[0] = Prefix { bytes: [pool::SWAP, 0, 0, 0, 0, 0, 0, 0], len: 1 };
    SwapParams {
        program: pool::TOKEN_SWAP,
        prefixes,
        max_swap_micro_usd: 500_000 * USDC,
        max_day_micro_usd: 5_000_000 * USDC,
        loss_day_micro_usd: 20_000 * USDC,
        two_sources_micro_usd: 100_000 * USDC,
        cooldown_secs: 120,
        max_oracle_age_secs: 30,
        max_slippage_bps: 100,
        prefix_count: 1,
        purpose: Purpose::Both as u8,
        caller: SwapCaller::Anyone as u8,
        switch: Switch::Enabled as u8,
        reserved: [0; 2],
    }
}

/// The three keepers, each with a source of its own; a report counts for five minutes.
pub fn keepers(cast: &Cast) -> SetKeepersArgs {
    let seat = |(key, tag): (&crate::world::cast::Key, u16)| KeeperSeat {
        key: key.key(),
        source_tag: tag,
        role: KeeperRole::Reporter as u8,
    };
    let limits = KeeperLimits { max_age_secs: 300, max_spread_bps: 2_000 };
    SetKeepersArgs { members: cast.keepers.iter().zip(0..).map(seat).collect(), limits }
}

/// What a rule is about.
#[derive(Clone, Copy, Debug)]
enum About {
    Coin(Coin),
    Vault(usize),
}

/// The rules of the demo, in the order of their numbers.
fn book() -> Vec<(About, &'static str, RuleParams)> {
    let mut book = Vec::new();
    for coin in VAULTS {
        book.push((About::Coin(coin), "drawdown", rule(Metric::Drawdown, Level::ReduceOnly, (1_200, 600))));
        book.push((
            About::Coin(coin),
            "deviation from reference",
            rule(Metric::DeviationFromReference, Level::ReduceOnly, (1_000, 500)),
        ));
    }
    book.push((
        About::Coin(Coin::Usdc),
        "deviation from reference",
        rule(Metric::DeviationFromReference, Level::ReduceOnly, (150, 75)),
    ));
    for coin in Coin::ALL {
        book.push((About::Coin(coin), "oracle age", rule(Metric::OracleAge, Level::Caution, (60, 30))));
        book.push((About::Coin(coin), "confidence", rule(Metric::ConfidenceRatio, Level::Caution, (150, 75))));
    }
    for coin in VAULTS {
        book.push((About::Coin(coin), "keepers' score", rule(Metric::KeeperMedian, Level::Caution, (5_000, 2_500))));
    }
    for vault in 0..VAULTS.len() {
        book.push((About::Vault(vault), "outflow rate", rule(Metric::OutflowRate, Level::ReduceOnly, (300, 150))));
        book.push((
            About::Vault(vault),
            "collateral ratio",
            rule(Metric::CollateralRatio, Level::Halt, (13_000, 14_000)),
        ));
    }
    book
}

fn rule(metric: Metric, level: Level, lines: (u64, u64)) -> RuleParams {
    let is_price = matches!(metric, Metric::DeviationFromReference | Metric::CollateralRatio);
    let window_secs = match metric {
        Metric::Drawdown => DRAWDOWN_SECS,
        Metric::OutflowRate => 3_600,
        _ => 1,
    };
    RuleParams {
        threshold: lines.0,
        clear_threshold: lines.1,
        window_secs,
        // a drawdown has its persistence in the window; what hangs on one print has to hold for two, and a score that rises
        // while somebody starts has to stand for a while
        min_persist_secs: match metric {
            Metric::KeeperMedian => 12,
            _ if is_price => 4,
            _ => 0,
        },
        max_gap_secs: 120,
        duration_secs: 1_800,
        min_dwell_secs: 300,
        min_observations: if is_price || metric == Metric::KeeperMedian { 2 } else { 1 },
        sources_required: if (metric.is_about_asset() && !metric.is_reported()) || metric == Metric::CollateralRatio {
            2
        } else {
            1
        },
        metric: metric as u8,
        comparator: if metric == Metric::CollateralRatio { Comparator::Below } else { Comparator::Above } as u8,
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

/// Returns every rule with its address and name.
pub fn rules(guard: Pubkey, mints: &[MintOf; 3], vaults: &[VaultKeys; 2]) -> Vec<RuleOf> {
    let numbered = book().into_iter().zip(1u16..);
    numbered
        .map(|((about, name, _), id)| {
            let key = address::rule(&guard, id);
            match about {
                About::Coin(coin) => {
                    let subject = address::asset(&guard, &mints[coin.index()].mint);
                    RuleOf { key, name: format!("{} {name}", coin.symbol()), subject, vault: None, coin: Some(coin) }
                }
                About::Vault(at) => {
                    let name = format!("{} {name}", vault_name(at));
                    RuleOf { key, name, subject: vaults[at].vault, vault: Some(at), coin: None }
                }
            }
        })
        .collect()
}

/// Returns the parameters of every rule, in the order of their numbers.
pub fn rule_params() -> Vec<RuleParams> {
    book().into_iter().map(|(_, _, params)| params).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_pass_the_programs_own_checks() {
        let (bounds, accounts) = (bounds(), [Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32])]);
        bounds.validate().unwrap();
        risk().validate(&bounds).unwrap();
        curve().validate().unwrap();
        limits(Floors::opening()).validate(&bounds).unwrap();
        scale(RiskScale::off(risk().ltv_bps)).validate().unwrap();
        reserve_plan().validate().unwrap();
        swap_policy().validate(&bounds).unwrap();
        limits(Floors::in_force(1_000_000, 1_000_000)).validate(&bounds).unwrap();
        rule_params().iter().for_each(|params| params.validate(&bounds).unwrap());
        Coin::ALL.iter().for_each(|coin| oracle_set(*coin, accounts).validate(&bounds).unwrap());
        roles(&Cast::from_seed(1)).validate().unwrap();
    }

    #[test]
    fn feed_ids_are_decoded() {
        assert_eq!((FEED_IDS[0][0], FEED_IDS[0][31], FEED_IDS[2][0]), (0xef, 0x6d, 0xea));
    }
}
