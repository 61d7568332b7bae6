//! Limits of a flow that the guard sees only at its border: how much an integration may let out, and through which budget.

use crate::error::RampartError;
use crate::math::bps::{BPS_ONE, Bps, part};
use crate::refuse::require;
use crate::risk::gate::Pass;
use crate::state::flow::{Budget, DayBase};
use anchor_lang::prelude::*;

/// L of one budget: `max(amount, bps of the day's base)`, for the hour and for the day.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable,
)]
pub struct FlowCap {
    /// L of an hour never falls below this, base units.
    pub hourly_amount: u64,
    /// L of a day never falls below this, base units.
    pub daily_amount: u64,
    /// L of an hour, bps of the day's base.
    pub hourly_bps: u16,
    /// L of a day, bps of the day's base.
    pub daily_bps: u16,
    /// Zeros.
    pub reserved: [u8; 4],
}

impl FlowCap {
    /// Returns L of an hour on a base. Rounded down.
    pub fn hour_limit(&self, base_amount: u64) -> u64 {
        part(base_amount, self.hourly_bps).max(self.hourly_amount)
    }

    /// Returns L of a day on a base. Rounded down.
    pub fn day_limit(&self, base_amount: u64) -> u64 {
        part(base_amount, self.daily_bps).max(self.daily_amount)
    }

    /// Tells whether no field of `next` is above its field here.
    pub fn covers(&self, next: &Self) -> bool {
        next.hourly_amount <= self.hourly_amount
            && next.daily_amount <= self.daily_amount
            && next.hourly_bps <= self.hourly_bps
            && next.daily_bps <= self.daily_bps
    }

    /// Returns half of every field, rounded down.
    fn half(&self) -> Self {
        Self {
            hourly_amount: self.hourly_amount / 2,
            daily_amount: self.daily_amount / 2,
            hourly_bps: self.hourly_bps / 2,
            daily_bps: self.daily_bps / 2,
            reserved: self.reserved,
        }
    }
}

/// The three budgets of an integration. All that leaves is charged to exactly one, so together they bound every window.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable,
)]
pub struct FlowCaps {
    /// Exits within normal limits.
    pub exit: FlowCap,
    /// New risk: borrowing, minting.
    pub risk: FlowCap,
    /// Exits while normal ones are closed. Fixed at registration: no tightening reaches it.
    pub floor: FlowCap,
}

impl FlowCaps {
    /// Checks that the budgets fit together: hours within days, and at Caution, where exits have half, still the floor.
    ///
    /// # Errors
    /// `FlowCapsInvalid`, `UnknownKind` for reserved bytes that are set.
    pub fn validate(&self) -> Result<()> {
        for cap in self.all() {
            require!(cap.reserved == [0; 4], RampartError::UnknownKind);
            let hours_fit = cap.hourly_amount <= cap.daily_amount && cap.hourly_bps <= cap.daily_bps;
            require!(hours_fit && u64::from(cap.daily_bps) <= BPS_ONE, RampartError::FlowCapsInvalid);
        }
        require!(self.exit.half().covers(&self.floor), RampartError::FlowCapsInvalid);
        Ok(())
    }

    /// Returns the budgets.
    pub fn all(&self) -> [&FlowCap; 3] {
        [&self.exit, &self.risk, &self.floor]
    }
}

/// Which budget an outflow is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Exits within normal limits, at this share of them in bps.
    Exit(u16),
    /// New risk, at this share of its limits in bps.
    Risk(u16),
    /// Exits through the floor.
    Floor,
}

impl Lane {
    /// Returns the lane of an exit that passed the gate.
    pub fn of_exit(pass: Pass) -> Self {
        if pass == Pass::Floor { Self::Floor } else { Self::Exit(pass.scale_bps()) }
    }
}

/// What left through each budget.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Exits within normal limits.
    pub exit: Budget,
    /// New risk.
    pub risk: Budget,
    /// Exits through the floor.
    pub floor: Budget,
    /// The base of percentages.
    pub base: DayBase,
}

