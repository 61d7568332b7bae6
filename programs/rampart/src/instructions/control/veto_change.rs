//! Stops a pending change.

use crate::error::RampartError;
use crate::events::ChangeStopped;
use crate::refuse::require;
use crate::state::{Change, Guard, PendingChange};
use anchor_lang::prelude::*;

/// Accounts of `veto_change`.
#[event_cpi]
#[derive(Accounts)]
pub struct VetoChange<'info> {
    /// The vetoer or a guardian. What they sign names one change: no other one ever gets its address.
    pub authority: Signer<'info>,
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

impl VetoChange<'_> {
    fn validate(&self) -> Result<()> {
        let guard = self.guard.load()?;
        let key = self.authority.key();
        require!(guard.roles.may_veto(&key), RampartError::WrongAuthority);
        if let Change::Roles(next) = self.change.load()?.change()? {
            let keeps = (guard.roles.vetoer == key && next.vetoer == key)
                || (guard.roles.is_guardian(&key) && next.is_guardian(&key));
            require!(keeps, RampartError::OwnRoleVeto);
        }
        Ok(())
    }

    /// Stops the change, ripe or not.
    ///
    /// # Errors
    /// `WrongAuthority`, `OwnRoleVeto`, `ChangeTargetMismatch`.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        emit_cpi!(ChangeStopped {
            guard: ctx.accounts.guard.key(),
            change: ctx.accounts.change.key(),
            by: ctx.accounts.authority.key(),
        });
        Ok(())
    }
}
