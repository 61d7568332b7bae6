//! Shares of one ten-thousandth.

use crate::math::wide::{mul_div_ceil, mul_div_floor};

/// One whole, in basis points.
pub const BPS_ONE: u64 = 10_000;

/// A share in basis points (1/10_000), saturating at `u32::MAX`: the largest breach must not be an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bps(pub u32);

impl Bps {
    /// The largest share that can be told apart.
    pub const MAX: Self = Self(u32::MAX);

    /// Returns `numerator / denominator` in basis points, rounded up, so that rounding never hides a breach.
    ///
    /// A zero denominator saturates: a share of nothing is the largest share.
    pub fn ratio_ceil(numerator: u128, denominator: u128) -> Self {
        Self::saturating(mul_div_ceil(numerator, BPS_ONE as u128, denominator))
    }

    /// Returns `numerator / denominator` in basis points, rounded down; saturates like [`Bps::ratio_ceil`].
    pub fn ratio_floor(numerator: u128, denominator: u128) -> Self {
        Self::saturating(mul_div_floor(numerator, BPS_ONE as u128, denominator))
    }

    /// Returns the share of `amount`, rounded down; `None` on overflow.
    pub fn of_floor(self, amount: u128) -> Option<u128> {
        mul_div_floor(amount, u128::from(self.0), BPS_ONE as u128)
    }

    /// Returns the share of `amount`, rounded up; `None` on overflow.
    pub fn of_ceil(self, amount: u128) -> Option<u128> {
        mul_div_ceil(amount, u128::from(self.0), BPS_ONE as u128)
    }

    fn saturating(value: Option<u128>) -> Self {
        value.and_then(|v| u32::try_from(v).ok()).map_or(Self::MAX, Self)
    }
}

/// Returns the part of `amount` that `bps` are, rounded down, in 64 bits; more than one whole counts as one.
pub fn part(amount: u64, bps: u16) -> u64 {
    let (bps, whole, rest) = (u64::from(bps).min(BPS_ONE), amount / BPS_ONE, amount % BPS_ONE);
    whole * bps + rest * bps / BPS_ONE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_exact_at_both_ends() {
        assert_eq!((part(u64::MAX, 10_000), part(9_999, 1), part(10_001, 9_999)), (u64::MAX, 0, 9_999));
    }

    #[test]
    fn ratios_round_as_named_and_saturate() {
        assert_eq!(Bps::ratio_ceil(1, 3), Bps(3_334));
        assert_eq!(Bps::ratio_floor(1, 3), Bps(3_333));
        assert_eq!(Bps::ratio_ceil(1, 0), Bps::MAX);
        assert_eq!(Bps::ratio_floor(u128::MAX, 1), Bps::MAX);
    }

    #[test]
    fn shares_round_as_named() {
        assert_eq!(Bps(1).of_floor(9_999), Some(0));
        assert_eq!(Bps(1).of_ceil(9_999), Some(1));
        assert_eq!(Bps(10_000).of_floor(77), Some(77));
    }
}
