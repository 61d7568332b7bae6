//! The orderly end of a vault.

use crate::actions::{borrow_ix, debt, deposit_ix, liquidate_ix, supply_ix, withdraw_collateral_ix, withdraw_ix};
use crate::forced::crash;
use anchor_lang::error::ErrorCode as Anchor;
use rampart::constants::{DAY_SECS, RESOLUTION_NOTICE_SECS, SHORTFALL_STANDING_SECS};
use rampart::error::RampartError as E;
use rampart::events::{ResolutionEntered, ResolutionLeft};
use rampart::state::{Guard, Level};
use rampart::{Validity, constants::VIRTUAL_SHARES};
use rampart_client::exit::{self, Claimed};
use rampart_client::{Instruction, Pubkey, lending};
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::events::the_one;
use rampart_tests::refusal::{TokenRefusal, assert_refused, without_signature};
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::scenario::Scope;
use rampart_tests::{User, World};
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

const TEN_DAYS: u32 = 10 * 86_400;

/// Three lenders of 60, 30 and 10 thousand, a borrower of 80 thousand against 1,000 SOL, and a saver of 5 SOL.
struct Scene {
    world: World,
    lenders: [User; 3],
    borrower: User,
    saver: User,
    guardians: [Keypair; 3],
}

impl Scene {
    fn new() -> Self {
        let mut world = World::with_vault();
        let lenders = [60_000, 30_000, 10_000].map(|amount| world.lender(amount * USDC));
        let borrower = world.borrower(1_000 * SOL, 80_000 * USDC);
        world.fund(&borrower, 0, 10_000 * USDC);
        let saver = world.user(5 * SOL, 0);
        world.deposit_collateral(&saver, 5 * SOL).unwrap();
        let guardians = [0; 3].map(|_| world.new_key());
        let mut guard: Guard = world.guard_state();
        for (slot, key) in guard.roles.guardians.iter_mut().zip(&guardians) {
            *slot = key.pubkey();
        }
        (guard.roles.guardian_count, guard.roles.guardian_quorum) = (3, 2);
        let key = world.guard;
        world.store(&key, &guard);
        Self { world, lenders, borrower, saver, guardians }
    }

    fn validity(&self) -> Validity {
        let authority_epoch = self.world.guard_state().authority_epoch;
        Validity { authority_epoch, expires_at_ts: self.world.now_ts() + 60 }
    }

    fn enter_ix(&self, guardians: &[usize], duration_secs: u32) -> Instruction {
        let keys: Vec<Pubkey> = guardians.iter().map(|i| self.guardians[*i].pubkey()).collect();
        exit::enter_resolution(&self.world.keys, self.world.root.pubkey(), &keys, duration_secs, self.validity())
    }

    fn leave_ix(&self) -> Instruction {
        let keys = [self.guardians[1].pubkey(), self.guardians[2].pubkey()];
        exit::leave_resolution(&self.world.keys, self.world.root.pubkey(), &keys, self.validity())
    }

    fn signers(&self, guardians: &[usize]) -> Vec<Keypair> {
        let guardians = guardians.iter().map(|i| self.guardians[*i].insecure_clone());
        std::iter::once(self.world.root.insecure_clone()).chain(guardians).collect()
    }

    fn send(&mut self, ix: Instruction, guardians: &[usize]) -> rampart_tests::Outcome {
        let signers = self.signers(guardians);
        self.world.send(&[ix], &signers.iter().collect::<Vec<_>>())
    }

    #[track_caller]
    fn refuses(&mut self, ix: &Instruction, guardians: &[usize], error: E) {
        let signers = self.signers(guardians);
        assert_refused(&mut self.world, ix, &signers.iter().collect::<Vec<_>>(), error);
    }

    /// Enters for ten days and lets claims open.
    fn opened() -> Self {
        let mut scene = Self::new();
        let ix = scene.enter_ix(&[0, 1], TEN_DAYS);
        scene.send(ix, &[0, 1]).unwrap();
        scene.world.advance(RESOLUTION_NOTICE_SECS);
        scene.world.set_prices(150.0, 1.0);
        scene
    }

    fn claim(&mut self, lender: usize) -> u64 {
        let user = &self.lenders[lender];
        let (before, ix) = (self.world.balance(&user.usdc), cash_ix(&self.world, user));
        self.world.send(&[ix], &[&user.key]).unwrap_or_else(|e| panic!("{}", e.meta.logs.join("\n")));
        self.world.balance(&user.usdc) - before
    }
}

