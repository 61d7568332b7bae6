//! What happened on the chain during the story, from its transactions.
//!
//! Owns the decoding of the program's self-CPI events. Reads finished blocks alone, after the story.

use crate::error::{DemoError, Outcome, rpc};
use crate::network::Network;
use crate::world::World;
use anchor_lang::{AnchorDeserialize, Discriminator};
use rampart::events::{BreakerSteppedDown, BreakerTripped, PositionLiquidated};
use rampart_client::Pubkey;
use serde_json::{Value, json};
use solana_client::rpc_request::RpcRequest;
use std::collections::HashSet;

/// Signatures in one answer.
const PAGE: usize = 1_000;
/// Pages for one address at most.
const MAX_PAGES: usize = 50;
/// First bytes of an event that a program emits by calling itself.
const EVENT_TAG: [u8; 8] = 0x1d9acb512ea545e4u64.to_le_bytes();

/// A fact, with its transaction.
pub struct Entry<T> {
    /// The slot.
    pub slot: u64,
    /// Who paid for the transaction.
    pub payer: Pubkey,
    /// Its signature.
    pub signature: String,
    /// The fact.
    pub fact: T,
}

/// Everything that the summary and the invariants need, in the order of slots.
#[derive(Default)]
pub struct Ledger {
    /// Trips.
    pub trips: Vec<Entry<BreakerTripped>>,
    /// Steps down.
    pub steps_down: Vec<Entry<BreakerSteppedDown>>,
    /// Liquidations and deleveragings.
    pub liquidations: Vec<Entry<PositionLiquidated>>,
    /// Transactions that failed on chain, by payer.
    pub failed: Vec<Entry<String>>,
}

impl Ledger {
    /// Reads every transaction from `from_slot` on that names a vault or a rule.
    ///
    /// # Errors
    /// [`DemoError::Rpc`] where the network doesn't answer, or with something else.
    pub async fn read(network: &Network, world: &World, from_slot: u64) -> Outcome<Self> {
        let addresses = world.vaults.iter().map(|v| v.vault).chain(world.rules.iter().map(|r| r.key));
        let mut signatures = Vec::new();
        for address in addresses {
            signatures.extend(signatures_of(network, &address, from_slot).await?);
        }
        let mut seen = HashSet::new();
        signatures.retain(|signature| seen.insert(signature.clone()));
        let mut ledger = Self::default();
        for signature in signatures {
            let config = json!({ "encoding": "json", "commitment": "confirmed", "maxSupportedTransactionVersion": 1 });
            let params = json!([signature, config]);
            let found: Value =
                network.rpc().send(RpcRequest::GetTransaction, params).await.map_err(rpc("read a transaction"))?;
            ledger.take(signature, &found)?;
        }
        ledger.trips.sort_by_key(|entry| entry.slot);
        ledger.steps_down.sort_by_key(|entry| entry.slot);
        ledger.liquidations.sort_by_key(|entry| entry.slot);
        Ok(ledger)
    }

    fn take(&mut self, signature: String, transaction: &Value) -> Outcome<()> {
        let odd = || DemoError::Rpc { doing: "read a transaction", problem: "it has another shape".to_owned() };
        let slot = transaction["slot"].as_u64().ok_or_else(odd)?;
        let payer = transaction["transaction"]["message"]["accountKeys"][0].as_str().and_then(|key| key.parse().ok());
        let payer: Pubkey = payer.ok_or_else(odd)?;
        let error = &transaction["meta"]["err"];
        if !error.is_null() {
            self.failed.push(Entry { slot, payer, signature, fact: error.to_string() });
            return Ok(());
        }
        let groups = transaction["meta"]["innerInstructions"].as_array().map_or(&[][..], Vec::as_slice);
        let inner = groups.iter().flat_map(|group| group["instructions"].as_array().map_or(&[][..], Vec::as_slice));
        let datas = inner.filter_map(|instruction| instruction["data"].as_str());
        for data in datas.filter_map(|text| bs58::decode(text).into_vec().ok()) {
            self.take_event(&data, slot, payer, &signature);
        }
        Ok(())
    }

    fn take_event(&mut self, data: &[u8], slot: u64, payer: Pubkey, signature: &str) {
        let Some(event) = data.strip_prefix(&EVENT_TAG) else { return };
        let signature = signature.to_owned();
        if let Some(fact) = event_of::<BreakerTripped>(event) {
            self.trips.push(Entry { slot, payer, signature, fact });
        } else if let Some(fact) = event_of::<BreakerSteppedDown>(event) {
            self.steps_down.push(Entry { slot, payer, signature, fact });
        } else if let Some(fact) = event_of::<PositionLiquidated>(event) {
            self.liquidations.push(Entry { slot, payer, signature, fact });
        }
    }
}

fn event_of<T: Discriminator + AnchorDeserialize>(data: &[u8]) -> Option<T> {
    data.strip_prefix(T::DISCRIMINATOR).and_then(|mut body| T::deserialize(&mut body).ok())
}

async fn signatures_of(network: &Network, address: &Pubkey, from_slot: u64) -> Outcome<Vec<String>> {
    let (mut found, mut before): (Vec<String>, Option<String>) = (Vec::new(), None);
    for _ in 0..MAX_PAGES {
        let config = json!({ "limit": PAGE, "before": before, "commitment": "confirmed" });
        let params = json!([address.to_string(), config]);
        let page: Vec<Value> =
            network.rpc().send(RpcRequest::GetSignaturesForAddress, params).await.map_err(rpc("list transactions"))?;
        let recent = page.iter().filter(|one| one["slot"].as_u64().is_some_and(|slot| slot >= from_slot));
        found.extend(recent.filter_map(|one| one["signature"].as_str()).map(str::to_owned));
        before = page.last().and_then(|one| one["signature"].as_str()).map(str::to_owned);
        let reached = page.last().is_none_or(|one| one["slot"].as_u64().is_none_or(|slot| slot < from_slot));
        if page.len() < PAGE || reached {
            break;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::AnchorSerialize;

    #[test]
    fn self_cpi_event_is_decoded_and_other_data_is_left() {
        let fact = BreakerSteppedDown {
            rule: Pubkey::new_from_array([1; 32]),
            scope: Pubkey::new_from_array([2; 32]),
            from: 3,
            to: 2,
        };
        let mut body = Vec::new();
        fact.serialize(&mut body).unwrap();
        let data = [&EVENT_TAG[..], BreakerSteppedDown::DISCRIMINATOR, &body].concat();
        let mut ledger = Ledger::default();
        ledger.take_event(&data, 5, Pubkey::default(), "s");
        ledger.take_event(&data[1..], 5, Pubkey::default(), "s");
        assert_eq!((ledger.steps_down.len(), ledger.steps_down[0].fact.from, ledger.trips.len()), (1, 3, 0));
    }

    #[test]
    fn tag_is_anchors() {
        assert_eq!(EVENT_TAG.as_slice(), anchor_lang::event::EVENT_IX_TAG_LE);
    }
}
