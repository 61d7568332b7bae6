//! Proves a rule true and raises the level of its scope.

use crate::error::RampartError;
use crate::events::BreakerTripped;
use crate::instructions::evidence::bounty::Bounty;
use crate::instructions::evidence::evaluate::{Evidence, require_true, with_breaker};
use crate::refuse::require;
use crate::state::{Asset, BountyVault, Cause, Rule, Standing, Switch};
use anchor_lang::prelude::*;

/// Accounts of `trip`.
///
/// Remaining accounts: the oracles, or the keeper set with its reports, that the metric needs; see `Evidence`.
#[event_cpi]
#[derive(Accounts)]
pub struct Trip<'info> {
    /// The rule.
    #[account(mut)]
    pub rule: AccountLoader<'info, Rule>,
    /// CHECK: MUST be the rule's subject; loaded by the kind that the metric needs.
    pub subject: UncheckedAccount<'info>,
    /// CHECK: the account whose level rises: the rule's subject or its guard; loaded by the rule's scope.
    #[account(mut)]
    pub scope: UncheckedAccount<'info>,
    /// Asset account of the vault's collateral, for the collateral ratio.
    pub collateral_asset: Option<AccountLoader<'info, Asset>>,
    /// Asset account of the vault's loan, for the collateral ratio.
    pub loan_asset: Option<AccountLoader<'info, Asset>>,
    /// Pays for the trip, where the rule is one that is paid for.
    #[account(mut)]
    pub bounty_vault: Option<AccountLoader<'info, BountyVault>>,
    /// CHECK: where the bounty goes; anyone's.
    #[account(mut)]
    pub bounty_to: Option<UncheckedAccount<'info>>,
}

impl<'info> Trip<'info> {
    /// Trips. Anyone may call: the proof is in the accounts, not in the signer.
    ///
    /// `trip_epoch` is the fence: the number of trips that the caller knows of. A second keeper's trip is refused.
    ///
    /// # Errors
    /// `TripEpochMoved`, `RuleOnlyInGroup`, `BountyAccountsMismatch`, `RuleNotTrue`, `RuleIndeterminate`, `RuleNotPersistent`, `AlreadyTripped`, `CausesFull`, and
    /// those of `Evidence::evaluate`.
    pub fn handle(ctx: Context<'info, Self>, trip_epoch: u64) -> Result<()> {
        let clock = Clock::get()?;
        let event = ctx.accounts.apply(trip_epoch, &clock, ctx.remaining_accounts)?;
        emit_cpi!(event);
        let accounts = ctx.accounts;
        if accounts.bounty_vault.is_none() && accounts.bounty_to.is_none() {
            return Ok(());
        }
        let (guard, is_paid_for) = {
            let rule = accounts.rule.load()?;
            (rule.guard, rule.params.bounty == Switch::Enabled as u8)
        };
        let bounty = Bounty { vault: accounts.bounty_vault.as_ref(), to: accounts.bounty_to.as_ref() };
        bounty.pay(&guard, accounts.rule.key(), is_paid_for, clock.unix_timestamp)
    }

    fn apply(&self, trip_epoch: u64, clock: &Clock, further: &[AccountInfo<'info>]) -> Result<BreakerTripped> {
        let now_ts = clock.unix_timestamp;
        let mut rule = self.rule.load_mut()?;
        require!(rule.trip_epoch == trip_epoch, RampartError::TripEpochMoved);
        require!(rule.params.standing == Standing::Alone as u8, RampartError::RuleOnlyInGroup);
        let evidence = Evidence {
            subject: &self.subject,
            collateral_asset: self.collateral_asset.as_ref(),
            loan_asset: self.loan_asset.as_ref(),
            further,
        };
        let measured = evidence.evaluate(&rule, now_ts)?;
        let value = require_true(measured.verdict)?;
        require!(rule.is_persistent(measured.publish_ts, now_ts, clock.slot), RampartError::RuleNotPersistent);
        rule.hold_reference(&measured, now_ts);
        let cause = Cause::of_rule(self.rule.key(), &rule.params, now_ts);
        let (level_before, level_after) = with_breaker(&rule, &self.scope, |breaker| {
            let before = breaker.level_at(now_ts);
            breaker.trip(cause, now_ts)?;
            Ok((before, breaker.level_at(now_ts)))
        })?;
        rule.trip_epoch = rule.trip_epoch.checked_add(1).ok_or(RampartError::MathOverflow)?;
        Ok(BreakerTripped {
            rule: self.rule.key(),
            scope: self.scope.key(),
            value,
            level: cause.level,
            level_before: level_before as u8,
            level_after: level_after as u8,
            expires_at_ts: cause.expires_at_ts,
            trip_epoch: rule.trip_epoch,
        })
    }
}
