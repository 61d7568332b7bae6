//! Updates in these tests are built with Pyth's own types: their proofs hold, their signatures are none, and no cluster has
//! taken them. One is recorded from Hermes.

use super::wire::{HEAD, discriminator};
use super::*;
use crate::submit::PACKET_BYTES;
use anchor_lang::prelude::Pubkey;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pyth_solana_receiver_sdk::PostUpdateParams;
use pyth_solana_receiver_sdk::pda::{get_config_address, get_treasury_address};
use pythnet_sdk::accumulators::merkle::{MerklePath, MerkleRoot};
use pythnet_sdk::hashers::keccak256_160::Keccak160;
use pythnet_sdk::wire::to_vec;
use pythnet_sdk::wire::v1::{AccumulatorUpdateData, MerklePriceUpdate, Proof};
use rampart::oracle::{PYTH_RECEIVER, PYTH_RECEIVER_COMPATIBLE, RawReading};
use rampart_feeds::{RECORDED_USDC_USD, SignedPrice, signed_update};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_sdk::hash::hashv;
use solana_sdk::instruction::Instruction;
use solana_sdk::message::Message;

mod desk;
mod recover;

/// SOL/USD.
const FEED: FeedId = [
    0xef, 0x0d, 0x8b, 0x6f, 0xda, 0x2c, 0xeb, 0xa4, 0x1d, 0xa1, 0x5d, 0x40, 0x95, 0xd1, 0xda, 0x39, 0x2a, 0x0d, 0x2f,
    0x8e, 0xd0, 0xc6, 0xc7, 0xbc, 0x0f, 0x4c, 0xfa, 0xc8, 0xc2, 0x80, 0xb5, 0x6d,
];
const PAYER: Pubkey = Pubkey::new_from_array([9; 32]);
const PUBLISHED: i64 = 1_700_000_000;
/// Signatures of the original receiver's quorum.
const QUORUM: u8 = 13;

type FeedId = crate::early::FeedId;

fn price(feed_id: FeedId, cents: i64, publish_time: i64) -> SignedPrice {
    SignedPrice { feed_id, price_mantissa: cents, conf: 1, exponent: -2, publish_time }
}

fn bytes(signatures: u8, feeds: &[FeedId]) -> Vec<u8> {
    let prices: Vec<SignedPrice> = feeds.iter().map(|feed| price(*feed, 100, PUBLISHED)).collect();
    signed_update(&prices, signatures)
}

fn update(signatures: u8) -> SignedUpdate {
    SignedUpdate::read(&bytes(signatures, &[FEED])).unwrap()
}

fn place(receiver: Pubkey) -> Place {
    let account = Cohort::of(&receiver).unwrap().feed_account(0, &FEED);
    Place::find(&account, &receiver, &FEED).unwrap()
}

/// How long a transaction of the keeper is.
fn sent_bytes(instructions: Vec<Instruction>) -> usize {
    // what every one has besides
    let budget =
        [ComputeBudgetInstruction::set_compute_unit_limit(1), ComputeBudgetInstruction::set_compute_unit_price(1)];
    let all: Vec<_> = budget.into_iter().chain(instructions).collect();
    let message = Message::new(&all, Some(&PAYER));
    assert_eq!(message.header.num_required_signatures, 1);
    1 + 64 + message.serialize().len()
}

/// What an update says of a feed, as the SDK reads it.
fn proved(bytes: &[u8]) -> (Vec<u8>, MerklePriceUpdate) {
    let Proof::WormholeMerkle { vaa, updates } = AccumulatorUpdateData::try_from_slice(bytes).unwrap().proof;
    (vaa.into(), updates.into_iter().next().unwrap())
}

#[test]
fn update_is_read_with_the_feeds_and_prices_in_it_or_refused() {
    let both = SignedUpdate::read(&bytes(QUORUM, &[FEED, [8; 32]])).unwrap();
    let expected = RawReading { price: 100, confidence: 1, exponent: -2, publish_ts: PUBLISHED };
    assert_eq!((both.price(&FEED), both.price(&[1; 32]), both.feeds().count()), (Some(&expected), None, 2));
    assert_eq!(both.signer_set(), [0, 0, 0, 4]);
    let whole = bytes(QUORUM, &[FEED]);
    assert_eq!(SignedUpdate::read(&whole[..whole.len() - 1]), Err(UpdateError::Format));
    assert_eq!(SignedUpdate::read(b"PNAV"), Err(UpdateError::Format));
    let read = |vaa: Vec<u8>, updates| {
        let proof = Proof::WormholeMerkle { vaa: vaa.into(), updates };
        SignedUpdate::read(&to_vec::<_, byteorder::BE>(&AccumulatorUpdateData::new(proof)).unwrap())
    };
    let torn = MerklePriceUpdate { message: vec![0; 9].into(), proof: MerklePath::new(vec![]) };
    assert_eq!(read(vec![1; 100], vec![torn]), Err(UpdateError::Message));
    assert_eq!(read(vec![1; 4], vec![]), Err(UpdateError::Short));
}

