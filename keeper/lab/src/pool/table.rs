//! What the program does to a position at each LTV, looked up instead of computed.
//!
//! Filled by calls of the program's own `plan` and `plan_soft` for one position of each bucket. Both are linear in the size of
//! a position but for base units and dust, so a share of one is the share of all: a test compares them with calls for others.

use super::grid::{BUCKETS, between, ltv_of};
use rampart::math::Price;
use rampart::math::price::Q64_ONE;
use rampart::risk::liquidation::{Plan, Subject, plan, plan_soft};
use rampart::state::RiskParams;

/// What is done to the positions of one bucket, as shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Repaid, as a share of the debt; zero where the program refuses.
    pub repay: f64,
    /// Seized, in value at the pool's price, as a share of the debt.
    pub seize: f64,
    /// The bonus on what is repaid, as a share.
    pub bonus: f64,
    /// Where the rest goes: this bucket and the one above it; meaningless where nothing is left.
    pub to: usize,
    /// The share of the rest that goes to the lower one of them.
    pub below: f64,
    /// Whether the rest of the debt is lost.
    pub is_insolvent: bool,
}

impl Row {
    const NONE: Self = Self { repay: 0.0, seize: 0.0, bonus: 0.0, to: 0, below: 0.0, is_insolvent: false };
}

/// One row for each bucket.
#[derive(Clone, Debug)]
pub struct Table {
    /// By bucket.
    pub hard: Vec<Row>,
    /// By bucket, for one step.
    pub soft: Vec<Row>,
    /// Buckets from here on may be liquidated.
    pub hard_from: usize,
    /// Buckets from here to `hard_from` may be deleveraged.
    pub soft_from: usize,
    risk: RiskParams,
    position_amount: u64,
    soft_share: f64,
}

impl Table {
    /// Returns the rows of `risk` for positions of `position_amount` base units, whose keepers softly deleverage
    /// `soft_share` of a debt in one step.
    pub fn new(risk: &RiskParams, position_amount: u64, soft_share: f64) -> Self {
        let hard: Vec<Row> = (0..BUCKETS).map(|at| hard_row(at, risk, position_amount)).collect();
        let hard_from = hard.iter().position(|row| row.repay > 0.0 || row.is_insolvent).unwrap_or(BUCKETS);
        let mut table = Self {
            hard,
            soft: Vec::new(),
            hard_from,
            soft_from: hard_from,
            risk: *risk,
            position_amount,
            soft_share: f64::NAN,
        };
        table.set_soft_share(soft_share);
        table
    }

    /// Computes the soft rows anew where the share of a step has changed.
    pub fn set_soft_share(&mut self, soft_share: f64) {
        if self.soft_share == soft_share {
            return;
        }
        self.soft_share = soft_share;
        let row = |at| soft_row(at, &self.risk, self.position_amount, soft_share);
        self.soft = (0..self.hard_from).map(row).collect();
        self.soft_from = self.soft.iter().position(|row| row.repay > 0.0).unwrap_or(self.hard_from);
    }
}

/// A position of `debt` at the LTV of bucket `at`, at a price of one.
pub(super) fn subject(at: usize, debt: u64) -> Option<Subject> {
    let price = Price::from_q64(Q64_ONE).ok()?;
    Some(Subject { debt, collateral: (debt as f64 / ltv_of(at)).round() as u64, price })
}

fn hard_row(at: usize, risk: &RiskParams, debt: u64) -> Row {
    let planned = subject(at, debt).and_then(|subject| Some((subject, plan(subject, risk, u64::MAX).ok()?)));
    planned.map_or(Row::NONE, |(subject, plan)| row_of(subject, plan))
}

fn soft_row(at: usize, risk: &RiskParams, debt: u64, share: f64) -> Row {
    let quota = (debt as f64 * share).round() as u64;
    let planned = subject(at, debt).and_then(|subject| {
        // dust is a matter of one keeper's call, not of a share that many positions take in turn
        let params = RiskParams { min_debt_amount: 0, ..*risk };
        Some((subject, plan_soft(subject, &params, quota, u64::MAX).ok()?))
    });
    planned.map_or(Row::NONE, |(subject, plan)| row_of(subject, plan))
}

fn row_of(subject: Subject, plan: Plan) -> Row {
    let debt = subject.debt as f64;
    let (left, left_value) = (subject.debt - plan.repay_amount, subject.collateral - plan.seize_amount);
    let (to, below) = between((left.max(1) as f64 / left_value.max(1) as f64).ln());
    Row {
        repay: plan.repay_amount as f64 / debt,
        seize: plan.seize_amount as f64 / debt,
        bonus: f64::from(plan.bonus_bps) / 1e4,
        to,
        below,
        is_insolvent: plan.is_insolvent,
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::risk_params;
    use super::*;
    use proptest::prelude::*;
    use rampart::error::RampartError;

    fn risk() -> RiskParams {
        RiskParams { soft_line_bps: 7_600, soft_quota_bps: 1_000, ..risk_params(7_500, 8_000) }
    }

    #[test]
    fn lines_of_the_table_are_those_of_the_program() {
        let table = Table::new(&risk(), 10_000_000_000, 0.01);
        let refused = |at| plan(subject(at, 10_000_000_000).unwrap(), &risk(), u64::MAX);
        assert_eq!(refused(table.hard_from - 1), Err(RampartError::PositionHealthy));
        assert!(refused(table.hard_from).is_ok());
        assert!((0.75..0.77).contains(&ltv_of(table.soft_from)) && (0.8..0.81).contains(&ltv_of(table.hard_from)));
    }

    proptest! {
        #[test]
        fn table_equals_the_call_for_any_position_above_dust(
            at in 0..BUCKETS, debt in 1_000_000_000u64..1_000_000_000_000_000, ltv in 5_000u16..7_500, factor in 500u16..10_000, max_bonus in 300u16..1_000,
        ) {
            let risk = RiskParams { ltv_bps: ltv, target_ltv_bps: ltv, close_factor_bps: factor, max_bonus_bps: max_bonus, ..risk() };
            let table = Table::new(&risk, 10_000_000_000, 0.01);
            let subject = subject(at, debt).unwrap();
            let row = table.hard[at];
            match plan(subject, &risk, u64::MAX) {
                Ok(plan) => {
                    // one base unit of each, and of the reference position's; a rest of that one that would be dust is repaid with it
                    let dust = risk.min_debt_amount as f64 / 10_000_000_000.0;
                    let near = |part: u64, share: f64| (part as f64 - share * debt as f64).abs() <= 2.0 + debt as f64 * (3e-4 + dust * 1.1);
                    prop_assert!(near(plan.repay_amount, row.repay) && near(plan.seize_amount, row.seize), "{plan:?} {row:?}");
                    prop_assert_eq!(plan.is_insolvent, row.is_insolvent);
                    prop_assert!((f64::from(plan.bonus_bps) / 1e4 - row.bonus).abs() <= 1.01e-4);
                }
                Err(_) => prop_assert!(row.repay == 0.0 && !row.is_insolvent),
            }
        }
    }
}
