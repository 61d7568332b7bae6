use super::*;
use crate::state::{Change, Level, Switch};

fn flow() -> FlowLimits {
    FlowLimits {
        absolute_floor_amount: 1_000,
        hourly_bps: 2_000,
        daily_bps: 4_000,
        exit_share_bps: 6_000,
        floor_reserve_bps: 4_000,
    }
}

fn limits() -> VaultLimits {
    let mut limits: VaultLimits = bytemuck::Zeroable::zeroed();
    (limits.supply_cap_amount, limits.borrow_cap_amount, limits.collateral_cap_amount) = (100, 80, 60);
    (limits.loan_flow, limits.collateral_flow, limits.exit_floor_bps) = (flow(), flow(), 100);
    limits
}

fn rule() -> RuleParams {
    let mut rule: RuleParams = bytemuck::Zeroable::zeroed();
    (rule.threshold, rule.clear_threshold, rule.window_secs) = (1_000, 500, 600);
    (rule.duration_secs, rule.min_dwell_secs, rule.max_gap_secs) = (600, 60, 30);
    (rule.min_persist_secs, rule.min_observations, rule.sources_required) = (10, 2, 2);
    (rule.level, rule.switch, rule.comparator) = (Level::Caution as u8, Switch::Enabled as u8, Comparator::Above as u8);
    rule
}

#[track_caller]
fn is<T: Judged + Copy>(now: T, change: impl FnOnce(&mut T), expected: Direction) {
    let mut next = now;
    change(&mut next);
    assert_eq!(now.judge_move(&next).direction, expected);
}

#[test]
fn outflow_up_is_looser_and_down_is_tighter() {
    for (field, step) in [(0usize, 1i64), (1, 1), (2, 1), (0, -1), (1, -1), (2, -1)] {
        let expected = if step > 0 { Direction::Looser } else { Direction::Tighter };
        let moved = |value: u16| (i64::from(value) + step) as u16;
        is(
            flow(),
            |f| match field {
                0 => f.hourly_bps = moved(f.hourly_bps),
                1 => f.daily_bps = moved(f.daily_bps),
                _ => f.absolute_floor_amount = (f.absolute_floor_amount as i64 + step) as u64,
            },
            expected,
        );
    }
}

#[test]
fn what_has_no_strict_side_waits_either_way() {
    is(flow(), |f| f.exit_share_bps += 1, Direction::Looser);
    is(flow(), |f| f.exit_share_bps -= 1, Direction::Looser);
    is(limits(), |l| l.exit_floor_bps -= 1, Direction::Looser);
    is(limits(), |l| l.exit_floor_bps += 1, Direction::Looser);
    let risk: RiskParams = bytemuck::Zeroable::zeroed();
    let risk = RiskParams { ltv_bps: 7_000, liquidation_line_bps: 8_000, ..risk };
    is(risk, |r| r.liquidation_line_bps -= 1, Direction::Looser);
    is(risk, |r| r.liquidation_line_bps += 1, Direction::Looser);
    is(risk, |r| r.ltv_bps -= 1, Direction::Tighter);
    is(risk, |r| r.ltv_bps += 1, Direction::Looser);
}

/// A loosening hidden in a batch of tightenings, and a window moved with its limit so that the rate rises.
#[test]
fn batch_is_as_loose_as_its_loosest_part() {
    let hidden = |l: &mut VaultLimits| {
        (l.supply_cap_amount, l.borrow_cap_amount) = (1, 1);
        l.collateral_flow.daily_bps += 1;
    };
    is(limits(), hidden, Direction::Looser);
    is(rule(), |r| (r.threshold, r.clear_threshold, r.window_secs) = (900, 400, 60), Direction::Looser);
    is(flow(), |f| (f.hourly_bps, f.exit_share_bps) = (1_900, 9_000), Direction::Looser);
}

#[test]
fn rule_is_strict_on_the_side_of_its_danger() {
    is(rule(), |r| r.threshold -= 1, Direction::Tighter);
    is(rule(), |r| r.threshold += 1, Direction::Looser);
    let below = RuleParams { comparator: Comparator::Below as u8, ..rule() };
    is(below, |r| r.threshold += 1, Direction::Tighter);
    is(below, |r| r.threshold -= 1, Direction::Looser);
    is(rule(), |r| r.switch = Switch::Disabled as u8, Direction::Looser);
    is(rule(), |r| r.level = Level::Halt as u8, Direction::Tighter);
    is(rule(), |r| r.sources_required = 1, Direction::Looser);
    is(rule(), |r| r.sources_required = 3, Direction::Looser);
}

