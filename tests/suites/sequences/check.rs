//! What must hold after a step: of the state, and of the step that led to it.

use crate::sequences::action::{Action, Kind};
use crate::sequences::config::{assert_configuration, assert_within_bounds};
use crate::sequences::desk::is_thieving;
use crate::sequences::levels::Held;
use crate::sequences::model::{DAY, HOUR, Model, PauseSpan, Pending, Way};
use crate::sequences::snap::Snap;
use crate::sequences::stage::{Stage, group_params};
use litesvm::types::FailedTransactionMetadata;
use rampart::error::RampartError as E;
use rampart::state::{ChangeGroup, Level, Position, SwapCaller, TicketSide};
use rampart_client::{Instruction, Pubkey};
use rampart_tests::officers::Officer;
use solana_sdk::instruction::InstructionError;
use solana_sdk::transaction::TransactionError;

/// Guardians pause at most so long within any 30 days.
const PAUSE_WINDOW: i64 = 30 * DAY;
/// How long a pause stands before it may be lifted, seconds.
const PAUSE_DWELL: i64 = 900;
/// One proof of a shortfall holds the vault so long, seconds.
const SHORTFALL_SECS: i64 = 6 * HOUR;

fn signed(ix: &Instruction, key: &Pubkey) -> bool {
    ix.accounts.iter().any(|m| m.is_signer && m.pubkey == *key)
}

/// Whether exits and new risk of the vault must be refused for want of a price.
pub fn has_prices(model: &Model, now: i64) -> bool {
    model.feeds.iter().all(|feed| feed.is_good(now))
}

impl Stage {
    /// Checks a refusal: a named error, and nothing changed.
    pub fn refused(&self, action: &Action, failed: &FailedTransactionMetadata, before: &Snap, after: &Snap) {
        let logs = || failed.meta.logs.join("\n");
        let is_honest = action.impostor == 0 && action.twist == 0 && !is_thieving(action);
        assert!(before.is_same(after), "a refused step changed an account: {action:?}");
        let TransactionError::InstructionError(_, error) = &failed.err else {
            panic!("{action:?} failed with {:?}\n{}", failed.err, logs());
        };
        let InstructionError::Custom(code) = error else {
            // what the runtime itself refuses of accounts that don't belong
            let is_crash = matches!(
                error,
                InstructionError::ProgramFailedToComplete | InstructionError::ComputationalBudgetExceeded
            );
            assert!(!is_crash && !is_honest, "{action:?} failed with {error:?}\n{}", logs());
            return;
        };
        let is = |e: E| *code == u32::from(e);
        assert!(
            !is(E::MathOverflow) && !is(E::HealthNotImproved) && !is(E::UnknownStoredValue),
            "{action:?}\n{}",
            logs()
        );
        // 0 and 1: an account exists already, a balance is too low; 2000 to 4999: Anchor's on accounts
        // a route fails with an error of its own
        let is_routes = matches!(action.kind, Kind::Rebalance | Kind::LiquidateBySwap) && *code < 64;
        let is_named = (6_000..6_300).contains(code) || *code <= 1 || is_routes;
        let may_lack_accounts = self.may_lack_accounts(action, after);
        let is_anchors = (2_000..5_000).contains(code) || *code < 32;
        assert!(is_named || (is_anchors && (!is_honest || may_lack_accounts)), "{action:?}: {code}\n{}", logs());
        if is_honest && matches!(action.kind, Kind::Repay | Kind::Deposit | Kind::Accrue | Kind::Observe) {
            let by_level = [E::LevelForbids, E::PriceIndeterminate, E::PriceDisagreement].into_iter().any(is);
            let is_evidence = action.kind == Kind::Observe && !is(E::LevelForbids);
            assert!(!by_level || is_evidence, "I10: a cure is refused: {action:?}\n{}", logs());
        }
        let is_indeterminate = !has_prices(&self.model, after.now);
        assert!(is_indeterminate || is_honest || !is(E::PriceDisagreement) || action.twist > 0, "{action:?}");
    }

    /// The newcomer's position, a report that nobody opened, a set that exists: honest steps on accounts that aren't there.
    fn may_lack_accounts(&self, action: &Action, snap: &Snap) -> bool {
        use Kind as K;
        let is_about_owners = action.kind <= K::Cancel || action.kind == K::ClaimResolution;
        let has_closed = snap.positions.iter().any(Option::is_none);
        let creates = matches!(
            action.kind,
            K::Open | K::OpenReport | K::SubmitReport | K::InitializeKeepers | K::InitializeBounty | K::InitializeGuard
        );
        (is_about_owners && has_closed) || creates
    }

