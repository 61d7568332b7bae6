//! Settings of the operator's day: alerts, signs of a takeover, recording.

use super::Config;
use super::check::{Refusal, demand, named, scheme, within};
use crate::events::Severity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where alerts go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sink {
    /// Name in logs and in the outbox; no two sinks share one.
    pub name: String,
    /// Who receives.
    pub kind: SinkKind,
    /// File with the address, for `webhook` and `slack`; mode 0600, for the address is the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// File with the token: PagerDuty's routing key, the Telegram bot's token, or a webhook's bearer token; mode 0600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// Chat of the Telegram bot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<String>,
    /// Base address in place of PagerDuty's or Telegram's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is less severe is not sent.
    #[serde(default = "warning")]
    pub min_severity: Severity,
}

const fn warning() -> Severity {
    Severity::Warning
}

/// Who receives alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SinkKind {
    /// Any address: JSON by POST.
    Webhook,
    /// An incoming webhook of Slack, or of what speaks its format.
    Slack,
    /// Events API v2 of PagerDuty.
    PagerDuty,
    /// A bot of Telegram.
    Telegram,
}

/// What counts as the first sign of a takeover of the guard, and what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Takeover {
    /// Whether to look at all.
    pub watch: bool,
    /// Period at which the program, its upgrade authority and durable nonces of role holders are asked for.
    pub poll_secs: u64,
    /// Whether to raise the guard's level at the first critical sign; needs `keys.guardian_file`.
    pub pause_levels: bool,
    /// For how long the level is raised.
    pub pause_secs: u32,
}

impl Default for Takeover {
    fn default() -> Self {
        Self { watch: true, poll_secs: 30, pause_levels: false, pause_secs: 3_600 }
    }
}

/// Recording of everything that decisions are made from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Capture {
    /// File to record to; nothing is recorded without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Size at which recording stops.
    pub max_bytes: u64,
}

impl Default for Capture {
    fn default() -> Self {
        Self { file: None, max_bytes: 1 << 30 }
    }
}

/// Checks what the types don't hold.
pub(super) fn check(config: &Config) -> Result<(), Refusal> {
    within("takeover.poll_secs", config.takeover.poll_secs, 1, 3_600)?;
    within("takeover.pause_secs", config.takeover.pause_secs.into(), 1, 604_800)?;
    let has_guardian = config.keys.guardian_file.is_some();
    demand(!config.takeover.pause_levels || has_guardian, "takeover.pause_levels", || {
        "needs `keys.guardian_file`: only a guardian may raise a level without a rule".into()
    })?;
    for (index, host) in config.http.hosts.iter().enumerate() {
        let is_usable = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        demand(is_usable, &format!("http.hosts[{index}]"), || format!("`{host}` must be a host name without a port"))?;
    }
    config.notify.iter().enumerate().try_for_each(|(index, sink)| check_sink(index, sink, &config.notify[..index]))
}

fn check_sink(index: usize, sink: &Sink, before: &[Sink]) -> Result<(), Refusal> {
    let key = |field: &str| format!("notify[{index}].{field}");
    named(&key("name"), &sink.name)?;
    demand(before.iter().all(|other| other.name != sink.name), &key("name"), || "another sink has this name".into())?;
    if let Some(url) = &sink.url {
        scheme(&key("url"), url, ["http://", "https://"])?;
    }
    let (needs_url, needs_token, needs_chat) = match sink.kind {
        SinkKind::Webhook | SinkKind::Slack => (true, false, false),
        SinkKind::PagerDuty => (false, true, false),
        SinkKind::Telegram => (false, true, true),
    };
    let missing = || "must be set for this kind".to_owned();
    demand(!needs_url || sink.url_file.is_some(), &key("url_file"), missing)?;
    demand(!needs_url || sink.url.is_none(), &key("url"), || "may hold a secret here; use `url_file`".into())?;
    demand(!needs_token || sink.token_file.is_some(), &key("token_file"), missing)?;
    demand(!needs_chat || sink.chat.is_some(), &key("chat"), missing)
}
