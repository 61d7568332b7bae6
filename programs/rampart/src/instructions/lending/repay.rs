//! Pays debt back.

use crate::error::RampartError;
use crate::events::{FlowKind, Flowed};
use crate::instructions::shared::{Movement, pass_gate};
use crate::mint;
use crate::refuse::require;
use crate::risk::gate::Class;
use crate::state::{Asset, Guard, Position, Vault};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

/// Accounts of `repay`.
#[derive(Accounts)]
pub struct Repay<'info> {
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
        has_one = loan_mint @ RampartError::VaultAssetsInvalid,
        has_one = loan_token @ RampartError::VaultAssetsInvalid,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The position.
    #[account(mut, has_one = vault @ RampartError::VaultAssetsInvalid)]
    pub position: AccountLoader<'info, Position>,
    /// The mint that moves.
    pub loan_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the tokens come from.
    #[account(mut)]
    pub payer_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The vault's account of the mint.
    #[account(mut)]
    pub loan_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Program of the mint.
    pub token_program: Interface<'info, TokenInterface>,
}

impl<'info> Repay<'info> {
    /// Takes `amount`, or all of the debt where that is less. Never blocked by a level.
    ///
    /// # Errors
    /// `ZeroAmount`, `NoDebt`, `DebtBelowMinimum` for a rest that is dust, `MintFingerprintChanged`,
    /// `ReceivedAmountMismatch`, `MathOverflow`.
    pub fn handle(ctx: Context<'info, Self>, amount: u64) -> Result<()> {
        let accounts = ctx.accounts;
        let now_ts = Clock::get()?.unix_timestamp;
        let amount = accounts.apply(amount, now_ts)?;
        accounts.movement().pull(accounts.payer.to_account_info(), amount)?;
        emit!(Flowed {
            vault: accounts.vault.key(),
            position: accounts.position.key(),
            kind: FlowKind::Repaid,
            amount,
        });
        Ok(())
    }

    fn apply(&self, amount: u64, now_ts: i64) -> Result<u64> {
        let (mut vault, mut position) = (self.vault.load_mut()?, self.position.load_mut()?);
        let loan = self.loan_asset.load()?;
        pass_gate(Class::RiskDown, &*self.guard.load()?, &vault, [&*self.collateral_asset.load()?, &loan], now_ts)?;
        require!(amount > 0, RampartError::ZeroAmount);
        mint::require_same_unit(self.loan_mint.as_ref().as_ref(), loan.extension_fingerprint)?;
        vault.accrue(now_ts)?;
        let debt = vault.debt_of(&position)?;
        require!(debt > 0, RampartError::NoDebt);
        let paid = amount.min(debt);
        let left = debt - paid;
        require!(left == 0 || left >= vault.risk.min_debt_amount, RampartError::DebtBelowMinimum);
        vault.reduce_debt(&mut position, paid)?;
        vault.cash_amount = vault.cash_amount.checked_add(paid).ok_or(RampartError::MathOverflow)?;
        vault.totals.repaid_amount = vault.totals.repaid_amount.saturating_add(paid);
        vault.note_bases(now_ts)?;
        Ok(paid)
    }

    fn movement(&self) -> Movement<'_, 'info> {
        Movement {
            mint: &self.loan_mint,
            token_program: &self.token_program,
            from: &self.payer_token,
            to: &self.loan_token,
        }
    }
}
