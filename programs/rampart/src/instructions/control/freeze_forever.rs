//! Gives up loosening, for ever.

use crate::error::RampartError;
use crate::events::GuardFroze;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::census::{self, Rules};
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::require_keys_eq;
use crate::state::{Finality, Guard};
use anchor_lang::prelude::*;

/// Accounts of `freeze_forever`.
///
/// Remaining accounts: every asset, vault and rule of the guard, in ascending order of their keys; or its census alone.
#[event_cpi]
#[derive(Accounts)]
pub struct FreezeForever<'info> {
    /// Root of the guard.
    pub root: Signer<'info>,
    /// The guard.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl<'info> FreezeForever<'info> {
    /// Freezes, if everything that exists is within the bounds and every rule is enabled. An unsafe configuration must
    /// not become eternal.
    ///
    /// Roles freeze too: changing a role is a loosening.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `AuthorityEpochMoved`, `InstructionExpired`, `GuardFrozen`, and those of
    /// `census::require_all`.
    pub fn handle(ctx: Context<'info, Self>, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        {
            let mut guard = ctx.accounts.guard.load_mut()?;
            require_keys_eq!(guard.roles.root, ctx.accounts.root.key(), RampartError::WrongAuthority);
            let now_ts = Clock::get()?.unix_timestamp;
            validity.check_time(&guard, now_ts)?;
            guard.require_open()?;
            let key = ctx.accounts.guard.key();
            census::require_all(&key, &guard, &guard.bounds, Rules::Enabled, ctx.remaining_accounts, now_ts)?;
            guard.finality = Finality::Frozen as u8;
            guard.invariant()?;
        }
        emit_cpi!(GuardFroze { guard: ctx.accounts.guard.key() });
        Ok(())
    }
}
