//! Repays part of an unhealthy position for collateral at a bonus.

use crate::error::RampartError;
use crate::events::BadDebtCovered;
use crate::instructions::liquidation::apply::{Ledger, LiquidateArgs};
use crate::instructions::reserve::cover;
use crate::instructions::shared::Movement;
use crate::instructions::swap::transfer::Coin;
use crate::refuse::require;
use crate::state::{Asset, Guard, Position, Vault};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

/// Accounts of `liquidate`.
///
/// Remaining accounts: the oracle accounts of the collateral's sources, then of the loan's, each in the set's order; where
/// the guard has a reserve and bad debt is left, the reserve and its associated account of the loan mint.
#[event_cpi]
#[derive(Accounts)]
pub struct Liquidate<'info> {
    /// Who repays and receives collateral. Anyone may.
    pub liquidator: Signer<'info>,
    /// The guard. Read for its level.
    pub guard: AccountLoader<'info, Guard>,
    /// Asset account of the collateral. Read for its level and price.
    pub collateral_asset: AccountLoader<'info, Asset>,
    /// Asset account of the loan. Read for its level and price.
    pub loan_asset: AccountLoader<'info, Asset>,
    /// The vault.
    #[account(
        mut,
        has_one = guard @ RampartError::VaultAssetsInvalid,
        has_one = collateral_asset @ RampartError::VaultAssetsInvalid,
        has_one = loan_asset @ RampartError::VaultAssetsInvalid,
        has_one = collateral_mint @ RampartError::VaultAssetsInvalid,
        has_one = loan_mint @ RampartError::VaultAssetsInvalid,
        has_one = collateral_token @ RampartError::VaultAssetsInvalid,
        has_one = loan_token @ RampartError::VaultAssetsInvalid,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The position.
    #[account(mut, has_one = vault @ RampartError::VaultAssetsInvalid)]
    pub position: AccountLoader<'info, Position>,
    /// Collateral mint.
    pub collateral_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Loan mint.
    pub loan_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the repayment comes from.
    #[account(mut)]
    pub liquidator_loan_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Where the collateral goes.
    #[account(mut)]
    pub liquidator_collateral_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The vault's account of the loan mint.
    #[account(mut)]
    pub loan_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The vault's account of the collateral mint.
    #[account(mut)]
    pub collateral_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Program of the loan mint.
    pub loan_token_program: Interface<'info, TokenInterface>,
    /// Program of the collateral mint.
    pub collateral_token_program: Interface<'info, TokenInterface>,
}

impl<'info> Liquidate<'info> {
    /// Liquidates; debt that no collateral is left for is written off in the same instruction.
    ///
    /// # Errors
    /// `LevelForbids`, `TwoSourcesRequired`, `LiquidationSeqMoved`, `LiquidatedThisSlot`, `PositionHealthy`,
    /// `DebtBelowMinimum`, `HealthNotImproved`, `SeizedBelowMinimum`, `ZeroAmount`, `RepayTooSmall`,
    /// `LiquidationGrace`, `MintFingerprintChanged`, `ReserveMissing`, `ReserveAccountsMismatch`, the oracle's.
    pub fn handle(ctx: Context<'info, Self>, args: LiquidateArgs) -> Result<()> {
        let accounts = &ctx.accounts;
        let done = accounts.ledger().liquidate(accounts.liquidator.key, &args, ctx.remaining_accounts)?;
        // nothing stands behind the oracles but the reserve
        require!(done.rest.is_empty(), RampartError::OracleAccountsMissing);
        let paid = Movement {
            mint: &accounts.loan_mint,
            token_program: &accounts.loan_token_program,
            from: &accounts.liquidator_loan_token,
            to: &accounts.loan_token,
        };
        if done.event.repaid_amount > 0 {
            paid.pull(accounts.liquidator.to_account_info(), done.event.repaid_amount)?;
        }
        let seized = Movement {
            mint: &accounts.collateral_mint,
            token_program: &accounts.collateral_token_program,
            from: &accounts.collateral_token,
            to: &accounts.liquidator_collateral_token,
        };
        seized.push(&accounts.vault, done.event.seized_amount)?;
        let coin = Coin { mint: accounts.loan_mint.as_ref().as_ref(), decimals: accounts.loan_mint.decimals };
        cover::pay(done.cover, coin, accounts.loan_token.as_ref().as_ref(), done.covered_amount)?;
        if done.covered_amount > 0 {
            let (guard, vault) = (accounts.guard.key(), accounts.vault.key());
            emit_cpi!(BadDebtCovered { guard, vault, amount: done.covered_amount });
        }
        emit_cpi!(done.event);
        Ok(())
    }

    fn ledger(&self) -> Ledger<'_, 'info> {
        Ledger {
            guard: &self.guard,
            collateral_asset: &self.collateral_asset,
            loan_asset: &self.loan_asset,
            vault: &self.vault,
            position: &self.position,
            collateral_mint: self.collateral_mint.as_ref().as_ref(),
            loan_mint: self.loan_mint.as_ref().as_ref(),
            collateral_token: self.collateral_token.as_ref().as_ref(),
        }
    }
}
