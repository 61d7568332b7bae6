//! Proves a rule clear and lowers its cause by one level.

use crate::error::RampartError;
use crate::events::BreakerSteppedDown;
use crate::instructions::evidence::evaluate::{Evidence, require_clear, with_breaker};
use crate::refuse::require;
use crate::state::{Asset, Rule};
use anchor_lang::prelude::*;

/// Accounts of `step_down`.
///
/// Remaining accounts: the oracles, or the keeper set with its reports, that the metric needs; see `Evidence`.
#[event_cpi]
#[derive(Accounts)]
pub struct StepDown<'info> {
    /// The rule that holds the cause.
    #[account(mut)]
    pub rule: AccountLoader<'info, Rule>,
    /// CHECK: MUST be the rule's subject; loaded by the kind that the metric needs.
    pub subject: UncheckedAccount<'info>,
    /// CHECK: the account whose level falls: the rule's subject or its guard; loaded by the rule's scope.
    #[account(mut)]
    pub scope: UncheckedAccount<'info>,
    /// Asset account of the vault's collateral, for the collateral ratio.
    pub collateral_asset: Option<AccountLoader<'info, Asset>>,
    /// Asset account of the vault's loan, for the collateral ratio.
    pub loan_asset: Option<AccountLoader<'info, Asset>>,
}

impl<'info> StepDown<'info> {
    /// Steps down. Anyone may call, once the dwell time is over and the rule is clear at its clear threshold.
    ///
    /// `trip_epoch` is the fence, as in `trip`: two keepers that saw the same level lower it once.
    ///
    /// # Errors
    /// `TripEpochMoved`, `RuleNotClear`, `RuleIndeterminate`, `DwellNotOver`, `NotTripped`, `MathOverflow`, and those of
    /// `Evidence::evaluate`.
    pub fn handle(ctx: Context<'info, Self>, trip_epoch: u64) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let (from, to) = ctx.accounts.apply(trip_epoch, now_ts, ctx.remaining_accounts)?;
        emit_cpi!(BreakerSteppedDown { rule: ctx.accounts.rule.key(), scope: ctx.accounts.scope.key(), from, to });
        Ok(())
    }

    fn apply(&self, trip_epoch: u64, now_ts: i64, further: &[AccountInfo<'info>]) -> Result<(u8, u8)> {
        let mut rule = self.rule.load_mut()?;
        require!(rule.trip_epoch == trip_epoch, RampartError::TripEpochMoved);
        let evidence = Evidence {
            subject: &self.subject,
            collateral_asset: self.collateral_asset.as_ref(),
            loan_asset: self.loan_asset.as_ref(),
            further,
        };
        require_clear(evidence.evaluate(&rule, now_ts)?.verdict)?;
        let key = self.rule.key();
        let (from, to) = with_breaker(&rule, &self.scope, |breaker| breaker.step_down(&key, now_ts))?;
        rule.note_step_down(now_ts)?;
        Ok((from as u8, to as u8))
    }
}
