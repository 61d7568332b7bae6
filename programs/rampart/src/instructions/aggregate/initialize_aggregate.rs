//! Creates a guard's dollar limit.

use crate::constants::{AGGREGATE_SEED, LAYOUT_VERSION};
use crate::error::RampartError;
use crate::events::AggregateSet;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::require_keys_eq;
use crate::state::{AggregateLimit, AggregateParams, Guard};
use anchor_lang::prelude::*;

/// Accounts of `initialize_aggregate`.
#[event_cpi]
#[derive(Accounts)]
pub struct InitializeAggregate<'info> {
    /// Root of the guard. Pays the rent.
    #[account(mut)]
    pub root: Signer<'info>,
    /// The guard; says from now on whether the limit is in force.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// The limit. One per guard, never closed.
    #[account(init, payer = root, space = AggregateLimit::SPACE, seeds = [AGGREGATE_SEED, guard.key().as_ref()], bump)]
    pub aggregate: AccountLoader<'info, AggregateLimit>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl InitializeAggregate<'_> {
    /// Creates the limit, with nothing leased.
    ///
    /// Refused once the guard is frozen: what could never be loosened again must not start too low.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `GuardFrozen`, `AggregateInvalid`, `UnknownKind`.
    pub fn handle(ctx: Context<Self>, params: AggregateParams) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let key = ctx.accounts.guard.key();
        {
            let mut guard = ctx.accounts.guard.load_mut()?;
            require_keys_eq!(guard.roles.root, ctx.accounts.root.key(), RampartError::WrongAuthority);
            guard.require_open()?;
            params.validate()?;
            guard.aggregate = params.switch;
            let mut aggregate = ctx.accounts.aggregate.load_init()?;
            aggregate.guard = key;
            aggregate.params = params;
            aggregate.version = LAYOUT_VERSION;
            aggregate.bump = ctx.bumps.aggregate;
        }
        emit_cpi!(AggregateSet { guard: key, limit_micro_usd: params.limit_micro_usd, switch: params.switch });
        Ok(())
    }
}
