//! Accounts of earlier layouts, and bringing them to the present one.

use super::act::Act;
use crate::chain::rpc::{Rpc, RpcError};
use anchor_lang::prelude::Pubkey;
use rampart::state::{Guard, Vault, vault_v1};
use rampart_client::admin;
use serde::Serialize;

/// An account of an earlier layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Earlier {
    /// What it is.
    pub kind: &'static str,
    /// Its address.
    #[serde(serialize_with = "as_text")]
    pub key: Pubkey,
    /// Number of its layout.
    pub layout: u8,
    /// Number of the present one.
    pub present: u8,
}

fn as_text<S: serde::Serializer>(key: &Pubkey, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(key)
}

/// A layout that accounts had before.
struct Layout {
    kind: &'static str,
    discriminator: [u8; 8],
    number: u8,
    present: u8,
}

/// Every layout that has a later one: the log in migrations/README.md.
const EARLIER: [Layout; 1] = [Layout {
    kind: "vault",
    discriminator: vault_v1::DISCRIMINATOR,
    number: vault_v1::LAYOUT,
    present: Vault::LAYOUT,
}];

/// Lists a guard's accounts of earlier layouts, by kind and address.
///
/// # Errors
/// All of [`RpcError`].
pub async fn earlier(rpc: &Rpc, guard: &Pubkey) -> Result<Vec<Earlier>, RpcError> {
    let mut all = Vec::new();
    for Layout { kind, discriminator, number, present } in EARLIER {
        let listing = rpc.of_layout(&discriminator, guard).await?;
        all.extend(listing.updates.into_iter().map(|update| Earlier {
            kind,
            key: update.key,
            layout: number,
            present,
        }));
    }
    all.sort_by_key(|earlier| (earlier.kind, earlier.key));
    Ok(all)
}

/// Brings an account to the present layout. Anyone may; where no key is named the root pays.
pub fn migrate((key, guard): (Pubkey, &Guard), earlier: &Earlier) -> Act {
    Act {
        what: format!("bring {} {} from layout {} to {}", earlier.kind, earlier.key, earlier.layout, earlier.present),
        when: "holds at once; every value stays, what is new is off".into(),
        moves: vec![],
        target: earlier.key,
        signers: vec![guard.roles.root],
        instructions: vec![admin::migrate_vault(key, earlier.key)],
        lasting: None,
    }
}
