//! Borrows against collateral.

use crate::error::RampartError;
use crate::events::{FlowKind, Flowed};
use crate::instructions::shared::{Movement, PairPrices, pass_gate};
use crate::math::shares;
use crate::mint;
use crate::refuse::require;
use crate::risk::gate::Class;
use crate::risk::health::{price_for_new_risk, require_carried};
use crate::state::flow::Outflow;
use crate::state::{Asset, Guard, Holding, Leaving, Position, Purse, Vault};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

/// Accounts of `borrow`.
///
/// Remaining accounts: the oracle accounts of the collateral's sources, then of the loan's, each in the set's order.
#[derive(Accounts)]
pub struct Borrow<'info> {
    /// Owner of the position.
    pub owner: Signer<'info>,
    /// The guard. Read for its level.
    pub guard: AccountLoader<'info, Guard>,
    /// Asset account of the collateral. Read for its level and its price.
    pub collateral_asset: AccountLoader<'info, Asset>,
    /// Asset account of the loan. Read for its level and its price.
    pub loan_asset: AccountLoader<'info, Asset>,
    /// The vault.
    #[account(
        mut,
        has_one = guard @ RampartError::VaultAssetsInvalid,
        has_one = collateral_asset @ RampartError::VaultAssetsInvalid,
        has_one = loan_asset @ RampartError::VaultAssetsInvalid,
        has_one = loan_mint @ RampartError::VaultAssetsInvalid,
        has_one = loan_token @ RampartError::VaultAssetsInvalid,
        has_one = collateral_mint @ RampartError::VaultAssetsInvalid,
        has_one = collateral_token @ RampartError::VaultAssetsInvalid,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The position of the owner.
    #[account(mut, has_one = vault @ RampartError::VaultAssetsInvalid, has_one = owner @ RampartError::WrongAuthority)]
    pub position: AccountLoader<'info, Position>,
    /// The mint that moves.
    pub loan_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the tokens go.
    #[account(mut)]
    pub owner_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The vault's account of the mint.
    #[account(mut)]
    pub loan_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Program of the mint.
    pub token_program: Interface<'info, TokenInterface>,
    /// CHECK: the collateral's mint, named by the vault: MUST be what was registered.
    pub collateral_mint: UncheckedAccount<'info>,
    /// CHECK: the vault's account of it, named by the vault: MUST be able to pay what the books say.
    pub collateral_token: UncheckedAccount<'info>,
}

impl<'info> Borrow<'info> {
    /// Pays the loan out, judged at the worst of spot, reference and confidence on both sides. Collateral that couldn't leave
    /// the vault carries nothing: nobody could seize it.
    ///
    /// # Errors
    /// `ZeroAmount`, `LevelForbids`, `InsufficientCash`, `BorrowCapReached`, `LtvExceeded`, `CollateralWarmsUp`,
    /// `DebtBelowMinimum`, `LeaseTooSmall`, `LeasePriceOld`, `HourlyLimitReached`, `DailyLimitReached`,
    /// `MintFingerprintChanged`, `VaultShort` for either token, the oracle's, `MathOverflow`.
    pub fn handle(ctx: Context<'info, Self>, amount: u64) -> Result<()> {
        let accounts = ctx.accounts;
        let now_ts = Clock::get()?.unix_timestamp;
        accounts.apply(amount, ctx.remaining_accounts, now_ts)?;
        accounts.movement().push(&accounts.vault, amount)?;
        emit!(Flowed {
            vault: accounts.vault.key(),
            position: accounts.position.key(),
            kind: FlowKind::Borrowed,
            amount,
        });
        Ok(())
    }

    fn apply(&self, amount: u64, oracles: &[AccountInfo], now_ts: i64) -> Result<()> {
        let (mut vault, mut position) = (self.vault.load_mut()?, self.position.load_mut()?);
        let (collateral, loan) = (self.collateral_asset.load()?, self.loan_asset.load()?);
        let guard = self.guard.load()?;
        let pass = pass_gate(Class::RiskUp, &guard, &vault, [&collateral, &loan], now_ts)?;
        require!(amount > 0, RampartError::ZeroAmount);
        mint::require_unchanged(self.loan_mint.as_ref().as_ref(), loan.extension_fingerprint)?;
        mint::require_unchanged(&self.collateral_mint, collateral.extension_fingerprint)?;
        vault.accrue(now_ts)?;
        require!(Holding::of(&self.loan_token).payable() >= vault.cash_amount, RampartError::VaultShort);
        require!(self.seizable()? >= vault.collateral_amount, RampartError::VaultShort);
        require!(amount <= vault.cash_amount, RampartError::InsufficientCash);
        let added =
            shares::scaled_for_borrow(amount.into(), vault.borrow_index_q64.get()).ok_or(RampartError::MathOverflow)?;
        let all = vault.debt_scaled.get().checked_add(added).ok_or(RampartError::MathOverflow)?;
        vault.debt_scaled = all.into();
        // within `all`, so it fits
        position.debt_scaled = (position.debt_scaled.get() + added).into();
        require!(vault.debt_amount()? <= vault.borrow_cap(now_ts), RampartError::BorrowCapReached);
        let debt = vault.debt_of(&position)?;
        require!(debt >= vault.risk.min_debt_amount, RampartError::DebtBelowMinimum);
        let prices = PairPrices::read(&collateral, &loan, oracles, now_ts)?;
        let (c, l) = prices.sides(&vault);
        let price = price_for_new_risk(c, collateral.reference_price(now_ts)?, l, loan.reference_price(now_ts)?)?;
        let ripe = position.ripe_of(position.collateral_amount, now_ts);
        require_carried(debt, ripe, price, (vault.ltv_for_new_risk(&collateral, now_ts), &collateral.warm_up), now_ts)?;
        let limits = vault.limits.loan_flow;
        Purse::of(&guard, &mut vault.lease, Leaving::Loan).charge(amount, now_ts)?;
        vault.loan_flow.charge(amount, Outflow::Risk { scale_bps: pass.scale_bps() }, &limits, now_ts)?;
        position.risk_taken_at_ts = now_ts;
        vault.cash_amount -= amount;
        vault.totals.borrowed_amount = vault.totals.borrowed_amount.saturating_add(amount);
        vault.note_bases(now_ts)
    }

    /// Returns what of the collateral could leave the vault now, base units.
    fn seizable(&self) -> Result<u64> {
        if mint::is_paused(&self.collateral_mint)? {
            return Ok(0);
        }
        Ok(Holding::read(&self.collateral_token)?.payable())
    }

    fn movement(&self) -> Movement<'_, 'info> {
        Movement {
            mint: &self.loan_mint,
            token_program: &self.token_program,
            from: &self.loan_token,
            to: &self.owner_token,
        }
    }
}
