//! Changes what a bounty vault pays.

use crate::error::RampartError;
use crate::events::BountySet;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::require_keys_eq;
use crate::state::{BountyParams, BountyVault, Guard};
use anchor_lang::prelude::*;

/// Accounts of `set_bounty`.
#[event_cpi]
#[derive(Accounts)]
pub struct SetBounty<'info> {
    /// Root of the guard.
    pub root: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// The bounty vault.
    #[account(mut, has_one = guard @ RampartError::BountyAccountsMismatch)]
    pub bounty_vault: AccountLoader<'info, BountyVault>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl SetBounty<'_> {
    /// Changes amount, limit and cooldown; what was paid within the day stays counted.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `BountyInvalid`, `UnknownKind`, and those of [`Validity::check`].
    pub fn handle(ctx: Context<Self>, params: BountyParams, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let now_ts = Clock::get()?.unix_timestamp;
        {
            let guard = ctx.accounts.guard.load()?;
            validity.check(&guard, ctx.accounts.root.key, now_ts)?;
            require_keys_eq!(guard.roles.root, ctx.accounts.root.key(), RampartError::WrongAuthority);
            params.validate()?;
            ctx.accounts.bounty_vault.load_mut()?.params = params;
        }
        emit_cpi!(BountySet { guard: ctx.accounts.guard.key(), bounty_lamports: params.bounty_lamports });
        Ok(())
    }
}
