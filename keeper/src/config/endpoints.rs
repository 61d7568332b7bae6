//! Where the chain is read, and by which ways transactions reach it.

use super::{Cluster, check};
use crate::intent::ActionClass;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use solana_sdk::pubkey::Pubkey;
use std::fmt;
use std::path::PathBuf;

/// Name of the one endpoint that `cluster.rpc_url` sets.
pub const ONLY: &str = "websocket";

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RpcEndpoint {
    /// Name shown in the API, in logs and in metrics.
    pub name: String,
    /// JSON-RPC, http or https.
    pub http: String,
    /// Subscriptions, ws or wss. Derived from `http` if left out: the port after it, the same host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ws: Option<String>,
    /// What it is used for.
    #[serde(default = "Role::all")]
    pub roles: Vec<Role>,
    /// Slots that its answers may be older than the newest that any endpoint told of.
    #[serde(default = "max_lag_slots")]
    pub max_lag_slots: u64,
    /// Requests a second to which it is held by what can wait: sweeps, and what became of transactions other than trips.
    /// What is urgent is never held back, and counted. No limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rps: Option<u32>,
}

/// What an endpoint is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Accounts, subscriptions and blockhashes.
    Read,
    /// Transactions.
    Send,
    /// What became of transactions.
    Confirm,
}

impl Role {
    fn all() -> Vec<Self> {
        vec![Self::Read, Self::Send, Self::Confirm]
    }
}

const fn max_lag_slots() -> u64 {
    20
}

impl RpcEndpoint {
    /// The endpoint of the short form.
    pub(super) fn of_cluster(cluster: &Cluster) -> Self {
        Self {
            name: ONLY.to_owned(),
            http: cluster.rpc_url.clone(),
            ws: cluster.ws_url.clone(),
            roles: Role::all(),
            max_lag_slots: max_lag_slots(),
            max_rps: None,
        }
    }

    /// Returns the address of subscriptions: the one set, or the host of `http` at the port after its port.
    pub fn ws_url(&self) -> String {
        self.ws.clone().unwrap_or_else(|| check::derive_ws_url(&self.http))
    }

    /// Tells whether it is used for `role`.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// A Yellowstone gRPC server whose stream is a source beside the subscriptions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrpcEndpoint {
    /// Name shown in the API, in logs and in metrics.
    pub name: String,
    /// Its address, http or https.
    pub url: String,
    /// File with the token that is sent as `x-token`, mode 0600. Read at each connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_token_file: Option<PathBuf>,
}

/// A way by which transactions are sent, beside the endpoints that send. Each gets the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// Name shown in logs and in metrics.
    pub name: String,
    /// How it is spoken to.
    pub kind: SenderKind,
    /// Its address, http or https.
    pub url: String,
    /// Groups of classes that go this way.
    #[serde(default = "ClassGroup::all")]
    pub classes: Vec<ClassGroup>,
    /// Paid to one of `tip_accounts` within every transaction of these classes, by whatever way it lands.
    #[serde(default)]
    pub tip_lamports: u64,
    /// Where the tip goes.
    #[serde(default, with = "keys")]
    #[schemars(with = "Vec<String>")]
    pub tip_accounts: Vec<Pubkey>,
}

/// How a sender is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SenderKind {
    /// A node.
    Rpc,
    /// A block engine of Jito: `sendTransaction` at `/api/v1/transactions`, with a tip.
    Jito,
    /// A sender that forwards to leaders, such as Helius Sender, with a tip where it asks for one.
    HttpSender,
}

/// Classes that share a range of fees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClassGroup {
    /// Trips.
    Trip,
    /// Liquidations and deleveraging.
    Liquidate,
    /// Observations, reports, steps down, housekeeping and postings.
    Evidence,
    /// Rebalances of the reserve.
    Rebalance,
}

impl ClassGroup {
    fn all() -> Vec<Self> {
        vec![Self::Trip, Self::Liquidate, Self::Evidence, Self::Rebalance]
    }

    /// Returns the group of a class.
    pub const fn of(class: ActionClass) -> Self {
        match class {
            ActionClass::Trip => Self::Trip,
            ActionClass::Liquidate | ActionClass::Deleverage => Self::Liquidate,
            ActionClass::Observe
            | ActionClass::ObserveRule
            | ActionClass::MarkHalt
            | ActionClass::Report
            | ActionClass::StepDown
            | ActionClass::Settle
            | ActionClass::Post => Self::Evidence,
            ActionClass::Rebalance => Self::Rebalance,
        }
    }
}

impl Sender {
    /// Tells whether transactions of a class go this way.
    pub fn takes(&self, class: ActionClass) -> bool {
        self.classes.contains(&ClassGroup::of(class))
    }
}

impl fmt::Display for SenderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rpc => "rpc",
            Self::Jito => "jito",
            Self::HttpSender => "http_sender",
        })
    }
}

mod keys {
    use serde::{Deserialize, Deserializer, Serializer};
    use solana_sdk::pubkey::Pubkey;

    pub fn serialize<S: Serializer>(keys: &[Pubkey], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(keys.iter().map(Pubkey::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Pubkey>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let parse = |text: &String| {
            text.parse().map_err(|error| serde::de::Error::custom(format!("`{text}` is no address: {error}")))
        };
        texts.iter().map(parse).collect()
    }
}
