//! The dollar limit: who leases what of it, and that what leaves is paid from that.

use crate::sequences::action::{Action, Kind};
use crate::sequences::model::{DAY, Flow, HOUR, Model, Way};
use crate::sequences::snap::Snap;
use crate::sequences::stage::{OWNERS, Stage};
use anchor_lang::Discriminator;
use rampart::instruction::LeaseBudget;
use rampart::state::AggregateParams;
use rampart::state::lease::LeaseRing;
use rampart_client::{Instruction, address, aggregate};
use rampart_tests::defaults;
use rampart_tests::leases::USD;

/// Cells of time that a lease lives for.
const CELLS: i64 = 24;
/// What a step that lets something out leases first, micro-dollars.
const LEASE: u64 = 10_000 * USD;

/// A limit that an hour's exits come near.
fn params() -> AggregateParams {
    AggregateParams { limit_micro_usd: 120_000 * USD, vault_share_bps: 9_000, ..defaults::aggregate() }
}

/// One lease.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    cell: i64,
    granted: u64,
    used: u64,
}

/// What was leased and what left on it.
#[derive(Clone, Debug, Default)]
pub struct Leases {
    grants: Vec<Grant>,
    /// When, and what it cost, micro-dollars.
    paid: Vec<(i64, u64)>,
    /// Since when the limit is what, micro-dollars.
    limits: Vec<(i64, u64)>,
    /// What went through the exit floor: when, whose, of the loan mint or not, base units.
    floors: Vec<(i64, usize, bool, f64)>,
    /// The most that each owner had: lent, and posted.
    most_held: [(u64, u64); OWNERS],
}

impl Leases {
    fn live(&self, cell: i64) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |g| g.cell > cell - CELLS)
    }

    /// Granted and not given back, and what of it is unused.
    fn totals(&self, cell: i64) -> (u64, u64) {
        self.live(cell).fold((0, 0), |(granted, unused), g| (granted + g.granted, unused + g.granted - g.used))
    }

    /// Notes what left on leases.
    pub fn note_paid(&mut self, ts: i64, micro_usd: u64) {
        self.paid.push((ts, micro_usd));
    }

    /// Uses what ends soonest first.
    fn pay(&mut self, cell: i64, mut micro_usd: u64) {
        for grant in self.grants.iter_mut().filter(|g| g.cell > cell - CELLS) {
            let taken = micro_usd.min(grant.granted - grant.used);
            grant.used += taken;
            micro_usd -= taken;
        }
        assert_eq!(micro_usd, 0, "I3: more was taken out of leases than was leased");
    }

    /// Gives back what is unused for a whole cell.
    fn give_back(&mut self, cell: i64) {
        self.grants.iter_mut().filter(|g| g.cell < cell - 1).for_each(|g| g.granted = g.used);
    }

    fn note_held(&mut self, snap: &Snap) {
        let mut vault = *snap.vault;
        vault.accrue(snap.now).expect("accrued");
        for (most, position) in self.most_held.iter_mut().zip(&snap.positions) {
            let Some(p) = position else { continue };
            let lent = vault.assets_for_shares(p.supply_shares.get()).expect("worth");
            *most = (most.0.max(lent), most.1.max(p.collateral_amount));
        }
    }
}

/// The cell that counts: of now, or a later one that the chain has seen.
fn cell_of(snap: &Snap, now: i64) -> i64 {
    let Some(limit) = &snap.aggregate else { return 0 };
    let cell = now / i64::from(limit.params.cell_secs());
    cell.max(limit.leased.newest_cell).max(snap.vault.lease.newest_cell())
}

fn total(mut ring: LeaseRing, cell: i64) -> u64 {
    ring.settle(cell);
    ring.total()
}

fn is_outflow(kind: Kind) -> bool {
    matches!(kind, Kind::Withdraw | Kind::TakeOut | Kind::Borrow | Kind::Claim | Kind::ClaimCollateral)
}

/// What an instruction leases, if it is a lease.
fn leased_by(ix: &Instruction) -> Option<u64> {
    let data = ix.data.strip_prefix(LeaseBudget::DISCRIMINATOR)?;
    Some(u64::from_le_bytes(data.get(..8)?.try_into().ok()?))
}

