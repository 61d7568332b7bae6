//! The program itself: who may replace it, when it last was; and durable nonces of role holders.

use crate::chain::pool::Pool;
use crate::chain::rpc::RpcError;
use crate::chain::standing::Use;
use anchor_lang::prelude::Pubkey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The loader whose programs can be replaced.
pub const LOADER: Pubkey = anchor_lang::prelude::pubkey!("BPFLoaderUpgradeab1e11111111111111111111111");
/// First bytes of the account that holds a program's code.
const PROGRAM_DATA: u32 = 3;
/// Bytes before the code: kind, slot, whether there is an authority, the authority.
pub const HEADER_LEN: usize = 4 + 8 + 1 + 32;

/// Who may replace the program, when it last was, and durable nonces of role holders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramStanding {
    /// Who may replace it; nobody if it is final.
    pub upgrade_authority: Option<String>,
    /// Slot of its last deployment, where it can be replaced.
    pub deployed_slot: Option<u64>,
    /// Durable nonces of role holders, with the role.
    pub nonces: BTreeMap<String, String>,
}

/// Returns the address of the account that holds the program's code.
pub fn data_address() -> Pubkey {
    Pubkey::find_program_address(&[rampart::ID.as_ref()], &LOADER).0
}

/// Reads slot and authority of the account that holds a program's code; `None` for any other.
pub fn decode(data: &[u8]) -> Option<(u64, Option<Pubkey>)> {
    let head = data.get(..HEADER_LEN)?;
    let kind = u32::from_le_bytes(head[..4].try_into().ok()?);
    let slot = u64::from_le_bytes(head[4..12].try_into().ok()?);
    let authority = Pubkey::try_from(&head[13..]).ok()?;
    match (kind, head[12]) {
        (PROGRAM_DATA, 0) => Some((slot, None)),
        (PROGRAM_DATA, 1) => Some((slot, Some(authority))),
        _ => None,
    }
}

impl ProgramStanding {
    /// Asks the chain. Nonces that can't be seen, as endpoints often don't list them, are taken from the last look.
    ///
    /// # Errors
    /// Those of the endpoint.
    pub async fn ask(pool: &Pool, holders: &[(String, Pubkey)], before: Option<&Self>) -> Result<Self, RpcError> {
        let listing = pool.accounts(&[data_address()], Use::Sweep).await?;
        let decoded = listing.updates.first().and_then(|account| decode(&account.data));
        let mut standing = Self {
            upgrade_authority: decoded.and_then(|(_, authority)| authority).map(|key| key.to_string()),
            deployed_slot: decoded.map(|(slot, _)| slot),
            nonces: before.map(|known| known.nonces.clone()).unwrap_or_default(),
        };
        for (role, key) in holders {
            match pool.nonces_of(key).await {
                Ok(found) => {
                    standing.nonces.retain(|_, of| of != role);
                    standing
                        .nonces
                        .extend(found.updates.into_iter().map(|nonce| (nonce.key.to_string(), role.clone())));
                }
                Err(error) => {
                    tracing::debug!(role, "durable nonces can't be seen: {}", crate::error::chain(&error));
                    // the endpoint does not list them for the others either
                    break;
                }
            }
        }
        Ok(standing)
    }
}
