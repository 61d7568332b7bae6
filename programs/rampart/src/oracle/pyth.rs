//! Pyth `PriceUpdateV2`, as both receiver programs write it.
//!
//! Owns that format alone. The SDK's own getters aren't used: they take no account from the second receiver, panic on
//! large ages, and let future times, zero prices and positive exponents pass.

use crate::oracle::{Invalid, RawReading};
use anchor_lang::AccountDeserialize;
use core::result::Result;
use pyth_solana_receiver_sdk::price_update::{PriceUpdateV2, VerificationLevel};

/// Decodes a price update of `feed_id`.
///
/// # Shape
/// 134 bytes, the discriminator first; one of them is slack where the verification is full.
///
/// # Errors
/// `BadData` for another discriminator or too few bytes, `WrongFeed` for another feed, `Partial` unless the signatures
/// of a full quorum were verified.
///
/// # Source
/// <https://docs.pyth.network/price-feeds/core/use-real-time-data/pull-integration/solana>
pub fn decode(data: &[u8], feed_id: &[u8; 32]) -> Result<RawReading, Invalid> {
    let update = PriceUpdateV2::try_deserialize(&mut &*data).map_err(|_| Invalid::BadData)?;
    let message = update.price_message;
    if message.feed_id != *feed_id {
        return Err(Invalid::WrongFeed);
    }
    if update.verification_level != VerificationLevel::Full {
        return Err(Invalid::Partial);
    }
    Ok(RawReading {
        price: i128::from(message.price),
        confidence: u128::from(message.conf),
        exponent: message.exponent,
        publish_ts: message.publish_time,
    })
}