fn cash_ix(world: &World, user: &User) -> Instruction {
    exit::claim_resolution(&world.keys, user.address(), user.address(), user.usdc, Claimed::Cash)
}

fn collateral_ix(world: &World, user: &User) -> Instruction {
    exit::claim_resolution(&world.keys, user.address(), user.address(), user.sol, Claimed::Collateral)
}

fn take(world: &mut World, token: Pubkey, amount: u64) {
    let mut account = world.svm.get_account(&token).unwrap();
    let left = world.balance(&token) - amount;
    account.data[64..72].copy_from_slice(&left.to_le_bytes());
    world.svm.set_account(token, account).unwrap();
}

#[test]
fn enter_resolution_by_root_and_a_quorum_blocks_all_but_cures() {
    let mut s = Scene::new();
    let ix = s.enter_ix(&[0, 2], TEN_DAYS);
    let fact: ResolutionEntered = the_one(&s.send(ix, &[0, 2]).unwrap());
    let now = s.world.now_ts();
    assert_eq!((fact.vault, fact.is_by_root), (s.world.keys.vault, true));
    assert_eq!((fact.claims_open_at_ts, fact.ends_at_ts), (now + DAY_SECS, now + 10 * DAY_SECS));
    assert_eq!(s.world.level(), Level::Resolution);
    assert_eq!(s.world.vault().resolution.shares, s.world.vault().supply_shares);
    let Scene { mut world, lenders: [lender, ..], borrower, saver, .. } = s;
    let by = world.user(0, 100_000 * USDC);
    world.fund(&lender, 0, 1_000 * USDC);
    crash(&mut world, 90.0);
    let refused = [
        (supply_ix(&world, &lender, USDC), &lender),
        (withdraw_ix(&world, &lender, VIRTUAL_SHARES), &lender),
        (exit::request_withdrawal(&world.keys, lender.address(), VIRTUAL_SHARES * USDC as u128), &lender),
        (borrow_ix(&world, &borrower, 10 * USDC), &borrower),
        (withdraw_collateral_ix(&world, &saver, SOL), &saver),
        (liquidate_ix(&world, &by, borrower.position, u64::MAX), &by),
    ];
    for (ix, user) in refused {
        assert_refused(&mut world, &ix, &[&user.key], E::LevelForbids);
    }
    world.fund(&borrower, SOL, 0);
    let deposit = deposit_ix(&world, &borrower, SOL);
    world.send(&[deposit], &[&borrower.key]).unwrap();
    world.repay(&borrower, 1_000 * USDC).unwrap();
}

#[test]
fn enter_resolution_fails_without_quorum_date_epoch_or_twice() {
    let mut s = Scene::new();
    for (guardians, days, error) in [
        (&[][..], 10, E::QuorumMissing),
        (&[1][..], 10, E::QuorumMissing),
        (&[1, 1][..], 10, E::QuorumMissing),
        (&[0, 1][..], 6, E::ResolutionDateInvalid),
        (&[0, 1][..], 31, E::ResolutionDateInvalid),
    ] {
        let ix = s.enter_ix(guardians, days * 86_400);
        s.refuses(&ix, guardians, error);
    }
    // a guardian who is named but doesn't sign
    let mut unsigned = s.enter_ix(&[0, 1], TEN_DAYS);
    unsigned.accounts.last_mut().unwrap().is_signer = false;
    s.refuses(&unsigned, &[0], E::QuorumMissing);
    let mut stale = s.validity();
    stale.authority_epoch += 1;
    let keys = [s.guardians[0].pubkey(), s.guardians[1].pubkey()];
    let root = s.world.root.pubkey();
    let ix = exit::enter_resolution(&s.world.keys, root, &keys, TEN_DAYS, stale);
    s.refuses(&ix, &[0, 1], E::AuthorityEpochMoved);
    let late = Validity { expires_at_ts: s.world.now_ts() - 1, ..s.validity() };
    let ix = exit::enter_resolution(&s.world.keys, root, &keys, TEN_DAYS, late);
    s.refuses(&ix, &[0, 1], E::InstructionExpired);
    let ix = s.enter_ix(&[0, 1], TEN_DAYS);
    s.send(ix.clone(), &[0, 1]).unwrap();
    s.refuses(&ix, &[0, 1], E::ResolutionInForce);
}

