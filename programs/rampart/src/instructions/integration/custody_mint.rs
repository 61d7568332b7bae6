//! Mints tokens whose mint authority the guard holds for an integrator.

use crate::error::RampartError;
use crate::events::IntegrationFlowed;
use crate::instructions::integration::sources;
use crate::instructions::integration::token_call::TokenCall;
use crate::mint;
use crate::refuse::require;
use crate::state::integration::{ActionKind, Mode};
use crate::state::{Guard, Integration};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;

/// Accounts of `custody_mint`.
///
/// Remaining accounts: the integration's asset where it pins one.
#[derive(Accounts)]
pub struct CustodyMint<'info> {
    /// The integration's authority.
    pub authority: Signer<'info>,
    /// The guard. Read for its level.
    pub guard: AccountLoader<'info, Guard>,
    /// The integration; the mint authority. Guard and authority MUST be its own: [`Integration::require_chargeable`].
    #[account(mut)]
    pub integration: AccountLoader<'info, Integration>,
    /// CHECK: the integration's mint, by address, below.
    #[account(mut)]
    pub mint: UncheckedAccount<'info>,
    /// CHECK: where the tokens go; the token program checks that it is of the mint.
    #[account(mut)]
    pub destination: UncheckedAccount<'info>,
    /// Program of the mint.
    pub token_program: Interface<'info, TokenInterface>,
}

impl<'info> CustodyMint<'info> {
    /// Charges `amount` as new risk and mints it, on the integration's signature.
    ///
    /// # Errors
    /// `IntegrationMismatch`, `IntegrationDisabled`, `IntegrationModeForbids`, `MintFingerprintChanged`, those of
    /// [`Integration::charge`] and of the token program.
    pub fn handle(ctx: Context<'info, Self>, amount: u64) -> Result<()> {
        let accounts = ctx.accounts;
        accounts.apply(amount, ctx.remaining_accounts)?;
        let decimals = accounts.integration.load()?.decimals;
        let call = TokenCall {
            integration: accounts.integration.as_ref(),
            program: accounts.token_program.key(),
            accounts: [&accounts.mint, &accounts.destination],
        };
        call.mint(amount, decimals)?;
        let kind = ActionKind::NewRisk as u8;
        emit!(IntegrationFlowed { integration: accounts.integration.key(), kind, amount });
        Ok(())
    }

    fn apply(&self, amount: u64, rest: &[AccountInfo<'info>]) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let mut integration = self.integration.load_mut()?;
        integration.require_chargeable(self.guard.as_ref().key, self.authority.key, Mode::Mint)?;
        require!(integration.mint == *self.mint.key, RampartError::IntegrationMismatch);
        mint::require_unchanged(&self.mint, integration.extension_fingerprint)?;
        let (_, asset) = sources::pinned(&integration, rest, false)?;
        let levels = sources::levels(&*self.guard.load()?, &integration, asset, now_ts)?;
        let held = sources::held(&integration, &self.mint)?;
        integration.charge(ActionKind::NewRisk, amount, levels, held, now_ts)
    }
}
