//! What may be spent: an hour's allowance for all classes but trips, one for postings, and a balance that is kept for trips.

use super::SubmitError;
use crate::config::Budget;
use crate::intent::ActionClass;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub(super) const HOUR: Duration = Duration::from_secs(3_600);
/// Fees of so many seconds are counted together, and as long as the latest of them: an hour holds few entries however busy it was.
const SLICE: Duration = Duration::from_secs(10);

/// Fees spent within the last hour, and the balance.
#[derive(Debug)]
pub(super) struct Spending {
    limits: Budget,
    posts_lamports_per_hour: u64,
    trip_fee_lamports: u64,
    /// Since when slices are counted.
    began: Instant,
    /// Fees by the slice in which their hour ends, and class.
    spent: BTreeMap<(u64, ActionClass), u64>,
    balance_lamports: Option<u64>,
}

/// What a class has spent within the hour, and what it has left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// Fees of this class.
    pub own_lamports: u64,
    /// Fees of all classes that share the allowance.
    pub spent_lamports: u64,
    /// What the class may spend of the hour, with those that share it; nothing for trips, which are never refused.
    pub allowance_lamports: Option<u64>,
    /// Of the balance, kept back from this class for trips.
    pub reserved_lamports: u64,
}

impl Hour {
    /// Returns what is left of the hour; nothing for trips, which are never refused.
    pub fn left_lamports(&self) -> Option<u64> {
        self.allowance_lamports.map(|allowance| allowance.saturating_sub(self.spent_lamports))
    }
}

/// Classes that share an allowance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purse {
    Trips,
    Posts,
    Rest,
}

impl Purse {
    const fn of(class: ActionClass) -> Self {
        match class {
            ActionClass::Trip => Self::Trips,
            ActionClass::Post => Self::Posts,
            _ => Self::Rest,
        }
    }
}

impl Spending {
    /// Starts with nothing spent and an unknown balance. `trip_fee_lamports` is the most that one trip costs.
    pub fn new(limits: Budget, posts_lamports_per_hour: u64, trip_fee_lamports: u64) -> Self {
        let (began, spent) = (Instant::now(), BTreeMap::new());
        Self { limits, posts_lamports_per_hour, trip_fee_lamports, began, spent, balance_lamports: None }
    }

    /// Takes over what earlier runs spent: class, fee, and how long ago; oldest first. The balance knows of it already.
    pub fn resume(&mut self, earlier: impl IntoIterator<Item = (ActionClass, u64, Duration)>, now: Instant) {
        for (class, fee_lamports, age) in earlier {
            self.count(class, fee_lamports, now + HOUR.saturating_sub(age));
        }
    }

    /// Takes over a balance that was read from the chain.
    pub const fn set_balance(&mut self, lamports: u64) {
        self.balance_lamports = Some(lamports);
    }

    /// Returns how many trips the balance pays for; nothing while it is unknown.
    pub fn trips_affordable(&self) -> Option<u64> {
        self.balance_lamports.map(|balance| balance / self.trip_fee_lamports.max(1))
    }

    /// Refuses a fee that a class may not spend now. Trips are never refused: what they protect is worth more.
    ///
    /// An unknown balance refuses nothing: the chain does, at no cost.
    pub fn check(&mut self, class: ActionClass, fee_lamports: u64, now: Instant) -> Result<(), SubmitError> {
        let Some(allowance) = self.allowance(class) else { return Ok(()) };
        self.forget(now);
        let left_lamports = allowance.saturating_sub(self.spent(|spender| Purse::of(spender) == Purse::of(class)));
        if fee_lamports > left_lamports {
            return Err(match class {
                ActionClass::Post => SubmitError::OverPosting { fee_lamports, left_lamports },
                _ => SubmitError::OverBudget { fee_lamports, left_lamports },
            });
        }
        self.check_balance(fee_lamports)
    }

    /// Refuses what would take the balance below what is kept for trips.
    pub fn check_balance(&self, lamports: u64) -> Result<(), SubmitError> {
        let reserved_lamports = self.reserved();
        match self.balance_lamports {
            Some(balance_lamports) if balance_lamports < reserved_lamports.saturating_add(lamports) => {
                Err(SubmitError::ReserveForTrips { balance_lamports, reserved_lamports })
            }
            _ => Ok(()),
        }
    }

