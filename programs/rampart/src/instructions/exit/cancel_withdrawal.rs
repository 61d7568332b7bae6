//! Gives a ticket back.

use crate::error::RampartError;
use crate::events::TicketCancelled;
use crate::state::{Position, TicketSide, Vault, WithdrawTicket};
use anchor_lang::prelude::*;

/// Accounts of `cancel_withdrawal`.
#[derive(Accounts)]
pub struct CancelWithdrawal<'info> {
    /// Owner of the position.
    pub owner: Signer<'info>,
    /// The vault. Its ledger gets the room back.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    /// The position of the owner.
    #[account(mut, has_one = vault @ RampartError::VaultAssetsInvalid, has_one = owner @ RampartError::WrongAuthority)]
    pub position: AccountLoader<'info, Position>,
}

impl CancelWithdrawal<'_> {
    /// Closes a ticket and frees what it locks. Moves nothing, so no level forbids it.
    ///
    /// # Errors
    /// `TicketNotOpen`, `UnknownStoredValue`.
    pub fn handle(ctx: Context<Self>, number: u8) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        {
            let (mut vault, mut position) = (ctx.accounts.vault.load_mut()?, ctx.accounts.position.load_mut()?);
            let ticket = position.tickets.open(number)?;
            vault.flow_mut(TicketSide::try_from(ticket.side)?).0.unbook(ticket.booking, now_ts);
            position.tickets.put(number, WithdrawTicket::default());
        }
        let (vault, position) = (ctx.accounts.vault.key(), ctx.accounts.position.key());
        emit!(TicketCancelled { vault, position, ticket: number });
        Ok(())
    }
}
