//! Several endpoints as one: who is asked, who is left alone, and whose answers are not believed.
//!
//! A request goes to the endpoint that answered last, and on to the next when it fails. An endpoint on another chain,
//! behind the others or ahead of what can be is in quarantine: nothing is read from it, and its subscriptions are closed,
//! until a probe finds it right again.

use crate::chain::blockhash::Dated;
use crate::chain::http::CallError;
use crate::chain::network::{HostNetwork, Network};
use crate::chain::rpc::{Listing, Rpc, RpcError};
use crate::chain::standing::{Quarantine, Standing, Use};
use crate::chain::tip::{Tip, Verdict};
use crate::config::endpoints::Role;
use crate::config::{Commitment, RpcEndpoint};
use crate::intent::Blockhash;
use crate::metrics::{EndpointLabel, Metrics, RefusalLabel};
use crate::watch::feeds::Child;
use anchor_lang::prelude::Pubkey;
use futures_util::future::{BoxFuture, FutureExt, join_all};
use solana_sdk::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// An endpoint in quarantine is asked at least this often whether it is right again.
const RETURN: Duration = Duration::from_secs(5);

/// One endpoint and what is known of it.
pub struct Endpoint {
    /// Its settings.
    pub settings: RpcEndpoint,
    /// Requests to it that are never held back.
    pub rpc: Rpc,
    /// Those that can wait: they keep to its pace.
    calm: Rpc,
    standing: Mutex<Standing>,
}

/// All endpoints.
pub struct Pool {
    endpoints: Vec<Endpoint>,
    preferred: AtomicUsize,
    /// Of answers, at the commitment that is asked for.
    answered: Arc<Tip>,
    /// Of subscriptions, which tell of slots that nobody confirmed yet.
    told: Tip,
    network: Arc<dyn Network>,
    metrics: Metrics,
}

impl Pool {
    /// Takes endpoints over; none of them is trusted before it was verified.
    pub fn new(endpoints: Vec<RpcEndpoint>, commitment: Commitment, metrics: Metrics) -> Self {
        Self::over(Arc::new(HostNetwork::default()), endpoints, commitment, metrics)
    }

    /// As [`Self::new`], over a network of the caller's.
    pub fn over(
        network: Arc<dyn Network>,
        endpoints: Vec<RpcEndpoint>,
        commitment: Commitment,
        metrics: Metrics,
    ) -> Self {
        let answered = Arc::<Tip>::default();
        let endpoint = |(index, settings): (usize, RpcEndpoint)| {
            let rpc = Rpc::sharing(network.clone(), &settings, commitment, metrics.clone(), answered.clone(), index);
            let (calm, standing) = (rpc.at_pace(), Mutex::new(Standing::unverified()));
            Endpoint { rpc, calm, standing, settings }
        };
        let endpoints = endpoints.into_iter().enumerate().map(endpoint).collect();
        Self { endpoints, preferred: AtomicUsize::new(0), answered, told: Tip::default(), network, metrics }
    }

    /// Takes over how often every endpoint is asked by [`Self::probe`]: for so long its word counts against others.
    pub fn probed_every(self, period: Duration) -> Self {
        self.answered.outlive(period);
        self.told.outlive(period);
        self
    }

    /// Returns the way to all of them.
    pub fn network(&self) -> &Arc<dyn Network> {
        &self.network
    }

    /// Returns all endpoints.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Returns the newest slot that is believed.
    pub fn newest_slot(&self) -> u64 {
        self.answered.slot().max(self.told.slot())
    }

    /// Returns, once, the newest slot where what was believed before turned out too high: what is known as of later slots is
    /// not of this chain, or not of this time.
    pub fn take_lowered(&self) -> Option<u64> {
        let (now, tips) = (Instant::now(), [&*self.answered, &self.told]);
        let lowered: Vec<u64> = tips.iter().filter(|tip| tip.take_lowered()).map(|tip| tip.slot()).collect();
        // the other one may be the wrong one as well, unless somebody stands by it
        let stands = tips.iter().filter_map(|tip| tip.recent(now)).max();
        lowered.into_iter().max().map(|slot| stands.map_or(slot, |stands| stands.max(slot)))
    }

