//! Opens an empty position.

use crate::constants::{LAYOUT_VERSION, POSITION_SEED};
use crate::state::{Position, Vault};
use anchor_lang::prelude::*;

/// Accounts of `open_position`.
#[derive(Accounts)]
pub struct OpenPosition<'info> {
    /// Pays the rent; may be another key than the owner.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// Who will own the position. Signs, so that nobody opens one in another's name.
    pub owner: Signer<'info>,
    /// The vault.
    pub vault: AccountLoader<'info, Vault>,
    /// The position. One per vault and owner.
    #[account(init, payer = payer, space = Position::SPACE, seeds = [POSITION_SEED, vault.key().as_ref(), owner.key().as_ref()], bump)]
    pub position: AccountLoader<'info, Position>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

impl OpenPosition<'_> {
    /// Opens the position.
    ///
    /// # Errors
    /// Anchor's, for an account that exists or does not fit.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let mut position = ctx.accounts.position.load_init()?;
        position.vault = ctx.accounts.vault.key();
        position.owner = ctx.accounts.owner.key();
        position.version = LAYOUT_VERSION;
        position.bump = ctx.bumps.position;
        Ok(())
    }
}
