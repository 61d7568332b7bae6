//! What must hold after a step: of the state, and of the step that led to it.

use crate::sequences::action::{Action, Kind};
use crate::sequences::config::{assert_configuration, assert_within_bounds};
use crate::sequences::desk::is_thieving;
use crate::sequences::model::{DAY, HOUR, Model, Way};
use crate::sequences::snap::Snap;
use crate::sequences::stage::Stage;
use litesvm::types::FailedTransactionMetadata;
use rampart::error::RampartError as E;
use rampart::state::{Position, SwapCaller, TicketSide};
use rampart_client::{Instruction, Pubkey};
use rampart_tests::officers::Officer;
use solana_sdk::instruction::InstructionError;
use solana_sdk::transaction::TransactionError;

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
        // what is sent to an account that somebody put in the place of another may be less than its rent
        if matches!(failed.err, TransactionError::InsufficientFundsForRent { .. }) && !is_honest {
            return;
        }
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
        self.follow_scale(action, before, after);
        self.follow_bounties(action, before, after);
        self.follow_swaps(action, ix, before, after);
        self.follow_reserve(action, ix, before, after);
        self.follow_pauses(action, ix, before);
        self.model.note_limits(after);
        self.check_state(after);
    }

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
