//! Decimal numbers to U64.64, with 64-bit divisions alone.
//!
//! A provider gives `mantissa · 10⁻ⁿ`, n from 0 to 18. In U64.64 that is `mantissa · 2⁶⁴⁻ⁿ / 5ⁿ`, and 5¹⁸ has 42 bits:
//! a long division in digits of 22 bits never needs more than a 64-bit numerator. Ten times cheaper on chain than a
//! 256-bit product over a 128-bit division, and equal to it to the last bit (a test compares them).

/// The smallest exponent a price may have.
pub const MIN_EXPONENT: i32 = -18;

/// 5ⁿ for n = 0 to 18.
const POWERS_OF_FIVE: [u64; 19] = powers_of_five();

const fn powers_of_five() -> [u64; 19] {
    let mut powers = [1; 19];
    let mut n = 1;
    while n < powers.len() {
        powers[n] = powers[n - 1] * 5;
        n += 1;
    }
    powers
}

const _: () = assert!(POWERS_OF_FIVE[18] < 1 << 42);

/// A power of ten between 10⁻¹⁸ and 1, ready to divide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// 5ⁿ, below 2⁴².
    divisor: u64,
    /// 64 - n, from 46 to 64.
    shift: u32,
}

impl Scale {
    /// Returns the scale of an exponent; `None` outside -18 to 0.
    pub fn new(exponent: i32) -> Option<Self> {
        let places = exponent.checked_neg().and_then(|n| usize::try_from(n).ok())?;
        let divisor = *POWERS_OF_FIVE.get(places)?;
        Some(Self { divisor, shift: 64 - places as u32 })
    }

    /// Returns `mantissa` at this scale in U64.64, rounded down; `None` beyond 128 bits.
    pub fn q64_floor(self, mantissa: u128) -> Option<u128> {
        self.divide(mantissa).map(|(quotient, _)| quotient)
    }

    /// Returns `mantissa` at this scale in U64.64, rounded up; `None` beyond 128 bits.
    pub fn q64_ceil(self, mantissa: u128) -> Option<u128> {
        let (quotient, remainder) = self.divide(mantissa)?;
        if remainder == 0 { Some(quotient) } else { quotient.checked_add(1) }
    }

    /// Quotient and remainder of `mantissa · 2^shift / divisor`, over three 64-bit words.
    fn divide(self, mantissa: u128) -> Option<(u128, u64)> {
        let (m1, m0) = ((mantissa >> 64) as u64, mantissa as u64);
        let [w2, w1, w0] = match self.shift {
            64 => [m1, m0, 0],
            s => [m1 >> (64 - s), m1 << s | m0 >> (64 - s), m0 << s],
        };
        if w2 >= self.divisor {
            return None;
        }
        let (high, rest) = divide_word(w2, w1, self.divisor);
        let (low, rest) = divide_word(rest, w0, self.divisor);
        Some((u128::from(high) << 64 | u128::from(low), rest))
    }
}

/// One word of a long division: (`rest`, `word`) by `divisor`, for `rest < divisor < 2⁴²`.
fn divide_word(rest: u64, word: u64, divisor: u64) -> (u64, u64) {
    if rest == 0 {
        return (word / divisor, word % divisor);
    }
    let (high, rest) = divide_digit(rest << 22 | word >> 42, divisor);
    let (mid, rest) = divide_digit(rest << 22 | word >> 20 & 0x3f_ffff, divisor);
    let (low, rest) = divide_digit(rest << 20 | word & 0xf_ffff, divisor);
    (high << 42 | mid << 20 | low, rest)
}

fn divide_digit(numerator: u64, divisor: u64) -> (u64, u64) {
    (numerator / divisor, numerator % divisor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::price::{Q64_ONE, decimal_to_q64, pow10};
    use crate::math::wide::mul_div_ceil;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn scale_equals_the_wide_division(mantissa in any::<u128>(), drop in 0u32..128, exponent in -18i32..=0) {
            let mantissa = mantissa >> drop;
            let scale = Scale::new(exponent).unwrap();
            prop_assert_eq!(scale.q64_floor(mantissa), decimal_to_q64(mantissa, exponent).ok());
            let divisor = pow10(exponent.unsigned_abs() as u8).unwrap();
            prop_assert_eq!(scale.q64_ceil(mantissa), mul_div_ceil(mantissa, Q64_ONE, divisor));
        }

        #[test]
        fn scale_exists_exactly_from_minus_18_to_0(exponent in any::<i32>()) {
            prop_assert_eq!(Scale::new(exponent).is_some(), (MIN_EXPONENT..=0).contains(&exponent));
        }
    }

    #[test]
    fn scale_covers_the_edges() {
        for exponent in MIN_EXPONENT..=0 {
            let scale = Scale::new(exponent).unwrap();
            for mantissa in [0, 1, u128::from(u64::MAX), 1 << 64, i128::MAX as u128, u128::MAX] {
                assert_eq!(scale.q64_floor(mantissa), decimal_to_q64(mantissa, exponent).ok());
            }
        }
        assert_eq!(Scale::new(1), None);
        assert_eq!(Scale::new(-19), None);
        assert_eq!(Scale::new(i32::MIN), None);
    }
}
