//! Spoiled swaps, covers and grants.

use super::{ACCRUE, Case, edit, said};
use crate::sequences::action::{Action, Kind};
use crate::sequences::model::DAY;
use crate::sequences::reserve::assert_plan;
use crate::sequences::run::Became;
use crate::sequences::snap::Snap;
use crate::sequences::stage::Stage;
use crate::sequences::swaps::Trade;
use rampart::state::{Reserve, SwapPolicy};
use rampart_client::address;
use rampart_tests::defaults::{SOL, USDC};

const REBALANCE: Action = Action { kind: Kind::Rebalance, ..ACCRUE };
const LIQUIDATE: Action = Action { kind: Kind::Liquidate, ..ACCRUE };

/// Creates a reserve of 300 SOL and 20,000 USDC, of which four keepers see no risk; which cap binds says `cap`.
fn fund(stage: &mut Stage, cap: u32) {
    let report = |a| Action { kind: Kind::SubmitReport, a, ..ACCRUE };
    let create = Action { kind: Kind::InitializeReserve, b: cap, ..ACCRUE };
    let fill = |a, b| Action { kind: Kind::FundReserve, a, b, ..ACCRUE };
    let steps = [create, fill(200, 0), fill(20_000, 1), report(0), report(1), report(2), report(3)];
    let became = steps.map(|step| stage.step(&step));
    assert!(became.iter().all(|b| *b == Became::Landed), "{became:?}");
}

/// Rebalances by a transaction of its own, spoils what was read before and after, and lets the checks see that.
fn rebalanced(first: &Stage, spoil: impl FnOnce(&mut Stage, &mut Snap, &mut Snap)) -> String {
    said(first, |s| {
        fund(s, 0);
        let plan = s.instructions(&REBALANCE).expect("a rebalance");
        let mut before = s.snap();
        s.send(&plan).expect("rebalanced");
        let mut after = s.snap();
        spoil(s, &mut before, &mut after);
        s.follow_swaps(&REBALANCE, &plan[0], &before, &after);
        s.follow_reserve(&REBALANCE, &plan[0], &before, &after);
    })
}

/// Lets the checks see what was read before and after a step that never was.
fn pretended(first: &Stage, action: Action, cap: u32, spoil: impl FnOnce(&mut Snap, &mut Snap)) -> String {
    said(first, |s| {
        fund(s, cap);
        let plan = s.instructions(&action).expect("a step");
        let (mut before, mut after) = (s.snap(), s.snap());
        spoil(&mut before, &mut after);
        s.follow_reserve(&action, &plan[0], &before, &after);
    })
}

fn policy(snap: &mut Snap) -> &mut SwapPolicy {
    &mut snap.policies[0].1
}

fn reserve(snap: &mut Snap) -> &mut Reserve {
    snap.reserve.as_mut().expect("a reserve")
}

/// Bad debt of `open`, of which the reserve paid `covered`.
fn cover(after: &mut Snap, open: u64, covered: u64) {
    after.vault.totals.bad_debt_amount += open;
    after.vault.reserve_covered_amount += covered;
    after.reserve_held[1] -= covered;
    reserve(after).assets[1].accounted_amount -= covered;
}

/// Swaps that took too much, by price, by day, or the wrong way.
pub fn of_swaps(first: &Stage) -> Vec<Case> {
    let trade =
        |s: &Stage, worth, loss| Trade { ts: s.model.latest, policy: s.cast.desk.policies[0].policy, worth, loss };
    vec![
        ("nothing", rebalanced(first, |_, _, _| ())),
        ("received of at least", rebalanced(first, |_, _, after| after.traders[0][1] += 300 * USDC)),
        ("swapped at an old price", rebalanced(first, |s, _, _| s.model.feeds[0].published -= 31)),
        ("swapped without a price", rebalanced(first, |s, _, _| s.model.feeds[0].published -= 91)),
        (
            "counted of a loss",
            rebalanced(first, |_, before, after| policy(after).lost_micro_usd = policy(before).lost_micro_usd),
        ),
        (
            "counted of a volume",
            rebalanced(first, |_, before, after| policy(after).swapped_micro_usd = policy(before).swapped_micro_usd),
        ),
        ("lost within a day", rebalanced(first, |s, _, _| s.model.swaps.trades.push(trade(s, 0.0, 500e6)))),
        ("swapped within a day", rebalanced(first, |s, _, _| s.model.swaps.trades.push(trade(s, 100_000e6, 0.0)))),
        ("in one swap", rebalanced(first, |_, before, _| policy(before).params.max_swap_micro_usd = 100)),
        (
            "without its cooldown or its fence",
            rebalanced(first, |_, before, after| {
                (policy(before).counter, policy(after).counter) = (1, 2);
                policy(before).rebalanced_at_ts = before.now - 1;
            }),
        ),
        (
            "the reserve's books and the swap",
            rebalanced(first, |_, _, after| reserve(after).assets[1].accounted_amount -= 1),
        ),
        ("came no nearer", rebalanced(first, |_, before, _| reserve(before).plan.min_improvement_bps = 10_000)),
        (
            "passed its target",
            rebalanced(first, |_, before, _| {
                let weights = &mut reserve(before).plan.weights_bps;
                (weights[0], weights[1]) = ([9_000; 4], [1_000; 4]);
            }),
        ),
        ("rebalanced on nothing", rebalanced(first, |s, _, _| s.model.swaps.scores.clear())),
        (
            "traded",
            said(first, |s| {
                let plan = s.instructions(&ACCRUE).expect("a step");
                let (before, mut after) = (s.snap(), s.snap());
                (after.traders[0][0], after.traders[0][1]) = (before.traders[0][0] + SOL, before.traders[0][1] - 1);
                s.follow_swaps(&ACCRUE, &plan[0], &before, &after);
            }),
        ),
        (
            "repaid more than the swap brought",
            said(first, |s| {
                let action = Action { kind: Kind::LiquidateBySwap, ..ACCRUE };
                let plan = s.instructions(&action).expect("a liquidation");
                let (before, mut after) = (s.snap(), s.snap());
                (after.traders[0][0], after.traders[0][1]) =
                    (before.traders[0][0] + SOL, before.traders[0][1] - 150 * USDC);
                policy(&mut after).swapped_micro_usd += 151 * USDC;
                after.vault.cash_amount += 151 * USDC;
                s.follow_swaps(&action, &plan[0], &before, &after);
            }),
        ),
    ]
}

