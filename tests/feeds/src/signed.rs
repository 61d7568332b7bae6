//! Signed updates as Hermes sends them.
//!
//! Built with Pyth's own types, proofs included; the signatures are none. One is recorded from the network.

use pythnet_sdk::accumulators::Accumulator;
use pythnet_sdk::accumulators::merkle::MerkleTree;
use pythnet_sdk::hashers::keccak256_160::Keccak160;
use pythnet_sdk::messages::{Message, PriceFeedMessage};
use pythnet_sdk::wire::to_vec;
use pythnet_sdk::wire::v1::{
    AccumulatorUpdateData, MerklePriceUpdate, Proof, WormholeMerkleRoot, WormholeMessage, WormholePayload,
};

/// Prices beside those of an update in the tree that the message vouches for: proofs are as long as those of a network.
const OTHERS: usize = 1_000;
/// Bytes of one signature with the number of its signer.
const SIGNATURE_LEN: usize = 66;
/// What a message says of itself, between signatures and payload.
const BODY_LEN: usize = 51;

/// An update of USDC/USD as Hermes gave it out, in base64: 100,000,966 at 10^-8 with a confidence of 64,208, published at 1,730,802,926
/// (5 November 2024), under 13 signatures of the fourth set of guardians.
///
/// # Source
/// Recorded from Pyth's public service.
pub const RECORDED_USDC_USD: &str = include_str!("../recorded/usdc-usd.base64");

/// One price of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedPrice {
    /// The feed.
    pub feed_id: [u8; 32],
    /// US dollars for one whole token, times ten to the power of minus `exponent`.
    pub price_mantissa: i64,
    /// Half the width of the confidence interval, in the same unit.
    pub conf: u64,
    /// Power of ten of both.
    pub exponent: i32,
    /// When it was published, unix seconds.
    pub publish_time: i64,
}

/// Returns an update that has these prices, under `signatures` signatures that nobody made.
///
/// # Shape
/// `PNAU`, version 1.0, the message with its signatures, and for each price its bytes and its proof.
pub fn signed_update(prices: &[SignedPrice], signatures: u8) -> Vec<u8> {
    let messages: Vec<Vec<u8>> = prices.iter().map(message).collect();
    let others: Vec<Vec<u8>> = (0..OTHERS).map(|n| n.to_be_bytes().to_vec()).collect();
    let leaves: Vec<&[u8]> = messages.iter().chain(&others).map(Vec::as_slice).collect();
    let tree = MerkleTree::<Keccak160>::new(&leaves).expect("there are leaves");
    let mut root = [0; 20];
    root.copy_from_slice(tree.root.as_bytes());
    let said = WormholeMessage::new(WormholePayload::Merkle(WormholeMerkleRoot { slot: 1, ring_size: 1, root }));
    // version, index of the set of signers, count of signatures
    let mut vaa = vec![1, 0, 0, 0, 4, signatures];
    vaa.extend(vec![5; SIGNATURE_LEN * usize::from(signatures) + BODY_LEN]);
    vaa.extend(to_vec::<_, byteorder::BE>(&said).expect("a vector takes every byte"));
    let update = |message: Vec<u8>| MerklePriceUpdate {
        proof: tree.prove(&message).expect("it is a leaf"),
        message: message.into(),
    };
    let updates = messages.into_iter().map(update).collect();
    let proof = Proof::WormholeMerkle { vaa: vaa.into(), updates };
    to_vec::<_, byteorder::BE>(&AccumulatorUpdateData::new(proof)).expect("a vector takes every byte")
}

fn message(price: &SignedPrice) -> Vec<u8> {
    let message = PriceFeedMessage {
        feed_id: price.feed_id,
        price: price.price_mantissa,
        conf: price.conf,
        exponent: price.exponent,
        publish_time: price.publish_time,
        prev_publish_time: price.publish_time.saturating_sub(1),
        ema_price: price.price_mantissa,
        ema_conf: price.conf,
    };
    to_vec::<_, byteorder::BE>(&Message::PriceFeedMessage(message)).expect("a vector takes every byte")
}
