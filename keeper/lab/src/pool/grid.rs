//! Debt by loan-to-value: 561 buckets, each half a percent above the one before.
//!
//! A fall of the price moves all debt up by as many buckets; what is less than a bucket waits for the next move, so that a
//! position's LTV is known to a quarter of a percent and nothing spreads by itself.

use super::book::{Book, Grace, Graces, Quote, Sale, Soft};
use super::liquidity::Liquidity;
use super::settings::whole_tokens;
use super::table::{Row, Table};
use rampart::state::Vault;

/// How many buckets there are.
pub const BUCKETS: usize = 561;
/// Width of a bucket, logarithm of LTV.
pub const WIDTH: f64 = 0.005;
/// Logarithm of the lowest bucket's LTV: 10 %. The highest stands at 165 %.
const LOWEST: f64 = -2.3;
/// Borrowers stay within this many buckets below the limit.
const TEMPLATE: usize = 160;

/// Returns the LTV of a bucket, as a share.
pub fn ltv_of(bucket: usize) -> f64 {
    (LOWEST + bucket as f64 * WIDTH).exp()
}

/// Returns the bucket below an LTV, and the share that belongs there rather than one above, so that debt and collateral stay
/// what they are.
pub(super) fn between(ln_ltv: f64) -> (usize, f64) {
    let place = ((ln_ltv - LOWEST) / WIDTH).clamp(0.0, (BUCKETS - 1) as f64);
    let lower = (place.floor() as usize).min(BUCKETS - 2);
    let (a, b) = (1.0 / ltv_of(lower), 1.0 / ltv_of(lower + 1));
    (lower, (((-ln_ltv).exp() - b) / (a - b)).clamp(0.0, 1.0))
}

/// Debt by bucket, whole tokens of the loan.
#[derive(Clone, Debug)]
pub struct Grid {
    debt: Vec<f64>,
    /// The lowest and one above the highest bucket that may hold debt.
    low: usize,
    high: usize,
    total: f64,
    price: Option<f64>,
    /// Move of the logarithm that is less than a bucket.
    rest: f64,
    template: Vec<f64>,
    /// Collateral over debt, by bucket.
    per_ltv: Vec<f64>,
    table: Table,
}

impl Grid {
    /// Returns an empty pool, whose borrowers stay `spread` below the limit.
    pub fn new(table: Table, spread: f64) -> Self {
        let weights: Vec<f64> = (0..TEMPLATE).map(|at| (-(at as f64) * WIDTH / spread.max(1e-6)).exp()).collect();
        let sum: f64 = weights.iter().sum();
        let template = weights.iter().map(|weight| weight / sum).collect();
        let per_ltv = (0..BUCKETS).map(|at| 1.0 / ltv_of(at)).collect();
        Self {
            debt: vec![0.0; BUCKETS],
            low: BUCKETS,
            high: 0,
            total: 0.0,
            price: None,
            rest: 0.0,
            template,
            per_ltv,
            table,
        }
    }

    /// Returns the debt of every bucket.
    pub fn buckets(&self) -> &[f64] {
        &self.debt
    }

    /// Returns what collateral is missing behind the debt, whole tokens of the loan.
    pub fn underwater(&self) -> f64 {
        let deficit = |(at, debt): (usize, &f64)| debt * (1.0 - 1.0 / ltv_of(at)).max(0.0);
        self.debt.iter().enumerate().map(deficit).sum()
    }

    /// Adds debt at an LTV.
    pub fn place(&mut self, ltv: f64, amount: f64) {
        self.total += amount;
        self.put_between(between(ltv.ln()), amount);
    }

    fn put(&mut self, bucket: usize, amount: f64) {
        self.debt[bucket] += amount;
        self.low = self.low.min(bucket);
        self.high = self.high.max(bucket + 1);
    }

    /// Puts debt into a bucket and the one above it.
    fn put_between(&mut self, (to, below): (usize, f64), amount: f64) {
        let lower = amount * below;
        self.put(to, lower);
        self.put(to + 1, amount - lower);
    }