    /// Checks all that must hold after an instruction that landed.
    pub fn landed(&mut self, action: &Action, plan: &[Instruction], before: &Snap, after: &Snap) {
        let ix = plan.last().expect("an instruction");
        let flows = |m: &Model| [m.loan.all.len(), m.collateral.all.len()];
        self.model.latest = self.model.latest.max(after.now);
        self.assert_authority(action, ix, before);
        self.assert_no_fall(action, before, after);
        self.follow_causes(action, ix, before);
        self.follow_changes(action, ix, before, after);
        assert_configuration(action, before, after);
        let had = flows(&self.model);
        self.follow_money(action, ix, before, after);
        self.assert_ticket(action, ix, before, after);
        let has = flows(&self.model);
        let (loan, collateral) = (self.model.loan.all.last().copied(), self.model.collateral.all.last().copied());
        let out = match () {
            () if has[0] > had[0] => loan.map(|f| (f, true)),
            () if has[1] > had[1] => collateral.map(|f| (f, false)),
            () => None,
        };
        self.follow_leases(action, plan, out.filter(|(f, _)| f.way != Way::In), (before, after));
        self.follow_census(action, ix, before, after);
        self.follow_places(action, ix, before, after);
        self.follow_bounties(action, before, after);
        self.follow_swaps(action, ix, before, after);
        self.follow_reserve(action, ix, before, after);
        self.follow_pauses(action, ix, before);
        self.model.note_limits(after);
        self.check_state(after);
    }

    // --- who may what

    fn assert_authority(&self, action: &Action, ix: &Instruction, before: &Snap) {
        use Kind as K;
        let roles = &before.guard.roles;
        let has = |key: &Pubkey| signed(ix, key);
        let guardians = [Officer::FirstGuardian, Officer::SecondGuardian].map(Officer::address);
        let quorum = guardians.iter().all(has);
        let holder = |at: usize| {
            let position = ix.accounts[at].pubkey;
            self.cast.owners.iter().any(|o| o.position == position && has(&o.address))
        };
        let is_root_or_admin = has(&roles.root) || has(&roles.risk_admin);
        let of_place = |ix: &Instruction| {
            let found = self.cast.places.iter().find(|p| p.keys.integration == ix.accounts[2].pubkey);
            found.is_some_and(|p| has(&p.keys.authority))
        };
        let may = match action.kind {
            K::Supply | K::Withdraw | K::TakeOut | K::Borrow | K::Request => holder(5),
            K::Claim | K::ClaimCollateral => holder(5),
            K::Cancel => holder(2),
            K::Close => holder(1),
            K::Pause => guardians.iter().any(has),
            K::Halt => quorum,
            K::Lift | K::Reset => has(&roles.resetter),
            K::TightenVault | K::TightenRule | K::TightenIntegration => is_root_or_admin,
            K::SetKeepers | K::ActivateStandby | K::TightenAggregate | K::TightenSwapPolicy => is_root_or_admin,
            K::OpenCensus | K::CloseCensus | K::CreateSwapPolicy => has(&roles.root),
            K::CountCensus => has(&self.cast.hunter),
            K::InitializeReserve => has(&roles.root),
            K::Rebalance => {
                let is_open = before.policy(&ix.accounts[3].pubkey).params.caller == SwapCaller::Anyone as u8;
                is_open || before.keepers.active().iter().any(|m| has(&m.key) && m.active_from_ts <= before.now)
            }
            K::InitializeAggregate => ix.accounts[1].pubkey != self.world.guard || has(&roles.root),
            K::SetBounty | K::WithdrawBounty | K::NarrowBounds | K::FreezeForever | K::Propose => has(&roles.root),
            K::CancelChange => has(&roles.root),
            K::Veto => has(&roles.vetoer) || guardians.iter().any(has),
            K::AcceptRoot => {
                self.model.pending.iter().any(|p| matches!(p.next, rampart::state::Change::Root(root) if has(&root)))
            }
            K::SubmitReport => before.keepers.active().iter().any(|m| has(&m.key) && m.active_from_ts <= before.now),
            K::Record | K::CustodyTransfer | K::CustodyMint => of_place(ix),
            K::RegisterIntegration | K::RegisterAsset | K::InitializeVault | K::CreateRule | K::CreateGroup => {
                has(&roles.root)
            }
            K::EnterResolution => (has(&roles.root) && quorum) || self.has_stood(before),
            K::LeaveResolution => has(&roles.root) && quorum,
            K::ClaimResolution => {
                let owner = self.cast.owners.iter().find(|o| o.position == ix.accounts[2].pubkey);
                let is_own = owner.is_some_and(|o| has(&o.address));
                is_own || before.vault.resolution.ends_at_ts <= before.now
            }
            _ => true,
        };
        assert!(may, "who may not, did: {action:?}");
    }

