//! Counts some of a guard's accounts into its census.

use crate::error::RampartError;
use crate::instructions::control::census::{self, Rules};
use crate::state::{Census, CensusPurpose, Guard};
use anchor_lang::prelude::*;

/// Accounts of `count_census`.
///
/// Remaining accounts: assets, vaults and rules of the guard, in ascending order of their keys, each beyond the last one
/// that was counted.
#[derive(Accounts)]
pub struct CountCensus<'info> {
    /// Who may count.
    pub counter: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// Its census.
    #[account(
        mut,
        has_one = guard @ RampartError::CensusIncomplete,
        has_one = counter @ RampartError::WrongAuthority,
    )]
    pub census: AccountLoader<'info, Census>,
}

impl<'info> CountCensus<'info> {
    /// Counts.
    ///
    /// # Errors
    /// `WrongAuthority`, `CensusMoved`, `CensusIncomplete` for accounts out of order or of another guard,
    /// `CensusNotEnabled`, and those of each value's `validate`.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let guard = ctx.accounts.guard.load()?;
        let mut census = ctx.accounts.census.load_mut()?;
        census.require_current(&guard, Clock::get()?.unix_timestamp)?;
        let rules = Rules::of(CensusPurpose::try_from(census.purpose)?);
        let Census { tally, bounds, .. } = &mut *census;
        census::count(tally, ctx.accounts.guard.as_ref().key, bounds, rules, ctx.remaining_accounts)
    }
}
