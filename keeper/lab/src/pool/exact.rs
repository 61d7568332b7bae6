//! Positions one by one, on the defence's vault account: judged, booked and charged interest by the program's own functions. What the
//! grid is measured against.

use super::book::{Book, Grace, Graces, Quote, Sale, Soft};
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
use rampart::state::{Position, Vault};

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
    /// The positions.
    pub positions: Vec<Position>,
    /// What was done in the present step.
    pub deeds: Vec<Deed>,
    quote: Quote,
}

impl Exact {
    /// Returns a book of positions with `(debt, collateral)` in base units, without interest so far.
    pub fn new(held: &[(u64, u64)]) -> Self {
        let opened = |(debt, collateral): &(u64, u64)| {
            let scaled = shares::scaled_for_borrow((*debt).into(), Q64_ONE).unwrap_or(0);
            Position { debt_scaled: scaled.into(), collateral_amount: *collateral, ..bytemuck::Zeroable::zeroed() }
        };
        Self::adopt(held.iter().map(opened).collect())
    }

    /// Returns a book of positions that a chain holds; the defence adopts their vault.
    pub fn adopt(positions: Vec<Position>) -> Self {
        Self { positions, deeds: Vec::new(), quote: Quote::of(0.0) }
    }

    fn value(&self, amount: u64) -> f64 {
        self.quote.pair.and_then(|pair| pair.value_floor(amount.into())).unwrap_or(0) as f64 / LOAN_UNIT
    }

    /// The vault with interest until now, and what a liquidator sees of a position that has not had its turn.
    fn judged(&self, vault: &Vault, at: usize) -> Option<(Box<Vault>, Subject)> {
        if self.deeds.iter().any(|deed| deed.position == at) {
            return None;
        }
        let (position, mut vault) = (self.positions.get(at)?, Box::new(*vault));
        vault.accrue(self.quote.now_ts).ok()?;
        let debt = vault.debt_of(position).ok()?;
        Some((vault, Subject { debt, collateral: position.collateral_amount, price: self.quote.pair? }))
    }

    /// Books a plan where liquidators can sell what they get.
    fn settle(
        &mut self,
        (vault, mut next): (&mut Vault, Box<Vault>),
        deed: Deed,
        position: Position,
        market: (f64, &mut Liquidity),
    ) -> Sale {
        let (Deed { position: at, plan, is_soft, .. }, (ratio, liquidity)) = (deed, market);
        let (value, mut position) = (self.value(plan.seize_amount), position);
        let margin = (1.0 + f64::from(plan.bonus_bps) / 1e4) * ratio - 1.0;
        let clock = Clock { unix_timestamp: self.quote.now_ts, ..Clock::default() };
        let liquidation_seq = position.liquidation_seq;
        let args = LiquidateArgs { liquidation_seq, max_repay_amount: u64::MAX, min_seize_amount: 0 };
        if liquidity.room(margin) < value * ratio {
            return Sale::default();
        }
        let Ok(booked) = book(&mut next, &mut position, plan, &args, &clock, is_soft) else { return Sale::default() };
        liquidity.sell(value * ratio);
        (*vault, self.positions[at]) = (*next, position);
        self.deeds.push(Deed { bad_debt: booked.bad_debt_amount, ..deed });
        Sale {
            repaid: plan.repay_amount as f64 / LOAN_UNIT,
            seized_value: value,
            bad_debt: booked.bad_debt_amount as f64 / LOAN_UNIT,
        }
    }

    fn is_protected(&self, at: usize, subject: &Subject, line_bps: u16, graces: &Graces) -> bool {
        let risk_taken_at_ts = self.positions[at].risk_taken_at_ts;
        let is_below = |price: Price, line: u32| {
            ltv_floor(subject.debt, subject.collateral, price).unwrap_or(Bps::MAX) < Bps(line)
        };
        let protects = |grace: &Grace| match grace.price {
            Some(halt) => is_below(halt, line_bps.into()),
            None => is_below(subject.price, BPS_ONE as u32),
        };
        graces.iter().flatten().any(|grace| risk_taken_at_ts < grace.started_at_ts && protects(grace))
    }
}

impl Book for Exact {
    const NEEDS_UNITS: bool = true;

    fn found(&self, vault: &mut Vault, deposits: u64) {
        let debt_scaled = self.positions.iter().map(|position| position.debt_scaled.get()).sum::<u128>();
        vault.debt_scaled = debt_scaled.into();
        vault.collateral_amount = self.positions.iter().map(|position| position.collateral_amount).sum();
        vault.cash_amount = deposits.saturating_sub(vault.debt_amount().unwrap_or(0));
    }

