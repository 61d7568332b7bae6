//! Pays a position its part of a vault in Resolution.

use crate::error::RampartError;
use crate::events::{FlowKind, Flowed};
use crate::instructions::shared::Movement;
use crate::math::{U128, mul_div_floor};
use crate::refuse::{require, require_keys_eq};
use crate::state::shortfall::Holding;
use crate::state::ticket::Tickets;
use crate::state::{Position, Vault};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

/// Accounts of `claim_resolution`.
#[derive(Accounts)]
pub struct ClaimResolution<'info> {
    /// Owner of the position; once Resolution is forced, anyone.
    pub authority: Signer<'info>,
    /// The vault.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    /// The position.
    #[account(mut, has_one = vault @ RampartError::VaultAssetsInvalid)]
    pub position: AccountLoader<'info, Position>,
    /// The mint that moves: the loan's, or the collateral's.
    pub mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the tokens go. MUST belong to the position's owner.
    #[account(mut)]
    pub owner_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The vault's account of the mint.
    #[account(mut)]
    pub vault_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Program of the mint.
    pub token_program: Interface<'info, TokenInterface>,
}

impl<'info> ClaimResolution<'info> {
    /// Pays lent shares their part of all cash that came in so far, or collateral without debt its part of what is there.
    ///
    /// # Errors
    /// `ResolutionNotOpen`, `WrongAuthority`, `VaultAssetsInvalid`, `DestinationForbidden`, `NothingToClaim`,
    /// `DebtOutstanding`, `MathOverflow`.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let now_ts = Clock::get()?.unix_timestamp;
        let (kind, amount) = accounts.apply(now_ts)?;
        accounts.movement().push(&accounts.vault, amount)?;
        let (vault, position) = (accounts.vault.key(), accounts.position.key());
        emit!(Flowed { vault, position, kind, amount });
        Ok(())
    }

    fn apply(&self, now_ts: i64) -> Result<(FlowKind, u64)> {
        let (mut vault, mut position) = (self.vault.load_mut()?, self.position.load_mut()?);
        require!(vault.resolution.is_open(now_ts), RampartError::ResolutionNotOpen);
        let may = self.authority.key() == position.owner || vault.resolution.is_forced(now_ts);
        require!(may, RampartError::WrongAuthority);
        require_keys_eq!(self.owner_token.owner, position.owner, RampartError::DestinationForbidden);
        let (mint, token) = (self.mint.key(), self.vault_token.key());
        let holding = Holding::of(&self.vault_token);
        if (mint, token) == (vault.loan_mint, vault.loan_token) {
            return Ok((FlowKind::Withdrawn, claim_cash(&mut vault, &mut position, holding)?));
        }
        let is_collateral = (mint, token) == (vault.collateral_mint, vault.collateral_token);
        require!(is_collateral, RampartError::VaultAssetsInvalid);
        Ok((FlowKind::CollateralWithdrawn, claim_collateral(&mut vault, &mut position, holding)?))
    }

    fn movement(&self) -> Movement<'_, 'info> {
        Movement {
            mint: &self.mint,
            token_program: &self.token_program,
            from: &self.vault_token,
            to: &self.owner_token,
        }
    }
}

/// Books what the position's shares are due of the cash; once no debt is left to come in, its shares are spent.
fn claim_cash(vault: &mut Vault, position: &mut Position, holding: Holding) -> Result<u64> {
    let cash = vault.cash_amount.min(holding.amount);
    let shares = position.supply_shares.get();
    let amount = vault.resolution.due(shares, position.resolution_claimed_amount, cash)?;
    let is_last = vault.debt_scaled == U128::ZERO && cash == vault.cash_amount && shares > 0;
    require!(amount > 0 || is_last, RampartError::NothingToClaim);
    let overflow = RampartError::MathOverflow;
    position.resolution_claimed_amount = position.resolution_claimed_amount.checked_add(amount).ok_or(overflow)?;
    vault.resolution.paid_amount = vault.resolution.paid_amount.checked_add(amount).ok_or(overflow)?;
    vault.cash_amount -= amount; // at most the cash
    vault.totals.withdrawn_amount = vault.totals.withdrawn_amount.saturating_add(amount);
    // what waited for room waits no longer
    position.tickets = Tickets::default();
    if is_last {
        position.supply_shares = U128::ZERO;
        vault.supply_shares = vault.supply_shares.get().checked_sub(shares).ok_or(overflow)?.into();
    }
    Ok(amount)
}

/// Books all collateral of a position without debt, at the share of all collateral that is really there.
fn claim_collateral(vault: &mut Vault, position: &mut Position, holding: Holding) -> Result<u64> {
    require!(position.debt_scaled == U128::ZERO, RampartError::DebtOutstanding);
    let (held, booked) = (position.collateral_amount, vault.collateral_amount);
    require!(held > 0, RampartError::NothingToClaim);
    let there = booked.min(holding.amount);
    let amount = mul_div_floor(held.into(), there.into(), booked.into()).ok_or(RampartError::MathOverflow)?;
    position.collateral_amount = 0;
    position.tickets = Tickets::default();
    vault.collateral_amount = booked.checked_sub(held).ok_or(RampartError::MathOverflow)?;
    u64::try_from(amount).map_err(|_| RampartError::MathOverflow.into())
}
