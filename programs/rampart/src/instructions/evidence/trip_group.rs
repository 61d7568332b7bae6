//! Proves that every rule of a group stands true, and raises the level of its scope.

use crate::error::RampartError;
use crate::events::BreakerTripped;
use crate::instructions::evidence::bounty::Bounty;
use crate::instructions::evidence::evaluate::with_breaker_of;
use crate::instructions::shared::load;
use crate::refuse::{require, require_keys_eq};
use crate::state::{BountyVault, Cause, Rule, RuleGroup, Switch};
use anchor_lang::prelude::*;

/// Accounts of `trip_group`.
///
/// Remaining accounts: the group's rules, in its order. Each is proved by `observe_rule`, in the same transaction or just
/// before: the streak is the proof, and it names when it was made.
#[event_cpi]
#[derive(Accounts)]
pub struct TripGroup<'info> {
    /// The group.
    #[account(mut)]
    pub group: AccountLoader<'info, RuleGroup>,
    /// CHECK: MUST be the group's scope; loaded by its own kind.
    #[account(mut)]
    pub scope: UncheckedAccount<'info>,
    /// Pays for the trip, where the group is one that is paid for.
    #[account(mut)]
    pub bounty_vault: Option<AccountLoader<'info, BountyVault>>,
    /// CHECK: where the bounty goes; anyone's.
    #[account(mut)]
    pub bounty_to: Option<UncheckedAccount<'info>>,
}

impl<'info> TripGroup<'info> {
    /// Trips. Anyone may call. `trip_epoch` is the fence, as in `trip`.
    ///
    /// # Errors
    /// `TripEpochMoved`, `GroupRulesMismatch`, `RuleDisabled`, `GroupNotTrue`, `AlreadyTripped`, `CausesFull`,
    /// `RuleSubjectMismatch` for another scope, `BountyAccountsMismatch`.
    pub fn handle(ctx: Context<'info, Self>, trip_epoch: u64) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let event = ctx.accounts.apply(trip_epoch, ctx.remaining_accounts, now_ts)?;
        emit_cpi!(event);
        let accounts = ctx.accounts;
        let (guard, is_paid_for) = {
            let group = accounts.group.load()?;
            (group.guard, group.params.bounty == Switch::Enabled as u8)
        };
        let bounty = Bounty { vault: accounts.bounty_vault.as_ref(), to: accounts.bounty_to.as_ref() };
        bounty.pay(&guard, accounts.group.key(), is_paid_for, now_ts)
    }

    fn apply(&self, trip_epoch: u64, rules: &[AccountInfo<'info>], now_ts: i64) -> Result<BreakerTripped> {
        let mut group = self.group.load_mut()?;
        require!(group.trip_epoch == trip_epoch, RampartError::TripEpochMoved);
        require_keys_eq!(group.scope, self.scope.key(), RampartError::RuleSubjectMismatch);
        require!(rules.len() == group.active().len(), RampartError::GroupRulesMismatch);
        for (key, account) in group.active().iter().zip(rules) {
            require_keys_eq!(*key, account.key(), RampartError::GroupRulesMismatch);
            let rule = load::<Rule>(account)?;
            require!(rule.params.switch == Switch::Enabled as u8, RampartError::RuleDisabled);
            require!(rule.stands_true(group.params.max_age_secs, now_ts), RampartError::GroupNotTrue);
        }
        let cause = Cause::of_group(self.group.key(), &group.params, group.reach, now_ts);
        let (level_before, level_after) = with_breaker_of(&self.scope, |breaker| {
            let before = breaker.level_at(now_ts);
            breaker.trip(cause, now_ts)?;
            Ok((before, breaker.level_at(now_ts)))
        })?;
        group.trip_epoch = group.trip_epoch.checked_add(1).ok_or(RampartError::MathOverflow)?;
        Ok(BreakerTripped {
            rule: self.group.key(),
            scope: self.scope.key(),
            value: group.count.into(),
            level: cause.level,
            level_before: level_before as u8,
            level_after: level_after as u8,
            expires_at_ts: cause.expires_at_ts,
            trip_epoch: group.trip_epoch,
        })
    }
}
