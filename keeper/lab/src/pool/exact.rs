//! Positions one by one, on a vault account of the program: judged, booked and charged interest by the program's own functions. What the
//! grid is measured against.

use super::book::{Book, Grace, Quote, Sale, Soft};
use super::liquidity::Liquidity;
use super::settings::LOAN_UNIT;
use anchor_lang::prelude::Clock;
use rampart::LiquidateArgs;
use rampart::instructions::liquidation::apply::book;
use rampart::math::bps::{BPS_ONE, Bps};
use rampart::math::price::Q64_ONE;
use rampart::math::{Price, mul_div_floor, shares};
use rampart::risk::health::ltv_floor;
use rampart::risk::liquidation::{Plan, Subject, plan, plan_soft};
use rampart::state::{Position, RiskParams, Vault};

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
///
/// As on chain, interest is charged where something is booked: the rounding of the index depends on when that is.
#[derive(Clone)]
pub struct Exact {
    /// The vault.
    pub vault: Box<Vault>,
    /// The positions.
    pub positions: Vec<Position>,
    /// What was done in the present step.
    pub deeds: Vec<Deed>,
    quote: Quote,
}

impl Exact {
    /// Returns a book of positions with `(debt, collateral)` in base units, under `risk` and without interest.
    pub fn new(risk: RiskParams, held: &[(u64, u64)]) -> Self {
        let mut vault: Vault = bytemuck::Zeroable::zeroed();
        (vault.risk, vault.borrow_index_q64) = (risk, Q64_ONE.into());
        let mut exact = Self::adopt(vault, Vec::new());
        held.iter().for_each(|(debt, collateral)| exact.open(*debt, *collateral));
        exact
    }

    /// Returns a book of what a chain holds.
    pub fn adopt(vault: Vault, positions: Vec<Position>) -> Self {
        Self { vault: Box::new(vault), positions, deeds: Vec::new(), quote: Quote::of(0.0) }
    }

    /// Returns the debt of a position as its vault stands, base units.
    pub fn debt_at(&self, at: usize) -> u64 {
        self.positions.get(at).map_or(0, |position| self.vault.debt_of(position).unwrap_or(0))
    }

    fn open(&mut self, debt: u64, collateral: u64) {
        let mut position: Position = bytemuck::Zeroable::zeroed();
        let scaled = shares::scaled_for_borrow(debt.into(), self.vault.borrow_index_q64.get()).unwrap_or(0);
        (position.debt_scaled, position.collateral_amount) = (scaled.into(), collateral);
        self.vault.debt_scaled = (self.vault.debt_scaled.get() + scaled).into();
        self.vault.collateral_amount = self.vault.collateral_amount.saturating_add(collateral);
        self.positions.push(position);
    }

    fn value(&self, amount: u64) -> f64 {
        self.quote.pair.and_then(|pair| pair.value_floor(amount.into())).unwrap_or(0) as f64 / LOAN_UNIT
    }

    /// The vault with interest until now, and what a liquidator sees of a position that has not had its turn.
    fn judged(&self, at: usize) -> Option<(Box<Vault>, Subject)> {
        if self.deeds.iter().any(|deed| deed.position == at) {
            return None;
        }
        let (position, mut vault) = (self.positions.get(at)?, self.vault.clone());
        vault.accrue(self.quote.now_ts).ok()?;
        let debt = vault.debt_of(position).ok()?;
        Some((vault, Subject { debt, collateral: position.collateral_amount, price: self.quote.pair? }))
    }