#[test]
fn enter_resolution_by_anyone_needs_a_shortfall_that_stood_three_days_and_is_there() {
    let mut s = Scene::new();
    let (keys, anyone) = (s.world.keys, s.saver.key.insecure_clone());
    let validity = s.validity();
    let enter = |secs| exit::enter_resolution(&keys, anyone.pubkey(), &[], secs, validity);
    let month = 30 * 86_400;
    assert_refused(&mut s.world, &enter(month), &[&anyone], E::ShortfallNotStanding);
    take(&mut s.world, keys.loan_token, 7);
    assert_refused(&mut s.world, &enter(month), &[&anyone], E::ShortfallNotStanding);
    s.world.send(&[exit::record_shortfall(&keys)], &[]).unwrap();
    s.world.advance(SHORTFALL_STANDING_SECS - 1);
    assert_refused(&mut s.world, &enter(month), &[&anyone], E::ShortfallNotStanding);
    s.world.advance(1);
    assert_refused(&mut s.world, &enter(TEN_DAYS), &[&anyone], E::ResolutionDateInvalid);
    // made good meanwhile: it no longer stands, and nothing has to be called for that
    let loan = keys.loan_token;
    s.world.mint_to(s.world.usdc, loan, 7);
    assert_refused(&mut s.world, &enter(month), &[&anyone], E::ShortfallNotStanding);
    take(&mut s.world, loan, 7);
    let fact: ResolutionEntered = the_one(&s.world.send(&[enter(month)], &[&anyone]).unwrap());
    assert!(!fact.is_by_root && fact.ends_at_ts == s.world.now_ts() + 30 * DAY_SECS);
    // root and guardians can't call it off while it is short
    let leave = s.leave_ix();
    s.refuses(&leave, &[1, 2], E::ShortfallStands);
    s.world.mint_to(s.world.usdc, loan, 7);
    s.send(leave, &[1, 2]).unwrap();
}

#[test]
fn leave_resolution_is_possible_until_claims_open() {
    let mut s = Scene::new();
    let early = s.leave_ix();
    s.refuses(&early, &[1, 2], E::ResolutionNotInForce);
    let ix = s.enter_ix(&[0, 1], TEN_DAYS);
    s.send(ix.clone(), &[0, 1]).unwrap();
    let leave = s.leave_ix();
    let (keys, saver) = (s.world.keys, s.saver.key.insecure_clone());
    let foreign = exit::leave_resolution(&keys, saver.pubkey(), &[], s.validity());
    assert_refused(&mut s.world, &foreign, &[&saver], E::WrongAuthority);
    let few = exit::leave_resolution(&keys, s.world.root.pubkey(), &[s.guardians[0].pubkey()], s.validity());
    s.refuses(&few, &[0], E::QuorumMissing);
    let fact: ResolutionLeft = the_one(&s.send(leave, &[1, 2]).unwrap());
    assert_eq!((fact.vault, s.world.level()), (keys.vault, Level::Normal));
    s.world.withdraw(&s.lenders[0], VIRTUAL_SHARES * USDC as u128).unwrap();
    s.send(s.enter_ix(&[0, 1], TEN_DAYS), &[0, 1]).unwrap();
    let early = cash_ix(&s.world, &s.lenders[0]);
    assert_refused(&mut s.world, &early, &[&s.lenders[0].key], E::ResolutionNotOpen);
    s.world.advance(RESOLUTION_NOTICE_SECS);
    let leave = s.leave_ix();
    s.refuses(&leave, &[1, 2], E::ResolutionOpen);
}

#[test]
fn change_of_resolution_fails_with_any_wrong_account() {
    let mut s = Scene::new();
    let ix = s.enter_ix(&[0, 1], TEN_DAYS);
    let (k, f) = (s.world.keys, s.world.other_guard());
    for (index, wrong) in [(1, f.guard), (2, f.vault), (3, f.loan_token), (3, k.collateral_token), (4, k.loan_token)] {
        s.refuses(&with_account(&ix, index, wrong), &[0, 1], E::VaultAssetsInvalid);
    }
    let signers = s.signers(&[0, 1]);
    let all: Vec<&Keypair> = signers.iter().collect();
    assert_refused(&mut s.world, &with_read_only(&ix, 2), &all, Anchor::ConstraintMut);
    assert_refused(&mut s.world, &without_signature(&ix), &all[1..], Anchor::AccountNotSigner);
}

