//! Price accounts of Pythnet, asked for over RPC.
//!
//! Read by offset. The only published reader, `pyth-sdk-solana`, calls itself an internal detail of Pythnet and is no
//! longer meant for others; six fields at fixed places need no dependency, and no decision rests on them.
//!
//! # Source
//! pyth-network/pyth-client, `program/rust/src/accounts/price.rs` (`PriceAccount`, `PriceInfo`).

use super::{FeedId, Said, SignalError};
use crate::chain::rpc::Rpc;
use crate::config::{Commitment, SignalSettings};
use crate::metrics::Metrics;
use anchor_lang::prelude::{Pubkey, pubkey};
use rampart::oracle::RawReading;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::sleep;

/// Owner of price accounts on Pythnet.
pub(super) const OWNER: Pubkey = pubkey!("FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH");
/// The account's own magic number, version and type.
pub(super) const HEAD: [u32; 3] = [0xa1b2_c3d4, 2, 3];
/// State of a price that counts.
pub(super) const TRADING: u32 = 1;

/// Where the fields are.
pub(super) mod offset {
    pub const EXPONENT: usize = 20;
    pub const TIMESTAMP: usize = 96;
    pub const PRICE: usize = 208;
    pub const CONFIDENCE: usize = 216;
    pub const STATUS: usize = 224;
    pub const END: usize = 240;
}

/// Asks for the accounts of `feeds` again and again and tells `tell`, until it is cancelled or a request fails.
///
/// # Errors
/// Always: it has no end of its own.
pub(super) async fn poll(
    settings: &SignalSettings,
    metrics: &Metrics,
    feeds: &BTreeSet<FeedId>,
    mut tell: impl FnMut(&Said),
) -> Result<(), SignalError> {
    let rpc = Rpc::new(&settings.url, Commitment::Confirmed, metrics.clone());
    let keys: Vec<Pubkey> = feeds.iter().copied().map(Pubkey::new_from_array).collect();
    loop {
        let listing = rpc.accounts(&keys).await?;
        let mut heard = Vec::new();
        for update in listing.updates.iter().filter(|update| !update.is_absent()) {
            // a price that is not traded now is no price; the account is fine
            heard.extend(read(&update.owner, &update.data)?.map(|raw| (update.key.to_bytes(), raw)));
        }
        tell(&Said { prices: heard, signed: Vec::new() });
        sleep(Duration::from_millis(settings.poll_ms)).await;
    }
}

/// Reads a price account; `None` while its price doesn't count.
pub(super) fn read(owner: &Pubkey, data: &[u8]) -> Result<Option<RawReading>, SignalError> {
    if *owner != OWNER {
        return Err(SignalError::Malformed("an account belongs to another program"));
    }
    if data.len() < offset::END {
        return Err(SignalError::Malformed("an account is too short"));
    }
    let head = [0, 4, 8].map(|at| u32::from_le_bytes(bytes(data, at)));
    if head != HEAD {
        return Err(SignalError::Malformed("an account is no price"));
    }
    let raw = RawReading {
        price: i64::from_le_bytes(bytes(data, offset::PRICE)).into(),
        confidence: u64::from_le_bytes(bytes(data, offset::CONFIDENCE)).into(),
        exponent: i32::from_le_bytes(bytes(data, offset::EXPONENT)),
        publish_ts: i64::from_le_bytes(bytes(data, offset::TIMESTAMP)),
    };
    Ok((u32::from_le_bytes(bytes(data, offset::STATUS)) == TRADING).then_some(raw))
}

fn bytes<const N: usize>(data: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&data[at..at + N]);
    out
}
