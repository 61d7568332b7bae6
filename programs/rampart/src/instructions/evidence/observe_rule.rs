//! Takes one observation into a rule's streak.

use crate::instructions::evidence::evaluate::Evidence;
use crate::state::{Asset, Rule};
use anchor_lang::prelude::*;

/// Accounts of `observe_rule`.
///
/// Remaining accounts: the oracles, or the keeper set with its reports, that the metric needs; see `Evidence`.
#[derive(Accounts)]
pub struct ObserveRule<'info> {
    /// The rule.
    #[account(mut)]
    pub rule: AccountLoader<'info, Rule>,
    /// CHECK: MUST be the rule's subject; loaded by the kind that the metric needs.
    pub subject: UncheckedAccount<'info>,
    /// Asset account of the vault's collateral, for the collateral ratio.
    pub collateral_asset: Option<AccountLoader<'info, Asset>>,
    /// Asset account of the vault's loan, for the collateral ratio.
    pub loan_asset: Option<AccountLoader<'info, Asset>>,
}

impl<'info> ObserveRule<'info> {
    /// Observes. Anyone may call: the proof is in the accounts.
    ///
    /// # Errors
    /// `ObservationNotNewer`, and those of `Evidence::evaluate`.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let clock = Clock::get()?;
        let accounts = ctx.accounts;
        let mut rule = accounts.rule.load_mut()?;
        let evidence = Evidence {
            subject: &accounts.subject,
            collateral_asset: accounts.collateral_asset.as_ref(),
            loan_asset: accounts.loan_asset.as_ref(),
            further: ctx.remaining_accounts,
        };
        let measured = evidence.evaluate(&rule, clock.unix_timestamp)?;
        rule.hold_reference(&measured, clock.unix_timestamp);
        rule.observe(measured.verdict, measured.publish_ts, clock.unix_timestamp, clock.slot)
    }
}
