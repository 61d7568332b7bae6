//! Creates a guard's bounty vault.

use crate::constants::{BOUNTY_SEED, LAYOUT_VERSION};
use crate::error::RampartError;
use crate::events::BountySet;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::require_keys_eq;
use crate::state::{BountyParams, BountyVault, Guard};
use anchor_lang::prelude::*;

/// Accounts of `initialize_bounty`.
#[event_cpi]
#[derive(Accounts)]
pub struct InitializeBounty<'info> {
    /// Root of the guard. Pays the rent.
    #[account(mut)]
    pub root: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// The bounty vault. One per guard.
    #[account(init, payer = root, space = BountyVault::SPACE, seeds = [BOUNTY_SEED, guard.key().as_ref()], bump)]
    pub bounty_vault: AccountLoader<'info, BountyVault>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

impl InitializeBounty<'_> {
    /// Creates the vault, empty.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `BountyInvalid`, `UnknownKind`.
    pub fn handle(ctx: Context<Self>, params: BountyParams) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let guard = ctx.accounts.guard.key();
        {
            let root = ctx.accounts.guard.load()?.roles.root;
            require_keys_eq!(root, ctx.accounts.root.key(), RampartError::WrongAuthority);
            params.validate()?;
            let mut vault = ctx.accounts.bounty_vault.load_init()?;
            vault.guard = guard;
            vault.params = params;
            vault.version = LAYOUT_VERSION;
            vault.bump = ctx.bumps.bounty_vault;
        }
        emit_cpi!(BountySet { guard, bounty_lamports: params.bounty_lamports });
        Ok(())
    }
}
