//! What the history keeps, as rows: tables, their columns, and how facts become rows.
//!
//! A row names what it is about by a key that every keeper derives alike from the chain (a fence, a sequence), so that
//! several keepers that see the same fact store it once. What only one keeper knows has a key of its own.

use crate::events::{Event, EventKind};
use crate::intent::Intent;
use crate::view::{AssetView, RuleView, VaultView};
use anchor_lang::prelude::Pubkey;
use rampart::state::Report;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of thing a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "HistoryKind")]
pub enum Kind {
    /// Level changes, trips, liquidations, admin facts, fates of transactions, the keeper's own starts and stops
    Events,
    /// What a keeper meant to do, why, and what became of it
    Decisions,
    /// Reports of keepers on chain, each once
    Reports,
    /// Prices, levels and use of assets and vaults, at a fixed period
    Samples,
}

/// How a column is stored and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text; addresses in base58, amounts and prices as exact decimals.
    Text,
    /// A whole number below 2^63.
    Int,
    /// JSON, stored as text.
    Json,
}

/// A column besides `id`, `unique_key`, `at_ms` and `slot`, which every table has.
pub type Column = (&'static str, Shape);

use Shape::{Int, Json, Text};

const EVENTS: &[Column] = &[
    ("guard", Text),
    ("keeper", Text),
    ("kind", Text),
    ("subject", Text),
    ("scope", Text),
    ("text", Text),
    ("fields", Json),
];
const DECISIONS: &[Column] = &[
    ("guard", Text),
    ("keeper", Text),
    ("signer", Text),
    ("class", Text),
    ("subject", Text),
    ("scope", Text),
    ("intent", Text),
    ("fence", Text),
    ("reason", Text),
    ("outcome", Text),
    ("outcome_at_ms", Int),
    ("outcome_slot", Int),
    ("signature", Text),
    ("error", Text),
];
const REPORTS: &[Column] = &[
    ("guard", Text),
    ("keeper", Text),
    ("reporter", Text),
    ("subject", Text),
    ("seq", Text),
    ("set_epoch", Text),
    ("observed_at_ts", Int),
    ("score_bps", Int),
    ("volatility_bps", Int),
    ("liquidity_bps", Int),
    ("correlation_bps", Int),
    ("anomaly_bps", Int),
    ("system_health_bps", Int),
];
const SAMPLES: &[Column] = &[
    ("guard", Text),
    ("keeper", Text),
    ("kind", Text),
    ("subject", Text),
    ("price", Text),
    ("reference", Text),
    ("lo", Text),
    ("hi", Text),
    ("level", Int),
    ("utilisation_bps", Int),
    ("cash_amount", Text),
    ("debt_amount", Text),
    ("value", Text),
];

impl Kind {
    /// Every kind; samples last, as they matter least.
    pub const ALL: [Self; 4] = [Self::Events, Self::Decisions, Self::Reports, Self::Samples];

    /// Returns the name used in addresses of the API and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Decisions => "decisions",
            Self::Reports => "reports",
            Self::Samples => "samples",
        }
    }

    /// Returns the kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns the name of its table.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Events => "history_events",
            Self::Decisions => "history_decisions",
            Self::Reports => "history_reports",
            Self::Samples => "history_samples",
        }
    }

    /// Returns its own columns. Append only: a row from an older keeper has the first of them.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Events => EVENTS,
            Self::Decisions => DECISIONS,
            Self::Reports => REPORTS,
            Self::Samples => SAMPLES,
        }
    }

    /// Returns the column that the filter `name` is about.
    pub const fn name_column(self) -> Option<&'static str> {
        match self {
            Self::Events | Self::Samples => Some("kind"),
            Self::Decisions => Some("class"),
            Self::Reports => None,
        }
    }

    /// Tells whether rows have a `scope`: the guard, asset or vault that they concern beside their subject.
    pub const fn has_scope(self) -> bool {
        matches!(self, Self::Events | Self::Decisions)
    }
}

/// A value of a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// Of [`Shape::Int`].
    Int(Option<i64>),
    /// Of [`Shape::Text`] and [`Shape::Json`].
    Text(Option<String>),
}

/// One row to be stored once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The kind, and so the table.
    pub kind: Kind,
    /// Names the fact: a second row with the same key is not stored.
    pub key: String,
    /// Unix milliseconds, UTC.
    pub at_ms: i64,
    /// Slot beside it.
    pub slot: i64,
    /// Values of the kind's columns, in their order.
    pub values: Vec<Value>,
}

/// What became of the newest open decision on an intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Values in the order in which [`super::sql::OUTCOME`] takes them.
    pub values: Vec<Value>,
}

