//! Enforces and charges an outflow, in the instruction that makes it.

use crate::error::RampartError;
use crate::events::IntegrationFlowed;
use crate::instructions::integration::sources;
use crate::state::integration::{ActionKind, Mode};
use crate::state::{Guard, Integration};
use anchor_lang::prelude::*;

/// Accounts of `record_outflow`.
///
/// Remaining accounts: the token account or mint that percentages are of, unless limits are amounts; then the
/// integration's asset where it pins one.
#[derive(Accounts)]
pub struct RecordOutflow<'info> {
    /// The integration's authority: nobody else can burn its budget.
    pub authority: Signer<'info>,
    /// The guard. Read for its level.
    pub guard: AccountLoader<'info, Guard>,
    /// The integration; guard and authority MUST be its own: [`Integration::require_chargeable`].
    #[account(mut)]
    pub integration: AccountLoader<'info, Integration>,
}

impl<'info> RecordOutflow<'info> {
    /// Charges `amount`. To be called before the transfer, in the same instruction, once the amount is final.
    ///
    /// # Errors
    /// `UnknownKind`, `IntegrationMismatch`, `IntegrationDisabled`, `IntegrationModeForbids`, and those of
    /// [`Integration::charge`].
    pub fn handle(ctx: Context<'info, Self>, kind: u8, amount: u64) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let action = ActionKind::try_from(kind).map_err(|_| RampartError::UnknownKind)?;
        {
            let mut integration = ctx.accounts.integration.load_mut()?;
            integration.require_chargeable(
                ctx.accounts.guard.as_ref().key,
                ctx.accounts.authority.key,
                Mode::Reported,
            )?;
            let (base, asset) = sources::pinned(&integration, ctx.remaining_accounts, true)?;
            let levels = sources::levels(&*ctx.accounts.guard.load()?, &integration, asset, now_ts)?;
            let held = match base {
                Some(account) => sources::held(&integration, account)?,
                None => None,
            };
            integration.charge(action, amount, levels, held, now_ts)?;
        }
        emit!(IntegrationFlowed { integration: ctx.accounts.integration.key(), kind, amount });
        Ok(())
    }
}