    /// Counts a fee at the first send.
    pub fn charge(&mut self, class: ActionClass, fee_lamports: u64, now: Instant) {
        self.balance_lamports = self.balance_lamports.map(|balance| balance.saturating_sub(fee_lamports));
        self.forget(now);
        self.count(class, fee_lamports, now + HOUR);
    }

    /// Counts a fee until `end`, or a little longer: too much rather than too little.
    fn count(&mut self, class: ActionClass, fee_lamports: u64, end: Instant) {
        let fees = self.spent.entry((self.slices(end) + 1, class)).or_default();
        *fees = fees.saturating_add(fee_lamports);
    }

    /// Slices that are over at `now`.
    fn slices(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs() / SLICE.as_secs()
    }

    /// Gives back the fee of a transaction that can never land.
    ///
    /// Only the balance: the hour's allowance also bounds how often the keeper tries.
    pub fn refund(&mut self, fee_lamports: u64) {
        self.balance_lamports = self.balance_lamports.map(|balance| balance.saturating_add(fee_lamports));
    }

    /// Returns what `class` has spent within the hour before `now`, and may spend.
    pub fn hour(&mut self, class: ActionClass, now: Instant) -> Hour {
        self.forget(now);
        Hour {
            own_lamports: self.spent(|spender| spender == class),
            spent_lamports: self.spent(|spender| Purse::of(spender) == Purse::of(class)),
            allowance_lamports: self.allowance(class),
            reserved_lamports: if class == ActionClass::Trip { 0 } else { self.reserved() },
        }
    }

    fn forget(&mut self, now: Instant) {
        let over = self.slices(now);
        while let Some(oldest) = self.spent.first_entry().filter(|oldest| oldest.key().0 <= over) {
            oldest.remove();
        }
    }

    /// Fees of the classes that count.
    fn spent(&self, counts: impl Fn(ActionClass) -> bool) -> u64 {
        let fees = self.spent.iter().filter(|((_, class), _)| counts(*class)).map(|(_, fees)| *fees);
        fees.fold(0, u64::saturating_add)
    }

    /// What a class may spend of the hour with those that share it; nothing for trips, which are never refused.
    fn allowance(&self, class: ActionClass) -> Option<u64> {
        match class {
            ActionClass::Trip => None,
            ActionClass::Post => Some(self.posts_lamports_per_hour),
            // what is least urgent stops first: half of the hour is kept from it
            ActionClass::Rebalance => Some(self.limits.lamports_per_hour / 2),
            _ => Some(self.limits.lamports_per_hour),
        }
    }