/// Something to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A row.
    Row(Row),
    /// A change of a decision's row.
    Outcome(Outcome),
}

impl Record {
    /// Returns the kind that it counts as.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Row(row) => row.kind,
            Self::Outcome(_) => Kind::Decisions,
        }
    }
}

/// Who writes, and for which guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The guard's address.
    pub guard: String,
    /// The keeper's name.
    pub keeper: String,
    /// The keeper's key.
    pub signer: String,
}

impl Who {
    /// Returns the row of an event.
    pub fn event(&self, event: &Event) -> Record {
        let of = |names: &[&str]| names.iter().find_map(|name| field(event, name));
        let values = vec![
            text(&self.guard),
            text(&self.keeper),
            text(event.kind.as_str()),
            text_option(of(&["position", "rule", "target", "subject"])),
            text_option(of(&["vault", "scope"])),
            text(&event.text),
            text(serde_json::Value::Object(event.fields.clone()).to_string()),
        ];
        let key = chain_key(event).unwrap_or_else(|| format!("{}:{}:{}", self.keeper, self.signer, event.id));
        row(Kind::Events, key, event.ts.saturating_mul(1_000), event.slot, values)
    }

    /// Returns what an event says of a decision's fate, if it does.
    pub fn outcome_of(&self, event: &Event) -> Option<Record> {
        let outcome = event.kind.as_str().strip_prefix("transaction_")?;
        let (intent, signature) = (field(event, "intent")?, field(event, "signature"));
        let at_ms = event.ts.saturating_mul(1_000);
        Some(self.outcome(&intent, outcome, at_ms, event.slot, signature, field(event, "error")))
    }

    /// Returns the row of a decision. `outcome` where it is final at once, as in a dry run.
    pub fn decision(
        &self,
        intent: &Intent,
        scope: Option<Pubkey>,
        outcome: Option<&str>,
        at_ms: i64,
        slot: u64,
    ) -> Record {
        let id = intent.id().to_string();
        let key = format!("{}:{}:{id}:{at_ms}", self.keeper, self.signer);
        let values = vec![
            text(&self.guard),
            text(&self.keeper),
            text(&self.signer),
            text(intent.class.as_str()),
            text(intent.target.to_string()),
            text_option(scope.map(|key| key.to_string())),
            text(id),
            text(intent.fence.to_string()),
            text(&intent.reason),
            text_option(outcome.map(str::to_owned)),
        ];
        row(Kind::Decisions, key, at_ms, slot, values)
    }

    /// Returns what became of a decision on `intent`.
    pub fn outcome(
        &self,
        intent: &str,
        outcome: &str,
        at_ms: i64,
        slot: u64,
        signature: Option<String>,
        error: Option<String>,
    ) -> Record {
        let values = vec![
            text(outcome),
            Value::Int(Some(at_ms)),
            Value::Int(Some(whole(slot))),
            text_option(signature),
            text_option(error),
            text(&self.keeper),
            text(&self.signer),
            text(intent),
        ];
        Record::Outcome(Outcome { values })
    }

    /// Returns the row of a report on chain; nothing for an account that holds none yet.
    pub fn report(&self, address: &Pubkey, report: &Report, slot: u64) -> Option<Record> {
        if report.seq == 0 {
            return None;
        }
        let parts = &report.parts;
        let bps = |part: u16| Value::Int(Some(i64::from(part)));
        let values = vec![
            text(&self.guard),
            text(&self.keeper),
            text(report.keeper.to_string()),
            text(report.subject.to_string()),
            text(report.seq.to_string()),
            text(report.set_epoch.to_string()),
            Value::Int(Some(report.observed_at_ts)),
            bps(parts.score_bps),
            bps(parts.volatility_bps),
            bps(parts.liquidity_bps),
            bps(parts.correlation_bps),
            bps(parts.anomaly_bps),
            bps(parts.system_health_bps),
        ];
        let key = format!("{address}:{}:{}", report.set_epoch, report.seq);
        Some(row(Kind::Reports, key, report.observed_at_ts.saturating_mul(1_000), slot, values))
    }

    /// Returns the sample of an asset at `ts`. `bucket` numbers the period: all keepers share one sample of each.
    pub fn asset(&self, asset: &AssetView, ts: i64, bucket: i64, slot: u64) -> Record {
        let mut values = self.sample("asset", &asset.address);
        values.push(text_option(asset.price.mid.clone()));
        values.push(text_option(asset.reference.price.clone()));
        values.push(text_option(asset.price.lo.clone()));
        values.push(text_option(asset.price.hi.clone()));
        values.push(Value::Int(Some(i64::from(asset.level))));
        row(Kind::Samples, format!("{}:{bucket}", asset.address), ts.saturating_mul(1_000), slot, values)
    }

