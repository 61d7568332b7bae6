use super::*;
use proptest::prelude::*;

const PYTH: (SourceKind, Pin) = (SourceKind::Pyth, Pin::Account);
const PYTH_FEED: (SourceKind, Pin) = (SourceKind::Pyth, Pin::Feed);
const SWITCHBOARD: (SourceKind, Pin) = (SourceKind::Switchboard, Pin::Account);

fn read_as((kind, pin): (SourceKind, Pin), data: &[u8]) -> Result<Result<Reading, Invalid>, RampartError> {
    read(&source(kind, pin), data)
}

#[track_caller]
fn assert_soft(what: (SourceKind, Pin), data: &[u8], expected: Invalid) {
    assert_eq!(read_as(what, data).unwrap(), Err(expected));
}

#[track_caller]
fn assert_hard(result: Result<impl core::fmt::Debug, RampartError>, expected: RampartError) {
    assert_eq!(result.unwrap_err(), expected);
}

#[test]
fn both_providers_read_the_same_price() {
    let tenth_up = (Q64_ONE).div_ceil(10);
    let expected = Reading { price: dollars(150), confidence_q64: tenth_up, publish_ts: NOW - 10 };
    assert_eq!(read_as(PYTH, &pyth_bytes(|_| {})).unwrap(), Ok(expected));
    assert_eq!(read_as(PYTH_FEED, &pyth_bytes(|_| {})).unwrap(), Ok(expected));
    assert_eq!(read_as(SWITCHBOARD, &switchboard_bytes(|_| {})).unwrap(), Ok(expected));
}

#[test]
fn every_known_program_is_read_and_no_other_is_known() {
    assert_eq!(PYTH_RECEIVER, pyth_solana_receiver_sdk::ID);
    for program in [PYTH_RECEIVER, PYTH_RECEIVER_COMPATIBLE] {
        assert!(is_known_program(SourceKind::Pyth, &program));
        assert!(!is_known_program(SourceKind::Switchboard, &program));
        let pinned = OracleSource { program, ..source(SourceKind::Pyth, Pin::Feed) };
        assert!(read(&pinned, &pyth_bytes(|_| {})).unwrap().is_ok());
    }
    for program in [SWITCHBOARD_ON_DEMAND, SWITCHBOARD_ON_DEMAND_DEVNET] {
        assert!(is_known_program(SourceKind::Switchboard, &program));
        assert!(!is_known_program(SourceKind::Pyth, &program));
        let pinned = OracleSource { program, ..source(SourceKind::Switchboard, Pin::Account) };
        assert!(read(&pinned, &switchboard_bytes(|_| {})).unwrap().is_ok());
    }
    assert!(!is_known_program(SourceKind::Pyth, &Pubkey::default()));
}

#[test]
fn one_receiver_does_not_stand_in_for_the_other() {
    let data = pyth_bytes(|_| {});
    let account = OracleAccount { key: &ACCOUNT, owner: &PYTH_RECEIVER_COMPATIBLE, data: &data };
    assert_hard(read_source(&source(SourceKind::Pyth, Pin::Feed), &account, NOW), RampartError::OracleOwnerMismatch);
    let said = read_source(&source(SourceKind::Pyth, Pin::Account), &account, NOW).unwrap();
    assert_eq!(said.reading, Err(Invalid::WrongOwner));
}

#[test]
fn another_account_than_the_pinned_one_is_an_error() {
    let other = Pubkey::new_from_array([8; 32]);
    for (kind, data) in [(SourceKind::Pyth, pyth_bytes(|_| {})), (SourceKind::Switchboard, switchboard_bytes(|_| {}))] {
        let pinned = source(kind, Pin::Account);
        let account = OracleAccount { key: &other, owner: &pinned.program, data: &data };
        assert_hard(read_source(&pinned, &account, NOW), RampartError::OracleAccountMismatch);
    }
}

#[test]
fn caller_cannot_switch_off_a_pinned_feed() {
    assert_hard(read_as(PYTH_FEED, &[]), RampartError::OracleOwnerMismatch);
    assert_hard(read_as(PYTH_FEED, &pyth_bytes(|_| {})[..100]), RampartError::OracleDataInvalid);
    assert_hard(read_as(PYTH_FEED, &switchboard_bytes(|_| {})), RampartError::OracleDataInvalid);
    let other_feed = pyth_bytes(|u| u.price_message.feed_id[31] = 0);
    assert_hard(read_as(PYTH_FEED, &other_feed), RampartError::OracleFeedMismatch);
    let partial = pyth_bytes(|u| u.verification_level = VerificationLevel::Partial { num_signatures: 12 });
    assert_hard(read_as(PYTH_FEED, &partial), RampartError::OracleDataInvalid);
}

