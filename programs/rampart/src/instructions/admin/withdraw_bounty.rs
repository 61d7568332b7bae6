//! Takes lamports out of a bounty vault.

use crate::error::RampartError;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::instructions::evidence::bounty::{free_lamports, move_lamports};
use crate::refuse::{require, require_keys_eq, require_keys_neq};
use crate::state::{BountyVault, Guard};
use anchor_lang::prelude::*;

/// Accounts of `withdraw_bounty`.
#[derive(Accounts)]
pub struct WithdrawBounty<'info> {
    /// Root of the guard.
    pub root: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// The bounty vault.
    #[account(mut, has_one = guard @ RampartError::BountyAccountsMismatch)]
    pub bounty_vault: AccountLoader<'info, BountyVault>,
    /// CHECK: where the lamports go; root's choice.
    #[account(mut)]
    pub to: UncheckedAccount<'info>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl WithdrawBounty<'_> {
    /// Takes `amount_lamports` of what the vault holds above its rent.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `AmountExceedsPosition` for more than there is, `BountyAccountsMismatch`, and those of
    /// [`Validity::check`].
    pub fn handle(ctx: Context<Self>, amount_lamports: u64, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let (accounts, now_ts) = (&ctx.accounts, Clock::get()?.unix_timestamp);
        let guard = accounts.guard.load()?;
        validity.check(&guard, accounts.root.key, now_ts)?;
        require_keys_eq!(guard.roles.root, accounts.root.key(), RampartError::WrongAuthority);
        let vault = accounts.bounty_vault.as_ref();
        require_keys_neq!(vault.key(), accounts.to.key(), RampartError::BountyAccountsMismatch);
        require!(amount_lamports <= free_lamports(vault)?, RampartError::AmountExceedsPosition);
        move_lamports(vault, &accounts.to, amount_lamports)
    }
}
