//! How a position stands, and at which end of the price it is judged.

use crate::error::RampartError;
use crate::math::{Bps, Price, bps::BPS_ONE};
use crate::oracle::PriceBand;
use crate::state::warm_up::WarmUp;

/// The price of one collateral base unit in loan base units, with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairBand {
    /// The end that is worst for a borrower: collateral low, loan high.
    pub lo: Price,
    /// The end that is best for a borrower.
    pub hi: Price,
    /// How many sources agree on each of both assets; the smaller number.
    pub sources: u8,
}

/// One side of a pair: what its sources say now, and how many decimals its mint has.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The agreed price.
    pub band: &'a PriceBand,
    /// Decimals of the mint.
    pub decimals: u8,
}

impl PairBand {
    /// Combines both assets' bands: low over high and high over low.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn new(collateral: Side, loan: Side) -> Result<Self, RampartError> {
        Ok(Self {
            lo: Price::pair(collateral.band.lo, collateral.decimals, loan.band.hi, loan.decimals)?,
            hi: Self::highest(collateral, loan)?,
            sources: collateral.band.sources.min(loan.band.sources),
        })
    }

    /// Returns the end of the band that is best for a borrower, without the other one.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn highest(collateral: Side, loan: Side) -> Result<Price, RampartError> {
        Price::pair(collateral.band.hi, collateral.decimals, loan.band.lo, loan.decimals)
    }
}

/// Returns the price for new risk: the worst of spot, time-weighted reference and confidence on both sides.
///
/// # Errors
/// `PriceOutOfRange`.
pub fn price_for_new_risk(
    collateral: Side,
    collateral_reference: Price,
    loan: Side,
    loan_reference: Price,
) -> Result<Price, RampartError> {
    let low = collateral.band.lo.min(collateral_reference);
    let high = loan.band.hi.max(loan_reference);
    Price::pair(low, collateral.decimals, high, loan.decimals)
}

/// Returns debt over the collateral's value, rounded up: for blocking new risk.
///
/// # Errors
/// `MathOverflow`.
pub fn ltv_ceil(debt: u64, collateral: u64, price: Price) -> Result<Bps, RampartError> {
    if debt == 0 {
        return Ok(Bps(0));
    }
    let value = price.value_floor(collateral.into()).ok_or(RampartError::MathOverflow)?;
    Ok(Bps::ratio_ceil(debt.into(), value))
}

/// Checks that `ripe` collateral carries `debt` as new risk: within the vault's limit, of which an asset that warms up
/// leaves its weight.
///
/// # Errors
/// `LtvExceeded`; `CollateralWarmsUp` where only the warm-up is in the way. `MathOverflow`.
pub fn require_carried(
    debt: u64,
    ripe: u64,
    price: Price,
    (ltv_bps, warm_up): (u16, &WarmUp),
    now_ts: i64,
) -> Result<(), RampartError> {
    let ltv = ltv_ceil(debt, ripe, price)?;
    if ltv > Bps(ltv_bps.into()) {
        return Err(RampartError::LtvExceeded);
    }
    if ltv > warm_up.ltv(ltv_bps, now_ts) { Err(RampartError::CollateralWarmsUp) } else { Ok(()) }
}

/// Returns debt over the collateral's value, rounded down: for seizing, in the owner's favour.
///
/// # Errors
/// `MathOverflow`.
pub fn ltv_floor(debt: u64, collateral: u64, price: Price) -> Result<Bps, RampartError> {
    if debt == 0 {
        return Ok(Bps(0));
    }
    let value = price.value_ceil(collateral.into()).ok_or(RampartError::MathOverflow)?;
    Ok(Bps::ratio_floor(debt.into(), value))
}

/// Returns the highest price at which a position's loan-to-value still reaches `line_bps`.
///
/// A position is at or beyond the line exactly while the price is at or below this, to one base unit of rounding: the
/// keeper sorts positions by it and re-checks what it finds with [`ltv_floor`].
///
/// `None` without debt or collateral: no price takes it there, or every price has.
pub fn crossing_price_q64(debt: u64, collateral: u64, line_bps: u16) -> Option<u128> {
    if debt == 0 || collateral == 0 || line_bps == 0 {
        return None;
    }
    let scaled_debt = u128::from(debt).checked_mul(u128::from(BPS_ONE))?;
    let line_value = u128::from(collateral).checked_mul(u128::from(line_bps))?;
    crate::math::mul_div_ceil(scaled_debt, crate::math::price::Q64_ONE, line_value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::price::Q64_ONE;
    use proptest::prelude::*;

    #[test]
    fn ltv_without_collateral_is_the_largest_share() {
        let price = Price::from_q64(Q64_ONE).unwrap();
        assert_eq!(ltv_ceil(1, 0, price).unwrap(), Bps::MAX);
        assert_eq!(ltv_floor(0, 0, price).unwrap(), Bps(0));
    }

    proptest! {
        #[test]
        fn crossing_price_never_lies_below_the_true_one(debt in 1u64..1_000_000_000_000, collateral in 1_000u64..1_000_000_000_000_000, line in 1_000u16..9_900) {
            let crossing = crossing_price_q64(debt, collateral, line).unwrap();
            // just above the index's price the position is on the safe side: nothing that crosses is missed
            if let Ok(price) = Price::from_q64(crossing + crossing / 1_000_000 + 1) {
                prop_assert!(ltv_floor(debt, collateral, price).unwrap() <= Bps(u32::from(line)));
            }
        }
    }
}
