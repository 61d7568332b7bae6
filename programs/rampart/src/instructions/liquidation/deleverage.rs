//! Softly reduces a position before it has to be liquidated: small, early, at a low bonus.

use crate::error::RampartError;
use crate::events::PositionLiquidated;
use crate::instructions::liquidation::apply::LiquidateArgs;
use crate::instructions::liquidation::backing::Backing;
use crate::instructions::liquidation::grace::{latest_halts, require_no_grace};
use crate::instructions::shared::{Movement, PairPrices, pass_gate};
use crate::mint;
use crate::refuse::require;
use crate::risk::gate::{Class, Pass};
use crate::risk::liquidation::{Subject, plan_soft};
use crate::state::{Asset, Guard, Position, Vault};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

/// Accounts of `deleverage`.
///
/// Remaining accounts: the oracle accounts of the collateral's sources, then of the loan's, each in the set's order.
#[event_cpi]
#[derive(Accounts)]
pub struct Deleverage<'info> {
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

impl<'info> Deleverage<'info> {
    /// Deleverages within the hourly quota of the position.
    ///
    /// # Errors
    /// `LevelForbids`, `TwoSourcesRequired`, `LiquidationSeqMoved`, `LiquidatedThisSlot`, `OutsideSoftBand`,
    /// `SoftQuotaUsed`, `DebtBelowMinimum`, `SeizedBelowMinimum`, `ZeroAmount`, `RepayTooSmall`,
    /// `LiquidationGrace`, `MintFingerprintChanged`, the oracle's.
    pub fn handle(ctx: Context<'info, Self>, args: LiquidateArgs) -> Result<()> {
        let accounts = &ctx.accounts;
        let event = accounts.apply(&args, &Clock::get()?, ctx.remaining_accounts)?;
        let paid = Movement {
            mint: &accounts.loan_mint,
            token_program: &accounts.loan_token_program,
            from: &accounts.liquidator_loan_token,
            to: &accounts.loan_token,
        };
        if event.repaid_amount > 0 {
            paid.pull(accounts.liquidator.to_account_info(), event.repaid_amount)?;
        }
        let seized = Movement {
            mint: &accounts.collateral_mint,
            token_program: &accounts.collateral_token_program,
            from: &accounts.collateral_token,
            to: &accounts.liquidator_collateral_token,
        };
        seized.push(&accounts.vault, event.seized_amount)?;
        emit_cpi!(event);
        Ok(())
    }

    fn apply(&self, args: &LiquidateArgs, clock: &Clock, oracles: &[AccountInfo]) -> Result<PositionLiquidated> {
        let now_ts = clock.unix_timestamp;
        let (mut vault, mut position) = (self.vault.load_mut()?, self.position.load_mut()?);
        let (collateral, loan) = (self.collateral_asset.load()?, self.loan_asset.load()?);
        let guard = self.guard.load()?;
        let pass = pass_gate(Class::Liquidation, &guard, &vault, [&collateral, &loan], now_ts)?;
        args.check(&position, clock.slot)?;
        mint::require_same_unit(self.collateral_mint.as_ref().as_ref(), collateral.extension_fingerprint)?;
        mint::require_same_unit(self.loan_mint.as_ref().as_ref(), loan.extension_fingerprint)?;
        vault.accrue(now_ts)?;
        let prices = PairPrices::read(&collateral, &loan, oracles, now_ts)?;
        require!(pass != Pass::TwoSources || prices.sources() >= 2, RampartError::TwoSourcesRequired);
        let debt = vault.debt_of(&position)?;
        let backing = Backing::of(&vault, self.collateral_token.as_ref().as_ref())?;
        // the end of the band that favours the owner
        let subject =
            Subject { debt, collateral: backing.real(position.collateral_amount)?, price: prices.best(&vault)? };
        position.soft_quota.settle(debt, now_ts);
        let quota_left = position.soft_quota.left(vault.risk.soft_quota_bps);
        let plan = plan_soft(subject, &vault.risk, quota_left, args.max_repay_amount)?;
        let halts = latest_halts(&guard, &vault, [&collateral, &loan]);
        require_no_grace(&mut vault, &position, halts, [&collateral, &loan], subject, now_ts)?;
        position.soft_quota.record(plan.repay_amount, now_ts);
        let event = backing.book(&mut vault, &mut position, plan, args, clock, true)?;
        Ok(PositionLiquidated { position: self.position.key(), liquidator: self.liquidator.key(), ..event })
    }
}
