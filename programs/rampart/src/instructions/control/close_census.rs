//! Closes a census: it was used, or is void.

use crate::error::RampartError;
use crate::refuse::require_keys_eq;
use crate::state::{Census, Guard};
use anchor_lang::prelude::*;

/// Accounts of `close_census`.
#[derive(Accounts)]
pub struct CloseCensus<'info> {
    /// Root of the guard, as it is now.
    pub root: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// Its census; closed.
    #[account(
        mut,
        has_one = guard @ RampartError::CensusIncomplete,
        has_one = rent_to @ RampartError::ChangeTargetMismatch,
        close = rent_to,
    )]
    pub census: AccountLoader<'info, Census>,
    /// CHECK: gets the rent back; named by the census.
    #[account(mut)]
    pub rent_to: UncheckedAccount<'info>,
}

impl CloseCensus<'_> {
    /// Closes it, whatever its state.
    ///
    /// # Errors
    /// `WrongAuthority`, `CensusIncomplete` for another guard's.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let root = ctx.accounts.guard.load()?.roles.root;
        require_keys_eq!(root, ctx.accounts.root.key(), RampartError::WrongAuthority);
        Ok(())
    }
}
