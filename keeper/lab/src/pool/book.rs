//! What a book of positions has to answer, whether it holds them one by one or by bucket.

use super::liquidity::Liquidity;
use rampart::math::Price;

/// The price at which positions are judged: the end of the band that favours owners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quote {
    /// Whole tokens of the loan for one of collateral.
    pub price: f64,
    /// Loan base units for one of collateral; none where nobody asks for base units.
    pub pair: Option<Price>,
    /// When, unix seconds.
    pub now_ts: i64,
}

impl Quote {
    /// Returns a price without base units.
    pub fn of(price: f64) -> Self {
        Self { price, pair: None, now_ts: 0 }
    }
}

/// Who keeps the collateral after a halt, though at the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Grace {
    /// Nobody.
    Over,
    /// Who was below the line at this price, loan base units for one of collateral.
    Since(Price),
    /// Every solvent position: nobody knows the price when the halt began.
    Unmarked,
}

/// How far keepers deleverage in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Soft {
    /// Share of a debt in one step, where positions are many.
    pub share: f64,
    /// Share of a debt in an hour, bps, where they are one by one.
    pub quota_bps: u16,
}

/// What liquidators did in a step, whole tokens of the loan.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sale {
    /// Debt that they repaid.
    pub repaid: f64,
    /// Collateral that they got, at the price by which positions are judged.
    pub seized_value: f64,
    /// Debt that no collateral is left for.
    pub bad_debt: f64,
}

impl std::ops::Add for Sale {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            repaid: self.repaid + other.repaid,
            seized_value: self.seized_value + other.seized_value,
            bad_debt: self.bad_debt + other.bad_debt,
        }
    }
}

impl Sale {
    /// Returns what owners lost beyond the debt that they no longer have.
    pub fn cost(&self) -> f64 {
        self.seized_value - self.repaid
    }
}

/// Positions with debt.
pub trait Book {
    /// Whether prices have to come in base units too.
    const NEEDS_UNITS: bool;

    /// Returns all debt, whole tokens of the loan.
    fn debt(&self) -> f64;

    /// Returns what the collateral behind debt is worth at the price by which positions are judged.
    fn collateral_value(&self) -> f64;

    /// Takes a new price; returns debt that is lost because its collateral is gone.
    fn reprice(&mut self, quote: &Quote) -> f64;

    /// Repays a share of every debt, and returns the amount.
    fn repay(&mut self, share: f64) -> f64;

    /// Adds debt at an LTV of at most `ltv`, all of it there where `is_at_limit`.
    fn borrow(&mut self, amount: f64, ltv: f64, is_at_limit: bool);

    /// Liquidates what pays. `ratio` is what collateral is really worth, over the price by which positions are judged.
    fn liquidate(&mut self, ratio: f64, grace: Grace, liquidity: &mut Liquidity) -> Sale;

    /// Softly deleverages what pays; a grace time protects from that too.
    fn deleverage(&mut self, soft: Soft, ratio: f64, grace: Grace, liquidity: &mut Liquidity) -> Sale;
}
