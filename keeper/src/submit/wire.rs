//! The way to the nodes: a few questions, each of which may go unanswered.
//!
//! An error means "nobody said", never "no".

use super::node;
use super::ways::Ways;
use crate::chain::http::CallError;
use crate::chain::pool::Pool;
use crate::chain::rpc::{Rpc, RpcError};
use crate::chain::standing::Use;
use crate::config::Sender;
use crate::config::endpoints::Role;
use crate::intent::ActionClass;
use crate::metrics::Metrics;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, Stream, StreamExt};
use solana_sdk::signature::Signature;
use solana_sdk::transaction::TransactionError;
use std::sync::Arc;
use std::time::Duration;

/// Most signatures that one question may name.
pub const STATUS_BATCH: usize = 256;

/// Why a question went unanswered.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The node refused, or could not be reached.
    #[error("the node gave no answer")]
    Rpc(#[source] RpcError),
    /// No way took the bytes.
    #[error("no way took the transaction")]
    Call(#[source] CallError),
    /// Nothing can be asked or sent by now: all endpoints are in quarantine or rest.
    #[error("no endpoint can be used now")]
    NoWay,
    /// The node took too long.
    #[error("the node took longer than {0:?}")]
    Timeout(Duration),
    /// The answer does not fit the question.
    #[error("the node gave an answer of another shape: {0}")]
    Shape(&'static str),
}

impl WireError {
    /// Returns whether asking again may help: always.
    pub const fn is_transient(&self) -> bool {
        true
    }
}

/// An answer, or the reason why there is none.
pub type Answered<'a, T> = BoxFuture<'a, Result<T, WireError>>;

/// The confirmed end of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// A slot at which `block_height` was reached already.
    pub slot: u64,
    /// Height of the last confirmed block.
    pub block_height: u64,
    /// Whether as many nodes said so as have to agree; otherwise one that is abreast of what else is known.
    pub is_agreed: bool,
}

/// A signature that is in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Slot of the block.
    pub slot: u64,
    /// What became of the transaction.
    pub result: Result<(), TransactionError>,
    /// Whether the block is confirmed. Otherwise it may still be undone.
    pub is_confirmed: bool,
}

/// What a node knows of some signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses {
    /// Slot up to which the node had seen the chain.
    pub context_slot: u64,
    /// For each signature, in the order asked.
    pub found: Vec<Option<Found>>,
    /// Whether as many nodes said so as have to agree that something is not there.
    pub is_agreed: bool,
}

/// What a node said of a transaction that it executed and did not send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// Why it fails, if it does.
    pub error: Option<TransactionError>,
    /// What its programs logged.
    pub logs: Vec<String>,
    /// Units that it took.
    pub compute_units: Option<u64>,
}

/// The way to the nodes. `by`: whether a trip waits for the answer.
pub trait Wire: Send + Sync + 'static {
    /// Hands bytes over. Success means that a node took them, nothing more.
    fn send<'a>(&'a self, class: ActionClass, bytes: &'a [u8]) -> Answered<'a, ()>;
    /// Asks what became of signatures, at most [`STATUS_BATCH`]; in the whole history if `search_history`.
    fn statuses<'a>(&'a self, signatures: &'a [Signature], search_history: bool, by: Use) -> Answered<'a, Statuses>;
    /// Asks for the confirmed end of the chain.
    fn tip(&self, by: Use) -> Answered<'_, Tip>;
    /// Asks how many compute units a landed transaction used; nothing if the node does not say.
    fn compute_units<'a>(&'a self, signature: &'a Signature, by: Use) -> BoxFuture<'a, Option<u64>>;
    /// Asks what the programs of a transaction logged; nothing if no node says.
    fn logs<'a>(&'a self, signature: &'a Signature, by: Use) -> BoxFuture<'a, Option<Vec<String>>>;
    /// Has a node that has come to `min_slot` execute bytes that nobody signed, with a blockhash of its own.
    fn simulate<'a>(&'a self, bytes: &'a [u8], min_slot: u64, by: Use) -> Answered<'a, Simulated>;
}

/// All endpoints and senders.
///
/// Nothing counts as agreed until two endpoints say so, or the only one: that the chain is past a height, and that a
/// signature is not known. What one says alone is told as that.
pub struct PoolWire {
    pool: Arc<Pool>,
    ways: Ways,
}

/// Endpoints that have to agree before a signature is given up.
pub(super) const WITNESSES: usize = 2;
/// How long others may take once one has answered.
const SECOND_PATIENCE: Duration = Duration::from_secs(3);
/// Slots by which the chain's end, as told by one endpoint alone, may differ from what is known otherwise: confirmed
/// blocks are behind processed ones, and nodes behind each other.
const ABREAST_SLOTS: u64 = 32;

impl PoolWire {
    /// Uses the endpoints of `pool` by their roles, and `senders`.
    pub fn new(pool: Arc<Pool>, senders: &[Sender], metrics: Metrics) -> Self {
        Self { ways: Ways::new(pool.clone(), senders, metrics), pool }
    }

    /// Returns how many endpoints have to agree.
    fn quorum(&self) -> usize {
        let confirming = self.pool.endpoints().iter().filter(|endpoint| endpoint.settings.has(Role::Confirm));
        confirming.count().min(WITNESSES)
    }