#[test]
fn dead_pinned_account_is_a_missing_source_and_no_error() {
    for what in [PYTH, SWITCHBOARD] {
        assert_soft(what, &[], Invalid::Missing);
        assert_soft(what, &[1; 7], Invalid::BadData);
        assert_soft(what, &[0; 4_000], Invalid::BadData);
    }
    assert_soft(PYTH, &switchboard_bytes(|_| {}), Invalid::BadData);
    assert_soft(SWITCHBOARD, &pyth_bytes(|_| {}), Invalid::BadData);
}

#[test]
fn pinned_account_with_another_feed_or_partial_verification_is_soft() {
    assert_soft(PYTH, &pyth_bytes(|u| u.price_message.feed_id = [0; 32]), Invalid::WrongFeed);
    for num_signatures in [0, 5, 255] {
        let partial = pyth_bytes(|u| u.verification_level = VerificationLevel::Partial { num_signatures });
        assert_soft(PYTH, &partial, Invalid::Partial);
    }
}

#[test]
fn what_a_genuine_update_says_is_soft_however_it_is_pinned() {
    type Change = fn(&mut PriceFeedMessage);
    let cases: [(Change, Invalid); 12] = [
        (|m| m.price = 0, Invalid::NotPositive),
        (|m| m.price = -1, Invalid::NotPositive),
        (|m| m.price = i64::MIN, Invalid::NotPositive),
        (|m| m.exponent = 1, Invalid::BadExponent),
        (|m| m.exponent = -19, Invalid::BadExponent),
        (|m| m.exponent = i32::MIN, Invalid::BadExponent),
        (|m| m.publish_time = NOW + MAX_FUTURE_SECS + 1, Invalid::FromFuture),
        (|m| m.publish_time = i64::MAX, Invalid::FromFuture),
        (|m| m.publish_time = 0, Invalid::Undated),
        (|m| m.publish_time = i64::MIN, Invalid::Undated),
        (|m| (m.price, m.exponent) = ((1 << 48) + 1, 0), Invalid::OutOfRange),
        (|m| (m.price, m.exponent) = (1, -18), Invalid::OutOfRange),
    ];
    for (change, expected) in cases {
        let data = pyth_bytes(|u| change(&mut u.price_message));
        assert_soft(PYTH, &data, expected);
        assert_soft(PYTH_FEED, &data, expected);
    }
}

#[test]
fn bounds_themselves_are_read() {
    type Change = fn(&mut PriceFeedMessage);
    let cases: [Change; 5] = [
        |m| (m.price, m.exponent) = (1 << 48, 0),
        |m| (m.price, m.exponent) = (i64::MAX, -18),
        |m| m.publish_time = NOW + MAX_FUTURE_SECS,
        |m| m.publish_time = 1,
        |m| m.conf = u64::MAX,
    ];
    for change in cases {
        assert!(read_as(PYTH, &pyth_bytes(|u| change(&mut u.price_message))).unwrap().is_ok());
    }
}

#[test]
fn switchboard_result_is_checked() {
    use switchboard::offset as at;
    type Change = fn(&mut Vec<u8>);
    let cases: [(Change, Invalid); 10] = [
        (|b| b[0] ^= 1, Invalid::BadData),
        (|b| b.truncate(switchboard::ACCOUNT_LEN - 1), Invalid::BadData),
        (|b| b[at::NUM_SAMPLES] = 0, Invalid::TooFewSamples),
        (|b| b[at::MIN_SAMPLE_SIZE] = 4, Invalid::TooFewSamples),
        (|b| put(b, at::SLOT, [0; 8]), Invalid::TooFewSamples),
        (|b| b[at::SUBMISSION_IDX] = 32, Invalid::BadData),
        (|b| put(b, at::STD_DEV, (-1_i128).to_le_bytes()), Invalid::BadData),
        (|b| put(b, at::VALUE, [0; 16]), Invalid::NotPositive),
        (|b| put(b, at::VALUE, i128::MIN.to_le_bytes()), Invalid::NotPositive),
        (|b| put(b, at::VALUE, i128::MAX.to_le_bytes()), Invalid::OutOfRange),
    ];
    for (change, expected) in cases {
        assert_soft(SWITCHBOARD, &switchboard_bytes(change), expected);
    }
    assert!(read_as(SWITCHBOARD, &switchboard_bytes(|b| b.extend([0; 64]))).unwrap().is_ok());
}

/// `last_update_timestamp` moves with any valid response, also while an older result stays selected: a reader that took
/// it for the price's time liquidated healthy portfolios (percolator-prog, issue 405).
#[test]
fn switchboard_price_is_as_old_as_the_submission_it_comes_from() {
    use switchboard::offset as at;
    let old = NOW - 4_000;
    let data = switchboard_bytes(|b| {
        put(b, at::LAST_UPDATE_TS, NOW.to_le_bytes());
        put(b, at::SUBMISSION_TS + 16, old.to_le_bytes());
    });
    assert_eq!(read_as(SWITCHBOARD, &data).unwrap().unwrap().publish_ts, old);
    assert_soft(SWITCHBOARD, &switchboard_bytes(|b| put(b, at::SUBMISSION_TS + 16, [0; 8])), Invalid::Undated);
}