impl Flow {
    /// Brings the base and the lane's budget up to `now_ts`. Returns the budget and its L of the day.
    fn settled(&mut self, lane: Lane, caps: &FlowCaps, now_ts: i64) -> (&mut Budget, u64) {
        self.base.settle(now_ts);
        let (budget, cap, scale_bps) = match lane {
            Lane::Exit(scale_bps) => (&mut self.exit, &caps.exit, scale_bps),
            Lane::Risk(scale_bps) => (&mut self.risk, &caps.risk, scale_bps),
            Lane::Floor => (&mut self.floor, &caps.floor, BPS_ONE as u16),
        };
        let base_amount = self.base.amount;
        budget.hour.settle(now_ts, part(cap.hour_limit(base_amount), scale_bps));
        budget.day.settle(now_ts);
        (budget, part(cap.day_limit(base_amount), scale_bps))
    }

    /// Charges `amount`.
    ///
    /// # Errors
    /// `HourlyLimitReached` or `DailyLimitReached`; nothing is charged then.
    pub fn charge(&mut self, amount: u64, lane: Lane, caps: &FlowCaps, now_ts: i64) -> Result<()> {
        let (budget, day_limit) = self.settled(lane, caps, now_ts);
        let hour = budget.hour;
        budget.hour.take(amount, 0)?;
        if let Err(error) = budget.day.take(amount, day_limit) {
            budget.hour = hour; // all or nothing
            return Err(error.into());
        }
        Ok(())
    }

    /// Returns the most that could be charged now.
    pub fn room(&self, lane: Lane, caps: &FlowCaps, now_ts: i64) -> u64 {
        let mut then = *self;
        let (budget, day_limit) = then.settled(lane, caps, now_ts);
        budget.hour.room(0).min(day_limit.saturating_sub(budget.day.total()))
    }

    /// Brings everything up to `now_ts` under the limits that stood until now, and sets `caps` for the time to come.
    pub fn recap(&mut self, caps: &FlowCaps, now_ts: i64) {
        for lane in [Lane::Exit(BPS_ONE as u16), Lane::Risk(BPS_ONE as u16), Lane::Floor] {
            self.settled(lane, caps, now_ts);
        }
    }

