//! Accounts of the guard as they are on chain, for the app's generated client: what the view doesn't tell in full.
//!
//! Asked of the keeper's own endpoints, so that a browser needs none; an answer is kept for a moment, so that readers
//! can't make the keeper ask more often than that.

use super::ApiState;
use super::api::{Asked, refuse};
use crate::chain::pool::Pool;
use crate::chain::rpc::{Listing, RpcError};
use crate::chain::standing::Use;
use crate::error::chain;
use crate::watch::feeds::Child;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rampart_client::address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use solana_sdk::pubkey::Pubkey;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Version of this shape.
const SCHEMA: u32 = 1;
/// How long an answer is given again.
const KEPT: Duration = Duration::from_secs(4);

/// Who lists accounts.
pub trait AccountList: Send + Sync + 'static {
    /// Lists the accounts of a kind that name `parent`.
    fn list<'a>(&'a self, child: Child, parent: &'a Pubkey) -> BoxFuture<'a, Result<Listing, RpcError>>;

    /// Fetches accounts by address.
    fn fetch<'a>(&'a self, keys: &'a [Pubkey]) -> BoxFuture<'a, Result<Listing, RpcError>>;
}

impl AccountList for Pool {
    fn list<'a>(&'a self, child: Child, parent: &'a Pubkey) -> BoxFuture<'a, Result<Listing, RpcError>> {
        self.children(child, parent).boxed()
    }

    fn fetch<'a>(&'a self, keys: &'a [Pubkey]) -> BoxFuture<'a, Result<Listing, RpcError>> {
        self.accounts(keys, Use::Sweep).boxed()
    }
}

/// A kind that is listed: few and small accounts. Positions are fetched by owner alone, there may be too many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "AccountKind")]
pub(super) enum Kind {
    Guard,
    PendingChange,
    KeeperSet,
    Report,
    Reserve,
    SwapPolicy,
    Vault,
    Rule,
    Asset,
    Integration,
    AggregateLimit,
}

impl Kind {
    /// Returns what to list; nothing for what there is one of, at an address of its own.
    const fn child(self) -> Option<Child> {
        Some(match self {
            Self::Guard | Self::AggregateLimit => return None,
            Self::PendingChange => Child::PendingChange,
            Self::KeeperSet => Child::KeeperSet,
            Self::Report => Child::Report,
            Self::Reserve => Child::Reserve,
            Self::SwapPolicy => Child::Policy,
            Self::Vault => Child::Vault,
            Self::Rule => Child::Rule,
            Self::Asset => Child::Asset,
            Self::Integration => Child::Integration,
        })
    }

    /// Returns the address of what there is one of.
    fn single(self, guard: &Pubkey) -> Pubkey {
        match self {
            Self::AggregateLimit => address::aggregate(guard),
            _ => *guard,
        }
    }
}

type Kept = HashMap<Kind, (Instant, Arc<Answer>)>;

/// The list with what it said lately.
#[derive(Clone)]
pub(super) struct Accounts {
    list: Arc<dyn AccountList>,
    guard: Pubkey,
    // held while asking: of many readers one asks
    kept: Arc<Mutex<Kept>>,
}

/// Accounts as they are on chain.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Accounts")]
pub(super) struct Answer {
    /// Version of this shape.
    schema: u32,
    /// Slot that the endpoint answered at.
    slot: u64,
    /// By address.
    accounts: Vec<Account>,
}

/// One account.
#[derive(Serialize, JsonSchema)]
struct Account {
    /// Its address in base58.
    address: String,
    /// Its data in base64.
    data: String,
}

impl Accounts {
    pub(super) fn new(list: Arc<dyn AccountList>, guard: Pubkey) -> Self {
        Self { list, guard, kept: Arc::default() }
    }

    async fn of(&self, kind: Kind) -> Result<Arc<Answer>, RpcError> {
        let mut kept = self.kept.lock().await;
        if let Some((_, answer)) = kept.get(&kind).filter(|(at, _)| at.elapsed() < KEPT) {
            return Ok(answer.clone());
        }
        let listing = match kind.child() {
            Some(child) => self.list.list(child, &self.guard).await?,
            None => self.list.fetch(&[kind.single(&self.guard)]).await?,
        };
        let answer = Arc::new(Answer::from(listing));
        kept.insert(kind, (Instant::now(), answer.clone()));
        Ok(answer)
    }

    /// The positions of an owner in `vaults`. Nothing is kept, but one reader asks at a time.
    async fn positions(&self, owner: &Pubkey, vaults: &[Pubkey]) -> Result<Answer, RpcError> {
        let keys: Vec<Pubkey> = vaults.iter().map(|vault| address::position(vault, owner)).collect();
        let _kept = self.kept.lock().await;
        self.list.fetch(&keys).await.map(Answer::from)
    }
}

impl From<Listing> for Answer {
    fn from(listing: Listing) -> Self {
        let found = listing.updates.into_iter().filter(|update| !update.is_absent() && update.owner == rampart::ID);
        let account = |u: crate::watch::Update| Account { address: u.key.to_string(), data: STANDARD.encode(&u.data) };
        let mut accounts: Vec<Account> = found.map(account).collect();
        accounts.sort_by(|a, b| a.address.cmp(&b.address));
        Self { schema: SCHEMA, slot: listing.slot, accounts }
    }
}

#[derive(Deserialize)]
pub(super) struct Of {
    kind: String,
}

/// All accounts of a kind. 400 names the kinds, 503 means that no endpoint lists them now.
pub(super) async fn accounts(State(state): State<ApiState>, Asked(of): Asked<Of>) -> Response {
    let Ok(kind) = serde_json::from_value::<Kind>(of.kind.into()) else {
        let kinds = "the kinds are guard, pending_change, keeper_set, report, reserve, swap_policy, vault, rule, asset, \
                     integration and aggregate_limit";
        return refuse(StatusCode::BAD_REQUEST, kinds);
    };
    let Some(accounts) = &state.accounts else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "this keeper lists no accounts");
    };
    match accounts.of(kind).await {
        Ok(answer) => Json(&*answer).into_response(),
        Err(error) => failed(&error),
    }
}

#[derive(Deserialize)]
pub(super) struct By {
    owner: String,
}

/// All positions of an owner. 400 means that it isn't an address, 503 that no endpoint tells now.
pub(super) async fn positions(State(state): State<ApiState>, Asked(by): Asked<By>) -> Response {
    let Ok(owner) = by.owner.parse::<Pubkey>() else {
        return refuse(StatusCode::BAD_REQUEST, "owner must be an address in base58");
    };
    let Some(accounts) = &state.accounts else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "this keeper lists no accounts");
    };
    let view = state.view.borrow().clone();
    let vaults: Vec<Pubkey> = view.vaults.iter().filter_map(|vault| vault.address.parse().ok()).collect();
    match accounts.positions(&owner, &vaults).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => failed(&error),
    }
}

/// The answer goes to anybody who can reach the API: it says no more than it must.
fn failed(error: &RpcError) -> Response {
    tracing::warn!("accounts can't be read for the API: {}", chain(error));
    refuse(StatusCode::SERVICE_UNAVAILABLE, "no endpoint tells of these accounts now; the keeper's log says why")
}