#[test]
fn recorded_update_of_the_network_is_read_fits_and_is_handed_on_byte_by_byte() {
    let whole = BASE64_STANDARD.decode(RECORDED_USDC_USD.trim_end()).unwrap();
    let update = SignedUpdate::read(&whole).unwrap();
    let feeds: Vec<FeedId> = update.feeds().copied().collect();
    let [feed] = feeds[..] else { panic!("{} feeds", feeds.len()) };
    assert_eq!(hex::encode(feed), "eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a");
    let expected = RawReading { price: 100_000_966, confidence: 64_208, exponent: -8, publish_ts: 1_730_802_926 };
    assert_eq!((update.price(&feed), update.signer_set()), (Some(&expected), [0, 0, 0, 4]));
    let (vaa, proved) = proved(&whole);
    assert_eq!(vaa[5], QUORUM);
    let root = MerkleRoot::<Keccak160>::new(vaa[vaa.len() - 20..].try_into().unwrap());
    assert!(root.check(proved.proof.clone(), proved.message.as_ref()), "the network's own proof");
    let account = Cohort::of(&PYTH_RECEIVER).unwrap().feed_account(0, &feed);
    let place = Place::find(&account, &PYTH_RECEIVER, &feed).unwrap();
    let (first, last) = (place.open(PAYER, &update).unwrap(), place.bring(PAYER, &update).unwrap());
    assert_eq!([&first[2].data[16..], &last[0].data[16..]].concat(), vaa);
    let params = PostUpdateParams { merkle_price_update: proved, treasury_id: account.to_bytes()[0] };
    let params = borsh::to_vec(&params).unwrap();
    assert_eq!(last[2].data[8..8 + params.len()], params);
    for (name, instructions) in [("first", first), ("second", last)] {
        let bytes = sent_bytes(instructions);
        assert!(bytes <= PACKET_BYTES, "the {name} transaction has {bytes} bytes");
    }
}

/// The programs' interfaces name instructions by the start of a hash, as Anchor does.
#[test]
fn discriminators_are_those_of_the_published_names() {
    let names = [
        ("init_encoded_vaa", discriminator::INIT),
        ("write_encoded_vaa", discriminator::WRITE),
        ("verify_encoded_vaa_v1", discriminator::VERIFY),
        ("close_encoded_vaa", discriminator::CLOSE),
        ("update_price_feed", discriminator::UPDATE),
    ];
    for (name, expected) in names {
        assert_eq!(hashv(&[b"global:", name.as_bytes()]).to_bytes()[..8], expected, "{name}");
    }
}

#[test]
fn addresses_are_those_of_the_sdk_and_of_the_published_list_of_feeds() {
    let [original, compatible] = Cohort::ALL;
    let of_sdk = (pyth_solana_receiver_sdk::ID, pyth_solana_receiver_sdk::PYTH_PUSH_ORACLE_ID);
    assert_eq!((original.receiver, original.push_oracle), of_sdk);
    assert_eq!(original.feed_account(0, &FEED).to_string(), "7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE");
    assert_eq!(compatible.feed_account(0, &FEED).to_string(), "7AviUf9nL62mcxNbQGKm4nKDQnPjswo6c5MX4D57HmyE");
    assert_eq!((Cohort::of(&PYTH_RECEIVER), Cohort::of(&PAYER)), (Some(original), None));
    let place = place(PYTH_RECEIVER);
    let last = place.bring(PAYER, &update(QUORUM)).unwrap();
    let keys: Vec<Pubkey> = last[2].accounts.iter().map(|meta| meta.pubkey).collect();
    let treasury = get_treasury_address(place.account.to_bytes()[0]);
    assert_eq!([keys[3], keys[4]], [get_config_address(), treasury]);
}