#[test]
fn claims_get_their_part_of_cash_as_it_comes_in_whatever_their_order() {
    let orders: [&[usize]; 3] = [&[0, 1, 2, 0, 2, 1], &[2, 0, 1, 1, 2, 0], &[2, 2, 2, 0]];
    let mut totals = vec![];
    for order in orders {
        let mut s = Scene::opened();
        // 20,000 of cash: 60, 30 and 10 per cent of it
        for who in &order[..2] {
            let paid = s.claim(*who);
            assert_eq!(paid, [12_000, 6_000, 2_000][*who] * USDC);
            let again = cash_ix(&s.world, &s.lenders[*who]);
            let key = s.lenders[*who].key.insecure_clone();
            assert_refused(&mut s.world, &again, &[&key], E::NothingToClaim);
            if order[1] == *who {
                break;
            }
        }
        for who in &order[2..] {
            s.world.repay(&s.borrower, 5_000 * USDC).unwrap();
            s.claim(*who);
        }
        let left = 90_000 * USDC - 5_000 * USDC * (order.len() as u64 - 2);
        s.world.fund(&s.borrower, 0, left);
        s.world.repay(&s.borrower, u64::MAX).unwrap();
        for who in 0..3 {
            s.claim(who);
        }
        let got: Vec<u64> = s.lenders.iter().map(|l| s.world.balance(&l.usdc)).collect();
        assert!(got[0].abs_diff(2 * got[1]) <= 2 && got[1].abs_diff(3 * got[2]) <= 3, "{got:?}");
        // nothing is left but what rounding keeps; every position can be closed
        assert!(s.world.vault().cash_amount <= 3 && s.world.vault().supply_shares.get() == 0);
        for lender in &s.lenders {
            let close = lending::close_position(lender.address(), s.world.keys.vault);
            s.world.send(&[close], &[&lender.key]).unwrap();
        }
        totals.push(got);
    }
    assert!(totals.windows(2).all(|t| t[0].iter().zip(&t[1]).all(|(a, b)| a.abs_diff(*b) <= 2)), "{totals:?}");
}

#[test]
fn claims_of_a_short_vault_share_what_is_really_there() {
    let mut s = Scene::new();
    let keys = s.world.keys;
    take(&mut s.world, keys.loan_token, 10_000 * USDC);
    take(&mut s.world, keys.collateral_token, 201 * SOL);
    let ix = s.enter_ix(&[0, 1], TEN_DAYS);
    s.send(ix, &[0, 1]).unwrap();
    s.world.advance(RESOLUTION_NOTICE_SECS);
    assert_eq!([2, 0, 1].map(|who| s.claim(who)), [1_000, 6_000, 3_000].map(|a| a * USDC));
    // 804 of 1,005 SOL are there
    let ix = collateral_ix(&s.world, &s.saver);
    s.world.send(&[ix], &[&s.saver.key]).unwrap();
    assert_eq!(s.world.balance(&s.saver.sol), 4 * SOL);
    assert_eq!(s.world.balance(&s.world.keys.collateral_token), 800 * SOL);
    assert_eq!(s.world.vault().collateral_amount, 1_000 * SOL);
}

#[test]
fn claim_of_collateral_needs_the_debt_repaid_and_is_whole() {
    let mut s = Scene::opened();
    let ix = collateral_ix(&s.world, &s.borrower);
    assert_refused(&mut s.world, &ix, &[&s.borrower.key], E::DebtOutstanding);
    let nothing = collateral_ix(&s.world, &s.lenders[0]);
    assert_refused(&mut s.world, &nothing, &[&s.lenders[0].key], E::NothingToClaim);
    s.world.repay(&s.borrower, u64::MAX).unwrap();
    s.world.send(&[ix], &[&s.borrower.key]).unwrap();
    assert_eq!(
        (s.world.balance(&s.borrower.sol), s.world.position(&s.borrower.position).is_empty()),
        (1_000 * SOL, true)
    );
    let ix = collateral_ix(&s.world, &s.saver);
    s.world.send(&[ix], &[&s.saver.key]).unwrap();
    assert_eq!((s.world.balance(&s.saver.sol), s.world.vault().collateral_amount), (5 * SOL, 0));
}

