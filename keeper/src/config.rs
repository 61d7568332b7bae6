//! Settings of the keeper: what may be set, the defaults, and what is refused.
//!
//! One place resolves them: flag, then environment, then file, then default (`config/load`). The rest of the crate sees
//! only a [`Config`] that has passed `config/check`.

mod check;
mod economics;
pub mod endpoints;
mod error;
pub mod example;
mod fleet;
pub mod load;
pub mod ops;
pub mod payer;
mod poster;
mod score;
pub mod secret;
mod signal;

pub use economics::{EconomicsSettings, RebalanceSettings, RouteKind, RouteSettings};
pub use endpoints::{GrpcEndpoint, RpcEndpoint, Sender};
pub use error::ConfigError;
pub use fleet::{Fleet, FleetMode};
pub use load::{Overrides, load, of_flags};
pub use ops::{Capture, Sink, SinkKind, Takeover};
pub use poster::PosterSettings;
pub use score::{BandSettings, CostSettings, MarketSettings, ReportSettings, ScoreSettings, WeightSettings};
pub use signal::{SignalKind, SignalSettings};

use crate::history::HistoryUrl;
use crate::intent::ActionClass;
use endpoints::ClassGroup;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use solana_sdk::hash::Hash;
use solana_sdk::pubkey::Pubkey;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// All settings. Holds paths to secrets; the one secret that it may hold, in `history.url`, is never shown.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Which chain and which guard.
    pub cluster: Cluster,
    /// Endpoints, where there are several; in place of `cluster.rpc_url`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rpc: Vec<RpcEndpoint>,
    /// Yellowstone gRPC servers that are sources, too. Needs a keeper with the feature `grpc`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grpc: Vec<GrpcEndpoint>,
    /// Where prices are heard of before they are on chain. They decide nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signal: Vec<SignalSettings>,
    /// Whether and when signed updates that a signal brings are put on chain. Left out: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster: Option<PosterSettings>,
    /// Further ways by which transactions are sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sender: Vec<Sender>,
    /// Who this keeper is.
    pub keeper: Keeper,
    /// Where the key is.
    pub keys: Keys,
    /// How the chain is watched.
    #[serde(default)]
    pub ingest: Ingest,
    /// How transactions are sent.
    #[serde(default)]
    pub tx: Tx,
    /// What may be spent.
    #[serde(default)]
    pub budget: Budget,
    /// Which actions are taken.
    #[serde(default)]
    pub classes: Classes,
    /// What liquidations have to bring.
    #[serde(default)]
    pub economics: EconomicsSettings,
    /// How the reserve's basket is moved.
    #[serde(default)]
    pub rebalance: RebalanceSettings,
    /// What the risk engine makes of assets and vaults.
    #[serde(default)]
    pub score: ScoreSettings,
    /// How often the risk score is reported.
    #[serde(default)]
    pub report: ReportSettings,
    /// Where tokens can be swapped.
    #[serde(default)]
    pub route: Vec<RouteSettings>,
    /// Other keepers that share the work.
    #[serde(default)]
    pub fleet: Fleet,
    /// API, app and metrics.
    #[serde(default)]
    pub http: Http,
    /// What is kept for people and the app.
    #[serde(default)]
    pub history: History,
    /// Log lines.
    #[serde(default)]
    pub log: Log,
    /// Where alerts go.
    #[serde(default)]
    pub notify: Vec<Sink>,
    /// What counts as the first sign of a takeover of the guard, and what follows.
    #[serde(default)]
    pub takeover: Takeover,
    /// Recording of everything that decisions are made from.
    #[serde(default)]
    pub capture: Capture,
    /// Names of accounts, for display.
    #[serde(default)]
    pub label: Vec<Label>,
}

/// Which chain and which guard.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// JSON-RPC endpoint, http or https. Empty where `[[rpc]]` lists several.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rpc_url: String,
    /// Subscriptions endpoint, ws or wss. Derived from `rpc_url` if left out: the port after it, the same host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ws_url: Option<String>,
    /// Must equal the program this keeper is built for, if set.
    #[serde(default, with = "text_option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub program_id: Option<Pubkey>,
    /// The guard that is defended.
    #[serde(with = "text")]
    #[schemars(with = "String")]
    pub guard: Pubkey,
    /// Must equal the chain's genesis hash, if set.
    #[serde(default, with = "text_option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub genesis_hash: Option<Hash>,
    /// Commitment at which accounts are read.
    #[serde(default)]
    pub commitment: Commitment,
}

/// Commitment at which accounts are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Commitment {
    /// Newest: may be undone.
    #[default]
    Processed,
    /// Voted for by two thirds of the stake.
    Confirmed,
}

impl Commitment {
    /// Returns the name used in settings and in requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::Confirmed => "confirmed",
        }
    }
}

/// Who this keeper is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keeper {
    /// Name shown in the API, in logs and to peers.
    pub name: String,
    /// Whether it sends.
    #[serde(default)]
    pub mode: Mode,
    /// Directory of the journal. One running keeper per directory.
    pub state_dir: PathBuf,
}

