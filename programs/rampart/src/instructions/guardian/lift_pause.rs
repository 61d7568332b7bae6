//! The resetter ends a pause early.

use crate::error::RampartError;
use crate::events::BreakerReset;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::instructions::guardian::scope::with_scope;
use crate::refuse::{require, require_keys_eq, require_keys_neq};
use crate::state::{CauseKind, Guard};
use anchor_lang::prelude::*;

/// Accounts of `lift_pause`.
#[event_cpi]
#[derive(Accounts)]
pub struct LiftPause<'info> {
    /// The resetter.
    pub resetter: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// CHECK: the guard, or an asset or vault of it; loaded by its kind.
    #[account(mut)]
    pub scope: UncheckedAccount<'info>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl LiftPause<'_> {
    /// Lifts the pause of `source` (a guardian, or the guard for the quorum's) after its dwell time. The causes of others
    /// stay, and nothing is given back to a budget.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `AuthorityEpochMoved`, `InstructionExpired`, `OwnPauseLift`, `NotTripped`, `DwellNotOver`,
    /// `ChangeTargetMismatch`.
    pub fn handle(ctx: Context<Self>, source: Pubkey, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let now_ts = Clock::get()?.unix_timestamp;
        {
            let guard = ctx.accounts.guard.load()?;
            require_keys_eq!(guard.roles.resetter, ctx.accounts.resetter.key(), RampartError::WrongAuthority);
            validity.check_time(&guard, now_ts)?;
        }
        // a guardian who became resetter since
        require_keys_neq!(source, ctx.accounts.resetter.key(), RampartError::OwnPauseLift);
        let from = with_scope(&ctx.accounts.scope, &ctx.accounts.guard.key(), |breaker| {
            let cause = breaker.cause_of(&source, now_ts).ok_or(RampartError::NotTripped)?;
            require!(cause.kind == CauseKind::Pause as u8, RampartError::NotTripped);
            breaker.reset(&source, now_ts)
        })?;
        emit_cpi!(BreakerReset { scope: ctx.accounts.scope.key(), source, from: from as u8 });
        Ok(())
    }
}
