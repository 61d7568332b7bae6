//! The ledger of future hours that withdraw tickets have booked.
//!
//! The ledger only keeps room free; it lets nothing out. What leaves is charged to the hour's bucket and the day's ring
//! when it leaves, so an error here could cost a ticket its punctuality and never the limit.

use crate::constants::{BOOKING_CELLS, RING_CELLS};
use crate::error::RampartError;
use crate::math::limiter::DayRing;
use anchor_lang::prelude::*;

/// Hours of a window of the day ring before its newest one.
const PAST_HOURS: i64 = RING_CELLS as i64 - 1;
/// The last hour of the ledger, counted from the present one.
const HORIZON_HOURS: i64 = BOOKING_CELLS as i64 - RING_CELLS as i64;
/// A ticket books at the earliest this many hours after the present one: never a way out at once.
pub const FIRST_HOURS: i64 = 2;

/// What one ticket has booked.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Booking {
    /// Which hour: unix seconds / 3,600.
    pub hour: i64,
    /// Base units that are kept free for it in that hour.
    pub amount: u64,
}

/// What tickets may book: half of what exits have beyond the floor's reserve, so that the other half stays with live exits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookingLimits {
    /// Of one hour, base units.
    pub hour_amount: u64,
    /// Of the hours that any 24 hours touch, base units.
    pub day_amount: u64,
    /// Tickets and live exits together in the hours that any 24 hours touch, base units.
    pub day_total_amount: u64,
}

/// Room that is booked per hour: the last 24 hours, the present one and 231 to come.
#[zero_copy]
#[derive(Debug, PartialEq, Eq)]
pub struct Bookings {
    /// Base units, at `hour % 256`. What was paid out stays counted until its hour is a day old.
    pub cells: [u64; BOOKING_CELLS],
    /// All that the cells hold: with nothing booked, exits pay nothing for the ledger.
    pub total_amount: u64,
    /// What was paid out of the present hour's bookings.
    pub paid_amount: u64,
    /// The present hour: unix seconds / 3,600.
    pub hour: i64,
}

impl Default for Bookings {
    fn default() -> Self {
        Self { cells: [0; BOOKING_CELLS], total_amount: 0, paid_amount: 0, hour: 0 }
    }
}

/// What live exits have to leave free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Of the hour's bucket, for tickets of the present hour.
    pub this_hour: u64,
    /// Of the hour's bucket, for tickets of the next hour.
    pub next_hour: u64,
    /// Of the day's ring, for tickets of the hours to come that share a window with now.
    pub day: u64,
}

impl Bookings {
    /// Moves the ledger on to `hour`; what lapsed more than a day ago is forgotten.
    pub fn settle(&mut self, hour: i64) {
        let passed = hour.saturating_sub(self.hour);
        if passed <= 0 {
            return;
        }
        if self.total_amount > 0 {
            for gone in 0..passed.min(BOOKING_CELLS as i64) {
                let cell = &mut self.cells[cell_of(self.hour - PAST_HOURS + gone)];
                self.total_amount = self.total_amount.saturating_sub(*cell);
                *cell = 0;
            }
        }
        self.paid_amount = 0;
        self.hour = hour;
    }

    /// Returns what has to stay free, of a bucket and a `ring` that are settled to the same hour.
    pub fn held(&self, ring: &DayRing) -> Held {
        if self.total_amount == 0 {
            return Held::default();
        }
        let this_hour = self.cells[cell_of(self.hour)].saturating_sub(self.paid_amount);
        let next_hour = self.cells[cell_of(self.hour + 1)];
        // each window of 25 hours that holds the present one: what left in it and what is booked in it
        let left = ring.total();
        let mut sum = left.saturating_add(this_hour);
        let mut most = sum;
        for (ahead, gone) in (1..=PAST_HOURS).zip(ring.oldest_first()) {
            sum = sum.saturating_sub(gone).saturating_add(self.cells[cell_of(self.hour + ahead)]);
            most = most.max(sum);
        }
        Held { this_hour, next_hour, day: most - left }
    }

    /// Books `amount` in the first hour with room, `from` hours from now at the earliest.
    ///
    /// # Errors
    /// `TicketTooLarge` for more than any hour has, `TicketQueueFull` when no hour of the ledger has room.
    pub fn book(
        &mut self,
        amount: u64,
        from: i64,
        limits: BookingLimits,
        ring: &DayRing,
    ) -> core::result::Result<Booking, RampartError> {
        if amount > limits.hour_amount || amount > limits.day_amount {
            return Err(RampartError::TicketTooLarge);
        }
        let first = self.hour + from.max(FIRST_HOURS);
        let (mut booked, mut left) = (0u64, 0u64);
        for hour in first - RING_CELLS as i64..first {
            booked = booked.saturating_add(self.cell(hour));
            left = left.saturating_add(self.taken(hour, ring));
        }
        let mut full = None;
        for end in first..=self.hour + HORIZON_HOURS {
            let start = end - RING_CELLS as i64;
            booked = booked.saturating_sub(self.cell(start)).saturating_add(self.cell(end));
            left = left.saturating_sub(self.taken(start, ring)).saturating_add(self.taken(end, ring));
            let over = booked.saturating_add(amount) > limits.day_amount;
            if over || left.saturating_add(amount) > limits.day_total_amount {
                full = Some(end);
            }
            // every window that holds the candidate has been seen
            let hour = end - PAST_HOURS;
            let has_day = full.is_none_or(|end| end < hour);
            if hour >= first && has_day && self.cell(hour).saturating_add(amount) <= limits.hour_amount {
                let cell = &mut self.cells[cell_of(hour)];
                *cell = cell.saturating_add(amount);
                self.total_amount = self.total_amount.saturating_add(amount);
                return Ok(Booking { hour, amount });
            }
        }
        Err(RampartError::TicketQueueFull)
    }