    /// A shortfall that stands for three days opens Resolution to anyone.
    fn has_stood(&self, before: &Snap) -> bool {
        let stands = |since: &Option<i64>| since.is_some_and(|since| before.now - since >= 3 * DAY);
        self.model.short_since.iter().any(stands)
    }

    // --- levels

    /// A level falls by a proved step down, a reset or a lift alone; time is the same before and after.
    fn assert_no_fall(&self, action: &Action, before: &Snap, after: &Snap) {
        let may_fall = matches!(action.kind, Kind::StepDown | Kind::StepDownGroup | Kind::Reset | Kind::Lift);
        let pairs = before.breakers(&self.cast).into_iter().zip(after.breakers(&self.cast));
        for ((scope, was), (_, is)) in pairs {
            let (was, is) = (was.levels_at(before.now), is.levels_at(after.now));
            let fell = is.risk < was.risk || is.exit < was.exit;
            assert!(!fell || may_fall, "I7: {scope} fell from {was:?} to {is:?} by {action:?}");
        }
        let (was, is) = (before.vault.resolution.is_in_force(), after.vault.resolution.is_in_force());
        assert!(!was || is || action.kind == Kind::LeaveResolution, "I7: Resolution ended by {action:?}");
        assert!(was || !is || action.kind == Kind::EnterResolution, "Resolution began by {action:?}");
    }

    /// Lets the model's causes follow what landed.
    fn follow_causes(&mut self, action: &Action, ix: &Instruction, before: &Snap) {
        let now = before.now;
        let at = |index: usize| ix.accounts[index].pubkey;
        match action.kind {
            Kind::Trip => {
                let (rule, scope) = (at(0), at(2));
                let params = before.rule(&rule).expect("a rule of the guard").params;
                self.assert_evidence(&params, now);
                let cause = Model::cause_of_rule(rule, &params, now);
                assert!(self.model.scopes.raise(scope, cause, now), "trip of a cause that has no place: {action:?}");
            }
            Kind::TripGroup => {
                let params = group_params();
                let cause = Held {
                    source: at(0),
                    level: Level::try_from(params.level).expect("level"),
                    tripped: now,
                    expires: now + i64::from(params.duration_secs),
                    dwell: now + i64::from(params.min_dwell_secs),
                    narrows_exits: true,
                    is_pause: false,
                };
                assert!(self.model.scopes.raise(at(1), cause, now), "trip of a cause that has no place: {action:?}");
            }
            Kind::StepDown | Kind::StepDownGroup => {
                self.assert_dwell(&at(2), &at(0), now);
                self.model.scopes.lower(&at(2), &at(0), now);
            }
            Kind::Reset => {
                self.assert_dwell(&at(4), &at(2), now);
                self.model.scopes.remove(&at(4), &at(2));
            }
            Kind::Lift => {
                let held = self.model.pause_in_force_at(&at(2), now);
                let source = held.into_iter().find(|s| ix.data.windows(32).any(|w| w == s.as_ref()));
                let source = source.expect("I7: a lift of what is no pause in force");
                self.assert_dwell(&at(2), &source, now);
                self.model.scopes.remove(&at(2), &source);
            }
            _ => self.follow_shortfall(action, now),
        }
    }

    /// Whoever touches a vault that is short proves it.
    fn follow_shortfall(&mut self, action: &Action, now: i64) {
        let (loan, collateral) = (self.model.surplus.0 < 0, self.model.surplus.1 < 0);
        let is_short = match action.kind {
            Kind::Withdraw | Kind::Claim => loan,
            Kind::TakeOut | Kind::ClaimCollateral => collateral,
            Kind::RecordShortfall => loan || collateral,
            Kind::EnterResolution => (loan || collateral) && action.a.is_multiple_of(3),
            _ => false,
        };
        if is_short {
            let vault = self.world.keys.vault;
            let until = now + SHORTFALL_SECS;
            let cause = Held {
                source: vault,
                level: Level::ReduceOnly,
                tripped: now,
                expires: until,
                dwell: until,
                narrows_exits: true,
                is_pause: false,
            };
            // renewed only after it has run out
            self.model.scopes.raise(vault, cause, now);
        }
    }

