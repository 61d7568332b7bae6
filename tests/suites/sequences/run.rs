//! Runs one step: what happens around the program, or an instruction and all that must hold after it.

use crate::sequences::action::{Action, Kind};
use crate::sequences::model::{DAY, Feed, HOUR};
use crate::sequences::snap::Snap;
use crate::sequences::stage::{OWNERS, Owner, Stage};
use litesvm::types::FailedTransactionMetadata;
use rampart_client::{Pubkey, address, lending};
use rampart_tests::scenario::Fault;
use rampart_tests::{Outcome, defaults};

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// The instruction landed, or what happened around the program happened.
    Landed,
    /// It was refused, with this error.
    Refused(String),
    /// There was nothing to try it on.
    Nothing,
}

/// The name of an error as the program logs it, else the error itself.
fn name_of(failed: &FailedTransactionMetadata) -> String {
    let named = failed.meta.logs.iter().find_map(|line| line.split("Error Code: ").nth(1)?.split('.').next());
    named.map_or_else(|| format!("{:?}", failed.err), str::to_owned)
}

impl Stage {
    /// Runs one step and checks every invariant after it.
    ///
    /// # Panics
    /// If one does not hold.
    pub fn step(&mut self, action: &Action) -> Became {
        if !action.kind.is_instruction() {
            return self.around(action);
        }
        let Some(plan) = self.instructions(action) else { return Became::Nothing };
        let plan = self.meddle(action, plan);
        let turned = self.turn_back(action);
        let before = self.snap();
        let outcome = self.send(&plan);
        self.follow_migration(turned, outcome.is_ok());
        self.note_created(action, &outcome);
        let after = self.snap();
        match outcome {
            Ok(_) => {
                self.landed(action, &plan, &before, &after);
                Became::Landed
            }
            Err(failed) => {
                self.refused(action, &failed, &before, &after);
                Became::Refused(name_of(&failed))
            }
        }
    }

    /// Reads all accounts.
    pub fn snap(&self) -> Snap {
        Snap::of(&self.world, &self.cast, &self.rules, &self.policies)
    }

    fn note_created(&mut self, action: &Action, outcome: &Outcome) {
        if outcome.is_err() {
            return;
        }
        let (guard, number) = (self.world.guard, self.created + 100);
        match action.kind {
            Kind::InitializeGuard => {
                let root = self.world.guard_state().roles.root;
                self.new_guard = Some(address::guard(&root, number));
            }
            Kind::RegisterAsset => {
                let is_new = |m: &&rampart_client::MintOf| self.mints.iter().all(|k| k.mint != m.mint);
                let exists = |m: &&rampart_client::MintOf| self.world.exists(&address::asset(&guard, &m.mint));
                let new = self.cast.spare_mints.iter().find(|m| is_new(m) && exists(m)).copied();
                self.mints.extend(new);
            }
            Kind::InitializeVault => {
                let pairs = self.mints.iter().flat_map(|c| self.mints.iter().map(move |l| (c.mint, l.mint)));
                let all: Vec<Pubkey> = pairs.map(|(c, l)| address::vault(&guard, &c, &l)).collect();
                let new = all.into_iter().find(|v| self.world.exists(v) && !self.vaults.contains(v));
                self.vaults.extend(new);
            }
            Kind::CreateRule => self.rules.push(address::rule(&guard, number)),
            Kind::ActivateStandby => self.follow_standby(),
            Kind::CreateSwapPolicy => self.policies.push(address::swap_policy(&guard, number)),
            _ => {}
        }
        use Kind as K;
        let counted = [K::InitializeGuard, K::CreateRule, K::CreateGroup, K::RegisterIntegration, K::CreateSwapPolicy];
        self.created += u16::from(counted.contains(&action.kind));
    }

    // --- around the program

