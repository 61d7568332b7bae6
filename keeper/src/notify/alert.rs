//! What is sent about a fact.

use crate::events::{Event, EventKind, Severity};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Version of this shape.
const SCHEMA: u32 = 1;

/// Fields that tell two facts of one kind apart.
const IDENTITY: [&str; 12] = [
    "rule",
    "trip_epoch",
    "position",
    "liquidation_seq",
    "signature",
    "source",
    "classes",
    "task",
    "sign",
    "subject",
    "pause",
    "intent",
];

/// What is sent about a fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The same for the same fact, also when it is sent again.
    pub key: String,
    /// Name of the keeper.
    pub keeper: String,
    /// How urgent it is.
    pub severity: Severity,
    /// What happened.
    pub kind: EventKind,
    /// One plain sentence.
    pub text: String,
    /// Slot at which it was known.
    pub slot: u64,
    /// Unix seconds, by the keeper's clock.
    pub ts: i64,
    /// Detail.
    pub fields: Map<String, Value>,
    /// Key of the alert that this one ends, where it ends one.
    pub ends: Option<String>,
}

impl Alert {
    /// Returns what is sent about `event` by the keeper of this name.
    pub fn of(event: &Event, keeper: &str) -> Self {
        Self {
            schema: SCHEMA,
            key: key(event.kind, &event.fields, keeper),
            keeper: keeper.to_owned(),
            severity: event.severity,
            kind: event.kind,
            text: event.text.clone(),
            slot: event.slot,
            ts: event.ts,
            fields: event.fields.clone(),
            ends: ended_by(event.kind).map(|kind| key(kind, &event.fields, keeper)),
        }
    }

    /// Returns one line for people.
    pub fn line(&self) -> String {
        format!("[{}] {}: {} (slot {})", self.severity.as_str(), self.keeper, self.text, self.slot)
    }
}

/// The kind of fact that a fact of `kind` is the end of.
pub(super) const fn ended_by(kind: EventKind) -> Option<EventKind> {
    match kind {
        EventKind::SourceUp => Some(EventKind::SourceDown),
        EventKind::KeeperReady => Some(EventKind::KeeperNotReady),
        EventKind::ClassResumed => Some(EventKind::ClassPaused),
        EventKind::SettingsReloaded => Some(EventKind::SettingsRefused),
        _ => None,
    }
}

fn key(kind: EventKind, fields: &Map<String, Value>, keeper: &str) -> String {
    let parts = IDENTITY.iter().filter_map(|name| fields.get(*name)).map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    std::iter::once(keeper.to_owned()).chain([kind.as_str().to_owned()]).chain(parts).collect::<Vec<_>>().join("/")
}
