//! Reports about a subject.

use crate::constants::MAX_FUTURE_SECS;
use crate::error::RampartError;
use crate::events::ReportSubmitted;
use crate::refuse::require;
use crate::state::keeper_set::holds_role;
use crate::state::{Guard, KeeperSet, Report, ReportParts};
use anchor_lang::prelude::*;

/// What `submit_report` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmitReportArgs {
    /// What the keeper found.
    pub parts: ReportParts,
    /// When it observed it, unix seconds.
    pub observed_at_ts: i64,
    /// Number of the report: above the last one's.
    pub seq: u64,
}

/// Accounts of `submit_report`.
#[derive(Accounts)]
pub struct SubmitReport<'info> {
    /// A member of the set.
    pub keeper: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// The guard's keepers.
    #[account(has_one = guard @ RampartError::RuleSubjectMismatch)]
    pub keeper_set: AccountLoader<'info, KeeperSet>,
    /// The keeper's report about the subject.
    #[account(mut, has_one = guard @ RampartError::RuleSubjectMismatch, has_one = keeper @ RampartError::NotAKeeper)]
    pub report: AccountLoader<'info, Report>,
}

impl SubmitReport<'_> {
    /// Takes the report in place of the keeper's last one.
    ///
    /// # Errors
    /// `NotAKeeper` for who isn't in the set, hasn't joined yet or holds a role of the guard, `ReportNotNewer`,
    /// `ReportInvalid` for values or times out of range, `RuleSubjectMismatch` for accounts of another guard.
    pub fn handle(ctx: Context<Self>, args: SubmitReportArgs) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let (accounts, keeper) = (&ctx.accounts, ctx.accounts.keeper.key());
        let set = accounts.keeper_set.load()?;
        let is_member = set.member_at(&keeper, now_ts).is_some() && !holds_role(&accounts.guard.load()?.roles, &keeper);
        require!(is_member, RampartError::NotAKeeper);
        let age_secs = now_ts.saturating_sub(args.observed_at_ts);
        let is_timely = (-MAX_FUTURE_SECS..=i64::from(set.max_age_secs)).contains(&age_secs);
        require!(is_timely, RampartError::ReportInvalid);
        let mut report = accounts.report.load_mut()?;
        report.renew(args.parts, args.observed_at_ts, args.seq, set.epoch)?;
        let (subject, score_bps) = (report.subject, report.parts.score_bps);
        emit!(ReportSubmitted { subject, keeper, score_bps, seq: args.seq });
        Ok(())
    }
}