    /// Returns the sample of a vault at `ts`, likewise.
    pub fn vault(&self, vault: &VaultView, ts: i64, bucket: i64, slot: u64) -> Record {
        let mut values = self.sample("vault", &vault.address);
        values.extend([Value::Text(None), Value::Text(None)]);
        values.push(text_option(vault.price.lo.clone()));
        values.push(text_option(vault.price.hi.clone()));
        values.push(Value::Int(Some(i64::from(vault.level))));
        values.push(Value::Int(Some(i64::from(vault.utilisation_bps))));
        values.push(text(&vault.cash_amount));
        values.push(text(&vault.debt_amount));
        row(Kind::Samples, format!("{}:{bucket}", vault.address), ts.saturating_mul(1_000), slot, values)
    }

    /// Returns the sample of a rule at `ts`, likewise: what it measured, and the level that it raises.
    pub fn rule(&self, rule: &RuleView, ts: i64, bucket: i64, slot: u64) -> Record {
        let mut values = self.sample("rule", &rule.address);
        values.extend(std::iter::repeat_n(Value::Text(None), 4));
        values.push(Value::Int(Some(i64::from(rule.level))));
        values.extend([Value::Int(None), Value::Text(None), Value::Text(None)]);
        values.push(text_option(rule.value.clone()));
        row(Kind::Samples, format!("{}:{bucket}", rule.address), ts.saturating_mul(1_000), slot, values)
    }

    fn sample(&self, kind: &str, address: &str) -> Vec<Value> {
        vec![text(&self.guard), text(&self.keeper), text(kind), text(address)]
    }
}

/// Returns the key that every keeper gives to the same fact on chain; nothing for what only one keeper knows.
fn chain_key(event: &Event) -> Option<String> {
    let field = |name| field(event, name);
    let kind = event.kind.as_str();
    match event.kind {
        EventKind::BreakerTripped => Some(format!("{kind}:{}:{}", field("rule")?, field("trip_epoch")?)),
        EventKind::BreakerSteppedDown => {
            Some(format!("{kind}:{}:{}:{}", field("rule")?, field("tripped_at_ts")?, field("to")?))
        }
        EventKind::PositionLiquidated | EventKind::PositionDeleveraged => {
            Some(format!("position_reduced:{}:{}", field("position")?, field("liquidation_seq")?))
        }
        EventKind::LevelChanged
        | EventKind::SettingsChanged
        | EventKind::RolesChanged
        | EventKind::ChangeProposed
        | EventKind::KeeperSetChanged => Some(format!("{kind}:{}:{}", field("subject")?, field("fence")?)),
        EventKind::TransactionLanded
        | EventKind::TransactionFailed
        | EventKind::TransactionLostRace
        | EventKind::TransactionExpired
        | EventKind::TransactionUnknown => Some(format!("{kind}:{}", field("signature")?)),
        EventKind::SourceDown
        | EventKind::SourceUp
        | EventKind::RuleBecameTrue
        | EventKind::RuleCleared
        | EventKind::RuleBlind
        | EventKind::RuleSeeing
        | EventKind::KeeperStarted
        | EventKind::KeeperStopping
        | EventKind::CrashRecovered
        | EventKind::KeeperNotReady
        | EventKind::KeeperReady
        | EventKind::ClassPaused
        | EventKind::ClassResumed
        | EventKind::TripAsked
        | EventKind::TaskRestarted
        | EventKind::SettingsReloaded
        | EventKind::SettingsRefused
        | EventKind::AuthoritySign
        | EventKind::LevelsPaused
        | EventKind::FleetRoleChanged
        | EventKind::FleetEngineDown
        | EventKind::FleetEngineUp => None,
    }
}

fn field(event: &Event, name: &str) -> Option<String> {
    match event.fields.get(name)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn row(kind: Kind, key: String, at_ms: i64, slot: u64, values: Vec<Value>) -> Record {
    Record::Row(Row { kind, key, at_ms, slot: whole(slot), values })
}

fn whole(slot: u64) -> i64 {
    i64::try_from(slot).unwrap_or(i64::MAX)
}

fn text(text: impl Into<String>) -> Value {
    text_option(Some(text.into()))
}

/// PostgreSQL has no zero byte in text.
fn text_option(text: Option<String>) -> Value {
    Value::Text(text.map(|text| if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }))
}
