//! How much of one token may leave a vault, and through which budget.

use crate::constants::DAY_SECS;
use crate::error::RampartError;
use crate::math::bookings::{Booking, BookingLimits, Bookings, Held};
use crate::math::bps::{BPS_ONE, Bps, part};
use crate::math::limiter::{DayRing, LeakyBucket};
use crate::math::wide::U128;
use crate::refuse::require;
use crate::state::guard::HardBounds;
use anchor_lang::prelude::*;

/// Limits on the outflow of one token.
///
/// L of a window is `max(absolute_floor_amount, bps of the day's base)`. Exits and new risk have budgets of their own
/// that sum to L; part of the exit budget is held back for the exit floor.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct FlowLimits {
    /// L never falls below this, base units.
    pub absolute_floor_amount: u64,
    /// L of an hour, bps of the day's base.
    pub hourly_bps: u16,
    /// L of a day, bps of the day's base.
    pub daily_bps: u16,
    /// The part of L that belongs to exits, bps; the rest belongs to borrowing and collateral behind debt.
    pub exit_share_bps: u16,
    /// The part of the exit budget that only the exit floor may use, bps.
    pub floor_reserve_bps: u16,
}

impl FlowLimits {
    /// Checks the limits against the guard's hard bounds and that the reserve covers the floor.
    ///
    /// All positions may use two days' floors within one hour that straddles a day's start; half a bucket's limit is
    /// there at once. So `reserve · exit share · hourly / 2` must be at least `2 · floor`.
    ///
    /// # Errors
    /// `LimiterInvalid` for shares that don't fit together, `OutsideHardBounds` beyond the guard's ceilings.
    pub fn validate(&self, exit_floor_bps: u16, bounds: &HardBounds) -> Result<()> {
        let one = BPS_ONE as u16;
        require!(self.hourly_bps > 0 && self.hourly_bps <= self.daily_bps, RampartError::LimiterInvalid);
        require!(self.exit_share_bps > 0 && self.exit_share_bps < one, RampartError::LimiterInvalid);
        require!(self.floor_reserve_bps > 0 && self.floor_reserve_bps < one, RampartError::LimiterInvalid);
        require!(self.hourly_bps <= bounds.max_hourly_outflow_bps, RampartError::OutsideHardBounds);
        require!(self.daily_bps <= bounds.max_daily_outflow_bps, RampartError::OutsideHardBounds);
        require!(exit_floor_bps >= bounds.min_exit_floor_bps, RampartError::OutsideHardBounds);
        let held_back = u64::from(self.floor_reserve_bps) * u64::from(self.exit_share_bps) * u64::from(self.hourly_bps);
        let floors = 4 * u64::from(exit_floor_bps) * BPS_ONE * BPS_ONE;
        require!(held_back >= floors, RampartError::LimiterInvalid);
        Ok(())
    }
}

impl FlowLimits {
    /// Returns what leaves at most on a base of `base_amount`: exits of an hour and of a day, new risk of an hour and of
    /// a day, base units.
    pub fn allowed(&self, base_amount: u64) -> [u64; 4] {
        let both = |bps: u16| {
            let whole = part(base_amount, bps).max(self.absolute_floor_amount);
            let exit = part(whole, self.exit_share_bps);
            [exit, whole.saturating_sub(exit)]
        };
        let ([exit_hour, risk_hour], [exit_day, risk_day]) = (both(self.hourly_bps), both(self.daily_bps));
        [exit_hour, exit_day, risk_hour, risk_day]
    }
}

/// Which budget an outflow is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outflow {
    /// Withdrawal within normal limits, at a share of them in bps (10_000 at level Normal).
    Exit {
        /// The share of the budget that the level leaves.
        scale_bps: u16,
    },
    /// Withdrawal through the exit floor: may use what is held back, at any level.
    Floor,
    /// Borrowing, and collateral behind debt, at a share of the budget in bps.
    Risk {
        /// The share of the budget that the level leaves.
        scale_bps: u16,
    },
}

/// One budget: an hour and a day.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// The hour.
    pub hour: LeakyBucket,
    /// The day.
    pub day: DayRing,
}

