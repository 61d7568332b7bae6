//! Replaces the members of a keeper set.

use crate::error::RampartError;
use crate::events::KeepersSet;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::state::keeper_set::KeeperLimits;
use crate::state::{Guard, KeeperSeat, KeeperSet};
use anchor_lang::prelude::*;

/// What `initialize_keepers` and `set_keepers` are told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct SetKeepersArgs {
    /// All members, at most 15.
    pub members: Vec<KeeperSeat>,
    /// Which reports count.
    pub limits: KeeperLimits,
}

/// Accounts of `set_keepers`.
#[event_cpi]
#[derive(Accounts)]
pub struct SetKeepers<'info> {
    /// Root, or risk admin to leave members out.
    pub authority: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// The keeper set.
    #[account(mut, has_one = guard @ RampartError::RuleSubjectMismatch)]
    pub keeper_set: AccountLoader<'info, KeeperSet>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl SetKeepers<'_> {
    /// Replaces the members. Who is left out is out at once; who joins waits for two days. All report anew.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `KeeperSetInvalid`, `KeeperQuorumUnreachable`, `UnknownKind`, `WrongAuthority` for a risk admin that does more than
    /// leave members out, and those of [`Validity::check`].
    pub fn handle(ctx: Context<Self>, args: SetKeepersArgs, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let now_ts = Clock::get()?.unix_timestamp;
        let event = {
            let guard = ctx.accounts.guard.load()?;
            validity.check(&guard, ctx.accounts.authority.key, now_ts)?;
            let may_join = guard.roles.root == ctx.accounts.authority.key();
            let mut set = ctx.accounts.keeper_set.load_mut()?;
            set.replace(&args.members, args.limits, &guard.roles, may_join, now_ts)?;
            KeepersSet { guard: set.guard, epoch: set.epoch, count: set.count }
        };
        emit_cpi!(event);
        Ok(())
    }
}