    /// Asks as many endpoints as have to agree, and further ones in place of those that fail.
    async fn witness<'a, T>(
        &'a self,
        by: Use,
        question: impl Fn(&'a Rpc) -> BoxFuture<'a, Result<T, WireError>>,
    ) -> Result<Vec<T>, WireError> {
        let mut usable = self.pool.usable(Role::Confirm, by).into_iter();
        let (mut answers, mut last) = (Vec::new(), None);
        loop {
            let missing = self.quorum() - answers.len();
            let batch: Vec<_> = usable.by_ref().take(missing).collect();
            if batch.is_empty() {
                break;
            }
            let asked =
                batch.into_iter().map(|endpoint| question(endpoint.rpc_for(by)).map(move |given| (endpoint, given)));
            let mut asked: FuturesUnordered<_> = asked.collect();
            while let Some((endpoint, given)) = next(&mut asked, !answers.is_empty()).await {
                match given {
                    Ok(answer) => answers.push(answer),
                    Err(error) => {
                        if let WireError::Rpc(cause) = &error {
                            self.pool.note(endpoint, cause);
                        }
                        last = Some(error);
                    }
                }
            }
        }
        if answers.is_empty() { Err(last.unwrap_or(WireError::NoWay)) } else { Ok(answers) }
    }

    fn is_abreast(&self, tip: &Tip) -> bool {
        tip.slot.abs_diff(self.pool.newest_slot()) <= ABREAST_SLOTS
    }
}

/// Waits for the next answer; not for long where there is one already.
async fn next<S: Stream + Unpin>(asked: &mut S, has_answer: bool) -> Option<S::Item> {
    if has_answer {
        tokio::time::timeout(SECOND_PATIENCE, asked.next()).await.ok().flatten()
    } else {
        asked.next().await
    }
}

impl Wire for PoolWire {
    fn send<'a>(&'a self, class: ActionClass, bytes: &'a [u8]) -> Answered<'a, ()> {
        self.ways.send(class, bytes).boxed()
    }

    fn statuses<'a>(&'a self, signatures: &'a [Signature], search_history: bool, by: Use) -> Answered<'a, Statuses> {
        async move {
            let answers = self.witness(by, |rpc| node::statuses(rpc, signatures, search_history).boxed()).await?;
            let is_agreed = answers.len() >= self.quorum();
            answers
                .into_iter()
                .reduce(Statuses::merge)
                .map(|merged| Statuses { is_agreed, ..merged })
                .ok_or(WireError::NoWay)
        }
        .boxed()
    }

    fn tip(&self, by: Use) -> Answered<'_, Tip> {
        async move {
            let tips = self.witness(by, |rpc| node::tip(rpc).boxed()).await?;
            let is_agreed = tips.len() >= self.quorum();
            let tip = tips.into_iter().reduce(Tip::merge).ok_or(WireError::NoWay)?;
            if !is_agreed && !self.is_abreast(&tip) {
                return Err(WireError::Shape("one endpoint alone told of the chain's end, and others of another one"));
            }
            Ok(Tip { is_agreed, ..tip })
        }
        .boxed()
    }

    fn compute_units<'a>(&'a self, signature: &'a Signature, by: Use) -> BoxFuture<'a, Option<u64>> {
        async move {
            for endpoint in self.pool.usable(Role::Confirm, by) {
                if let Some(units) = node::compute_units(endpoint.rpc_for(by), signature).await {
                    return Some(units);
                }
            }
            None
        }
        .boxed()
    }

    fn logs<'a>(&'a self, signature: &'a Signature, by: Use) -> BoxFuture<'a, Option<Vec<String>>> {
        async move {
            for endpoint in self.pool.usable(Role::Confirm, by) {
                if let Some(logs) = node::logs(endpoint.rpc_for(by), signature).await {
                    return Some(logs);
                }
            }
            None
        }
        .boxed()
    }

    fn simulate<'a>(&'a self, bytes: &'a [u8], min_slot: u64, by: Use) -> Answered<'a, Simulated> {
        async move {
            let mut last = WireError::NoWay;
            for endpoint in self.pool.usable(Role::Read, by) {
                // a refusal says nothing about how it serves what else is asked
                match node::simulate(endpoint.rpc_for(by), bytes, min_slot).await {
                    Ok(simulated) => return Ok(simulated),
                    Err(error) => last = error,
                }
            }
            Err(last)
        }
        .boxed()
    }
}

impl Tip {
    /// What two nodes know together: the chain is past a height where both are.
    pub(super) fn merge(self, other: Self) -> Self {
        let block_height = self.block_height.min(other.block_height);
        Self { slot: self.slot.max(other.slot), block_height, is_agreed: self.is_agreed }
    }
}

impl Statuses {
    /// What two nodes know together: found by one is found, and not found only as of the older of both.
    pub(super) fn merge(self, other: Self) -> Self {
        let better = |a: Option<Found>, b: Option<Found>| match (a, b) {
            (Some(a), Some(b)) if b.is_confirmed && !a.is_confirmed => Some(b),
            (Some(a), _) => Some(a),
            (None, b) => b,
        };
        let found = self.found.into_iter().zip(other.found).map(|(a, b)| better(a, b)).collect();
        Self { context_slot: self.context_slot.min(other.context_slot), found, is_agreed: self.is_agreed }
    }
}
