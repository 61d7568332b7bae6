//! JSON-RPC answers from the timeline.

use crate::chain::{CONFIRMED_AFTER, Chain, State};
use crate::faults::{Faults, SimulationFault};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rampart_client::Pubkey;
use serde_json::{Value, json};
use solana_sdk::account::Account;
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::{Transaction, TransactionError};
use std::collections::BTreeMap;

/// Slots for which a node remembers statuses without its history.
const RECENT_SLOTS: u64 = 150;

/// Returns the answer to a request that has no side effect.
pub fn answer(chain: &Chain, faults: &Faults, request: &Value) -> Value {
    let state = chain.state();
    let view = View { tip: state.slot.saturating_sub(faults.lag_slots), state: &state, faults };
    let params = &request["params"];
    let result = match request["method"].as_str().unwrap_or_default() {
        "getGenesisHash" => json!(faults.genesis.unwrap_or(state.genesis()).to_string()),
        "getSlot" => json!(view.told(view.slot(params))),
        "getBlockHeight" => json!(state.height_at(view.slot(params))),
        "getEpochInfo" => view.epoch_info(params),
        "getLatestBlockhash" => view.latest_blockhash(params),
        "isBlockhashValid" => view.is_blockhash_valid(params),
        "getMultipleAccounts" => view.accounts(params),
        "getProgramAccounts" => match view.program_accounts(params) {
            listing if view.is_too_much(&listing) => return error(request, -32_012, "scan aborted"),
            listing => listing,
        },
        "getSignatureStatuses" => view.statuses(params),
        "getTransaction" => view.transaction(params),
        "simulateTransaction" if view.is_early(params) => {
            return error(request, -32_016, "Minimum context slot has not been reached");
        }
        "simulateTransaction" => match view.simulation(params) {
            Some(simulation) => simulation,
            None => return error(request, -32_602, "invalid transaction"),
        },
        "getRecentPrioritizationFees" => match faults.recent_fees {
            Some(fee) => json!([{ "slot": view.tip, "prioritizationFee": fee }]),
            None => return error(request, -32_601, "method not found"),
        },
        "getVersion" => json!({ "solana-core": "3.0.0", "feature-set": 1 }),
        _ => return error(request, -32_601, "method not found"),
    };
    json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })
}

/// Returns an error as JSON-RPC tells it.
pub fn error(request: &Value, code: i64, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": request["id"], "error": { "code": code, "message": message } })
}

/// Returns the bytes that a request sends.
pub fn sent_bytes(params: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(params[0].as_str()?).ok()
}

/// An account as every answer shows it.
pub fn account(account: &Account) -> Value {
    json!({
        "data": [STANDARD.encode(&account.data), "base64"],
        "executable": account.executable,
        "lamports": account.lamports,
        "owner": account.owner.to_string(),
        "rentEpoch": account.rent_epoch,
        "space": account.data.len(),
    })
}

/// What a listing or a subscription to a program asks for: bytes, and where they are to be.
#[derive(Clone, Debug, Default)]
pub struct Filters(Vec<(usize, Vec<u8>)>);

impl Filters {
    /// Reads the filters of a request.
    pub fn read(filters: &Value) -> Self {
        let read = |filter: &Value| {
            let memcmp = &filter["memcmp"];
            let offset = usize::try_from(memcmp["offset"].as_u64()?).ok()?;
            Some((offset, bs58::decode(memcmp["bytes"].as_str()?).into_vec().ok()?))
        };
        Self(filters.as_array().into_iter().flatten().filter_map(read).collect())
    }

    /// Tells whether an account passes all of them.
    pub fn pass(&self, account: &Account) -> bool {
        self.0.iter().all(|(offset, wanted)| account.data.get(*offset..).is_some_and(|rest| rest.starts_with(wanted)))
    }
}

/// What became of a transaction that is in a block, as seen from `tip`.
pub fn status(slot: u64, result: &Result<(), TransactionError>, tip: u64, is_confirmed: bool) -> Value {
    let error = result.clone().err().map_or(Value::Null, |error| json!(error));
    let status = if error.is_null() { json!({ "Ok": null }) } else { json!({ "Err": error }) };
    json!({
        "slot": slot, "confirmations": tip - slot, "err": error, "status": status,
        "confirmationStatus": if is_confirmed { "confirmed" } else { "processed" },
    })
}

struct View<'a> {
    state: &'a State,
    faults: &'a Faults,
    tip: u64,
}