/// Whether the keeper sends what it decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It sends.
    #[default]
    Act,
    /// It does everything except send.
    Observe,
}

impl Mode {
    /// Returns the name used in settings and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Observe => "observe",
        }
    }
}

/// Where the key is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Keypair file in the format of `solana-keygen`; mode 0600.
    pub payer_file: PathBuf,
    /// Keypair file of a guardian of the guard, mode 0600. Only for `takeover.pause_levels`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian_file: Option<PathBuf>,
}

/// How the chain is watched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// Slots of silence after which a source counts as down.
    pub stall_slots: u64,
    /// Period of the polling source.
    pub poll_ms: u64,
    /// Period of the sweep that verifies everything.
    pub sweep_secs: u64,
    /// Period at which each endpoint is asked for its slot and its chain.
    pub probe_secs: u64,
}

impl Default for Ingest {
    fn default() -> Self {
        Self { stall_slots: 8, poll_ms: 2_000, sweep_secs: 30, probe_secs: 5 }
    }
}

/// How transactions are sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tx {
    /// Period at which the same bytes are sent again.
    pub resend_ms: u64,
    /// Transactions that may be undecided at once.
    pub max_in_flight: usize,
    /// Priority fees.
    pub compute_price: ComputePrices,
    /// Delay by rank, so that several keepers do not all pay.
    pub stagger: Stagger,
    /// Whether liquidations, rebalances and settlements are simulated before they are sent: what the program would refuse
    /// costs no fee then.
    pub simulate: bool,
    /// Lookup tables of accounts that large transactions name; the addresses are looked up when one doesn't fit.
    #[serde(with = "economics::keys")]
    #[schemars(with = "Vec<String>")]
    pub lookup_tables: Vec<Pubkey>,
}

impl Default for Tx {
    fn default() -> Self {
        let (compute_price, stagger) = (ComputePrices::default(), Stagger::default());
        let simulate = true;
        Self { resend_ms: 400, max_in_flight: 64, compute_price, stagger, simulate, lookup_tables: Vec::new() }
    }
}

/// Priority fees by group of classes, micro-lamports per compute unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ComputePrices {
    /// Trips.
    pub trip: PriceRange,
    /// Liquidations and deleveraging.
    pub liquidate: PriceRange,
    /// Observations, steps down and postings.
    pub evidence: PriceRange,
    /// Rebalances of the reserve.
    pub rebalance: PriceRange,
}

impl Default for ComputePrices {
    fn default() -> Self {
        Self {
            trip: PriceRange { floor: 10_000, cap: 1_000_000 },
            liquidate: PriceRange { floor: 5_000, cap: 500_000 },
            evidence: PriceRange { floor: 0, cap: 50_000 },
            rebalance: PriceRange { floor: 1_000, cap: 50_000 },
        }
    }
}

impl ComputePrices {
    /// Returns the range of a class.
    pub const fn of(&self, class: ActionClass) -> PriceRange {
        match ClassGroup::of(class) {
            ClassGroup::Trip => self.trip,
            ClassGroup::Liquidate => self.liquidate,
            ClassGroup::Evidence => self.evidence,
            ClassGroup::Rebalance => self.rebalance,
        }
    }
}

/// Bounds of a priority fee, micro-lamports per compute unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceRange {
    /// Paid at least.
    pub floor: u64,
    /// Paid at most.
    pub cap: u64,
}

/// Delay by rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stagger {
    /// Rank of this keeper; 0 acts at once.
    pub rank: u64,
    /// Slots that each rank waits longer than the one before.
    pub slots: u64,
}

/// What may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Fees of all classes except trips within any hour.
    pub lamports_per_hour: u64,
    /// Trips for which balance is kept back from all other classes.
    pub reserve_trips: u64,
    /// Balance below which only trips are sent.
    pub min_payer_lamports: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { lamports_per_hour: 50_000_000, reserve_trips: 50, min_payer_lamports: 10_000_000 }
    }
}

/// Which actions are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Classes {
    /// Raise breakers.
    pub trip: bool,
    /// Liquidate.
    pub liquidate: bool,
    /// Shrink positions early.
    pub deleverage: bool,
    /// Write price references, streaks of rules, and the prices when halts began.
    pub observe: bool,
    /// Report the risk score, where this keeper is one of the guard's.
    pub report: bool,
    /// Lower levels whose rule is clear.
    pub step_down: bool,
    /// Keep the books honest: record what is missing, and accrue interest that rules are measured on.
    pub settle: bool,
    /// Move the reserve's basket to where its plan says.
    pub rebalance: bool,
    /// Bring signed updates of oracles on chain, where `[poster]` is set.
    pub post: bool,
}

impl Default for Classes {
    fn default() -> Self {
        Self {
            trip: true,
            liquidate: true,
            deleverage: true,
            observe: true,
            report: true,
            step_down: true,
            settle: true,
            rebalance: true,
            post: true,
        }
    }
}

