//! Lets a limit of a vault on new risk follow what the keepers report.

use crate::error::RampartError;
use crate::events::RiskScaled;
use crate::instructions::evidence::reports::take_poll;
use crate::refuse::require;
use crate::state::{KeeperSet, ReportPart, ScaleTarget, Vault};
use anchor_lang::prelude::*;

/// Accounts of `scale_risk`.
///
/// Remaining accounts: each member's report about the vault's collateral, in the set's order.
#[event_cpi]
#[derive(Accounts)]
pub struct ScaleRisk<'info> {
    /// The vault.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    /// The keepers of the vault's guard.
    #[account(constraint = keeper_set.load()?.guard == vault.load()?.guard @ RampartError::RuleSubjectMismatch)]
    pub keeper_set: AccountLoader<'info, KeeperSet>,
}

impl<'info> ScaleRisk<'info> {
    /// Moves what is taken off toward what the median asks for, within the steps, and renews it. Anyone may call: the proof
    /// is in the reports. Exits, liquidations and positions that stand don't look at it.
    ///
    /// # Errors
    /// `ScaleDisabled`, `MedianUnknown`, `ScaleStepUsed`, `ScaleUnchanged`, `UnknownKind` for another target,
    /// `RuleSubjectMismatch` for the keepers of another guard, `ReportAccountsMismatch`.
    pub fn handle(ctx: Context<'info, Self>, target: u8) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let event = ctx.accounts.apply(target, ctx.remaining_accounts, now_ts)?;
        emit_cpi!(event);
        Ok(())
    }

    fn apply(&self, target: u8, reports: &[AccountInfo], now_ts: i64) -> Result<RiskScaled> {
        let which = ScaleTarget::try_from(target).map_err(|_| RampartError::UnknownKind)?;
        let mut vault = self.vault.load_mut()?;
        let subject = vault.collateral_asset;
        let (scale, cut) = vault.keeper_scale_mut(which);
        require!(scale.is_on(), RampartError::ScaleDisabled);
        let part = ReportPart::try_from(scale.part)?;
        let poll = take_poll(&*self.keeper_set.load()?, &subject, part, reports, now_ts)?;
        let median_bps = poll.median(part.danger_side(), true).map_err(|_| RampartError::MedianUnknown)?;
        let from_bps = cut.bps_at(now_ts);
        cut.follow(scale, scale.wanted_bps(median_bps)?, poll.heard_ts(), now_ts)?;
        let (to_bps, expires_at_ts) = (cut.cut_bps, cut.expires_at_ts);
        Ok(RiskScaled { vault: self.vault.key(), target, median_bps, from_bps, to_bps, expires_at_ts })
    }
}
