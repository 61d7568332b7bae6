//! Lends to a vault.

use crate::error::RampartError;
use crate::events::{FlowKind, Flowed};
use crate::instructions::shared::{Movement, pass_gate};
use crate::math::shares;
use crate::mint;
use crate::refuse::require;
use crate::risk::gate::Class;
use crate::state::{Asset, Guard, Holding, Position, Vault};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

/// What `supply` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct SupplyArgs {
    /// What to lend, base units of the loan mint.
    pub amount: u64,
    /// The fewest shares to accept for it.
    pub min_shares: u128,
}

/// Accounts of `supply`.
#[derive(Accounts)]
pub struct Supply<'info> {
    /// Owner of the position.
    pub owner: Signer<'info>,
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
    /// The position of the owner.
    #[account(mut, has_one = vault @ RampartError::VaultAssetsInvalid, has_one = owner @ RampartError::WrongAuthority)]
    pub position: AccountLoader<'info, Position>,
    /// The mint that moves.
    pub loan_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the tokens come from.
    #[account(mut)]
    pub owner_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The vault's account of the mint.
    #[account(mut)]
    pub loan_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Program of the mint.
    pub token_program: Interface<'info, TokenInterface>,
}

impl<'info> Supply<'info> {
    /// Takes the tokens and mints shares, rounded down.
    ///
    /// # Errors
    /// `ZeroAmount`, `LevelForbids`, `SupplyCapReached`, `SlippageExceeded`, `MintFingerprintChanged`,
    /// `ReceivedAmountMismatch`, `MathOverflow`.
    pub fn handle(ctx: Context<'info, Self>, args: SupplyArgs) -> Result<()> {
        let accounts = ctx.accounts;
        let now_ts = Clock::get()?.unix_timestamp;
        accounts.apply(args, now_ts)?;
        accounts.movement().pull(accounts.owner.to_account_info(), args.amount)?;
        emit!(Flowed {
            vault: accounts.vault.key(),
            position: accounts.position.key(),
            kind: FlowKind::Supplied,
            amount: args.amount,
        });
        Ok(())
    }

    fn apply(&self, args: SupplyArgs, now_ts: i64) -> Result<()> {
        let (mut vault, mut position) = (self.vault.load_mut()?, self.position.load_mut()?);
        let loan = self.loan_asset.load()?;
        pass_gate(Class::Neutral, &*self.guard.load()?, &vault, [&*self.collateral_asset.load()?, &loan], now_ts)?;
        require!(args.amount > 0, RampartError::ZeroAmount);
        mint::require_unchanged(self.loan_mint.as_ref().as_ref(), loan.extension_fingerprint)?;
        vault.accrue(now_ts)?;
        require!(Holding::of(&self.loan_token).payable() >= vault.cash_amount, RampartError::VaultShort);
        let lenders = vault.lenders_amount()?;
        let after = lenders.checked_add(args.amount).ok_or(RampartError::MathOverflow)?;
        require!(after <= vault.limits.supply_cap_amount, RampartError::SupplyCapReached);
        let minted = shares::shares_for_deposit(args.amount.into(), lenders.into(), vault.supply_shares.get());
        let minted = minted.ok_or(RampartError::MathOverflow)?;
        require!(minted > 0 && minted >= args.min_shares, RampartError::SlippageExceeded);
        let all = vault.supply_shares.get().checked_add(minted).ok_or(RampartError::MathOverflow)?;
        vault.supply_shares = all.into();
        // within `all`, so it fits
        position.supply_shares = (position.supply_shares.get() + minted).into();
        vault.cash_amount = vault.cash_amount.checked_add(args.amount).ok_or(RampartError::MathOverflow)?;
        vault.totals.supplied_amount = vault.totals.supplied_amount.saturating_add(args.amount);
        position.supply_credit.add(args.amount, Vault::CREDIT_WINDOW_SECS, now_ts);
        vault.note_bases(now_ts)
    }

    fn movement(&self) -> Movement<'_, 'info> {
        Movement {
            mint: &self.loan_mint,
            token_program: &self.token_program,
            from: &self.owner_token,
            to: &self.loan_token,
        }
    }
}
