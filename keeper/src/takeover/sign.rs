//! What changed between two looks, and how bad that may be.

use super::program::ProgramStanding;
use super::standing::Standing;
use crate::events::Severity;
use std::collections::BTreeMap;

/// Every kind of sign.
pub const KINDS: [&str; 10] = [
    "role_moved",
    "change_proposed",
    "delay_shortened",
    "listed",
    "sources_changed",
    "limit_raised",
    "rule_switched_off",
    "upgrade_authority_moved",
    "program_upgraded",
    "durable_nonce",
];

/// Something changed that only a ruler can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// From a fixed list.
    pub kind: &'static str,
    /// How bad it may be.
    pub severity: Severity,
    /// What it is about and what it became: the same sign twice has the same subject.
    pub subject: String,
    /// One plain sentence.
    pub text: String,
}

fn sign(kind: &'static str, severity: Severity, subject: impl Into<String>, text: String) -> Sign {
    Sign { kind, severity, subject: subject.into(), text }
}

/// Compares two looks at the guard.
pub fn signs(before: &Standing, now: &Standing) -> Vec<Sign> {
    let mut found = Vec::new();
    if before.guard != now.guard {
        return found;
    }
    roles(before, now, &mut found);
    if now.next_change_id > before.next_change_id {
        let text =
            format!("{} changes were proposed that wait for their time", now.next_change_id - before.next_change_id);
        found.push(sign("change_proposed", Severity::Warning, format!("change {}", now.next_change_id), text));
    }
    if now.loosen_delay_secs < before.loosen_delay_secs {
        let text = format!("loosenings wait {} s instead of {} s", now.loosen_delay_secs, before.loosen_delay_secs);
        found.push(sign("delay_shortened", Severity::Critical, format!("delay {}", now.loosen_delay_secs), text));
    }
    for (key, kind) in now.listings.iter().filter(|(key, _)| !before.listings.contains_key(*key)) {
        found.push(sign("listed", Severity::Warning, key, format!("a new {kind} is listed: {key}")));
    }
    for (name, hash) in &now.settings {
        if before.settings.get(name).is_some_and(|known| known != hash) {
            found.push(sign(
                "sources_changed",
                Severity::Critical,
                format!("{name} {hash}"),
                format!("the {name} changed"),
            ));
        }
    }
    limits(before, now, &mut found);
    for (key, was_on) in &before.rules_on {
        if *was_on && now.rules_on.get(key) == Some(&false) {
            found.push(sign("rule_switched_off", Severity::Critical, key, format!("rule {key} was switched off")));
        }
    }
    found
}

fn roles(before: &Standing, now: &Standing, found: &mut Vec<Sign>) {
    let is_same = |role: &String, key: &String, other: &BTreeMap<String, String>| other.get(role) == Some(key);
    for (role, key) in now.roles.iter().filter(|(role, key)| !is_same(role, key, &before.roles)) {
        let text = match before.roles.get(role) {
            Some(old) => format!("the {role} of the guard moved from {old} to {key}"),
            None => format!("the guard has a new {role}"),
        };
        found.push(sign("role_moved", Severity::Critical, format!("{role} {key}"), text));
    }
    for role in before.roles.keys().filter(|role| !now.roles.contains_key(*role)) {
        let subject = format!("{role} gone at epoch {}", now.authority_epoch);
        found.push(sign("role_moved", Severity::Critical, subject, format!("the {role} of the guard is gone")));
    }
}

/// A limit that is at least doubled has lost its meaning; what rises by less may be everyday work.
fn limits(before: &Standing, now: &Standing, found: &mut Vec<Sign>) {
    for (name, value) in &now.limits {
        let Some(old) = before.limits.get(name).filter(|old| value > old) else { continue };
        let severity = if *value >= old.saturating_mul(2) { Severity::Critical } else { Severity::Warning };
        let text = format!("the {name} was loosened from {old} to {value}");
        found.push(sign("limit_raised", severity, format!("{name} {value}"), text));
    }
}

/// What the first look finds that may be a preparation: told, for nobody knows since when it is there.
pub fn signs_at_first(now: &ProgramStanding) -> Vec<Sign> {
    let text =
        |nonce, role| format!("the {role} holds a durable nonce already: {nonce}; transactions may be signed ahead");
    let found =
        now.nonces.iter().map(|(nonce, role)| sign("durable_nonce", Severity::Warning, nonce, text(nonce, role)));
    found.collect()
}

/// Compares two looks at the program and at durable nonces.
pub fn signs_of_program(before: &ProgramStanding, now: &ProgramStanding) -> Vec<Sign> {
    let mut found = Vec::new();
    let name = |key: &Option<String>| key.clone().unwrap_or_else(|| "nobody".into());
    if before.upgrade_authority != now.upgrade_authority {
        let (old, new) = (name(&before.upgrade_authority), name(&now.upgrade_authority));
        let severity = if now.upgrade_authority.is_some() { Severity::Critical } else { Severity::Warning };
        let text = format!("the program's upgrade authority moved from {old} to {new}");
        found.push(sign("upgrade_authority_moved", severity, new, text));
    }
    if before.deployed_slot != now.deployed_slot {
        let text = format!("the program was deployed anew in slot {}", now.deployed_slot.unwrap_or_default());
        let subject = format!("slot {}", now.deployed_slot.unwrap_or_default());
        found.push(sign("program_upgraded", Severity::Critical, subject, text));
    }
    for (nonce, role) in now.nonces.iter().filter(|(nonce, _)| !before.nonces.contains_key(*nonce)) {
        let text = format!("the {role} holds a new durable nonce {nonce}: transactions may be signed ahead");
        found.push(sign("durable_nonce", Severity::Critical, nonce, text));
    }
    found
}
