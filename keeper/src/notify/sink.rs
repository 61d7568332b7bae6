//! The form in which each kind of sink wants an alert, and the way there.

use super::Alert;
use crate::config::payer::KeyError;
use crate::config::secret::Secret;
use crate::config::{Sink, SinkKind};
use crate::events::Severity;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

const PAGERDUTY: &str = "https://events.pagerduty.com";
const TELEGRAM: &str = "https://api.telegram.org";

/// Why an alert was not delivered. Never holds an address or a token.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The secret can't be read.
    #[error(transparent)]
    Secret(#[from] KeyError),
    /// The settings name no file for what this kind needs.
    #[error("sink `{0}` has no secret file")]
    Unset(String),
    /// The other side can't be reached, or did not answer.
    #[error("sink `{name}` can't be reached")]
    Unreachable {
        /// The sink.
        name: String,
        /// Why, without the address.
        #[source]
        source: reqwest::Error,
    },
    /// The other side will not take anything now.
    #[error("sink `{name}` answered {status}")]
    Later {
        /// The sink.
        name: String,
        /// Its answer.
        status: StatusCode,
        /// When it wants to be asked again.
        after: Option<Duration>,
    },
    /// The other side refuses this alert.
    #[error("sink `{name}` refuses this alert: {status}")]
    Refused {
        /// The sink.
        name: String,
        /// Its answer.
        status: StatusCode,
    },
}

impl SinkKind {
    /// Returns the name used in settings and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::PagerDuty => "pagerduty",
            Self::Telegram => "telegram",
        }
    }
}

/// Delivers one alert.
///
/// # Errors
/// All of [`SendError`].
pub async fn send(client: &Client, sink: &Sink, alert: &Alert) -> Result<(), SendError> {
    let name = || sink.name.clone();
    let request = request(client, sink, alert)?.header("idempotency-key", &alert.key);
    let answer = request.send().await.map_err(|e| SendError::Unreachable { name: name(), source: e.without_url() })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    // these say that the alert itself is at fault; anything else may pass
    if matches!(status, StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY) {
        return Err(SendError::Refused { name: name(), status });
    }
    let after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    Err(SendError::Later { name: name(), status, after: after.map(Duration::from_secs) })
}

fn request(client: &Client, sink: &Sink, alert: &Alert) -> Result<RequestBuilder, SendError> {
    let base = |own: &str| sink.url.as_deref().unwrap_or(own).trim_end_matches('/').to_owned();
    Ok(match sink.kind {
        SinkKind::Webhook => {
            let post = client.post(secret(sink, &sink.url_file)?.expose()).json(alert);
            match &sink.token_file {
                Some(path) => post.bearer_auth(Secret::read(path)?.expose()),
                None => post,
            }
        }
        SinkKind::Slack => client.post(secret(sink, &sink.url_file)?.expose()).json(&slack(alert)),
        SinkKind::PagerDuty => {
            let url = format!("{}/v2/enqueue", base(PAGERDUTY));
            client.post(url).json(&pagerduty(alert, secret(sink, &sink.token_file)?.expose()))
        }
        SinkKind::Telegram => {
            let token = secret(sink, &sink.token_file)?;
            let url = format!("{}/bot{}/sendMessage", base(TELEGRAM), token.expose());
            client.post(url).json(&json!({ "chat_id": sink.chat, "text": alert.line() }))
        }
    })
}

fn secret(sink: &Sink, file: &Option<PathBuf>) -> Result<Secret, SendError> {
    let path = file.as_ref().ok_or_else(|| SendError::Unset(sink.name.clone()))?;
    Ok(Secret::read(path)?)
}

fn slack(alert: &Alert) -> Value {
    let mark = match alert.severity {
        Severity::Critical => ":rotating_light:",
        Severity::Warning => ":warning:",
        Severity::Info => ":information_source:",
    };
    // Slack reads these three as markup
    let line = alert.line().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({ "text": format!("{mark} {line}") })
}

fn pagerduty(alert: &Alert, routing_key: &str) -> Value {
    if let Some(ended) = &alert.ends {
        return json!({ "routing_key": routing_key, "event_action": "resolve", "dedup_key": ended });
    }
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": alert.key,
        "payload": {
            "summary": alert.line(),
            "source": alert.keeper,
            "component": "rampart",
            "class": alert.kind,
            "severity": alert.severity,
            "custom_details": alert.fields,
        },
    })
}