/// The base of percentage limits: the smaller of the amount at the day's start and the mean of the day before.
///
/// Deposits inside the day don't raise it, withdrawals inside the day don't shrink it, and a deposit held only across
/// the day's start counts for nothing.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DayBase {
    /// Amount times seconds since the day's start.
    pub weighted: U128,
    /// The base in force, base units.
    pub amount: u64,
    /// The amount since `last_ts`, base units.
    pub last_amount: u64,
    /// When the amount was last noted, unix seconds.
    pub last_ts: i64,
    /// When the day started, unix seconds.
    pub started_ts: i64,
}

impl DayBase {
    /// Starts the first day, whose base is zero: only the absolute floor applies.
    pub fn start(now_ts: i64) -> Self {
        Self { last_ts: now_ts, started_ts: now_ts, ..Self::default() }
    }

    /// Accounts for the time since the last note and starts a new day where one has passed.
    pub fn settle(&mut self, now_ts: i64) {
        let elapsed_secs = now_ts.saturating_sub(self.last_ts).max(0) as u128;
        // both are below 2^64, so the product fits
        let weighted = u128::from(self.last_amount).wrapping_mul(elapsed_secs);
        self.weighted = self.weighted.get().saturating_add(weighted).into();
        self.last_ts = self.last_ts.max(now_ts);
        let day_secs = self.last_ts.saturating_sub(self.started_ts);
        if day_secs >= DAY_SECS {
            let mean = self.weighted.get() / day_secs as u128;
            self.amount = u64::try_from(mean).unwrap_or(u64::MAX).min(self.last_amount);
            self.weighted = U128::ZERO;
            self.started_ts = self.last_ts;
        }
    }

    /// Notes what the settled vault holds after the instruction.
    pub fn note(&mut self, amount: u64) {
        self.last_amount = amount;
    }
}

/// The outflow limiter of one token of a vault.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OutflowLimiter {
    /// Withdrawals.
    pub exit: Budget,
    /// Borrowing, and collateral behind debt.
    pub risk: Budget,
    /// The base of percentages.
    pub base: DayBase,
    /// What tickets have booked of the exits' budget.
    pub bookings: Bookings,
}

/// What exits have within an hour and a day beyond the floor's reserve, at the limits of now.
#[derive(Clone, Copy, Debug)]
struct ExitRoom {
    /// What the bucket holds.
    hour_whole: u64,
    /// What it holds beyond the floor's reserve.
    hour: u64,
    /// What a day has.
    day_whole: u64,
    /// What a day has beyond the floor's reserve.
    day: u64,
}

impl OutflowLimiter {
    /// Charges `amount` to a budget at `now_ts`.
    ///
    /// # Errors
    /// `HourlyLimitReached` or `DailyLimitReached`; nothing is charged then.
    pub fn charge(&mut self, amount: u64, outflow: Outflow, limits: &FlowLimits, now_ts: i64) -> Result<()> {
        self.base.settle(now_ts);
        let (scale_bps, reserve_bps) = match outflow {
            Outflow::Exit { scale_bps } => (scale_bps, limits.floor_reserve_bps),
            Outflow::Floor => (BPS_ONE as u16, 0),
            Outflow::Risk { scale_bps } => (scale_bps, 0),
        };
        let is_exit = !matches!(outflow, Outflow::Risk { .. });
        let hour_limit = self.share(limits, limits.hourly_bps, is_exit, scale_bps)?;
        let day_limit = self.share(limits, limits.daily_bps, is_exit, scale_bps)?;
        let budget = if is_exit { &mut self.exit } else { &mut self.risk };
        budget.hour.settle(now_ts, hour_limit);
        budget.day.settle(now_ts);
        // what tickets have booked stays free: of this hour and the next in the bucket, of a day in the ring
        let held = if matches!(outflow, Outflow::Exit { .. }) {
            self.bookings.settle(budget.day.newest_hour);
            self.bookings.held(&budget.day)
        } else {
            Held::default()
        };
        let hour = budget.hour;
        let held_hour = held.this_hour.saturating_add(held.next_hour);
        budget.hour.take(amount, part(hour_limit / 2, reserve_bps).saturating_add(held_hour))?;
        let day_free = (day_limit - part(day_limit, reserve_bps)).saturating_sub(held.day);
        let day = budget.day.take(amount, day_free);
        if day.is_err() {
            budget.hour = hour; // all or nothing
        }
        Ok(day?)
    }