impl Stage {
    /// Returns what a step about the dollar limit tries.
    pub fn lease_step(&self, action: &Action) -> Option<Instruction> {
        let w = &self.world;
        let exists = w.exists(&address::aggregate(&w.guard));
        if action.kind == Kind::InitializeAggregate {
            let guard = if exists { self.new_guard? } else { w.guard };
            return Some(aggregate::initialize_aggregate(self.root(), guard, params()));
        }
        if !exists {
            return None;
        }
        Some(match action.kind {
            Kind::TightenAggregate => {
                let by = if action.a.is_multiple_of(2) { self.root() } else { w.guard_state().roles.risk_admin };
                let mut params = w.aggregate().params;
                match action.b % 8 {
                    0 => params.limit_micro_usd += 1,
                    1 => params.vault_share_bps -= params.vault_share_bps / 50,
                    _ => params.limit_micro_usd -= params.limit_micro_usd / 50,
                }
                aggregate::tighten_aggregate(by, w.guard, params, self.validity())
            }
            Kind::Lease => {
                let part = [0, 1, LEASE, 30_000 * USD, 70_000 * USD][(action.a % 5) as usize];
                w.lease_ix(part + u64::from(action.b % 10_000) * USD)
            }
            _ => aggregate::return_lease(w.guard, w.keys.vault),
        })
    }

    /// The lease that goes before something that leaves, as a client would send it.
    pub fn lease_before(&self, action: &Action) -> Option<Instruction> {
        let w = &self.world;
        let is_due = is_outflow(action.kind) && action.b % 4 != 3 && w.guard_state().has_aggregate_in_force();
        is_due.then(|| w.lease_ix(if w.leased().1 < LEASE { LEASE } else { 0 }))
    }

    /// Lets the model follow leases and what was paid from them; `flow` is what left.
    pub fn follow_leases(
        &mut self,
        action: &Action,
        plan: &[Instruction],
        flow: Option<(Flow, bool)>,
        (before, after): (&Snap, &Snap),
    ) {
        let Some(limit) = &after.aggregate else { return };
        let cell = cell_of(after, before.now);
        let ts = self.model.latest;
        self.model.leases.note_held(before);
        let l = limit.params.limit_micro_usd;
        if self.model.leases.limits.last().is_none_or(|(_, last)| *last != l) {
            self.model.leases.limits.push((ts, l));
        }
        for granted in plan.iter().filter_map(leased_by) {
            self.model.leases.grants.push(Grant { cell, granted, used: 0 });
            let live = self.model.leases.totals(cell).0;
            assert!(granted == 0 || live <= l / 2, "I3: {live} of live leases, L is {l}");
            let share = u64::try_from(u128::from(l / 2) * u128::from(limit.params.vault_share_bps) / 10_000);
            assert!(granted == 0 || live <= share.expect("a share"), "a vault has leased beyond its share");
            assert_costs(&self.model, after);
        }
        let (had, has) = (self.model.leases.totals(cell).1, total(after.vault.lease.unused, cell));
        let gone = had.checked_sub(has).unwrap_or_else(|| panic!("I3: unused {has} of {had} by {action:?}"));
        match action.kind {
            Kind::ReturnLease => self.model.leases.give_back(cell),
            kind if is_outflow(kind) => {
                self.model.leases.pay(cell, gone);
                self.model.leases.note_paid(ts, gone);
                self.assert_dollar_windows(i64::from(limit.params.window_secs));
            }
            _ => assert_eq!(gone, 0, "I3: {action:?} used a lease"),
        }
        if let Some((flow, is_loan)) = flow.filter(|_| before.guard.has_aggregate_in_force()) {
            self.assert_paid(action, (flow, is_loan), gone, after);
        }
    }

