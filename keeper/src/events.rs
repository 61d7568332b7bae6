//! Facts about the keeper, told once: each becomes a log line, a metric and an item of the event stream.
//!
//! Owns the last 200 facts and the stream. Facts are past tense; fields carry the detail.

use crate::history::Recorder;
use crate::metrics::{KindLabel, Metrics};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::broadcast;

/// Number of events that a new reader of the stream receives first.
pub const REPLAY: usize = 200;
const STREAM_CAPACITY: usize = 1024;

/// What happened. A fixed list, so that it can label a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A breaker went up.
    BreakerTripped,
    /// A cause was taken from a breaker.
    BreakerSteppedDown,
    /// A position was liquidated.
    PositionLiquidated,
    /// A position was shrunk early.
    PositionDeleveraged,
    /// Our transaction succeeded.
    TransactionLanded,
    /// Our transaction was refused on chain.
    TransactionFailed,
    /// Somebody else acted first.
    TransactionLostRace,
    /// Our transaction can never land.
    TransactionExpired,
    /// Nobody can say yet what became of our transaction.
    TransactionUnknown,
    /// A source of data went silent.
    SourceDown,
    /// A source of data is back and verified.
    SourceUp,
    /// A rule became true.
    RuleBecameTrue,
    /// A rule is clear again.
    RuleCleared,
    /// A rule has not been judged for a minute: what it needs is missing, stale or disputed.
    RuleBlind,
    /// A rule that was told to be blind can be judged again.
    RuleSeeing,
    /// The keeper started.
    KeeperStarted,
    /// The keeper is stopping.
    KeeperStopping,
    /// Transactions of an earlier run were found and taken over.
    CrashRecovered,
    /// The level of the guard, an asset or a vault changed, for whatever reason.
    LevelChanged,
    /// Somebody changed what an asset, a vault or a rule is configured to.
    SettingsChanged,
    /// Somebody changed who may do what.
    RolesChanged,
    /// A loosening was proposed.
    ChangeProposed,
    /// The set of keepers that may report changed.
    KeeperSetChanged,
    /// The keeper can't act on all classes any more.
    KeeperNotReady,
    /// The keeper may act on all classes again.
    KeeperReady,
    /// An operator paused classes of action.
    ClassPaused,
    /// An operator resumed classes of action.
    ClassResumed,
    /// An operator asked for a trip.
    TripAsked,
    /// A task of the keeper died and was started anew.
    TaskRestarted,
    /// New settings are in effect.
    SettingsReloaded,
    /// New settings were refused, the old ones stay.
    SettingsRefused,
    /// Something changed that only a role holder can change: perhaps the first sign of a takeover.
    AuthoritySign,
    /// A guardian's key raised the guard's level.
    LevelsPaused,
    /// This keeper has another role or rank in its fleet.
    FleetRoleChanged,
    /// This keeper holds no lease of its fleet's etcd.
    FleetEngineDown,
    /// This keeper holds a lease of its fleet's etcd.
    FleetEngineUp,
}

/// How urgent a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For the record.
    Info,
    /// To be looked at today.
    Warning,
    /// To be looked at now.
    Critical,
}

