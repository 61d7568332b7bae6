//! What a change would do to live values: price, health and allowed outflow may move by a bound only.

use crate::constants::MAX_SAMPLE;
use crate::error::RampartError;
use crate::instructions::control::standby;
use crate::instructions::shared::{PairPrices, load};
use crate::math::{Bps, Price};
use crate::oracle::{self, PriceBand};
use crate::refuse::{err, require, require_keys_eq};
use crate::risk::health::ltv_floor;
use crate::state::flow::FlowLimits;
use crate::state::{Asset, Change, HardBounds, OracleSet, Position, RiskParams, Vault, VaultLimits};
use anchor_lang::prelude::*;

/// Checks that the move from `now` to `next` stays within the guard's bound on live values.
///
/// # Accounts
/// `evidence`, by group of the change:
/// - a vault's lines: nothing while it has no debt; else collateral asset, loan asset, the oracles of both, and one to
///   eight positions with debt;
/// - an asset's sources: the oracle accounts of the present set, then those of the next one;
/// - an asset's standby sources: the oracle accounts of the present set, then for each new one those of a set of it alone;
/// - all else: none.
///
/// # Errors
/// `EffectTooLarge`, `EffectUnknown`, `HealthyPositionHit`, `SampleInvalid`, `VaultAssetsInvalid`, `MathOverflow`, and
/// the oracle's.
pub fn require_bounded(
    now: &Change,
    next: &Change,
    target: &AccountInfo,
    evidence: &[AccountInfo],
    bounds: &HardBounds,
    now_ts: i64,
) -> Result<()> {
    let max_bps = Bps(bounds.max_effect_bps.into());
    match (now, next) {
        (Change::VaultRisk(now), Change::VaultRisk(next)) => {
            let lines = [
                (now.ltv_bps, next.ltv_bps),
                (now.liquidation_line_bps, next.liquidation_line_bps),
                (now.target_ltv_bps, next.target_ltv_bps),
                (now.full_close_ltv_bps, next.full_close_ltv_bps),
            ];
            lines.iter().try_for_each(|(now, next)| require_near(*now, *next, max_bps))?;
            health(now, next, target, evidence, now_ts)
        }
        (Change::VaultScale(now), Change::VaultScale(next)) => {
            require_near(now.floor_ltv_bps, next.floor_ltv_bps, max_bps)?;
            require_near(now.floor_cap_bps, next.floor_cap_bps, max_bps)
        }
        (Change::VaultLimits(now), Change::VaultLimits(next)) => outflow(now, next, &*load::<Vault>(target)?, max_bps),
        (Change::AssetOracle(now), Change::AssetOracle(next)) => price(now, next, target, evidence, max_bps, now_ts),
        (Change::Aggregate(now), Change::Aggregate(next)) => {
            require_near(now.limit_micro_usd, next.limit_micro_usd, max_bps)?;
            require_near(now.vault_share_bps, next.vault_share_bps, max_bps)
        }
        (Change::AssetStandby(now), Change::AssetStandby(next)) => {
            standby::require_near(now, next, &*load::<Asset>(target)?, evidence, max_bps, now_ts)
        }
        _ => Ok(()),
    }
}

/// Requires that `next` differs from `now` by at most `max` of `now`.
///
/// # Errors
/// `EffectTooLarge`.
pub fn require_near(now: impl Into<u128>, next: impl Into<u128>, max: Bps) -> Result<()> {
    let (now, next) = (now.into(), next.into());
    let is_near = now == next || Bps::ratio_ceil(now.abs_diff(next), now) <= max;
    require!(is_near, RampartError::EffectTooLarge);
    Ok(())
}

/// Allowed outflow at the vault's bases of the day, and on a large base without floors, where the shares show; and the
/// limits on new collateral.
fn outflow(now: &VaultLimits, next: &VaultLimits, vault: &Vault, max: Bps) -> Result<()> {
    const LARGE: u64 = 1 << 50;
    let flows = [
        (now.loan_flow, next.loan_flow, vault.loan_flow.base.amount),
        (now.collateral_flow, next.collateral_flow, vault.collateral_flow.base.amount),
    ];
    for (now, next, base) in flows {
        for (before, after) in now.allowed(base).into_iter().zip(next.allowed(base)) {
            require_near(before, after, max)?;
        }
        let bare = |flow: FlowLimits| FlowLimits { absolute_floor_amount: 0, ..flow };
        for (before, after) in bare(now).allowed(LARGE).into_iter().zip(bare(next).allowed(LARGE)) {
            require_near(before, after, max)?;
        }
        require_near(now.absolute_floor_amount, next.absolute_floor_amount, max)?;
    }
    let (was, shall) = (now.inflow, next.inflow);
    require_near(was.absolute_floor_amount, shall.absolute_floor_amount, max)?;
    require_near(was.hourly_bps, shall.hourly_bps, max)?;
    require_near(was.daily_bps, shall.daily_bps, max)?;
    require_near(now.exit_floor_bps, next.exit_floor_bps, max)
}

