//! Moves tokens out of an account that the guard holds for an integrator.

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

/// Accounts of `custody_transfer`.
///
/// Remaining accounts: the integration's asset where it pins one.
#[derive(Accounts)]
pub struct CustodyTransfer<'info> {
    /// The integration's authority.
    pub authority: Signer<'info>,
    /// The guard. Read for its level.
    pub guard: AccountLoader<'info, Guard>,
    /// The integration; owns `token`. Guard and authority MUST be its own: [`Integration::require_chargeable`].
    #[account(mut)]
    pub integration: AccountLoader<'info, Integration>,
    /// CHECK: the integration's mint, by address, below.
    pub mint: UncheckedAccount<'info>,
    /// CHECK: the account that is held, by address, below.
    #[account(mut)]
    pub token: UncheckedAccount<'info>,
    /// CHECK: where the tokens go; MUST be a token account of the mint.
    #[account(mut)]
    pub destination: UncheckedAccount<'info>,
    /// Program of the mint.
    pub token_program: Interface<'info, TokenInterface>,
    /// CHECK: MUST own `destination`, and MUST NOT be an account of this program: tokens that a vault or an integration of
    /// any guard receives so are in nobody's books.
    pub destination_owner: UncheckedAccount<'info>,
}

impl<'info> CustodyTransfer<'info> {
    /// Charges `amount` and moves it, on the integration's signature.
    ///
    /// # Errors
    /// `UnknownKind`, `IntegrationMismatch`, `IntegrationDisabled`, `IntegrationModeForbids`, `DestinationForbidden`,
    /// `MintFingerprintChanged`, those of [`Integration::charge`] and of the token program.
    pub fn handle(ctx: Context<'info, Self>, kind: u8, amount: u64) -> Result<()> {
        let accounts = ctx.accounts;
        accounts.apply(kind, amount, ctx.remaining_accounts)?;
        let decimals = accounts.integration.load()?.decimals;
        let call = TokenCall {
            integration: accounts.integration.as_ref(),
            program: accounts.token_program.key(),
            accounts: [&accounts.token, &accounts.mint, &accounts.destination],
        };
        call.transfer(amount, decimals)?;
        emit!(IntegrationFlowed { integration: accounts.integration.key(), kind, amount });
        Ok(())
    }

    fn apply(&self, kind: u8, amount: u64, rest: &[AccountInfo<'info>]) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let kind = ActionKind::try_from(kind).map_err(|_| RampartError::UnknownKind)?;
        let mut integration = self.integration.load_mut()?;
        integration.require_chargeable(self.guard.as_ref().key, self.authority.key, Mode::Custody)?;
        let is_held = integration.mint == *self.mint.key && integration.token == *self.token.key;
        require!(is_held, RampartError::IntegrationMismatch);
        match kind {
            ActionKind::Exit => mint::require_same_unit(&self.mint, integration.extension_fingerprint)?,
            _ => mint::require_unchanged(&self.mint, integration.extension_fingerprint)?,
        }
        let owner = sources::owner_of(&self.destination, self.mint.key)?;
        require!(owner == *self.destination_owner.key, RampartError::IntegrationMismatch);
        require!(*self.destination_owner.owner != crate::ID, RampartError::DestinationForbidden);
        let (_, asset) = sources::pinned(&integration, rest, false)?;
        let levels = sources::levels(&*self.guard.load()?, &integration, asset, now_ts)?;
        let held = sources::held(&integration, &self.token)?;
        integration.charge(kind, amount, levels, held, now_ts)
    }
}
