//! What a book of positions has to answer, whether it holds them one by one or by bucket.

use super::liquidity::Liquidity;
use rampart::math::Price;
use rampart::state::Vault;

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

/// A halt that ended so lately that whoever was below the line when it began keeps the collateral.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grace {
    /// When the halt began, unix seconds: who took new risk since has no grace.
    pub started_at_ts: i64,
    /// The price then, loan base units for one of collateral; where nobody knows it every solvent position is protected.
    pub price: Option<Price>,
}

/// The graces of guard, vault and both assets: who is protected by one is protected.
pub type Graces = [Option<Grace>; 4];

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

    /// Puts what it holds on the books of a new vault whose lenders have `deposits` base units; sums in whole tokens have no books.
    fn found(&self, _vault: &mut Vault, _deposits: u64) {}

    /// Returns all debt, whole tokens of the loan. `vault` is the account whose books positions stand on, one by one.
    fn debt(&self, vault: &Vault) -> f64;

    /// Returns the debt that would reach the liquidation line if the price fell by `fall`, a share.
    fn within(&self, vault: &Vault, fall: f64) -> f64;

    /// Returns what the collateral behind debt is worth at the price by which positions are judged.
    fn collateral_value(&self) -> f64;

    /// Takes a new price; returns debt that is lost because its collateral is gone.
    fn reprice(&mut self, quote: &Quote) -> f64;

    /// Repays a share of every debt, and returns the amount.
    fn repay(&mut self, vault: &mut Vault, share: f64, now_ts: i64) -> f64;

    /// Adds debt at an LTV of at most `ltv`, all of it there where `is_at_limit`.
    fn borrow(&mut self, vault: &mut Vault, amount: f64, ltv: f64, is_at_limit: bool);

    /// Liquidates what pays. `ratio` is what collateral is really worth, over the price by which positions are judged.
    fn liquidate(&mut self, vault: &mut Vault, ratio: f64, graces: &Graces, liquidity: &mut Liquidity) -> Sale;

    /// Softly deleverages what pays; a grace time protects from that too.
    fn deleverage(
        &mut self,
        vault: &mut Vault,
        soft: Soft,
        ratio: f64,
        graces: &Graces,
        liquidity: &mut Liquidity,
    ) -> Sale;
}
