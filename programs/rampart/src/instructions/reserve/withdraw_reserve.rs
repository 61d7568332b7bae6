//! Pays out what governance was granted.

use crate::error::RampartError;
use crate::events::ReserveWithdrawn;
use crate::instructions::reserve::cover::sign;
use crate::instructions::swap::escrow::owner_in;
use crate::instructions::swap::transfer::Coin;
use crate::refuse::require;
use crate::state::Reserve;
use anchor_lang::prelude::*;

/// Accounts of `withdraw_reserve`.
#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawReserve<'info> {
    /// The reserve.
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
    /// CHECK: the granted asset's mint, by address, below.
    pub mint: UncheckedAccount<'info>,
    /// CHECK: the reserve's account of it, by address, below.
    #[account(mut)]
    pub reserve_token: UncheckedAccount<'info>,
    /// CHECK: the account that the grant names; the token program checks its mint.
    #[account(mut)]
    pub destination: UncheckedAccount<'info>,
    /// CHECK: program of the mint: MUST own it.
    pub token_program: UncheckedAccount<'info>,
}

impl<'info> WithdrawReserve<'info> {
    /// Pays the grant, or what is left of the asset; the rest of the grant stays. Anyone may call: the change that granted it
    /// waited in public, and named the account.
    ///
    /// # Errors
    /// `GrantMissing`, `ReserveAccountsMismatch`, `DestinationForbidden`, those of the token program.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        let (amount, decimals) = accounts.apply()?;
        let coin = Coin { mint: &accounts.mint, decimals };
        sign(accounts.reserve.as_ref(), |signers| {
            let authority = (accounts.reserve.as_ref(), signers);
            coin.transfer(&accounts.reserve_token, &accounts.destination, authority, amount)
        })?;
        emit_cpi!(ReserveWithdrawn {
            reserve: accounts.reserve.key(),
            mint: accounts.mint.key(),
            destination: accounts.destination.key(),
            amount,
        });
        Ok(())
    }

    fn apply(&self) -> Result<(u64, u8)> {
        let key = self.reserve.key();
        let mut reserve = self.reserve.load_mut()?;
        let grant = reserve.grant;
        require!(grant.amount > 0, RampartError::GrantMissing);
        let held = reserve.asset_mut(grant.index)?;
        let is_its_own = held.mint == self.mint.key()
            && held.token == self.reserve_token.key()
            && grant.destination == self.destination.key()
            && *self.mint.owner == self.token_program.key();
        require!(is_its_own, RampartError::ReserveAccountsMismatch);
        let data = self.destination.try_borrow_data()?;
        let is_reserves = owner_in(&data).is_none_or(|owner| owner == key.as_ref());
        require!(!is_reserves, RampartError::DestinationForbidden);
        // bad debt comes first: a grant is no claim on what it took
        let amount = grant.amount.min(held.accounted_amount);
        held.accounted_amount -= amount;
        let decimals = held.decimals;
        // whoever calls while the asset is low must not end what has waited in public
        reserve.grant.amount = grant.amount - amount;
        Ok((amount, decimals))
    }
}