    /// Returns the endpoints of a role that may be asked now, the one that answered last first.
    pub fn usable(&self, role: Role, purpose: Use) -> Vec<&Endpoint> {
        let (first, count, now) = (self.preferred.load(Ordering::Relaxed), self.endpoints.len(), Instant::now());
        let in_turn = (0..count).map(|n| &self.endpoints[(first + n) % count.max(1)]);
        in_turn.filter(|endpoint| endpoint.settings.has(role) && endpoint.standing().is_free(purpose, now)).collect()
    }

    /// Judges a slot that the subscriptions of an endpoint told of; puts it in quarantine where that can't be.
    pub fn judge(&self, index: usize, slot: u64) -> Verdict {
        let Some(endpoint) = self.endpoints.get(index) else { return Verdict::Fine };
        let verdict = self.told.judge(index, slot, endpoint.settings.max_lag_slots, Instant::now());
        let reason = match verdict {
            Verdict::Behind(_) if !self.has_several() => return Verdict::Fine,
            Verdict::Fine | Verdict::Ahead(_) if !self.has_several() => return verdict,
            Verdict::Fine => return verdict,
            Verdict::Behind(_) => Quarantine::Behind,
            Verdict::Ahead(_) => Quarantine::Ahead,
        };
        self.quarantine(endpoint, Some(reason));
        verdict
    }

    /// Judges a slot that stream `index` told of, by what endpoints answered and what else was told.
    #[cfg(feature = "grpc")]
    pub fn judge_stream(&self, index: usize, slot: u64) -> Verdict {
        /// As an endpoint may be behind where nothing else is set.
        const MAX_LAG_SLOTS: u64 = 20;
        let (by, now) = (self.endpoints.len() + index, Instant::now());
        match self.answered.peek(slot, MAX_LAG_SLOTS, now) {
            Verdict::Fine if self.has_several() => self.told.judge(by, slot, MAX_LAG_SLOTS, now),
            verdict => verdict,
        }
    }

    /// A single endpoint is never put in quarantine for its slots: there is nobody to hold against it, and behind a
    /// balancer one answer says nothing about the next.
    fn has_several(&self) -> bool {
        self.endpoints.len() > 1
    }

    /// Returns why nothing is taken from an endpoint.
    pub fn quarantine_of(&self, index: usize) -> Option<Quarantine> {
        self.endpoints.get(index).and_then(|endpoint| endpoint.standing().quarantine)
    }

    /// Fetches accounts by address.
    ///
    /// # Errors
    /// Of the last endpoint asked; `NoEndpoint`.
    pub async fn accounts(&self, keys: &[Pubkey], purpose: Use) -> Result<Listing, RpcError> {
        self.ask(purpose, |rpc| rpc.accounts(keys).boxed()).await
    }

    /// Fetches accounts by address as of `slot` or later; as of what there is where no endpoint has come so far.
    ///
    /// # Errors
    /// Of the last endpoint asked; `NoEndpoint`.
    pub async fn accounts_since(&self, keys: &[Pubkey], purpose: Use, slot: u64) -> Result<Listing, RpcError> {
        self.ask_since(purpose, slot, |rpc, slot| rpc.accounts_since(keys, slot).boxed()).await
    }

    /// Lists the accounts of the program of one kind that name `parent`.
    ///
    /// # Errors
    /// Of the last endpoint asked; `NoEndpoint`.
    pub async fn children(&self, child: Child, parent: &Pubkey) -> Result<Listing, RpcError> {
        self.ask(Use::Sweep, |rpc| rpc.children(child, parent).boxed()).await
    }

    /// Lists the accounts of the program of one kind that name `parent`, as of what [`Self::accounts_since`] would fetch.
    ///
    /// # Errors
    /// Of the last endpoint asked; `NoEndpoint`.
    pub async fn children_since(&self, child: Child, parent: &Pubkey, slot: u64) -> Result<Listing, RpcError> {
        self.ask_since(Use::Sweep, slot, |rpc, slot| rpc.children_since(child, parent, slot).boxed()).await
    }