#[test]
fn forced_resolution_collects_debts_and_anyone_may_have_anybody_paid() {
    let mut s = Scene::opened();
    let by = s.world.user(0, 100_000 * USDC);
    crash(&mut s.world, 90.0);
    let frozen = liquidate_ix(&s.world, &by, s.borrower.position, u64::MAX);
    assert_refused(&mut s.world, &frozen, &[&by.key], E::LevelForbids);
    let (keys, lender) = (s.world.keys, s.lenders[0].address());
    let to = s.lenders[0].usdc;
    let push = exit::claim_resolution(&keys, by.address(), lender, to, Claimed::Cash);
    assert_refused(&mut s.world, &push, &[&by.key], E::WrongAuthority);
    s.world.advance(9 * DAY_SECS);
    crash(&mut s.world, 90.0);
    assert_eq!(s.world.level(), Level::Resolution);
    let owed = debt(&s.world, &s.borrower);
    s.world.liquidate(&by, s.borrower.position, u64::MAX).unwrap();
    assert!(debt(&s.world, &s.borrower) < owed);
    s.world.send(&[push], &[&by.key]).unwrap();
    let paid = s.world.balance(&to);
    let received = s.world.vault().cash_amount + s.world.vault().resolution.paid_amount;
    assert_eq!(paid, (u128::from(received) * 6 / 10) as u64);
    // to nobody else
    let steal = exit::claim_resolution(&keys, by.address(), s.lenders[1].address(), by.usdc, Claimed::Cash);
    assert_refused(&mut s.world, &steal, &[&by.key], E::DestinationForbidden);
    let withdraw = withdraw_ix(&s.world, &s.lenders[1], VIRTUAL_SHARES);
    assert_refused(&mut s.world, &withdraw, &[&s.lenders[1].key], E::LevelForbids);
}

#[test]
fn claims_void_tickets_and_rank_equal_to_them() {
    let mut s = Scene::new();
    s.world.advance(3_600);
    let request =
        exit::request_withdrawal(&s.world.keys, s.lenders[0].address(), 15_000 * USDC as u128 * VIRTUAL_SHARES);
    s.world.send(&[request], &[&s.lenders[0].key]).unwrap();
    let ix = s.enter_ix(&[0, 1], TEN_DAYS);
    s.send(ix, &[0, 1]).unwrap();
    s.world.advance(RESOLUTION_NOTICE_SECS);
    let args = rampart::ClaimWithdrawalArgs { ticket: 0, min_amount: 0 };
    let early = exit::claim_withdrawal(&s.world.keys, s.lenders[0].address(), s.lenders[0].usdc, args);
    assert_refused(&mut s.world, &early, &[&s.lenders[0].key], E::LevelForbids);
    assert_eq!([0, 1, 2].map(|who| s.claim(who)), [12_000, 6_000, 2_000].map(|a| a * USDC));
    assert!(s.world.position(&s.lenders[0].position).tickets.is_empty());
}

#[test]
fn claim_resolution_fails_with_any_wrong_account() {
    let mut s = Scene::opened();
    let (k, r, f) = (s.world.keys, s.world.reversed_vault(), s.world.other_guard());
    let (user, other) = (&s.lenders[0], &s.lenders[1]);
    let (in_reversed, in_foreign) = (s.world.open_in(user, &r), s.world.open_in(user, &f));
    let ix = cash_ix(&s.world, user);
    assert_refused(&mut s.world, &without_signature(&ix), &[], Anchor::AccountNotSigner);
    assert_refused(&mut s.world, &with_account(&ix, 0, other.address()), &[&other.key], E::WrongAuthority);
    let cases = [
        (1, r.vault, E::VaultAssetsInvalid),
        (1, f.vault, E::VaultAssetsInvalid),
        (2, in_reversed, E::VaultAssetsInvalid),
        (2, in_foreign, E::VaultAssetsInvalid),
        (2, other.position, E::WrongAuthority),
        (3, k.collateral_mint, E::VaultAssetsInvalid),
        (4, other.usdc, E::DestinationForbidden),
        (5, k.collateral_token, E::VaultAssetsInvalid),
        (5, f.loan_token, E::VaultAssetsInvalid),
        (5, r.collateral_token, E::VaultAssetsInvalid),
    ];
    for (index, wrong, error) in cases {
        assert_refused(&mut s.world, &with_account(&ix, index, wrong), &[&user.key], error);
    }
    let to_itself = with_account(&ix, 4, k.loan_token);
    assert_refused(&mut s.world, &to_itself, &[&user.key], Anchor::ConstraintDuplicateMutableAccount);
    let to_other_mint = with_account(&ix, 4, user.sol);
    assert_refused(&mut s.world, &to_other_mint, &[&user.key], TokenRefusal::MintMismatch);
    let program = with_account(&ix, 6, anchor_spl::token_2022::ID);
    assert_refused(&mut s.world, &program, &[&user.key], InstructionError::IncorrectProgramId);
    for index in [1, 2, 4, 5] {
        assert_refused(&mut s.world, &with_read_only(&ix, index), &[&user.key], Anchor::ConstraintMut);
    }
    s.world.send(&[ix], &[&user.key]).unwrap();
}

