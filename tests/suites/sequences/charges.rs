//! Whether what left was taken out of the hour and the day, to the unit: chance hardly fills either.

use crate::sequences::model::{Flow, HOUR, Way};
use crate::sequences::snap::Snap;
use crate::sequences::stage::Stage;
use rampart::state::flow::Budget;

/// What a step took out of the hour and out of the day, base units.
fn taken(was: &Budget, is: &Budget, now: i64) -> [u64; 2] {
    let settled = |mut budget: Budget| {
        let limit = budget.hour.limit;
        budget.hour.settle(now, limit);
        budget.day.settle(now);
        // the hour's bucket counts in units times seconds
        (budget.hour.used_scaled.get() / HOUR as u128, u128::from(budget.day.total()))
    };
    let (was, is) = (settled(*was), settled(*is));
    [is.0.saturating_sub(was.0), is.1.saturating_sub(was.1)].map(|amount| amount as u64)
}

impl Stage {
    /// Checks that what left was charged, but for what its owner brought in within an hour before; a loan is never netted.
    pub fn assert_charged(&self, flow: Option<Flow>, is_loan: bool, before: &Snap, after: &Snap) {
        let Some(flow) = flow.filter(|f| f.way != Way::In && f.amount > 0) else { return };
        let of = |s: &Snap| {
            let limiter = if is_loan { s.vault.loan_flow } else { s.vault.collateral_flow };
            if flow.way == Way::Exit { limiter.exit } else { limiter.risk }
        };
        let all = if is_loan { &self.model.loan.all } else { &self.model.collateral.all };
        // by the chain's clock, which may have gone back since
        let is_own = |f: &&Flow| f.owner == flow.owner && f.way == Way::In && f.ts >= before.now - HOUR;
        let own: u64 = all.iter().filter(is_own).map(|f| f.amount).sum();
        let credit = if is_loan && flow.way == Way::Risk { 0 } else { own };
        let due = flow.amount.saturating_sub(credit).saturating_sub(1);
        let charged = taken(&of(before), &of(after), before.now);
        assert!(charged.iter().all(|c| *c >= due), "I1: {due} left as {:?}, charged {charged:?}", flow.way);
    }
}
