//! Prices as unsigned 64.64 fixed point.

use crate::error::RampartError;
use crate::math::bps::Bps;
use crate::math::wide::{mul_div_ceil, mul_div_floor};

/// One, in U64.64.
pub const Q64_ONE: u128 = 1 << 64;
/// The smallest price that is accepted: 2⁻³².
pub const PRICE_MIN_Q64: u128 = 1 << 32;
/// The largest price that is accepted: 2⁴⁸.
pub const PRICE_MAX_Q64: u128 = 1 << 112;

/// A positive price in U64.64 between 2⁻³² and 2⁴⁸.
///
/// # Units
/// An asset's price is US dollars for one whole token. A vault's price is loan base units for one collateral base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(u128);

impl Price {
    /// Wraps a raw U64.64 number.
    ///
    /// # Errors
    /// `PriceOutOfRange` outside 2⁻³² to 2⁴⁸.
    pub fn from_q64(raw: u128) -> Result<Self, RampartError> {
        if (PRICE_MIN_Q64..=PRICE_MAX_Q64).contains(&raw) { Ok(Self(raw)) } else { Err(RampartError::PriceOutOfRange) }
    }

    /// Returns the raw U64.64 number.
    #[inline]
    pub const fn q64(self) -> u128 {
        self.0
    }

    /// Converts `mantissa · 10^exponent`, rounded down.
    ///
    /// # Errors
    /// `OracleExponentOutOfRange` outside -18 to 0, `PriceOutOfRange` outside 2⁻³² to 2⁴⁸.
    pub fn from_decimal(mantissa: u128, exponent: i32) -> Result<Self, RampartError> {
        Self::from_q64(decimal_to_q64(mantissa, exponent)?)
    }

    /// Returns the price of one collateral base unit in loan base units, from both dollar prices, rounded down.
    ///
    /// # Units
    /// `collateral_usd`, `loan_usd`: dollars for one whole token. Result: loan base units per collateral base unit.
    ///
    /// # Errors
    /// `PriceOutOfRange` outside 2⁻³² to 2⁴⁸.
    pub fn pair(
        collateral: Price,
        collateral_decimals: u8,
        loan: Price,
        loan_decimals: u8,
    ) -> Result<Self, RampartError> {
        let whole = mul_div_floor(collateral.0, Q64_ONE, loan.0).ok_or(RampartError::PriceOutOfRange)?;
        let scaled = if loan_decimals >= collateral_decimals {
            let scale = pow10(loan_decimals - collateral_decimals).ok_or(RampartError::PriceOutOfRange)?;
            whole.checked_mul(scale).ok_or(RampartError::PriceOutOfRange)?
        } else {
            let scale = pow10(collateral_decimals - loan_decimals).ok_or(RampartError::PriceOutOfRange)?;
            mul_div_floor(whole, 1, scale).ok_or(RampartError::PriceOutOfRange)?
        };
        Self::from_q64(scaled)
    }

    /// Returns the value of `amount` base units at this price, rounded down; `None` beyond 128 bits.
    #[inline]
    pub fn value_floor(self, amount: u128) -> Option<u128> {
        mul_div_floor(amount, self.0, Q64_ONE)
    }

    /// Returns the value of `amount` base units at this price, rounded up; `None` beyond 128 bits.
    #[inline]
    pub fn value_ceil(self, amount: u128) -> Option<u128> {
        mul_div_ceil(amount, self.0, Q64_ONE)
    }

    /// Returns how many base units `value` buys at this price, rounded down; `None` beyond 128 bits.
    #[inline]
    pub fn amount_floor(self, value: u128) -> Option<u128> {
        mul_div_floor(value, Q64_ONE, self.0)
    }

    /// Returns the gap to `reference` as a share of it, rounded up.
    ///
    /// # Source
    /// docs/risk.md, "Deviation".
    pub fn deviation(self, reference: Price) -> Bps {
        Bps::ratio_ceil(self.0.abs_diff(reference.0), reference.0)
    }

