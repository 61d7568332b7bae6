//! Brings a vault from an earlier layout to the present one.

use crate::constants::VAULT_SEED;
use crate::error::RampartError;
use crate::events::VaultMigrated;
use crate::refuse::require_keys_eq;
use crate::state::{Guard, Vault, vault_v1};
use anchor_lang::prelude::*;

/// Accounts of `migrate_vault`.
#[event_cpi]
#[derive(Accounts)]
pub struct MigrateVault<'info> {
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// A vault of an earlier layout.
    ///
    /// CHECK: no typed account takes it; the handler checks owner, layout, guard and address.
    #[account(mut)]
    pub vault: UncheckedAccount<'info>,
}

impl MigrateVault<'_> {
    /// Rewrites the vault in place, under the discriminator of the present layout. Anyone may call: every field that there
    /// was stays, and what is new takes nothing off.
    ///
    /// # Errors
    /// Anchor's `AccountOwnedByWrongProgram`, `AccountDiscriminatorMismatch` and `ConstraintSeeds`; `LayoutIsPresent`,
    /// `UnknownStoredValue`, `VaultAssetsInvalid` for a vault of another guard.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let (guard, info) = (ctx.accounts.guard.key(), &ctx.accounts.vault);
        require_keys_eq!(*info.owner, crate::ID, ErrorCode::AccountOwnedByWrongProgram);
        {
            let mut data = info.try_borrow_mut_data()?;
            let vault = vault_v1::migrate(&mut data)?;
            require_keys_eq!(vault.guard, guard, RampartError::VaultAssetsInvalid);
            require_keys_eq!(address_of(vault)?, info.key(), ErrorCode::ConstraintSeeds);
        }
        emit_cpi!(VaultMigrated { guard, vault: info.key(), from_layout: vault_v1::LAYOUT, to_layout: Vault::LAYOUT });
        Ok(())
    }
}

/// Returns where a vault of these mints and this bump lies.
fn address_of(vault: &Vault) -> Result<Pubkey> {
    let (guard, bump) = (vault.guard.as_ref(), [vault.bump]);
    let seeds = [VAULT_SEED, guard, vault.collateral_mint.as_ref(), vault.loan_mint.as_ref(), &bump];
    Pubkey::create_program_address(&seeds, &crate::ID).map_err(|_| ErrorCode::ConstraintSeeds.into())
}