    fn around(&mut self, action: &Action) -> Became {
        match action.kind {
            Kind::Move => self.move_price(action),
            Kind::Wait => {
                let secs = match action.a % 8 {
                    0 => 0,
                    1 => 1,
                    2 | 3 => 1 + i64::from(action.b % 900),
                    4 => HOUR,
                    5 | 6 => 1 + i64::from(action.b % 90_000),
                    _ => {
                        if action.b.is_multiple_of(3) {
                            30 * DAY
                        } else {
                            2 * HOUR
                        }
                    }
                };
                self.wait(secs);
            }
            Kind::WaitFor => {
                let dates = self.dates(action.b);
                let date = dates.get(action.a as usize % dates.len().max(1)).copied().unwrap_or(0);
                self.wait((date - self.world.now_ts()).max(1));
            }
            Kind::Back => {
                let (now, slot) = (self.world.now_ts(), self.world.slot());
                self.world.set_clock(now - i64::from(1 + action.a % 60), slot + 1);
                self.publish();
            }
            Kind::Fault => self.fail_oracle(action),
            Kind::Donate if action.a % 4 == 3 => self.give_to_reserve(action),
            Kind::Donate => self.move_tokens(action.a.is_multiple_of(2), 1 + i64::from(action.b % 1_000_000_000)),
            Kind::Steal => {
                let held = self.snap().held;
                let of = if action.a.is_multiple_of(2) { held.0 } else { held.1 };
                self.move_tokens(action.a.is_multiple_of(2), -((of / 10_000 * u64::from(action.b % 2_000)) as i64));
            }
            Kind::GiveBack => {
                let (loan, collateral) = self.model.surplus;
                for (is_loan, missing) in [(true, -loan), (false, -collateral)] {
                    if missing > 0 {
                        self.move_tokens(is_loan, missing as i64);
                    }
                }
            }
            Kind::ProbeExit => return self.probe_exit(action),
            _ => return self.probe_cure(action),
        }
        let now = self.snap();
        self.model.note_limits(&now);
        self.check_state(&now);
        Became::Landed
    }

    fn move_price(&mut self, action: &Action) {
        let now = self.model.dollars;
        let times = |percent: i64| now * (100 + percent) as f64 / 100.0;
        let next = match action.a % 8 {
            0 | 1 => times(i64::from(action.a / 8 % 61) - 35),
            2 | 3 => times(i64::from(action.a / 8 % 25) - 12),
            // a borrower comes near a line
            4 | 5 => self.dollars_at(action.a / 8).unwrap_or(now),
            // back to where it was
            _ => self.model.dollars_before,
        };
        (self.model.dollars, self.model.dollars_before) = (next.clamp(0.5, 20_000.0), now);
        // markets stray from the price
        self.model.market_bps = [0, 0, 0, 0, -50, -150, -400, 100][(action.b / 64 % 8) as usize];
        self.world.advance(i64::from(1 + action.b % 20));
        self.publish();
        if (action.b / 32).is_multiple_of(2) {
            self.observe();
        }
    }

    /// The price at which a borrower's debt is 71 to 107 % of the collateral's worth.
    fn dollars_at(&self, number: u32) -> Option<f64> {
        let p = self.position_of(&self.cast.owners[1 + (number % 2) as usize])?;
        let (owed, posted) = (self.debt(&p), p.collateral_amount);
        let ltv = f64::from(71 + number / 2 % 37) / 100.0;
        let is_there = owed > 0 && posted > 0;
        is_there.then(|| owed as f64 / 1e6 / (posted as f64 / 1e9 * ltv))
    }

    /// Publishes both prices, but for an asset whose sources were made to fail.
    pub fn publish(&mut self) {
        let now = self.world.now_ts();
        let prices = [(self.world.sol_feeds, self.model.dollars), (self.world.usdc_feeds, 1.0)];
        for ((feeds, dollars), feed) in prices.into_iter().zip(&mut self.model.feeds) {
            if feed.fault.is_none() {
                self.world.publish(&feeds, dollars);
                (feed.published, feed.dollars) = (now, dollars);
            }
        }
        self.publish_spare();
        self.move_market();
    }

