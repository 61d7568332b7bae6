use super::*;
use crate::math::Bps;
use crate::math::price::{PRICE_MAX_Q64, PRICE_MIN_Q64};
use proptest::prelude::*;

fn said(price_q64: u128, confidence_q64: u128, age_secs: i64) -> SourceReading {
    let price = Price::from_q64(price_q64).unwrap();
    SourceReading { reading: Ok(Reading { price, confidence_q64, publish_ts: NOW - age_secs }) }
}

/// Prices in dollars, without confidence, fresh.
fn asset(prices: &[u128]) -> AssetReading {
    let mut asset = AssetReading::unread(prices.len());
    for (slot, price) in asset.sources.iter_mut().zip(prices) {
        *slot = said(price * Q64_ONE, 0, 1);
    }
    asset
}

#[track_caller]
fn assert_refused(asset: AssetReading, set: OracleSet, expected: RampartError) {
    assert_eq!(asset.band(&set, NOW).unwrap_err(), expected);
}

#[test]
fn band_spans_the_confidence_of_every_agreeing_source() {
    let mut two = AssetReading::unread(2);
    two.sources[0] = said(100 * Q64_ONE, Q64_ONE, 5);
    two.sources[1] = said(101 * Q64_ONE, 2 * Q64_ONE, 9);
    let band = two.band(&set_of(2, 2, 100), NOW).unwrap();
    assert_eq!((band.lo, band.hi), (dollars(99), dollars(103)));
    assert_eq!(band.mid.q64(), 201 * Q64_ONE / 2);
    assert_eq!((band.sources, band.publish_ts), (2, [Some(NOW - 5), Some(NOW - 9), None]));
    assert_eq!(band.oldest_publish_ts(), NOW - 9);
    assert_eq!(band.require_sources(2), Ok(()));
    assert_eq!(band.require_sources(3), Err(RampartError::PriceIndeterminate));
}

#[test]
fn sources_agree_up_to_the_bound_and_not_one_unit_further() {
    let mut two = asset(&[100, 101]);
    for swap in [false, true] {
        if swap {
            two.sources.swap(0, 1);
        }
        assert_eq!(two.band(&set_of(2, 2, 100), NOW).unwrap().sources, 2);
        assert_refused(two, set_of(2, 2, 99), RampartError::PriceDisagreement);
    }
    two.sources[0] = said(101 * Q64_ONE + 1, 0, 1);
    assert_refused(two, set_of(2, 2, 100), RampartError::PriceDisagreement);
}

#[test]
fn two_that_differ_are_a_disagreement_also_where_one_is_enough() {
    assert_refused(asset(&[100, 200]), set_of(2, 1, 100), RampartError::PriceDisagreement);
    assert_eq!(asset(&[100]).band(&set_of(1, 1, 100), NOW).unwrap().sources, 1);
}

#[test]
fn too_few_usable_sources_are_indeterminate() {
    let stale = AssetReading {
        sources: [said(Q64_ONE, 0, 1), said(Q64_ONE, 0, 91), said(Q64_ONE, 0, 1)],
        count: 2,
        rate: RateReading::Unrated,
    };
    assert_refused(stale, set_of(2, 2, 100), RampartError::PriceIndeterminate);
    assert_eq!(stale.band(&set_of(2, 1, 100), NOW).unwrap().publish_ts, [Some(NOW - 1), None, None]);
    assert_refused(AssetReading::unread(2), set_of(2, 1, 100), RampartError::PriceIndeterminate);
    assert_refused(AssetReading::unread(0), set_of(0, 0, 100), RampartError::PriceIndeterminate);
    assert_refused(asset(&[1]), set_of(1, u8::MAX, 100), RampartError::PriceIndeterminate);
}

#[test]
fn reading_is_fresh_to_its_last_second() {
    let one =
        |age_secs| AssetReading { sources: [said(Q64_ONE, 0, age_secs); 3], count: 1, rate: RateReading::Unrated };
    assert!(one(90).band(&set_of(1, 1, 100), NOW).is_ok());
    assert!(one(-5).band(&set_of(1, 1, 100), NOW).is_ok());
    assert_refused(one(91), set_of(1, 1, 100), RampartError::PriceIndeterminate);
    assert_eq!(one(91).age_secs(&set_of(1, 1, 100), NOW), Some(91));
    assert_eq!(one(-5).age_secs(&set_of(1, 1, 100), NOW), Some(0));
}

