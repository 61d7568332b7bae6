use super::*;
use crate::watch::testing::{key, pool};

fn decoded() -> Pool {
    Pool::decode(&pool(key(20), key(21))).unwrap()
}

#[test]
fn pool_is_read_and_swaps_both_ways_and_nothing_else() {
    let pool = decoded();
    assert_eq!(pool.mints, [key(20), key(21)]);
    assert_eq!(pool.fee_parts, [(25, 10_000), (5, 10_000)]);
    assert_eq!(pool.sides(&key(21), &key(20)), Ok((1, 0)));
    assert_eq!(pool.sides(&key(20), &key(22)), Err(RouteError::OtherPair));
}

#[test]
fn quote_takes_both_fees_first_and_no_more_than_the_curve_needs() {
    // 10,000 less 25 and 5: 9,970 into a million of each bring 9,871, for which the curve needs 9,970
    let quote = decoded().quote(10_000, (1_000_000, 1_000_000)).unwrap();
    assert_eq!(quote, Quote { spent_amount: 10_000, received_amount: 9_871 });
    // a unit of each fee at least, and nothing for nothing
    let quote = decoded().quote(10, (1_000_000, 1_000_000)).unwrap();
    assert_eq!(quote, Quote { spent_amount: 10, received_amount: 7 });
    assert_eq!(decoded().quote(2, (1_000_000, 1_000_000)), Err(RouteError::Nothing));
    assert_eq!(decoded().quote(5_000, (0, 1_000_000)), Err(RouteError::Nothing));
}

#[test]
fn fault_16_pool_of_another_kind_is_left_alone() {
    let good = pool(key(20), key(21));
    let changed = |at: usize, to: u8| {
        let mut data = good.clone();
        data[at] = to;
        Pool::decode(&data)
    };
    let unsupported = |result| matches!(result, Err(RouteError::Unsupported(_)));
    assert!(unsupported(changed(0, 2)) && unsupported(changed(1, 0)) && unsupported(changed(291, 2)));
    assert!(unsupported(Pool::decode(&good[..323])) && unsupported(Pool::decode(&[])));
}

proptest::proptest! {
    #[test]
    fn fault_16_random_bytes_make_no_quote_panic(data in proptest::collection::vec(0u8.., 0..400), amount in 0u64.., held in (0u64.., 0u64..)) {
        if let Ok(pool) = Pool::decode(&data) {
            let _ = pool.quote(amount, held);
        }
    }

    #[test]
    fn fault_16_any_fees_make_no_quote_panic(parts in proptest::array::uniform4(0u64..), amount in 0u64.., held in (0u64.., 0u64..)) {
        let pool = Pool { fee_parts: [(parts[0], parts[1]), (parts[2], parts[3])], ..decoded() };
        if let Ok(quote) = pool.quote(amount, held) {
            proptest::prop_assert!(quote.received_amount <= held.1 && quote.spent_amount <= amount);
        }
    }
}