    fn fail_oracle(&mut self, action: &Action) {
        let which = (action.a % 2) as usize;
        let (feeds, dollars) = [(self.world.sol_feeds, self.model.dollars), (self.world.usdc_feeds, 1.0)][which];
        if self.model.feeds[which].fault.is_some() {
            self.model.feeds[which].fault = None;
            return self.publish();
        }
        let now = self.world.now_ts();
        let fault = [Fault::Stale, Fault::Wide, Fault::Disagreeing, Fault::OneDead][(action.b % 4) as usize];
        match fault {
            Fault::Stale => {
                self.world.publish_pyth(&feeds, dollars, 5, now - 91);
                self.world.publish_switchboard(&feeds, dollars, 5, now - 91);
            }
            Fault::Wide => self.world.publish_pyth(&feeds, dollars, 201, now),
            Fault::Disagreeing => self.world.publish_switchboard(&feeds, dollars * 1.05, 5, now),
            Fault::OneDead => self.world.put_account(feeds.switchboard, Pubkey::default(), vec![]),
        }
        let published = if fault == Fault::Stale { now - 91 } else { now };
        self.model.feeds[which] = Feed { fault: Some(fault), published, dollars };
    }

    fn wait(&mut self, secs: i64) {
        self.world.advance(secs);
        self.publish();
        let is_whole = self.model.feeds.iter().all(|f| f.fault.is_none());
        if !is_whole || secs < 20 {
            return;
        }
        // after a gap the reference warms up again
        for _ in 0..if secs > HOUR { 3 } else { 1 } {
            self.observe();
            self.world.advance(20);
            self.publish();
        }
    }

    fn observe(&mut self) {
        let (w, k) = (&self.world, self.world.keys);
        let both = [
            rampart_client::evidence::observe(k.collateral_asset, w.sol.mint, &w.sol_feeds.metas()),
            rampart_client::evidence::observe(k.loan_asset, w.usdc.mint, &w.usdc_feeds.metas()),
        ];
        // refused after the clock went back: then nothing is newer
        let _ = self.send(&both);
    }

    /// Dates that something waits for; of one kind, where a number says so.
    fn dates(&self, number: u32) -> Vec<i64> {
        let (snap, now) = (self.snap(), self.world.now_ts());
        let delay = i64::from(snap.guard.loosen_delay_secs);
        let changes = self.model.pending.iter().map(|p| p.ripe_at(delay)).collect();
        let tickets = snap.positions.iter().flatten().flat_map(|p| p.tickets.slots.iter().filter(|t| t.is_open()));
        let tickets = tickets.flat_map(|t| [t.eligible_at_ts, t.latest_at_ts]).collect();
        let dwells = self.model.scopes.all().map(|(_, held)| held.dwell).collect();
        let ends = self.model.scopes.all().map(|(_, held)| held.expires).collect();
        let is_short = self.model.surplus.0 < 0 || self.model.surplus.1 < 0;
        let r = &snap.vault.resolution;
        let mut resolution = if is_short { vec![now + 3 * DAY] } else { vec![] };
        resolution.extend(r.is_in_force().then_some([r.claims_open_at_ts, r.ends_at_ts]).into_iter().flatten());
        let all: [Vec<i64>; 5] = [dwells, tickets, changes, resolution, ends];
        let picked = all.get(number as usize % 8).cloned().unwrap_or_else(|| all.concat());
        picked.into_iter().filter(|date| *date > now).collect()
    }

    /// Lets tokens appear in an account of the vault, or vanish from it.
    fn move_tokens(&mut self, is_loan: bool, change: i64) {
        let k = self.world.keys;
        let key = if is_loan { k.loan_token } else { k.collateral_token };
        let amount = self.world.balance(&key).checked_add_signed(change).expect("balance");
        self.world.set_balance(&key, amount);
        let surplus = if is_loan { &mut self.model.surplus.0 } else { &mut self.model.surplus.1 };
        *surplus += i128::from(change);
        let is_short = *surplus < 0;
        let since = &mut self.model.short_since[usize::from(!is_loan)];
        *since = if is_short { since.or(Some(self.world.now_ts())) } else { None };
        self.model.disturbed_ts = self.model.latest;
    }

