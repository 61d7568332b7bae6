//! Requests to one endpoint, with the slot that each answer is about.
//!
//! Three values: an account is there, is not there, or could not be asked for. The last is an error and never reads as
//! the second. An answer about an older slot than one that the same endpoint gave before is refused: behind a balancer,
//! a node that lags would otherwise undo what is known.

use crate::chain::blockhash::{Dated, LIFE_SLOTS};
use crate::chain::http::Http;
use crate::chain::network::Network;
use crate::chain::pace::Pace;
pub use crate::chain::rpc_error::RpcError;
use crate::chain::tip::{Tip, Verdict};
use crate::config::{Commitment, RpcEndpoint};
use crate::intent::Blockhash;
use crate::metrics::{Metrics, RpcLabel};
use crate::watch::feeds::{Child, OWNER_OFFSET, PARENT_OFFSET};
use crate::watch::{Origin, Update};
use anchor_lang::Discriminator;
use anchor_lang::prelude::Pubkey;
use rampart::state::PendingChange;
use serde::de::DeserializeOwned;
use serde_json::json;
use solana_client::rpc_filter::{Memcmp, RpcFilterType};
use solana_client::rpc_response::{
    OptionalContext, Response, RpcBlockhash, RpcKeyedAccount, RpcPrioritizationFee, UiAccount,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest that a request may take: another endpoint is asked then.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest that a listing may take.
const LISTING_TIMEOUT: Duration = Duration::from_secs(30);
/// The most accounts that one request may name.
const BATCH: usize = 100;
/// How many slots an answer may be older than the newest, where no setting says. A balancer's nodes differ by a few.
const MAX_LAG_SLOTS: u64 = 20;

/// Accounts as of one slot.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The accounts, one update for each.
    pub updates: Vec<Update>,
    /// The slot that the listing is of.
    pub slot: u64,
}

/// One endpoint.
pub struct Rpc {
    http: Http,
    commitment: Commitment,
    tip: Arc<Tip>,
    index: usize,
    max_lag_slots: u64,
    metrics: Metrics,
    pace: Option<Arc<Pace>>,
    can_wait: bool,
    patience: Duration,
}

impl Rpc {
    /// An endpoint at `url`. Nothing is asked yet.
    pub fn new(url: &str, commitment: Commitment, metrics: Metrics) -> Self {
        let max_lag_slots = MAX_LAG_SLOTS;
        let (tip, pace) = (Arc::default(), None);
        let (can_wait, patience) = (false, TIMEOUT);
        Self { http: Http::new(url), commitment, tip, index: 0, max_lag_slots, metrics, pace, can_wait, patience }
    }

    /// One of several endpoints that are held against the same tip.
    pub fn sharing(
        network: Arc<dyn Network>,
        settings: &RpcEndpoint,
        commitment: Commitment,
        metrics: Metrics,
        tip: Arc<Tip>,
        index: usize,
    ) -> Self {
        let (http, max_lag_slots) = (Http::over(network, &settings.http), settings.max_lag_slots);
        let pace = settings.max_rps.map(|max_rps| Arc::new(Pace::new(max_rps, Instant::now())));
        let (can_wait, patience) = (false, TIMEOUT);
        Self { http, commitment, tip, index, max_lag_slots, metrics, pace, can_wait, patience }
    }

    /// The same endpoint for answers of megabytes, which may take as long as a listing.
    pub fn patient(self) -> Self {
        Self { patience: LISTING_TIMEOUT, ..self }
    }

    /// The same endpoint for requests that can wait: they keep to its pace.
    pub fn at_pace(&self) -> Self {
        let (http, tip, metrics, pace) = (self.http.clone(), self.tip.clone(), self.metrics.clone(), self.pace.clone());
        Self { http, tip, metrics, pace, can_wait: true, ..*self }
    }

    /// Counts a request that was made past this, and is never held back.
    pub fn count_urgent(&self) {
        self.pace.iter().for_each(|pace| pace.count(Instant::now()));
    }

    /// Waits for the endpoint's pace, where the request can wait.
    async fn keep_pace(&self) {
        match &self.pace {
            Some(pace) if self.can_wait => tokio::time::sleep(pace.reserve(Instant::now())).await,
            _ => self.count_urgent(),
        }
    }

    /// Returns the commitment at which accounts are read.
    pub const fn commitment(&self) -> Commitment {
        self.commitment
    }

