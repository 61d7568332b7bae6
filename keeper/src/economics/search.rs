//! The best size of something, within bounds and with a bounded number of tries.

/// Points of the first, coarse look.
const GRID: usize = 8;
/// Halvings of what is left of the range around the best of them.
const STEPS: usize = 18;

/// Returns the size between `low` and `high` at which `value` is highest, with what was found there; `None` where nothing
/// is feasible at any size that was looked at.
///
/// Where `value` has one peak, as the profit of a swap has, it is found to about a thousandth of the range around it. Both
/// ends and seven points between, each the same number of times the last, are always looked at: a jump at the end, as of a
/// position that closes, is not missed, nor a pool that takes only a small part.
///
/// # Shape
/// At most `GRID + 1 + 2 · STEPS` calls of `value`.
pub fn best<T>(low: u64, high: u64, mut value: impl FnMut(u64) -> Option<(i128, T)>) -> Option<(u64, i128, T)> {
    let mut found: Option<(u64, i128, T)> = None;
    let mut look = |size: u64, found: &mut Option<(u64, i128, T)>| -> Option<i128> {
        let (worth, what) = value(size)?;
        // among equals the larger: it does more of what has to be done
        if found.as_ref().is_none_or(|(at, best, _)| (worth, size) > (*best, *at)) {
            *found = Some((size, worth, what));
        }
        Some(worth)
    };
    let points = grid(low.max(1), high)?;
    for size in points {
        look(size, &mut found);
    }
    let peak = found.as_ref().map(|(size, ..)| *size)?;
    let at = points.iter().position(|size| *size == peak)?;
    let (mut left, mut right) = (points[at.saturating_sub(1)], points[(at + 1).min(GRID)]);
    for _ in 0..STEPS {
        if right - left < 3 {
            break;
        }
        let third = (right - left) / 3;
        let (a, b) = (left + third, right - third);
        // what can't be done is worse than anything: the range moves towards the peak that is known
        let (at_a, at_b) = (look(a, &mut found), look(b, &mut found));
        let is_rising = match (at_a, at_b) {
            (Some(at_a), Some(at_b)) => at_a <= at_b,
            (None, None) => peak > a,
            (at_a, _) => at_a.is_none(),
        };
        if is_rising { left = a } else { right = b }
    }
    found
}

/// Returns the best of the whole, a half and a quarter of `high`: for a route of which every quote is a request.
pub fn best_of_few<T>(high: u64, mut value: impl FnMut(u64) -> Option<(i128, T)>) -> Option<(u64, i128, T)> {
    let mut found: Option<(u64, i128, T)> = None;
    for size in [high, high / 2, high / 4] {
        let Some((worth, what)) = value(size) else { continue };
        if found.as_ref().is_none_or(|(_, best, _)| worth > *best) {
            found = Some((size, worth, what));
        }
    }
    found
}

/// Returns `amount` rounded down to its seven highest digits of binary: the same question while amounts move by less than
/// a hundredth.
pub const fn rounded(amount: u64) -> u64 {
    let digits = u64::BITS - amount.leading_zeros();
    if digits <= 7 { amount } else { amount >> (digits - 7) << (digits - 7) }
}

/// Both ends and what lies between them in even proportions.
fn grid(low: u64, high: u64) -> Option<[u64; GRID + 1]> {
    if low > high {
        return None;
    }
    let mut points = [0; GRID + 1];
    (points[0], points[GRID]) = (low, high);
    let mut step = GRID;
    while step > 1 {
        for at in (0..GRID).step_by(step) {
            let mean = (u128::from(points[at]) * u128::from(points[at + step])).isqrt();
            // CANNOT be more than the larger of both
            points[at + step / 2] = u64::try_from(mean).unwrap_or(points[at]);
        }
        step /= 2;
    }
    Some(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn calls(low: u64, high: u64, value: impl Fn(u64) -> Option<i128>) -> (Option<(u64, i128)>, usize) {
        let mut count = 0;
        let found = best(low, high, |size| {
            count += 1;
            value(size).map(|worth| (worth, ()))
        });
        (found.map(|(size, worth, ())| (size, worth)), count)
    }

    #[test]
    fn jump_at_the_end_and_a_sliver_at_the_beginning_are_found() {
        assert_eq!(calls(10, 1_000, |size| Some(if size == 1_000 { 5 } else { -1 })).0, Some((1_000, 5)));
        assert_eq!(calls(10, 1_000, |size| (size < 12).then_some(size.into())).0, Some((11, 11)));
        assert_eq!(calls(10, 1_000, |_| None).0, None);
        assert_eq!(calls(10, 9, |_| Some(1)).0, None);
        assert_eq!(calls(7, 7, |size| Some(size.into())).0, Some((7, 7)));
        assert_eq!(calls(0, u64::MAX, |size| Some(size.into())).0, Some((u64::MAX, u64::MAX.into())));
    }

    proptest! {
        /// A concave profit, feasible up to some size: the best is found to a hundredth of the whole gain, in few calls.
        #[test]
        fn concave_profit_is_found_to_a_hundredth(depth in 1_000u64..1_000_000_000, bonus in 1u64..1_000, most in 1_000u64..1_000_000_000) {
            let profit = |size: u64| {
                let (size, depth) = (i128::from(size), i128::from(depth));
                // received against a constant product, times 1e6, less what was paid
                (size <= most.into()).then(|| {
                    size * 1_000_000 * depth / (depth + size) * (10_000 + i128::from(bonus)) / 10_000 - size * 1_000_000
                })
            };
            let (found, count) = calls(1, 1_000_000_000, profit);
            prop_assert!(count <= GRID + 1 + 2 * STEPS);
            let (_, worth) = found.unwrap();
            let true_best = (0..=40_000u64).filter_map(|n| profit(1 + n * most / 40_000)).max().unwrap();
            prop_assert!(worth * 100 >= true_best * 99 || true_best - worth < 100_000_000_000, "{worth} of {true_best}");
        }
    }
}
