//! RPC nodes: what each sees of the chain, how it fails, and its answers.

use crate::chain::{Chain, genesis};
use rampart_client::Pubkey;
use rampart_rig::rpc::{Filters, account as account_json, status};
use serde_json::{Value, json};
use solana_sdk::signature::Signature;
use std::time::Duration;

/// Slots for which a node remembers statuses without its history.
const RECENT_SLOTS: u64 = 150;

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody answered in time.
    Timeout,
    /// The endpoint asks for fewer requests.
    TooMany(Duration),
    /// The endpoint answered with another status than 200.
    Status(u16),
    /// The node refused.
    Refused(i64, String),
}

/// What is wrong with a node. All of it may be wrong at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// It stands still at this slot, and says so.
    pub frozen_at: Option<u64>,
    /// So many of a hundred calls run into their timeout; sends are forwarded all the same.
    pub timeouts_pct: u32,
    /// So many of a hundred calls are refused as too many.
    pub busy_pct: u32,
    /// So many of a hundred calls fail with a gateway's error.
    pub gateway_pct: u32,
    /// It knows of no transaction older than a moment, and says "not found" all the same.
    pub has_no_history: bool,
    /// It claims that its accounts are of a slot so many later.
    pub ahead_slots: u64,
    /// It lists no accounts of programs.
    pub lists_nothing: bool,
    /// It takes transactions in and forgets them.
    pub swallows_sends: bool,
    /// It forgets its sockets: they stay open, and nothing comes on them any more, not even when the fault is over.
    pub is_silent: bool,
    /// It forgets its subscriptions to accounts, while slots go on; likewise.
    pub is_mute_on_accounts: bool,
    /// Notifications come twice.
    pub repeats: bool,
    /// Notifications of a slot come in the wrong order, and late ones after newer ones.
    pub reorders: bool,
    /// So many of a hundred notifications are lost.
    pub drops_pct: u32,
    /// It takes no new sockets.
    pub refuses_sockets: bool,
    /// What a call takes longer.
    pub slow_ms: u64,
}

/// A node.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// So many slots behind the chain, always.
    pub lag_slots: u64,
    /// What is wrong with it now.
    pub faults: Faults,
    /// Whether it tells of the Clock sysvar.
    pub tells_clock: bool,
    /// Raised to close every socket.
    pub resets: u64,
}

impl Node {
    /// The newest slot that it has seen.
    pub fn tip(&self, chain: &Chain) -> u64 {
        let tip = chain.slot.saturating_sub(self.lag_slots);
        self.faults.frozen_at.map_or(tip, |frozen| frozen.min(tip))
    }

    /// Answers a call that has no side effect.
    ///
    /// # Errors
    /// `Refused` for what it does not serve.
    pub fn answer(&self, chain: &Chain, method: &str, params: &Value) -> Result<Value, Failure> {
        let view = View { tip: self.tip(chain), chain, node: self };
        Ok(match method {
            "getGenesisHash" => json!(genesis().to_string()),
            "getSlot" => json!(view.slot(params)),
            "getBlockHeight" => json!(chain.height_at(view.slot(params))),
            "getEpochInfo" => view.epoch_info(params),
            "getLatestBlockhash" => view.latest_blockhash(params),
            "getMultipleAccounts" => view.accounts(params),
            "getProgramAccounts" if !self.faults.lists_nothing => view.program_accounts(params),
            "getSignatureStatuses" => view.statuses(params),
            "getTransaction" => view.transaction(params),
            "getRecentPrioritizationFees" => {
                json!([{ "slot": view.tip, "prioritizationFee": chain.leaders.min_price }])
            }
            "getVersion" => json!({ "solana-core": "3.0.0", "feature-set": 1 }),
            _ => return Err(Failure::Refused(-32_601, "method not found".to_owned())),
        })
    }
}

struct View<'a> {
    chain: &'a Chain,
    node: &'a Node,
    tip: u64,
}

impl View<'_> {
    /// The slot that a request is about: the processed one only where it asks for it.
    fn slot(&self, params: &Value) -> u64 {
        let mut all = params.as_array().into_iter().flatten();
        let is_processed = all.any(|param| param["commitment"] == "processed");
        if is_processed { self.tip } else { self.chain.confirmed(self.tip) }
    }

    fn with_context(&self, slot: u64, value: Value) -> Value {
        json!({ "context": { "apiVersion": "3.0.0", "slot": slot }, "value": value })
    }

    fn told(&self, slot: u64, value: Value) -> Value {
        self.with_context(slot + self.node.faults.ahead_slots, value)
    }

    fn epoch_info(&self, params: &Value) -> Value {
        let slot = self.slot(params);
        json!({
            "absoluteSlot": slot, "blockHeight": self.chain.height_at(slot), "epoch": 1,
            "slotIndex": 1, "slotsInEpoch": 432_000, "transactionCount": 1,
        })
    }

    fn latest_blockhash(&self, params: &Value) -> Value {
        let slot = self.slot(params);
        let (hash, last) = self.chain.blockhash_at(slot);
        self.with_context(slot, json!({ "blockhash": hash.to_string(), "lastValidBlockHeight": last }))
    }

    fn accounts(&self, params: &Value) -> Value {
        let slot = self.slot(params);
        let keys = params[0].as_array().into_iter().flatten();
        let accounts = keys.map(|key| {
            let key: Option<Pubkey> = key.as_str().and_then(|key| key.parse().ok());
            let account = key.and_then(|key| self.chain.account_at(&key, slot));
            account.map_or(Value::Null, |account| account_json(&account))
        });
        self.told(slot, accounts.collect())
    }

    fn program_accounts(&self, params: &Value) -> Value {
        let slot = self.slot(params);
        let filters = Filters::read(&params[1]["filters"]);
        let is_ours = params[0].as_str() == Some(&rampart::ID.to_string());
        let all = self.chain.program_accounts(slot).filter(|(_, account)| is_ours && filters.pass(account));
        let listed = all.map(|(key, found)| json!({ "pubkey": key.to_string(), "account": account_json(&found) }));
        self.told(slot, listed.collect())
    }

    fn statuses(&self, params: &Value) -> Value {
        let searches_history = params[1]["searchTransactionHistory"] == true && !self.node.faults.has_no_history;
        let statuses = params[0].as_array().into_iter().flatten().map(|signature| {
            let signature: Option<Signature> = signature.as_str().and_then(|text| text.parse().ok());
            let landed = signature.and_then(|signature| self.chain.landed.get(&signature));
            let is_known = |slot: u64| slot <= self.tip && (searches_history || slot + RECENT_SLOTS > self.tip);
            landed.filter(|landed| is_known(landed.slot)).map_or(Value::Null, |landed| {
                status(landed.slot, &landed.result, self.tip, landed.slot <= self.chain.confirmed(self.tip))
            })
        });
        self.with_context(self.tip, statuses.collect())
    }

    fn transaction(&self, params: &Value) -> Value {
        let signature: Option<Signature> = params[0].as_str().and_then(|text| text.parse().ok());
        let landed = signature.and_then(|signature| self.chain.landed.get(&signature));
        let landed = landed.filter(|landed| landed.slot <= self.chain.confirmed(self.tip));
        landed.map_or(Value::Null, |l| json!({ "slot": l.slot, "meta": { "computeUnitsConsumed": l.units } }))
    }
}