#[test]
fn resolution_leaves_the_level_of_other_scopes_alone() {
    let mut s = Scene::opened();
    s.world.raise(Scope::Guard, Level::Halt);
    assert_eq!(s.world.level(), Level::Resolution);
    assert_eq!(s.claim(2), 2_000 * USDC);
}

/// A vault that misses a fifth of its collateral, at the date of its Resolution.
fn short_and_forced(dollars: f64) -> (Scene, User) {
    let mut s = Scene::new();
    let token = s.world.keys.collateral_token;
    // 804 of 1,005 SOL are there
    take(&mut s.world, token, 201 * SOL);
    let ix = s.enter_ix(&[0, 1], TEN_DAYS);
    s.send(ix, &[0, 1]).unwrap();
    s.world.advance(10 * DAY_SECS);
    crash(&mut s.world, dollars);
    let by = s.world.user(0, 100_000 * USDC);
    (s, by)
}

/// A liquidator that was paid in full would gain over all others: what was short for them.
#[test]
fn forced_liquidation_counts_and_pays_the_part_of_the_collateral_that_is_there() {
    let (mut s, by) = short_and_forced(120.0);
    let before = (s.world.vault(), s.world.position(&s.borrower.position));
    // 80,000 against 1,000 SOL in the books is healthy; against the 800 that are there it isn't
    let landed = s.world.liquidate(&by, s.borrower.position, u64::MAX).unwrap();
    let fact: rampart::events::PositionLiquidated = the_one(&landed);
    let paid = s.world.balance(&by.sol);
    let after = (s.world.vault(), s.world.position(&s.borrower.position));
    assert_eq!((fact.seized_amount, fact.bad_debt_amount), (paid, 0));
    assert_eq!(after.0.totals.seized_amount, paid);
    let booked = before.1.collateral_amount - after.1.collateral_amount;
    assert_eq!(before.0.collateral_amount - after.0.collateral_amount, booked);
    assert_eq!(booked, (u128::from(paid) * 5).div_ceil(4) as u64);
    // what was repaid is worth what was received, at the bonus
    let worth = u128::from(paid) * 120 / 1_000;
    let owed = u128::from(fact.repaid_amount) * (10_000 + u128::from(fact.bonus_bps)) / 10_000;
    assert!(worth.abs_diff(owed) <= owed / 100, "{worth} for {owed}");
    // and nobody else's part is touched
    let ix = collateral_ix(&s.world, &s.saver);
    s.world.send(&[ix], &[&s.saver.key]).unwrap();
    assert_eq!(s.world.balance(&s.saver.sol), 4 * SOL);
}

#[test]
fn forced_liquidation_of_an_insolvent_position_takes_all_of_its_part_and_no_more() {
    let (mut s, by) = short_and_forced(90.0);
    let landed = s.world.liquidate(&by, s.borrower.position, u64::MAX).unwrap();
    let fact: rampart::events::PositionLiquidated = the_one(&landed);
    assert_eq!((fact.seized_amount, s.world.balance(&by.sol)), (800 * SOL, 800 * SOL));
    assert!(fact.bad_debt_amount > 0);
    assert_eq!((s.world.vault().collateral_amount, debt(&s.world, &s.borrower)), (5 * SOL, 0));
    let ix = collateral_ix(&s.world, &s.saver);
    s.world.send(&[ix], &[&s.saver.key]).unwrap();
    assert_eq!(s.world.balance(&s.saver.sol), 4 * SOL);
}

#[test]
fn forced_liquidation_fails_below_the_least_collateral_that_it_accepts() {
    let (mut s, by) = short_and_forced(90.0);
    let mut args = s.world.liquidate_args(s.borrower.position, u64::MAX);
    args.min_seize_amount = 800 * SOL + 1;
    let keys = s.world.keys;
    let oracles = s.world.pair_oracles();
    let who = rampart_tests::world::liquidator(&by);
    let ix = rampart_client::liquidation::liquidate(&keys, s.borrower.position, who, &oracles, args);
    assert_refused(&mut s.world, &ix, &[&by.key], E::SeizedBelowMinimum);
}
