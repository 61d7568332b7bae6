//! Exchange rates: what a pool has to say, how far its rate counts, and what becomes of the band.

use super::*;
use crate::constants::YEAR_SECS;
use crate::math::wide::{mul_div_ceil, mul_div_floor};
use crate::oracle::rate::{self, CLOCK, Rate, Ratio, SPL_STAKE_POOL};
use crate::oracle::stake_pool::offset;
use crate::state::RateKind;
use proptest::prelude::*;

const POOL: Pubkey = Pubkey::new_from_array([5; 32]);
const EPOCH: u64 = 700;
const SOL: u64 = 1_000_000_000;

/// One source of a stake pool's token: 1.2 SOL, at most 10 % a year, at most an epoch old.
fn rated() -> OracleSet {
    let rate = RateSource {
        account: POOL,
        snapshot_e9: 1_200_000_000,
        snapshot_ts: NOW,
        max_growth_bps: 1_000,
        max_age_epochs: 1,
        kind: RateKind::SplStakePool as u8,
        reserved: [0; 4],
    };
    OracleSet { rate, ..set_of(1, 1, 100) }
}

fn pool(total_lamports: u64, supply: u64, epoch: u64) -> Vec<u8> {
    let mut data = vec![0; 611];
    data[0] = 1;
    let fields = [
        (offset::TOTAL_LAMPORTS, total_lamports),
        (offset::POOL_TOKEN_SUPPLY, supply),
        (offset::LAST_UPDATE_EPOCH, epoch),
    ];
    for (at, value) in fields {
        data[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }
    data
}

fn clock() -> Vec<u8> {
    let mut data = vec![0xee; 40];
    data[16..24].copy_from_slice(&EPOCH.to_le_bytes());
    data
}

fn read_pool(set: &OracleSet, data: &[u8]) -> RateReading {
    let clock = clock();
    let accounts = [
        OracleAccount { key: &POOL, owner: &SPL_STAKE_POOL, data },
        OracleAccount { key: &CLOCK, owner: &Pubkey::default(), data: &clock },
    ];
    rate::read(set, accounts, NOW).unwrap()
}

fn rate_of(reading: RateReading) -> Rate {
    let RateReading::Rated(rate) = reading else { panic!("{reading:?} is no rate") };
    rate
}

fn price(dollars: u128) -> Price {
    Price::from_q64(dollars * Q64_ONE).unwrap()
}

/// 149, 150 and 151 dollars for the base token.
fn base() -> PriceBand {
    PriceBand { lo: price(149), mid: price(150), hi: price(151), publish_ts: [Some(NOW), None, None], sources: 1 }
}

#[test]
fn pool_within_the_cap_multiplies_the_whole_band() {
    let reading = read_pool(&rated(), &pool(1_100 * SOL, 1_000 * SOL, EPOCH));
    assert!(!reading.is_capped());
    let band = reading.apply(base()).unwrap();
    assert_eq!(band.mid, price(165));
    assert_eq!(band.lo.q64(), 149 * Q64_ONE * 11 / 10);
    assert_eq!(band.hi.q64(), (151 * Q64_ONE * 11).div_ceil(10));
    assert_eq!((band.sources, band.publish_ts), (1, base().publish_ts));
}

/// marginfi L-04: the multiplier jumps while the base price is flat.
#[test]
fn case_034_rate_beyond_its_cap_counts_at_the_cap_and_for_owners_a_little_more() {
    let reading = read_pool(&rated(), &pool(2_000 * SOL, 1_000 * SOL, EPOCH));
    assert!(reading.is_capped());
    let band = reading.apply(base()).unwrap();
    assert_eq!(band.mid, price(180));
    assert_eq!(band.lo.q64(), 149 * Q64_ONE * 12 / 10);
    // 100 bps beyond the cap: 151 · 1.212
    assert_eq!(band.hi.q64(), (151 * Q64_ONE * 1_212).div_ceil(1_000));
    // between both the high end follows the pool
    let near = read_pool(&rated(), &pool(1_210 * SOL, 1_000 * SOL, EPOCH));
    let band = near.apply(base()).unwrap();
    assert!(near.is_capped());
    assert_eq!((band.mid, band.hi.q64()), (price(180), (151 * Q64_ONE * 121).div_ceil(100)));
}

#[test]
fn case_034_fall_of_the_rate_counts_at_once_and_in_full() {
    let band = read_pool(&rated(), &pool(600 * SOL, 1_000 * SOL, EPOCH)).apply(base()).unwrap();
    assert_eq!(band.mid, price(90));
}

#[test]
fn cap_grows_with_time() {
    let clock = clock();
    let data = pool(1_320 * SOL, 1_000 * SOL, EPOCH);
    for (after, is_capped) in [(YEAR_SECS as i64 - 1_000, true), (YEAR_SECS as i64, false)] {
        let accounts = [
            OracleAccount { key: &POOL, owner: &SPL_STAKE_POOL, data: &data },
            OracleAccount { key: &CLOCK, owner: &Pubkey::default(), data: &clock },
        ];
        assert_eq!(rate::read(&rated(), accounts, NOW + after).unwrap().is_capped(), is_capped);
    }
}

#[test]
fn pool_that_says_nothing_sound_leaves_no_price() {
    let good = pool(SOL, SOL, EPOCH);
    let mut list = good.clone();
    list[0] = 2;
    let cases = [
        (pool(SOL, SOL, EPOCH - 2), Invalid::RateTooOld),
        (pool(SOL, SOL, 0), Invalid::RateTooOld),
        (pool(SOL, SOL, EPOCH + 1), Invalid::FromFuture),
        (pool(0, SOL, EPOCH), Invalid::NotPositive),
        (pool(SOL, 0, EPOCH), Invalid::NotPositive),
        (vec![0; 611], Invalid::BadData),
        (list, Invalid::BadData),
        (good[..offset::END - 1].to_vec(), Invalid::BadData),
        (vec![], Invalid::Missing),
    ];
    for (data, expected) in cases {
        let reading = read_pool(&rated(), &data);
        assert_eq!(reading, RateReading::Unknown(expected));
        assert_eq!(reading.apply(base()).unwrap_err(), RampartError::PriceIndeterminate);
        let asset = AssetReading { rate: reading, ..fresh() };
        assert_eq!(asset.band(&rated(), NOW).unwrap_err(), RampartError::PriceIndeterminate);
        assert_eq!(asset.age_secs(&rated(), NOW), None, "an asset without its rate is blind");
    }
    assert_eq!(
        rate_of(read_pool(&rated(), &pool(SOL, SOL, EPOCH - 1))).low,
        Ratio { numerator: SOL, denominator: SOL }
    );
}

/// One source at 150 dollars.
fn fresh() -> AssetReading {
    let mut asset = AssetReading::unread(1);
    asset.sources[0] =
        SourceReading { reading: Ok(Reading { price: price(150), confidence_q64: 0, publish_ts: NOW - 1 }) };
    asset
}

#[test]
fn pool_of_another_program_is_unknown_and_another_account_is_refused() {
    let (data, clock, set) = (pool(SOL, SOL, EPOCH), clock(), rated());
    let read = |pool: (&Pubkey, &Pubkey), clock_key: &Pubkey, clock: &[u8]| {
        let accounts = [
            OracleAccount { key: pool.0, owner: pool.1, data: &data },
            OracleAccount { key: clock_key, owner: &Pubkey::default(), data: clock },
        ];
        rate::read(&set, accounts, NOW)
    };
    assert_eq!(read((&POOL, &PYTH_RECEIVER), &CLOCK, &clock), Ok(RateReading::Unknown(Invalid::WrongOwner)));
    assert_eq!(read((&ACCOUNT, &SPL_STAKE_POOL), &CLOCK, &clock), Err(RampartError::OracleAccountMismatch));
    assert_eq!(read((&POOL, &SPL_STAKE_POOL), &ACCOUNT, &clock), Err(RampartError::OracleAccountMismatch));
    assert_eq!(read((&POOL, &SPL_STAKE_POOL), &CLOCK, &[]), Ok(RateReading::Unknown(Invalid::Undated)));
}

#[test]
fn asset_with_a_rate_is_read_from_two_more_accounts() {
    let (set, data, clock) = (rated(), pool(1_100 * SOL, 1_000 * SOL, EPOCH), clock());
    let update = pyth(|message| message.publish_time = NOW);
    let accounts = [
        OracleAccount { key: &ACCOUNT, owner: &PYTH_RECEIVER, data: &update },
        OracleAccount { key: &POOL, owner: &SPL_STAKE_POOL, data: &data },
        OracleAccount { key: &CLOCK, owner: &Pubkey::default(), data: &clock },
    ];
    assert_eq!(set.account_count(), 3);
    assert!(matches!(read_all(&set, &accounts, NOW).unwrap().rate, RateReading::Rated(_)));
    for missing in [0, 1, 2] {
        assert_eq!(read_all(&set, &accounts[..missing], NOW).unwrap_err(), RampartError::OracleAccountsMissing);
    }
    let unknown = OracleSet { rate: RateSource { kind: 9, ..set.rate }, ..set };
    assert_eq!(read_all(&unknown, &accounts, NOW).unwrap_err(), RampartError::UnknownStoredValue);
}

#[test]
fn product_that_is_no_price_leaves_none() {
    let least = PriceBand { lo: Price::from_q64(1 << 32).unwrap(), ..base() };
    let half = read_pool(&rated(), &pool(1, 2, EPOCH));
    assert_eq!(half.apply(least).unwrap_err(), RampartError::PriceIndeterminate);
    let most = PriceBand { hi: Price::from_q64(1 << 112).unwrap(), ..base() };
    let more = read_pool(&rated(), &pool(11, 10, EPOCH));
    assert_eq!(more.apply(most).unwrap_err(), RampartError::PriceIndeterminate);
}

proptest! {
    /// The low end never exceeds the cap or the pool, the high end never the pool; both are exact to the last unit.
    #[test]
    fn band_stays_between_cap_and_pool(total in 1u64..=u64::MAX, supply in 1u64..=u64::MAX, mid in 1u128 << 60..1u128 << 75) {
        let set = rated();
        let rate = rate_of(read_pool(&set, &pool(total, supply, EPOCH)));
        let mid = Price::from_q64(mid).unwrap();
        let band = PriceBand { lo: mid, mid, hi: mid, ..base() };
        if let Ok(out) = RateReading::Rated(rate).apply(band) {
            let cap = mul_div_floor(mid.q64(), 1_200_000_000, 1_000_000_000).unwrap();
            let true_floor = mul_div_floor(mid.q64(), total.into(), supply.into()).unwrap_or(u128::MAX);
            let true_ceil = mul_div_ceil(mid.q64(), total.into(), supply.into()).unwrap_or(u128::MAX);
            prop_assert_eq!(out.mid.q64(), cap.min(true_floor));
            prop_assert!(out.lo <= out.mid && out.mid <= out.hi);
            prop_assert!(out.hi.q64() <= true_ceil);
            prop_assert!(out.hi.q64() <= mul_div_ceil(mid.q64(), 1_212_000_000, 1_000_000_000).unwrap());
        }
    }

    #[test]
    fn no_bytes_of_a_pool_panic(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_pool(&rated(), &data).apply(base());
    }
}
