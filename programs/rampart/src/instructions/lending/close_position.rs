//! Closes an empty position and returns its rent.

use crate::error::RampartError;
use crate::refuse::require;
use crate::state::Position;
use anchor_lang::prelude::*;

/// Accounts of `close_position`.
#[derive(Accounts)]
pub struct ClosePosition<'info> {
    /// Owner of the position; receives the rent.
    #[account(mut)]
    pub owner: Signer<'info>,
    /// The position. MUST be empty.
    #[account(mut, close = owner, has_one = owner @ RampartError::WrongAuthority)]
    pub position: AccountLoader<'info, Position>,
}

impl ClosePosition<'_> {
    /// Closes the position.
    ///
    /// # Errors
    /// `PositionNotEmpty`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        require!(ctx.accounts.position.load()?.is_empty(), RampartError::PositionNotEmpty);
        Ok(())
    }
}
