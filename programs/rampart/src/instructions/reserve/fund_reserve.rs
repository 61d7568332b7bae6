//! Puts tokens into the reserve.

use crate::error::RampartError;
use crate::events::ReserveFunded;
use crate::instructions::shared::Movement;
use crate::mint;
use crate::refuse::require;
use crate::state::{Asset, Reserve};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

/// Accounts of `fund_reserve`.
#[derive(Accounts)]
pub struct FundReserve<'info> {
    /// Whose tokens they are. Anyone may.
    pub funder: Signer<'info>,
    /// The reserve.
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
    /// Asset account of the mint. Read for its token extensions.
    pub asset: AccountLoader<'info, Asset>,
    /// The mint.
    pub mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the tokens come from.
    #[account(mut)]
    pub from: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The reserve's account of the mint.
    #[account(mut)]
    pub reserve_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Program of the mint.
    pub token_program: Interface<'info, TokenInterface>,
}

impl FundReserve<'_> {
    /// Funds, at any level: nobody gets anything for it, and only governance gets it back, after a delay.
    ///
    /// # Errors
    /// `ZeroAmount`, `ReserveAccountsMismatch`, `MintFingerprintChanged`, `ReceivedAmountMismatch`, `MathOverflow`.
    pub fn handle(ctx: Context<Self>, amount: u64) -> Result<()> {
        let accounts = &ctx.accounts;
        accounts.apply(amount)?;
        let paid = Movement {
            mint: &accounts.mint,
            token_program: &accounts.token_program,
            from: &accounts.from,
            to: &accounts.reserve_token,
        };
        paid.pull(accounts.funder.to_account_info(), amount)?;
        emit!(ReserveFunded { reserve: accounts.reserve.key(), mint: accounts.mint.key(), amount });
        Ok(())
    }

    fn apply(&self, amount: u64) -> Result<()> {
        require!(amount > 0, RampartError::ZeroAmount);
        let mut reserve = self.reserve.load_mut()?;
        let index = reserve.index_of(&self.mint.key()).ok_or(RampartError::ReserveAccountsMismatch)?;
        let held = &mut reserve.assets[index];
        let is_its_own = held.asset == self.asset.key() && held.token == self.reserve_token.key();
        require!(is_its_own, RampartError::ReserveAccountsMismatch);
        mint::require_unchanged(self.mint.as_ref().as_ref(), self.asset.load()?.extension_fingerprint)?;
        held.accounted_amount = held.accounted_amount.checked_add(amount).ok_or(RampartError::MathOverflow)?;
        Ok(())
    }
}