#[test]
fn reading_is_confident_to_the_exact_bps() {
    // 200 bps of 100 dollars
    let one = |confidence| AssetReading {
        sources: [said(100 * Q64_ONE, confidence, 1); 3],
        count: 1,
        rate: RateReading::Unrated,
    };
    assert!(one(2 * Q64_ONE).band(&set_of(1, 1, 100), NOW).is_ok());
    assert_refused(one(2 * Q64_ONE + 1), set_of(1, 1, 100), RampartError::PriceIndeterminate);
    assert_refused(one(u128::MAX), set_of(1, 1, 100), RampartError::PriceIndeterminate);
    assert_eq!(one(2 * Q64_ONE + 1).confidence_bps(&set_of(1, 1, 100), NOW), Some(Bps(201)));
    assert_eq!(one(u128::MAX).confidence_bps(&set_of(1, 1, 100), NOW), Some(Bps::MAX));
}

#[test]
fn interval_that_leaves_the_range_is_not_a_price() {
    let mut set = set_of(1, 1, 100);
    set.sources[0].max_confidence_bps = u16::MAX;
    for (price, confidence) in [(Q64_ONE, Q64_ONE), (Q64_ONE, 2 * Q64_ONE), (PRICE_MAX_Q64, 1), (PRICE_MIN_Q64, 1)] {
        let one = AssetReading { sources: [said(price, confidence, 1); 3], count: 1, rate: RateReading::Unrated };
        assert_refused(one, set, RampartError::PriceIndeterminate);
    }
}

#[test]
fn of_three_the_pair_that_agrees_counts() {
    for (prices, publishers) in [([100, 101, 50], [true, true, false]), ([200, 101, 100], [false, true, true])] {
        for required in [1, 2] {
            let band = asset(&prices).band(&set_of(3, required, 100), NOW).unwrap();
            assert_eq!((band.lo, band.hi, band.sources), (dollars(100), dollars(101), 2));
            assert_eq!(band.mid.q64(), 201 * Q64_ONE / 2);
            assert_eq!(band.publish_ts.map(|ts| ts.is_some()), publishers);
        }
        assert_refused(asset(&prices), set_of(3, 3, 100), RampartError::PriceDisagreement);
    }
    assert_refused(asset(&[100, 200, 300]), set_of(3, 1, 100), RampartError::PriceDisagreement);
}

#[test]
fn chain_of_three_is_the_median_within_all_and_counts_as_two() {
    let chain = asset(&[102, 100, 101]);
    let band = chain.band(&set_of(3, 2, 100), NOW).unwrap();
    assert_eq!((band.lo, band.mid, band.hi, band.sources), (dollars(100), dollars(101), dollars(102), 2));
    assert_refused(chain, set_of(3, 3, 100), RampartError::PriceDisagreement);
    assert_eq!(chain.band(&set_of(3, 3, 200), NOW).unwrap().sources, 3);
}

#[test]
fn age_and_confidence_take_the_required_number_of_best_sources() {
    let mut three = AssetReading::unread(3);
    three.sources[0] = said(100 * Q64_ONE, 3 * Q64_ONE, 500);
    three.sources[1] = said(100 * Q64_ONE, 2 * Q64_ONE, 20);
    three.sources[2] = said(100 * Q64_ONE, Q64_ONE, 30);
    let ages = [1, 2, 3].map(|required| three.age_secs(&set_of(3, required, 100), NOW));
    assert_eq!(ages, [Some(20), Some(30), Some(500)]);
    // the widest one is stale
    let widths = [1, 2, 3].map(|required| three.confidence_bps(&set_of(3, required, 100), NOW));
    assert_eq!(widths, [Some(Bps(100)), Some(Bps(200)), None]);
}

/// A caller can bring an old update of a pinned feed while a newer one exists.
#[test]
fn age_of_a_pinned_feed_proves_nothing() {
    let mut set = set_of(2, 1, 100);
    set.sources[0] = source(SourceKind::Pyth, Pin::Feed);
    let mut two = AssetReading::unread(2);
    two.sources = [said(Q64_ONE, 0, 5), said(Q64_ONE, 0, 300), said(Q64_ONE, 0, 0)];
    assert_eq!(two.age_secs(&set, NOW), Some(300));
    set.required = 2;
    assert_eq!(two.age_secs(&set, NOW), None);
}

fn any_price() -> impl Strategy<Value = u128> {
    (PRICE_MIN_Q64..=PRICE_MAX_Q64, 0u32..80).prop_map(|(raw, drop)| (raw >> drop).max(PRICE_MIN_Q64))
}

