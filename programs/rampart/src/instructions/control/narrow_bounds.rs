//! Narrows a guard's hard bounds, at once and for ever.

use crate::error::RampartError;
use crate::events::BoundsNarrowed;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::census::{self, Rules};
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::require_keys_eq;
use crate::state::{Guard, HardBounds};
use anchor_lang::prelude::*;

/// Accounts of `narrow_bounds`.
///
/// Remaining accounts: every asset, vault and rule of the guard, in ascending order of their keys; or its census alone.
#[event_cpi]
#[derive(Accounts)]
pub struct NarrowBounds<'info> {
    /// Root of the guard.
    pub root: Signer<'info>,
    /// The guard.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl<'info> NarrowBounds<'info> {
    /// Replaces the bounds, if each is at least as narrow and everything that exists is within them.
    ///
    /// The delay of loosenings rises with its floor.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `AuthorityEpochMoved`, `InstructionExpired`, `BoundsOnlyNarrow`,
    /// `BoundsInvalid`, and those of `census::require_all`.
    pub fn handle(ctx: Context<'info, Self>, bounds: HardBounds, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        {
            let mut guard = ctx.accounts.guard.load_mut()?;
            require_keys_eq!(guard.roles.root, ctx.accounts.root.key(), RampartError::WrongAuthority);
            let now_ts = Clock::get()?.unix_timestamp;
            validity.check_time(&guard, now_ts)?;
            guard.bounds.require_narrower(&bounds)?;
            let key = ctx.accounts.guard.key();
            census::require_all(&key, &guard, &bounds, Rules::AnySwitch, ctx.remaining_accounts, now_ts)?;
            guard.bounds = bounds;
            guard.loosen_delay_secs = guard.loosen_delay_secs.max(bounds.min_loosen_delay_secs);
            guard.invariant()?;
        }
        emit_cpi!(BoundsNarrowed { guard: ctx.accounts.guard.key() });
        Ok(())
    }
}
