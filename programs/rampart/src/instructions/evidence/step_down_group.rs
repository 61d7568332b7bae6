//! Proves that a rule of a group stands clear, and lowers the group's cause by one level.

use crate::error::RampartError;
use crate::events::BreakerSteppedDown;
use crate::instructions::evidence::evaluate::with_breaker_of;
use crate::refuse::{require, require_keys_eq};
use crate::state::{Rule, RuleGroup, Switch};
use anchor_lang::prelude::*;

/// Accounts of `step_down_group`.
#[event_cpi]
#[derive(Accounts)]
pub struct StepDownGroup<'info> {
    /// The group that holds the cause.
    #[account(mut)]
    pub group: AccountLoader<'info, RuleGroup>,
    /// One of its rules, seen clear by `observe_rule` in the same transaction or just before.
    pub rule: AccountLoader<'info, Rule>,
    /// CHECK: MUST be the group's scope; loaded by its own kind.
    #[account(mut)]
    pub scope: UncheckedAccount<'info>,
}

impl StepDownGroup<'_> {
    /// Steps down: a group is clear as soon as one of its rules is. Anyone may call, once the dwell time is over.
    ///
    /// # Errors
    /// `TripEpochMoved`, `GroupRulesMismatch`, `RuleDisabled`, `GroupNotClear`, `DwellNotOver`, `NotTripped`,
    /// `RuleSubjectMismatch` for another scope.
    pub fn handle(ctx: Context<Self>, trip_epoch: u64) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let (from, to) = ctx.accounts.apply(trip_epoch, now_ts)?;
        emit_cpi!(BreakerSteppedDown { rule: ctx.accounts.group.key(), scope: ctx.accounts.scope.key(), from, to });
        Ok(())
    }

    fn apply(&self, trip_epoch: u64, now_ts: i64) -> Result<(u8, u8)> {
        let mut group = self.group.load_mut()?;
        require!(group.trip_epoch == trip_epoch, RampartError::TripEpochMoved);
        require_keys_eq!(group.scope, self.scope.key(), RampartError::RuleSubjectMismatch);
        require!(group.active().contains(&self.rule.key()), RampartError::GroupRulesMismatch);
        let rule = self.rule.load()?;
        require!(rule.params.switch == Switch::Enabled as u8, RampartError::RuleDisabled);
        require!(rule.stands_clear(group.params.max_age_secs, now_ts), RampartError::GroupNotClear);
        let key = self.group.key();
        let (from, to) = with_breaker_of(&self.scope, |breaker| breaker.step_down(&key, now_ts))?;
        group.trip_epoch = group.trip_epoch.checked_add(1).ok_or(RampartError::MathOverflow)?;
        group.step_downs = group.step_downs.saturating_add(1);
        Ok((from as u8, to as u8))
    }
}
