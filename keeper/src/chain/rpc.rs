//! Requests to one endpoint, with the slot that each answer is about.
//!
//! Three values: an account is there, is not there, or could not be asked for. The last is an error and never reads as
//! the second. An answer about an older slot than one that the same endpoint gave before is refused: behind a balancer,
//! a node that lags would otherwise undo what is known.

use crate::config::Commitment;
use crate::intent::Blockhash;
use crate::metrics::{Metrics, RpcLabel};
use crate::watch::feeds::{Child, PARENT_OFFSET};
use crate::watch::{Origin, Update};
use anchor_lang::prelude::Pubkey;
use serde_json::json;
use solana_client::client_error::ClientError;
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_client::rpc_filter::{Memcmp, RpcFilterType};
use solana_client::rpc_request::RpcRequest;
use solana_client::rpc_response::{OptionalContext, RpcKeyedAccount};
use solana_commitment_config::CommitmentConfig;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use thiserror::Error;

/// Longest that a request may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most accounts that one request may name.
const BATCH: usize = 100;
/// How many slots an answer may be older than the endpoint's newest. A balancer's nodes differ by a few.
const MAX_LAG_SLOTS: u64 = 20;

/// Why the chain could not be asked. None of these says anything about the chain's state.
#[derive(Debug, Error)]
pub enum RpcError {
    /// The endpoint refused, failed, or did not answer in time.
    #[error("failed to ask the endpoint for {what}")]
    Request {
        /// What was asked for.
        what: &'static str,
        /// Why it failed.
        source: Box<ClientError>,
    },
    /// The answer is about the past.
    #[error("endpoint answered for slot {slot}, {lag} slots behind its own newest")]
    Behind {
        /// Slot of the answer.
        slot: u64,
        /// How far behind.
        lag: u64,
    },
    /// The answer can't be read.
    #[error("endpoint gave an answer about {what} that can't be read")]
    Unreadable {
        /// What was asked for.
        what: &'static str,
    },
}

impl RpcError {
    /// Tells whether the same request may succeed later. All of them may.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Request { .. } | Self::Behind { .. } | Self::Unreadable { .. } => true,
        }
    }
}

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
    client: RpcClient,
    commitment: CommitmentConfig,
    newest_slot: AtomicU64,
    metrics: Metrics,
}

impl Rpc {
    /// An endpoint at `url`. Nothing is asked yet.
    pub fn new(url: &str, commitment: Commitment, metrics: Metrics) -> Self {
        let commitment = match commitment {
            Commitment::Processed => CommitmentConfig::processed(),
            Commitment::Confirmed => CommitmentConfig::confirmed(),
        };
        let client = RpcClient::new_with_timeout_and_commitment(url.to_owned(), TIMEOUT, commitment);
        Self { client, commitment, newest_slot: AtomicU64::new(0), metrics }
    }

    /// Returns the newest slot that the endpoint answered for.
    pub fn newest_slot(&self) -> u64 {
        self.newest_slot.load(Ordering::Relaxed)
    }

    /// Fetches accounts by address. A listing of several requests has the slot of the oldest.
    ///
    /// # Errors
    /// All of [`RpcError`].
    pub async fn accounts(&self, keys: &[Pubkey]) -> Result<Listing, RpcError> {
        let mut listing = Listing { updates: Vec::with_capacity(keys.len()), slot: u64::MAX };
        for batch in keys.chunks(BATCH) {
            let answer = self.client.get_multiple_accounts_with_commitment(batch, self.commitment).await;
            let answer = self.counted("getMultipleAccounts", "accounts", answer)?;
            let slot = self.check_slot(answer.context.slot)?;
            if answer.value.len() != batch.len() {
                return Err(RpcError::Unreadable { what: "accounts" });
            }
            listing.slot = listing.slot.min(slot);
            let found = batch.iter().zip(answer.value).map(|(key, account)| match account {
                Some(a) => {
                    Update { key: *key, owner: a.owner, lamports: a.lamports, data: a.data, slot, origin: Origin::Poll }
                }
                None => Update::absent(*key, slot, Origin::Poll),
            });
            listing.updates.extend(found);
        }
        Ok(listing)
    }

    /// Lists the accounts of the program of one kind that name `parent`.
    ///
    /// # Errors
    /// All of [`RpcError`].
    pub async fn children(&self, child: Child, parent: &Pubkey) -> Result<Listing, RpcError> {
        self.listing(&rampart::ID, &filters(child, parent)).await
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
        // where an endpoint leaves the slot out, the listing is at least as new as the slot asked for before it
        let before = self.counted("getSlot", "the slot", self.client.get_slot().await)?;
        let config = json!({ "encoding": "base64", "commitment": self.commitment.commitment, "filters": filters, "withContext": true });
        let params = json!([program.to_string(), config]);
        let answer =
            self.client.send::<OptionalContext<Vec<RpcKeyedAccount>>>(RpcRequest::GetProgramAccounts, params).await;
        let (slot, accounts) = match self.counted("getProgramAccounts", "accounts of a program", answer)? {
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
    /// `Request`.
    pub async fn latest_blockhash(&self) -> Result<Blockhash, RpcError> {
        // confirmed: a processed one may vanish with its fork, and everything signed with it
        let answer = self.client.get_latest_blockhash_with_commitment(CommitmentConfig::confirmed()).await;
        let (hash, last_valid_block_height) = self.counted("getLatestBlockhash", "a blockhash", answer)?;
        Ok(Blockhash { hash, last_valid_block_height })
    }

    /// Fetches the block height.
    ///
    /// # Errors
    /// `Request`.
    pub async fn block_height(&self) -> Result<u64, RpcError> {
        let answer = self.client.get_block_height_with_commitment(CommitmentConfig::confirmed()).await;
        self.counted("getBlockHeight", "the block height", answer)
    }

    /// Fetches the genesis hash of the chain.
    ///
    /// # Errors
    /// `Request`.
    pub async fn genesis_hash(&self) -> Result<solana_sdk::hash::Hash, RpcError> {
        self.counted("getGenesisHash", "the genesis hash", self.client.get_genesis_hash().await)
    }

    fn counted<T>(
        &self,
        method: &'static str,
        what: &'static str,
        answer: Result<T, ClientError>,
    ) -> Result<T, RpcError> {
        let result = if answer.is_ok() { "ok" } else { "error" };
        self.metrics.rpc_requests.get_or_create(&RpcLabel { method, result }).inc();
        answer.map_err(|source| RpcError::Request { what, source: Box::new(source) })
    }

    fn check_slot(&self, slot: u64) -> Result<u64, RpcError> {
        let newest = self.newest_slot.fetch_max(slot, Ordering::Relaxed);
        match newest.checked_sub(slot) {
            Some(lag) if lag > MAX_LAG_SLOTS => Err(RpcError::Behind { slot, lag }),
            _ => Ok(slot),
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

/// Reads an account with its address, as listings and subscriptions give it; `None` for what can't be read.
pub(crate) fn update_of(keyed: &RpcKeyedAccount, slot: u64, origin: Origin) -> Option<Update> {
    let key = keyed.pubkey.parse().ok()?;
    let owner = keyed.account.owner.parse().ok()?;
    let data = keyed.account.data.decode()?;
    Some(Update { key, owner, lamports: keyed.account.lamports, data, slot, origin })
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
