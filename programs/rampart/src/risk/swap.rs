//! What a swap has to bring, and what it lost.
//!
//! Nothing here trusts the program that swaps: both numbers come from the prices alone.

use crate::error::RampartError;
use crate::math::bps::BPS_ONE;
use crate::math::price::{Price, Q64_ONE, pow10};
use crate::math::wide::mul_div_ceil;
use crate::risk::health::Side;

/// Micro-dollars in a dollar.
const MICRO: u128 = 1_000_000;

/// The terms of a swap from one mint to another: base units out for one base unit in at the worst end of both prices, low
/// in and high out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapTerms(Price);

impl SwapTerms {
    /// Combines the prices of what goes in and what comes out.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn new(from: Side, to: Side) -> Result<Self, RampartError> {
        Price::pair(from.band.lo, from.decimals, to.band.hi, to.decimals).map(Self)
    }

    /// Returns the least that `spent_amount` has to bring: `⌊spent · lo / hi⌋ · (1 - slippage)`, rounded up.
    ///
    /// # Errors
    /// `MathOverflow`.
    ///
    /// # Source
    /// docs/risk.md, "Swaps".
    pub fn least_amount(&self, spent_amount: u64, max_slippage_bps: u16) -> Result<u64, RampartError> {
        let whole = self.0.value_floor(spent_amount.into()).ok_or(RampartError::MathOverflow)?;
        let kept = u128::from(BPS_ONE.saturating_sub(max_slippage_bps.into()));
        let least = mul_div_ceil(whole, kept, u128::from(BPS_ONE)).ok_or(RampartError::MathOverflow)?;
        u64::try_from(least).map_err(|_| RampartError::MathOverflow)
    }
}

/// Returns how much less than fair `received_amount` is, in base units of what comes out, rounded up.
///
/// Fair is the middle: at the worst end of wide prices nothing would be a loss, a thousand times a day.
///
/// # Errors
/// `PriceOutOfRange`, `MathOverflow`.
pub fn loss_amount((from, to): (Side, Side), spent_amount: u64, received_amount: u64) -> Result<u64, RampartError> {
    let fair = Price::pair(from.band.mid, from.decimals, to.band.mid, to.decimals)?;
    let whole = fair.value_ceil(spent_amount.into()).ok_or(RampartError::MathOverflow)?;
    u64::try_from(whole.saturating_sub(received_amount.into())).map_err(|_| RampartError::MathOverflow)
}

/// Returns what `amount` base units are worth at `price`, in micro-dollars, rounded up.
///
/// # Errors
/// `MathOverflow`.
pub fn worth_micro_usd(amount: u64, price: Price, decimals: u8) -> Result<u64, RampartError> {
    // two roundings up come to one, and neither division is wider than a word; what overflows here is no u64 in the end
    let whole = mul_div_ceil(u128::from(amount) * MICRO, price.q64(), Q64_ONE);
    let unit = pow10(decimals).ok_or(RampartError::MathOverflow)?;
    let worth = whole.and_then(|w| mul_div_ceil(w, 1, unit));
    worth.and_then(|w| u64::try_from(w).ok()).ok_or(RampartError::MathOverflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::PriceBand;
    use proptest::prelude::*;

    fn band(cents: u128, width_bps: u128) -> PriceBand {
        let at = |bps: u128| Price::from_decimal(cents * bps, -6).unwrap();
        PriceBand {
            lo: at(10_000 - width_bps),
            mid: at(10_000),
            hi: at(10_000 + width_bps),
            publish_ts: [None; 3],
            sources: 2,
        }
    }

    fn terms(width_bps: u128) -> SwapTerms {
        let (sol, usdc) = (band(15_000, width_bps), band(100, width_bps));
        SwapTerms::new(Side { band: &sol, decimals: 9 }, Side { band: &usdc, decimals: 6 }).unwrap()
    }

    fn lost(width_bps: u128, spent_amount: u64, received_amount: u64) -> u64 {
        let (sol, usdc) = (band(15_000, width_bps), band(100, width_bps));
        let sides = (Side { band: &sol, decimals: 9 }, Side { band: &usdc, decimals: 6 });
        loss_amount(sides, spent_amount, received_amount).unwrap()
    }

    #[test]
    fn ten_sol_at_150_bring_at_least_1_485_usdc_with_one_percent_of_slippage() {
        let least = terms(0).least_amount(10_000_000_000, 100).unwrap();
        assert!((1_484_999_999..=1_485_000_000).contains(&least), "{least}");
        // both bands 5 bps wide: 150 · 0.9995 / 1.0005 · 0.99
        let least = terms(5).least_amount(10_000_000_000, 100).unwrap();
        assert!((1_483_515_000..1_483_516_000).contains(&least), "{least}");
        assert_eq!(lost(5, 10_000_000_000, 1_490_000_000), 10_000_000);
        assert_eq!(lost(5, 10_000_000_000, 1_600_000_000), 0);
    }

    #[test]
    fn worth_is_in_millionths_of_a_dollar() {
        let price = band(15_000, 0).mid;
        assert_eq!(worth_micro_usd(10_000_000_000, price, 9).unwrap(), 1_500_000_000);
        assert_eq!(worth_micro_usd(1, price, 9).unwrap(), 1);
        assert_eq!(worth_micro_usd(0, price, 9).unwrap(), 0);
        assert!(worth_micro_usd(u64::MAX, price, 0).is_err());
    }

    proptest! {
        /// Invariant I13: what is admitted is at the bound, and a wider band never asks for more.
        #[test]
        fn bound_is_monotone_and_never_above_fair(spent in 1u64..1_000_000_000_000, width in 0u128..500, slippage in 0u16..1_000) {
            let (narrow, wide) = (terms(width), terms(width + 1));
            let least = narrow.least_amount(spent, slippage).unwrap();
            prop_assert!(wide.least_amount(spent, slippage).unwrap() <= least);
            prop_assert!(narrow.least_amount(spent, slippage + 1).unwrap() <= least);
            prop_assert!(narrow.least_amount(spent + 1, slippage).unwrap() >= least);
            prop_assert!(least <= lost(width, spent, 0));
        }
    }
}
