//! What changed, as facts for the log, the metrics and the stream of events.

use crate::assess::RuleReport;
use crate::events::{EventKind, Fact, unix_ms};
use crate::run::blind::Turn;
use crate::view::amounts::{level_name, metric_unit};
use anchor_lang::prelude::Pubkey;
use rampart::risk::verdict::Verdict;
use rampart::state::{Cause, Guard, KeeperSet, Level, Metric, Position, Rule, RuleGroup};

/// An unknown age, a silence without a quorum that could end it, and a share beyond the largest one.
///
/// # Source
/// `risk/measures.rs`, `risk/keepers.rs` and `math/bps.rs` of the program.
const BEYOND: u64 = u32::MAX as u64;

/// A rule turned true, or clear.
pub fn rule_turned(
    key: &Pubkey,
    name: &str,
    metric: Option<Metric>,
    report: &RuleReport,
    was_true: bool,
    slot: u64,
) -> Option<Fact> {
    let value = report.verdict().and_then(Verdict::value)?;
    let at = measured(metric, value);
    let (kind, text) = match (was_true, report.is_true(), report.is_clear()) {
        (false, true, _) => (EventKind::RuleBecameTrue, format!("rule {name} became true at {at}")),
        (true, _, true) => (EventKind::RuleCleared, format!("rule {name} is clear again at {at}")),
        _ => return None,
    };
    let fact = Fact::new(kind, slot, text).with("rule", key.to_string()).with("rule_name", name);
    Some(fact.with("value", value.to_string()).with("slot", slot).with("unix_ms", unix_ms()))
}

/// A rule could not be judged for a while, or can be again.
pub fn blind(key: &Pubkey, name: &str, turn: Turn, reason: &str, slot: u64) -> Fact {
    let (kind, text) = match turn {
        Turn::Lost(secs) => (EventKind::RuleBlind, format!("rule {name} can't be judged for {secs} s: {reason}")),
        Turn::Found(secs) => (EventKind::RuleSeeing, format!("rule {name} can be judged again after {secs} s")),
    };
    let fact = Fact::new(kind, slot, text).with("rule", key.to_string()).with("rule_name", name);
    fact.with("reason", reason)
}

/// What a rule measured, with its unit. The largest number stands for what no number tells: it MUST NOT be shown as one.
fn measured(metric: Option<Metric>, value: u64) -> String {
    match metric {
        Some(Metric::OracleAge) if value == BEYOND => "an unknown age".into(),
        Some(Metric::KeeperSilence) if value == BEYOND => {
            "a silence without end: the keepers can have no quorum".into()
        }
        _ if value == BEYOND => "more than can be measured".into(),
        _ => format!("{value} {}", metric.map_or("bps", metric_unit)),
    }
}

/// A rule tripped: its fence moved.
pub fn tripped(key: &Pubkey, name: &str, before: &Rule, after: &Rule, slot: u64) -> Option<Fact> {
    let trips = |rule: &Rule| rule.trip_epoch.saturating_sub(rule.step_downs);
    let scope = rampart_client::evidence::scope_of(after);
    (trips(after) > trips(before))
        .then(|| raised("rule", key, name, after.params.level, slot))
        .map(|fact| fact.with("trip_epoch", after.trip_epoch).with("scope", scope.to_string()))
}

/// A group tripped: its fence moved.
pub fn group_tripped(key: &Pubkey, name: &str, before: &RuleGroup, after: &RuleGroup, slot: u64) -> Option<Fact> {
    let trips = |group: &RuleGroup| group.trip_epoch.saturating_sub(group.step_downs);
    (trips(after) > trips(before))
        .then(|| raised("group", key, name, after.params.level, slot))
        .map(|fact| fact.with("trip_epoch", after.trip_epoch).with("scope", after.scope.to_string()))
}

fn raised(what: &str, key: &Pubkey, name: &str, level: u8, slot: u64) -> Fact {
    let level = Level::try_from(level).unwrap_or(Level::Halt);
    let text = format!("{what} {name} raised its breaker to {}", level_name(level));
    let fact = Fact::new(EventKind::BreakerTripped, slot, text).with("rule", key.to_string()).with("rule_name", name);
    fact.with("level", level as u8)
}

/// A cause was stepped down: it ended early, or started anew at a lower level.
pub fn stepped_down(
    key: &Pubkey,
    name: &str,
    before: &Cause,
    after: Option<&Cause>,
    now_ts: i64,
    slot: u64,
) -> Option<Fact> {
    let from = before.level_at(now_ts);
    let to = after.map_or(Level::Normal, |cause| cause.level_at(now_ts));
    let is_same = after.is_some_and(|cause| cause.tripped_at_ts == before.tripped_at_ts);
    // what only expired has a level below its own by now; before the dwell time no step is possible, so a cause that is
    // not there then was only seen in an older version of its account
    if is_same || to >= from || now_ts < before.dwell_until_ts {
        return None;
    }
    let text = format!("rule {name} stepped down from {} to {}", level_name(from), level_name(to));
    let fact =
        Fact::new(EventKind::BreakerSteppedDown, slot, text).with("rule", key.to_string()).with("rule_name", name);
    Some(fact.with("tripped_at_ts", before.tripped_at_ts).with("from", from as u8).with("to", to as u8))
}