#[test]
fn source_that_was_never_valid_is_an_error() {
    let data = pyth_bytes(|_| {});
    let good = source(SourceKind::Pyth, Pin::Account);
    assert_hard(read(&OracleSource { kind: 9, ..good }, &data), RampartError::UnknownStoredValue);
    assert_hard(read(&OracleSource { pin: 0, ..good }, &data), RampartError::UnknownStoredValue);
    let unpinned = source(SourceKind::Switchboard, Pin::Feed);
    assert_hard(read(&unpinned, &switchboard_bytes(|_| {})), RampartError::OracleSetInvalid);
}

#[test]
fn accounts_of_an_instruction_are_read_in_the_order_of_the_set() {
    let mut set = set_of(2, 2, 100);
    set.sources[1] = source(SourceKind::Switchboard, Pin::Account);
    let (mut pyth, mut switchboard) = (pyth_bytes(|_| {}), switchboard_bytes(|_| {}));
    let (owner0, owner1) = (PYTH_RECEIVER, SWITCHBOARD_ON_DEMAND);
    let (mut lamports0, mut lamports1) = (1, 1);
    let accounts = [
        AccountInfo::new(&ACCOUNT, false, false, &mut lamports0, &mut pyth, &owner0, false),
        AccountInfo::new(&ACCOUNT, false, false, &mut lamports1, &mut switchboard, &owner1, false),
    ];
    let reading = read_accounts(&set, &accounts, NOW).unwrap();
    assert_eq!((reading.count, reading.sources[2].reading), (2, Err(Invalid::Missing)));
    assert_eq!(reading.band(&set, NOW).unwrap().sources, 2);
    assert_hard(read_accounts(&set, &accounts[..1], NOW), RampartError::OracleAccountsMissing);

    let raw = accounts.each_ref().map(|a| (a.key, a.owner, a.data.borrow()));
    let raw = raw.each_ref().map(|(key, owner, data)| OracleAccount { key, owner, data });
    assert_eq!(read_all(&set, &raw, NOW).unwrap(), reading);
    assert_hard(read_all(&set, &raw[..1], NOW), RampartError::OracleAccountsMissing);

    let swapped = [accounts[1].clone(), accounts[0].clone()];
    let dead = read_accounts(&set, &swapped, NOW).unwrap();
    assert_eq!(dead.sources[0].reading, Err(Invalid::WrongOwner));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(mut data in proptest::collection::vec(any::<u8>(), 0..3_300), kind in 0u8..3) {
        let disc: &[u8] = match kind {
            0 => &[0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd],
            1 => &switchboard::DISCRIMINATOR,
            _ => &[],
        };
        if data.len() >= disc.len() {
            data[..disc.len()].copy_from_slice(disc);
        }
        for what in [PYTH, SWITCHBOARD] {
            prop_assert!(read_as(what, &data).is_ok());
        }
        let _ = read_as(PYTH_FEED, &data);
    }

    #[test]
    fn random_fields_never_panic(price: i64, conf: u64, exponent in -20i32..2, publish_time: i64, value: i128, dev: i128) {
        let pyth = pyth_bytes(|u| {
            (u.price_message.price, u.price_message.conf) = (price, conf);
            (u.price_message.exponent, u.price_message.publish_time) = (exponent, publish_time);
        });
        let switchboard = switchboard_bytes(|b| {
            put(b, switchboard::offset::VALUE, value.to_le_bytes());
            put(b, switchboard::offset::STD_DEV, dev.to_le_bytes());
        });
        for (what, data) in [(PYTH, pyth), (SWITCHBOARD, switchboard)] {
            let set = OracleSet { sources: [source(what.0, what.1); 3], ..set_of(1, 1, 100) };
            let said = SourceReading { reading: read_as(what, &data).unwrap() };
            let asset = AssetReading { sources: [said; 3], count: 1, rate: RateReading::Unrated };
            for now in [NOW, i64::MIN, i64::MAX] {
                let _ = (asset.band(&set, now), asset.age_secs(&set, now), asset.confidence_bps(&set, now));
            }
        }
    }
}

#[test]
fn no_truncation_panics_or_yields_a_price() {
    for (what, data, needed) in [(PYTH, pyth_bytes(|_| {}), 133), (SWITCHBOARD, switchboard_bytes(|_| {}), 3_208)] {
        for len in 0..needed {
            assert!(read_as(what, &data[..len]).unwrap().is_err());
        }
        assert!(read_as(what, &data[..needed]).unwrap().is_ok());
    }
}
