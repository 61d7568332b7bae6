//! Gives back what a vault has leased and not used.

use crate::error::RampartError;
use crate::events::LeaseReturned;
use crate::state::{AggregateLimit, Vault};
use anchor_lang::prelude::*;

/// Accounts of `return_lease`.
#[derive(Accounts)]
pub struct ReturnLease<'info> {
    /// The limit of the vault's guard.
    #[account(mut, constraint = aggregate.load()?.guard == vault.load()?.guard @ RampartError::AggregateMismatch)]
    pub aggregate: AccountLoader<'info, AggregateLimit>,
    /// The vault.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
}

impl ReturnLease<'_> {
    /// Gives back what has lain unused for a whole cell of the window, so that other vaults can lease it. Anyone may call.
    ///
    /// What was used stays counted until its cell is over, and what was leased just now stays for whom it was leased. Once
    /// a lease is over there is nothing to give back: both sides have forgotten it.
    ///
    /// # Errors
    /// `NothingToReturn`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let amount_micro_usd = {
            let (mut aggregate, mut vault) = (ctx.accounts.aggregate.load_mut()?, ctx.accounts.vault.load_mut()?);
            aggregate.take_back(&mut vault, now_ts)?
        };
        emit!(LeaseReturned { vault: ctx.accounts.vault.key(), amount_micro_usd });
        Ok(())
    }
}