    /// Books a plan where liquidators can sell what they get.
    fn settle(&mut self, mut vault: Box<Vault>, deed: Deed, position: Position, market: (f64, &mut Liquidity)) -> Sale {
        let (Deed { position: at, plan, is_soft, .. }, (ratio, liquidity)) = (deed, market);
        let (value, mut position) = (self.value(plan.seize_amount), position);
        let margin = (1.0 + f64::from(plan.bonus_bps) / 1e4) * ratio - 1.0;
        let clock = Clock { unix_timestamp: self.quote.now_ts, ..Clock::default() };
        let liquidation_seq = position.liquidation_seq;
        let args = LiquidateArgs { liquidation_seq, max_repay_amount: u64::MAX, min_seize_amount: 0 };
        if liquidity.room(margin) < value * ratio {
            return Sale::default();
        }
        let Ok(booked) = book(&mut vault, &mut position, plan, &args, &clock, is_soft) else { return Sale::default() };
        liquidity.sell(value * ratio);
        (self.vault, self.positions[at]) = (vault, position);
        self.deeds.push(Deed { bad_debt: booked.bad_debt_amount, ..deed });
        Sale {
            repaid: plan.repay_amount as f64 / LOAN_UNIT,
            seized_value: value,
            bad_debt: booked.bad_debt_amount as f64 / LOAN_UNIT,
        }
    }

    fn is_protected(&self, subject: &Subject, grace: Grace) -> bool {
        let ltv_at = |price: Price| ltv_floor(subject.debt, subject.collateral, price).unwrap_or(Bps::MAX);
        match grace {
            Grace::Over => false,
            Grace::Since(halt) => ltv_at(halt) < Bps(self.vault.risk.liquidation_line_bps.into()),
            Grace::Unmarked => ltv_at(subject.price) < Bps(BPS_ONE as u32),
        }
    }
}

impl Book for Exact {
    const NEEDS_UNITS: bool = true;

    fn collateral_value(&self) -> f64 {
        self.positions.iter().map(|position| self.value(position.collateral_amount)).sum()
    }

    fn debt(&self) -> f64 {
        (0..self.positions.len()).map(|at| self.debt_at(at) as f64 / LOAN_UNIT).sum()
    }

    fn reprice(&mut self, quote: &Quote) -> f64 {
        self.quote = *quote;
        self.deeds.clear();
        0.0
    }

    fn repay(&mut self, share: f64) -> f64 {
        let part = (share * 1e9) as u128;
        let mut repaid = 0;
        for at in 0..self.positions.len() {
            let amount = mul_div_floor(self.debt_at(at).into(), part, 1_000_000_000).unwrap_or(0) as u64;
            if self.vault.reduce_debt(&mut self.positions[at], amount).is_ok() {
                repaid += amount;
            }
        }
        repaid as f64 / LOAN_UNIT
    }

    fn borrow(&mut self, amount: f64, ltv: f64, _is_at_limit: bool) {
        let debt = (amount * LOAN_UNIT) as u64;
        let worth = (debt as f64 / ltv) as u128;
        let collateral = self.quote.pair.and_then(|pair| pair.amount_floor(worth)).unwrap_or(0) as u64;
        self.open(debt, collateral);
    }

    fn liquidate(&mut self, ratio: f64, grace: Grace, liquidity: &mut Liquidity) -> Sale {
        let mut sale = Sale::default();
        for at in 0..self.positions.len() {
            let Some((vault, subject)) = self.judged(at) else { continue };
            let Ok(plan) = plan(subject, &vault.risk, u64::MAX) else { continue };
            if !self.is_protected(&subject, grace) {
                let deed = Deed { position: at, plan, bad_debt: 0, is_soft: false };
                sale = sale + self.settle(vault, deed, self.positions[at], (ratio, &mut *liquidity));
            }
        }
        sale
    }

    fn deleverage(&mut self, soft: Soft, ratio: f64, grace: Grace, liquidity: &mut Liquidity) -> Sale {
        let mut sale = Sale::default();
        for at in 0..self.positions.len() {
            let Some((vault, subject)) = self.judged(at) else { continue };
            let (mut position, now_ts) = (self.positions[at], self.quote.now_ts);
            position.soft_quota.settle(subject.debt, now_ts);
            let left = position.soft_quota.left(vault.risk.soft_quota_bps.min(soft.quota_bps));
            let Ok(plan) = plan_soft(subject, &vault.risk, left, u64::MAX) else { continue };
            if self.is_protected(&subject, grace) {
                continue;
            }
            position.soft_quota.record(plan.repay_amount, now_ts);
            let deed = Deed { position: at, plan, bad_debt: 0, is_soft: true };
            sale = sale + self.settle(vault, deed, position, (ratio, &mut *liquidity));
        }
        sale
    }
}