    /// Lists the positions of `vault` whose owners begin with `owners`, as of what [`Self::accounts_since`] would fetch.
    ///
    /// # Errors
    /// Of the last endpoint asked, or of one for which it was too much; `NoEndpoint`.
    pub async fn positions_since(&self, vault: &Pubkey, owners: &[u8], slot: u64) -> Result<Listing, RpcError> {
        self.ask_since(Use::Sweep, slot, |rpc, slot| rpc.positions_since(vault, owners, slot).boxed()).await
    }

    /// Lists the Pyth price accounts of `program` that carry `feed_id`.
    ///
    /// # Errors
    /// Of the last endpoint asked; `NoEndpoint`.
    pub async fn price_accounts(&self, program: &Pubkey, feed_id: &[u8; 32]) -> Result<Listing, RpcError> {
        self.ask(Use::Sweep, |rpc| rpc.price_accounts(program, feed_id).boxed()).await
    }

    /// Lists the durable nonces that `authority` may use.
    ///
    /// # Errors
    /// Of the last endpoint asked; `NoEndpoint`.
    pub async fn nonces_of(&self, authority: &Pubkey) -> Result<Listing, RpcError> {
        self.ask(Use::Sweep, |rpc| rpc.nonces_of(authority).boxed()).await
    }

    /// Fetches the newest blockhash.
    ///
    /// # Errors
    /// Of the last endpoint asked; `NoEndpoint`.
    pub async fn latest_blockhash(&self) -> Result<Blockhash, RpcError> {
        self.dated_blockhash().await.map(|dated| dated.blockhash)
    }

    /// Fetches the newest blockhash, and the slot that it is as of.
    ///
    /// # Errors
    /// Of the last endpoint asked; `NoEndpoint`.
    pub async fn dated_blockhash(&self) -> Result<Dated, RpcError> {
        self.ask(Use::Hot, |rpc| rpc.dated_blockhash().boxed()).await
    }

    /// Fetches what transactions that wrote `account` paid lately.
    ///
    /// # Errors
    /// Of the last endpoint asked; `NoEndpoint`.
    pub async fn recent_fees(&self, account: &Pubkey) -> Result<Vec<u64>, RpcError> {
        self.ask(Use::Sweep, |rpc| rpc.recent_fees(account).boxed()).await
    }