impl View<'_> {
    /// The slot that a request is about: the processed one only where it asks for it.
    fn slot(&self, params: &Value) -> u64 {
        let mut all = params.as_array().into_iter().flatten();
        let is_processed = all.any(|param| param["commitment"] == "processed");
        if is_processed { self.tip } else { self.tip.saturating_sub(CONFIRMED_AFTER) }
    }

    fn told(&self, slot: u64) -> u64 {
        slot + self.faults.ahead_slots
    }

    fn with_context(&self, slot: u64, value: Value) -> Value {
        json!({ "context": { "apiVersion": "3.0.0", "slot": self.told(slot) }, "value": value })
    }

    fn epoch_info(&self, params: &Value) -> Value {
        let slot = self.slot(params);
        json!({
            "absoluteSlot": self.told(slot), "blockHeight": self.state.height_at(slot), "epoch": 1,
            "slotIndex": 1, "slotsInEpoch": 432_000, "transactionCount": 1,
        })
    }

    fn latest_blockhash(&self, params: &Value) -> Value {
        let slot = self.slot(params);
        let (hash, last) = self.state.blockhash_at(slot);
        self.with_context(slot, json!({ "blockhash": hash.to_string(), "lastValidBlockHeight": last }))
    }

    fn is_blockhash_valid(&self, params: &Value) -> Value {
        let slot = self.slot(params);
        let last = params[0].as_str().and_then(|hash| hash.parse().ok()).and_then(|h| self.state.last_height_of(&h));
        self.with_context(slot, json!(last.is_some_and(|last| self.state.height_at(slot) <= last)))
    }

    fn accounts(&self, params: &Value) -> Value {
        let slot = self.slot(params);
        let keys = params[0].as_array().into_iter().flatten();
        let accounts = keys.map(|key| {
            let key: Option<Pubkey> = key.as_str().and_then(|key| key.parse().ok());
            key.and_then(|key| self.state.account_at(&key, slot)).map_or(Value::Null, account)
        });
        self.with_context(slot, accounts.collect())
    }

    fn program_accounts(&self, params: &Value) -> Value {
        let slot = self.slot(params);
        let program: Pubkey = params[0].as_str().and_then(|key| key.parse().ok()).unwrap_or_default();
        let all = self.state.accounts_of(&program, slot).into_iter();
        let filters = Filters::read(&params[1]["filters"]);
        let listed = all.filter(|(_, account)| filters.pass(account));
        let listed = listed.map(|(key, found)| json!({ "pubkey": key.to_string(), "account": account(found) }));
        self.with_context(slot, listed.collect())
    }

    fn is_too_much(&self, listing: &Value) -> bool {
        let accounts = listing["value"].as_array().map_or(0, Vec::len);
        self.faults.longest_listing.is_some_and(|longest| accounts > longest)
    }

    fn statuses(&self, params: &Value) -> Value {
        let searches_history = params[1]["searchTransactionHistory"] == true;
        let statuses = params[0].as_array().into_iter().flatten().map(|signature| {
            let signature: Option<Signature> = signature.as_str().and_then(|text| text.parse().ok());
            let landed = signature.and_then(|signature| self.state.landed(&signature));
            let is_known = |slot: u64| slot <= self.tip && (searches_history || slot + RECENT_SLOTS > self.tip);
            landed.filter(|landed| is_known(landed.slot)).map_or(Value::Null, |landed| {
                status(landed.slot, &landed.result, self.tip, landed.slot + CONFIRMED_AFTER <= self.tip)
            })
        });
        self.with_context(self.tip, statuses.collect())
    }

    fn transaction(&self, params: &Value) -> Value {
        let signature: Option<Signature> = params[0].as_str().and_then(|text| text.parse().ok());
        let landed = signature.and_then(|signature| self.state.landed(&signature));
        landed.map_or(
            Value::Null,
            |landed| json!({ "slot": landed.slot, "meta": { "computeUnitsConsumed": landed.units } }),
        )
    }

    /// Tells whether the node has not come as far as the slot that a simulation is to be of.
    fn is_early(&self, params: &Value) -> bool {
        let is_before = params[1]["minContextSlot"].as_u64().is_some_and(|slot| slot > self.told(self.tip));
        is_before || self.faults.simulation == Some(SimulationFault::Early)
    }

    /// What a simulation ends with that goes wrong here; nothing where it is made.
    fn failed_simulation(&self) -> Option<Value> {
        let error = match self.faults.simulation? {
            SimulationFault::UnknownBlockhash => TransactionError::BlockhashNotFound,
            // behind the units that it asks for
            SimulationFault::Refused(code) => TransactionError::InstructionError(1, InstructionError::Custom(code)),
            SimulationFault::Early => return None,
        };
        Some(self.with_context(self.tip, json!({ "err": error, "logs": [], "unitsConsumed": 0 })))
    }

    /// Executes a transaction on a copy, whoever signed it, and shows the accounts that are asked for.
    fn simulation(&self, params: &Value) -> Option<Value> {
        if let Some(failed) = self.failed_simulation() {
            return Some(failed);
        }
        let mut transaction: Transaction = bincode::deserialize(&sent_bytes(params)?).ok()?;
        if params[1]["replaceRecentBlockhash"] == true {
            transaction.message.recent_blockhash = self.state.world.svm.latest_blockhash();
        }
        let payer = transaction.message.account_keys.first()?;
        if self.state.world.svm.get_balance(payer).unwrap_or(0) == 0 {
            return Some(self.with_context(self.tip, json!({ "err": TransactionError::AccountNotFound, "logs": [] })));
        }
        let copy = self.state.world.svm.clone().with_sigverify(false);
        let (error, meta, after) = match copy.simulate_transaction(transaction) {
            Ok(done) => (Value::Null, done.meta, done.post_accounts),
            Err(failed) => (json!(failed.err), failed.meta, Vec::new()),
        };
        let after: BTreeMap<Pubkey, Account> = after.into_iter().map(|(key, found)| (key, found.into())).collect();
        let asked = params[1]["accounts"]["addresses"].as_array().into_iter().flatten();
        let accounts: Vec<Value> = asked
            .map(|key| {
                let key: Option<Pubkey> = key.as_str().and_then(|key| key.parse().ok());
                key.and_then(|key| after.get(&key)).filter(|a| a.lamports > 0).map_or(Value::Null, account)
            })
            .collect();
        let told = json!({
            "err": error, "logs": meta.logs, "unitsConsumed": meta.compute_units_consumed, "accounts": accounts,
        });
        Some(self.with_context(self.tip, told))
    }
}
