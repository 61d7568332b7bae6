//! Groups of rules to trip and to step down.

use crate::assess::{Assessment, GroupReport};
use crate::decide::{Action, Decision};
use crate::intent::ActionClass;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::state::{Level, RuleGroup};

/// Returns what is to be done about each group.
pub fn groups(assessment: &Assessment, store: &Store) -> Vec<Decision> {
    let decide = |(key, report): (&Pubkey, &GroupReport)| {
        let group = store.group(key)?;
        trip(key, group, report).or_else(|| step_down(key, group, report, assessment.now.unix_ts))
    };
    assessment.groups.iter().filter_map(decide).collect()
}

fn trip(key: &Pubkey, group: &RuleGroup, report: &GroupReport) -> Option<Decision> {
    let observe = report.provable.clone().filter(|_| report.has_room)?;
    let reason = format!("all of its {} rules are true", group.count);
    let action = Action::TripGroup { group: *key, observe };
    Some(Decision::new(ActionClass::Trip, *key, group.trip_epoch, reason, action))
}

/// One rule that is clear clears the group.
fn step_down(key: &Pubkey, group: &RuleGroup, report: &GroupReport, now_ts: i64) -> Option<Decision> {
    let cause = report.cause.filter(|cause| now_ts >= cause.dwell_until_ts)?;
    let level = cause.level_at(now_ts);
    let clear = report.clear.filter(|_| level > Level::Normal)?;
    let reason = format!("a rule of it is clear at level {}, dwell time over", level as u8);
    let action = Action::StepDownGroup { group: *key, clear };
    Some(Decision::new(ActionClass::StepDown, *key, group.trip_epoch, reason, action))
}
