//! Reads the keepers' reports about a rule's subject.
//!
//! The caller can't choose whom to leave out: every member of the set has its place, in the set's order. An account of
//! the program that names the subject and the member is the report, as there is one for both. Anything else is refused
//! unless it stands at the report's address: there is none, then.

use crate::constants::REPORT_SEED;
use crate::error::RampartError;
use crate::instructions::shared::load;
use crate::refuse::{require, require_keys_eq};
use crate::risk::keepers::{Ballot, Poll};
use crate::risk::measures::{self, Measured};
use crate::state::{KeeperSet, Report, ReportPart, Rule};
use anchor_lang::Discriminator;
use anchor_lang::prelude::*;

/// Measures and judges `rule` on `accounts`: the guard's keeper set, then each member's report.
///
/// # Errors
/// `RuleSubjectMismatch` for another guard's set, `ReportAccountsMismatch` for anything but one report for each member.
pub fn measure(rule: &Rule, accounts: &[AccountInfo], now_ts: i64) -> Result<Measured> {
    let (set, reports) = accounts.split_first().ok_or(RampartError::ReportAccountsMismatch)?;
    let set = load::<KeeperSet>(set)?;
    require_keys_eq!(set.guard, rule.guard, RampartError::RuleSubjectMismatch);
    let poll = take_poll(&set, &rule.subject, ReportPart::try_from(rule.params.part)?, reports, now_ts)?;
    Ok(measures::reported(&rule.params, &poll, now_ts)?)
}

/// Counts the reports of every member of `set` about `subject`.
///
/// # Errors
/// `ReportAccountsMismatch` for anything but one report for each member.
pub fn take_poll(
    set: &KeeperSet,
    subject: &Pubkey,
    part: ReportPart,
    reports: &[AccountInfo],
    now_ts: i64,
) -> Result<Poll> {
    let members = set.active();
    require!(reports.len() == members.len(), RampartError::ReportAccountsMismatch);
    let mut poll = Poll::new(set, now_ts);
    for (member, account) in members.iter().zip(reports) {
        poll.count(member, ballot(account, subject, &member.key, part)?);
    }
    Ok(poll)
}

fn ballot(account: &AccountInfo, subject: &Pubkey, keeper: &Pubkey, part: ReportPart) -> Result<Option<Ballot>> {
    if *account.owner != crate::ID {
        let (address, _) = Pubkey::find_program_address(&[REPORT_SEED, subject.as_ref(), keeper.as_ref()], &crate::ID);
        require_keys_eq!(address, account.key(), RampartError::ReportAccountsMismatch);
        return Ok(None);
    }
    // one borrow for each of fifteen: `load` takes two
    let data = account.try_borrow_data().map_err(|_| RampartError::ReportAccountsMismatch)?;
    let body = data.strip_prefix(Report::DISCRIMINATOR).and_then(|body| body.get(..core::mem::size_of::<Report>()));
    let report: &Report = bytemuck::from_bytes(body.ok_or(RampartError::ReportAccountsMismatch)?);
    let is_theirs = report.keeper == *keeper && report.subject == *subject;
    require!(is_theirs, RampartError::ReportAccountsMismatch);
    Ok(Some(Ballot {
        value_bps: report.parts.get(part),
        observed_at_ts: report.observed_at_ts,
        set_epoch: report.set_epoch,
    }))
}