impl Classes {
    /// Returns whether a class is taken.
    pub const fn is_enabled(&self, class: ActionClass) -> bool {
        match class {
            ActionClass::Trip => self.trip,
            ActionClass::Liquidate => self.liquidate,
            ActionClass::Deleverage => self.deleverage,
            ActionClass::Observe | ActionClass::ObserveRule | ActionClass::MarkHalt => self.observe,
            ActionClass::Report => self.report,
            ActionClass::StepDown => self.step_down,
            ActionClass::Settle => self.settle,
            ActionClass::Rebalance => self.rebalance,
            ActionClass::Post => self.post,
        }
    }
}

/// API, app and metrics.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address listened on. Reading needs no login: keep it on loopback or behind a proxy that has one.
    pub listen: SocketAddr,
    /// File with the token that acting over HTTP needs, mode 0600. Left out: `control.token` in `keeper.state_dir`, made at
    /// the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// Host names under which a proxy reaches it. Addresses and `localhost` are always taken, any other name is refused:
    /// a page elsewhere could point its own name here.
    pub hosts: Vec<String>,
    /// Whether the app's simulations, and what a wallet signed in it, are passed on to the endpoints. Left out: where
    /// `listen` is on loopback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<bool>,
    /// Folder with the lab's results for the app: `backtest.json`, as `rampart lab backtest --out` writes it. Left out: `lab`
    /// in `keeper.state_dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lab_dir: Option<PathBuf>,
    /// Other keepers of the same guard, shown next to this one.
    pub peers: Vec<Peer>,
}

impl Http {
    /// Returns whether requests of the app are passed on.
    pub fn is_relaying(&self) -> bool {
        self.relay.unwrap_or_else(|| self.listen.ip().is_loopback())
    }
}

impl Default for Http {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 9464));
        Self { listen, token_file: None, hosts: Vec::new(), relay: None, lab_dir: None, peers: Vec::new() }
    }
}

/// Another keeper.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Name shown.
    pub name: String,
    /// Base address of its API.
    pub url: String,
}

/// What is kept for people and the app. No decision depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct History {
    /// Whether a history is kept.
    pub enabled: bool,
    /// The team's PostgreSQL. Left out: a file in `keeper.state_dir`. Shown without its password.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub url: Option<HistoryUrl>,
    /// File with the password of `url`, not readable by others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// How long events are kept, days.
    pub events_days: u32,
    /// How long decisions are kept, days.
    pub decisions_days: u32,
    /// How long reports are kept, days.
    pub reports_days: u32,
    /// How long samples are kept, days.
    pub samples_days: u32,
    /// Period of samples; 0: none.
    pub sample_every_secs: u64,
    /// Largest size of the local file, MiB.
    pub max_mb: u64,
}

impl Default for History {
    fn default() -> Self {
        Self {
            enabled: true,
            url: None,
            password_file: None,
            events_days: 365,
            decisions_days: 365,
            reports_days: 90,
            samples_days: 30,
            sample_every_secs: 15,
            max_mb: 1_024,
        }
    }
}

/// Log lines, on standard error.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Form of a line.
    pub format: LogFormat,
    /// Filter, as `info` or `rampart_keeper=debug,info`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::default(), level: "info".to_owned() }
    }
}

/// Form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object.
    #[default]
    Json,
    /// For people.
    Pretty,
}

/// Name of an account, for display.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The account: asset, vault or rule.
    #[serde(with = "text")]
    #[schemars(with = "String")]
    pub address: Pubkey,
    /// The name.
    pub name: String,
}

impl Config {
    /// Returns all endpoints: those of `[[rpc]]`, or the one of `cluster`.
    pub fn endpoints(&self) -> Vec<RpcEndpoint> {
        if self.rpc.is_empty() { vec![RpcEndpoint::of_cluster(&self.cluster)] } else { self.rpc.clone() }
    }

    /// Returns the file of the token that acting over HTTP needs.
    pub fn token_file(&self) -> PathBuf {
        self.http.token_file.clone().unwrap_or_else(|| self.keeper.state_dir.join(crate::control::token::FILE))
    }

    /// Returns the folder with the lab's results.
    pub fn lab_dir(&self) -> PathBuf {
        self.http.lab_dir.clone().unwrap_or_else(|| self.keeper.state_dir.join("lab"))
    }

    /// Returns the names of accounts.
    pub fn labels(&self) -> BTreeMap<Pubkey, String> {
        self.label.iter().map(|label| (label.address, label.name.clone())).collect()
    }
}

pub(crate) mod text {
    use super::*;

    pub fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(from)?;
        text.parse().map_err(|error| serde::de::Error::custom(format!("`{text}` is not base58 of 32 bytes: {error}")))
    }
}

mod text_option {
    use super::*;

    pub fn serialize<T: Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        text::deserialize(from).map(Some)
    }
}
