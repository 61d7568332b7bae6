//! Vaults: books, prices, limits and positions.

use crate::assess::VaultReport;
use crate::view::amounts::{level_name, pair_price};
use crate::view::build::{Builder, Inputs};
use crate::view::build_asset::{reason_of, state_of};
use crate::view::{
    BucketView, BudgetsView, CauseView, GaugeView, LimitsView, LinesView, PairPriceView, PositionsView, TotalsView,
    VaultView,
};
use crate::watch::index::sweep::{BAR_BPS, Tally};
use anchor_lang::prelude::Pubkey;
use rampart::math::Bps;
use rampart::state::flow::{Budget, FlowLimits, OutflowLimiter};
use rampart::state::{Level, Levels, Vault};

pub(super) fn build(builder: &Builder, inputs: Inputs, key: &Pubkey, stored: &Vault) -> VaultView {
    let now_ts = inputs.assessment.now.unix_ts;
    let report = inputs.assessment.vaults.get(key);
    // amounts as of now: interest accrued as the next instruction will
    let vault = report.map_or(stored, |r| &r.accrued);
    let levels = report.map_or(Levels::all(Level::Halt), |r| r.levels);
    let utilisation = vault.utilisation().unwrap_or_default();
    VaultView {
        address: key.to_string(),
        name: builder.vault_name(inputs.store, key),
        collateral_asset: vault.collateral_asset.to_string(),
        loan_asset: vault.loan_asset.to_string(),
        level: levels.risk as u8,
        level_name: level_name(levels.risk).to_owned(),
        exit_level: levels.exit as u8,
        own_level: vault.breaker.level_at(now_ts) as u8,
        causes: causes(builder, inputs, vault),
        cash_amount: vault.cash_amount.to_string(),
        debt_amount: vault.debt_amount().unwrap_or_default().to_string(),
        lenders_amount: vault.lenders_amount().unwrap_or_default().to_string(),
        insurance_amount: vault.insurance_amount.to_string(),
        collateral_amount: vault.collateral_amount.to_string(),
        utilisation_bps: utilisation.0,
        rate_bps: vault.curve.rate_bps(utilisation),
        supply_cap_amount: vault.limits.supply_cap_amount.to_string(),
        borrow_cap_amount: vault.limits.borrow_cap_amount.to_string(),
        collateral_cap_amount: vault.limits.collateral_cap_amount.to_string(),
        loan_decimals: vault.loan_decimals,
        collateral_decimals: vault.collateral_decimals,
        price: report.map_or_else(PairPriceView::default, price),
        lines: LinesView {
            ltv_bps: vault.risk.ltv_bps,
            soft_line_bps: vault.risk.soft_line_bps,
            liquidation_line_bps: vault.risk.liquidation_line_bps,
        },
        limits: LimitsView {
            loan: budgets(&vault.loan_flow, &vault.limits.loan_flow, now_ts),
            collateral: budgets(&vault.collateral_flow, &vault.limits.collateral_flow, now_ts),
        },
        exit_floor_bps: vault.limits.exit_floor_bps,
        positions: inputs.tallies.get(key).map_or_else(PositionsView::default, positions),
        totals: totals(vault),
    }
}

fn causes(builder: &Builder, inputs: Inputs, vault: &Vault) -> Vec<CauseView> {
    let assets = [vault.collateral_asset, vault.loan_asset];
    let breakers = assets.iter().filter_map(|a| inputs.store.asset(a)).map(|a| &a.breaker);
    let guard = inputs.store.guard().map(|g| &g.breaker);
    let all = guard.into_iter().chain([&vault.breaker]).chain(breakers);
    all.flat_map(|breaker| builder.causes(inputs, breaker)).collect()
}

fn price(report: &VaultReport) -> PairPriceView {
    let pair = report.pair.ok().map(|(pair, _)| pair);
    let shown = |p| pair_price(p, report.accrued.collateral_decimals, report.accrued.loan_decimals);
    PairPriceView {
        state: state_of(pair.is_some()),
        reason: report.pair.err().map(reason_of),
        lo: pair.map(|p| shown(p.lo)),
        hi: pair.map(|p| shown(p.hi)),
    }
}

fn budgets(flow: &OutflowLimiter, limits: &FlowLimits, now_ts: i64) -> BudgetsView {
    let mut flow = *flow;
    flow.base.settle(now_ts);
    let whole = |bps: u16| part(flow.base.amount, bps).max(limits.absolute_floor_amount);
    let (hour, day) = (whole(limits.hourly_bps), whole(limits.daily_bps));
    let (exit_hour, exit_day) = (part(hour, limits.exit_share_bps), part(day, limits.exit_share_bps));
    BudgetsView {
        exit: gauge(flow.exit, exit_hour, exit_day, now_ts),
        risk: gauge(flow.risk, hour.saturating_sub(exit_hour), day.saturating_sub(exit_day), now_ts),
    }
}

/// The bucket of an hour holds half of its limit; the other half leaks out within the hour.
fn gauge(mut budget: Budget, hour_limit: u64, day_limit: u64, now_ts: i64) -> GaugeView {
    budget.hour.settle(now_ts, hour_limit);
    budget.day.settle(now_ts);
    GaugeView {
        hour_used_amount: (hour_limit / 2).saturating_sub(budget.hour.room(0)).to_string(),
        hour_limit_amount: (hour_limit / 2).to_string(),
        day_used_amount: budget.day.total().to_string(),
        day_limit_amount: day_limit.to_string(),
    }
}

fn part(amount: u64, bps: u16) -> u64 {
    Bps(bps.into()).of_floor(amount.into()).and_then(|a| u64::try_from(a).ok()).unwrap_or(amount)
}

fn positions(tally: &Tally) -> PositionsView {
    let bar = |(at, (count, debt)): (u32, &(u64, u128))| BucketView {
        ltv_from_bps: at * BAR_BPS,
        ltv_to_bps: (at + 1) * BAR_BPS,
        count: *count,
        debt_amount: debt.to_string(),
    };
    PositionsView {
        count: tally.count,
        borrowers: tally.borrowers,
        soft: tally.soft,
        liquidatable: tally.liquidatable,
        declined: 0,
        histogram: (0..).zip(&tally.bars).map(bar).collect(),
    }
}

fn totals(vault: &Vault) -> TotalsView {
    let totals = &vault.totals;
    TotalsView {
        supplied_amount: totals.supplied_amount.to_string(),
        withdrawn_amount: totals.withdrawn_amount.to_string(),
        borrowed_amount: totals.borrowed_amount.to_string(),
        repaid_amount: totals.repaid_amount.to_string(),
        liquidated_amount: totals.liquidated_amount.to_string(),
        seized_amount: totals.seized_amount.to_string(),
        bad_debt_amount: totals.bad_debt_amount.to_string(),
        insured_amount: totals.insured_amount.to_string(),
    }
}