/// A price up to 300 bps away.
fn near(price: u128, bps: i64) -> u128 {
    let moved = price / 10_000 * (10_000 + bps).unsigned_abs() as u128;
    moved.clamp(PRICE_MIN_Q64, PRICE_MAX_Q64)
}

proptest! {
    #[test]
    fn one_liar_of_three_neither_breaks_nor_steers(
        honest in any_price(), gap in 0i64..=90, lie in any_price(), near_lie in -300i64..300, is_near: bool,
        conf_bps in 0u128..200, place in 0usize..3, required in 1u8..=2, lie_is_usable: bool,
    ) {
        let set = set_of(3, required, 100);
        let (a, b) = (honest, near(honest, gap));
        let lie = if is_near { near(honest, near_lie) } else { lie };
        let conf = honest / 10_000 * conf_bps;
        let pair = [said(a, conf.min(a / 50), 1), said(b, conf.min(b / 50), 2)];
        let mut honest_two = AssetReading::unread(2);
        honest_two.sources[..2].copy_from_slice(&pair);
        let Ok(alone) = honest_two.band(&set_of(2, 2, 100), NOW) else { return Ok(()) };

        let mut three = AssetReading::unread(3);
        three.sources = [pair[0], pair[1], said(lie, 0, if lie_is_usable { 1 } else { 1_000 })];
        three.sources.rotate_right(place);
        let band = three.band(&set, NOW).unwrap();
        prop_assert!(band.sources >= 2);
        prop_assert!(band.lo <= alone.lo && band.hi >= alone.hi);
        prop_assert!((a.min(b)..=a.max(b)).contains(&band.mid.q64()));
        let far = |raw: u128| raw / 10_000 * 101 + 10_000;
        prop_assert!(alone.lo.q64() - band.lo.q64() <= far(a.max(b)));
        prop_assert!(band.hi.q64() - alone.hi.q64() <= far(a.max(b)));
    }

    #[test]
    fn band_is_ordered_and_its_sources_are_dated(
        prices in proptest::array::uniform3(any_price()), near_by in proptest::array::uniform2(-150i64..150), is_near: bool,
        ages in proptest::array::uniform3(-5i64..120), count in 1u8..=3, required in 1u8..=3,
    ) {
        let [p, q, r] = prices;
        let [q, r] = if is_near { [near(p, near_by[0]), near(p, near_by[1])] } else { [q, r] };
        let sources = [said(p, p / 100, ages[0]), said(q, q / 100, ages[1]), said(r, r / 100, ages[2])];
        let set = set_of(count, required, 100);
        if let Ok(band) = (AssetReading { sources, count, rate: RateReading::Unrated }).band(&set, NOW) {
            prop_assert!(band.lo <= band.mid && band.mid <= band.hi);
            prop_assert!(band.sources >= required);
            prop_assert!(band.publish_ts.iter().flatten().count() >= usize::from(band.sources));
            prop_assert!(NOW - band.oldest_publish_ts() <= 90);
        }
    }

    #[test]
    fn wider_disagreement_bound_never_refuses_more(
        p in any_price(), near_by in proptest::array::uniform2(-300i64..300), bound in 1u16..500, more in 0u16..500, required in 1u8..=3,
    ) {
        let [q, r] = near_by.map(|bps| near(p, bps));
        let three = AssetReading { sources: [said(p, 0, 1), said(q, 0, 1), said(r, 0, 1)], count: 3, rate: RateReading::Unrated };
        if let Ok(band) = three.band(&set_of(3, required, bound), NOW) {
            let wider = three.band(&set_of(3, required, bound + more), NOW).unwrap();
            prop_assert!(wider.sources >= band.sources && wider.lo <= band.lo && wider.hi >= band.hi);
        }
    }

    #[test]
    fn wider_confidence_never_narrows_the_band(p in any_price(), bps in 0u128..=199, more in 0u128..=199) {
        let one = |bps: u128| AssetReading { sources: [said(p, p / 10_000 * bps, 1); 3], count: 1, rate: RateReading::Unrated }.band(&set_of(1, 1, 1), NOW);
        if let (Ok(narrow), Ok(wide)) = (one(bps), one(bps + more)) {
            prop_assert!(wide.lo <= narrow.lo && wide.hi >= narrow.hi && wide.mid == narrow.mid);
        }
    }
}
