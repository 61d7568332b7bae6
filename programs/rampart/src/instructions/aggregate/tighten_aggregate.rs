//! Makes a guard's dollar limit stricter, at once.

use crate::error::RampartError;
use crate::events::AggregateSet;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::require;
use crate::state::direction::{Direction, Judged};
use crate::state::{AggregateLimit, AggregateParams, Guard};
use anchor_lang::prelude::*;

/// Accounts of `tighten_aggregate`.
#[event_cpi]
#[derive(Accounts)]
pub struct TightenAggregate<'info> {
    /// Root or risk admin.
    pub authority: Signer<'info>,
    /// The guard; says whether the limit is in force.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// The limit.
    #[account(mut, has_one = guard @ RampartError::AggregateMismatch)]
    pub aggregate: AccountLoader<'info, AggregateLimit>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl TightenAggregate<'_> {
    /// Replaces the parameters if every one of them is at least as strict. What is leased stays leased.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `LooseningRefused`, `AggregateInvalid`, `UnknownKind`, `TightenStepExceeded`, and those of [`Validity::check`].
    pub fn handle(ctx: Context<Self>, params: AggregateParams, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let now_ts = Clock::get()?.unix_timestamp;
        {
            let mut guard = ctx.accounts.guard.load_mut()?;
            validity.check(&guard, ctx.accounts.authority.key, now_ts)?;
            params.validate()?;
            let mut aggregate = ctx.accounts.aggregate.load_mut()?;
            let judged = aggregate.params.judge_move(&params);
            require!(judged.direction < Direction::Looser, RampartError::LooseningRefused);
            aggregate.tightened.take(judged.step_bps, guard.bounds.max_tighten_step_bps, now_ts)?;
            aggregate.params = params;
            guard.aggregate = params.switch;
        }
        let guard = ctx.accounts.guard.key();
        emit_cpi!(AggregateSet { guard, limit_micro_usd: params.limit_micro_usd, switch: params.switch });
        Ok(())
    }
}
