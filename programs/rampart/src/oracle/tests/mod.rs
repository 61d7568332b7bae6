//! What the tests of this module share: sources, accounts, readings.

mod agreement;
mod dead;
mod exchange;
mod reading;

use super::*;
use crate::math::price::Q64_ONE;
use crate::state::RateSource;
use anchor_lang::AccountSerialize;
use pyth_solana_receiver_sdk::price_update::{PriceFeedMessage, PriceUpdateV2, VerificationLevel};

/// The chain's clock in these tests.
const NOW: i64 = 1_700_000_000;
const FEED: [u8; 32] = [7; 32];
const ACCOUNT: Pubkey = Pubkey::new_from_array([9; 32]);

fn source(kind: SourceKind, pin: Pin) -> OracleSource {
    let (program, feed_id) = match kind {
        SourceKind::Pyth => (PYTH_RECEIVER, FEED),
        SourceKind::Switchboard => (SWITCHBOARD_ON_DEMAND, [0; 32]),
    };
    OracleSource {
        program,
        account: if pin == Pin::Account { ACCOUNT } else { Pubkey::default() },
        feed_id,
        max_age_secs: 90,
        max_confidence_bps: 200,
        kind: kind as u8,
        pin: pin as u8,
        publisher: 1,
        reserved: [0; 7],
    }
}

fn set_of(count: u8, required: u8, max_disagree_bps: u16) -> OracleSet {
    let sources = [source(SourceKind::Pyth, Pin::Account); MAX_SOURCES];
    OracleSet { sources, count, required, max_disagree_bps, reserved: [0; 4], rate: RateSource::UNRATED }
}

/// A full update of `FEED`: 150 dollars, give or take 10 cents, 10 seconds old.
fn update() -> PriceUpdateV2 {
    PriceUpdateV2 {
        write_authority: Pubkey::default(),
        verification_level: VerificationLevel::Full,
        price_message: PriceFeedMessage {
            feed_id: FEED,
            price: 15_000_000_000,
            conf: 10_000_000,
            exponent: -8,
            publish_time: NOW - 10,
            prev_publish_time: NOW - 11,
            ema_price: 1,
            ema_conf: 1,
        },
        posted_slot: 1,
    }
}

fn pyth_bytes(change: impl FnOnce(&mut PriceUpdateV2)) -> Vec<u8> {
    let mut update = update();
    change(&mut update);
    let mut bytes = Vec::new();
    update.try_serialize(&mut bytes).unwrap();
    bytes.resize(PriceUpdateV2::LEN, 0);
    bytes
}

/// As [`pyth_bytes`], with another message.
fn pyth(change: impl FnOnce(&mut PriceFeedMessage)) -> Vec<u8> {
    pyth_bytes(|update| change(&mut update.price_message))
}

/// The same price as a pull feed.
fn switchboard_bytes(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    use switchboard::offset as at;
    let mut bytes = vec![0; switchboard::ACCOUNT_LEN];
    bytes[..8].copy_from_slice(&switchboard::DISCRIMINATOR);
    put(&mut bytes, at::LAST_UPDATE_TS, (NOW - 1).to_le_bytes());
    put(&mut bytes, at::VALUE, 150_000_000_000_000_000_000_i128.to_le_bytes());
    put(&mut bytes, at::STD_DEV, 100_000_000_000_000_000_i128.to_le_bytes());
    put(&mut bytes, at::NUM_SAMPLES, [3]);
    put(&mut bytes, at::SUBMISSION_IDX, [2]);
    put(&mut bytes, at::SLOT, 77_u64.to_le_bytes());
    put(&mut bytes, at::SUBMISSION_TS + 16, (NOW - 10).to_le_bytes());
    change(&mut bytes);
    bytes
}

fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&value);
}

/// Reads `data` as what `source` pins: right program, right account.
fn read(source: &OracleSource, data: &[u8]) -> Result<Result<Reading, Invalid>, RampartError> {
    let account = OracleAccount { key: &ACCOUNT, owner: &source.program, data };
    read_source(source, &account, NOW).map(|said| said.reading)
}

fn dollars(n: u128) -> Price {
    Price::from_q64(n * Q64_ONE).unwrap()
}
