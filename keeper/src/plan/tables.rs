//! Lookup tables: how a transaction that names many accounts fits into a packet.
//!
//! Decided when it is planned, never when it is sent. A transaction that fits by itself stays as it is: it lands whatever
//! happens to a table.

use crate::intent::PlannedTx;
use crate::plan::{PlanError, Planner};
use crate::route::{Order, Routes};
use crate::submit::{PACKET_BYTES, size_of};
use crate::watch::feeds;
use crate::watch::store::Store;
use anchor_lang::prelude::{Pubkey, pubkey};
use rampart::LiquidateArgs;
use rampart::state::Vault;
use rampart_client::swap;
use solana_address_lookup_table_interface::state::AddressLookupTable;
use solana_sdk::message::AddressLookupTableAccount;
use std::collections::BTreeSet;

/// The program that owns lookup tables.
pub const OWNER: Pubkey = pubkey!("AddressLookupTab1e1111111111111111111111111");

/// Stands for a position: whatever it is, what is named beside it stays.
const ANY_POSITION: Pubkey = Pubkey::new_from_array([1; 32]);
/// What a route is asked for: which accounts it names doesn't hang on it.
const ANY_AMOUNT: u64 = 1_000_000;

/// Reads a table.
pub fn decode(data: &[u8]) -> Option<AddressLookupTable<'_>> {
    AddressLookupTable::deserialize(data).ok()
}

impl Planner<'_> {
    /// Returns what liquidations in `vaults` (all without one) and rebalances name by `routes`, beyond the position, the
    /// signer and its token accounts. Empty where no route can be built.
    ///
    /// # Errors
    /// `Unknown` and `OracleNotFound` for an account that isn't known.
    pub fn shared_accounts(&self, routes: &Routes, vaults: &[Pubkey]) -> Result<Vec<Pubkey>, PlanError> {
        vaults.iter().try_for_each(|key| self.vault(key).map(drop))?;
        let is_wanted = |key: &Pubkey| vaults.is_empty() || vaults.contains(key);
        let mut shared = BTreeSet::new();
        for (key, vault) in self.store.vaults().filter(|(key, _)| is_wanted(key)) {
            shared.extend(self.named_by_liquidations(*key, vault, routes)?);
        }
        if !shared.is_empty() && vaults.is_empty() {
            shared.extend(self.named_by_rebalances()?);
        }
        // what is called is named in every message, and so is who signs
        let own = feeds::wallets(self.store, &self.signer);
        shared.retain(|key| *key != self.signer && *key != rampart::ID && *key != ANY_POSITION);
        shared.retain(|key| !own.values().any(|wallet| wallet.token == *key));
        Ok(shared.into_iter().collect())
    }

    fn named_by_liquidations(&self, key: Pubkey, vault: &Vault, routes: &Routes) -> Result<Vec<Pubkey>, PlanError> {
        let (keys, by) =
            (self.vault_keys(key, vault)?, self.liquidator(vault, &feeds::wallets(self.store, &self.signer))?);
        let evidence = [self.oracles_of_pair(vault)?, self.cover(&keys)].concat();
        let args = LiquidateArgs { liquidation_seq: 0, max_repay_amount: 0, min_seize_amount: 0 };
        let mut named = Vec::new();
        for (route, policy, _) in routes.open(self.store) {
            let (from, to) = (keys.collateral(), keys.loan());
            let order = Order { policy: &policy, from, to, amount: ANY_AMOUNT, least_amount: 0 };
            let Ok(routed) = route.build(self.store, &order) else { continue };
            let act = swap::liquidate_by_swap(&keys, ANY_POSITION, by, &policy, &evidence, (args, routed), 0);
            named.extend(act.accounts.into_iter().map(|meta| meta.pubkey));
        }
        Ok(named)
    }

    fn named_by_rebalances(&self) -> Result<Vec<Pubkey>, PlanError> {
        let Some((key, reserve)) = self.store.reserve() else { return Ok(Vec::new()) };
        let evidence = self.basket_evidence()?.into_iter().map(|meta| meta.pubkey);
        let held = reserve.active().iter().map(|held| held.token);
        Ok(std::iter::once(*key).chain(evidence).chain(held).collect())
    }
}

/// Returns those of `keys` that are tables whose addresses can be looked up in the next block.
///
/// A table that is being closed is left out; so are addresses that were added in the slot of `slot` or later.
pub fn known(store: &Store, keys: &[Pubkey], slot: u64) -> Vec<AddressLookupTableAccount> {
    let usable = |key: &Pubkey| {
        let account = store.raw(key).filter(|account| account.owner == OWNER)?;
        let table = decode(&account.data)?;
        let meta = &table.meta;
        if meta.deactivation_slot != u64::MAX {
            return None;
        }
        let is_new = meta.last_extended_slot >= slot;
        let count = if is_new { usize::from(meta.last_extended_slot_start_index) } else { table.addresses.len() };
        let addresses = table.addresses.get(..count)?.to_vec();
        Some(AddressLookupTableAccount { key: *key, addresses })
    };
    keys.iter().filter_map(usable).collect()
}

/// Returns the plan with the tables that it needs to fit into a packet.
///
/// # Errors
/// `TooLarge` with its size without tables.
pub fn fitted(
    mut planned: PlannedTx,
    payer: &Pubkey,
    tables: &[AddressLookupTableAccount],
) -> Result<PlannedTx, PlanError> {
    let bytes = size_of(&planned, payer);
    if bytes <= PACKET_BYTES {
        return Ok(planned);
    }
    planned.tables = tables.to_vec();
    if !tables.is_empty() && size_of(&planned, payer) <= PACKET_BYTES {
        return Ok(planned);
    }
    Err(PlanError::TooLarge { bytes })
}