impl Severity {
    /// Returns the name used in settings, alerts and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 36] = [
        Self::BreakerTripped,
        Self::BreakerSteppedDown,
        Self::PositionLiquidated,
        Self::PositionDeleveraged,
        Self::TransactionLanded,
        Self::TransactionFailed,
        Self::TransactionLostRace,
        Self::TransactionExpired,
        Self::TransactionUnknown,
        Self::SourceDown,
        Self::SourceUp,
        Self::RuleBecameTrue,
        Self::RuleCleared,
        Self::RuleBlind,
        Self::RuleSeeing,
        Self::KeeperStarted,
        Self::KeeperStopping,
        Self::CrashRecovered,
        Self::LevelChanged,
        Self::SettingsChanged,
        Self::RolesChanged,
        Self::ChangeProposed,
        Self::KeeperSetChanged,
        Self::KeeperNotReady,
        Self::KeeperReady,
        Self::ClassPaused,
        Self::ClassResumed,
        Self::TripAsked,
        Self::TaskRestarted,
        Self::SettingsReloaded,
        Self::SettingsRefused,
        Self::AuthoritySign,
        Self::LevelsPaused,
        Self::FleetRoleChanged,
        Self::FleetEngineDown,
        Self::FleetEngineUp,
    ];

    /// Returns the name used in the stream and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BreakerTripped => "breaker_tripped",
            Self::BreakerSteppedDown => "breaker_stepped_down",
            Self::PositionLiquidated => "position_liquidated",
            Self::PositionDeleveraged => "position_deleveraged",
            Self::TransactionLanded => "transaction_landed",
            Self::TransactionFailed => "transaction_failed",
            Self::TransactionLostRace => "transaction_lost_race",
            Self::TransactionExpired => "transaction_expired",
            Self::TransactionUnknown => "transaction_unknown",
            Self::SourceDown => "source_down",
            Self::SourceUp => "source_up",
            Self::RuleBecameTrue => "rule_became_true",
            Self::RuleCleared => "rule_cleared",
            Self::RuleBlind => "rule_blind",
            Self::RuleSeeing => "rule_seeing",
            Self::KeeperStarted => "keeper_started",
            Self::KeeperStopping => "keeper_stopping",
            Self::CrashRecovered => "crash_recovered",
            Self::LevelChanged => "level_changed",
            Self::SettingsChanged => "settings_changed",
            Self::RolesChanged => "roles_changed",
            Self::ChangeProposed => "change_proposed",
            Self::KeeperSetChanged => "keeper_set_changed",
            Self::KeeperNotReady => "keeper_not_ready",
            Self::KeeperReady => "keeper_ready",
            Self::ClassPaused => "class_paused",
            Self::ClassResumed => "class_resumed",
            Self::TripAsked => "trip_asked",
            Self::TaskRestarted => "task_restarted",
            Self::SettingsReloaded => "settings_reloaded",
            Self::SettingsRefused => "settings_refused",
            Self::AuthoritySign => "authority_sign",
            Self::LevelsPaused => "levels_paused",
            Self::FleetRoleChanged => "fleet_role_changed",
            Self::FleetEngineDown => "fleet_engine_down",
            Self::FleetEngineUp => "fleet_engine_up",
        }
    }

    /// Returns how urgent facts of this kind are, unless they say otherwise.
    pub const fn severity(self) -> Severity {
        match self {
            Self::BreakerTripped | Self::AuthoritySign | Self::LevelsPaused => Severity::Critical,
            Self::TransactionFailed
            | Self::TransactionExpired
            | Self::TransactionUnknown
            | Self::SourceDown
            | Self::RuleBecameTrue
            | Self::RuleBlind
            | Self::CrashRecovered
            | Self::KeeperNotReady
            | Self::ClassPaused
            | Self::TripAsked
            | Self::TaskRestarted
            | Self::RolesChanged
            | Self::FleetEngineDown
            | Self::SettingsRefused => Severity::Warning,
            Self::BreakerSteppedDown
            | Self::PositionLiquidated
            | Self::PositionDeleveraged
            | Self::TransactionLanded
            | Self::TransactionLostRace
            | Self::SourceUp
            | Self::RuleCleared
            | Self::RuleSeeing
            | Self::KeeperStarted
            | Self::KeeperStopping
            | Self::KeeperReady
            | Self::ClassResumed
            | Self::LevelChanged
            | Self::SettingsChanged
            | Self::ChangeProposed
            | Self::KeeperSetChanged
            | Self::FleetRoleChanged
            | Self::FleetEngineUp
            | Self::SettingsReloaded => Severity::Info,
        }
    }
}

/// A fact before it has a number and a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What happened.
    pub kind: EventKind,
    /// Slot at which it was known.
    pub slot: u64,
    /// One plain sentence.
    pub text: String,
    /// Detail.
    pub fields: Map<String, Value>,
    /// How urgent it is.
    pub severity: Severity,
}

impl Fact {
    /// Starts a fact without detail.
    pub fn new(kind: EventKind, slot: u64, text: impl Into<String>) -> Self {
        Self { kind, slot, text: text.into(), fields: Map::new(), severity: kind.severity() }
    }

    /// Makes it more or less urgent than its kind is.
    pub fn of_severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// Adds one field. Amounts are passed as decimal strings.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}

/// A fact with its number and time, as readers of the stream see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Rises by one with each event, and across restarts.
    pub id: u64,
    /// Unix seconds, by the keeper's clock.
    pub ts: i64,
    /// Slot at which it was known.
    pub slot: u64,
    /// What happened.
    pub kind: EventKind,
    /// One plain sentence.
    pub text: String,
    /// Detail.
    pub fields: Map<String, Value>,
    /// How urgent it is.
    pub severity: Severity,
}

/// The one place where facts are told.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

struct Shared {
    recent: Mutex<Recent>,
    stream: broadcast::Sender<Arc<Event>>,
    metrics: Metrics,
    recorder: OnceLock<Recorder>,
}

struct Recent {
    last_id: u64,
    events: VecDeque<Arc<Event>>,
}

impl Events {
    /// Starts an empty stream that counts into `metrics`.
    ///
    /// Numbers start at the clock, so that they rise across restarts and a reader can name the last one it saw.
    pub fn new(metrics: Metrics) -> Self {
        Self::after(unix_ms(), metrics)
    }

