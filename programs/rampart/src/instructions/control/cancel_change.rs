//! Takes a proposal back.

use crate::error::RampartError;
use crate::events::ChangeStopped;
use crate::refuse::require_keys_eq;
use crate::state::{Guard, PendingChange};
use anchor_lang::prelude::*;

/// Accounts of `cancel_change`.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelChange<'info> {
    /// Root of the guard, as it is now.
    pub root: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// The change; closed.
    #[account(
        mut,
        has_one = guard @ RampartError::ChangeTargetMismatch,
        has_one = rent_to @ RampartError::ChangeTargetMismatch,
        close = rent_to,
    )]
    pub change: AccountLoader<'info, PendingChange>,
    /// CHECK: gets the rent back; named by the change.
    #[account(mut)]
    pub rent_to: UncheckedAccount<'info>,
}

impl CancelChange<'_> {
    /// Cancels, also what is void or expired: the way out of every state in which a change can be.
    ///
    /// # Errors
    /// `WrongAuthority`, `ChangeTargetMismatch`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let root = ctx.accounts.guard.load()?.roles.root;
        require_keys_eq!(root, ctx.accounts.root.key(), RampartError::WrongAuthority);
        emit_cpi!(ChangeStopped {
            guard: ctx.accounts.guard.key(),
            change: ctx.accounts.change.key(),
            by: ctx.accounts.root.key(),
        });
        Ok(())
    }
}
