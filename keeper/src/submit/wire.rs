//! The way to a node: three questions, each of which may go unanswered.
//!
//! An error means "nobody said", never "no".

use crate::metrics::{Metrics, RpcLabel};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{BoxFuture, FutureExt};
use serde_json::json;
use solana_client::client_error::ClientError;
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_client::rpc_request::RpcRequest;
use solana_commitment_config::CommitmentConfig;
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
    Rpc(#[from] Box<ClientError>),
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
}

/// The way to a node.
pub trait Wire: Send + Sync + 'static {
    /// Hands bytes over. Success means that a node took them, nothing more.
    fn send<'a>(&'a self, bytes: &'a [u8]) -> Answered<'a, ()>;
    /// Asks what became of signatures, at most [`STATUS_BATCH`]; in the whole history if `search_history`.
    fn statuses<'a>(&'a self, signatures: &'a [Signature], search_history: bool) -> Answered<'a, Statuses>;
    /// Asks for the confirmed end of the chain.
    fn tip(&self) -> Answered<'_, Tip>;
    /// Asks how many compute units a landed transaction used; nothing if the node does not say.
    fn compute_units<'a>(&'a self, signature: &'a Signature) -> BoxFuture<'a, Option<u64>>;
}

/// A node reached by JSON-RPC.
pub struct RpcWire {
    client: Arc<RpcClient>,
    metrics: Metrics,
}

impl RpcWire {
    const PATIENCE: Duration = Duration::from_secs(5);

    /// Uses `client`. Its own commitment does not matter here.
    pub const fn new(client: Arc<RpcClient>, metrics: Metrics) -> Self {
        Self { client, metrics }
    }

    async fn ask<T>(
        &self,
        method: &'static str,
        question: impl Future<Output = Result<T, ClientError>> + Send,
    ) -> Result<T, WireError> {
        let answer = match tokio::time::timeout(Self::PATIENCE, question).await {
            Ok(answer) => answer.map_err(|error| WireError::Rpc(Box::new(error))),
            Err(_) => Err(WireError::Timeout(Self::PATIENCE)),
        };
        let result = if answer.is_ok() { "ok" } else { "error" };
        self.metrics.rpc_requests.get_or_create(&RpcLabel { method, result }).inc();
        answer
    }
}

impl Wire for RpcWire {
    fn send<'a>(&'a self, bytes: &'a [u8]) -> Answered<'a, ()> {
        // No preflight: it costs a round trip and judges by another slot. No retries by the node: resending is ours.
        let options = json!({ "encoding": "base64", "skipPreflight": true, "maxRetries": 0 });
        let params = json!([STANDARD.encode(bytes), options]);
        let question = self.client.send::<String>(RpcRequest::SendTransaction, params);
        async move { self.ask("sendTransaction", question).await.map(drop) }.boxed()
    }

    fn statuses<'a>(&'a self, signatures: &'a [Signature], search_history: bool) -> Answered<'a, Statuses> {
        async move {
            let answer = if search_history {
                self.ask("getSignatureStatuses", self.client.get_signature_statuses_with_history(signatures)).await?
            } else {
                self.ask("getSignatureStatuses", self.client.get_signature_statuses(signatures)).await?
            };
            if answer.value.len() != signatures.len() {
                return Err(WireError::Shape("as many statuses as signatures were expected"));
            }
            let confirmed = CommitmentConfig::confirmed();
            let found = answer.value.into_iter().map(|status| {
                status.map(|status| Found {
                    slot: status.slot,
                    is_confirmed: status.satisfies_commitment(confirmed),
                    result: status.err.map_or(Ok(()), Err),
                })
            });
            Ok(Statuses { context_slot: answer.context.slot, found: found.collect() })
        }
        .boxed()
    }

    fn tip(&self) -> Answered<'_, Tip> {
        async move {
            // Two questions, and the lower height of both: nodes behind one address may lag behind each other, and some
            // answer the second one for an unconfirmed block.
            let commitment = CommitmentConfig::confirmed();
            let height = self.ask("getBlockHeight", self.client.get_block_height_with_commitment(commitment));
            let epoch = self.ask("getEpochInfo", self.client.get_epoch_info_with_commitment(commitment));
            let (height, epoch) = tokio::try_join!(height, epoch)?;
            Ok(Tip { slot: epoch.absolute_slot, block_height: height.min(epoch.block_height) })
        }
        .boxed()
    }

    fn compute_units<'a>(&'a self, signature: &'a Signature) -> BoxFuture<'a, Option<u64>> {
        async move {
            let options =
                json!({ "encoding": "base64", "commitment": "confirmed", "maxSupportedTransactionVersion": 0 });
            let params = json!([signature.to_string(), options]);
            let question = self.client.send::<serde_json::Value>(RpcRequest::GetTransaction, params);
            let answer = self.ask("getTransaction", question).await.ok()?;
            answer.pointer("/meta/computeUnitsConsumed")?.as_u64()
        }
        .boxed()
    }
}