    fn assert_dwell(&self, scope: &Pubkey, source: &Pubkey, now: i64) {
        let held = self.model.scopes.find(scope, source, now).expect("I7: a level fell that no cause held up");
        assert!(now >= held.dwell, "I7: lowered before its dwell time");
    }

    /// A rule on a price trips on fresh sources that agree, whoever calls.
    fn assert_evidence(&self, params: &rampart::state::rule::RuleParams, now: i64) {
        use rampart::state::rule::Metric as M;
        let needs = [M::Drawdown, M::DeviationFromReference].iter().any(|m| *m as u8 == params.metric);
        assert!(!needs || self.model.feeds[0].is_good(now), "I18: tripped without fresh sources");
        let needs_both = params.metric == M::CollateralRatio as u8;
        assert!(!needs_both || has_prices(&self.model, now), "I18: tripped without fresh sources");
    }

    // --- pauses

    fn follow_pauses(&mut self, action: &Action, ix: &Instruction, before: &Snap) {
        let now = before.now;
        let (by, scope, secs, level) = match action.kind {
            Kind::Pause => {
                (Some(ix.accounts[0].pubkey), ix.accounts[2].pubkey, duration(ix, 9), Level::try_from(ix.data[8]))
            }
            Kind::Halt => (None, ix.accounts[1].pubkey, duration(ix, 8), Ok(Level::Halt)),
            _ => return,
        };
        let level = level.expect("level");
        let source = by.unwrap_or(self.world.guard);
        assert!(by.is_none() || level <= Level::ReduceOnly, "one guardian alone halted");
        assert!(self.model.scopes.find(&scope, &source, now).is_none(), "a guardian prolonged their own pause");
        assert!(secs > 0 && secs <= i64::from(before.guard.bounds.max_pause_secs), "a pause beyond the bound");
        let cause = Held {
            source,
            level,
            tripped: now,
            expires: now + secs,
            dwell: now + secs.min(PAUSE_DWELL),
            narrows_exits: true,
            is_pause: true,
        };
        assert!(self.model.scopes.raise(scope, cause, now), "a pause that has no place");
        // a halt falls to ReduceOnly for as long again
        let secs = if by.is_none() { 2 * secs } else { secs };
        self.model.pauses.push(PauseSpan { by, start: now, secs });
        self.assert_pause_budgets(before);
    }

    fn assert_pause_budgets(&self, before: &Snap) {
        let bounds = &before.guard.bounds;
        let newest = *self.model.pauses.last().expect("a pause");
        let ends = self.model.pauses.iter().map(|p| p.start + p.secs - PAUSE_WINDOW);
        let starts = self.model.pauses.iter().map(|p| p.start).chain(ends);
        for from in starts.filter(|from| *from < newest.start + newest.secs && newest.start < from + PAUSE_WINDOW) {
            let within = |p: &PauseSpan| ((p.start + p.secs).min(from + PAUSE_WINDOW) - p.start.max(from)).max(0);
            let sum =
                |of: &dyn Fn(&PauseSpan) -> bool| self.model.pauses.iter().filter(|p| of(p)).map(within).sum::<i64>();
            let all = sum(&|_| true);
            assert!(all <= i64::from(bounds.max_guard_pause_secs), "I8: {all} s of pauses within 30 days");
            if newest.by.is_some() {
                let (own, single) = (sum(&|p| p.by == newest.by), sum(&|p| p.by.is_some()));
                assert!(own <= i64::from(bounds.max_guardian_pause_secs), "I8: {own} s by one guardian");
                let for_singles = bounds.max_guard_pause_secs - bounds.quorum_reserve_secs;
                assert!(single <= i64::from(for_singles), "I8: {single} s by single guardians");
            }
        }
    }

    // --- changes

