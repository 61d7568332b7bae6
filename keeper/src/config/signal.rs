//! Where prices are heard of before they are on chain.

use super::Config;
use super::check::{Refusal, demand, named, scheme, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Each is a connection of its own.
const MAX_SIGNALS: usize = 8;

/// A source of early prices. None of them trips anything: the accounts on chain are the truth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignalSettings {
    /// Name shown in the API, in logs and in metrics.
    pub name: String,
    /// How it is spoken to.
    pub kind: SignalKind,
    /// Base address of Hermes, or JSON-RPC endpoint of a node of Pythnet; http or https.
    pub url: String,
    /// File with the key that `hermes` is sent as a bearer token, mode 0600. Read at each connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// A gap to the price on chain of this size counts as a move that the chain doesn't show yet, bps.
    #[serde(default = "deviation_bps")]
    pub deviation_bps: u32,
    /// Period of requests, of `pythnet`.
    #[serde(default = "poll_ms")]
    pub poll_ms: u64,
}

/// How a source of early prices is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignalKind {
    /// Hermes: a stream of prices, with the signed updates that the chain takes.
    Hermes,
    /// Price accounts of Pythnet, asked for over RPC: prices alone.
    Pythnet,
}

impl SignalKind {
    /// Returns the name used in settings and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hermes => "hermes",
            Self::Pythnet => "pythnet",
        }
    }
}

/// The move at which sponsored feeds are pushed anyway.
const fn deviation_bps() -> u32 {
    50
}

const fn poll_ms() -> u64 {
    1_000
}

/// Checks what the types don't hold.
pub(super) fn check(config: &Config) -> Result<(), Refusal> {
    for (index, signal) in config.signal.iter().enumerate() {
        let key = |name: &str| format!("signal[{index}].{name}");
        named(&key("name"), &signal.name)?;
        let is_new = config.signal[..index].iter().all(|other| other.name != signal.name);
        demand(is_new, &key("name"), || format!("`{}` is the name of another signal", signal.name))?;
        scheme(&key("url"), &signal.url, ["http://", "https://"])?;
        within(&key("deviation_bps"), signal.deviation_bps.into(), 1, 10_000)?;
        within(&key("poll_ms"), signal.poll_ms, 100, 60_000)?;
        let takes_key = signal.key_file.is_none() || signal.kind == SignalKind::Hermes;
        demand(takes_key, &key("key_file"), || "only Hermes takes a key; a node's key belongs into its url".into())?;
        demand(signal.key_file.is_none() || hides_key(&signal.url), &key("url"), || {
            "must be https where a key is sent, except to this host".into()
        })?;
    }
    demand(config.signal.len() <= MAX_SIGNALS, "signal", || format!("at most {MAX_SIGNALS} signals"))
}

/// Tells whether nobody on the way can read a key that is sent to `url`.
fn hides_key(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| {
        url.scheme() == "https"
            || url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"))
    })
}