#[test]
fn source_added_or_removed_waits_and_a_younger_age_is_tighter() {
    let mut set: OracleSet = bytemuck::Zeroable::zeroed();
    (set.count, set.required, set.max_disagree_bps, set.sources[0].max_age_secs) = (2, 1, 100, 90);
    is(set, |s| s.count = 3, Direction::Looser);
    is(set, |s| s.count = 1, Direction::Looser);
    is(set, |s| s.required = 2, Direction::Tighter);
    is(set, |s| s.sources[0].max_age_secs = 60, Direction::Tighter);
    is(set, |s| s.sources[0].max_age_secs = 91, Direction::Looser);
    is(set, |s| s.sources[1].account = Pubkey::new_from_array([1; 32]), Direction::Looser);
}

#[test]
fn delay_down_is_looser_and_roles_always_wait() {
    is(172_800u32, |d| *d -= 1, Direction::Looser);
    is(172_800u32, |d| *d += 1, Direction::Tighter);
    let roles: Roles = bytemuck::Zeroable::zeroed();
    is(roles, |r| r.vetoer = Pubkey::new_from_array([1; 32]), Direction::Looser);
    is(roles, |r| r.guardian_quorum = 1, Direction::Looser);
    is(Pubkey::default(), |k| *k = Pubkey::new_from_array([1; 32]), Direction::Looser);
    // off closes exits, on lets out: an integration's switch has no strict side
    is(Switch::Enabled as u8, |s| *s = Switch::Disabled as u8, Direction::Looser);
    is(Switch::Disabled as u8, |s| *s = Switch::Enabled as u8, Direction::Looser);
    is(roles, |_| {}, Direction::Same);
}

#[test]
fn step_is_the_longest_of_the_fields_that_get_stricter() {
    let next = VaultLimits { supply_cap_amount: 75, borrow_cap_amount: 40, ..limits() };
    assert_eq!(limits().judge_move(&next), Judgement { direction: Direction::Tighter, step_bps: 5_000 });
    let enabled = RuleParams { switch: Switch::Enabled as u8, ..rule() };
    let disabled = RuleParams { switch: Switch::Disabled as u8, ..rule() };
    assert_eq!(disabled.judge_move(&enabled), Judgement { direction: Direction::Tighter, step_bps: 0 });
}

#[test]
fn every_group_survives_storage_and_has_a_hash_of_its_own() {
    let all = [
        Change::VaultRisk(bytemuck::Zeroable::zeroed()),
        Change::VaultLimits(limits()),
        Change::VaultCurve(bytemuck::Zeroable::zeroed()),
        Change::Rule(rule()),
        Change::AssetOracle(bytemuck::Zeroable::zeroed()),
        Change::AssetReference(bytemuck::Zeroable::zeroed()),
        Change::Roles(bytemuck::Zeroable::zeroed()),
        Change::LoosenDelay(172_800),
        Change::Root(Pubkey::new_from_array([7; 32])),
        Change::Aggregate(bytemuck::Zeroable::zeroed()),
        Change::AssetWarmUp(172_800),
        Change::AssetStandby(bytemuck::Zeroable::zeroed()),
        Change::IntegrationSwitch(Switch::Enabled as u8),
        Change::Holder(Pubkey::new_from_array([7; 32])),
        Change::VaultScale(RiskScale::off(7_000)),
        Change::VaultCover(Switch::Enabled as u8),
    ];
    for (index, change) in all.iter().enumerate() {
        let mut pending: crate::state::PendingChange = bytemuck::Zeroable::zeroed();
        pending.set(change, Direction::Looser);
        assert_eq!(pending.change().unwrap(), *change);
        assert!(all[..index].iter().all(|other| other.hash() != change.hash()));
        assert!(all.iter().enumerate().all(|(i, other)| change.judge_move(other).is_ok() == (i == index)));
    }
    let mut unknown: crate::state::PendingChange = bytemuck::Zeroable::zeroed();
    for group in [0, 20, u8::MAX] {
        unknown.group = group;
        assert!(unknown.change().is_err());
    }
}

#[test]
fn dollar_limit_up_or_off_is_looser_and_down_or_on_is_tighter() {
    let now = AggregateParams {
        limit_micro_usd: 10_000_000_000,
        window_secs: 86_400,
        vault_share_bps: 5_000,
        switch: Switch::Enabled as u8,
        reserved: [0; 1],
    };
    is(now, |p| p.limit_micro_usd += 1, Direction::Looser);
    is(now, |p| p.limit_micro_usd -= 1, Direction::Tighter);
    is(now, |p| p.vault_share_bps += 1, Direction::Looser);
    is(now, |p| p.vault_share_bps -= 1, Direction::Tighter);
    is(now, |p| p.switch = Switch::Disabled as u8, Direction::Looser);
    is(now, |p| p.window_secs *= 2, Direction::Looser);
    is(now, |p| p.window_secs /= 2, Direction::Looser);
    let off = AggregateParams { switch: Switch::Disabled as u8, ..now };
    is(off, |p| p.switch = Switch::Enabled as u8, Direction::Tighter);
    assert_eq!(off.judge_move(&now).step_bps, 0, "a switch is no step");
    assert_eq!(now.judge_move(&AggregateParams { limit_micro_usd: 7_500_000_000, ..now }).step_bps, 2_500);
}

