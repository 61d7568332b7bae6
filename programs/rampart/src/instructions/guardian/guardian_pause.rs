//! A guardian raises a level for a bounded time.

use crate::error::RampartError;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::guardian::scope::Pause;
use crate::refuse::require;
use crate::state::{Guard, HardBounds, Level};
use anchor_lang::prelude::*;

/// What `guardian_pause` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct GuardianPauseArgs {
    /// [`Level`], 1 or 2.
    pub level: u8,
    /// How long, seconds.
    pub duration_secs: u32,
    /// Under which epoch, until when.
    pub validity: Validity,
}

/// Accounts of `guardian_pause`.
#[event_cpi]
#[derive(Accounts)]
pub struct GuardianPause<'info> {
    /// A guardian.
    pub guardian: Signer<'info>,
    /// The guard; keeps the budgets.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// CHECK: the guard, or an asset or vault of it; loaded by its kind.
    #[account(mut)]
    pub scope: UncheckedAccount<'info>,
}

impl GuardianPause<'_> {
    /// Pauses. There is no right to end it early, and none to prolong it: only another guardian can follow.
    ///
    /// # Errors
    /// `WrongAuthority`, `AuthorityEpochMoved`, `InstructionExpired`, `PauseInvalid`, `PauseBudgetUsed`,
    /// `OwnPauseExtension`, `CausesFull`, `ChangeTargetMismatch`.
    pub fn handle(ctx: Context<Self>, args: GuardianPauseArgs) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let pause = ctx.accounts.charge(&args, now_ts)?;
        let event = pause.apply(&ctx.accounts.scope, &ctx.accounts.guard.key(), now_ts)?;
        emit_cpi!(event);
        Ok(())
    }

    fn charge(&self, args: &GuardianPauseArgs, now_ts: i64) -> Result<Pause> {
        let mut guard = self.guard.load_mut()?;
        let guardian = self.guardian.key();
        require!(guard.roles.is_guardian(&guardian), RampartError::WrongAuthority);
        args.validity.check_time(&guard, now_ts)?;
        let level = Level::try_from(args.level).map_err(|_| RampartError::PauseInvalid)?;
        let is_own = (Level::Caution..=Level::ReduceOnly).contains(&level);
        require!(is_own && is_allowed(args.duration_secs, &guard.bounds), RampartError::PauseInvalid);
        let Guard { pauses, roles, bounds, .. } = &mut *guard;
        let left = pauses.charge_guardian(&guardian, roles, bounds, now_ts, args.duration_secs)?;
        Ok(Pause { source: guardian, level, duration_secs: args.duration_secs, budget_left_secs: left })
    }
}

/// Tells whether one pause may last so long.
pub(super) fn is_allowed(duration_secs: u32, bounds: &HardBounds) -> bool {
    duration_secs > 0 && duration_secs <= bounds.max_pause_secs
}
