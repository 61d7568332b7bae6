//! What each budget of a vault lets through now, as the program's `charge` will judge it.

use crate::view::{BudgetsView, GaugeView};
use rampart::math::bookings::Held;
use rampart::math::bps::{BPS_ONE, part};
use rampart::risk::gate::{Class, Pass, gate};
use rampart::state::flow::{Budget, FlowLimits, OutflowLimiter};
use rampart::state::{Guard, Leaving, Levels, Purse, Vault};

/// A vault at a moment.
pub(super) struct Room<'a> {
    pub(super) guard: Option<&'a Guard>,
    pub(super) vault: &'a Vault,
    pub(super) levels: Levels,
    pub(super) now_ts: i64,
}

/// The limits of one budget, and what of them is not for everybody.
#[derive(Clone, Copy)]
struct Share {
    hour_limit: u64,
    day_limit: u64,
    scale_bps: u16,
    reserve_bps: u16,
    held: Held,
}

impl Room<'_> {
    /// Returns the budgets of one mint.
    pub(super) fn of(&self, leaving: Leaving) -> BudgetsView {
        let (flow, limits) = match leaving {
            Leaving::Loan => (self.vault.loan_flow, &self.vault.limits.loan_flow),
            Leaving::Collateral => (self.vault.collateral_flow, &self.vault.limits.collateral_flow),
        };
        let flow = settled(flow, limits, self.now_ts);
        let [exit, risk, floor] = self.shares(&flow, limits);
        BudgetsView {
            exit: exit.gauge(flow.exit, self.now_ts),
            risk: risk.gauge(flow.risk, self.now_ts),
            floor: Some(floor.held_back(flow.exit, limits.floor_reserve_bps, self.now_ts)),
            lease_amount: self.leased(leaving).map(|amount| amount.to_string()),
        }
    }

    /// Exits, new risk, and exits through the floor, of a settled limiter.
    fn shares(&self, flow: &OutflowLimiter, limits: &FlowLimits) -> [Share; 3] {
        let [exit_hour, exit_day, risk_hour, risk_day] = limits.allowed(flow.base.amount);
        let whole = Share {
            hour_limit: exit_hour,
            day_limit: exit_day,
            scale_bps: BPS_ONE as u16,
            reserve_bps: 0,
            held: Held::default(),
        };
        let exit = Share {
            scale_bps: self.scale_bps(Class::Exit),
            reserve_bps: limits.floor_reserve_bps,
            held: flow.bookings.held(&flow.exit.day),
            ..whole
        };
        let scale_bps = self.scale_bps(Class::RiskUp);
        [exit, Share { hour_limit: risk_hour, day_limit: risk_day, scale_bps, ..whole }, whole]
    }

    /// Share of the limits that the level leaves; zero where it leaves the exit floor alone, or nothing.
    fn scale_bps(&self, class: Class) -> u16 {
        match gate(class, self.levels) {
            Ok(Pass::Floor) | Err(_) => 0,
            Ok(pass) => pass.scale_bps(),
        }
    }

    /// What the vault's lease pays for; `None` where the guard has no dollar limit in force.
    fn leased(&self, leaving: Leaving) -> Option<u64> {
        let mut lease = self.vault.lease;
        let room = Purse::of(self.guard?, &mut lease, leaving).room(self.now_ts).unwrap_or(0);
        (room < u64::MAX).then_some(room)
    }
}

fn settled(mut flow: OutflowLimiter, limits: &FlowLimits, now_ts: i64) -> OutflowLimiter {
    flow.settle(limits, now_ts);
    flow.bookings.settle(flow.exit.day.newest_hour);
    flow
}

impl Share {
    /// The bucket of an hour holds half of its limit; the other half leaks out within the hour.
    fn gauge(self, budget: Budget, now_ts: i64) -> GaugeView {
        let bucket = self.hour_limit / 2;
        let (hour_usable, day_usable) = self.usable(budget, now_ts);
        GaugeView {
            hour_used_amount: bucket.saturating_sub(budget.hour.room(0)).to_string(),
            hour_limit_amount: bucket.to_string(),
            day_used_amount: budget.day.total().to_string(),
            day_limit_amount: self.day_limit.to_string(),
            hour_usable_amount: Some(hour_usable.to_string()),
            day_usable_amount: Some(day_usable.to_string()),
        }
    }

    /// What the hour and the day let through of a settled budget.
    fn usable(self, mut budget: Budget, now_ts: i64) -> (u64, u64) {
        let [hour_limit, day_limit] = [self.hour_limit, self.day_limit].map(|limit| part(limit, self.scale_bps));
        budget.hour.settle(now_ts, hour_limit);
        let booked = self.held.this_hour.saturating_add(self.held.next_hour);
        let hour = budget.hour.room(part(hour_limit / 2, self.reserve_bps).saturating_add(booked));
        let day = day_limit - part(day_limit, self.reserve_bps);
        (hour, day.saturating_sub(self.held.day).saturating_sub(budget.day.total()))
    }