    /// Returns the newest slot that the endpoint answered for.
    pub fn newest_slot(&self) -> u64 {
        self.tip.slot()
    }

    /// Fetches accounts by address. A listing of several requests has the slot of the oldest.
    ///
    /// # Errors
    /// All of [`RpcError`].
    pub async fn accounts(&self, keys: &[Pubkey]) -> Result<Listing, RpcError> {
        self.accounts_since(keys, 0).await
    }

    /// As [`Self::accounts`], by a node that has come to `slot`.
    ///
    /// # Errors
    /// All of [`RpcError`]; `Request` of a node that has not come so far.
    pub async fn accounts_since(&self, keys: &[Pubkey], slot: u64) -> Result<Listing, RpcError> {
        let mut listing = Listing { updates: Vec::with_capacity(keys.len()), slot: u64::MAX };
        for batch in keys.chunks(BATCH) {
            let names: Vec<String> = batch.iter().map(Pubkey::to_string).collect();
            let config = json!({ "encoding": "base64", "commitment": self.commitment.as_str() });
            let params = json!([names, since(config, slot)]);
            let answer: Response<Vec<Option<UiAccount>>> = self.call("getMultipleAccounts", "accounts", params).await?;
            let slot = self.check_slot(answer.context.slot)?;
            if answer.value.len() != batch.len() {
                return Err(RpcError::Unreadable { what: "accounts" });
            }
            listing.slot = listing.slot.min(slot);
            let read = |(key, account): (&Pubkey, Option<UiAccount>)| match account {
                Some(account) => read(*key, &account, slot, Origin::Poll),
                None => Some(Update::absent(*key, slot, Origin::Poll)),
            };
            let found: Option<Vec<_>> = batch.iter().zip(answer.value).map(read).collect();
            let found = found.ok_or(RpcError::Unreadable { what: "accounts" })?;
            listing.updates.extend(found);
        }
        Ok(listing)
    }

    /// Lists the accounts of the program of one kind that name `parent`.
    ///
    /// # Errors
    /// All of [`RpcError`].
    pub async fn children(&self, child: Child, parent: &Pubkey) -> Result<Listing, RpcError> {
        self.children_since(child, parent, 0).await
    }

    /// As [`Self::children`], by a node that has come to `slot`.
    ///
    /// # Errors
    /// All of [`RpcError`]; `Request` of a node that has not come so far.
    pub async fn children_since(&self, child: Child, parent: &Pubkey, slot: u64) -> Result<Listing, RpcError> {
        self.listing_since(&rampart::ID, &filters(child, parent), slot).await
    }

    /// Lists the positions of `vault` whose owners begin with `owners`, by a node that has come to `slot`.
    ///
    /// # Errors
    /// All of [`RpcError`]; `Request` of a node that has not come so far, or for which it is too much.
    pub async fn positions_since(&self, vault: &Pubkey, owners: &[u8], slot: u64) -> Result<Listing, RpcError> {
        let mut wanted = filters(Child::Position, vault).to_vec();
        if !owners.is_empty() {
            wanted.push(memcmp(OWNER_OFFSET, owners));
        }
        self.listing_since(&rampart::ID, &wanted, slot).await
    }

    /// Lists the pending changes of a guard.
    ///
    /// # Errors
    /// All of [`RpcError`].
    pub async fn changes_of(&self, guard: &Pubkey) -> Result<Listing, RpcError> {
        self.of_layout(PendingChange::DISCRIMINATOR, guard).await
    }

    /// Lists the accounts of the program that begin with `discriminator` and name `parent`.
    ///
    /// # Errors
    /// All of [`RpcError`].
    pub async fn of_layout(&self, discriminator: &[u8], parent: &Pubkey) -> Result<Listing, RpcError> {
        self.listing(&rampart::ID, &[memcmp(0, discriminator), memcmp(PARENT_OFFSET, parent.as_ref())]).await
    }

    /// Lists the Pyth price accounts of `program` that carry `feed_id`, fully verified.
    ///
    /// # Errors
    /// All of [`RpcError`].
    pub async fn price_accounts(&self, program: &Pubkey, feed_id: &[u8; 32]) -> Result<Listing, RpcError> {
        // discriminator, write authority, verification level (one byte where it is full), feed id
        const FEED_OFFSET: usize = 8 + 32 + 1;
        self.listing(program, &[memcmp(FEED_OFFSET, feed_id)]).await
    }

