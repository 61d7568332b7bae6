//! Exponential decay by time, in integers.

use crate::math::price::{PRICE_MAX_Q64, PRICE_MIN_Q64, Price, Q64_ONE};
use crate::math::wide::mul_div_floor;

/// 2^(-1/2^k) in U0.64, for k = 1 to 16.
///
/// # Source
/// `floor(2^64 · 2^(-2^-k))`; a test recomputes each entry by squaring it up to one half.
const ROOTS_OF_HALF: [u64; 16] = [
    0xb504f333f9de6484,
    0xd744fccad69d6af4,
    0xeac0c6e7dd24392e,
    0xf5257d152486cc2c,
    0xfa83b2db722a033a,
    0xfd3e0c0cf486c174,
    0xfe9e115c7b8f884b,
    0xff4ecb59511ec8a5,
    0xffa756521c8daed1,
    0xffd3a751c0f7e10b,
    0xffe9d2b2f7db2755,
    0xfff4e91bff1b8c3d,
    0xfffa747ea0040664,
    0xfffd3a3b7814eb53,
    0xfffe9d1cc60ddab1,
    0xffff4e8e25879bfa,
];

/// Returns `2^(-elapsed / half_life)` in U64.64, between 0 and one.
///
/// Exact to 2⁻¹⁵ of a half-life. A half-life of zero decays at once.
pub fn half_power(elapsed_secs: u64, half_life_secs: u64) -> u128 {
    if half_life_secs == 0 {
        return 0;
    }
    let (whole, rest) = (elapsed_secs / half_life_secs, elapsed_secs % half_life_secs);
    if whole >= 64 {
        return 0;
    }
    // the fraction of a half-life in 16 bits: one root of one half per bit
    let fraction = mul_div_floor(u128::from(rest), 1 << 16, u128::from(half_life_secs)).unwrap_or(0);
    let mut power = Q64_ONE;
    for (k, root) in ROOTS_OF_HALF.iter().enumerate() {
        if (fraction >> (15 - k)) & 1 == 1 {
            power = if power == Q64_ONE { u128::from(*root) } else { (power * u128::from(*root)) >> 64 };
        }
    }
    power >> whole
}

/// Moves `reference` toward `price` by the share that `elapsed_secs` weighs: `ref + (p - ref) · (1 - 2^(-dt/h))`.
///
/// n small steps come to the same as one large one, to rounding: no number of observations in a second moves it further.
pub fn toward(reference: Price, price: Price, elapsed_secs: u64, half_life_secs: u64) -> Price {
    let weight = Q64_ONE - half_power(elapsed_secs, half_life_secs);
    let gap = reference.q64().abs_diff(price.q64());
    let step = mul_div_floor(gap, weight, Q64_ONE).unwrap_or(gap);
    let moved = if price > reference { reference.q64() + step } else { reference.q64() - step };
    Price::from_q64(moved.clamp(PRICE_MIN_Q64, PRICE_MAX_Q64)).unwrap_or(price)
}

/// As [`toward`], for an amount of base units. Rounded toward the old amount.
pub fn amount_toward(reference: u64, amount: u64, elapsed_secs: u64, half_life_secs: u64) -> u64 {
    if reference == amount {
        return amount;
    }
    let weight = Q64_ONE - half_power(elapsed_secs, half_life_secs);
    // a weight of at most one leaves the step within the gap
    let step = mul_div_floor(reference.abs_diff(amount).into(), weight, Q64_ONE).unwrap_or(0) as u64;
    if amount > reference { reference.saturating_add(step) } else { reference.saturating_sub(step) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn roots_square_up_to_one_half() {
        let mut expected = 1u128 << 63;
        for root in ROOTS_OF_HALF {
            let squared = (u128::from(root) * u128::from(root)) >> 64;
            assert!(squared.abs_diff(expected) <= 2, "{root:#x}");
            expected = u128::from(root);
        }
    }

    #[test]
    fn whole_half_lives_halve() {
        assert_eq!(half_power(0, 60), Q64_ONE);
        assert_eq!(half_power(60, 60), Q64_ONE / 2);
        assert_eq!(half_power(600, 60), Q64_ONE >> 10);
        assert_eq!(half_power(64 * 60, 60), 0);
        assert_eq!(half_power(1, 0), 0);
    }

    #[test]
    fn amount_moves_half_way_in_a_half_life_and_never_beyond() {
        assert_eq!(amount_toward(1_000, 3_000, 60, 60), 2_000);
        assert_eq!(amount_toward(3_000, 1_000, 60, 60), 2_000);
        assert_eq!(amount_toward(0, u64::MAX, 0, 60), 0);
        assert_eq!(amount_toward(0, u64::MAX, 64 * 60, 60), u64::MAX);
        assert_eq!(amount_toward(7, 7, 60, 60), 7);
    }

    proptest! {
        #[test]
        fn decay_is_close_to_the_real_function(elapsed in 0u64..100_000, half_life in 1u64..100_000) {
            let exact = (-(elapsed as f64) / half_life as f64).exp2();
            let ours = half_power(elapsed, half_life) as f64 / Q64_ONE as f64;
            prop_assert!((exact - ours).abs() < 3e-5, "{exact} {ours}");
        }

        #[test]
        fn many_small_steps_move_no_further_than_one_large(steps in 1u64..60) {
            let (reference, price) = (Price::from_q64(100 * Q64_ONE).unwrap(), Price::from_q64(50 * Q64_ONE).unwrap());
            let once = toward(reference, price, steps, 300);
            let mut many = reference;
            for _ in 0..steps {
                many = toward(many, price, 1, 300);
            }
            prop_assert!(many.deviation(once) <= crate::math::Bps(2));
        }
    }
}
