//! The resetter takes a rule's cause away, with a proof that the rule is clear now.

use crate::error::RampartError;
use crate::events::BreakerReset;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::instructions::evidence::evaluate::{Evidence, require_clear, with_breaker};
use crate::refuse::{require, require_keys_eq};
use crate::state::{Asset, Guard, Level, Rule};
use anchor_lang::prelude::*;

/// What `reset_breaker` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct ResetBreakerArgs {
    /// The rule's fence, as in `trip` and `step_down`.
    pub trip_epoch: u64,
    /// Under which epoch, until when.
    pub validity: Validity,
}

/// Accounts of `reset_breaker`.
///
/// Remaining accounts: the oracle accounts that the metric needs; see `Evidence`.
#[event_cpi]
#[derive(Accounts)]
pub struct ResetBreaker<'info> {
    /// The resetter.
    pub resetter: Signer<'info>,
    /// The guard. For a rule of its scope it is also `scope`.
    pub guard: AccountLoader<'info, Guard>,
    /// The rule that holds the cause.
    #[account(mut, has_one = guard @ RampartError::RuleSubjectMismatch)]
    pub rule: AccountLoader<'info, Rule>,
    /// CHECK: MUST be the rule's subject; loaded by the kind that the metric needs.
    pub subject: UncheckedAccount<'info>,
    /// CHECK: the account whose level falls: the rule's subject or its guard; loaded by the rule's scope.
    #[account(mut)]
    pub scope: UncheckedAccount<'info>,
    /// Asset account of the vault's collateral, for the collateral ratio.
    pub collateral_asset: Option<AccountLoader<'info, Asset>>,
    /// Asset account of the vault's loan, for the collateral ratio.
    pub loan_asset: Option<AccountLoader<'info, Asset>>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl<'info> ResetBreaker<'info> {
    /// Resets one rule's cause from any level to Normal, where `step_down` goes one level. Each cause of a breaker needs
    /// its own proof; the causes of others stay. The price reference is as it was.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `AuthorityEpochMoved`, `InstructionExpired`, `TripEpochMoved`, `RuleNotClear`,
    /// `RuleIndeterminate`, `NotTripped`, `DwellNotOver`, `MathOverflow`, and those of `Evidence::evaluate`.
    pub fn handle(ctx: Context<'info, Self>, args: ResetBreakerArgs) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let now_ts = Clock::get()?.unix_timestamp;
        {
            let guard = ctx.accounts.guard.load()?;
            require_keys_eq!(guard.roles.resetter, ctx.accounts.resetter.key(), RampartError::WrongAuthority);
            args.validity.check_time(&guard, now_ts)?;
        }
        let from = ctx.accounts.apply(args.trip_epoch, now_ts, ctx.remaining_accounts)?;
        emit_cpi!(BreakerReset { scope: ctx.accounts.scope.key(), source: ctx.accounts.rule.key(), from: from as u8 });
        Ok(())
    }

    fn apply(&self, trip_epoch: u64, now_ts: i64, oracles: &[AccountInfo<'info>]) -> Result<Level> {
        let mut rule = self.rule.load_mut()?;
        require!(rule.trip_epoch == trip_epoch, RampartError::TripEpochMoved);
        let evidence = Evidence {
            subject: &self.subject,
            collateral_asset: self.collateral_asset.as_ref(),
            loan_asset: self.loan_asset.as_ref(),
            further: oracles,
        };
        require_clear(evidence.evaluate(&rule, now_ts)?.verdict)?;
        let key = self.rule.key();
        let from = with_breaker(&rule, &self.scope, |breaker| breaker.reset(&key, now_ts))?;
        rule.note_step_down(now_ts)?;
        Ok(from)
    }
}