    /// Lists the durable nonces that `authority` may use.
    ///
    /// # Errors
    /// All of [`RpcError`]; many endpoints don't list them.
    pub async fn nonces_of(&self, authority: &Pubkey) -> Result<Listing, RpcError> {
        // version and state before the authority; the account's length tells it from all others
        const AUTHORITY_OFFSET: usize = 8;
        const NONCE_LEN: u64 = 80;
        let filters = [json!({ "dataSize": NONCE_LEN }), memcmp(AUTHORITY_OFFSET, authority.as_ref())];
        self.listing(&solana_sdk::pubkey::Pubkey::default(), &filters).await
    }

    async fn listing(&self, program: &Pubkey, filters: &[serde_json::Value]) -> Result<Listing, RpcError> {
        self.listing_since(program, filters, 0).await
    }

    async fn listing_since(
        &self,
        program: &Pubkey,
        filters: &[serde_json::Value],
        min_slot: u64,
    ) -> Result<Listing, RpcError> {
        // where an endpoint leaves the slot out, the listing is at least as new as the slot asked for before it
        let commitment = self.commitment.as_str();
        let before: u64 = self.call("getSlot", "the slot", json!([{ "commitment": commitment }])).await?;
        let config = json!({ "encoding": "base64", "commitment": commitment, "filters": filters, "withContext": true });
        let params = json!([program.to_string(), since(config, min_slot)]);
        let answer: OptionalContext<Vec<RpcKeyedAccount>> =
            self.call("getProgramAccounts", "accounts of a program", params).await?;
        let (slot, accounts) = match answer {
            OptionalContext::Context(answer) => (answer.context.slot, answer.value),
            OptionalContext::NoContext(accounts) => (before, accounts),
        };
        let slot = self.check_slot(slot)?;
        let read = |keyed: RpcKeyedAccount| update_of(&keyed, slot, Origin::Poll);
        let updates: Option<Vec<_>> = accounts.into_iter().map(read).collect();
        Ok(Listing { updates: updates.ok_or(RpcError::Unreadable { what: "accounts of a program" })?, slot })
    }

    /// Fetches the newest blockhash.
    ///
    /// # Errors
    /// Those of [`Self::dated_blockhash`].
    pub async fn latest_blockhash(&self) -> Result<Blockhash, RpcError> {
        self.dated_blockhash().await.map(|dated| dated.blockhash)
    }

    /// Fetches the newest blockhash, and the slot that the node gave it as of.
    ///
    /// # Errors
    /// `Request`, `Unreadable` for a hash that is none, `OldBlockhash`, `Ahead`.
    pub async fn dated_blockhash(&self) -> Result<Dated, RpcError> {
        let what = "a blockhash";
        // confirmed: a processed one may vanish with its fork, and everything signed with it
        let answer: Response<RpcBlockhash> = self.call("getLatestBlockhash", what, json!([confirmed()])).await?;
        let (slot, hash) = (answer.context.slot, answer.value.blockhash.parse());
        let hash = hash.map_err(|_| RpcError::Unreadable { what })?;
        let blockhash = Blockhash { hash, last_valid_block_height: answer.value.last_valid_block_height };
        // of a confirmed block, and so behind what is told of accounts, by more when the chain is in trouble: no proof
        // that the node lags, nor that it does not
        match self.tip.peek(slot, u64::from(LIFE_SLOTS), Instant::now()) {
            Verdict::Fine => Ok(Dated { blockhash, slot }),
            Verdict::Behind(lag) => Err(RpcError::OldBlockhash { slot, lag }),
            Verdict::Ahead(ahead) => Err(RpcError::Ahead { slot, ahead }),
        }
    }

    /// Fetches the newest slot.
    ///
    /// # Errors
    /// `Request`, `Behind`, `Ahead`.
    pub async fn slot(&self) -> Result<u64, RpcError> {
        let params = json!([{ "commitment": self.commitment.as_str() }]);
        self.call("getSlot", "the slot", params).await.and_then(|slot| self.check_slot(slot))
    }

    /// Fetches the block height.
    ///
    /// # Errors
    /// `Request`.
    pub async fn block_height(&self) -> Result<u64, RpcError> {
        self.call("getBlockHeight", "the block height", json!([confirmed()])).await
    }

    /// Fetches the genesis hash of the chain.
    ///
    /// # Errors
    /// `Request`, and `Unreadable` for a hash that is none.
    pub async fn genesis_hash(&self) -> Result<solana_sdk::hash::Hash, RpcError> {
        let what = "the genesis hash";
        let text: String = self.call("getGenesisHash", what, json!([])).await?;
        text.parse().map_err(|_| RpcError::Unreadable { what })
    }

