//! Proposes a change, which then waits in public.

use crate::constants::{CHANGE_SEED, LAYOUT_VERSION};
use crate::error::RampartError;
use crate::events::ChangeProposed;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::keepers::require_no_keeper;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::instructions::control::target;
use crate::refuse::{require, require_keys_eq};
use crate::state::{Change, ChangeGroup, Direction, Guard, PendingChange};
use anchor_lang::prelude::*;

/// What `propose_change` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct ProposeChangeArgs {
    /// The whole group as it shall be.
    pub change: Change,
    /// [`Change::hash`] of the group as the proposer knows it.
    pub value_hash: [u8; 32],
    /// Under which epoch, until when.
    pub validity: Validity,
}

/// Accounts of `propose_change`.
///
/// Remaining accounts: for a change that moves the vetoer, a quorum of guardians as signers; for roles and root, the keeper
/// set where the guard has one.
#[event_cpi]
#[derive(Accounts)]
pub struct ProposeChange<'info> {
    /// Root of the guard. Pays the rent and gets it back.
    #[account(mut)]
    pub root: Signer<'info>,
    /// The guard; counts its changes.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// CHECK: the account that the change is about; loaded by the change's group, and MUST belong to the guard.
    pub target: UncheckedAccount<'info>,
    /// The pending change, under the guard's next number.
    #[account(
        init,
        payer = root,
        space = PendingChange::SPACE,
        seeds = [CHANGE_SEED, guard.key().as_ref(), &guard.load()?.next_change_id.to_le_bytes()],
        bump,
    )]
    pub change: AccountLoader<'info, PendingChange>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

impl<'info> ProposeChange<'info> {
    /// Judges the change against the value that stands and lets it wait.
    ///
    /// All wait for the guard's delay but a longer delay, which is strict for everybody. What may be tightened at once
    /// has instructions of its own, with a bound on the step.
    ///
    /// # Errors
    /// `WrongAuthority`, `AuthorityEpochMoved`, `InstructionExpired`, `DurableNonceRefused`, `ChangeTargetMismatch`,
    /// `ChangeValueMoved`, `ChangeIsEmpty`, `GuardFrozen`, `QuorumMissing`, `KeeperSetMissing`, `KeeperHoldsRole`,
    /// `MathOverflow`, and those of `target::validate`.
    pub fn handle(ctx: Context<'info, Self>, args: ProposeChangeArgs) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let direction = ctx.accounts.judge(&args, ctx.remaining_accounts, now_ts)?;
        let event = ctx.accounts.store(&args, direction, now_ts, ctx.bumps.change)?;
        emit_cpi!(event);
        Ok(())
    }

    fn judge(&self, args: &ProposeChangeArgs, signers: &[AccountInfo<'info>], now_ts: i64) -> Result<Direction> {
        let guard = self.guard.load()?;
        require_keys_eq!(guard.roles.root, self.root.key(), RampartError::WrongAuthority);
        args.validity.check_time(&guard, now_ts)?;
        let now = target::current(args.change.group(), &self.target, &self.guard.key(), &guard)?;
        require!(now.hash() == args.value_hash, RampartError::ChangeValueMoved);
        target::validate(&now, &args.change, &guard)?;
        let direction = now.judge_move(&args.change)?.direction;
        require!(direction != Direction::Same, RampartError::ChangeIsEmpty);
        if direction == Direction::Looser {
            guard.require_open()?;
        }
        if let Change::Roles(next) = &args.change {
            // the vetoer can't stop this one, so that root alone must not be able to start it
            if next.vetoer != guard.roles.vetoer {
                guard.roles.require_quorum(signers)?;
            }
        }
        if let Some(next) = args.change.roles_after(&guard.roles) {
            require_no_keeper(&self.guard.key(), &guard, &next, signers)?;
        }
        Ok(direction)
    }

    fn store(&self, args: &ProposeChangeArgs, direction: Direction, now_ts: i64, bump: u8) -> Result<ChangeProposed> {
        let mut guard = self.guard.load_mut()?;
        let mut change = self.change.load_init()?;
        let is_at_once = args.change.group() == ChangeGroup::LoosenDelay && direction == Direction::Tighter;
        let delay_secs = if is_at_once { 0 } else { i64::from(guard.loosen_delay_secs) };
        change.guard = self.guard.key();
        change.target = self.target.key();
        change.rent_to = self.root.key();
        change.value_hash = args.value_hash;
        change.id = guard.next_change_id;
        change.authority_epoch = guard.authority_epoch;
        change.proposed_at_ts = now_ts;
        change.eta_ts = now_ts.saturating_add(delay_secs);
        change.expires_at_ts = change.eta_ts.saturating_add(guard.bounds.max_execution_window_secs.into());
        change.set(&args.change, direction);
        change.version = LAYOUT_VERSION;
        change.bump = bump;
        guard.next_change_id = guard.next_change_id.checked_add(1).ok_or(RampartError::MathOverflow)?;
        Ok(ChangeProposed {
            guard: change.guard,
            change: self.change.key(),
            target: change.target,
            group: change.group,
            direction: change.direction,
            eta_ts: change.eta_ts,
            expires_at_ts: change.expires_at_ts,
        })
    }
}
