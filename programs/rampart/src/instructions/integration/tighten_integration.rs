//! Makes an integration's limits stricter, at once.

use crate::error::RampartError;
use crate::events::IntegrationTightened;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::require;
use crate::state::{FlowCap, FlowCaps, Guard, Integration};
use anchor_lang::prelude::*;

/// What `tighten_integration` is told. The floor is not among it: no tightening closes the exits.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct TightenIntegrationArgs {
    /// Exits within normal limits.
    pub exit: FlowCap,
    /// New risk.
    pub risk: FlowCap,
}

/// Accounts of `tighten_integration`.
#[event_cpi]
#[derive(Accounts)]
pub struct TightenIntegration<'info> {
    /// Root or risk admin.
    pub authority: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// The integration.
    #[account(mut, has_one = guard @ RampartError::IntegrationMismatch)]
    pub integration: AccountLoader<'info, Integration>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl TightenIntegration<'_> {
    /// Replaces the limits if every one of them is at least as strict. What was used stays used.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `LooseningRefused`, `FlowCapsInvalid` for exits below twice their floor, and those of [`Validity::check`].
    pub fn handle(ctx: Context<Self>, args: TightenIntegrationArgs, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let now_ts = Clock::get()?.unix_timestamp;
        {
            let guard = ctx.accounts.guard.load()?;
            validity.check(&guard, ctx.accounts.authority.key, now_ts)?;
            let mut integration = ctx.accounts.integration.load_mut()?;
            let caps = FlowCaps { exit: args.exit, risk: args.risk, ..integration.caps };
            let is_tighter = integration.caps.exit.covers(&caps.exit) && integration.caps.risk.covers(&caps.risk);
            require!(is_tighter, RampartError::LooseningRefused);
            caps.validate()?;
            integration.caps = caps;
            integration.flow.recap(&caps, now_ts);
        }
        emit_cpi!(IntegrationTightened { integration: ctx.accounts.integration.key() });
        Ok(())
    }
}
