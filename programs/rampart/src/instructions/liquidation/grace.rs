//! The grace time after a halt: who was healthy when it began can't be liquidated for a while.

use crate::constants::LIQUIDATION_GRACE_SECS;
use crate::error::RampartError;
use crate::math::bps::{BPS_ONE, Bps};
use crate::refuse::require;
use crate::risk::health::ltv_floor;
use crate::risk::liquidation::Subject;
use crate::state::{Asset, Guard, Halts, Position, Vault};
use anchor_lang::prelude::*;

/// Returns the latest halt of each of the four scopes of a vault.
pub fn latest_halts(guard: &Guard, vault: &Vault, assets: [&Asset; 2]) -> [Halts; 4] {
    let [collateral, loan] = assets.map(|a| a.breaker.halts);
    [guard.breaker.halts, vault.breaker.halts, collateral, loan]
}

/// Tells whether `halt` is in force, or the grace time after it.
pub fn is_recent(halt: &Halts, now_ts: i64) -> bool {
    halt.count > 0 && now_ts.saturating_sub(halt.ends_at_ts) < LIQUIDATION_GRACE_SECS
}

/// Checks that no grace time protects `position`, which is at its line now: that of any scope does, also while another one
/// is halted again.
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
    halts: [Halts; 4],
    [collateral, loan]: [&Asset; 2],
    subject: Subject,
    now_ts: i64,
) -> Result<()> {
    let graced =
        |h: &Halts| h.ended_within(LIQUIDATION_GRACE_SECS, now_ts) && position.risk_taken_at_ts < h.started_at_ts;
    for halt in halts.iter().filter(|h| graced(h)) {
        vault.mark_halt(halt, collateral, loan);
        let line = match vault.halt_price(halt) {
            Some(price) => {
                let was = ltv_floor(subject.debt, subject.collateral, price)?;
                (was, Bps(vault.risk.liquidation_line_bps.into()))
            }
            None => (ltv_floor(subject.debt, subject.collateral, subject.price)?, Bps(BPS_ONE as u32)),
        };
        require!(line.0 >= line.1, RampartError::LiquidationGrace);
    }
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
    /// Marks every halt that is in force, or in the grace time after it. Anyone may call: the proof is in the windows.
    ///
    /// # Errors
    /// `HaltUnknown` without such a halt, or when the windows no longer reach back to its beginning.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let accounts = &ctx.accounts;
        let mut vault = accounts.vault.load_mut()?;
        let (guard, collateral, loan) =
            (accounts.guard.load()?, accounts.collateral_asset.load()?, accounts.loan_asset.load()?);
        let mut is_known = false;
        for halt in latest_halts(&guard, &vault, [&collateral, &loan]).iter().filter(|h| is_recent(h, now_ts)) {
            vault.mark_halt(halt, &collateral, &loan);
            is_known |= vault.halt_price(halt).is_some();
        }
        require!(is_known, RampartError::HaltUnknown);
        Ok(())
    }
}
