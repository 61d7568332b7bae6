//! Bytes of oracle accounts, as Pyth, Switchboard and SPL stake pools write them.
//!
//! Owns the writing side of the formats; `rampart::oracle` owns the reading side, and the tests below hold one against
//! the other. Used by the LiteSVM suites and by the local network, which plays markets into such accounts.

mod signed;

pub use signed::{RECORDED_USDC_USD, SignedPrice, signed_update};

use anchor_lang::AccountSerialize;
use anchor_lang::prelude::Pubkey;
use pyth_solana_receiver_sdk::price_update::{PriceFeedMessage, PriceUpdateV2};

pub use pyth_solana_receiver_sdk::price_update::VerificationLevel;

/// Size of a Pyth price update account, bytes.
pub const PYTH_ACCOUNT_LEN: usize = PriceUpdateV2::LEN;
/// Size of a Switchboard pull feed account, bytes.
pub const SWITCHBOARD_ACCOUNT_LEN: usize = 3_208;
/// Size of an SPL stake pool account, bytes.
pub const STAKE_POOL_ACCOUNT_LEN: usize = 611;

/// Returns the data of a Pyth `PriceUpdateV2` account.
///
/// The moving average repeats the price, and the previous publish time lies one second back.
///
/// # Shape
/// 134 bytes with the discriminator. To be owned by one of `rampart::oracle::PYTH_RECEIVER` and
/// `PYTH_RECEIVER_COMPATIBLE`.
///
/// # Units
/// `price_mantissa` and `conf`: US dollars for one whole token, times ten to the power of minus `exponent` (150 dollars
/// at -8: 15_000_000_000). `publish_time`: unix seconds.
pub fn pyth_price_update(
    feed_id: [u8; 32],
    price_mantissa: i64,
    conf: u64,
    exponent: i32,
    publish_time: i64,
    posted_slot: u64,
    verification_level: VerificationLevel,
) -> Vec<u8> {
    let price_message = PriceFeedMessage {
        feed_id,
        price: price_mantissa,
        conf,
        exponent,
        publish_time,
        prev_publish_time: publish_time.saturating_sub(1),
        ema_price: price_mantissa,
        ema_conf: conf,
    };
    let update = PriceUpdateV2 { write_authority: Pubkey::default(), verification_level, price_message, posted_slot };
    let mut data = Vec::with_capacity(PYTH_ACCOUNT_LEN);
    update.try_serialize(&mut data).expect("a vector takes every byte");
    data.resize(PYTH_ACCOUNT_LEN, 0);
    data
}

/// Returns the data of a Switchboard On-Demand pull feed account with one result, taken from its first submission.
///
/// # Shape
/// 3,208 bytes with the discriminator. To be owned by one of `rampart::oracle::SWITCHBOARD_ON_DEMAND` and
/// `SWITCHBOARD_ON_DEMAND_DEVNET`.
///
/// # Units
/// `value_1e18` and `std_dev_1e18`: US dollars for one whole token, times 10¹⁸. `timestamp`: unix seconds, written both
/// as the time of the submission and as that of the last update. `slot`: that of the result; zero means there is none.
///
/// # Source
/// switchboard-on-demand 0.13.0, `PullFeedAccountData`.
pub fn switchboard_pull_feed(value_1e18: i128, std_dev_1e18: i128, timestamp: i64, slot: u64) -> Vec<u8> {
    const FIRST_SUBMISSION: usize = 8;
    const RESULT: usize = 2_264;
    let mut data = vec![0; SWITCHBOARD_ACCOUNT_LEN];
    let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &[0xc4, 0x1b, 0x6c, 0xc4, 0x0a, 0xd7, 0xdb, 0x28]);
    // the submission: oracle, slot signed, slot landed, value
    put(FIRST_SUBMISSION + 32, &slot.to_le_bytes());
    put(FIRST_SUBMISSION + 40, &slot.to_le_bytes());
    put(FIRST_SUBMISSION + 48, &value_1e18.to_le_bytes());
    put(2_215, &[1]); // min_sample_size
    put(2_216, &timestamp.to_le_bytes()); // last_update_timestamp
    // the result: value, deviation, mean, range (zero), lowest, highest, samples, slots
    put(RESULT, &value_1e18.to_le_bytes());
    put(RESULT + 16, &std_dev_1e18.to_le_bytes());
    for at in [RESULT + 32, RESULT + 64, RESULT + 80] {
        put(at, &value_1e18.to_le_bytes());
    }
    put(RESULT + 96, &[1]);
    for at in [RESULT + 104, RESULT + 112, RESULT + 120] {
        put(at, &slot.to_le_bytes());
    }
    put(2_952, &timestamp.to_le_bytes()); // submission_timestamps[0]
    data
}