    /// Settles the exits' budget and ledger for tickets, which no level scales.
    fn settle_exits(&mut self, limits: &FlowLimits, now_ts: i64) -> Result<ExitRoom> {
        self.base.settle(now_ts);
        let hour_limit = self.share(limits, limits.hourly_bps, true, BPS_ONE as u16)?;
        let day_limit = self.share(limits, limits.daily_bps, true, BPS_ONE as u16)?;
        self.exit.hour.settle(now_ts, hour_limit);
        self.exit.day.settle(now_ts);
        self.bookings.settle(self.exit.day.newest_hour);
        let hour = hour_limit / 2 - part(hour_limit / 2, limits.floor_reserve_bps);
        let day = day_limit - part(day_limit, limits.floor_reserve_bps);
        Ok(ExitRoom { hour_whole: hour_limit / 2, hour, day_whole: day_limit, day })
    }

    /// Books `amount` for a ticket in the first hour with room, `from_hours` from now at the earliest.
    ///
    /// # Errors
    /// `TicketTooLarge`, `TicketQueueFull`; nothing is booked then.
    pub fn book(&mut self, amount: u64, from_hours: i64, limits: &FlowLimits, now_ts: i64) -> Result<Booking> {
        let room = self.settle_exits(limits, now_ts)?;
        let limits = BookingLimits { hour_amount: room.hour / 2, day_amount: room.day / 2, day_total_amount: room.day };
        Ok(self.bookings.book(amount, from_hours, limits, &self.exit.day)?)
    }

    /// Gives the room of a ticket that is cancelled back.
    pub fn unbook(&mut self, booking: Booking, now_ts: i64) {
        self.exit.day.settle(now_ts);
        self.bookings.settle(self.exit.day.newest_hour);
        self.bookings.release(booking);
    }

    /// Charges what can be paid out of `cash` on a ripe ticket that is `worth` something, and returns it.
    ///
    /// In the ticket's hour that is at least what it booked, as long as L hasn't fallen since and the floor's exits stay
    /// within their reserve. After its hour a ticket has what live exits have.
    ///
    /// # Errors
    /// `InsufficientCash`, `HourlyLimitReached` or `DailyLimitReached` where nothing can be paid; nothing is charged then.
    pub fn claim(
        &mut self,
        booking: &mut Booking,
        worth: u64,
        cash: u64,
        limits: &FlowLimits,
        now_ts: i64,
    ) -> Result<u64> {
        let room = self.settle_exits(limits, now_ts)?;
        let is_now = self.bookings.is_now(*booking);
        if is_now {
            self.bookings.begin(*booking);
        }
        let held = self.bookings.held(&self.exit.day);
        let left = self.exit.day.total().saturating_add(held.day);
        // live exits keep out of the floor's reserve; what is booked lies outside of it already, and may meet floor exits
        let live = self.exit.hour.room((room.hour_whole - room.hour) + held.this_hour.saturating_add(held.next_hour));
        let live = (live, room.day.saturating_sub(left));
        let own = if is_now {
            let hour = self.exit.hour.room(held.this_hour).min(booking.amount);
            (hour, room.day_whole.saturating_sub(left).min(booking.amount))
        } else {
            (0, 0)
        };
        let room_now = live.0.min(live.1).max(own.0.min(own.1));
        let paid = worth.min(cash).min(room_now);
        if is_now {
            self.bookings.end(booking, paid.min(booking.amount), paid == worth);
        }
        require!(cash > 0, RampartError::InsufficientCash);
        require!(live.0.max(own.0) > 0, RampartError::HourlyLimitReached);
        require!(room_now > 0, RampartError::DailyLimitReached);
        self.exit.hour.take(paid, 0)?;
        self.exit.day.take(paid, room.day_whole)?;
        Ok(paid)
    }