    fn collateral_value(&self) -> f64 {
        self.positions.iter().map(|position| self.value(position.collateral_amount)).sum()
    }

    fn debt(&self, vault: &Vault) -> f64 {
        self.positions.iter().map(|position| vault.debt_of(position).unwrap_or(0) as f64 / LOAN_UNIT).sum()
    }

    fn within(&self, vault: &Vault, fall: f64) -> f64 {
        let line = f64::from(vault.risk.liquidation_line_bps) / 1e4 * (1.0 - fall);
        let debts = self.positions.iter().map(|position| {
            let debt = vault.debt_of(position).unwrap_or(0) as f64 / LOAN_UNIT;
            if debt >= line * self.value(position.collateral_amount) { debt } else { 0.0 }
        });
        debts.sum()
    }

    fn reprice(&mut self, quote: &Quote) -> f64 {
        self.quote = *quote;
        self.deeds.clear();
        0.0
    }

    fn repay(&mut self, vault: &mut Vault, share: f64, now_ts: i64) -> f64 {
        let part = (share * 1e9) as u128;
        let mut repaid = 0;
        let _ = vault.accrue(now_ts);
        for position in &mut self.positions {
            let debt = vault.debt_of(position).unwrap_or(0);
            let amount = mul_div_floor(debt.into(), part, 1_000_000_000).unwrap_or(0) as u64;
            if vault.reduce_debt(position, amount).is_ok() {
                vault.cash_amount = vault.cash_amount.saturating_add(amount);
                repaid += amount;
            }
        }
        repaid as f64 / LOAN_UNIT
    }

    fn borrow(&mut self, vault: &mut Vault, amount: f64, ltv: f64, _is_at_limit: bool) {
        let _ = vault.accrue(self.quote.now_ts);
        let debt = (amount * LOAN_UNIT) as u64;
        let worth = (debt as f64 / ltv) as u128;
        let collateral_amount = self.quote.pair.and_then(|pair| pair.amount_floor(worth)).unwrap_or(0) as u64;
        let scaled = shares::scaled_for_borrow(debt.into(), vault.borrow_index_q64.get()).unwrap_or(0);
        let risk_taken_at_ts = self.quote.now_ts;
        let debt_scaled = scaled.into();
        let opened = Position { debt_scaled, collateral_amount, risk_taken_at_ts, ..bytemuck::Zeroable::zeroed() };
        vault.debt_scaled = (vault.debt_scaled.get() + scaled).into();
        vault.collateral_amount = vault.collateral_amount.saturating_add(collateral_amount);
        vault.cash_amount = vault.cash_amount.saturating_sub(debt);
        self.positions.push(opened);
    }

    fn liquidate(&mut self, vault: &mut Vault, ratio: f64, graces: &Graces, liquidity: &mut Liquidity) -> Sale {
        let mut sale = Sale::default();
        for at in 0..self.positions.len() {
            let Some((next, subject)) = self.judged(vault, at) else { continue };
            let Ok(plan) = plan(subject, &vault.risk, u64::MAX) else { continue };
            if !self.is_protected(at, &subject, vault.risk.liquidation_line_bps, graces) {
                let deed = Deed { position: at, plan, bad_debt: 0, is_soft: false };
                let market = (ratio, &mut *liquidity);
                sale = sale + self.settle((&mut *vault, next), deed, self.positions[at], market);
            }
        }
        sale
    }

    fn deleverage(
        &mut self,
        vault: &mut Vault,
        soft: Soft,
        ratio: f64,
        graces: &Graces,
        liquidity: &mut Liquidity,
    ) -> Sale {
        let mut sale = Sale::default();
        for at in 0..self.positions.len() {
            let Some((next, subject)) = self.judged(vault, at) else { continue };
            let (mut position, now_ts) = (self.positions[at], self.quote.now_ts);
            position.soft_quota.settle(subject.debt, now_ts);
            let left = position.soft_quota.left(vault.risk.soft_quota_bps.min(soft.quota_bps));
            let Ok(plan) = plan_soft(subject, &vault.risk, left, u64::MAX) else { continue };
            if self.is_protected(at, &subject, vault.risk.liquidation_line_bps, graces) {
                continue;
            }
            position.soft_quota.record(plan.repay_amount, now_ts);
            let deed = Deed { position: at, plan, bad_debt: 0, is_soft: true };
            sale = sale + self.settle((&mut *vault, next), deed, position, (ratio, &mut *liquidity));
        }
        sale
    }
}
