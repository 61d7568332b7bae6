//! Takes a ticket for a withdrawal beyond the limit of now.

use crate::constants::{RESTRICTED_TICKET_HOURS, TICKET_MARGIN_BPS};
use crate::error::RampartError;
use crate::events::TicketOpened;
use crate::instructions::shared::effective_levels;
use crate::math::Bps;
use crate::math::bookings::FIRST_HOURS;
use crate::refuse::require;
use crate::risk::gate::{Class, gate};
use crate::state::{Asset, Guard, Level, Position, TicketSide, Vault, WithdrawTicket};
use anchor_lang::prelude::*;

/// Accounts of `request_withdrawal`.
#[derive(Accounts)]
pub struct RequestWithdrawal<'info> {
    /// Owner of the position.
    pub owner: Signer<'info>,
    /// The guard. Read for its level.
    pub guard: AccountLoader<'info, Guard>,
    /// Asset account of the collateral. Read for its level.
    pub collateral_asset: AccountLoader<'info, Asset>,
    /// Asset account of the loan. Read for its level.
    pub loan_asset: AccountLoader<'info, Asset>,
    /// The vault. Keeps the ledger of booked hours.
    #[account(
        mut,
        has_one = guard @ RampartError::VaultAssetsInvalid,
        has_one = collateral_asset @ RampartError::VaultAssetsInvalid,
        has_one = loan_asset @ RampartError::VaultAssetsInvalid,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The position of the owner. Keeps the ticket.
    #[account(mut, has_one = vault @ RampartError::VaultAssetsInvalid, has_one = owner @ RampartError::WrongAuthority)]
    pub position: AccountLoader<'info, Position>,
}

impl RequestWithdrawal<'_> {
    /// Locks `shares`, or as many base units of collateral, and books the first future hour with room for what they are
    /// worth now.
    ///
    /// # Errors
    /// `UnknownKind` for a side that isn't known, `LevelForbids` in Resolution, and those of [`open_ticket`].
    pub fn handle(ctx: Context<Self>, shares: u128, side: u8) -> Result<()> {
        let accounts = &ctx.accounts;
        let now_ts = Clock::get()?.unix_timestamp;
        let kind = TicketSide::try_from(side).map_err(|_| RampartError::UnknownKind)?;
        let (number, ticket) = accounts.apply(kind, shares, now_ts)?;
        emit!(TicketOpened {
            vault: accounts.vault.key(),
            position: accounts.position.key(),
            ticket: number,
            shares,
            eligible_at_ts: ticket.eligible_at_ts,
            latest_at_ts: ticket.latest_at_ts,
            side,
        });
        Ok(())
    }

    fn apply(&self, side: TicketSide, shares: u128, now_ts: i64) -> Result<(u8, WithdrawTicket)> {
        let (mut vault, mut position) = (self.vault.load_mut()?, self.position.load_mut()?);
        let (guard, collateral, loan) = (self.guard.load()?, self.collateral_asset.load()?, self.loan_asset.load()?);
        let levels = effective_levels(&guard, &vault, [&collateral, &loan], now_ts);
        gate(Class::Exit, levels)?;
        vault.accrue(now_ts)?;
        let opened = open_ticket(&mut vault, &mut position, side, shares, levels.exit, now_ts)?;
        vault.note_bases(now_ts)?;
        Ok(opened)
    }
}

/// Locks `shares` of `position`, or base units of its collateral, behind a new ticket, and returns its number.
///
/// Tickets that are made while exits are restricted are dated a day later, all of them alike. Shares book a margin for the
/// interest that they may earn; collateral stays what it is.
///
/// # Errors
/// `ZeroAmount`, `DebtOutstanding` for collateral behind a debt, `AmountExceedsPosition`, `SharesLocked`, `TicketsFull`,
/// `TicketTooLarge`, `TicketQueueFull`, `MathOverflow`.
pub fn open_ticket(
    vault: &mut Vault,
    position: &mut Position,
    side: TicketSide,
    shares: u128,
    exit_level: Level,
    now_ts: i64,
) -> Result<(u8, WithdrawTicket)> {
    require!(shares > 0, RampartError::ZeroAmount);
    position.require_claimable(side)?;
    position.require_free(side, shares)?;
    let slot = position.tickets.free_slot()?;
    let wanted = match side {
        TicketSide::Loan => with_margin(vault.assets_for_shares(shares)?),
        TicketSide::Collateral => u64::try_from(shares).ok(),
    };
    let wanted = wanted.ok_or(RampartError::MathOverflow)?;
    let is_restricted = exit_level >= Level::ReduceOnly;
    let from_hours = FIRST_HOURS + if is_restricted { RESTRICTED_TICKET_HOURS } else { 0 };
    let (flow, limits) = vault.flow_mut(side);
    let booking = flow.book(wanted, from_hours, &limits, now_ts)?;
    let ticket = WithdrawTicket::new(side, shares, booking);
    position.tickets.slots[slot] = ticket;
    Ok((slot as u8, ticket))
}

fn with_margin(worth: u64) -> Option<u64> {
    let margin = Bps(TICKET_MARGIN_BPS).of_ceil(worth.into()).and_then(|m| u64::try_from(m).ok())?;
    worth.checked_add(margin)
}
