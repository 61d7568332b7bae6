//! What must hold of the reserve: its books are its tokens, and it pays bad debt within its caps and grants to whom they say.

use crate::sequences::action::{Action, Kind};
use crate::sequences::model::DAY;
use crate::sequences::snap::Snap;
use crate::sequences::stage::Stage;
use rampart::state::{Change, Reserve, ReserveGrant, ReservePlan, ReserveState, Switch};
use rampart_client::{Instruction, Pubkey, address};

fn books(snap: &Snap) -> [u64; 2] {
    snap.reserve.as_ref().map_or([0; 2], |r| [r.assets[0].accounted_amount, r.assets[1].accounted_amount])
}

/// What lies in the reserve's accounts beyond its books: gifts.
fn gifts(snap: &Snap) -> [i128; 2] {
    let (held, booked) = (snap.reserve_held, books(snap));
    [0, 1].map(|i| i128::from(held[i]) - i128::from(booked[i]))
}

impl Stage {
    /// A grant to the treasury, or other caps for cover.
    pub fn reserve_change(&self, action: &Action) -> (Pubkey, Change) {
        let (reserve, key) = (self.world.reserve(), address::reserve(&self.world.guard));
        if action.b % 12 == 11 {
            let mut plan = reserve.plan;
            plan.cover[1].day_amount += plan.cover[1].day_amount / 10;
            return (key, Change::ReservePlan(plan));
        }
        let index = (action.a % 2) as u8;
        let destination = self.cast.desk.treasury[usize::from(index)];
        // more than there is, now and then
        let amount = 1 + u64::from(action.a) * [1, 10, 1_000, 100_000][(action.b / 12 % 4) as usize];
        (key, Change::ReserveGrant(ReserveGrant { destination, amount, index, reserved: [0; 7] }))
    }

    /// Lets the model follow the reserve, and checks it.
    pub fn follow_reserve(&mut self, action: &Action, ix: &Instruction, before: &Snap, after: &Snap) {
        let (was, is) = (books(before), books(after));
        let (rose, fell) = ([0, 1].map(|i| is[i].saturating_sub(was[i])), [0, 1].map(|i| was[i].saturating_sub(is[i])));
        let (gave, gives) = (gifts(before), gifts(after));
        let is_plain = action.twist == 0 && action.impostor == 0;
        let fits = [0, 1].iter().all(|i| if is_plain { gives[*i] == gave[*i] } else { gives[*i] >= gave[*i] });
        assert!(fits, "the reserve's books and its tokens moved apart: {gave:?} to {gives:?} by {action:?}");
        let covered = self.follow_cover(action, before, after);
        let paid = [0, 1].map(|i| after.treasury[i] - before.treasury[i]);
        match action.kind {
            // held against the swap
            Kind::Rebalance => assert_eq!(paid, [0; 2]),
            Kind::FundReserve => {
                let amount = u64::from_le_bytes(ix.data[8..16].try_into().expect("eight bytes"));
                let is_one = rose.contains(&amount) && rose.contains(&0) && fell == [0; 2];
                assert!(is_one, "funded {amount}, booked {rose:?} and {fell:?}");
            }
            Kind::WithdrawReserve => {
                let grant = before.reserve.as_ref().expect("a reserve").grant;
                let at = usize::from(grant.index);
                let mut due = [0; 2];
                due[at] = grant.amount.min(was[at]);
                let is_due =
                    (rose, fell, paid) == ([0; 2], due, due) && grant.destination == self.cast.desk.treasury[at];
                assert!(is_due, "granted {grant:?}, booked {fell:?}, paid {paid:?}");
            }
            _ => assert_eq!((rose, fell, paid), ([0; 2], [0, covered], [0; 2]), "{action:?} moved the reserve"),
        }
    }

    /// Only bad debt is covered, within the caps, and no less than the reserve has for it. Returns how much was.
    fn follow_cover(&mut self, action: &Action, before: &Snap, after: &Snap) -> u64 {
        let (was, is) = (&before.vault, &after.vault);
        let covered = is.reserve_covered_amount - was.reserve_covered_amount;
        let bad = is.totals.bad_debt_amount - was.totals.bad_debt_amount;
        let open = bad - (is.totals.insured_amount - was.totals.insured_amount);
        let may = matches!(action.kind, Kind::Liquidate | Kind::LiquidateBySwap);
        assert!(may || covered == 0, "{action:?} was covered");
        assert!(covered <= open, "{covered} covered of {open} bad debt");
        let Some(reserve) = before.reserve.as_ref().filter(|_| may) else {
            assert_eq!(covered, 0, "covered without a reserve");
            return 0;
        };
        let (caps, asset, ts) = (reserve.plan.cover[1], &reserve.assets[1], self.model.latest);
        let all = &mut self.model.swaps.covers;
        all.extend((covered > 0).then_some((ts, covered)));
        let within = |secs: i64| all.iter().filter(|(at, _)| ts - at < secs).map(|(_, paid)| paid).sum::<u64>();
        let ever = within(i64::MAX);
        assert_eq!(ever, is.reserve_covered_amount, "covers and what the vault says of them");
        assert!(ever <= caps.vault_amount.min(caps.life_amount), "{ever} covered ever, caps are {caps:?}");
        let today = within(DAY);
        assert!(today <= caps.day_amount, "{today} covered within a day, caps are {caps:?}");
        let left = |cap: u64| cap.saturating_sub(ever - covered);
        let open = if was.cover_switch() == Switch::Enabled { open } else { 0 };
        let due = open.min(asset.accounted_amount).min(left(caps.vault_amount)).min(left(caps.life_amount));
        // a day is counted in whole hours
        let is_day_used = within(DAY + 3_600) >= caps.day_amount;
        assert!(covered == due || is_day_used, "lenders bear {due}, of which the reserve paid {covered}: {action:?}");
        covered
    }

    /// What the reserve holds covers its books, and the guard says whether there is one.
    pub fn assert_reserve(&self, snap: &Snap) {
        let spare = gifts(snap);
        assert!(spare.iter().all(|amount| *amount >= 0), "the reserve holds less than its books say: {spare:?}");
        assert_eq!(snap.escrowed, 0, "something stayed in an escrow");
        let is_there = snap.guard.reserve == ReserveState::InForce as u8;
        assert_eq!(is_there, snap.reserve.is_some(), "the guard and its reserve");
    }
}

/// Checks that plan and grant move by a change that waited; of a grant stays what wasn't there to pay.
pub fn assert_plan(action: &Action, before: &Snap, after: &Snap) {
    let (Some(was), Some(is)) = (&before.reserve, &after.reserve) else { return };
    let of = |r: &Reserve| -> (ReservePlan, ReserveGrant) { (r.plan, r.grant) };
    if action.kind == Kind::Execute {
        return;
    }
    let paid = |(plan, grant): (ReservePlan, ReserveGrant)| {
        let amount = grant.amount.saturating_sub(was.assets[usize::from(grant.index)].accounted_amount);
        (plan, ReserveGrant { amount, ..grant })
    };
    let expected = if action.kind == Kind::WithdrawReserve { paid(of(was)) } else { of(was) };
    assert_eq!(of(is), expected, "I6: {action:?} moved the reserve's plan or grant");
}