    /// Returns how far this price lies below `high` as a share of it, rounded up; zero when it lies above.
    pub fn drawdown_from(self, high: Price) -> Bps {
        Bps::ratio_ceil(high.0.saturating_sub(self.0), high.0)
    }
}

/// Returns `mantissa · 10^exponent` in U64.64, rounded down, for exponents from -18 to 0.
///
/// # Errors
/// `OracleExponentOutOfRange` for another exponent, `PriceOutOfRange` beyond 128 bits.
pub fn decimal_to_q64(mantissa: u128, exponent: i32) -> Result<u128, RampartError> {
    let places = exponent.checked_neg().and_then(|e| u8::try_from(e).ok()).filter(|e| *e <= 18);
    let divisor = places.and_then(pow10).ok_or(RampartError::OracleExponentOutOfRange)?;
    mul_div_floor(mantissa, Q64_ONE, divisor).ok_or(RampartError::PriceOutOfRange)
}

/// Powers of ten from 10⁰ to 10³⁸: raising to a power takes some 500 compute units, looking up ten.
static POWERS: [u128; 39] = {
    let (mut all, mut n) = ([1u128; 39], 1);
    while n < 39 {
        all[n] = all[n - 1] * 10;
        n += 1;
    }
    all
};

/// Returns 10ⁿ; `None` beyond 128 bits.
pub fn pow10(n: u8) -> Option<u128> {
    POWERS.get(usize::from(n)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pair_price_of_sol_in_usdc_is_loan_base_units_per_lamport() {
        let sol = Price::from_decimal(15_000_000_000, -8).unwrap();
        let usdc = Price::from_decimal(100_000_000, -8).unwrap();
        let pair = Price::pair(sol, 9, usdc, 6).unwrap();
        // 1 SOL = 10^9 lamports = 150 USDC = 150_000_000 base units, one of which the rounding may take
        assert!((149_999_999..=150_000_000).contains(&pair.value_floor(1_000_000_000).unwrap()));
    }

    #[test]
    fn powers_of_ten_are_those_of_128_bits() {
        assert!((0..=u8::MAX).all(|n| pow10(n) == 10u128.checked_pow(n.into())));
    }

    #[test]
    fn prices_outside_the_range_are_refused() {
        assert!(matches!(Price::from_q64(PRICE_MIN_Q64 - 1), Err(RampartError::PriceOutOfRange)));
        assert!(matches!(Price::from_q64(PRICE_MAX_Q64 + 1), Err(RampartError::PriceOutOfRange)));
        assert!(matches!(Price::from_decimal(1, 1), Err(RampartError::OracleExponentOutOfRange)));
        assert!(matches!(Price::from_decimal(1, -19), Err(RampartError::OracleExponentOutOfRange)));
        assert!(matches!(Price::from_decimal(1, i32::MIN), Err(RampartError::OracleExponentOutOfRange)));
    }

    proptest! {
        #[test]
        fn value_and_amount_never_gain(raw in PRICE_MIN_Q64..=PRICE_MAX_Q64, amount in any::<u64>()) {
            let price = Price::from_q64(raw).unwrap();
            let value = price.value_floor(u128::from(amount)).unwrap();
            prop_assert!(price.amount_floor(value).unwrap() <= u128::from(amount));
            prop_assert!(price.value_ceil(u128::from(amount)).unwrap() - value <= 1);
        }

        #[test]
        fn drawdown_is_monotone(high in PRICE_MIN_Q64..=PRICE_MAX_Q64, a in PRICE_MIN_Q64..=PRICE_MAX_Q64, b in PRICE_MIN_Q64..=PRICE_MAX_Q64) {
            let (high, low, up) = (Price(high), Price(a.min(b)), Price(a.max(b)));
            prop_assert!(low.drawdown_from(high) >= up.drawdown_from(high));
        }
    }
}
