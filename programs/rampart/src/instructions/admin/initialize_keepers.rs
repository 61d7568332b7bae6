//! Creates a guard's keeper set.

use crate::constants::{KEEPERS_SEED, LAYOUT_VERSION};
use crate::error::RampartError;
use crate::events::KeepersSet;
use crate::instructions::admin::set_keepers::SetKeepersArgs;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::require_keys_eq;
use crate::state::guard::Keepers;
use crate::state::{Guard, KeeperSet};
use anchor_lang::prelude::*;

/// Accounts of `initialize_keepers`.
#[event_cpi]
#[derive(Accounts)]
pub struct InitializeKeepers<'info> {
    /// Root of the guard. Pays the rent.
    #[account(mut)]
    pub root: Signer<'info>,
    /// The guard; takes note that it has keepers.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// The keeper set. One per guard.
    #[account(init, payer = root, space = KeeperSet::SPACE, seeds = [KEEPERS_SEED, guard.key().as_ref()], bump)]
    pub keeper_set: AccountLoader<'info, KeeperSet>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

impl InitializeKeepers<'_> {
    /// Creates the set. Its members count at once.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `KeeperSetInvalid`, `KeeperQuorumUnreachable`, `UnknownKind`.
    pub fn handle(ctx: Context<Self>, args: SetKeepersArgs) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let now_ts = Clock::get()?.unix_timestamp;
        let event = {
            let mut guard = ctx.accounts.guard.load_mut()?;
            require_keys_eq!(guard.roles.root, ctx.accounts.root.key(), RampartError::WrongAuthority);
            let mut set = ctx.accounts.keeper_set.load_init()?;
            set.guard = ctx.accounts.guard.key();
            set.version = LAYOUT_VERSION;
            set.bump = ctx.bumps.keeper_set;
            set.fill(&args.members, args.limits, &guard.roles, now_ts)?;
            guard.keepers = Keepers::Set as u8;
            KeepersSet { guard: set.guard, epoch: set.epoch, count: set.count }
        };
        emit_cpi!(event);
        Ok(())
    }
}