#[test]
fn account_is_postable_only_where_the_push_oracle_of_its_owner_keeps_it_for_that_feed() {
    let [original, compatible] = Cohort::ALL;
    let of_shard = |shard| Place::find(&original.feed_account(shard, &FEED), &PYTH_RECEIVER, &FEED);
    assert_eq!(of_shard(0).map(|place| (place.shard, place.cohort)), Some((0, original)));
    assert_eq!(of_shard(15).map(|place| place.shard), Some(15));
    assert_eq!(of_shard(16), None, "no shard that is known");
    let account = original.feed_account(0, &FEED);
    assert_eq!(Place::find(&account, &PYTH_RECEIVER, &[1; 32]), None, "another feed");
    assert_eq!(Place::find(&account, &PYTH_RECEIVER_COMPATIBLE, &FEED), None, "the other receiver");
    assert_eq!(Place::find(&account, &PAYER, &FEED), None, "no receiver");
    let other = Place::find(&compatible.feed_account(0, &FEED), &PYTH_RECEIVER_COMPATIBLE, &FEED);
    assert_eq!(other.map(|place| place.cohort), Some(compatible));
}

#[test]
fn posting_writes_the_whole_message_and_hands_the_sdks_parameters_to_the_push_oracle() {
    let (place, update) = (place(PYTH_RECEIVER), update(QUORUM));
    let (first, last) = (place.open(PAYER, &update).unwrap(), place.bring(PAYER, &update).unwrap());
    assert_eq!((first.len(), last.len()), (3, 4));
    let (vaa, proved) = proved(&bytes(QUORUM, &[FEED]));
    assert_eq!([&first[2].data[16..], &last[0].data[16..]].concat(), vaa);
    assert_eq!(last[0].data[8..12], u32::try_from(HEAD).unwrap().to_le_bytes());
    let treasury_id = place.account.to_bytes()[0];
    // the proof holds for the root at the message's end
    let root = MerkleRoot::<Keccak160>::new(vaa[vaa.len() - 20..].try_into().unwrap());
    assert!(root.check(proved.proof.clone(), proved.message.as_ref()));
    let params = PostUpdateParams { merkle_price_update: proved, treasury_id };
    let expected = [&discriminator::UPDATE[..], &borsh::to_vec(&params).unwrap(), &[0, 0], &FEED].concat();
    assert_eq!((last[2].program_id, &last[2].data), (place.cohort.push_oracle, &expected));
    // payer, receiver, message, config, treasury, feed, system: as the interface lists them
    let roles: Vec<_> = last[2].accounts.iter().map(|meta| (meta.is_signer, meta.is_writable)).collect();
    let (read, write) = ((false, false), (false, true));
    assert_eq!(roles, [(true, true), read, read, read, write, write, read]);
    let elsewhere = Place { feed: [1; 32], ..place };
    assert_eq!((elsewhere.open(PAYER, &update), elsewhere.bring(PAYER, &update)), (None, None));
}

/// Thirteen signatures are those of the original receiver's quorum; fewer take less.
#[test]
fn both_transactions_of_a_posting_fit_into_a_packet_and_only_the_payer_signs() {
    for (receiver, signatures) in [(PYTH_RECEIVER, QUORUM), (PYTH_RECEIVER_COMPATIBLE, 3)] {
        let (place, update) = (place(receiver), update(signatures));
        for instructions in [place.open(PAYER, &update).unwrap(), place.bring(PAYER, &update).unwrap()] {
            let len = sent_bytes(instructions);
            assert!(len <= PACKET_BYTES, "{signatures} signatures: {len} bytes");
        }
    }
}

#[test]
fn steps_of_one_update_have_fences_of_their_own_and_are_read_back() {
    for step in [Step::Open, Step::Price, Step::Close] {
        let fence = step.fence(PUBLISHED);
        let intent = Intent { class: ActionClass::Post, target: PAYER, fence, reason: String::new() };
        assert_eq!(Step::of(&intent), Some((step, PUBLISHED)));
        assert_eq!(ends_what_began(&intent), step != Step::Open);
        let other = Intent { class: ActionClass::Trip, ..intent };
        assert_eq!((Step::of(&other), ends_what_began(&other)), (None, false));
    }
    assert!(Step::Close.fence(PUBLISHED) < Step::Open.fence(PUBLISHED + 1));
}