/// Books that are no tokens, cover beyond its caps, and grants that weren't.
pub fn of_the_reserve(first: &Stage) -> Vec<Case> {
    let key = address::reserve(&first.world.guard);
    let withdraw = Action { kind: Kind::WithdrawReserve, ..ACCRUE };
    vec![
        (
            "holds less than its books",
            said(first, |s| {
                fund(s, 0);
                edit::<Reserve>(s, &key, |r| r.assets[0].accounted_amount += 1);
            }),
        ),
        ("moved apart", pretended(first, ACCRUE, 0, |_, after| after.reserve_held[0] += 1)),
        (
            "moved the reserve",
            pretended(first, ACCRUE, 0, |_, after| {
                after.reserve_held[0] -= 1;
                reserve(after).assets[0].accounted_amount -= 1;
            }),
        ),
        (
            "booked",
            pretended(first, Action { kind: Kind::FundReserve, a: 7, b: 1, ..ACCRUE }, 0, |_, after| {
                after.reserve_held[1] += 6 * USDC;
                reserve(after).assets[1].accounted_amount += 6 * USDC;
            }),
        ),
        ("was covered", pretended(first, ACCRUE, 0, |_, after| cover(after, USDC, USDC))),
        ("of 0 bad debt", pretended(first, LIQUIDATE, 0, |_, after| cover(after, 0, USDC))),
        ("lenders bear", pretended(first, LIQUIDATE, 0, |_, after| cover(after, 100 * USDC, 99 * USDC))),
        ("covered ever", pretended(first, LIQUIDATE, 0, |_, after| cover(after, 200 * USDC, 151 * USDC))),
        ("covered within a day", pretended(first, LIQUIDATE, 1, |_, after| cover(after, 200 * USDC, 151 * USDC))),
        ("covered ever", pretended(first, LIQUIDATE, 2, |_, after| cover(after, 200 * USDC, 151 * USDC))),
        (
            "covered within a day",
            said(first, |s| {
                // two covers, of which each would do, within 24 hours
                fund(s, 1);
                let plan = s.instructions(&LIQUIDATE).expect("a liquidation");
                let (mut before, mut after) = (s.snap(), s.snap());
                s.model.swaps.covers.push((s.model.latest - DAY + 1, 100 * USDC));
                before.vault.reserve_covered_amount = 100 * USDC;
                after.vault.reserve_covered_amount = 100 * USDC;
                cover(&mut after, 100 * USDC, 100 * USDC);
                s.follow_reserve(&LIQUIDATE, &plan[0], &before, &after);
            }),
        ),
        (
            "granted",
            pretended(first, withdraw, 0, |_, after| {
                // no grant
                reserve(after).assets[0].accounted_amount -= 5;
                after.reserve_held[0] -= 5;
                after.treasury[0] += 5;
            }),
        ),
        (
            "granted",
            pretended(first, withdraw, 0, |before, after| {
                // as much as was granted, to somebody else
                (reserve(before).grant.amount, reserve(after).assets[0].accounted_amount) = (5, 300 * SOL - 5);
                after.reserve_held[0] -= 5;
            }),
        ),
        (
            "moved the reserve's plan or grant",
            said(first, |s| {
                fund(s, 0);
                let (before, mut after) = (s.snap(), s.snap());
                reserve(&mut after).grant.amount = 1;
                assert_plan(&ACCRUE, &before, &after);
            }),
        ),
        (
            "stayed in an escrow",
            said(first, |s| {
                let key = s.cast.desk.policies[0].token(&s.world.sol);
                s.world.set_balance(&key, 1);
            }),
        ),
    ]
}