    fn after(last_id: u64, metrics: Metrics) -> Self {
        let (stream, _) = broadcast::channel(STREAM_CAPACITY);
        let recent = Mutex::new(Recent { last_id, events: VecDeque::new() });
        Self { shared: Arc::new(Shared { recent, stream, metrics, recorder: OnceLock::new() }) }
    }

    /// Has everything that is told from now on recorded in the history. The first recorder stays.
    pub fn record_to(&self, recorder: Recorder) {
        let _ = self.shared.recorder.set(recorder);
    }

    /// Records something in the history, if one is kept. Never waits.
    pub fn record(&self, call: impl FnOnce(&Recorder)) {
        if let Some(recorder) = self.shared.recorder.get() {
            call(recorder);
        }
    }

    /// Tells a fact: one log line, one count, one item of the stream. Never blocks on a reader.
    pub fn emit(&self, fact: Fact) -> Arc<Event> {
        log(&fact);
        self.shared.metrics.events.get_or_create(&KindLabel { kind: fact.kind.as_str() }).inc();
        let mut recent = self.recent();
        recent.last_id += 1;
        let event = Arc::new(number(fact, recent.last_id));
        if recent.events.len() == REPLAY {
            recent.events.pop_front();
        }
        recent.events.push_back(event.clone());
        self.record(|recorder| recorder.event(&event));
        // Sent under the lock, so that a new reader sees each event exactly once. Nobody listening is fine.
        let _ = self.shared.stream.send(event.clone());
        event
    }

    /// Returns the last events and a receiver of all that follow, without a gap or a repeat between them.
    pub fn subscribe(&self) -> (Vec<Arc<Event>>, broadcast::Receiver<Arc<Event>>) {
        let recent = self.recent();
        (recent.events.iter().cloned().collect(), self.shared.stream.subscribe())
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        // A panic elsewhere leaves a list of whole events: it stays usable.
        self.shared.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn number(fact: Fact, id: u64) -> Event {
    let ts = unix_ts();
    let Fact { kind, slot, text, fields, severity } = fact;
    Event { id, ts, slot, kind, text, fields, severity }
}

fn log(fact: &Fact) {
    let (kind, fields) = (fact.kind.as_str(), Value::Object(fact.fields.clone()).to_string());
    if fact.severity >= Severity::Warning {
        tracing::warn!(kind, slot = fact.slot, %fields, "{}", fact.text);
    } else {
        tracing::info!(kind, slot = fact.slot, %fields, "{}", fact.text);
    }
}

/// Returns the wall clock in milliseconds. For logs and measurements only: no decision may depend on it.
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the wall clock in seconds, likewise.
pub fn unix_ts() -> i64 {
    (unix_ms() / 1_000).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Events {
        Events::after(0, Metrics::new())
    }

    #[test]
    fn emit_numbers_facts_and_keeps_the_last_ones() {
        let events = events();
        for slot in 0..(REPLAY as u64 + 5) {
            events.emit(Fact::new(EventKind::SourceUp, slot, "up"));
        }
        let (recent, _) = events.subscribe();
        assert_eq!(recent.len(), REPLAY);
        assert_eq!(recent[0].id, 6);
        assert_eq!(recent[REPLAY - 1].id, REPLAY as u64 + 5);
    }

    #[test]
    fn subscribe_neither_repeats_nor_drops() {
        let events = events();
        events.emit(Fact::new(EventKind::SourceUp, 1, "first"));
        let (recent, mut stream) = events.subscribe();
        events.emit(Fact::new(EventKind::SourceDown, 2, "second"));
        assert_eq!(recent.iter().map(|e| e.id).collect::<Vec<_>>(), [1]);
        assert_eq!(stream.try_recv().expect("the second event").id, 2);
        assert!(stream.try_recv().is_err());
    }

    #[test]
    fn event_is_serialised_as_the_stream_promises() {
        let fact = Fact::new(EventKind::RuleBecameTrue, 9, "drawdown").with("rule", "abc").with("value", "12");
        let json = serde_json::to_value(number(fact, 4)).expect("an event is plain data");
        assert_eq!(json["kind"], "rule_became_true");
        assert_eq!(json["id"], 4);
        assert_eq!(json["slot"], 9);
        assert_eq!(json["fields"]["value"], "12");
    }

    #[test]
    fn every_kind_is_told_of_to_metrics_and_app() {
        let app = include_str!("../../app/src/lib/timeline.ts");
        for (at, kind) in EventKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at, "in the order of the enum, none left out");
            assert!(app.contains(&format!("'{}'", kind.as_str())), "the app asks the stream for `{}`", kind.as_str());
        }
        assert_eq!(EventKind::ALL.last(), Some(&EventKind::FleetEngineUp), "the last one");
    }

    #[test]
    fn kind_names_agree_with_their_serialised_form() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).expect("a name"), kind.as_str());
        }
    }
}
