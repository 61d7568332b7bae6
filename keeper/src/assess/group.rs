//! Groups of rules, judged as `trip_group` and `step_down_group` will do it.

use crate::assess::RuleReport;
use crate::assess::rule::{breaker_at, has_room};
use crate::chain::clock::ChainTime;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::state::{Cause, Rule, RuleGroup};
use std::collections::BTreeMap;

/// How a group stands.
#[derive(Clone, Debug)]
pub struct GroupReport {
    /// The cause that it holds in force.
    pub cause: Option<Cause>,
    /// Whether its breaker would take a trip now.
    pub has_room: bool,
    /// Where every rule stands true once these of them were observed: in the transaction of the trip.
    pub provable: Option<Vec<Pubkey>>,
    /// Which rules a trip would have to observe as things stand, were all of them true: what it is prepared with ahead of
    /// its time. None where a rule is off or not known.
    pub unseen: Option<Vec<Pubkey>>,
    /// A rule that is clear now.
    pub clear: Option<ClearRule>,
}

/// A rule of a group that is clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClearRule {
    /// The rule.
    pub rule: Pubkey,
    /// Whether it has to be observed first.
    pub is_unseen: bool,
}

/// Judges `group` on the reports of its rules.
pub fn report(
    key: &Pubkey,
    group: &RuleGroup,
    store: &Store,
    rules: &BTreeMap<Pubkey, RuleReport>,
    now: ChainTime,
) -> GroupReport {
    let known = |key: &Pubkey| Some((*key, store.rule(key)?, rules.get(key).filter(|report| report.is_enabled)?));
    let members: Option<Vec<_>> = group.active().iter().map(known).collect();
    let members = members.unwrap_or_default();
    let (max_age_secs, now_ts) = (group.params.max_age_secs, now.unix_ts);
    let clear = members.iter().find(|(.., report)| report.is_clear());
    GroupReport {
        cause: breaker_at(&group.scope, store).and_then(|b| b.cause_of(key, now_ts).copied()),
        has_room: takes_trip(key, group, store, now_ts),
        provable: provable(&members, max_age_secs, now),
        unseen: unseen(&members, max_age_secs, now.unix_ts),
        clear: clear.map(|(rule, account, _)| ClearRule {
            rule: *rule,
            is_unseen: !account.stands_clear(max_age_secs, now_ts),
        }),
    }
}

/// Returns which rules have to be observed for all of them to stand true; `None` where one can't.
fn provable(members: &[(Pubkey, &Rule, &RuleReport)], max_age_secs: u32, now: ChainTime) -> Option<Vec<Pubkey>> {
    let mut observed = Vec::new();
    for (key, rule, report) in members {
        if !report.is_true() {
            return None;
        }
        if rule.stands_true(max_age_secs, now.unix_ts) {
            continue;
        }
        let measured = report.measured.ok()?;
        let mut next = **rule;
        next.observe(measured.verdict, measured.publish_ts, now.unix_ts, now.slot).ok()?;
        if !next.stands_true(max_age_secs, now.unix_ts) {
            return None;
        }
        observed.push(*key);
    }
    (!members.is_empty()).then_some(observed)
}

/// Where the group is provable, these are the rules that have to be observed for it.
fn unseen(members: &[(Pubkey, &Rule, &RuleReport)], max_age_secs: u32, now_ts: i64) -> Option<Vec<Pubkey>> {
    let unseen = members.iter().filter(|(_, rule, _)| !rule.stands_true(max_age_secs, now_ts));
    (!members.is_empty()).then(|| unseen.map(|(key, ..)| *key).collect())
}

fn takes_trip(key: &Pubkey, group: &RuleGroup, store: &Store, now_ts: i64) -> bool {
    let cause = Cause::of_group(*key, &group.params, group.reach, now_ts);
    breaker_at(&group.scope, store).is_some_and(|breaker| has_room(breaker, cause, now_ts))
}

/// Tells whether a group that `rule` is part of could be tripped.
pub fn has_room_for(rule: &Pubkey, store: &Store, now_ts: i64) -> bool {
    store.groups().any(|(key, group)| group.active().contains(rule) && takes_trip(key, group, store, now_ts))
}
