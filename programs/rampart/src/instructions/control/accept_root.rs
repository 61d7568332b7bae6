//! The new root takes over, on its own signature.

use crate::error::RampartError;
use crate::events::ChangeExecuted;
use crate::instructions::control::keepers::require_no_keeper;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::{err, require, require_keys_eq};
use crate::state::{Change, ChangeGroup, Guard, PendingChange, Roles};
use anchor_lang::prelude::*;

/// Accounts of `accept_root`.
///
/// Remaining accounts: the keeper set, where the guard has one.
#[event_cpi]
#[derive(Accounts)]
pub struct AcceptRoot<'info> {
    /// The key that the change makes root: a key that nobody can sign with never becomes it.
    pub new_root: Signer<'info>,
    /// The guard.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// The change, proposed by the present root; closed.
    #[account(
        mut,
        has_one = guard @ RampartError::ChangeTargetMismatch,
        has_one = rent_to @ RampartError::ChangeTargetMismatch,
        close = rent_to,
    )]
    pub change: AccountLoader<'info, PendingChange>,
    /// CHECK: gets the rent back; named by the change.
    #[account(mut)]
    pub rent_to: UncheckedAccount<'info>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl<'info> AcceptRoot<'info> {
    /// Accepts, after the delay. The authority epoch moves on, which voids all that is pending.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `ChangeTargetMismatch`, `WrongAuthority`, `AuthorityEpochMoved`, `ChangeNotRipe`,
    /// `ChangeExpired`, `ChangeValueMoved`, `GuardFrozen`, `RolesInvalid`, `KeeperSetMissing`, `KeeperHoldsRole`.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let event = ctx.accounts.apply(ctx.remaining_accounts, now_ts)?;
        emit_cpi!(event);
        Ok(())
    }

    fn apply(&self, rest: &[AccountInfo<'info>], now_ts: i64) -> Result<ChangeExecuted> {
        let mut guard = self.guard.load_mut()?;
        let change = self.change.load()?;
        let Change::Root(new_root) = change.change()? else { return err!(RampartError::ChangeTargetMismatch) };
        require_keys_eq!(new_root, self.new_root.key(), RampartError::WrongAuthority);
        change.require_ripe(&guard, now_ts)?;
        guard.require_open()?;
        require!(Change::Root(guard.roles.root).hash() == change.value_hash, RampartError::ChangeValueMoved);
        let roles = Roles { root: new_root, ..guard.roles };
        require_no_keeper(&self.guard.key(), &guard, &roles, rest)?;
        guard.set_roles(roles)?;
        guard.invariant()?;
        Ok(ChangeExecuted {
            guard: self.guard.key(),
            change: self.change.key(),
            target: self.guard.key(),
            group: ChangeGroup::Root as u8,
            authority_epoch: guard.authority_epoch,
        })
    }
}
