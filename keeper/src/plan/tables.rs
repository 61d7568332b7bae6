//! Lookup tables: how a transaction that names many accounts fits into a packet.
//!
//! Decided when it is planned, never when it is sent. A transaction that fits by itself stays as it is: it lands whatever
//! happens to a table.

use crate::intent::PlannedTx;
use crate::plan::PlanError;
use crate::submit::{PACKET_BYTES, size_of};
use crate::watch::store::Store;
use anchor_lang::prelude::{Pubkey, pubkey};
use solana_address_lookup_table_interface::state::AddressLookupTable;
use solana_sdk::message::AddressLookupTableAccount;

/// The program that owns lookup tables.
const OWNER: Pubkey = pubkey!("AddressLookupTab1e1111111111111111111111111");

/// Returns those of `keys` that are tables whose addresses can be looked up in the next block.
///
/// A table that is being closed is left out; so are addresses that were added in the slot of `slot` or later.
pub fn known(store: &Store, keys: &[Pubkey], slot: u64) -> Vec<AddressLookupTableAccount> {
    let decode = |key: &Pubkey| {
        let account = store.raw(key).filter(|account| account.owner == OWNER)?;
        let table = AddressLookupTable::deserialize(&account.data).ok()?;
        let meta = &table.meta;
        if meta.deactivation_slot != u64::MAX {
            return None;
        }
        let is_new = meta.last_extended_slot >= slot;
        let count = if is_new { usize::from(meta.last_extended_slot_start_index) } else { table.addresses.len() };
        let addresses = table.addresses.get(..count)?.to_vec();
        Some(AddressLookupTableAccount { key: *key, addresses })
    };
    keys.iter().filter_map(decode).collect()
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