    /// Fetches what transactions that wrote `account` paid lately, micro-lamports per compute unit; one for each slot.
    ///
    /// # Errors
    /// `Request`.
    pub async fn recent_fees(&self, account: &Pubkey) -> Result<Vec<u64>, RpcError> {
        let params = json!([[account.to_string()]]);
        let fees: Vec<RpcPrioritizationFee> = self.call("getRecentPrioritizationFees", "recent fees", params).await?;
        Ok(fees.into_iter().map(|fee| fee.prioritization_fee).collect())
    }

    /// Calls a method, and counts how that went.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        what: &'static str,
        params: serde_json::Value,
    ) -> Result<T, RpcError> {
        self.keep_pace().await;
        let patience = if method == "getProgramAccounts" { LISTING_TIMEOUT } else { self.patience };
        let answer = self.http.call(method, params, patience).await;
        let result = if answer.is_ok() { "ok" } else { "error" };
        self.metrics.rpc_requests.get_or_create(&RpcLabel { method, result }).inc();
        answer.map_err(|source| RpcError::Request { what, source })
    }

    fn check_slot(&self, slot: u64) -> Result<u64, RpcError> {
        match self.tip.judge(self.index, slot, self.max_lag_slots, Instant::now()) {
            Verdict::Fine => Ok(slot),
            Verdict::Behind(lag) => Err(RpcError::Behind { slot, lag }),
            Verdict::Ahead(ahead) => Err(RpcError::Ahead { slot, ahead }),
        }
    }
}

/// Filters for accounts of one kind that name `parent`.
pub fn filters(child: Child, parent: &Pubkey) -> [serde_json::Value; 2] {
    [memcmp(0, child.discriminator()), memcmp(PARENT_OFFSET, parent.as_ref())]
}

fn memcmp(offset: usize, bytes: &[u8]) -> serde_json::Value {
    json!(RpcFilterType::Memcmp(Memcmp::new_base58_encoded(offset, bytes)))
}

/// Lets a node refuse that has not come to `slot`; any may answer where that is zero.
pub(crate) fn since(mut config: serde_json::Value, slot: u64) -> serde_json::Value {
    if slot > 0 {
        config["minContextSlot"] = json!(slot);
    }
    config
}

fn confirmed() -> serde_json::Value {
    json!({ "commitment": "confirmed" })
}

/// Reads an account with its address, as listings and subscriptions give it; `None` for what can't be read.
pub(crate) fn update_of(keyed: &RpcKeyedAccount, slot: u64, origin: Origin) -> Option<Update> {
    read(keyed.pubkey.parse().ok()?, &keyed.account, slot, origin)
}

fn read(key: Pubkey, account: &UiAccount, slot: u64, origin: Origin) -> Option<Update> {
    let (owner, data) = (account.owner.parse().ok()?, account.data.decode()?);
    Some(Update { owner, lamports: account.lamports, data, ..Update::absent(key, slot, origin) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_name_kind_and_parent() {
        let [kind, parent] = filters(Child::Position, &rampart::ID);
        assert_eq!(parent["memcmp"]["offset"], PARENT_OFFSET);
        assert_eq!(parent["memcmp"]["bytes"], rampart::ID.to_string());
        assert_eq!(kind["memcmp"]["offset"], 0);
    }

    #[test]
    fn endpoint_that_falls_behind_itself_is_refused() {
        let rpc = Rpc::new("http://127.0.0.1:1", Commitment::Processed, Metrics::new());
        assert_eq!(rpc.check_slot(1_000).unwrap(), 1_000);
        assert_eq!(rpc.check_slot(1_000 - MAX_LAG_SLOTS).unwrap(), 1_000 - MAX_LAG_SLOTS);
        assert!(matches!(rpc.check_slot(900), Err(RpcError::Behind { slot: 900, lag: 100 })));
        assert_eq!(rpc.newest_slot(), 1_000);
    }

    #[tokio::test]
    async fn endpoint_that_is_not_there_is_an_error_and_no_empty_answer() {
        let rpc = Rpc::new("http://127.0.0.1:1", Commitment::Processed, Metrics::new());
        let error = rpc.accounts(&[Pubkey::default()]).await.unwrap_err();
        assert!(matches!(error, RpcError::Request { what: "accounts", .. }) && error.is_transient());
    }
}
