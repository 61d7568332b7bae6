//! A place in the queue for a withdrawal beyond the limit of now.

use crate::constants::{HOUR_SECS, MAX_TICKETS, TICKET_DUE_SECS, TICKET_HOLD_SECS};
use crate::error::RampartError;
use crate::math::U128;
use crate::math::bookings::Booking;
use crate::refuse::require;
use crate::state::oracle_set::stored_enum;
use anchor_lang::prelude::*;

/// Whether a slot for a ticket is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TicketState {
    /// No ticket.
    Empty = 0,
    /// Shares are locked by it.
    Open = 1,
}
stored_enum!(TicketState { Empty, Open });

/// What a ticket locks, and whose limit it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TicketSide {
    /// Lent shares, for the outflow of the loan mint.
    Loan = 0,
    /// Collateral without debt behind it, for the outflow of the collateral mint.
    Collateral = 1,
}
stored_enum!(TicketSide { Loan, Collateral });

/// Lent shares, or collateral, that wait for room in the outflow limit.
///
/// It latches its dates, never a price: until it is claimed it stays shares, earns and loses as all others do, and
/// ranks equal to them.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct WithdrawTicket {
    /// What it locks: lent shares, or base units of collateral, by its side.
    pub shares: U128,
    /// The room that it has booked.
    pub booking: Booking,
    /// From when on it may be claimed, unix seconds: the start of the booked hour. Fixed when the ticket is made.
    pub eligible_at_ts: i64,
    /// From when on no level below Resolution holds it back, for a day; unix seconds. Fixed when the ticket is made.
    pub latest_at_ts: i64,
    /// [`TicketState`]; anything unknown counts as open.
    pub state: u8,
    /// [`TicketSide`]; anything unknown locks both.
    pub side: u8,
    /// Zeros.
    pub reserved: [u8; 6],
}

impl WithdrawTicket {
    /// Returns a ticket for `shares` of `side` on what it has booked.
    pub fn new(side: TicketSide, shares: u128, booking: Booking) -> Self {
        let eligible_at_ts = booking.hour.saturating_mul(HOUR_SECS);
        Self {
            shares: shares.into(),
            booking,
            eligible_at_ts,
            latest_at_ts: eligible_at_ts.saturating_add(TICKET_HOLD_SECS),
            state: TicketState::Open as u8,
            side: side as u8,
            reserved: [0; 6],
        }
    }

    /// Tells whether it locks shares.
    pub fn is_open(&self) -> bool {
        self.state != TicketState::Empty as u8
    }

    /// Checks that it may be claimed at `now_ts`, while the gate leaves exits their floor alone or not.
    ///
    /// While exits are restricted a ripe ticket waits, as everybody else does, until its latest date. From then on it
    /// passes for a day: for longer, tickets that are kept unclaimed would be a way around every halt.
    ///
    /// # Errors
    /// `TicketNotRipe`, `TicketHeld`.
    pub fn require_ripe(&self, is_restricted: bool, now_ts: i64) -> Result<()> {
        require!(now_ts >= self.eligible_at_ts, RampartError::TicketNotRipe);
        let due_until_ts = self.latest_at_ts.saturating_add(TICKET_DUE_SECS);
        let is_due = (self.latest_at_ts..due_until_ts).contains(&now_ts);
        require!(!is_restricted || is_due, RampartError::TicketHeld);
        Ok(())
    }
}

/// The tickets of one position.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tickets {
    /// Slots; a ticket's number is its place.
    pub slots: [WithdrawTicket; MAX_TICKETS],
}

impl Tickets {
    /// Returns the shares that all open tickets lock.
    pub fn locked_shares(&self) -> u128 {
        self.locked(TicketSide::Loan)
    }

    /// Returns what all open tickets of a side lock: shares, or base units of collateral.
    pub fn locked(&self, side: TicketSide) -> u128 {
        let locks = |t: &&WithdrawTicket| t.is_open() && TicketSide::try_from(t.side).map_or(true, |s| s == side);
        self.slots.iter().filter(locks).fold(0u128, |sum, ticket| sum.saturating_add(ticket.shares.get()))
    }

    /// Tells whether there is no open ticket.
    pub fn is_empty(&self) -> bool {
        !self.slots.iter().any(WithdrawTicket::is_open)
    }

    /// Returns the number of the first free slot.
    ///
    /// # Errors
    /// `TicketsFull`.
    pub fn free_slot(&self) -> Result<usize> {
        let free = self.slots.iter().position(|t| !t.is_open());
        free.ok_or_else(|| RampartError::TicketsFull.into())
    }

    /// Returns the open ticket of a number.
    ///
    /// # Errors
    /// `TicketNotOpen`.
    pub fn open(&self, number: u8) -> Result<WithdrawTicket> {
        let ticket = self.slots.get(usize::from(number)).filter(|t| t.is_open());
        ticket.copied().ok_or_else(|| RampartError::TicketNotOpen.into())
    }

    /// Returns the open ticket of a number, which MUST be of this side.
    ///
    /// # Errors
    /// `TicketNotOpen`.
    pub fn open_of(&self, side: TicketSide, number: u8) -> Result<WithdrawTicket> {
        let ticket = self.open(number)?;
        require!(ticket.side == side as u8, RampartError::TicketNotOpen);
        Ok(ticket)
    }

    /// Writes what is left of the ticket of a number; without shares it is closed.
    pub fn put(&mut self, number: u8, ticket: WithdrawTicket) {
        let is_done = ticket.shares == U128::ZERO;
        if let Some(slot) = self.slots.get_mut(usize::from(number)) {
            *slot = if is_done { WithdrawTicket::default() } else { ticket };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_holds_a_ripe_ticket_until_its_latest_date_and_lets_it_pass_for_a_day() {
        let ticket = WithdrawTicket::new(TicketSide::Loan, 1, Booking { hour: 10, amount: 1 });
        let error = |is_restricted, now| ticket.require_ripe(is_restricted, now).is_err();
        let latest = 36_000 + TICKET_HOLD_SECS;
        assert!(error(false, 35_999) && !error(false, 36_000) && !error(false, i64::MAX));
        assert!(error(true, latest - 1) && !error(true, latest));
        assert!(!error(true, latest + TICKET_DUE_SECS - 1) && error(true, latest + TICKET_DUE_SECS));
    }

    #[test]
    fn slot_that_no_version_knows_locks_its_shares() {
        let mut tickets = Tickets::default();
        let ticket = |side, shares| WithdrawTicket::new(side, shares, Booking::default());
        tickets.slots[3] = WithdrawTicket { state: 77, ..ticket(TicketSide::Loan, 5) };
        assert_eq!((tickets.locked_shares(), tickets.is_empty()), (5, false));
        assert_eq!(tickets.free_slot().unwrap(), 0);
        assert_eq!(tickets.open(8).unwrap_err(), RampartError::TicketNotOpen.into());
        tickets.slots[4] = ticket(TicketSide::Collateral, 7);
        tickets.slots[5] = WithdrawTicket { side: 77, ..ticket(TicketSide::Loan, 100) };
        assert_eq!((tickets.locked(TicketSide::Loan), tickets.locked(TicketSide::Collateral)), (105, 107));
        assert_eq!(tickets.open_of(TicketSide::Loan, 4).unwrap_err(), RampartError::TicketNotOpen.into());
    }
}
