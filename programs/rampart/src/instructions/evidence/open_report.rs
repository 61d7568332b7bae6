//! Opens a keeper's report about a subject.

use crate::constants::{LAYOUT_VERSION, REPORT_SEED};
use crate::error::RampartError;
use crate::instructions::evidence::evaluate::guard_of_subject;
use crate::refuse::{require, require_keys_eq};
use crate::state::{KeeperSet, Report};
use anchor_lang::prelude::*;

/// Accounts of `open_report`.
#[derive(Accounts)]
pub struct OpenReport<'info> {
    /// Pays the rent; anyone.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The set that the keeper is a member of.
    pub keeper_set: AccountLoader<'info, KeeperSet>,
    /// CHECK: MUST be a member of the set; doesn't sign, as an empty report says nothing.
    pub keeper: UncheckedAccount<'info>,
    /// CHECK: the asset or vault; MUST belong to the set's guard.
    pub subject: UncheckedAccount<'info>,
    /// The report. One for each subject and keeper.
    #[account(init, payer = payer, space = Report::SPACE, seeds = [REPORT_SEED, subject.key().as_ref(), keeper.key().as_ref()], bump)]
    pub report: AccountLoader<'info, Report>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

impl OpenReport<'_> {
    fn validate(&self) -> Result<Pubkey> {
        let set = self.keeper_set.load()?;
        let guard = guard_of_subject(&self.subject).map_err(|_| RampartError::RuleSubjectMismatch)?;
        require_keys_eq!(guard, set.guard, RampartError::RuleSubjectMismatch);
        // who waits to join may be made ready
        require!(set.member_at(self.keeper.key, i64::MAX).is_some(), RampartError::NotAKeeper);
        Ok(guard)
    }

    /// Opens an empty report, which counts nowhere.
    ///
    /// # Errors
    /// `NotAKeeper`, `RuleSubjectMismatch` for a subject that is no asset or vault of the set's guard.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let guard = ctx.accounts.validate()?;
        let mut report = ctx.accounts.report.load_init()?;
        report.guard = guard;
        report.subject = ctx.accounts.subject.key();
        report.keeper = ctx.accounts.keeper.key();
        report.version = LAYOUT_VERSION;
        report.bump = ctx.bumps.report;
        Ok(())
    }
}