/// A position was liquidated or deleveraged: its fence moved.
pub fn reduced(key: &Pubkey, vault_name: &str, before: &Position, after: &Position, slot: u64) -> Option<Fact> {
    if after.liquidation_seq <= before.liquidation_seq {
        return None;
    }
    // only soft deleveraging uses the quota
    let is_soft = after.soft_quota != before.soft_quota && after.soft_quota.repaid_amount > 0;
    let (kind, verb) = match is_soft {
        true => (EventKind::PositionDeleveraged, "deleveraged"),
        false => (EventKind::PositionLiquidated, "liquidated"),
    };
    let seized = before.collateral_amount.saturating_sub(after.collateral_amount);
    let fact =
        Fact::new(kind, slot, format!("a position of {vault_name} was {verb}")).with("position", key.to_string());
    let fact = fact.with("vault", after.vault.to_string()).with("owner", after.owner.to_string());
    Some(fact.with("seized_amount", seized.to_string()).with("liquidation_seq", after.liquidation_seq))
}

/// Counters on chain that move with what people change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminSeqs([(EventKind, u64); 4]);

impl AdminSeqs {
    /// Those of the guard.
    pub fn of_guard(guard: &Guard) -> Self {
        Self([
            (EventKind::SettingsChanged, guard.config_seq),
            (EventKind::RolesChanged, guard.authority_epoch),
            (EventKind::ChangeProposed, guard.next_change_id),
            (EventKind::KeeperSetChanged, 0),
        ])
    }

    /// The one of the set of keepers.
    pub fn of_set(set: &KeeperSet) -> Self {
        Self([
            (EventKind::SettingsChanged, 0),
            (EventKind::RolesChanged, 0),
            (EventKind::ChangeProposed, 0),
            (EventKind::KeeperSetChanged, set.epoch),
        ])
    }
}

/// People changed something: a counter moved. Several changes between two sights of the account are one fact.
pub fn admin(key: &Pubkey, before: &AdminSeqs, after: &AdminSeqs, slot: u64) -> Vec<Fact> {
    let moved = before.0.iter().zip(&after.0).filter(|((_, before), (_, after))| after > before);
    moved
        .map(|((kind, before), (_, after))| {
            let text = match kind {
                EventKind::RolesChanged => format!("roles of the guard changed: authority epoch {after}"),
                EventKind::ChangeProposed => format!("change {} was proposed", after - 1),
                EventKind::KeeperSetChanged => format!("the set of keepers changed: epoch {after}"),
                _ => format!("settings under the guard changed: number {after}"),
            };
            let fact = Fact::new(*kind, slot, text).with("subject", key.to_string());
            fact.with("scope", key.to_string()).with("count", after - before).with("fence", *after)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::testing::{NOW, World, key};

    #[test]
    fn trip_and_reduction_are_told_once_by_their_fences() {
        let world = World::new();
        let before = world.rule();
        let after = Rule { trip_epoch: 1, ..before };
        assert_eq!(tripped(&key(5), "r", &before, &after, 9).unwrap().kind, EventKind::BreakerTripped);
        assert!(tripped(&key(5), "r", &after, &after, 9).is_none());
        let before = world.position(100, 80);
        let mut after = Position { liquidation_seq: 1, collateral_amount: 60, ..before };
        let fact = reduced(&key(6), "v", &before, &after, 9).unwrap();
        assert_eq!((fact.kind, &fact.fields["seized_amount"]), (EventKind::PositionLiquidated, &"40".into()));
        after.soft_quota.repaid_amount = 5;
        assert_eq!(reduced(&key(6), "v", &before, &after, 9).unwrap().kind, EventKind::PositionDeleveraged);
        assert!(reduced(&key(6), "v", &after, &after, 9).is_none());
    }

    #[test]
    fn what_a_rule_measured_is_told_with_its_unit_and_no_number_where_none_is_known() {
        assert_eq!(measured(Some(Metric::Drawdown), 1_250), "1250 bps");
        assert_eq!(measured(Some(Metric::OracleAge), 130), "130 seconds");
        assert_eq!(measured(Some(Metric::OracleAge), BEYOND - 1), "4294967294 seconds");
        assert_eq!(measured(Some(Metric::OracleAge), BEYOND), "an unknown age");
        let never = "a silence without end: the keepers can have no quorum";
        assert_eq!(measured(Some(Metric::KeeperSilence), BEYOND), never);
        assert_eq!(measured(Some(Metric::Drawdown), BEYOND), "more than can be measured");
    }

    #[test]
    fn what_people_change_is_told_by_its_counters() {
        let mut guard = World::new().guard;
        let before = AdminSeqs::of_guard(&guard);
        assert_eq!(admin(&key(1), &before, &before, 5), []);
        guard.config_seq += 2;
        guard.authority_epoch += 1;
        let facts = admin(&key(1), &before, &AdminSeqs::of_guard(&guard), 5);
        assert_eq!(
            facts.iter().map(|fact| fact.kind).collect::<Vec<_>>(),
            [EventKind::SettingsChanged, EventKind::RolesChanged]
        );
        assert_eq!((&facts[0].fields["count"], &facts[0].fields["fence"]), (&2.into(), &guard.config_seq.into()));
    }

    #[test]
    fn step_down_is_told_apart_from_expiry() {
        let cause = Cause {
            level: Level::Halt as u8,
            tripped_at_ts: NOW,
            expires_at_ts: NOW + 60,
            dwell_until_ts: NOW + 10,
            ..Cause::default()
        };
        let lower = Cause { level: Level::ReduceOnly as u8, tripped_at_ts: NOW + 20, ..cause };
        assert!(stepped_down(&key(5), "r", &cause, Some(&lower), NOW + 20, 9).is_some());
        assert!(stepped_down(&key(5), "r", &cause, Some(&cause), NOW + 20, 9).is_none());
        assert!(stepped_down(&key(5), "r", &cause, None, NOW + 20, 9).is_some());
        assert!(stepped_down(&key(5), "r", &cause, None, NOW + 9, 9).is_none(), "an older version of the account");
        assert!(stepped_down(&key(5), "r", &cause, None, NOW + 200, 9).is_none(), "it expired by itself");
    }
}
