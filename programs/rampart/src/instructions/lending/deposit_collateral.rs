//! Adds collateral to a position.

use crate::error::RampartError;
use crate::events::{FlowKind, Flowed};
use crate::instructions::shared::{Movement, pass_gate};
use crate::mint;
use crate::refuse::require;
use crate::risk::gate::Class;
use crate::state::{Asset, Guard, Position, Vault};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

/// Accounts of `deposit_collateral`.
#[derive(Accounts)]
pub struct DepositCollateral<'info> {
    /// Who pays. Anyone may: the position only gains.
    pub payer: Signer<'info>,
    /// The guard. Read for its level.
    pub guard: AccountLoader<'info, Guard>,
    /// Asset account of the collateral. Read for its level.
    pub collateral_asset: AccountLoader<'info, Asset>,
    /// Asset account of the loan. Read for its level.
    pub loan_asset: AccountLoader<'info, Asset>,
    /// The vault.
    #[account(
        mut,
        has_one = guard @ RampartError::VaultAssetsInvalid,
        has_one = collateral_asset @ RampartError::VaultAssetsInvalid,
        has_one = loan_asset @ RampartError::VaultAssetsInvalid,
        has_one = collateral_mint @ RampartError::VaultAssetsInvalid,
        has_one = collateral_token @ RampartError::VaultAssetsInvalid,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The position.
    #[account(mut, has_one = vault @ RampartError::VaultAssetsInvalid)]
    pub position: AccountLoader<'info, Position>,
    /// The mint that moves.
    pub collateral_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the tokens come from.
    #[account(mut)]
    pub payer_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The vault's account of the mint.
    #[account(mut)]
    pub collateral_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Program of the mint.
    pub token_program: Interface<'info, TokenInterface>,
}

impl<'info> DepositCollateral<'info> {
    /// Takes the tokens. Never blocked by a level, and with a debt by no limit: what is beyond the limit on new collateral
    /// then cures at once, and carries new risk a day later.
    ///
    /// # Errors
    /// `ZeroAmount`, `CollateralCapReached` and `InflowLimitReached` for a position without debt, `MintFingerprintChanged`,
    /// `ReceivedAmountMismatch`, `MathOverflow`.
    pub fn handle(ctx: Context<'info, Self>, amount: u64) -> Result<()> {
        let accounts = ctx.accounts;
        let now_ts = Clock::get()?.unix_timestamp;
        accounts.apply(amount, now_ts)?;
        accounts.movement().pull(accounts.payer.to_account_info(), amount)?;
        emit!(Flowed {
            vault: accounts.vault.key(),
            position: accounts.position.key(),
            kind: FlowKind::CollateralDeposited,
            amount,
        });
        Ok(())
    }

    fn apply(&self, amount: u64, now_ts: i64) -> Result<()> {
        let (mut vault, mut position) = (self.vault.load_mut()?, self.position.load_mut()?);
        let collateral = self.collateral_asset.load()?;
        pass_gate(Class::RiskDown, &*self.guard.load()?, &vault, [&collateral, &*self.loan_asset.load()?], now_ts)?;
        require!(amount > 0, RampartError::ZeroAmount);
        mint::require_unchanged(self.collateral_mint.as_ref().as_ref(), collateral.extension_fingerprint)?;
        let after = vault.collateral_amount.checked_add(amount).ok_or(RampartError::MathOverflow)?;
        // a cure is never blocked: the cap holds new collateral back, not collateral behind a debt
        let within_cap = after <= vault.limits.collateral_cap_amount || position.debt_scaled.get() > 0;
        require!(within_cap, RampartError::CollateralCapReached);
        vault.collateral_amount = after;
        let beyond = vault.note_inflow(amount, now_ts);
        require!(beyond == 0 || position.debt_scaled.get() > 0, RampartError::InflowLimitReached);
        // within `after`, so it fits
        position.collateral_amount += amount;
        // only the owner's own inflow frees its outflow, and lets what the owner brought in before wait longer
        if position.owner == self.payer.key() {
            position.unripe.add(beyond, now_ts);
            position.collateral_credit.add(amount, Vault::CREDIT_WINDOW_SECS, now_ts);
        } else {
            position.unripe_given.add(beyond, now_ts);
        }
        vault.note_bases(now_ts)
    }

    fn movement(&self) -> Movement<'_, 'info> {
        Movement {
            mint: &self.collateral_mint,
            token_program: &self.token_program,
            from: &self.payer_token,
            to: &self.collateral_token,
        }
    }
}
