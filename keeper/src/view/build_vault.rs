//! Vaults: books, prices, limits and positions.

use crate::assess::VaultReport;
use crate::view::amounts::{level_name, pair_price};
use crate::view::build::{Builder, Inputs};
use crate::view::build_asset::{reason_of, state_of};
use crate::view::room::Room;
use crate::view::{BucketView, CauseView, LimitsView, LinesView, PairPriceView, PositionsView, TotalsView, VaultView};
use crate::watch::index::sweep::{BAR_BPS, Tally};
use anchor_lang::prelude::Pubkey;
use rampart::instructions::shared::PairPrices;
use rampart::math::Price;
use rampart::risk::health::price_for_new_risk;
use rampart::state::{Asset, Leaving, Level, Levels, Vault};

pub(super) fn build(builder: &Builder, inputs: Inputs, key: &Pubkey, stored: &Vault) -> VaultView {
    let now_ts = inputs.assessment.now.unix_ts;
    let report = inputs.assessment.vaults.get(key);
    // amounts as of now: interest accrued as the next instruction will
    let vault = report.map_or(stored, |r| &r.accrued);
    let levels = report.map_or(Levels::all(Level::Halt), |r| r.levels);
    let utilisation = vault.utilisation().unwrap_or_default();
    let room = Room { guard: inputs.store.guard(), vault, levels, now_ts };
    let (ltv_now_bps, price_now) = new_risk(inputs, vault);
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
        price_for_new_risk: price_now.map(|p| pair_price(p, vault.collateral_decimals, vault.loan_decimals)),
        ltv_now_bps,
        borrow_index_q64: report.map(|r| r.accrued.borrow_index_q64.get().to_string()),
        lines: LinesView {
            ltv_bps: vault.risk.ltv_bps,
            soft_line_bps: vault.risk.soft_line_bps,
            liquidation_line_bps: vault.risk.liquidation_line_bps,
        },
        limits: LimitsView { loan: room.of(Leaving::Loan), collateral: room.of(Leaving::Collateral) },
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

/// Limit and price at which the program judges new risk now; nothing where it would refuse for want of one.
fn new_risk(inputs: Inputs, vault: &Vault) -> (Option<u32>, Option<Price>) {
    let now_ts = inputs.assessment.now.unix_ts;
    let Some(collateral) = inputs.store.asset(&vault.collateral_asset) else { return (None, None) };
    let ltv = collateral.warm_up.ltv(vault.ltv_for_new_risk(collateral, now_ts), now_ts);
    (Some(ltv.0), price_now(inputs, vault, collateral))
}

fn price_now(inputs: Inputs, vault: &Vault, collateral: &Asset) -> Option<Price> {
    let now_ts = inputs.assessment.now.unix_ts;
    let loan = inputs.store.asset(&vault.loan_asset)?;
    let band = |key: &Pubkey| inputs.assessment.assets.get(key)?.band.ok();
    let prices = PairPrices { collateral: band(&vault.collateral_asset)?, loan: band(&vault.loan_asset)? };
    let (c, l) = prices.sides(vault);
    price_for_new_risk(c, collateral.reference_price(now_ts).ok()?, l, loan.reference_price(now_ts).ok()?).ok()
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
