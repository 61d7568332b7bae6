//! Tries instructions on a node without signing them.

use super::snapshot::Snapshot;
use crate::chain::rpc::{Rpc, RpcError};
use crate::watch::{Origin, Update};
use anchor_lang::prelude::Pubkey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use solana_client::rpc_response::{Response, UiAccount};
use solana_sdk::instruction::Instruction;
use solana_sdk::message::Message;
use solana_sdk::transaction::{Transaction, TransactionError};
use std::collections::BTreeSet;

/// What a node makes of instructions.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Why they would fail.
    pub error: Option<TransactionError>,
    /// Log lines.
    pub logs: Vec<String>,
    /// Compute units used.
    pub units: u64,
    /// What the accounts that they write would be.
    pub accounts: Vec<Update>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    err: Option<TransactionError>,
    #[serde(default)]
    logs: Option<Vec<String>>,
    #[serde(default)]
    units_consumed: Option<u64>,
    #[serde(default)]
    accounts: Option<Vec<Option<UiAccount>>>,
}

/// Tries `instructions`, paid by `payer`; no signature is needed.
///
/// # Errors
/// All of [`RpcError`].
pub async fn attempt(rpc: &Rpc, payer: &Pubkey, instructions: &[Instruction]) -> Result<Trial, RpcError> {
    let written = instructions.iter().flat_map(|ix| &ix.accounts).filter(|meta| meta.is_writable);
    let keys: Vec<Pubkey> = written.map(|meta| meta.pubkey).collect::<BTreeSet<_>>().into_iter().collect();
    let names: Vec<String> = keys.iter().map(Pubkey::to_string).collect();
    let transaction = Transaction::new_unsigned(Message::new(instructions, Some(payer)));
    // CANNOT fail: plain data written into a vector
    let bytes = bincode::serialize(&transaction).unwrap_or_default();
    let options = json!({
        "encoding": "base64", "commitment": "confirmed", "sigVerify": false, "replaceRecentBlockhash": true,
        "accounts": { "encoding": "base64", "addresses": names },
    });
    let params = json!([STANDARD.encode(bytes), options]);
    let answer: Response<Told> = rpc.call("simulateTransaction", "what it would do", params).await?;
    let (told, slot) = (answer.value, answer.context.slot);
    let accounts = keys.into_iter().zip(told.accounts.unwrap_or_default());
    let accounts = accounts.map(|(key, account)| update(key, account.as_ref(), slot));
    Ok(Trial {
        error: told.err,
        logs: told.logs.unwrap_or_default(),
        units: told.units_consumed.unwrap_or(0),
        accounts: accounts.collect(),
    })
}

fn update(key: Pubkey, account: Option<&UiAccount>, slot: u64) -> Update {
    let absent = Update::absent(key, slot, Origin::Poll);
    let read = account.and_then(|a| Some((a.owner.parse().ok()?, a.data.decode()?, a.lamports)));
    read.map_or(absent.clone(), |(owner, data, lamports)| Update { owner, lamports, data, ..absent })
}

impl Trial {
    /// Returns `before` with the accounts as they would be.
    pub fn after(&self, before: &Snapshot) -> Snapshot {
        let mut after = before.clone();
        for account in &self.accounts {
            if account.is_absent() || account.data.is_empty() {
                after.forget(&account.key);
            } else {
                after.take(account);
            }
        }
        after
    }
}