    fn follow_changes(&mut self, action: &Action, ix: &Instruction, before: &Snap, after: &Snap) {
        let now = before.now;
        match action.kind {
            Kind::Propose => {
                let key = ix.accounts[3].pubkey;
                let stored = self.world.change(&key);
                let next = stored.change().expect("a change");
                let target = ix.accounts[2].pubkey;
                let value = before.value(next.group(), &target).expect("a value of the guard");
                let delay = i64::from(before.guard.loosen_delay_secs);
                let pending = Pending {
                    key,
                    target,
                    before: value,
                    next,
                    proposed: now,
                    delay,
                    window: i64::from(before.guard.bounds.max_execution_window_secs),
                    epoch: before.guard.authority_epoch,
                };
                let eta = pending.ripe_at(0);
                assert_eq!((stored.eta_ts, stored.expires_at_ts), (eta, eta + pending.window), "dates of a change");
                self.model.pending.push(pending);
            }
            Kind::Execute | Kind::AcceptRoot => {
                let key = if action.kind == Kind::Execute { ix.accounts[1].pubkey } else { ix.accounts[2].pubkey };
                let change = self.take_pending(&key);
                let delay = i64::from(before.guard.loosen_delay_secs);
                assert!(now >= change.ripe_at(delay), "I6: executed before its time");
                assert!(now < change.ripe_at(0) + change.window, "I6: executed after its window");
                assert_eq!(change.epoch, before.guard.authority_epoch, "I6: executed under another epoch");
                let group = change.next.group();
                assert_eq!(
                    (group == ChangeGroup::Root),
                    (action.kind == Kind::AcceptRoot),
                    "root moved without acceptance"
                );
                let (was, is) = (before.value(group, &change.target), after.value(group, &change.target));
                assert_eq!(was.as_ref(), Some(&change.before), "I6: executed over another value");
                assert_eq!(is.as_ref(), Some(&change.next), "executed, and something else stands");
            }
            Kind::Veto | Kind::CancelChange => drop(self.take_pending(&ix.accounts[2].pubkey)),
            _ => {}
        }
    }

    fn take_pending(&mut self, key: &Pubkey) -> Pending {
        let at = self.model.pending.iter().position(|p| p.key == *key).expect("I6: a change that nobody proposed");
        self.model.pending.remove(at)
    }

    // --- the state

    /// Checks what must hold of the accounts, however they came about.
    pub fn check_state(&self, snap: &Snap) {
        self.assert_books(snap);
        self.assert_levels(snap);
        self.assert_leases(snap);
        self.assert_reserve(snap);
        assert_within_bounds(snap);
    }

    fn assert_books(&self, snap: &Snap) {
        let v = &snap.vault;
        let (loan, collateral) = self.model.surplus;
        assert_eq!(i128::from(snap.held.0), i128::from(v.cash_amount) + loan, "I11: cash");
        assert_eq!(i128::from(snap.held.1), i128::from(v.collateral_amount) + collateral, "I11: collateral");
        let open = || snap.positions.iter().flatten();
        let sum = |of: fn(&Position) -> u128| open().map(|p| of(p)).sum::<u128>();
        assert_eq!(sum(|p| p.supply_shares.get()), v.supply_shares.get(), "sum of shares");
        assert_eq!(sum(|p| p.debt_scaled.get()), v.debt_scaled.get(), "sum of scaled debt");
        assert_eq!(sum(|p| p.collateral_amount.into()), v.collateral_amount.into(), "sum of collateral");
        let locked = |p: &Position| {
            p.tickets
                .slots
                .iter()
                .filter(|t| t.state != 0 && t.side != TicketSide::Collateral as u8)
                .map(|t| t.shares.get())
                .sum::<u128>()
        };
        assert!(open().all(|p| locked(p) <= p.supply_shares.get()), "I21: tickets lock more shares than there are");
        let debt = v.debt_amount().expect("debt");
        if !v.resolution.is_in_force() {
            let worth = |p: &Position| u128::from(v.assets_for_shares(p.supply_shares.get()).expect("worth"));
            let claims: u128 = open().map(|p| worth(p)).sum();
            assert!(claims <= u128::from(v.cash_amount) + u128::from(debt), "lenders claim {claims}");
        }
        let owed: u128 = open().map(|p| u128::from(v.debt_of(p).expect("debt"))).sum();
        assert!(owed >= u128::from(debt), "borrowers owe {owed} of {debt}");
    }

    /// Every breaker's levels follow from the causes that the model kept: now, and as they will end by themselves.
    fn assert_levels(&self, snap: &Snap) {
        for (scope, breaker) in snap.breakers(&self.cast) {
            for ahead in [0, 61, 1_801, 3_601, 6 * HOUR + 1, 12 * HOUR + 1] {
                let at = snap.now + ahead;
                let (model, program) = (self.model.scopes.of(&[scope], at), breaker.levels_at(at));
                assert_eq!(model, program, "I7: levels of {scope} in {ahead} s: by causes, and stored");
            }
        }
    }
}

fn duration(ix: &Instruction, at: usize) -> i64 {
    u32::from_le_bytes(ix.data[at..at + 4].try_into().expect("four bytes")).into()
}