/// The effective price by the next set against that by the present one, or against a warm reference where the present
/// sources are silent.
///
/// With a cold reference nothing is left to compare with. Then a repair may pass, and nothing else: see [`is_repair`].
/// A new cap on an exchange rate may not bite at once: it would take from owners what their tokens are worth.
fn price(
    now: &OracleSet,
    next: &OracleSet,
    target: &AccountInfo,
    evidence: &[AccountInfo],
    max: Bps,
    now_ts: i64,
) -> Result<()> {
    let split = now.account_count();
    require!(evidence.len() == split + next.account_count(), RampartError::OracleAccountsMissing);
    let (old, new) = evidence.split_at(split);
    let was = oracle::read_accounts(now, old, now_ts)?;
    let will = oracle::read_accounts(next, new, now_ts)?;
    require!(was.rate.is_capped() || !will.rate.is_capped(), RampartError::EffectTooLarge);
    let after = will.band(next, now_ts)?;
    let known = match was.band(now, now_ts) {
        Ok(band) => Some(band.mid),
        Err(_) => load::<Asset>(target)?.reference_price(now_ts).ok(),
    };
    match known {
        Some(before) => require_near(before.q64(), after.mid.q64(), max),
        None => {
            require!(is_repair(now, next, &after, old, now_ts)?, RampartError::EffectUnknown);
            Ok(())
        }
    }
}

/// Tells whether a change of sources that nothing can be compared with repairs an asset: a source that stays agrees with
/// another one on the next price, or every present source is proved dead. Whoever governs can bring about neither.
fn is_repair(now: &OracleSet, next: &OracleSet, after: &PriceBand, old: &[AccountInfo], now_ts: i64) -> Result<bool> {
    let agreeing = next.active().iter().zip(&after.publish_ts).filter(|(_, ts)| ts.is_some());
    let has_witness = agreeing.map(|(source, _)| source).any(|source| now.active().contains(source));
    if has_witness && after.sources >= 2 {
        return Ok(true);
    }
    for (source, account) in now.active().iter().zip(old) {
        if !standby::is_dead(source, account, now_ts)? {
            return Ok(false);
        }
    }
    // a rate that can't be read isn't what a change of sources repairs
    Ok(now.rate == next.rate)
}

/// No position of the sample, and not the vault as a whole, may fall below the line by the change alone.
fn health(
    now: &RiskParams,
    next: &RiskParams,
    target: &AccountInfo,
    evidence: &[AccountInfo],
    now_ts: i64,
) -> Result<()> {
    let vault = load::<Vault>(target)?;
    if vault.debt_scaled.get() == 0 {
        return Ok(());
    }
    let (price, sample) = pair_price(&vault, evidence, now_ts)?;
    require!((1..=MAX_SAMPLE).contains(&sample.len()), RampartError::SampleInvalid);
    let lines = (now.liquidation_line_bps, next.liquidation_line_bps);
    require_still_healthy(vault.debt_amount()?, vault.collateral_amount, price, lines)?;
    for (index, account) in sample.iter().enumerate() {
        let is_twin = sample[..index].iter().any(|other| other.key == account.key);
        let position = load::<Position>(account)?;
        let is_ours = position.vault == *target.key && position.debt_scaled.get() > 0;
        require!(is_ours && !is_twin, RampartError::SampleInvalid);
        require_still_healthy(vault.debt_of(&position)?, position.collateral_amount, price, lines)?;
    }
    Ok(())
}

/// The vault's price at the end that is best for borrowers, and the accounts that follow the oracles.
fn pair_price<'a, 'info>(
    vault: &Vault,
    evidence: &'a [AccountInfo<'info>],
    now_ts: i64,
) -> Result<(Price, &'a [AccountInfo<'info>])> {
    let [collateral, loan, rest @ ..] = evidence else { return err!(RampartError::VaultAssetsInvalid) };
    require_keys_eq!(vault.collateral_asset, collateral.key(), RampartError::VaultAssetsInvalid);
    require_keys_eq!(vault.loan_asset, loan.key(), RampartError::VaultAssetsInvalid);
    let (collateral, loan) = (load::<Asset>(collateral)?, load::<Asset>(loan)?);
    let count = collateral.oracle.account_count() + loan.oracle.account_count();
    require!(rest.len() >= count, RampartError::OracleAccountsMissing);
    let (oracles, sample) = rest.split_at(count);
    Ok((PairPrices::read(&collateral, &loan, oracles, now_ts)?.best(vault)?, sample))
}

fn require_still_healthy(debt: u64, collateral: u64, price: Price, (now, next): (u16, u16)) -> Result<()> {
    let ltv = ltv_floor(debt, collateral, price)?;
    let was_healthy = ltv < Bps(now.into());
    require!(!was_healthy || ltv < Bps(next.into()), RampartError::HealthyPositionHit);
    Ok(())
}
