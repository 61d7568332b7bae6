//! What proves that a source is dead, and what doesn't.

use super::*;
use proptest::prelude::*;

fn is_dead_at(kind: SourceKind, pin: Pin, data: &[u8], owner: &Pubkey) -> bool {
    let source = source(kind, pin);
    is_dead(&source, &OracleAccount { key: &ACCOUNT, owner, data }, NOW).unwrap()
}

fn pinned(data: &[u8]) -> bool {
    is_dead_at(SourceKind::Pyth, Pin::Account, data, &PYTH_RECEIVER)
}

fn printed_at(publish_ts: i64) -> Vec<u8> {
    pyth(|message| message.publish_time = publish_ts)
}

#[test]
fn source_is_dead_once_its_print_is_ten_limits_and_an_hour_old() {
    // the limit is 90 s, ten times of which are less than an hour
    assert!(!pinned(&printed_at(NOW - 3_600)));
    assert!(pinned(&printed_at(NOW - 3_601)));
    assert!(!pinned(&printed_at(NOW + 3_600)));
    assert!(pinned(&printed_at(NOW + 3_601)));
    let slow = OracleSource { max_age_secs: 600, ..source(SourceKind::Pyth, Pin::Account) };
    for (age_secs, expected) in [(6_000, false), (6_001, true)] {
        let data = printed_at(NOW - age_secs);
        let account = OracleAccount { key: &ACCOUNT, owner: &PYTH_RECEIVER, data: &data };
        assert_eq!(is_dead(&slow, &account, NOW), Ok(expected));
    }
}

#[test]
fn source_is_dead_once_its_account_is_no_longer_it() {
    let good = printed_at(NOW);
    assert!(!pinned(&good));
    assert!(pinned(&[]));
    assert!(pinned(&good[..100]));
    assert!(pinned(&pyth(|message| message.feed_id = [8; 32])));
    assert!(is_dead_at(SourceKind::Pyth, Pin::Account, &good, &PYTH_RECEIVER_COMPATIBLE));
    assert!(is_dead_at(SourceKind::Switchboard, Pin::Account, &[], &SWITCHBOARD_ON_DEMAND));
}

/// Wrong, wide, undated and a little ahead is alive: it may be right with the next print.
#[test]
fn source_that_is_only_wrong_is_alive() {
    let edits: [fn(&mut PriceFeedMessage); 7] = [
        |m| m.price = 0,
        |m| m.price = i64::MIN,
        |m| m.exponent = 1,
        |m| m.conf = u64::MAX,
        |m| m.publish_time = 0,
        |m| m.publish_time = i64::MIN,
        |m| m.publish_time = NOW + 60,
    ];
    for edit in edits {
        let data = pyth(|message| {
            message.publish_time = NOW;
            edit(message);
        });
        assert!(!pinned(&data));
    }
}

#[test]
fn source_that_is_pinned_by_feed_is_never_proved_dead() {
    let source = source(SourceKind::Pyth, Pin::Feed);
    let old = printed_at(NOW - 1_000_000);
    let account = OracleAccount { key: &ACCOUNT, owner: &PYTH_RECEIVER, data: &old };
    assert_eq!(is_dead(&source, &account, NOW), Ok(false));
    let gone = OracleAccount { key: &ACCOUNT, owner: &Pubkey::default(), data: &[] };
    assert_eq!(is_dead(&source, &gone, NOW), Ok(false));
}

#[test]
fn another_account_than_the_pinned_one_proves_nothing() {
    let other = Pubkey::new_from_array([1; 32]);
    let account = OracleAccount { key: &other, owner: &Pubkey::default(), data: &[] };
    let source = source(SourceKind::Pyth, Pin::Account);
    assert_eq!(is_dead(&source, &account, NOW), Err(RampartError::OracleAccountMismatch));
}

proptest! {
    /// Whatever is usable is alive: no living source can be replaced.
    #[test]
    fn usable_source_is_never_dead(age_secs in -5i64..=90, price in 1i64..=i64::MAX, conf in any::<u64>()) {
        let data = pyth(|m| (m.publish_time, m.price, m.conf) = (NOW - age_secs, price, conf));
        prop_assert!(!pinned(&data));
    }
}