    // --- what must always be possible

    /// An owner who left nothing lately can leave half of a day's floor, at any level below Resolution.
    fn probe_exit(&mut self, action: &Action) -> Became {
        let snap = self.snap();
        let lately = |ts: i64| self.model.latest - ts < 2 * DAY + HOUR;
        let has_left = |at: usize| self.model.exits.iter().any(|e| e.owner == at && lately(e.ts));
        let lends = |at: &usize| snap.positions[*at].as_deref().is_some_and(|p| p.supply_shares.get() > 0);
        let from = action.a as usize % OWNERS;
        let mut others = (0..OWNERS).map(|n| (from + n) % OWNERS);
        let Some(at) = others.find(|at| lends(at) && !has_left(*at)) else { return Became::Nothing };
        let owner = self.cast.owners[at];
        let Some(p) = snap.positions[at].as_deref() else { return Became::Nothing };
        let mut vault = *snap.vault;
        vault.accrue(snap.now).expect("accrued");
        let floor = u128::from(vault.limits.exit_floor_bps);
        let free = p.supply_shares.get().saturating_sub(p.tickets.locked_shares());
        let shares = (p.supply_shares.get() * floor / 20_000).min(free);
        let amount = vault.assets_for_shares(shares).expect("worth");
        let (exit_hour, reserve_bps) = (snap.allowed().0.exit.0, u128::from(vault.limits.loan_flow.floor_reserve_bps));
        let reserve = u128::from(exit_hour) / 2 * reserve_bps / 10_000;
        let needed = 2 * u128::from(self.model.most.0) * floor / 10_000 + 10;
        let is_due = !vault.resolution.is_in_force()
            && self.model.surplus.0 >= 0
            && !lately(self.model.disturbed_ts)
            && reserve >= needed
            && amount > 0
            && amount <= vault.cash_amount;
        if !is_due {
            return Became::Nothing;
        }
        let args = rampart::WithdrawArgs { shares, min_amount: 1 };
        let ix = lending::withdraw(&self.world.keys, owner.address, owner.usdc, args);
        let levels = self.model.levels(&snap);
        self.try_out(&[ix]).unwrap_or_else(|e| panic!("I9: no exit of {amount} at the floor at {levels:?}: {e}"));
        Became::Landed
    }

    /// Whoever owes and has the money can repay, and add collateral, at any level and at no price.
    fn probe_cure(&mut self, action: &Action) -> Became {
        let (snap, at) = (self.snap(), (1 + action.a % 2) as usize);
        let Owner { address, usdc, sol, position: _ } = self.cast.owners[at];
        let Some(p) = snap.positions[at].as_deref() else { return Became::Nothing };
        let mut vault = *snap.vault;
        vault.accrue(snap.now).expect("accrued");
        let (owed, has) = (vault.debt_of(p).expect("debt"), self.world.balance(&usdc));
        let k = &self.world.keys;
        let mut tries = vec![];
        if owed > 0 && has >= owed {
            tries.push(lending::repay(k, address, usdc, address, owed));
        }
        let has_room = vault.collateral_amount + defaults::SOL <= vault.limits.collateral_cap_amount;
        if self.world.balance(&sol) >= defaults::SOL && has_room {
            tries.push(lending::deposit_collateral(k, address, sol, address, defaults::SOL));
        }
        let levels = self.model.levels(&snap);
        for ix in &tries {
            let tried = self.try_out(std::slice::from_ref(ix));
            tried.unwrap_or_else(|e| panic!("I10: a cure is refused at {levels:?}: {e}"));
        }
        if tries.is_empty() { Became::Nothing } else { Became::Landed }
    }
}
