//! Begins the orderly end of a vault, and calls it off within its first day.

use crate::constants::{RESOLUTION_MAX_SECS, RESOLUTION_MIN_SECS, RESOLUTION_NOTICE_SECS, SHORTFALL_STANDING_SECS};
use crate::error::RampartError;
use crate::events::{ResolutionEntered, ResolutionLeft};
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::instructions::exit::record_shortfall::{note_collateral, note_loan};
use crate::refuse::{require, require_keys_eq};
use crate::state::resolution::{Resolution, ResolutionState};
use crate::state::shortfall::Holding;
use crate::state::{Guard, Vault};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenAccount;

/// Accounts of `enter_resolution` and `leave_resolution`.
///
/// Remaining accounts, where root signs: the guardians that sign with it.
#[event_cpi]
#[derive(Accounts)]
pub struct ChangeResolution<'info> {
    /// Root, with a quorum of guardians; or anyone, once a shortfall has stood proved for long enough.
    pub authority: Signer<'info>,
    /// The guard. Read for its roles.
    pub guard: AccountLoader<'info, Guard>,
    /// The vault.
    #[account(
        mut,
        has_one = guard @ RampartError::VaultAssetsInvalid,
        has_one = loan_token @ RampartError::VaultAssetsInvalid,
        has_one = collateral_token @ RampartError::VaultAssetsInvalid,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The vault's account of the loan mint.
    pub loan_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The vault's account of the collateral mint.
    pub collateral_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl<'info> ChangeResolution<'info> {
    /// Enters Resolution for `duration_secs`.
    ///
    /// Anyone may, for the longest time, once a shortfall has stood proved for three days and is there now.
    ///
    /// # Errors
    /// `ResolutionInForce`, `ResolutionDateInvalid`; for root `DurableNonceRefused`, `QuorumMissing`,
    /// `AuthorityEpochMoved`, `InstructionExpired`; for anyone else `ShortfallNotStanding`.
    pub fn enter(ctx: Context<'info, Self>, duration_secs: u32, validity: Validity) -> Result<()> {
        let accounts = &ctx.accounts;
        let now_ts = Clock::get()?.unix_timestamp;
        let event = {
            let mut vault = accounts.vault.load_mut()?;
            require!(!vault.resolution.is_in_force(), RampartError::ResolutionInForce);
            let duration_secs = i64::from(duration_secs);
            let is_dated = (RESOLUTION_MIN_SECS..=RESOLUTION_MAX_SECS).contains(&duration_secs);
            require!(is_dated, RampartError::ResolutionDateInvalid);
            let guard = accounts.guard.load()?;
            let is_by_root = guard.roles.root == accounts.authority.key();
            if is_by_root {
                accounts.require_quorum(&guard, validity, ctx.remaining_accounts, now_ts)?;
            } else {
                require!(duration_secs == RESOLUTION_MAX_SECS, RampartError::ResolutionDateInvalid);
                require!(accounts.shortfall_stands(&mut vault, now_ts), RampartError::ShortfallNotStanding);
            }
            vault.accrue(now_ts)?;
            vault.resolution = Resolution {
                shares: vault.supply_shares,
                paid_amount: 0,
                entered_at_ts: now_ts,
                claims_open_at_ts: now_ts.saturating_add(RESOLUTION_NOTICE_SECS),
                ends_at_ts: now_ts.saturating_add(duration_secs),
                state: ResolutionState::Entered as u8,
                reserved: [0; 7],
            };
            let r = &vault.resolution;
            ResolutionEntered {
                vault: accounts.vault.key(),
                is_by_root,
                claims_open_at_ts: r.claims_open_at_ts,
                ends_at_ts: r.ends_at_ts,
            }
        };
        emit_cpi!(event);
        Ok(())
    }

    /// Leaves Resolution, before its claims open.
    ///
    /// # Errors
    /// `ResolutionNotInForce`, `ResolutionOpen`, `WrongAuthority`, `DurableNonceRefused`, `QuorumMissing`,
    /// `AuthorityEpochMoved`, `InstructionExpired`, `ShortfallStands` while a shortfall is there.
    pub fn leave(ctx: Context<'info, Self>, validity: Validity) -> Result<()> {
        let accounts = &ctx.accounts;
        let now_ts = Clock::get()?.unix_timestamp;
        {
            let mut vault = accounts.vault.load_mut()?;
            require!(vault.resolution.is_in_force(), RampartError::ResolutionNotInForce);
            require!(!vault.resolution.is_open(now_ts), RampartError::ResolutionOpen);
            let guard = accounts.guard.load()?;
            require_keys_eq!(guard.roles.root, accounts.authority.key(), RampartError::WrongAuthority);
            accounts.require_quorum(&guard, validity, ctx.remaining_accounts, now_ts)?;
            require!(!accounts.note(&mut vault, now_ts), RampartError::ShortfallStands);
            vault.resolution = Resolution::default();
        }
        emit_cpi!(ResolutionLeft { vault: accounts.vault.key() });
        Ok(())
    }

    fn require_quorum(&self, guard: &Guard, validity: Validity, signers: &[AccountInfo], now_ts: i64) -> Result<()> {
        refuse_durable_nonce(&self.instructions)?;
        validity.check(guard, self.authority.key, now_ts)?;
        guard.roles.require_quorum(signers)
    }

    /// Takes both accounts as a proof; tells whether either is short.
    fn note(&self, vault: &mut Vault, now_ts: i64) -> bool {
        let key = self.vault.key();
        let is_loan_short = note_loan(vault, key, Holding::of(&self.loan_token), now_ts);
        note_collateral(vault, key, Holding::of(&self.collateral_token), now_ts) || is_loan_short
    }

    fn shortfall_stands(&self, vault: &mut Vault, now_ts: i64) -> bool {
        let has_stood = |v: &Vault| {
            v.loan_shortfall.has_stood(SHORTFALL_STANDING_SECS, now_ts)
                || v.collateral_shortfall.has_stood(SHORTFALL_STANDING_SECS, now_ts)
        };
        // a proof of now forgets what is gone
        self.note(vault, now_ts) && has_stood(vault)
    }
}