    /// Moves all debt up by `by` buckets, down where negative. Beyond the top the lost collateral is lost debt.
    fn roll(&mut self, by: isize) -> f64 {
        if by == 0 || self.low >= self.high {
            return 0.0;
        }
        let mut lost = 0.0;
        let (low, high) = (self.low, self.high);
        let place = |at: usize| at as isize + by;
        let edge = BUCKETS as isize - 1;
        // what leaves the grid first
        let mut held = [(0usize, 0.0f64); 2];
        let leaving =
            if by > 0 { (edge + 1 - by).max(low as isize) as usize..high } else { low..high.min(by.unsigned_abs()) };
        for at in leaving {
            let to = place(at);
            if to > edge {
                let kept = self.debt[at] * (-((to - edge) as f64) * WIDTH).exp();
                lost += self.debt[at] - kept;
                held[1] = (BUCKETS - 1, held[1].1 + kept);
                self.debt[at] = 0.0;
            } else if to < 0 {
                held[0].1 += self.debt[at];
                self.debt[at] = 0.0;
            }
        }
        let from = (low as isize).max(-by) as usize;
        let until = ((high as isize).min(edge + 1 - by)).max(from as isize) as usize;
        if until > from {
            self.debt.copy_within(from..until, (from as isize + by) as usize);
        }
        let (new_low, new_high) = ((from as isize + by) as usize, (until as isize + by) as usize);
        if by > 0 {
            self.debt[low..new_low.min(high)].fill(0.0);
        } else {
            self.debt[new_high.max(low)..high].fill(0.0);
        }
        (self.low, self.high) = (new_low, new_high);
        if new_low >= new_high {
            (self.low, self.high) = (BUCKETS, 0);
        }
        held.into_iter().filter(|(_, amount)| *amount > 0.0).for_each(|(at, amount)| self.put(at, amount));
        self.total -= lost;
        lost
    }

    /// The lowest bucket that no grace time protects. A bucket doesn't know when its debt was borrowed: what was since the halt
    /// began is protected with the rest.
    fn open_from(&self, graces: &Graces) -> usize {
        graces.iter().flatten().map(|grace| self.protected_below(grace)).max().unwrap_or(0)
    }

    /// Who was healthy at the halt's price keeps the collateral, and where nobody knows that price every solvent position does.
    fn protected_below(&self, grace: &Grace) -> usize {
        let Some(halt) = grace.price else { return (-LOWEST / WIDTH).ceil() as usize };
        let moved = (whole_tokens(halt) / self.price.unwrap_or(1.0)).ln() / WIDTH;
        (self.table.hard_from as f64 + moved).ceil().clamp(0.0, BUCKETS as f64) as usize
    }

    /// Forgets buckets at the top that hold nothing: no step looks at them again.
    fn trim(&mut self) {
        while self.high > self.low && self.debt[self.high - 1] == 0.0 {
            self.high -= 1;
        }
        if self.low >= self.high {
            (self.low, self.high) = (BUCKETS, 0);
        }
    }

    /// Takes `row` to a share of bucket `at` and books it.
    fn take(&mut self, at: usize, row: Row, share: f64, sale: &mut Sale) {
        let moved = self.debt[at] * share;
        let (repaid, seized) = (moved * row.repay, moved * row.seize);
        self.debt[at] -= moved;
        sale.repaid += repaid;
        sale.seized_value += seized;
        self.total -= repaid;
        let left = moved - repaid;
        if row.is_insolvent {
            sale.bad_debt += left;
            self.total -= left;
        } else if left > 0.0 {
            self.put_between((row.to, row.below), left);
        }
    }

    /// Takes what `liquidity` lets liquidators take of one bucket.
    fn sell(&mut self, at: usize, row: Row, ratio: f64, liquidity: &mut Liquidity, sale: &mut Sale) {
        let wanted = self.debt[at] * row.seize * ratio;
        if wanted <= 0.0 {
            return;
        }
        let margin = (1.0 + row.bonus) * ratio - 1.0;
        let share = (liquidity.room(margin) / wanted).min(1.0);
        if share > 0.0 {
            liquidity.sell(wanted * share);
            self.take(at, row, share, sale);
        }
    }
}

impl Book for Grid {
    const NEEDS_UNITS: bool = false;

    fn collateral_value(&self) -> f64 {
        let range = self.low.min(BUCKETS)..self.high.max(self.low).min(BUCKETS);
        let worth = |at: usize| self.debt[at] * self.per_ltv[at];
        range.map(worth).sum()
    }

    fn debt(&self, _: &Vault) -> f64 {
        self.total
    }

    fn within(&self, _: &Vault, fall: f64) -> f64 {
        let reach = (-(1.0 - fall).max(1e-9).ln() / WIDTH).floor() as usize;
        let from = self.table.hard_from.saturating_sub(reach).max(self.low);
        self.debt[from.min(BUCKETS)..self.high.max(from).min(BUCKETS)].iter().sum()
    }

    fn reprice(&mut self, quote: &Quote) -> f64 {
        let Some(last) = self.price.replace(quote.price) else { return 0.0 };
        self.rest += (last / quote.price).ln();
        let by = (self.rest / WIDTH).round();
        self.rest -= by * WIDTH;
        self.roll(by.clamp(-1e6, 1e6) as isize)
    }

    fn repay(&mut self, _: &mut Vault, share: f64, _: i64) -> f64 {
        let (keep, before) = (1.0 - share, self.total);
        let range = self.low.min(BUCKETS)..self.high.max(self.low).min(BUCKETS);
        // eight sums at once: a single one would wait for itself
        let mut sums = [0.0; 8];
        let mut chunks = self.debt[range].chunks_exact_mut(8);
        for chunk in &mut chunks {
            for (debt, sum) in chunk.iter_mut().zip(&mut sums) {
                *debt *= keep;
                *sum += *debt;
            }
        }
        let mut total: f64 = sums.iter().sum();
        for debt in chunks.into_remainder() {
            *debt *= keep;
            total += *debt;
        }
        self.total = total;
        before - total
    }

