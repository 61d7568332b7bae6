//! The grace time after a halt: who was healthy when it began can't be liquidated for a while.

use crate::constants::LIQUIDATION_GRACE_SECS;
use crate::error::RampartError;
use crate::math::bps::{BPS_ONE, Bps};
use crate::refuse::require;
use crate::risk::health::ltv_floor;
use crate::risk::liquidation::Subject;
use crate::state::{Asset, Guard, Halts, Position, Vault};
use anchor_lang::prelude::*;

/// Returns the halt of the four scopes of a vault that ends, or ended, last.
pub fn latest_halt(guard: &Guard, vault: &Vault, assets: [&Asset; 2]) -> Option<Halts> {
    let [collateral, loan] = assets.map(|a| a.breaker.halts);
    let all = [guard.breaker.halts, vault.breaker.halts, collateral, loan];
    all.into_iter().filter(|h| h.count > 0).max_by_key(|h| h.ends_at_ts)
}

/// Checks that no grace time protects `position`, which is at its line now.
///
/// In the grace time after a halt, a position that is below its line at the price when the halt began keeps its
/// collateral: its owner may cure it first. Its books count as they are now, so a worse position has to be healthy by
/// itself; who took on risk since the halt began has no grace. Where nobody marked that price while it was known, every
/// solvent position has the grace time: whoever liquidates can mark it, owners can't prevent it.
///
/// # Errors
/// `LiquidationGrace`, `MathOverflow`.
#[inline(never)]
pub fn require_no_grace(
    vault: &mut Vault,
    position: &Position,
    halt: Option<Halts>,
    assets: [&Asset; 2],
    subject: Subject,
    now_ts: i64,
) -> Result<()> {
    let Some(halt) = halt.filter(|h| h.ended_within(LIQUIDATION_GRACE_SECS, now_ts)) else {
        return Ok(());
    };
    if position.risk_taken_at_ts >= halt.started_at_ts {
        return Ok(());
    }
    let [collateral, loan] = assets;
    vault.mark_halt(&halt, collateral, loan);
    let line = match vault.halt_mark.price(&halt) {
        Some(price) => {
            let was = ltv_floor(subject.debt, subject.collateral, price)?;
            (was, Bps(vault.risk.liquidation_line_bps.into()))
        }
        None => (ltv_floor(subject.debt, subject.collateral, subject.price)?, Bps(BPS_ONE as u32)),
    };
    require!(line.0 >= line.1, RampartError::LiquidationGrace);
    Ok(())
}

/// Accounts of `mark_halt`.
#[derive(Accounts)]
pub struct MarkHalt<'info> {
    /// The guard. Read for its halts.
    pub guard: AccountLoader<'info, Guard>,
    /// Asset account of the collateral. Read for its halts and window.
    pub collateral_asset: AccountLoader<'info, Asset>,
    /// Asset account of the loan. Read for its halts and window.
    pub loan_asset: AccountLoader<'info, Asset>,
    /// The vault.
    #[account(
        mut,
        has_one = guard @ RampartError::VaultAssetsInvalid,
        has_one = collateral_asset @ RampartError::VaultAssetsInvalid,
        has_one = loan_asset @ RampartError::VaultAssetsInvalid,
    )]
    pub vault: AccountLoader<'info, Vault>,
}

impl MarkHalt<'_> {
    /// Marks. Anyone may call, while a halt is in force or in the grace time after it: the proof is in the windows.
    ///
    /// # Errors
    /// `HaltUnknown` without such a halt, or when the windows no longer reach back to its beginning.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let accounts = &ctx.accounts;
        let mut vault = accounts.vault.load_mut()?;
        let (guard, collateral, loan) =
            (accounts.guard.load()?, accounts.collateral_asset.load()?, accounts.loan_asset.load()?);
        let halt = latest_halt(&guard, &vault, [&collateral, &loan]).ok_or(RampartError::HaltUnknown)?;
        let is_over = now_ts.saturating_sub(halt.ends_at_ts) >= LIQUIDATION_GRACE_SECS;
        require!(!is_over, RampartError::HaltUnknown);
        vault.mark_halt(&halt, &collateral, &loan);
        require!(vault.halt_mark.price(&halt).is_some(), RampartError::HaltUnknown);
        Ok(())
    }
}