/// Returns the data of an SPL stake pool account: a live one without fees, lockup or preferred validators.
///
/// # Shape
/// 611 bytes, as the provider allocates; to be owned by `rampart::oracle::rate::SPL_STAKE_POOL`.
///
/// # Units
/// `total_lamports`: SOL of the pool. `pool_token_supply`: base units of its token, of nine decimals.
///
/// # Source
/// spl-stake-pool 2.2.0, `StakePool`, borsh. The suites hold these bytes against the provider's own.
pub fn stake_pool(total_lamports: u64, pool_token_supply: u64, last_update_epoch: u64) -> Vec<u8> {
    let mut data = vec![0; STAKE_POOL_ACCOUNT_LEN];
    data[0] = 1; // account_type
    let fields = [(258, total_lamports), (266, pool_token_supply), (274, last_update_epoch)];
    for (at, value) in fields {
        data[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart::math::Price;
    use rampart::oracle::{
        Invalid, OracleAccount, PYTH_RECEIVER, PYTH_RECEIVER_COMPATIBLE, Reading, SWITCHBOARD_ON_DEMAND, read_source,
    };
    use rampart::state::oracle_set::{OracleSource, Pin, SourceKind};

    const NOW: i64 = 1_700_000_000;
    const FEED: [u8; 32] = [3; 32];
    const ACCOUNT: Pubkey = Pubkey::new_from_array([4; 32]);

    fn read(kind: SourceKind, program: Pubkey, data: &[u8]) -> Result<Reading, Invalid> {
        let source = OracleSource {
            program,
            account: ACCOUNT,
            feed_id: FEED,
            max_age_secs: 90,
            max_confidence_bps: 200,
            kind: kind as u8,
            pin: Pin::Account as u8,
            publisher: 1,
            reserved: [0; 7],
        };
        read_source(&source, &OracleAccount { key: &ACCOUNT, owner: &program, data }, NOW).unwrap().reading
    }

    #[test]
    fn pyth_update_is_read_back_from_both_receivers() {
        let data = pyth_price_update(FEED, 15_012_345_678, 5_000_000, -8, NOW - 3, 9, VerificationLevel::Full);
        assert_eq!(data.len(), 134);
        for program in [PYTH_RECEIVER, PYTH_RECEIVER_COMPATIBLE] {
            let reading = read(SourceKind::Pyth, program, &data).unwrap();
            assert_eq!(reading.price, Price::from_decimal(15_012_345_678, -8).unwrap());
            assert_eq!(reading.confidence_q64, (1_u128 << 64).div_ceil(20));
            assert_eq!(reading.publish_ts, NOW - 3);
        }
    }

    #[test]
    fn partial_pyth_update_is_read_as_partial() {
        let level = VerificationLevel::Partial { num_signatures: 5 };
        let data = pyth_price_update(FEED, 1, 0, 0, NOW, 9, level);
        assert_eq!((data.len(), read(SourceKind::Pyth, PYTH_RECEIVER, &data)), (134, Err(Invalid::Partial)));
    }

    #[test]
    fn switchboard_feed_is_read_back() {
        let (value, deviation) = (150_123_456_780_000_000_000, 50_000_000_000_000_000);
        let data = switchboard_pull_feed(value, deviation, NOW - 3, 9);
        assert_eq!(data.len(), 3_208);
        let reading = read(SourceKind::Switchboard, SWITCHBOARD_ON_DEMAND, &data).unwrap();
        assert_eq!(reading.price, Price::from_decimal(15_012_345_678, -8).unwrap());
        assert_eq!(reading.confidence_q64, (1_u128 << 64).div_ceil(20));
        assert_eq!(reading.publish_ts, NOW - 3);
    }

    #[test]
    fn switchboard_feed_without_a_slot_has_no_result() {
        let data = switchboard_pull_feed(1, 0, NOW, 0);
        assert_eq!(read(SourceKind::Switchboard, SWITCHBOARD_ON_DEMAND, &data), Err(Invalid::TooFewSamples));
    }
}