#[test]
fn new_collateral_faster_is_looser_and_slower_is_tighter() {
    let mut now = limits();
    now.inflow = InflowLimits { absolute_floor_amount: 100, hourly_bps: 1_000, daily_bps: 2_000, reserved: [0; 4] };
    for step in [-1i32, 1] {
        let expected = if step > 0 { Direction::Looser } else { Direction::Tighter };
        let moved = |value: u16| (i32::from(value) + step) as u16;
        is(now, |l| l.inflow.hourly_bps = moved(l.inflow.hourly_bps), expected);
        is(now, |l| l.inflow.daily_bps = moved(l.inflow.daily_bps), expected);
        is(now, |l| l.inflow.absolute_floor_amount = (100 + step) as u64, expected);
    }
    is(now, |l| l.inflow.reserved[0] = 1, Direction::Looser);
}

#[test]
fn shorter_warm_up_is_looser() {
    let judged =
        |now: u32, next: u32| Change::AssetWarmUp(now).judge_move(&Change::AssetWarmUp(next)).unwrap().direction;
    assert_eq!(
        (judged(10, 9), judged(10, 10), judged(10, 11)),
        (Direction::Looser, Direction::Same, Direction::Tighter)
    );
}

#[test]
fn rate_and_standby_sources_wait_whichever_way_they_move() {
    let rate =
        RateSource { max_growth_bps: 1_000, max_age_epochs: 2, snapshot_e9: 1_200_000_000, ..RateSource::UNRATED };
    is(rate, |r| r.snapshot_e9 -= 1, Direction::Looser);
    is(rate, |r| r.snapshot_ts += 1, Direction::Looser);
    is(rate, |r| r.max_growth_bps -= 1, Direction::Looser);
    is(rate, |r| r.max_growth_bps += 1, Direction::Looser);
    is(rate, |r| r.account = Pubkey::new_from_array([1; 32]), Direction::Looser);
    is(rate, |r| r.max_age_epochs -= 1, Direction::Tighter);
    is(rate, |r| r.max_age_epochs += 1, Direction::Looser);
    let set: OracleSet = bytemuck::Zeroable::zeroed();
    is(set, |s| s.rate.kind = 2, Direction::Looser);
    let standby = StandbySet { count: 1, ..StandbySet::default() };
    is(standby, |s| s.count = 0, Direction::Looser);
    is(standby, |s| s.count = 2, Direction::Looser);
    is(standby, |s| s.sources[0].account = Pubkey::new_from_array([1; 32]), Direction::Looser);
}

#[test]
fn scale_that_takes_off_more_is_tighter_and_its_step_is_that_of_its_floors() {
    let off = RiskScale::off(7_000);
    is(off, |s| s.volatility.switch = Switch::Enabled as u8, Direction::Tighter);
    is(off, |s| s.ltv.switch = Switch::Enabled as u8, Direction::Tighter);
    let mut on = off;
    (on.volatility.switch, on.cap.switch) = (Switch::Enabled as u8, Switch::Enabled as u8);
    assert_eq!(off.judge_move(&on).step_bps, 0, "a switch is no step: floors bound what it does");
    is(on, |s| s.cap.switch = Switch::Disabled as u8, Direction::Looser);
    is(on, |s| s.volatility.calm_bps += 1, Direction::Looser);
    is(on, |s| s.volatility.calm_bps -= 1, Direction::Tighter);
    is(on, |s| s.ltv.slope_bps += 1, Direction::Tighter);
    is(on, |s| s.ltv.hour_bps -= 1, Direction::Looser);
    is(on, |s| s.cap.calm_bps += 1, Direction::Looser);
    is(on, |s| s.cap.calm_bps = s.cap.calm_bps.wrapping_sub(1), Direction::Looser);
    is(on, |s| s.volatility.span_secs += 1, Direction::Looser);
    is(on, |s| s.floor_ltv_bps += 1, Direction::Looser);
    let lower = RiskScale { floor_ltv_bps: 5_250, floor_cap_bps: 9_000, ..on };
    assert_eq!(on.judge_move(&lower), Judgement { direction: Direction::Tighter, step_bps: 2_500 });
}