    fn reserved(&self) -> u64 {
        let trips = self.limits.reserve_trips.saturating_mul(self.trip_fee_lamports);
        trips.max(self.limits.min_payer_lamports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ActionClass::{Liquidate, Post, Rebalance, Trip};

    fn spending() -> Spending {
        let limits = Budget { lamports_per_hour: 100, reserve_trips: 2, min_payer_lamports: 30 };
        Spending::new(limits, 30, 20)
    }

    #[test]
    fn check_fails_beyond_the_hour_and_passes_after_it() {
        let (mut spending, start) = (spending(), Instant::now());
        spending.charge(Liquidate, 60, start);
        let refused = spending.check(Liquidate, 41, start + HOUR - Duration::from_secs(1));
        assert!(matches!(refused, Err(SubmitError::OverBudget { fee_lamports: 41, left_lamports: 40 })));
        assert!(spending.check(Liquidate, 40, start).is_ok());
        assert!(spending.check(Liquidate, 100, start + HOUR + SLICE).is_ok());
    }

    #[test]
    fn fault_35_check_keeps_the_reserve_for_trips() {
        let (mut spending, now) = (spending(), Instant::now());
        spending.set_balance(50);
        assert!(spending.check(Liquidate, 10, now).is_ok());
        let refused = spending.check(Liquidate, 11, now);
        assert!(matches!(refused, Err(SubmitError::ReserveForTrips { balance_lamports: 50, reserved_lamports: 40 })));
        assert!(spending.check(Trip, 1_000, now).is_ok(), "trips are never refused");
        assert_eq!(spending.trips_affordable(), Some(2));
    }

    #[test]
    fn rebalances_stop_while_half_of_the_hour_is_left_for_others() {
        let (mut spending, now) = (spending(), Instant::now());
        spending.charge(Liquidate, 45, now);
        let refused = spending.check(Rebalance, 6, now);
        assert!(matches!(refused, Err(SubmitError::OverBudget { fee_lamports: 6, left_lamports: 5 })));
        assert!(spending.check(Rebalance, 5, now).is_ok() && spending.check(Liquidate, 55, now).is_ok());
    }

    #[test]
    fn fault_35_postings_have_an_hour_of_their_own_and_keep_the_reserve() {
        let (mut spending, now) = (spending(), Instant::now());
        spending.charge(Post, 25, now);
        let refused = spending.check(Post, 6, now);
        assert!(matches!(refused, Err(SubmitError::OverPosting { fee_lamports: 6, left_lamports: 5 })));
        assert!(spending.check(Post, 5, now).is_ok() && spending.check(Liquidate, 100, now).is_ok());
        assert!(spending.check(Post, 30, now + HOUR + SLICE).is_ok());
        spending.charge(Liquidate, 100, now);
        assert!(spending.check(Post, 5, now).is_ok(), "nobody else spends it");
        spending.set_balance(60);
        assert!(spending.check_balance(20).is_ok());
        let refused = spending.check_balance(21);
        assert!(matches!(refused, Err(SubmitError::ReserveForTrips { balance_lamports: 60, reserved_lamports: 40 })));
    }

    #[test]
    fn trips_do_not_use_the_hour_of_others() {
        let (mut spending, now) = (spending(), Instant::now());
        spending.charge(Trip, 1_000, now);
        assert!(spending.check(Liquidate, 100, now).is_ok());
    }

    #[test]
    fn fees_under_way_lower_the_balance_until_they_are_refunded() {
        let (mut spending, now) = (spending(), Instant::now());
        spending.set_balance(60);
        spending.charge(Liquidate, 20, now);
        assert!(spending.check(Liquidate, 1, now).is_err());
        spending.refund(20);
        assert!(spending.check(Liquidate, 20, now).is_ok());
    }

    #[test]
    fn what_earlier_runs_spent_ends_with_their_hour() {
        let (mut spending, now) = (spending(), Instant::now());
        spending.set_balance(200);
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        spending.resume([(Liquidate, 50, minutes(59)), (Post, 30, minutes(10)), (Liquidate, 40, minutes(5))], now);
        let refused = spending.check(Liquidate, 11, now);
        assert!(matches!(refused, Err(SubmitError::OverBudget { fee_lamports: 11, left_lamports: 10 })));
        assert!(matches!(spending.check(Post, 1, now), Err(SubmitError::OverPosting { left_lamports: 0, .. })));
        assert!(spending.check(Liquidate, 60, now + minutes(1) + SLICE).is_ok());
        assert_eq!(spending.balance_lamports, Some(200), "the chain's balance is without it");
    }

    #[test]
    fn busy_hour_takes_the_room_of_its_slices() {
        let (mut spending, start) = (spending(), Instant::now());
        for second in 0..7_200 {
            spending.charge(Liquidate, 1, start + Duration::from_secs(second));
        }
        let hour = spending.hour(Liquidate, start + Duration::from_secs(7_199));
        // what is a slice too old may still count
        assert!((3_600..=3_610).contains(&hour.own_lamports), "{}", hour.own_lamports);
        assert!(spending.spent.len() <= 362, "{}", spending.spent.len());
    }

    #[test]
    fn hour_is_told_by_class_and_ends() {
        let (mut spending, start) = (spending(), Instant::now());
        spending.charge(Liquidate, 30, start);
        spending.charge(Rebalance, 5, start);
        spending.charge(Trip, 500, start);
        let hour = spending.hour(Liquidate, start);
        assert_eq!((hour.own_lamports, hour.spent_lamports, hour.left_lamports()), (30, 35, Some(65)));
        let hour = spending.hour(Rebalance, start);
        assert_eq!((hour.own_lamports, hour.left_lamports(), hour.reserved_lamports), (5, Some(15), 40));
        let hour = spending.hour(Trip, start);
        assert_eq!((hour.own_lamports, hour.left_lamports(), hour.reserved_lamports), (500, None, 0));
        let hour = spending.hour(Liquidate, start + HOUR + SLICE);
        assert_eq!((hour.own_lamports, hour.spent_lamports, hour.left_lamports()), (0, 0, Some(100)));
        assert_eq!(spending.hour(Trip, start + HOUR + SLICE).own_lamports, 0);
    }
}
