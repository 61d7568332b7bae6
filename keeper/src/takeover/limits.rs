//! What rulers allow, by name: higher is looser.

use anchor_lang::prelude::Pubkey;
use rampart::state::{
    AggregateLimit, Comparator, CoverCaps, FlowCap, Guard, Integration, Reserve, Rule, SwapPolicy, Switch, Vault,
};

/// A limit and its name.
pub(super) type Limit = (String, u64);

/// What may come into, be in and leave a vault, and what may be borrowed.
pub(super) fn of_vault(key: &Pubkey, vault: &Vault) -> Vec<Limit> {
    let limits = &vault.limits;
    let of = [
        ("supply cap", limits.supply_cap_amount),
        ("borrow cap", limits.borrow_cap_amount),
        ("collateral cap", limits.collateral_cap_amount),
        ("hourly outflow of the loan mint", limits.loan_flow.hourly_bps.into()),
        ("daily outflow of the loan mint", limits.loan_flow.daily_bps.into()),
        ("outflow floor of the loan mint", limits.loan_flow.absolute_floor_amount),
        ("hourly outflow of the collateral mint", limits.collateral_flow.hourly_bps.into()),
        ("daily outflow of the collateral mint", limits.collateral_flow.daily_bps.into()),
        ("outflow floor of the collateral mint", limits.collateral_flow.absolute_floor_amount),
        ("hourly inflow", limits.inflow.hourly_bps.into()),
        ("daily inflow", limits.inflow.daily_bps.into()),
        ("inflow floor", limits.inflow.absolute_floor_amount),
        ("loan-to-value limit", vault.risk.ltv_bps.into()),
        ("liquidation line", vault.risk.liquidation_line_bps.into()),
    ];
    of.into_iter().map(|(name, value)| (format!("{name} of vault {key}"), value)).collect()
}

/// What an integration may let out.
pub(super) fn of_integration(key: &Pubkey, integration: &Integration) -> Vec<Limit> {
    let lanes = ["exits", "new risk", "floor"].into_iter().zip(integration.caps.all());
    lanes.flat_map(|(lane, cap)| of_cap(lane, cap, key)).collect()
}

fn of_cap(lane: &str, cap: &FlowCap, key: &Pubkey) -> [Limit; 4] {
    let of = [
        ("hourly amount", cap.hourly_amount),
        ("daily amount", cap.daily_amount),
        ("hourly share", cap.hourly_bps.into()),
        ("daily share", cap.daily_bps.into()),
    ];
    of.map(|(name, value)| (format!("{name} of {lane} of integration {key}"), value))
}

/// What may be swapped and lost by a policy; nothing while it is switched off.
pub(super) fn of_policy(key: &Pubkey, policy: &SwapPolicy) -> Vec<Limit> {
    let params = &policy.params;
    let is_on = params.switch == Switch::Enabled as u8;
    let of = [
        ("largest swap", params.max_swap_micro_usd),
        ("daily swaps", params.max_day_micro_usd),
        ("daily loss", params.loss_day_micro_usd),
        ("worth without a second source", params.two_sources_micro_usd),
        ("slippage", params.max_slippage_bps.into()),
        ("oldest price", params.max_oracle_age_secs.into()),
        ("pace", u64::from(u32::MAX - params.cooldown_secs)),
    ];
    of.into_iter()
        .map(|(name, value)| (format!("{name} of swap policy {key}"), if is_on { value } else { 0 }))
        .collect()
}

/// What may leave all vaults together: anything where the limit is not in force. Nothing is said of one that is not known.
pub(super) fn of_aggregate(guard: &Guard, aggregate: Option<&AggregateLimit>) -> Vec<Limit> {
    let (limit, share) = match aggregate {
        _ if !guard.has_aggregate_in_force() => (u64::MAX, u64::MAX),
        Some(aggregate) => (aggregate.params.limit_micro_usd, aggregate.params.vault_share_bps.into()),
        None => return Vec::new(),
    };
    vec![("dollar limit of all vaults".into(), limit), ("share of one vault in the dollar limit".into(), share)]
}

/// How much of the reserve is at risk, what it pays, and what governance may take out of it.
pub(super) fn of_reserve(reserve: &Reserve) -> Vec<Limit> {
    let plan = &reserve.plan;
    let mut limits = vec![("grant of the reserve".into(), reserve.grant.amount)];
    let places = reserve.active().iter().zip(plan.weights_bps.iter().zip(&plan.cover)).enumerate();
    for (place, (held, (weights, cover))) in places {
        // the more of the basket is in the quote asset, the less is at risk: the others say as much
        if place != usize::from(plan.quote) {
            limits.extend((0..).zip(weights).map(|(level, weight)| {
                (format!("reserve's weight of asset {} at level {level}", held.asset), u64::from(*weight))
            }));
        }
        limits.extend(of_cover(cover, &held.asset));
    }
    limits
}

fn of_cover(cover: &CoverCaps, asset: &Pubkey) -> [Limit; 3] {
    let of = [("for a vault", cover.vault_amount), ("within a day", cover.day_amount), ("ever", cover.life_amount)];
    of.map(|(name, value)| (format!("reserve's cover {name} in asset {asset}"), value))
}

/// A rule that fires above its threshold is looser the higher that is, the other way round below.
pub(super) fn of_rule(rule: &Rule) -> u64 {
    let is_below = rule.params.comparator == Comparator::Below as u8;
    if is_below { u64::MAX - rule.params.threshold } else { rule.params.threshold }
}