    /// Settles the past at the limits that the buckets remember, and takes `limits` for the time from `now_ts` on.
    ///
    /// What was used stays used.
    pub fn settle(&mut self, limits: &FlowLimits, now_ts: i64) {
        self.base.settle(now_ts);
        let [exit_hour, _, risk_hour, _] = limits.allowed(self.base.amount);
        for (budget, hour_limit) in [(&mut self.exit, exit_hour), (&mut self.risk, risk_hour)] {
            budget.hour.settle(now_ts, hour_limit);
            budget.day.settle(now_ts);
        }
    }

    /// One budget's part of L, at the scale that the level leaves. Rounded down.
    fn share(&self, limits: &FlowLimits, bps: u16, is_exit: bool, scale_bps: u16) -> Result<u64> {
        let by_share = part(self.base.amount, bps);
        let whole = by_share.max(limits.absolute_floor_amount);
        let exit = part(whole, limits.exit_share_bps);
        let budget = if is_exit { exit } else { whole.checked_sub(exit).ok_or(RampartError::MathOverflow)? };
        Ok(part(budget, scale_bps))
    }

    /// Returns what left within the last `hours` (and the hour they overlap) as a share of the day's base, rounded up.
    ///
    /// With no base yet, the share is of the absolute floor's limit.
    pub fn outflow_bps(&self, hours: u32, limits: &FlowLimits, now_ts: i64) -> Bps {
        // the ledger of tickets is too large for a stack frame: only what is read is copied
        let (mut base, mut exit, mut risk) = (self.base, self.exit.day, self.risk.day);
        base.settle(now_ts);
        exit.settle(now_ts);
        risk.settle(now_ts);
        let left = exit.recent(hours).saturating_add(risk.recent(hours));
        let base = base.amount.max(limits.absolute_floor_amount);
        Bps::ratio_ceil(u128::from(left), u128::from(base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: FlowLimits = FlowLimits {
        absolute_floor_amount: 1_000,
        hourly_bps: 2_000,
        daily_bps: 4_000,
        exit_share_bps: 6_000,
        floor_reserve_bps: 4_000,
    };
    const FULL: Outflow = Outflow::Exit { scale_bps: 10_000 };

    fn limiter(base: u64) -> OutflowLimiter {
        let mut l = OutflowLimiter { base: DayBase::start(0), ..Default::default() };
        l.base.note(base);
        l.base.settle(DAY_SECS);
        l
    }

    #[test]
    fn borrowing_leaves_the_exit_budget_untouched() {
        let mut l = limiter(100_000);
        // L = 20_000 an hour; new risk has 8_000 of it, half of which is there at once
        l.charge(4_000, Outflow::Risk { scale_bps: 10_000 }, &LIMITS, DAY_SECS).unwrap();
        assert!(l.charge(1, Outflow::Risk { scale_bps: 10_000 }, &LIMITS, DAY_SECS).is_err());
        l.charge(3_600, FULL, &LIMITS, DAY_SECS).unwrap();
    }

    #[test]
    fn floor_may_use_what_normal_exits_may_not() {
        let mut l = limiter(100_000);
        l.charge(3_600, FULL, &LIMITS, DAY_SECS).unwrap();
        assert_eq!(l.charge(1, FULL, &LIMITS, DAY_SECS).unwrap_err(), RampartError::HourlyLimitReached.into());
        l.charge(2_400, Outflow::Floor, &LIMITS, DAY_SECS).unwrap();
        assert!(l.charge(1, Outflow::Floor, &LIMITS, DAY_SECS).is_err());
    }

    #[test]
    fn what_the_day_refuses_is_not_charged_to_the_hour() {
        let limits = FlowLimits { daily_bps: LIMITS.hourly_bps, ..LIMITS };
        let mut l = limiter(100_000);
        // exits have 12_000 a day, of which 4_800 are held back, and 3_600 at once
        l.charge(3_600, FULL, &limits, DAY_SECS).unwrap();
        l.charge(3_600, FULL, &limits, DAY_SECS + 3_600).unwrap();
        let before = l.exit.hour.room(0);
        assert_eq!(l.charge(1, FULL, &limits, DAY_SECS + 3_600).unwrap_err(), RampartError::HourlyLimitReached.into());
        assert_eq!(l.charge(1, FULL, &limits, DAY_SECS + 7_200).unwrap_err(), RampartError::DailyLimitReached.into());
        assert_eq!(l.exit.hour.room(0), before + 3_600);
    }

    #[test]
    fn deposit_held_only_across_the_days_start_does_not_raise_the_base() {
        let mut base = DayBase::start(0);
        base.note(1_000);
        base.settle(DAY_SECS - 1);
        base.note(1_000_000_000);
        base.settle(DAY_SECS);
        base.note(1_000);
        assert!(base.amount < 15_000);
    }

    #[test]
    fn limits_that_cannot_cover_the_floor_are_refused() {
        let bounds = HardBounds {
            max_oracle_age_secs: 120,
            max_rule_duration_secs: 1,
            max_confidence_bps: 200,
            max_hourly_outflow_bps: 5_000,
            max_daily_outflow_bps: 5_000,
            min_exit_floor_bps: 50,
            max_ltv_bps: 9_000,
            max_bonus_bps: 1_000,
            ..bytemuck::Zeroable::zeroed()
        };
        LIMITS.validate(100, &bounds).unwrap();
        assert_eq!(LIMITS.validate(200, &bounds).unwrap_err(), RampartError::LimiterInvalid.into());
        assert_eq!(LIMITS.validate(40, &bounds).unwrap_err(), RampartError::OutsideHardBounds.into());
    }

    /// A ticket of the slow reference.
    #[derive(Clone, Copy, Debug)]
    struct Slow {
        booking: Booking,
        wanted: u64,
        made_for: u64,
    }

    /// One step: seconds that pass first, then (kind, amount or which).
    type Step = (i64, u8, u64);

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let wait =
            prop_oneof![3 => Just(0i64), 1 => 0i64..1_200, 1 => Just(3_600), 1 => 3_000i64..8_000, 1 => 0i64..100_000];
        prop::collection::vec((wait, 0u8..5, 0u64..6_000), 1..220)
    }

    fn worst_window(outflows: &[(i64, u64)], window_secs: i64) -> u64 {
        let from = |start: i64| {
            outflows.iter().filter(|(t, _)| (start..start + window_secs).contains(t)).map(|o| o.1).sum::<u64>()
        };
        outflows.iter().map(|(t, _)| from(*t)).max().unwrap_or(0)
    }

    proptest! {
        /// Live exits and claims against a list of all outflows and all tickets, at a constant L.
        #[test]
        fn tickets_are_paid_in_their_hour_and_no_window_lets_more_than_the_limit_out(steps in steps()) {
            let limits = FlowLimits { absolute_floor_amount: 100_000, daily_bps: 2_000, ..LIMITS };
            // exits: 60,000 an hour and a day; without the floor's reserve 18,000 at once and 36,000 a day
            let mut l = OutflowLimiter { base: DayBase::start(0), ..Default::default() };
            let (mut now, mut out, mut tickets, mut booked) = (10 * DAY_SECS, vec![], Vec::<Slow>::new(), vec![]);
            let mut floors: Vec<(i64, u64)> = vec![];
            for (wait, kind, n) in steps {
                now += wait;
                let hour = now.div_euclid(3_600);
                match kind {
                    0 if n % 5 == 0 => {
                        // the floor within what is held back for it at once
                        let lately = floors.iter().filter(|(t, _)| *t > now - 26 * 3_600).map(|f| f.1).sum::<u64>();
                        if lately + n <= 12_000 {
                            l.charge(n, Outflow::Floor, &limits, now).unwrap();
                            floors.push((now, n));
                            out.push((now, n));
                        }
                    }
                    0 | 1 => {
                        if l.charge(n, FULL, &limits, now).is_ok() {
                            out.push((now, n));
                        }
                    }
                    2 => {
                        if let Ok(booking) = l.book(n, 0, &limits, now) {
                            prop_assert!(booking.hour >= hour + 2);
                            tickets.push(Slow { booking, wanted: n, made_for: n });
                            booked.push((booking.hour * 3_600, n));
                        }
                    }
                    3 => {
                        // the ripe tickets whose hour it is, in any order; now and then one whose hour has passed
                        let ripe = |t: &Slow| if n % 4 == 0 { t.booking.hour <= hour } else { t.booking.hour == hour };
                        let Some(at) = tickets.iter().position(ripe) else { continue };
                        let ticket = &mut tickets[at];
                        let is_on_time = ticket.booking.hour == hour;
                        // part of them is worth more by now, part less
                        let wanted = if n % 3 == 0 { ticket.wanted + n / 10 } else { ticket.wanted - ticket.wanted.min(n / 7) };
                        let before = ticket.booking.amount;
                        let paid = l.claim(&mut ticket.booking, wanted, u64::MAX, &limits, now).unwrap_or(0);
                        prop_assert!(!is_on_time || paid >= wanted.min(before), "{paid} of {wanted}, {before} booked");
                        out.push((now, paid));
                        ticket.wanted = wanted - paid;
                        if ticket.wanted == 0 {
                            // what was not needed went back
                            let back = if is_on_time { before - paid.min(before) } else { 0 };
                            let own = booked.iter_mut().find(|b| **b == (ticket.booking.hour * 3_600, ticket.made_for));
                            if let Some(own) = own {
                                own.1 -= back;
                            }
                            tickets.remove(at);
                        }
                    }
                    _ => {
                        let Some(at) = (!tickets.is_empty()).then(|| n as usize % tickets.len()) else { continue };
                        let ticket = tickets.remove(at);
                        l.unbook(ticket.booking, now);
                        if ticket.booking.hour >= hour {
                            let own = (ticket.booking.hour * 3_600, ticket.made_for);
                            let own = booked.iter_mut().find(|b| **b == own).unwrap();
                            own.1 -= ticket.booking.amount;
                        }
                    }
                }
                // the ledger holds exactly what the open tickets and the last day's payments say
                let kept: u64 = booked.iter().filter(|(t, _)| t / 3_600 >= l.bookings.hour - 24).map(|b| b.1).sum();
                prop_assert_eq!(l.bookings.total_amount, kept);
                prop_assert_eq!(l.bookings.cells.iter().sum::<u64>(), kept);
            }
            prop_assert!(worst_window(&out, 3_600) <= 60_000 && worst_window(&out, DAY_SECS) <= 60_000);
            prop_assert!(worst_window(&booked, 25 * 3_600) <= 18_000, "tickets leave half to live exits");
        }

        #[test]
        fn bookings_settled_often_equal_bookings_settled_once(hours in prop::collection::vec(0i64..40, 1..30), amounts in prop::collection::vec(1u64..900, 1..40)) {
            let limits = FlowLimits { absolute_floor_amount: 100_000, ..LIMITS };
            let mut often = OutflowLimiter { base: DayBase::start(0), ..Default::default() };
            for amount in amounts {
                let _ = often.book(amount, 0, &limits, 10 * DAY_SECS);
            }
            let mut once = often;
            let mut hour = often.bookings.hour;
            for passed in hours {
                hour += passed;
                often.bookings.settle(hour);
            }
            once.bookings.settle(hour);
            prop_assert_eq!(often.bookings, once.bookings);
        }
    }

    #[test]
    fn booking_is_refused_when_no_hour_has_room_and_for_more_than_an_hour_has() {
        let limits = FlowLimits { absolute_floor_amount: 100_000, ..LIMITS };
        let mut l = OutflowLimiter { base: DayBase::start(0), ..Default::default() };
        let now = 10 * DAY_SECS;
        // of 60,000 for exits: 30,000 at once, less 12,000 for the floor, half of that
        assert_eq!(l.book(9_001, 0, &limits, now).unwrap_err(), RampartError::TicketTooLarge.into());
        let mut last = 0;
        while let Ok(booking) = l.book(9_000, 0, &limits, now) {
            assert!(booking.hour >= last.max(242));
            last = booking.hour;
        }
        // two of 9,000 in any 25 hours, over 208 hours
        assert_eq!(l.bookings.total_amount, 9_000 * 18);
        assert_eq!(l.book(1, 0, &limits, now).unwrap_err(), RampartError::TicketQueueFull.into());
        // live exits still have their half
        l.charge(9_000, FULL, &limits, now).unwrap();
    }
}