    /// Passes a request of somebody else on to the first endpoint that answers it, behind the keeper's own.
    ///
    /// What comes of it says nothing about an endpoint: whoever asks could take it from the keeper otherwise.
    ///
    /// # Errors
    /// Of the last endpoint asked; `NoEndpoint`.
    pub async fn pass_on(
        &self,
        method: &'static str,
        params: serde_json::Value,
    ) -> Result<serde_json::Value, RpcError> {
        let mut last = RpcError::NoEndpoint;
        for endpoint in self.usable(Role::Read, Use::Sweep) {
            match endpoint.rpc_for(Use::Sweep).call(method, "what the app asks", params.clone()).await {
                refused @ Err(RpcError::Request { source: CallError::Refused { .. }, .. }) => return refused,
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Asks as of `slot` or later, and as of what there is where no endpoint has come so far.
    async fn ask_since<'a, T>(
        &'a self,
        purpose: Use,
        slot: u64,
        question: impl Fn(&'a Rpc, u64) -> BoxFuture<'a, Result<T, RpcError>>,
    ) -> Result<T, RpcError> {
        match self.ask(purpose, |rpc| question(rpc, slot)).await {
            // what is too much of one slot is too much of any
            Err(error) if slot > 0 && !error.is_too_much() => self.ask(purpose, |rpc| question(rpc, 0)).await,
            answer => answer,
        }
    }

    async fn ask<'a, T>(
        &'a self,
        purpose: Use,
        question: impl Fn(&'a Rpc) -> BoxFuture<'a, Result<T, RpcError>>,
    ) -> Result<T, RpcError> {
        let mut last = RpcError::NoEndpoint;
        for endpoint in self.usable(Role::Read, purpose) {
            match question(endpoint.rpc_for(purpose)).await {
                Ok(answer) => {
                    endpoint.standing().answered();
                    self.prefer(endpoint);
                    return Ok(answer);
                }
                Err(error) => {
                    self.note(endpoint, &error);
                    // what can be done about it is the asker's affair, whatever else went wrong
                    last = if last.is_too_much() { last } else { error };
                }
            }
        }
        Err(last)
    }

    fn prefer(&self, endpoint: &Endpoint) {
        let at = self.endpoints.iter().position(|known| std::ptr::eq(known, endpoint));
        at.into_iter().for_each(|at| self.preferred.store(at, Ordering::Relaxed));
    }

    /// Notes that an endpoint gave no answer that can be used.
    pub fn note(&self, endpoint: &Endpoint, error: &RpcError) {
        let label = RefusalLabel { endpoint: endpoint.settings.name.clone(), reason: error.as_str() };
        self.metrics.endpoint_failures.get_or_create(&label).inc();
        let name = &endpoint.settings.name;
        tracing::debug!(endpoint = name, error = %crate::error::chain(error), "an endpoint gave no answer");
        endpoint.standing().failed(error, Instant::now());
        match error {
            RpcError::Behind { .. } if self.has_several() => self.quarantine(endpoint, Some(Quarantine::Behind)),
            RpcError::Ahead { .. } if self.has_several() => self.quarantine(endpoint, Some(Quarantine::Ahead)),
            _ => {}
        }
    }

    fn quarantine(&self, endpoint: &Endpoint, reason: Option<Quarantine>) {
        let before = std::mem::replace(&mut endpoint.standing().quarantine, reason);
        let name = &endpoint.settings.name;
        match (before, reason) {
            (before, reason) if before == reason => {}
            (_, Some(reason)) => {
                tracing::warn!(endpoint = name, reason = reason.as_str(), "an endpoint is not believed")
            }
            (_, None) => tracing::info!(endpoint = name, "an endpoint is believed"),
        }
        let label = EndpointLabel { endpoint: name.clone() };
        self.metrics.endpoint_usable.get_or_create(&label).set(i64::from(reason.is_none()));
    }

    /// Asks every endpoint for its slot and its chain again and again: who is behind or elsewhere is put in quarantine,
    /// who is right again leaves it.
    pub async fn probe(&self, genesis: Hash, period: Duration, stop: CancellationToken) {
        // each at its own pace: one that hangs holds no other up
        let rounds = join_all(self.endpoints.iter().map(|endpoint| async move {
            loop {
                let is_out = endpoint.standing().quarantine.is_some();
                tokio::time::sleep(if is_out { period.min(RETURN) } else { period }).await;
                self.probe_one(endpoint, genesis).await;
            }
        }));
        tokio::select! {
            _ = rounds => {}
            () = stop.cancelled() => {}
        }
    }

    /// Asks one endpoint which chain it serves, and where it is. Nothing changes where it does not say.
    async fn probe_one(&self, endpoint: &Endpoint, genesis: Hash) {
        let found = match endpoint.rpc.genesis_hash().await {
            Ok(found) => found,
            Err(error) => return self.note(endpoint, &error),
        };
        // slots of another chain are not even looked at
        if found != genesis {
            return self.quarantine(endpoint, Some(Quarantine::OtherCluster));
        }
        match endpoint.rpc.slot().await {
            Ok(_) => self.quarantine(endpoint, None),
            Err(error) => self.note(endpoint, &error),
        }
    }

    /// Notes that an endpoint was found on the right chain.
    pub fn verified(&self, endpoint: &Endpoint) {
        self.quarantine(endpoint, None);
    }
}

impl Endpoint {
    /// Returns the way by which requests of a purpose are made.
    pub const fn rpc_for(&self, purpose: Use) -> &Rpc {
        match purpose {
            Use::Hot => &self.rpc,
            Use::Calm | Use::Sweep => &self.calm,
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
