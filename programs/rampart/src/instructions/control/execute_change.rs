//! Executes a change that has waited, after trying its effect on live values.

use crate::error::RampartError;
use crate::events::ChangeExecuted;
use crate::instructions::control::keepers::require_no_keeper;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::instructions::control::{effect, target};
use crate::refuse::require;
use crate::state::{Change, Direction, Guard, PendingChange};
use anchor_lang::prelude::*;

/// Accounts of `execute_change`.
///
/// Remaining accounts: what the effect is tried on, see `effect::require_bounded`; for roles, the keeper set where the
/// guard has one; for a release from custody those of `release`.
#[event_cpi]
#[derive(Accounts)]
pub struct ExecuteChange<'info> {
    /// The guard.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// The change; closed.
    #[account(
        mut,
        has_one = guard @ RampartError::ChangeTargetMismatch,
        has_one = target @ RampartError::ChangeTargetMismatch,
        has_one = rent_to @ RampartError::ChangeTargetMismatch,
        close = rent_to,
    )]
    pub change: AccountLoader<'info, PendingChange>,
    /// CHECK: gets the rent back; named by the change.
    #[account(mut)]
    pub rent_to: UncheckedAccount<'info>,
    /// CHECK: the account that changes; named by the change, loaded by its group.
    #[account(mut)]
    pub target: UncheckedAccount<'info>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl<'info> ExecuteChange<'info> {
    /// Executes. Anyone may call: what happens was public since it was proposed.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `AuthorityEpochMoved`, `ChangeNotRipe`, `ChangeExpired`, `ChangeValueMoved`, `GuardFrozen`,
    /// `RootNeedsAcceptance`, `KeeperSetMissing`, `KeeperHoldsRole`, and those of `target` and `effect`.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let event = ctx.accounts.apply(ctx.remaining_accounts, now_ts)?;
        emit_cpi!(event);
        Ok(())
    }

    fn apply(&self, evidence: &[AccountInfo<'info>], now_ts: i64) -> Result<ChangeExecuted> {
        let mut guard = self.guard.load_mut()?;
        let next = self.prove(&guard, evidence, now_ts)?;
        target::write(&next, &self.target, evidence, &mut guard, now_ts)?;
        guard.note_configured()?;
        guard.invariant()?;
        Ok(ChangeExecuted {
            guard: self.guard.key(),
            change: self.change.key(),
            target: self.target.key(),
            group: next.group() as u8,
            authority_epoch: guard.authority_epoch,
        })
    }

    /// Checks time, epoch, value and effect; returns the change.
    #[inline(never)]
    fn prove(&self, guard: &Guard, evidence: &[AccountInfo<'info>], now_ts: i64) -> Result<Change> {
        let change = self.change.load()?;
        change.require_ripe(guard, now_ts)?;
        let next = change.change()?;
        let now = target::current(next.group(), &self.target, &self.guard.key(), guard)?;
        require!(now.hash() == change.value_hash, RampartError::ChangeValueMoved);
        if now.judge_move(&next)?.direction == Direction::Looser {
            guard.require_open()?;
        }
        target::validate(&now, &next, guard)?;
        if let Some(next) = next.roles_after(&guard.roles) {
            require_no_keeper(&self.guard.key(), guard, &next, evidence)?;
        }
        effect::require_bounded(&now, &next, &self.target, evidence, &guard.bounds, now_ts)?;
        Ok(next)
    }
}
