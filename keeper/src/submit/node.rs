//! What one node is asked about transactions, and how its answers are read.

use super::wire::{Found, Simulated, Statuses, Tip, WireError};
use crate::chain::rpc::{Rpc, since};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use solana_client::rpc_response::Response;
use solana_commitment_config::CommitmentConfig;
use solana_sdk::epoch_info::EpochInfo;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::TransactionError;
use solana_transaction_status_client_types::TransactionStatus;
use std::time::Duration;

/// Longest that one question may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Newest version of transactions that is asked for: units and logs are read of any, and a node refuses to tell of a newer one.
const NEWEST_VERSION: u8 = 1;

/// Asks for the confirmed end of the chain.
pub(super) async fn tip(rpc: &Rpc) -> Result<Tip, WireError> {
    // Two questions, and the lower height of both: nodes behind one address may lag behind each other, and some answer
    // the second one for an unconfirmed block.
    let confirmed = || json!([{ "commitment": "confirmed" }]);
    let height = patiently(rpc.call::<u64>("getBlockHeight", "the block height", confirmed()));
    let epoch = patiently(rpc.call::<EpochInfo>("getEpochInfo", "the epoch", confirmed()));
    let (height, epoch) = tokio::try_join!(height, epoch)?;
    Ok(Tip { slot: epoch.absolute_slot, block_height: height.min(epoch.block_height), is_agreed: true })
}

/// Asks what became of signatures.
pub(super) async fn statuses(rpc: &Rpc, signatures: &[Signature], history: bool) -> Result<Statuses, WireError> {
    let names: Vec<String> = signatures.iter().map(Signature::to_string).collect();
    let params = json!([names, { "searchTransactionHistory": history }]);
    let answer: Response<Vec<Option<TransactionStatus>>> =
        patiently(rpc.call("getSignatureStatuses", "what became of transactions", params)).await?;
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
    Ok(Statuses { context_slot: answer.context.slot, found: found.collect(), is_agreed: true })
}

/// Asks how many compute units a landed transaction used.
pub(super) async fn compute_units(rpc: &Rpc, signature: &Signature) -> Option<u64> {
    transaction(rpc, signature).await?.pointer("/meta/computeUnitsConsumed")?.as_u64()
}

/// Asks what the programs of a transaction logged.
pub(super) async fn logs(rpc: &Rpc, signature: &Signature) -> Option<Vec<String>> {
    let mut answer = transaction(rpc, signature).await?;
    serde_json::from_value(answer.pointer_mut("/meta/logMessages")?.take()).ok()
}

/// Has the node execute bytes that nobody signed, on its state at `min_slot` or later.
pub(super) async fn simulate(rpc: &Rpc, bytes: &[u8], min_slot: u64) -> Result<Simulated, WireError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Simulation {
        err: Option<TransactionError>,
        logs: Option<Vec<String>>,
        units_consumed: Option<u64>,
    }
    let commitment = rpc.commitment().as_str();
    // its own blockhash: it may not know ours yet, which says nothing about the transaction
    let config = json!({
        "encoding": "base64", "commitment": commitment, "sigVerify": false, "replaceRecentBlockhash": true,
    });
    let params = json!([STANDARD.encode(bytes), since(config, min_slot)]);
    let answer: Response<Simulation> = patiently(rpc.call("simulateTransaction", "a simulation", params)).await?;
    let Simulation { err: error, logs, units_consumed: compute_units } = answer.value;
    Ok(Simulated { error, logs: logs.unwrap_or_default(), compute_units })
}

async fn transaction(rpc: &Rpc, signature: &Signature) -> Option<serde_json::Value> {
    let options =
        json!({ "encoding": "base64", "commitment": "confirmed", "maxSupportedTransactionVersion": NEWEST_VERSION });
    let params = json!([signature.to_string(), options]);
    patiently(rpc.call("getTransaction", "a transaction", params)).await.ok()
}

async fn patiently<T>(question: impl Future<Output = Result<T, crate::chain::rpc::RpcError>>) -> Result<T, WireError> {
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(answer) => answer.map_err(WireError::Rpc),
        Err(_) => Err(WireError::Timeout(PATIENCE)),
    }
}
