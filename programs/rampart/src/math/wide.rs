//! 128-bit storage and one multiplication-then-division with a 256-bit product.

use anchor_lang::prelude::*;

/// A `u128` as it is stored in a zero-copy account: two little-endian words, alignment 8.
///
/// A plain `u128` has an alignment of 16 and would bring padding into the layout.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct U128 {
    /// The low 64 bits.
    pub lo: u64,
    /// The high 64 bits.
    pub hi: u64,
}

impl U128 {
    /// Zero.
    pub const ZERO: Self = Self { lo: 0, hi: 0 };

    /// Returns the stored number.
    #[inline]
    pub const fn get(self) -> u128 {
        (self.hi as u128) << 64 | self.lo as u128
    }

    /// Returns `value` in its stored form.
    #[inline]
    pub const fn new(value: u128) -> Self {
        Self {
            lo: value as u64,
            hi: (value >> 64) as u64,
        }
    }
}

impl From<u128> for U128 {
    fn from(value: u128) -> Self {
        Self::new(value)
    }
}

/// Returns `a · b / divisor`, rounded down; `None` if `divisor` is zero or the quotient needs more than 128 bits.
#[inline]
pub fn mul_div_floor(a: u128, b: u128, divisor: u128) -> Option<u128> {
    mul_div(a, b, divisor).map(|(quotient, _)| quotient)
}

/// Returns `a · b / divisor`, rounded up; `None` if `divisor` is zero or the quotient needs more than 128 bits.
#[inline]
pub fn mul_div_ceil(a: u128, b: u128, divisor: u128) -> Option<u128> {
    let (quotient, remainder) = mul_div(a, b, divisor)?;
    if remainder == 0 {
        Some(quotient)
    } else {
        quotient.checked_add(1)
    }
}

/// Quotient and remainder of `a · b / divisor` over the full 256-bit product.
fn mul_div(a: u128, b: u128, divisor: u128) -> Option<(u128, u128)> {
    if divisor == 0 {
        return None;
    }
    let (high, low) = full_product(a, b);
    if high == 0 {
        // the common case on chain: one 128-bit division, or a 64-bit one where both fit
        return Some(match (u64::try_from(low), u64::try_from(divisor)) {
            (Ok(n), Ok(d)) => (u128::from(n / d), u128::from(n % d)),
            _ => (low / divisor, low % divisor),
        });
    }
    (high < divisor).then(|| divide_256(high, low, divisor))
}

/// The 256-bit product as (high, low) halves.
fn full_product(a: u128, b: u128) -> (u128, u128) {
    let (a1, a0) = split(a);
    let (b1, b0) = split(b);
    if a1 == 0 && b1 == 0 {
        return (0, a0 * b0);
    }
    let (low, mid, cross, high) = (a0 * b0, a1 * b0, a0 * b1, a1 * b1);
    let middle = (low >> 64) + (mid & WORD) + (cross & WORD);
    let product_low = (middle << 64) | (low & WORD);
    let product_high = high + (mid >> 64) + (cross >> 64) + (middle >> 64);
    (product_high, product_low)
}

const WORD: u128 = u64::MAX as u128;

#[inline]
fn split(value: u128) -> (u128, u128) {
    (value >> 64, value & WORD)
}

/// Long division of a four-word number by a two-word one (Knuth, TAOCP 4.3.1, algorithm D), for `high < divisor`.
fn divide_256(high: u128, low: u128, divisor: u128) -> (u128, u128) {
    let shift = divisor.leading_zeros();
    let d = divisor << shift;
    let (mut high, low) = if shift == 0 {
        (high, low)
    } else {
        (high << shift | low >> (128 - shift), low << shift)
    };
    let (low1, low0) = split(low);
    let q1 = quotient_word(&mut high, low1, d);
    let q0 = quotient_word(&mut high, low0, d);
    (q1 << 64 | q0, high >> shift)
}

/// One word of the quotient: divides (`rest`, `next`) by the normalised `d` and leaves the remainder in `rest`.
fn quotient_word(rest: &mut u128, next: u128, d: u128) -> u128 {
    let (d1, d0) = split(d);
    let (mut q, mut r) = (*rest / d1, *rest % d1);
    while q > WORD || q * d0 > (r << 64 | next) {
        q -= 1;
        r += d1;
        if r > WORD {
            break;
        }
    }
    // wraps as two's complement: the true difference is below `d`
    *rest = (*rest << 64 | next).wrapping_sub(q.wrapping_mul(d));
    q
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Schoolbook reference: bit by bit, in a 256-bit remainder.
    fn reference(a: u128, b: u128, d: u128) -> Option<(u128, u128)> {
        let (high, low) = full_product(a, b);
        if d == 0 || high >= d {
            return None;
        }
        let (mut rest, mut quotient) = (high, 0u128);
        for bit in (0..128).rev() {
            let carry = rest >> 127;
            rest = rest << 1 | (low >> bit & 1);
            quotient <<= 1;
            if carry == 1 || rest >= d {
                rest = rest.wrapping_sub(d);
                quotient |= 1;
            }
        }
        Some((quotient, rest))
    }

    fn any_magnitude() -> impl Strategy<Value = u128> {
        (any::<u128>(), 0u32..128).prop_map(|(value, shift)| value >> shift)
    }

    proptest! {
        #[test]
        fn mul_div_equals_bitwise_division(a in any_magnitude(), b in any_magnitude(), d in any_magnitude()) {
            prop_assert_eq!(mul_div(a, b, d), reference(a, b, d));
        }

        #[test]
        fn product_halves_recombine_modulo_two_to_the_128(a in any::<u128>(), b in any::<u128>()) {
            prop_assert_eq!(full_product(a, b).1, a.wrapping_mul(b));
        }

        #[test]
        fn stored_form_round_trips(value in any::<u128>()) {
            prop_assert_eq!(U128::new(value).get(), value);
        }
    }

    #[test]
    fn mul_div_covers_the_edges() {
        assert_eq!(
            mul_div_floor(u128::MAX, u128::MAX, u128::MAX),
            Some(u128::MAX)
        );
        assert_eq!(mul_div_floor(u128::MAX, 2, 1), None);
        assert_eq!(mul_div_floor(1, 1, 0), None);
        assert_eq!(mul_div_ceil(7, 3, 2), Some(11));
        assert_eq!(mul_div_ceil(u128::MAX, 1, 1), Some(u128::MAX));
    }
}
