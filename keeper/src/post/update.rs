//! What Hermes sends to be brought on chain.
//!
//! An update is a message under the signatures of a quorum (a "VAA") and, for each feed, its price with the proof that it
//! is part of what the message vouches for. Signatures and proofs are the chain's to verify.
//!
//! # Source
//! pythnet-sdk 3.0.0, `wire::v1` and `messages`.

use crate::early::FeedId;
use pythnet_sdk::messages::Message;
use pythnet_sdk::wire::from_slice;
use pythnet_sdk::wire::v1::{AccumulatorUpdateData, MerklePriceUpdate, Proof};
use rampart::oracle::RawReading;
use std::collections::BTreeMap;
use thiserror::Error;

/// Where a message names the set of its signers, and how it is stored.
const SIGNERS: std::ops::Range<usize> = 1..5;

/// Why bytes are no update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UpdateError {
    /// They are no base64.
    #[error("it is no base64")]
    Encoding,
    /// They have another format.
    #[error("it is no update of the known version")]
    Format,
    /// A price in it can't be read.
    #[error("a price in it can't be read")]
    Message,
    /// Its message can't name its signers.
    #[error("its message is too short")]
    Short,
}

/// A signed update.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedUpdate {
    pub(super) message: Vec<u8>,
    prices: BTreeMap<FeedId, Signed>,
}

/// The price of one feed in an update.
#[derive(Clone, Debug, PartialEq)]
struct Signed {
    raw: RawReading,
    update: MerklePriceUpdate,
}

impl SignedUpdate {
    /// Reads what Hermes sends as `binary`, decoded.
    ///
    /// # Errors
    /// All of [`UpdateError`] but `Encoding`.
    pub fn read(bytes: &[u8]) -> Result<Self, UpdateError> {
        let data = AccumulatorUpdateData::try_from_slice(bytes).map_err(|_| UpdateError::Format)?;
        let Proof::WormholeMerkle { vaa, updates } = data.proof;
        let message: Vec<u8> = vaa.into();
        if message.len() < SIGNERS.end {
            return Err(UpdateError::Short);
        }
        let mut prices = BTreeMap::new();
        for update in updates {
            let said = from_slice::<byteorder::BE, Message>(update.message.as_ref());
            // other kinds of messages are none of a feed's account
            if let Message::PriceFeedMessage(said) = said.map_err(|_| UpdateError::Message)? {
                let raw = RawReading {
                    price: said.price.into(),
                    confidence: said.conf.into(),
                    exponent: said.exponent,
                    publish_ts: said.publish_time,
                };
                prices.insert(said.feed_id, Signed { raw, update });
            }
        }
        Ok(Self { message, prices })
    }

    /// Returns the feeds that it has a price of.
    pub fn feeds(&self) -> impl Iterator<Item = &FeedId> {
        self.prices.keys()
    }

    /// Returns the price of a feed in it.
    pub fn price(&self, feed: &FeedId) -> Option<&RawReading> {
        self.prices.get(feed).map(|signed| &signed.raw)
    }

    pub(super) fn proved(&self, feed: &FeedId) -> Option<&MerklePriceUpdate> {
        self.prices.get(feed).map(|signed| &signed.update)
    }

    pub(super) fn signer_set(&self) -> [u8; 4] {
        let mut index = [0; 4];
        // CANNOT panic: `read` refuses shorter messages
        index.copy_from_slice(&self.message[SIGNERS]);
        index
    }
}
