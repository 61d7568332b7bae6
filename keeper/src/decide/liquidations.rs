//! Positions to liquidate and to deleverage, within what the signer holds.

use crate::assess::{Assessment, Candidate};
use crate::decide::{Action, Decision, History, Means};
use crate::intent::ActionClass;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::risk::gate::Pass;
use rampart::risk::liquidation::Plan;
use std::collections::BTreeMap;

/// Returns what is to be done about positions, the deepest first; together they spend no more than the signer holds.
pub fn positions(assessment: &Assessment, store: &Store, means: &Means, history: &History) -> Vec<Decision> {
    let mut left = means.tokens.clone();
    for (mint, spent) in history.reserved() {
        left.entry(mint).and_modify(|amount| *amount = amount.saturating_sub(spent));
    }
    let mut ordered: Vec<&Candidate> = assessment.candidates.iter().filter(|c| is_open(c, assessment)).collect();
    // what is liquidatable first; below that line the order of the index, deepest first, stays
    ordered.sort_by_key(|c| std::cmp::Reverse((c.is_liquidatable(), c.ltv)));
    ordered.into_iter().filter_map(|candidate| decide(candidate, store, &mut left, history)).collect()
}

/// What the level leaves, one liquidation per slot, and none in the grace time after a halt.
fn is_open(candidate: &Candidate, assessment: &Assessment) -> bool {
    let again = candidate.liquidation_seq > 0 && candidate.last_liquidation_slot >= assessment.now.slot;
    let Some(report) = assessment.vaults.get(&candidate.vault) else { return false };
    let passes = match (report.pass, report.pair) {
        (Ok(Pass::TwoSources), Ok((pair, _))) => pair.sources >= 2,
        (Ok(_), Ok(_)) => true,
        _ => false,
    };
    passes && !again && !candidate.is_in_grace
}

fn decide(
    candidate: &Candidate,
    store: &Store,
    left: &mut BTreeMap<Pubkey, u64>,
    history: &History,
) -> Option<Decision> {
    let mint = store.vault(&candidate.vault)?.loan_mint;
    let held = left.get(&mint).copied().unwrap_or(0);
    // errors are states in which the program would refuse: dust, a used quota, too few tokens
    let plan = candidate.plan(held).ok()?;
    let decision = of(candidate, plan, held);
    if !history.is_under_way(&decision.intent) {
        left.insert(mint, held.saturating_sub(plan.repay_amount));
    }
    Some(decision)
}

fn of(candidate: &Candidate, plan: Plan, held: u64) -> Decision {
    let is_liquidatable = candidate.is_liquidatable();
    let class = if is_liquidatable { ActionClass::Liquidate } else { ActionClass::Deleverage };
    let line = if is_liquidatable { candidate.risk.liquidation_line_bps } else { candidate.risk.soft_line_bps };
    let reason = format!("loan-to-value {} bps at a line of {line} bps", candidate.ltv.0);
    let action =
        Action::Position { candidate: *candidate, plan, max_repay_amount: headroom(plan.repay_amount).min(held) };
    Decision::new(class, candidate.position, candidate.liquidation_seq, reason, action)
}

/// The debt and the amount that restores the target grow until the transaction lands: a twentieth more is allowed.
fn headroom(amount: u64) -> u64 {
    amount.saturating_add(amount.div_ceil(20))
}
