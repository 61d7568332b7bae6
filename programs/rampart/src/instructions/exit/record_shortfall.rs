//! Proves that a vault's token accounts hold less than its books say, or that they don't.

use crate::constants::SHORTFALL_LEVEL_SECS;
use crate::error::RampartError;
use crate::events::ShortfallRecorded;
use crate::state::Vault;
use crate::state::breaker::{Cause, CauseKind, Level, Reach};
use crate::state::shortfall::Holding;
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenAccount;

/// Accounts of `record_shortfall`.
#[event_cpi]
#[derive(Accounts)]
pub struct RecordShortfall<'info> {
    /// The vault.
    #[account(
        mut,
        has_one = loan_token @ RampartError::VaultAssetsInvalid,
        has_one = collateral_token @ RampartError::VaultAssetsInvalid,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The vault's account of the loan mint.
    pub loan_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The vault's account of the collateral mint.
    pub collateral_token: Box<InterfaceAccount<'info, TokenAccount>>,
}

impl RecordShortfall<'_> {
    /// Records what both accounts prove. Anyone may call: the proof is in the accounts.
    ///
    /// # Errors
    /// Those of the accounts.
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let (loan, collateral) = (Holding::of(&ctx.accounts.loan_token), Holding::of(&ctx.accounts.collateral_token));
        let event = {
            let key = ctx.accounts.vault.key();
            let mut vault = ctx.accounts.vault.load_mut()?;
            let loan_missing = loan.missing(vault.cash_amount);
            let collateral_missing = collateral.missing(vault.collateral_amount);
            note_loan(&mut vault, key, loan, now_ts);
            note_collateral(&mut vault, key, collateral, now_ts);
            let missing_bps = |bps: crate::math::Bps| u16::try_from(bps.0).unwrap_or(u16::MAX);
            ShortfallRecorded {
                vault: key,
                loan_missing_bps: missing_bps(loan_missing),
                collateral_missing_bps: missing_bps(collateral_missing),
            }
        };
        emit_cpi!(event);
        Ok(())
    }
}

/// Takes what the loan account holds as a proof, and tells whether it is short of the books.
pub fn note_loan(vault: &mut Vault, key: Pubkey, holding: Holding, now_ts: i64) -> bool {
    let is_short = holding.payable() < vault.cash_amount;
    vault.loan_shortfall.note(is_short, now_ts);
    if is_short {
        restrict(vault, key, now_ts);
    }
    is_short
}

/// As [`note_loan`], for the collateral account.
pub fn note_collateral(vault: &mut Vault, key: Pubkey, holding: Holding, now_ts: i64) -> bool {
    let is_short = holding.payable() < vault.collateral_amount;
    vault.collateral_shortfall.note(is_short, now_ts);
    if is_short {
        restrict(vault, key, now_ts);
    }
    is_short
}

/// Raises the vault to `ReduceOnly`, renewed by each proof after it has run out.
#[inline(never)]
fn restrict(vault: &mut Vault, key: Pubkey, now_ts: i64) {
    let until_ts = now_ts.saturating_add(SHORTFALL_LEVEL_SECS);
    let cause = Cause {
        source: key,
        tripped_at_ts: now_ts,
        expires_at_ts: until_ts,
        dwell_until_ts: until_ts,
        level: Level::ReduceOnly as u8,
        kind: CauseKind::Shortfall as u8,
        reach: Reach::All as u8,
        reserved: [0; 5],
    };
    // already in force, or four causes at least as strict are: either way the vault is restricted
    let _ = vault.breaker.trip(cause, now_ts);
}