    /// Gives what is left of `booking` back; what has lapsed, or was paid, stays counted.
    pub fn release(&mut self, booking: Booking) {
        if booking.hour < self.hour {
            return;
        }
        let cell = &mut self.cells[cell_of(booking.hour)];
        let back = booking.amount.min(*cell);
        *cell -= back;
        self.total_amount = self.total_amount.saturating_sub(back);
    }

    /// Tells whether `booking` is for the present hour: its room is there now.
    pub fn is_now(&self, booking: Booking) -> bool {
        booking.hour == self.hour && booking.amount > 0
    }

    /// Sets a present `booking` aside as paid, so that what is held is what others have booked.
    pub fn begin(&mut self, booking: Booking) {
        self.paid_amount = self.paid_amount.saturating_add(booking.amount);
    }

    /// Opens again what was not `used` of a booking that was set aside, or gives it back where the ticket `is_done`.
    pub fn end(&mut self, booking: &mut Booking, used: u64, is_done: bool) {
        booking.amount = booking.amount.saturating_sub(used);
        self.paid_amount = self.paid_amount.saturating_sub(booking.amount);
        if is_done {
            self.release(*booking);
            booking.amount = 0;
        }
    }

    fn cell(&self, hour: i64) -> u64 {
        if hour < self.hour - PAST_HOURS { 0 } else { self.cells[cell_of(hour)] }
    }

    /// What left in a past hour; what is still to be paid in the present one and those to come.
    fn taken(&self, hour: i64, ring: &DayRing) -> u64 {
        let left = if hour <= self.hour { ring.at(hour) } else { 0 };
        let open = if hour < self.hour { 0 } else { self.cell(hour) };
        let paid = if hour == self.hour { self.paid_amount } else { 0 };
        left.saturating_add(open.saturating_sub(paid))
    }
}

fn cell_of(hour: i64) -> usize {
    // a power of two: the mask is the remainder, for negative hours as well
    (hour & (BOOKING_CELLS as i64 - 1)) as usize
}

const _: () = assert!(BOOKING_CELLS.is_power_of_two() && BOOKING_CELLS > 4 * RING_CELLS);

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BookingLimits = BookingLimits { hour_amount: 100, day_amount: 150, day_total_amount: 300 };

    #[test]
    fn case_043_amount_near_the_largest_number_is_refused_and_leaves_the_ledger_intact() {
        let mut bookings = Bookings { hour: 1_000, ..Default::default() };
        bookings.book(60, 0, LIMITS, &DayRing::default()).unwrap();
        let before = bookings;
        let huge = BookingLimits { hour_amount: u64::MAX, day_amount: u64::MAX, day_total_amount: u64::MAX };
        assert!(matches!(bookings.book(u64::MAX, 0, LIMITS, &DayRing::default()), Err(RampartError::TicketTooLarge)));
        assert_eq!(bookings, before);
        bookings.book(u64::MAX, 0, huge, &DayRing::default()).unwrap();
        bookings.release(Booking { hour: 1_002, amount: u64::MAX });
        bookings.settle(5_000);
        assert_eq!(bookings.held(&DayRing { newest_hour: 5_000, ..Default::default() }), Held::default());
    }

    #[test]
    fn first_hour_with_room_is_booked_and_windows_are_kept() {
        let (mut bookings, ring) =
            (Bookings { hour: 1_000, ..Default::default() }, DayRing { newest_hour: 1_000, ..Default::default() });
        let mut hours = |amounts: &[u64]| -> Vec<i64> {
            amounts.iter().map(|a| bookings.book(*a, 0, LIMITS, &ring).unwrap().hour - 1_000).collect()
        };
        // each where its hour, and every 25 hours around it, have room: 40 waits for the first 60 to be 25 hours old
        assert_eq!(hours(&[60, 60, 40, 100, 50]), [2, 3, 27, 28, 52]);
    }

    #[test]
    fn what_is_booked_before_the_ledgers_memory_is_forgotten() {
        let mut bookings = Bookings { hour: 1_000, ..Default::default() };
        let booking = bookings.book(60, 0, LIMITS, &DayRing::default()).unwrap();
        bookings.settle(booking.hour + 24);
        assert_eq!(bookings.total_amount, 60);
        bookings.release(booking);
        assert_eq!(bookings.total_amount, 60, "what has lapsed stays counted");
        bookings.settle(booking.hour + 25);
        assert_eq!((bookings.total_amount, bookings.cells.iter().sum::<u64>()), (0, 0));
    }
}
