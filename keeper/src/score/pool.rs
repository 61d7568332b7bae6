//! What flows in and out of a vault, from one of its states to the next.

use rampart::state::Vault;
use rampart_score::state::{Flow, FlowKind, FlowReading};

/// The flows of one vault, loan base units.
#[derive(Debug, Default)]
pub(super) struct Pool {
    flow: Flow,
    last: Option<Books>,
}

/// What the books say, interest accrued.
#[derive(Clone, Copy, Debug)]
struct Books {
    cash: f64,
    debt: f64,
    collateral: f64,
}

impl Pool {
    /// Compares the vault with its last state. Interest is noise beside the flows that matter.
    pub(super) fn see(&mut self, vault: &Vault, now_ts: i64) {
        let Ok(debt) = vault.debt_amount() else { return };
        let (cash, collateral) = (vault.cash_amount as f64, vault.collateral_amount as f64);
        let now = Books { cash, debt: debt as f64, collateral };
        if let Some(before) = self.last.replace(now) {
            self.compare(before, now, now_ts);
        }
    }

    /// Debt that falls together with the collateral was liquidated; lenders' money is what the debt doesn't explain.
    fn compare(&mut self, before: Books, now: Books, now_ts: i64) {
        let (borrowed, lent) = (now.debt - before.debt, now.cash + now.debt - before.cash - before.debt);
        let kind = if now.collateral < before.collateral { FlowKind::Liquidation } else { FlowKind::Inflow };
        let noise = before.debt * 1e-6 + 1.0;
        let moves =
            [(FlowKind::Borrow, borrowed), (kind, -borrowed), (FlowKind::Inflow, lent), (FlowKind::Outflow, -lent)];
        moves.into_iter().filter(|(_, amount)| *amount > noise).for_each(|(kind, amount)| {
            self.flow.push(kind, amount, now_ts);
        });
    }

    /// Returns the flows as shares of the pool; none while it is empty.
    pub(super) fn reading(&mut self, now_ts: i64) -> Option<FlowReading> {
        let books = self.last?;
        self.flow.reading(books.cash + books.debt, now_ts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books(cash: f64, debt: f64, collateral: f64) -> Books {
        Books { cash, debt, collateral }
    }

    fn share(before: Books, now: Books, kind: FlowKind) -> f64 {
        let mut pool = Pool { last: Some(now), ..Pool::default() };
        pool.compare(before, now, 1_000);
        pool.reading(1_000).expect("a pool that isn't empty").of(kind)[0]
    }

    #[test]
    fn each_move_is_told_by_what_it_leaves() {
        let before = books(600.0, 400.0, 50.0);
        assert_eq!(share(before, books(550.0, 450.0, 50.0), FlowKind::Borrow), 0.05);
        assert_eq!(share(before, books(500.0, 400.0, 50.0), FlowKind::Outflow), 100.0 / 900.0);
        assert_eq!(share(before, books(700.0, 400.0, 50.0), FlowKind::Inflow), 100.0 / 1_100.0);
        assert_eq!(share(before, books(700.0, 300.0, 40.0), FlowKind::Liquidation), 0.1);
        assert_eq!(share(before, books(700.0, 300.0, 50.0), FlowKind::Liquidation), 0.0, "a repayment seizes nothing");
        assert_eq!(share(before, books(600.0, 400.000_01, 50.0), FlowKind::Borrow), 0.0, "interest is no borrow");
    }
}
