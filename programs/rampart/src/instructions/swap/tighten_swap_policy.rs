//! Makes a swap policy stricter, at once.

use crate::error::RampartError;
use crate::events::SwapPolicySet;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::require;
use crate::state::direction::Judged;
use crate::state::{Direction, Guard, SwapParams, SwapPolicy};
use anchor_lang::prelude::*;

/// Accounts of `tighten_swap_policy`.
#[event_cpi]
#[derive(Accounts)]
pub struct TightenSwapPolicy<'info> {
    /// Root or risk admin.
    pub authority: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// The policy.
    #[account(mut, has_one = guard @ RampartError::SwapAccountsMismatch)]
    pub policy: AccountLoader<'info, SwapPolicy>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl TightenSwapPolicy<'_> {
    /// Replaces the parameters if every one of them is at least as strict. What a day has used stays used.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `LooseningRefused`, `SwapPolicyInvalid`, `OutsideHardBounds`, `UnknownKind`, `TightenStepExceeded`, and those of
    /// [`Validity::check`].
    pub fn handle(ctx: Context<Self>, params: SwapParams, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let (accounts, now_ts) = (&ctx.accounts, Clock::get()?.unix_timestamp);
        {
            let guard = accounts.guard.load()?;
            validity.check(&guard, accounts.authority.key, now_ts)?;
            let mut policy = accounts.policy.load_mut()?;
            let judged = policy.params.judge_move(&params);
            require!(judged.direction < Direction::Looser, RampartError::LooseningRefused);
            params.validate(&guard.bounds)?;
            policy.tightened.take(judged.step_bps, guard.bounds.max_tighten_step_bps, now_ts)?;
            policy.params = params;
        }
        emit_cpi!(SwapPolicySet {
            guard: accounts.guard.key(),
            policy: accounts.policy.key(),
            program: params.program
        });
        Ok(())
    }
}
