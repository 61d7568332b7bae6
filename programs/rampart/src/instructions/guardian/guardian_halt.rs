//! A quorum of guardians halts a scope.

use crate::error::RampartError;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::guardian::guardian_pause::is_allowed;
use crate::instructions::guardian::scope::Pause;
use crate::refuse::require;
use crate::state::{Guard, Level};
use anchor_lang::prelude::*;

/// Accounts of `guardian_halt`.
///
/// Remaining accounts: a quorum of guardians as signers, in any order.
#[event_cpi]
#[derive(Accounts)]
pub struct GuardianHalt<'info> {
    /// The guard; keeps the budgets.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// CHECK: the guard, or an asset or vault of it; loaded by its kind.
    #[account(mut)]
    pub scope: UncheckedAccount<'info>,
}

impl<'info> GuardianHalt<'info> {
    /// Halts for `duration_secs`; then the level falls to `ReduceOnly` for as long again. Both are charged.
    ///
    /// # Errors
    /// `QuorumMissing`, `AuthorityEpochMoved`, `InstructionExpired`, `PauseInvalid`, `PauseBudgetUsed`,
    /// `OwnPauseExtension`, `CausesFull`, `ChangeTargetMismatch`.
    pub fn handle(ctx: Context<'info, Self>, duration_secs: u32, validity: Validity) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let pause = ctx.accounts.charge(duration_secs, validity, ctx.remaining_accounts, now_ts)?;
        let event = pause.apply(&ctx.accounts.scope, &ctx.accounts.guard.key(), now_ts)?;
        emit_cpi!(event);
        Ok(())
    }

    fn charge(
        &self,
        duration_secs: u32,
        validity: Validity,
        signers: &[AccountInfo<'info>],
        now_ts: i64,
    ) -> Result<Pause> {
        let mut guard = self.guard.load_mut()?;
        guard.roles.require_quorum(signers)?;
        validity.check_time(&guard, now_ts)?;
        require!(is_allowed(duration_secs, &guard.bounds), RampartError::PauseInvalid);
        let with_tail_secs = duration_secs.saturating_mul(2);
        let Guard { pauses, bounds, .. } = &mut *guard;
        let left = pauses.charge_quorum(bounds, now_ts, with_tail_secs)?;
        Ok(Pause { source: self.guard.key(), level: Level::Halt, duration_secs, budget_left_secs: left })
    }
}
