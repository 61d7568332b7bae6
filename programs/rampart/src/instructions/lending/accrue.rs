//! Brings a vault's interest up to date.

use crate::state::Vault;
use anchor_lang::prelude::*;

/// Accounts of `accrue`.
#[derive(Accounts)]
pub struct Accrue<'info> {
    /// The vault.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
}

impl Accrue<'_> {
    /// Accrues interest until now. Anyone may call; nothing depends on it.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let mut vault = ctx.accounts.vault.load_mut()?;
        vault.accrue(now_ts)?;
        vault.note_bases(now_ts)
    }
}