    /// Returns what left within the last `hours` (and the hour they overlap) as a share of the day's base, rounded up.
    ///
    /// With no base, the share is of L of a day, all budgets together.
    pub fn outflow_bps(&self, hours: u32, caps: &FlowCaps, now_ts: i64) -> Bps {
        let mut then = *self;
        then.base.settle(now_ts);
        let left = [&mut then.exit, &mut then.risk, &mut then.floor].into_iter().fold(0u64, |sum, budget| {
            budget.day.settle(now_ts);
            sum.saturating_add(budget.day.recent(hours))
        });
        if left == 0 {
            return Bps(0);
        }
        let amounts = caps.all().iter().fold(0u64, |sum, cap| sum.saturating_add(cap.daily_amount));
        let base = if then.base.amount > 0 { then.base.amount } else { amounts };
        Bps::ratio_ceil(left.into(), base.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::DAY_SECS;

    fn amounts(hourly_amount: u64, daily_amount: u64) -> FlowCap {
        FlowCap { hourly_amount, daily_amount, ..FlowCap::default() }
    }

    fn caps() -> FlowCaps {
        FlowCaps { exit: amounts(2_000, 8_000), risk: amounts(1_000, 4_000), floor: amounts(200, 800) }
    }

    const FULL: Lane = Lane::Exit(10_000);

    #[test]
    fn budgets_leave_each_other_alone() {
        let (mut flow, caps) = (Flow::default(), caps());
        flow.charge(1_000, FULL, &caps, 10_000).unwrap();
        assert_eq!(flow.charge(1, FULL, &caps, 10_000).unwrap_err(), RampartError::HourlyLimitReached.into());
        flow.charge(500, Lane::Risk(10_000), &caps, 10_000).unwrap();
        flow.charge(100, Lane::Floor, &caps, 10_000).unwrap();
        assert!(flow.charge(1, Lane::Floor, &caps, 10_000).is_err());
    }

    #[test]
    fn room_is_exactly_what_can_be_charged() {
        let (mut flow, caps) = (Flow::default(), caps());
        for step in 0..60i64 {
            let now_ts = 10_000 + step * 1_777;
            for lane in [Lane::Exit(5_000), FULL, Lane::Risk(2_500), Lane::Floor] {
                let room = flow.room(lane, &caps, now_ts);
                assert!({ flow }.charge(room + 1, lane, &caps, now_ts).is_err());
                if room > 0 {
                    flow.charge(room.div_ceil(2), lane, &caps, now_ts).unwrap();
                }
            }
        }
    }

    #[test]
    fn what_the_day_refuses_is_not_charged_to_the_hour() {
        let caps = FlowCaps { exit: amounts(2_000, 2_000), ..caps() };
        let mut flow = Flow::default();
        flow.charge(1_000, FULL, &caps, 36_000).unwrap();
        flow.charge(1_000, FULL, &caps, 39_600).unwrap();
        let before = flow.exit;
        assert_eq!(flow.charge(1, FULL, &caps, 43_200).unwrap_err(), RampartError::DailyLimitReached.into());
        assert_eq!(flow.exit.hour.used_scaled, LeakyAt(before).used_at(43_200));
    }

    /// The bucket as it leaks without a charge.
    struct LeakyAt(Budget);

    impl LeakyAt {
        fn used_at(mut self, now_ts: i64) -> crate::math::wide::U128 {
            self.0.hour.settle(now_ts, 2_000);
            self.0.hour.used_scaled
        }
    }

    #[test]
    fn percentages_are_of_the_day_that_is_over() {
        let caps = FlowCaps { exit: FlowCap { hourly_bps: 1_000, daily_bps: 2_000, ..amounts(10, 10) }, ..caps() };
        let mut flow = Flow { base: DayBase::start(0), ..Flow::default() };
        flow.base.note(100_000);
        assert_eq!(flow.room(FULL, &caps, DAY_SECS - 1), 5);
        assert_eq!(flow.room(FULL, &caps, DAY_SECS), 5_000);
        flow.charge(5_000, FULL, &caps, DAY_SECS).unwrap();
        flow.base.note(95_000);
        // the base of the day stays, whatever left meanwhile
        assert_eq!(flow.room(FULL, &caps, DAY_SECS + 3_600), 5_000);
    }

    #[test]
    fn lower_cap_counts_from_the_moment_it_is_set() {
        let (mut flow, mut caps) = (Flow::default(), caps());
        flow.charge(1_000, FULL, &caps, 10_000).unwrap();
        caps.exit.hourly_amount = 1_000;
        flow.recap(&caps, 10_000);
        assert_eq!(flow.room(FULL, &caps, 10_000 + 3_600), 0);
        assert_eq!(flow.room(FULL, &caps, 10_000 + 7_200), 500);
    }

    #[test]
    fn caps_that_do_not_fit_together_are_refused() {
        let invalid = |change: fn(&mut FlowCaps)| {
            let mut caps = caps();
            change(&mut caps);
            caps.validate().unwrap_err()
        };
        caps().validate().unwrap();
        assert_eq!(invalid(|c| c.exit.hourly_amount = 399), RampartError::FlowCapsInvalid.into());
        assert_eq!(invalid(|c| c.risk.daily_amount = 999), RampartError::FlowCapsInvalid.into());
        assert_eq!(invalid(|c| c.risk.hourly_bps = 1), RampartError::FlowCapsInvalid.into());
        assert_eq!(invalid(|c| c.exit.daily_bps = 10_001), RampartError::FlowCapsInvalid.into());
        assert_eq!(invalid(|c| c.floor.reserved[3] = 1), RampartError::UnknownKind.into());
    }
}
