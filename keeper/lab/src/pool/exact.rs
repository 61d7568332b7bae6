//! Positions one by one, in base units, each judged by the program's own functions: what the grid is measured against.

use super::book::{Book, Grace, Quote, Sale, Soft};
use super::liquidity::Liquidity;
use super::settings::LOAN_UNIT;
use rampart::math::bps::{BPS_ONE, Bps};
use rampart::math::{Price, mul_div_floor};
use rampart::risk::health::ltv_floor;
use rampart::risk::liquidation::{Plan, Subject, plan, plan_soft};
use rampart::state::RiskParams;
use rampart::state::position::SoftQuota;

/// One position.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// Base units of the loan mint.
    pub debt: u64,
    /// Base units of the collateral mint.
    pub collateral: u64,
    /// What soft deleveraging has used of its hour.
    pub soft_quota: SoftQuota,
}

/// What happened to one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Which position, in the order of the book.
    pub position: usize,
    /// What the program planned.
    pub plan: Plan,
    /// Debt that was written off, base units.
    pub bad_debt: u64,
    /// Whether it was a soft deleveraging.
    pub is_soft: bool,
}

/// Positions one by one, each liquidated or deleveraged at most once a step.
#[derive(Clone, Debug)]
pub struct Exact {
    /// The positions.
    pub positions: Vec<Position>,
    /// What was done in the present step.
    pub deeds: Vec<Deed>,
    risk: RiskParams,
    quote: Quote,
}

impl Exact {
    /// Returns a book of `positions` under `risk`.
    pub fn new(positions: Vec<Position>, risk: RiskParams) -> Self {
        Self { positions, deeds: Vec::new(), risk, quote: Quote::of(0.0) }
    }

    fn value(&self, amount: u64) -> f64 {
        self.pair().and_then(|pair| pair.value_floor(amount.into())).unwrap_or(0) as f64 / LOAN_UNIT
    }

    fn pair(&self) -> Option<Price> {
        self.quote.pair
    }

    fn subject(&self, at: usize) -> Option<Subject> {
        let position = self.positions.get(at)?;
        Some(Subject { debt: position.debt, collateral: position.collateral, price: self.pair()? })
    }

    /// Books a plan where liquidators can sell what they get.
    fn settle(
        &mut self,
        at: usize,
        planned: Plan,
        ratio: f64,
        liquidity: &mut Liquidity,
        sale: &mut Sale,
        is_soft: bool,
    ) {
        let value = self.value(planned.seize_amount);
        let margin = (1.0 + f64::from(planned.bonus_bps) / 1e4) * ratio - 1.0;
        if liquidity.room(margin) < value * ratio {
            return;
        }
        liquidity.sell(value * ratio);
        let position = &mut self.positions[at];
        position.debt -= planned.repay_amount;
        position.collateral -= planned.seize_amount;
        let bad_debt = if planned.is_insolvent { std::mem::take(&mut position.debt) } else { 0 };
        if is_soft {
            position.soft_quota.record(planned.repay_amount, self.quote.now_ts);
        }
        sale.repaid += planned.repay_amount as f64 / LOAN_UNIT;
        sale.seized_value += value;
        sale.bad_debt += bad_debt as f64 / LOAN_UNIT;
        self.deeds.push(Deed { position: at, plan: planned, bad_debt, is_soft });
    }

    fn is_protected(&self, subject: &Subject, grace: Grace) -> bool {
        let line = Bps(self.risk.liquidation_line_bps.into());
        let ltv_at = |price| ltv_floor(subject.debt, subject.collateral, price).unwrap_or(Bps::MAX);
        match grace {
            Grace::Over => false,
            Grace::Since(halt) => {
                let scaled = self.quote.pair.map(|pair| pair.q64() as f64 * halt / self.quote.price);
                scaled.and_then(|raw| Price::from_q64(raw as u128).ok()).is_some_and(|price| ltv_at(price) < line)
            }
            Grace::Unmarked => ltv_at(subject.price) < Bps(BPS_ONE as u32),
        }
    }
}

impl Book for Exact {
    const NEEDS_UNITS: bool = true;

    fn collateral_value(&self) -> f64 {
        self.positions.iter().map(|position| self.value(position.collateral)).sum()
    }

    fn debt(&self) -> f64 {
        self.positions.iter().map(|position| position.debt as f64 / LOAN_UNIT).sum()
    }

    fn reprice(&mut self, quote: &Quote) -> f64 {
        self.quote = *quote;
        self.deeds.clear();
        0.0
    }

    fn repay(&mut self, share: f64) -> f64 {
        let part = (share * 1e9) as u128;
        let mut repaid = 0;
        for position in &mut self.positions {
            let amount = mul_div_floor(position.debt.into(), part, 1_000_000_000).unwrap_or(0) as u64;
            position.debt -= amount;
            repaid += amount;
        }
        repaid as f64 / LOAN_UNIT
    }

    fn borrow(&mut self, amount: f64, ltv: f64, _is_at_limit: bool) {
        let debt = (amount * LOAN_UNIT) as u64;
        let worth = (debt as f64 / ltv) as u128;
        let collateral = self.pair().and_then(|pair| pair.amount_floor(worth)).unwrap_or(0) as u64;
        self.positions.push(Position { debt, collateral, soft_quota: SoftQuota::default() });
    }

    fn liquidate(&mut self, ratio: f64, grace: Grace, liquidity: &mut Liquidity) -> Sale {
        let mut sale = Sale::default();
        for at in 0..self.positions.len() {
            let Some(subject) = self.subject(at) else { continue };
            let Ok(planned) = plan(subject, &self.risk, u64::MAX) else { continue };
            if !self.is_protected(&subject, grace) {
                self.settle(at, planned, ratio, liquidity, &mut sale, false);
            }
        }
        sale
    }

    fn deleverage(&mut self, soft: Soft, ratio: f64, liquidity: &mut Liquidity) -> Sale {
        let mut sale = Sale::default();
        for at in 0..self.positions.len() {
            // one a slot: who was liquidated has had his turn
            let is_done = self.deeds.iter().any(|deed| deed.position == at);
            let Some(subject) = self.subject(at).filter(|_| !is_done) else { continue };
            let mut quota = self.positions[at].soft_quota;
            quota.settle(subject.debt, self.quote.now_ts);
            let left = quota.left(self.risk.soft_quota_bps.min(soft.quota_bps));
            if let Ok(planned) = plan_soft(subject, &self.risk, left, u64::MAX) {
                self.positions[at].soft_quota = quota;
                self.settle(at, planned, ratio, liquidity, &mut sale, true);
            }
        }
        sale
    }
}