    /// No window of the limit's length sees more than L leave on leases.
    fn assert_dollar_windows(&self, window: i64) {
        let all = &self.model.leases;
        let newest = all.paid.last().map_or(0, |(ts, _)| *ts);
        for (start, _) in all.paid.iter().filter(|(ts, _)| *ts > newest - window) {
            let within = |ts: &i64| (*start..start + window).contains(ts);
            let left: u64 = all.paid.iter().filter(|(ts, _)| within(ts)).map(|(_, paid)| paid).sum();
            let first = all.limits.iter().rposition(|(ts, _)| ts <= start).unwrap_or(0);
            let most = all.limits[first..].iter().map(|(_, l)| *l).max().expect("a limit");
            assert!(left <= most, "I3: {left} micro-dollars left within {window} s, L is {most}");
        }
    }

    /// What leaves is paid for, but for the owner's own inflow of the hour and for what goes through the exit floor.
    fn assert_paid(&mut self, action: &Action, (flow, is_loan): (Flow, bool), paid: u64, after: &Snap) {
        let lease = &after.vault.lease;
        let cost = if is_loan { lease.loan_cost_q64 } else { lease.collateral_cost_q64 };
        let unit = cost.get() as f64 / 2f64.powi(64);
        let unpaid = if unit > 0.0 { flow.amount as f64 - paid as f64 / unit } else { flow.amount as f64 };
        let flows = if is_loan { &self.model.loan } else { &self.model.collateral };
        let own = |from: i64| -> f64 {
            let counts = |f: &&Flow| f.owner == flow.owner && f.way == Way::In && f.ts >= from;
            flows.all.iter().filter(counts).map(|f| f.amount as f64).sum()
        };
        let credit = if is_loan && flow.way == Way::Risk { 0.0 } else { own(flow.ts - HOUR) };
        let beyond = unpaid - credit - 2.0;
        let slack = flow.amount as f64 * 1e-9;
        if beyond <= slack {
            let age = self.world.now_ts() - lease.priced_at_ts;
            assert!(paid == 0 || age <= HOUR || flow.way == Way::Exit, "I3: paid at costs that are {age} s old");
            return;
        }
        let may = matches!(action.kind, Kind::Withdraw | Kind::TakeOut) && flow.way == Way::Exit;
        assert!(may, "I3: {beyond} base units left without a lease: {action:?}");
        let all = &mut self.model.leases;
        all.floors.push((flow.ts, flow.owner, is_loan, beyond));
        let is_same = |f: &&(i64, usize, bool, f64)| f.0 > flow.ts - DAY && (f.1, f.2) == (flow.owner, is_loan);
        let lately: f64 = all.floors.iter().filter(is_same).map(|f| f.3).sum();
        let most = if is_loan { all.most_held[flow.owner].0 } else { all.most_held[flow.owner].1 };
        let floor = f64::from(after.vault.limits.exit_floor_bps) / 10_000.0 * most as f64;
        let whole = 2.0 * floor + own(flow.ts - DAY - HOUR) + 10.0;
        assert!(lately <= whole, "I3: {lately} left within a day without a lease, the floor is {floor}: {action:?}");
    }

    /// The limit and the vault hold what was leased and not given back.
    pub fn assert_leases(&self, snap: &Snap) {
        let Some(limit) = &snap.aggregate else { return };
        let cell = cell_of(snap, snap.now);
        let (granted, unused) = self.model.leases.totals(cell);
        assert_eq!(total(limit.leased, cell), granted, "I3: what the limit has leased");
        let lease = &snap.vault.lease;
        let held = (total(lease.granted, cell), total(lease.unused, cell));
        assert_eq!(held, (granted, unused), "I3: what the vault has leased");
        assert_eq!(limit.params.switch, snap.guard.aggregate, "the guard says what its limit says");
    }
}

/// What left is never counted cheaper than it is worth.
fn assert_costs(model: &Model, after: &Snap) {
    let lease = &after.vault.lease;
    let costs = [lease.collateral_cost_q64, lease.loan_cost_q64].map(|c| c.get() as f64 / 2f64.powi(64));
    // micro-dollars for one base unit: 9 decimals, and 6
    let worth = [model.feeds[0].dollars / 1_000.0, model.feeds[1].dollars];
    for ((cost, worth), feed) in costs.into_iter().zip(worth).zip(&model.feeds) {
        let is_known = feed.is_good(after.now);
        assert!(!is_known || cost >= worth * 0.999_999, "I3: what is worth {worth} counts as {cost}");
    }
}
