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
        Self { lo: value as u64, hi: (value >> 64) as u64 }
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
    if remainder == 0 { Some(quotient) } else { quotient.checked_add(1) }
}

/// Quotient and remainder of `a · b / divisor` over the full 256-bit product.
///
/// Never inlined: LLVM 22 takes a copy that needs only the high half for a 256-bit multiplication, which no SBF backend has.
#[inline(never)]
fn mul_div(a: u128, b: u128, divisor: u128) -> Option<(u128, u128)> {
    if divisor == 0 {
        return None;
    }
    let (high, low) = full_product(a, b);
    if divisor == 1 << 64 {
        // a fixed-point product: no division at all
        return (high >> 64 == 0).then_some((high << 64 | low >> 64, low & WORD));
    }
    match u64::try_from(divisor) {
        // the common case on chain: one or two 64-bit divisions
        Ok(divisor) if high == 0 => Some(divide_128(low, divisor)),
        _ => (high < divisor).then(|| divide_256(high, low, divisor)),
    }
}

/// Quotient and remainder of a two-word number by a positive word.
#[inline]
pub fn divide_128(value: u128, divisor: u64) -> (u128, u128) {
    let (high, low) = ((value >> 64) as u64, value as u64);
    if high == 0 {
        return ((low / divisor).into(), (low % divisor).into());
    }
    let (q1, rest) = (high / divisor, high % divisor);
    let shift = divisor.leading_zeros();
    let (d, rest) = (divisor << shift, u128::from(rest) << 64 | u128::from(low));
    let rest = rest << shift;
    let (q0, rest) = divide_words((rest >> 64) as u64, rest as u64, d);
    (u128::from(q1) << 64 | u128::from(q0), (rest >> shift).into())
}

/// Quotient and remainder of (`high`, `low`) by `d`, for `high < d` and the top bit of `d` set: in halves of a word, so
/// that no division is wider than the machine's (Warren, Hacker's Delight, `divlu`).
fn divide_words(high: u64, low: u64, d: u64) -> (u64, u64) {
    let (q1, rest) = divide_half(high, low >> 32, d);
    let (q0, rest) = divide_half(rest, low & HALF, d);
    (q1 << 32 | q0, rest)
}

/// Half a word of the quotient: divides (`rest`, `next`) by `d`, for `rest < d`, the top bit of `d` set, `next < 2³²`.
#[inline]
fn divide_half(rest: u64, next: u64, d: u64) -> (u64, u64) {
    let (d1, d0) = (d >> 32, d & HALF);
    let (mut q, mut r) = (rest / d1, rest % d1);
    while q > HALF || q * d0 > (r << 32 | next) {
        q -= 1;
        r += d1;
        if r > HALF {
            break;
        }
    }
    // wraps as two's complement: the true difference is below `d`
    (q, (rest << 32 | next).wrapping_sub(q.wrapping_mul(d)))
}

/// The 256-bit product as (high, low) halves.
fn full_product(a: u128, b: u128) -> (u128, u128) {
    if b == 1 << 64 {
        // one in fixed point
        return (a >> 64, a << 64);
    }
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
const HALF: u64 = u32::MAX as u64;

#[inline]
fn split(value: u128) -> (u128, u128) {
    (value >> 64, value & WORD)
}

/// Long division of a four-word number by a two-word one (Knuth, TAOCP 4.3.1, algorithm D), for `high < divisor`.
fn divide_256(high: u128, low: u128, divisor: u128) -> (u128, u128) {
    let shift = divisor.leading_zeros();
    let d = divisor << shift;
    let (mut high, low) = if shift == 0 { (high, low) } else { (high << shift | low >> (128 - shift), low << shift) };
    let (low1, low0) = split(low);
    let q1 = quotient_word(&mut high, low1, d);
    let q0 = quotient_word(&mut high, low0, d);
    (q1 << 64 | q0, high >> shift)
}

/// One word of the quotient: divides (`rest`, `next`) by the normalised `d` and leaves the remainder in `rest`.
fn quotient_word(rest: &mut u128, next: u128, d: u128) -> u128 {
    let (d1, d0) = split(d);
    let (rest1, rest0) = split(*rest);
    let (mut q, mut r) = if rest1 >= d1 {
        // `rest < d`, so the words are equal and the quotient is at most one word
        (WORD, rest0 + d1)
    } else {
        let (q, r) = divide_words(rest1 as u64, rest0 as u64, d1 as u64);
        (q.into(), r.into())
    };
    while r <= WORD && q * d0 > (r << 64 | next) {
        q -= 1;
        r += d1;
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

    /// Numbers whose words and half words are all ones, all zeros or next to that: where the estimates are worst.
    fn edge() -> impl Strategy<Value = u128> {
        let half = || prop_oneof![Just(0u32), Just(1), Just(1 << 31), Just(u32::MAX - 1), Just(u32::MAX), any::<u32>()];
        [half(), half(), half(), half()].prop_map(|h| h.iter().fold(0, |word, h| word << 32 | u128::from(*h)))
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
        fn division_by_a_word_equals_the_machines(value in any_magnitude(), d in 1u64.., drop in 0u32..64) {
            let d = (d >> drop).max(1);
            prop_assert_eq!(divide_128(value, d), (value / u128::from(d), value % u128::from(d)));
        }

        #[test]
        fn fixed_point_product_equals_bitwise_division(a in any_magnitude(), b in any_magnitude()) {
            prop_assert_eq!(mul_div(a, b, 1 << 64), reference(a, b, 1 << 64));
        }

        #[test]
        fn division_at_the_edges_of_words_equals_bitwise_division(a in edge(), b in edge(), d in edge()) {
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
        assert_eq!(mul_div_floor(u128::MAX, u128::MAX, u128::MAX), Some(u128::MAX));
        assert_eq!(mul_div_floor(u128::MAX, 2, 1), None);
        assert_eq!(mul_div_floor(1, 1, 0), None);
        assert_eq!(mul_div_ceil(7, 3, 2), Some(11));
        assert_eq!(mul_div_ceil(u128::MAX, 1, 1), Some(u128::MAX));
    }
}
