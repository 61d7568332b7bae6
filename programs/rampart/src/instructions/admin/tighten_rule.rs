//! Makes a rule stricter, at once.

use crate::error::RampartError;
use crate::events::RuleTightened;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::require;
use crate::state::direction::Judged;
use crate::state::rule::RuleParams;
use crate::state::{Guard, Rule};
use anchor_lang::prelude::*;

/// What every privileged instruction is told beside its values.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct Validity {
    /// The guard's authority epoch that the change was prepared under.
    pub authority_epoch: u64,
    /// After this time it is refused, unix seconds.
    pub expires_at_ts: i64,
}

impl Validity {
    /// Checks that `signer` may tighten `guard` now.
    ///
    /// # Errors
    /// `WrongAuthority`, `AuthorityEpochMoved`, `InstructionExpired`.
    pub fn check(&self, guard: &Guard, signer: &Pubkey, now_ts: i64) -> Result<()> {
        let may = guard.roles.root == *signer || guard.roles.risk_admin == *signer;
        require!(may, RampartError::WrongAuthority);
        self.check_time(guard, now_ts)
    }

    /// Checks epoch and expiry alone, for signers of other roles.
    ///
    /// # Errors
    /// `AuthorityEpochMoved`, `InstructionExpired`.
    pub fn check_time(&self, guard: &Guard, now_ts: i64) -> Result<()> {
        require!(self.authority_epoch == guard.authority_epoch, RampartError::AuthorityEpochMoved);
        require!(now_ts <= self.expires_at_ts, RampartError::InstructionExpired);
        Ok(())
    }
}

/// Accounts of `tighten_rule`.
#[event_cpi]
#[derive(Accounts)]
pub struct TightenRule<'info> {
    /// Root or risk admin.
    pub authority: Signer<'info>,
    /// The guard; counts what is configured.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// The rule.
    #[account(mut, has_one = guard @ RampartError::RuleSubjectMismatch)]
    pub rule: AccountLoader<'info, Rule>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl TightenRule<'_> {
    /// Replaces the parameters if every one of them is at least as strict.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `LooseningRefused`, `RuleInvalid`, `OutsideHardBounds`, `TightenStepExceeded`, and those of [`Validity::check`].
    pub fn handle(ctx: Context<Self>, params: RuleParams, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let now_ts = Clock::get()?.unix_timestamp;
        {
            let mut guard = ctx.accounts.guard.load_mut()?;
            validity.check(&guard, ctx.accounts.authority.key, now_ts)?;
            params.validate(&guard.bounds)?;
            let mut rule = ctx.accounts.rule.load_mut()?;
            rule.params.require_tightening(&params)?;
            let step_bps = rule.params.judge_move(&params).step_bps;
            rule.tightened.take(step_bps, guard.bounds.max_tighten_step_bps, now_ts)?;
            rule.params = params;
            guard.note_configured()?;
        }
        emit_cpi!(RuleTightened { rule: ctx.accounts.rule.key() });
        Ok(())
    }
}
