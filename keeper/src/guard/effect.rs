//! What a transaction would do to a guard: two snapshots, and what moved between them.

use super::bounds;
use super::change::{self, GROUPS, Move};
use super::snapshot::Snapshot;
use super::view::{decimals_of, in_words};
use crate::view::amounts::{level_name, short};
use anchor_lang::prelude::Pubkey;
use rampart::state::Breaker;
use serde::Serialize;
use std::collections::BTreeSet;

/// One thing that moves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// The account.
    pub account: String,
    /// What of it: a group of fields, `bounds`, `finality`, `change`, `level`, `keepers` or `census`.
    pub what: &'static str,
    /// In words, one line each.
    pub words: Vec<String>,
    /// Fields that move.
    pub moves: Vec<Move>,
}

/// Returns everything that moves from `before` to `after`, levels as of `now_ts`.
pub fn effects(before: &Snapshot, after: &Snapshot, now_ts: i64) -> Vec<Effect> {
    let mut all = values(before, after);
    all.extend(limits(before, after));
    all.extend(changes(before, after));
    all.extend(levels(before, after, now_ts));
    all.extend(keepers(before, after));
    all.extend(census(before, after));
    all
}

fn targets(snapshot: &Snapshot) -> BTreeSet<Pubkey> {
    let address = rampart_client::address::aggregate(&snapshot.key);
    let reserve = rampart_client::address::reserve(&snapshot.key);
    let keys = snapshot.assets.keys().chain(snapshot.vaults.keys()).chain(snapshot.rules.keys());
    let keys = keys.chain(snapshot.integrations.keys()).chain(snapshot.policies.keys());
    keys.copied().chain([snapshot.key, address, reserve]).collect()
}

fn values(before: &Snapshot, after: &Snapshot) -> Vec<Effect> {
    let mut all = Vec::new();
    for target in targets(after) {
        let decimals = decimals_of(after, &target);
        for (group, name) in GROUPS {
            let (now, next) = (before.current(group, &target), after.current(group, &target));
            let (moves, words) = match (now, next) {
                (Some(now), Some(next)) => {
                    let moves = change::moves(&now, &next).unwrap_or_default();
                    let words: Vec<String> = moves.iter().map(|moved| in_words(moved, decimals)).collect();
                    (moves, words)
                }
                (None, Some(_)) => (Vec::new(), vec!["created".to_owned()]),
                _ => continue,
            };
            if !words.is_empty() {
                all.push(Effect { account: target.to_string(), what: name, words, moves });
            }
        }
    }
    all
}

/// The hard bounds, and whether anything may still be loosened.
fn limits(before: &Snapshot, after: &Snapshot) -> Vec<Effect> {
    let (Some(was), Some(is)) = (&before.guard, &after.guard) else { return Vec::new() };
    let told = |what, words, moves| Effect { account: after.key.to_string(), what, words, moves };
    let moves = bounds::moves(&was.bounds, &is.bounds).unwrap_or_default();
    let words: Vec<String> = moves.iter().map(|moved| in_words(moved, None)).collect();
    let narrowed = (!words.is_empty()).then(|| told("bounds", words, moves));
    let froze = was.finality != is.finality;
    let frozen = froze.then(|| told("finality", vec!["open -> frozen".to_owned()], Vec::new()));
    narrowed.into_iter().chain(frozen).collect()
}

fn census(before: &Snapshot, after: &Snapshot) -> Option<Effect> {
    let tally = |snapshot: &Snapshot| snapshot.census.as_ref().map(|census| census.tally);
    let words = match (tally(before), tally(after)) {
        (was, is) if was == is => return None,
        (_, None) => "closed".to_owned(),
        (_, Some(tally)) => {
            let counted: u32 = tally.found.iter().sum();
            format!("{counted} of {} accounts are counted", super::census::all(after).len())
        }
    };
    let account = rampart_client::address::census(&after.key).to_string();
    Some(Effect { account, what: "census", words: vec![words], moves: Vec::new() })
}

fn changes(before: &Snapshot, after: &Snapshot) -> Vec<Effect> {
    let told = |key: &Pubkey, words: String| Effect {
        account: key.to_string(),
        what: "change",
        words: vec![words],
        moves: Vec::new(),
    };
    let opened = after.changes.iter().filter(|(key, _)| !before.changes.contains_key(key));
    let closed = before.changes.iter().filter(|(key, _)| !after.changes.contains_key(key));
    let opened = opened.map(|(key, pending)| told(key, format!("change {} waits", pending.id)));
    opened.chain(closed.map(|(key, pending)| told(key, format!("change {} is closed", pending.id)))).collect()
}

fn breakers(snapshot: &Snapshot) -> Vec<(Pubkey, &Breaker)> {
    let guard = snapshot.guard.iter().map(|guard| (snapshot.key, &guard.breaker));
    let assets = snapshot.assets.iter().map(|(key, asset)| (*key, &asset.breaker));
    guard.chain(assets).chain(snapshot.vaults.iter().map(|(key, vault)| (*key, &vault.breaker))).collect()
}

fn levels(before: &Snapshot, after: &Snapshot, now_ts: i64) -> Vec<Effect> {
    let was = breakers(before);
    let moved = breakers(after).into_iter().filter_map(|(key, breaker)| {
        let level = breaker.level_at(now_ts);
        let before = was.iter().find(|(known, _)| *known == key)?.1.level_at(now_ts);
        let words = vec![format!("level of {}: {} -> {}", short(&key), level_name(before), level_name(level))];
        (before != level).then(|| Effect { account: key.to_string(), what: "level", words, moves: Vec::new() })
    });
    moved.collect()
}

fn keepers(before: &Snapshot, after: &Snapshot) -> Option<Effect> {
    let (was, is) = (before.keepers.as_deref(), after.keepers.as_deref()?);
    let had = |key: &Pubkey| was.is_some_and(|set| set.active().iter().any(|member| member.key == *key));
    let has = |key: &Pubkey| is.active().iter().any(|member| member.key == *key);
    let joined = is.active().iter().filter(|member| !had(&member.key)).map(|m| format!("keeper {} joins", m.key));
    let left = was.into_iter().flat_map(|set| set.active()).filter(|member| !has(&member.key));
    let words: Vec<String> = joined.chain(left.map(|m| format!("keeper {} leaves", m.key))).collect();
    let account = rampart_client::address::keeper_set(&after.key).to_string();
    (!words.is_empty()).then_some(Effect { account, what: "keepers", words, moves: Vec::new() })
}