    fn borrow(&mut self, _: &mut Vault, amount: f64, ltv: f64, is_at_limit: bool) {
        let top = (((ltv.ln() - LOWEST) / WIDTH).floor().max(0.0) as usize).min(BUCKETS - 1);
        self.total += amount;
        if is_at_limit {
            return self.put(top, amount);
        }
        let count = TEMPLATE.min(top + 1);
        let from = top + 1 - count;
        let template = &self.template[..count];
        let mut left = amount;
        for (debt, weight) in self.debt[from..=top].iter_mut().rev().zip(template) {
            *debt += amount * weight;
        }
        if count < TEMPLATE {
            left -= amount * template.iter().sum::<f64>();
            self.debt[from] += left;
        }
        (self.low, self.high) = (self.low.min(from), self.high.max(top + 1));
    }

    fn liquidate(&mut self, _: &mut Vault, ratio: f64, graces: &Graces, liquidity: &mut Liquidity) -> Sale {
        let mut sale = Sale::default();
        for at in (self.table.hard_from.max(self.open_from(graces))..self.high).rev() {
            if self.debt[at] > 0.0 {
                self.sell(at, self.table.hard[at], ratio, liquidity, &mut sale);
            }
        }
        self.trim();
        sale
    }

    fn deleverage(
        &mut self,
        _: &mut Vault,
        soft: Soft,
        ratio: f64,
        graces: &Graces,
        liquidity: &mut Liquidity,
    ) -> Sale {
        let mut sale = Sale::default();
        self.table.set_soft_share(soft.share);
        for at in (self.table.soft_from.max(self.open_from(graces))..self.table.hard_from.min(self.high)).rev() {
            if self.debt[at] > 0.0 {
                self.sell(at, self.table.soft[at], ratio, liquidity, &mut sale);
            }
        }
        sale
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::risk_params;
    use super::*;
    use proptest::prelude::*;

    fn grid() -> Grid {
        let mut grid = Grid::new(Table::new(&risk_params(7_500, 8_000), 10_000_000_000, 0.0), 0.15);
        grid.reprice(&Quote::of(100.0));
        grid.borrow(&mut bytemuck::Zeroable::zeroed(), 1_000.0, 0.75, false);
        grid
    }

    fn collateral_value(grid: &Grid) -> f64 {
        grid.buckets().iter().enumerate().map(|(at, debt)| debt / ltv_of(at)).sum()
    }

    #[test]
    fn fall_of_the_price_raises_every_loan_to_value() {
        let mut grid = grid();
        let before = collateral_value(&grid);
        grid.reprice(&Quote::of(90.0));
        let ratio = collateral_value(&grid) / before;
        assert!((ratio - 0.9).abs() < 0.0026, "{ratio}");
        assert!((grid.total - 1_000.0).abs() < 1e-9);
    }

    #[test]
    fn many_small_moves_come_to_the_same_as_one_large() {
        let (mut small, mut large) = (grid(), grid());
        for step in 1..=100 {
            small.reprice(&Quote::of(100.0 - 0.2 * f64::from(step)));
        }
        large.reprice(&Quote::of(80.0));
        assert_eq!(small.buckets().iter().position(|d| *d > 0.0), large.buckets().iter().position(|d| *d > 0.0));
    }

    #[test]
    fn price_that_falls_to_nothing_loses_what_the_grid_cannot_hold() {
        let mut grid = grid();
        let lost = grid.reprice(&Quote::of(0.01));
        assert!((lost + grid.total - 1_000.0).abs() < 1e-6);
        assert!(lost > 950.0, "{lost}");
    }

    #[test]
    fn debt_between_two_buckets_keeps_debt_and_collateral() {
        let mut grid = Grid::new(Table::new(&risk_params(7_500, 8_000), 10_000_000_000, 0.0), 0.15);
        grid.put_between(between(0.7321f64.ln()), 500.0);
        assert!((grid.buckets().iter().sum::<f64>() - 500.0).abs() < 1e-9);
        assert!((collateral_value(&grid) - 500.0 / 0.7321).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn rolls_neither_make_nor_lose_debt(moves in proptest::collection::vec(-0.3f64..0.3, 1..60)) {
            let mut grid = grid();
            let (mut price, mut lost) = (100.0f64, 0.0);
            for step in moves {
                price *= step.exp();
                lost += grid.reprice(&Quote::of(price));
            }
            let held: f64 = grid.buckets().iter().sum();
            prop_assert!((held - grid.total).abs() < 1e-6 && (held + lost - 1_000.0).abs() < 1e-6);
            prop_assert!(grid.buckets().iter().all(|debt| *debt >= 0.0));
        }
    }
}