    /// What is held back for the exit floor: only the floor's exits get into it, so what is missing of it they have used.
    fn held_back(self, budget: Budget, reserve_bps: u16, now_ts: i64) -> GaugeView {
        let (hour, day) = self.usable(budget, now_ts);
        let (hour_held, day_held) = (part(self.hour_limit / 2, reserve_bps), part(self.day_limit, reserve_bps));
        GaugeView {
            hour_used_amount: hour_held.saturating_sub(hour).to_string(),
            hour_limit_amount: hour_held.to_string(),
            day_used_amount: day_held.saturating_sub(day).to_string(),
            day_limit_amount: day_held.to_string(),
            hour_usable_amount: Some(hour.to_string()),
            day_usable_amount: Some(day.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::testing::{NOW, World};
    use proptest::prelude::*;
    use rampart::constants::DAY_SECS;
    use rampart::state::Level;
    use rampart::state::flow::{DayBase, Outflow};

    const LIMITS: FlowLimits = FlowLimits {
        absolute_floor_amount: 1_000,
        hourly_bps: 2_000,
        daily_bps: 4_000,
        exit_share_bps: 6_000,
        floor_reserve_bps: 4_000,
    };

    fn vault(base: u64) -> Vault {
        let mut vault = World::new().vault();
        vault.limits.loan_flow = LIMITS;
        vault.loan_flow = OutflowLimiter { base: DayBase::start(NOW - DAY_SECS), ..Default::default() };
        vault.loan_flow.base.note(base);
        vault.loan_flow.base.settle(NOW);
        vault
    }

    fn room(vault: &Vault, level: Level, now_ts: i64) -> BudgetsView {
        Room { guard: Some(&World::new().guard), vault, levels: Levels::all(level), now_ts }.of(Leaving::Loan)
    }

    fn usable(gauge: &GaugeView) -> u64 {
        let of = |amount: &Option<String>| amount.as_deref().unwrap().parse::<u64>().unwrap();
        of(&gauge.hour_usable_amount).min(of(&gauge.day_usable_amount))
    }

    /// The largest amount that the program takes is what was told: one more is refused.
    fn assert_exact(vault: &Vault, told: u64, outflow: Outflow, now_ts: i64) -> Result<(), TestCaseError> {
        let charge = |amount| { vault.loan_flow }.charge(amount, outflow, &LIMITS, now_ts).is_ok();
        prop_assert!(charge(told) || told == 0, "{told} told, and refused by {outflow:?}");
        prop_assert!(!charge(told + 1), "{told} told, and {outflow:?} lets more through");
        Ok(())
    }

    #[test]
    fn what_is_held_back_for_the_floor_is_no_room_for_other_exits() {
        let mut vault = vault(100_000);
        let told = room(&vault, Level::Normal, NOW);
        // 12,000 an hour for exits, half of it at once, and of that 40 % held back
        assert_eq!((usable(&told.exit), usable(&told.risk)), (3_600, 4_000));
        let floor = told.floor.unwrap();
        assert_eq!((floor.hour_used_amount.as_str(), floor.hour_limit_amount.as_str()), ("0", "2400"));
        assert_eq!(usable(&floor), 6_000);
        vault.loan_flow.charge(4_000, Outflow::Floor, &LIMITS, NOW).unwrap();
        let told = room(&vault, Level::Normal, NOW);
        assert_eq!((usable(&told.exit), told.floor.unwrap().hour_used_amount.as_str()), (0, "400"));
    }

    #[test]
    fn what_a_level_leaves_to_the_floor_alone_is_no_room() {
        let told = room(&vault(100_000), Level::ReduceOnly, NOW);
        assert_eq!((usable(&told.exit), usable(&told.risk), usable(&told.floor.unwrap())), (0, 0, 6_000));
    }

    #[test]
    fn lease_is_told_only_where_the_dollar_limit_is_in_force() {
        let (mut guard, vault) = (World::new().guard, vault(100_000));
        guard.aggregate = rampart::state::Switch::Disabled as u8;
        let told = |guard: &Guard| {
            Room { guard: Some(guard), vault: &vault, levels: Levels::default(), now_ts: NOW }.of(Leaving::Loan)
        };
        assert_eq!(told(&guard).lease_amount, None);
        guard.aggregate = rampart::state::Switch::Enabled as u8;
        // nothing was leased yet, so nothing leaves but through the floor
        assert_eq!(told(&guard).lease_amount.as_deref(), Some("0"));
    }

    proptest! {
        #[test]
        fn what_is_told_is_exactly_what_the_program_lets_through(
            base in 1_000u64..10_000_000, steps in prop::collection::vec((0i64..9_000, 0u8..4, 1u64..900_000), 0..40), level in 0usize..3,
        ) {
            let (mut vault, mut now_ts) = (vault(base), NOW);
            for (wait, kind, amount) in steps {
                now_ts += wait;
                let flow = &mut vault.loan_flow;
                let _ = match kind {
                    0 => flow.book(amount % (base / 20 + 1) + 1, 0, &LIMITS, now_ts).map(|_| ()),
                    1 => flow.charge(amount % (base / 10 + 1), Outflow::Exit { scale_bps: 10_000 }, &LIMITS, now_ts),
                    2 => flow.charge(amount % (base / 10 + 1), Outflow::Risk { scale_bps: 10_000 }, &LIMITS, now_ts),
                    _ => flow.charge(amount % (base / 50 + 1), Outflow::Floor, &LIMITS, now_ts),
                };
            }
            let level = [Level::Normal, Level::Caution, Level::ReduceOnly][level];
            let told = room(&vault, level, now_ts);
            let scale = |class| Room { guard: None, vault: &vault, levels: Levels::all(level), now_ts }.scale_bps(class);
            assert_exact(&vault, usable(&told.exit), Outflow::Exit { scale_bps: scale(Class::Exit) }, now_ts)?;
            assert_exact(&vault, usable(&told.risk), Outflow::Risk { scale_bps: scale(Class::RiskUp) }, now_ts)?;
            assert_exact(&vault, usable(&told.floor.unwrap()), Outflow::Floor, now_ts)?;
        }
    }
}
