//! The reserve: what goes in, what it pays for bad debt, and how governance gets something out.

use crate::actions::worth;
use crate::forced::crash;
use anchor_lang::error::ErrorCode as Anchor;
use rampart::error::RampartError as E;
use rampart::events::{BadDebtCovered, PositionLiquidated, ReserveFunded, ReserveWithdrawn};
use rampart::state::{Change, CoverCaps, ReserveGrant, ReservePlan, ReserveState, Switch};
use rampart_client::liquidation::liquidate;
use rampart_client::{AccountMeta, Instruction, Pubkey, address, control, swap};
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::officers::Officer;
use rampart_tests::refusal::assert_refused;
use rampart_tests::refusals::{with_account, without_last};
use rampart_tests::swaps::{TOKEN_SWAP, params, plan};
use rampart_tests::world::liquidator;
use rampart_tests::{Outcome, User, World, events};
use solana_sdk::signer::Signer;

/// A lender of 1,000,000, a borrower of 10,000 against 100 SOL that are worth 9,000, and a liquidator.
fn insolvent() -> (World, [User; 3]) {
    let (mut world, users) = crate::forced::at_risk();
    crash(&mut world, 90.0);
    (world, users)
}

fn liquidation(world: &World, by: &User, borrower: &User, cover: &[AccountMeta]) -> Instruction {
    let args = world.liquidate_args(borrower.position, u64::MAX);
    let evidence = [world.pair_oracles(), cover.to_vec()].concat();
    liquidate(&world.keys, borrower.position, liquidator(by), &evidence, args)
}

fn cover(world: &World) -> Vec<AccountMeta> {
    swap::cover(&world.guard, &world.usdc).to_vec()
}

fn capped(vault_amount: u64, day_amount: u64, life_amount: u64) -> ReservePlan {
    let mut plan = plan();
    plan.cover[1] = CoverCaps { vault_amount, day_amount, life_amount };
    plan
}

#[test]
fn reserve_meets_bad_debt_so_that_lenders_lose_nothing() {
    let (mut world, [lender, borrower, by]) = insolvent();
    world.open_reserve(plan(), 0, 10_000 * USDC);
    let before = worth(&world, &lender);
    let ix = liquidation(&world, &by, &borrower, &cover(&world));
    let landed = world.send(&[ix], &[&by.key]).unwrap();
    let fact: PositionLiquidated = events::the_one(&landed);
    let paid: BadDebtCovered = events::the_one(&landed);
    // 100 SOL at 90.09 pay 8,746.61 at 3 %; 1,253.39 are left
    assert!((1_253 * USDC..1_254 * USDC).contains(&fact.bad_debt_amount), "{}", fact.bad_debt_amount);
    assert_eq!((paid.vault, paid.amount), (world.keys.vault, fact.bad_debt_amount - fact.insured_amount));
    assert!(worth(&world, &lender) >= before);
    assert_eq!(world.reserve_books(), [0, 10_000 * USDC - paid.amount]);
    assert_eq!(world.balance(&world.reserve_tokens()[1]), 10_000 * USDC - paid.amount);
    assert_eq!(world.vault().reserve_covered_amount, paid.amount);
    world.assert_books(&[&lender, &borrower, &by], Donated::default());
}

#[test]
fn bad_debt_without_the_reserve_that_is_in_force_is_refused() {
    let (mut world, [_, borrower, by]) = insolvent();
    world.open_reserve(plan(), 0, 10_000 * USDC);
    assert_eq!(world.guard_state().reserve, ReserveState::InForce as u8);
    let bare = liquidation(&world, &by, &borrower, &[]);
    assert_refused(&mut world, &bare, &[&by.key], E::ReserveMissing);
    let whole = liquidation(&world, &by, &borrower, &cover(&world));
    assert_refused(&mut world, &without_last(&whole), &[&by.key], E::ReserveMissing);
    let (reserve_at, token_at) = (whole.accounts.len() - 2, whole.accounts.len() - 1);
    let [of_sol, _] = world.reserve_tokens();
    assert_refused(&mut world, &with_account(&whole, token_at, of_sol), &[&by.key], E::ReserveAccountsMismatch);
    let mut read_only = whole.clone();
    read_only.accounts[reserve_at].is_writable = false;
    assert_refused(&mut world, &read_only, &[&by.key], Anchor::AccountNotMutable);
    let copy = world.copy_under(&address::reserve(&world.guard.clone()), Pubkey::new_from_array([0xee; 32]));
    // no reserve, but an account that nothing asks for
    assert_refused(&mut world, &with_account(&whole, reserve_at, copy), &[&by.key], E::ReserveMissing);
    world.send(&[whole], &[&by.key]).unwrap();
}

#[test]
fn reserve_of_another_guard_pays_for_nothing() {
    let (mut world, [_, borrower, by]) = insolvent();
    world.open_reserve(plan(), 0, 10_000 * USDC);
    let reserve = address::reserve(&world.guard);
    let mut foreign = world.reserve();
    foreign.guard = Pubkey::new_from_array([7; 32]);
    let copy = world.copy_under(&reserve, rampart::ID);
    world.store(&copy, &foreign);
    let whole = liquidation(&world, &by, &borrower, &cover(&world));
    let at = whole.accounts.len() - 2;
    assert_refused(&mut world, &with_account(&whole, at, copy), &[&by.key], E::ReserveAccountsMismatch);
}

#[test]
fn liquidation_without_bad_debt_needs_no_reserve_and_writes_none() {
    let (mut world, [_, borrower, by]) = crate::forced::at_risk();
    world.open_reserve(plan(), 0, 10_000 * USDC);
    crash(&mut world, 111.0);
    let bare = liquidation(&world, &by, &borrower, &[]);
    world.simulate_with(&[bare], &[&by.key]).unwrap();
    let before = world.reserve();
    let mut with = liquidation(&world, &by, &borrower, &cover(&world));
    with.accounts.iter_mut().rev().take(2).for_each(|meta| meta.is_writable = false);
    world.send(&[with], &[&by.key]).unwrap();
    assert_eq!(world.reserve(), before);
}

#[test]
fn guard_without_a_reserve_takes_no_further_accounts_and_its_lenders_bear_it() {
    let (mut world, [lender, borrower, by]) = insolvent();
    assert_eq!(world.guard_state().reserve, ReserveState::Absent as u8);
    let before = worth(&world, &lender);
    let mut ix = liquidation(&world, &by, &borrower, &[]);
    let vault = world.keys.vault;
    ix.accounts.push(AccountMeta::new_readonly(vault, false));
    assert_refused(&mut world, &ix, &[&by.key], E::OracleAccountsMissing);
    ix.accounts.pop();
    world.send(&[ix], &[&by.key]).unwrap();
    assert!(worth(&world, &lender) < before - 1_000 * USDC);
}

#[test]
fn cover_is_capped_by_vault_day_life_books_and_balance() {
    let cap = 400 * USDC;
    for plan in [capped(cap, u64::MAX, u64::MAX), capped(u64::MAX, cap, u64::MAX), capped(u64::MAX, u64::MAX, cap)] {
        let (mut world, [lender, borrower, by]) = insolvent();
        world.open_reserve(plan, 0, 10_000 * USDC);
        let before = worth(&world, &lender);
        let ix = liquidation(&world, &by, &borrower, &cover(&world));
        let landed = world.send(&[ix], &[&by.key]).unwrap();
        assert_eq!(events::the_one::<BadDebtCovered>(&landed).amount, cap);
        let fact: PositionLiquidated = events::the_one(&landed);
        let lost = before - worth(&world, &lender);
        let due = fact.bad_debt_amount - fact.insured_amount - cap;
        assert!(lost.abs_diff(due) <= 5, "{lost} of {due}");
        world.assert_books(&[&lender, &borrower, &by], Donated::default());
    }
    let (mut world, [_, borrower, by]) = insolvent();
    world.open_reserve(plan(), 0, 300 * USDC);
    let (usdc, token) = (world.usdc, world.reserve_tokens()[1]);
    world.mint_to(usdc, token, 5_000 * USDC);
    let ix = liquidation(&world, &by, &borrower, &cover(&world));
    let landed = world.send(&[ix], &[&by.key]).unwrap();
    assert_eq!(events::the_one::<BadDebtCovered>(&landed).amount, 300 * USDC, "what was given counts nowhere");
}

#[test]
fn frozen_or_empty_reserve_holds_up_no_liquidation() {
    let (mut world, [_, borrower, by]) = insolvent();
    world.open_reserve(plan(), 0, 10_000 * USDC);
    let token = world.reserve_tokens()[1];
    let mut account = world.svm.get_account(&token).unwrap();
    account.data[108] = 2;
    world.svm.set_account(token, account).unwrap();
    let ix = liquidation(&world, &by, &borrower, &cover(&world));
    let landed = world.send(&[ix], &[&by.key]).unwrap();
    assert!(events::emitted::<BadDebtCovered>(&landed).is_empty());
    assert_eq!(world.reserve_books()[1], 10_000 * USDC);
}

#[test]
fn reserve_meets_bad_debt_of_a_liquidation_by_swap() {
    let (mut world, [lender, borrower, _]) = insolvent();
    let by = world.user(0, 0);
    let market = world.market(100_000 * SOL, 9_000_000 * USDC);
    let policy = world.swap_policy(1, params(TOKEN_SWAP));
    world.open_reserve(plan(), 0, 10_000 * USDC);
    let before = worth(&world, &lender);
    let args = world.liquidate_args(borrower.position, u64::MAX);
    let route = market.route(&world, &policy, world.sol, 100 * SOL, 0);
    let with = |cover: &[AccountMeta]| {
        let evidence = [world.pair_oracles(), cover.to_vec()].concat();
        world.swap_liquidation_with(&by, borrower.position, &policy, &evidence, args, route.clone())
    };
    let (bare, whole) = (with(&[]), with(&cover(&world)));
    assert_refused(&mut world, &bare, &[&by.key], E::ReserveMissing);
    let landed = world.send(&[whole], &[&by.key]).unwrap();
    let paid: BadDebtCovered = events::the_one(&landed);
    assert!((1_253 * USDC..1_254 * USDC).contains(&paid.amount));
    assert!(worth(&world, &lender) >= before && world.balance(&by.usdc) > 100 * USDC);
    world.assert_books(&[&lender, &borrower, &by], Donated::default());
}

#[test]
fn initialize_reserve_fails_by_strangers_and_for_a_basket_that_cannot_be() {
    let mut world = World::with_vault();
    let mints = [world.sol.mint, world.usdc.mint];
    let root = world.root.insecure_clone();
    let with = |world: &World, mints: &[Pubkey], plan| {
        swap::initialize_reserve(world.root.pubkey(), world.guard, mints, plan, world.validity())
    };
    let ix = with(&world, &mints, plan());
    let admin = world.risk_admin.insecure_clone();
    world.refuses(&with_account(&ix, 0, admin.pubkey()), &[&admin], E::WrongAuthority);
    for (ix, error) in [
        (with(&world, &mints[..1], plan()), E::ReserveAccountsMismatch),
        (with(&world, &[mints[0]; 2], plan()), E::ReserveAccountsMismatch),
        (with(&world, &[mints[0], mints[1], mints[0]], plan()), E::ReserveAccountsMismatch),
        (with(&world, &mints, ReservePlan { min_improvement_bps: 0, ..plan() }), E::ReserveInvalid),
    ] {
        world.refuses(&ix, &[&root], error);
    }
    let last = ix.accounts.len() - 1;
    let foreign = world.other_guard();
    for wrong in [foreign.loan_asset, world.keys.vault, world.guard] {
        world.refuses(&with_account(&ix, last, wrong), &[&root], E::ReserveAccountsMismatch);
    }
    world.send_as_root(&[ix]).unwrap();
    assert_eq!(world.reserve().active().len(), 2);
}

#[test]
fn fund_reserve_takes_tokens_onto_the_books_and_refuses_wrong_accounts() {
    let mut world = World::with_vault();
    let reserve = world.open_reserve(plan(), 0, 0);
    let usdc = world.usdc;
    let ix = world.fund_ix(usdc, 1_000 * USDC);
    let stranger = world.user(SOL, USDC);
    let cases = [
        (2, world.keys.collateral_asset, E::ReserveAccountsMismatch),
        (3, world.sol.mint, E::ReserveAccountsMismatch),
        (5, stranger.usdc, E::ReserveAccountsMismatch),
    ];
    for (index, key, error) in cases {
        world.refuses(&with_account(&ix, index, key), &[], error);
    }
    let zero = swap::fund_reserve(world.payer_address(), world.guard, usdc, ix.accounts[4].pubkey, 0);
    world.refuses(&zero, &[], E::ZeroAmount);
    let landed = world.send(&[ix], &[]).unwrap();
    let fact: ReserveFunded = events::the_one_logged(&landed);
    assert_eq!((fact.reserve, fact.mint, fact.amount), (reserve, usdc.mint, 1_000 * USDC));
    assert_eq!((world.reserve_books(), world.balance(&world.reserve_tokens()[1])), ([0, 1_000 * USDC], 1_000 * USDC));
}

fn withdraw_ix(world: &World) -> Instruction {
    swap::withdraw_reserve(address::reserve(&world.guard), &world.reserve(), world.usdc)
}

#[test]
fn governance_takes_out_what_waited_in_public_once_and_to_the_named_account() {
    let mut world = World::with_vault();
    world.open_reserve(plan(), 0, 10_000 * USDC);
    let treasury = world.user(0, 0);
    let ix = withdraw_ix(&world);
    world.refuses(&with_account(&ix, 3, treasury.usdc), &[], E::GrantMissing);
    let granted: Outcome = world.grant(1, treasury.usdc, 4_000 * USDC);
    granted.unwrap();
    assert_eq!(world.balance(&treasury.usdc), 0, "a grant moves nothing");
    let ix = withdraw_ix(&world);
    let thief = world.user(0, 0);
    let [of_sol, _] = world.reserve_tokens();
    for (index, key) in [(1, world.sol.mint), (2, of_sol), (3, thief.usdc), (4, anchor_spl::token_2022::ID)] {
        world.refuses(&with_account(&ix, index, key), &[], E::ReserveAccountsMismatch);
    }
    let landed = world.send(std::slice::from_ref(&ix), &[]).unwrap();
    let fact: ReserveWithdrawn = events::the_one(&landed);
    assert_eq!((fact.destination, fact.amount), (treasury.usdc, 4_000 * USDC));
    assert_eq!((world.balance(&treasury.usdc), world.reserve_books()[1]), (4_000 * USDC, 6_000 * USDC));
    world.refuses(&ix, &[], E::GrantMissing);
}

#[test]
fn grant_waits_can_be_vetoed_and_never_leads_back_to_the_reserve() {
    let mut world = World::with_vault();
    let reserve = world.open_reserve(plan(), 0, 10_000 * USDC);
    let treasury = world.user(0, 0);
    let grant = |index, destination| ReserveGrant { destination, amount: USDC, index, reserved: [0; 7] };
    let key = world.propose(reserve, Change::ReserveGrant(grant(1, treasury.usdc)));
    let early = world.execute_ix(key, &[]);
    world.refuses(&early, &[], E::ChangeNotRipe);
    let vetoer = Officer::Vetoer.key();
    let veto = control::veto_change(vetoer.pubkey(), key, &world.change(&key));
    world.send(&[veto], &[&vetoer]).unwrap();
    let root = world.root.insecure_clone();
    for (grant, error) in [
        (grant(6, treasury.usdc), E::ReserveInvalid),
        (grant(1, Pubkey::default()), E::ReserveInvalid),
        (ReserveGrant { reserved: [1; 7], ..grant(1, treasury.usdc) }, E::UnknownKind),
    ] {
        let ix = world.propose_ix(reserve, Change::ReserveGrant(grant));
        world.refuses(&ix, &[&root], error);
    }
    // a place beyond the basket is seen where it would be written
    let key = world.propose(reserve, Change::ReserveGrant(grant(5, treasury.usdc)));
    world.ripen();
    let ix = world.execute_ix(key, &[]);
    world.refuses(&ix, &[], E::ReserveAccountsMismatch);
    let own = world.reserve_tokens()[1];
    world.grant(1, own, USDC).unwrap();
    let ix = withdraw_ix(&world);
    // the same account twice, and both written: Anchor's own check, or the program's
    assert!(world.send(&[ix], &[]).is_err());
    assert_eq!(world.reserve_books()[1], 10_000 * USDC);
}

#[test]
fn plan_of_the_reserve_changes_only_with_its_delay_and_keeps_its_shape() {
    let mut world = World::with_vault();
    let reserve = world.open_reserve(plan(), 0, 0);
    let root = world.root.insecure_clone();
    let shaped = [ReservePlan { scored: 1, ..plan() }, ReservePlan { quote: 0, ..plan() }];
    for next in shaped {
        let ix = world.propose_ix(reserve, Change::ReservePlan(next));
        world.refuses(&ix, &[&root], E::FixedAtCreation);
    }
    let mut next = plan();
    (next.weights_bps[0][0], next.weights_bps[1][0]) = (6_000, 4_000);
    let key = world.propose(reserve, Change::ReservePlan(next));
    world.ripen();
    world.execute(key, &[]).unwrap();
    assert_eq!(world.reserve().plan, next);
}

/// What whoever stole root's key can do at once: register a mint of their own at feeds of their own, lend to themselves
/// against it, and let its price fall.
#[test]
fn case_096_stolen_root_key_opens_a_vault_at_prices_of_its_own_and_gets_nothing_out_of_the_reserve() {
    let mut world = World::with_vault();
    world.open_reserve(plan(), 0, 50_000 * USDC);
    let token = world.reserve_tokens()[1];
    world.add_pair(0x31, 150.0);
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(100 * SOL, 10_000 * USDC);
    let by = world.user(0, 100_000 * USDC);
    crash(&mut world, 10.0);
    let before = (world.reserve(), worth(&world, &lender));
    let fresh = world.vault().cover;
    assert_eq!(fresh, Switch::Disabled as u8);
    for cover_byte in [fresh, 0, 3, u8::MAX] {
        let mut world = world.replica();
        let mut vault = world.vault();
        vault.cover = cover_byte;
        world.store(&world.keys.vault.clone(), &vault);
        let ix = liquidation(&world, &by, &borrower, &cover(&world));
        let landed = world.send(&[ix], &[&by.key]).unwrap();
        let fact: PositionLiquidated = events::the_one(&landed);
        assert!(fact.bad_debt_amount > 9_000 * USDC, "{}", fact.bad_debt_amount);
        assert!(events::emitted::<BadDebtCovered>(&landed).is_empty());
        assert_eq!((world.reserve(), world.balance(&token)), (before.0, 50_000 * USDC));
        assert_eq!(world.vault().reserve_covered_amount, 0);
        assert!(worth(&world, &lender) < before.1 - 9_000 * USDC, "the loss stays with who lent there");
    }
    // nor does anybody need the reserve, to record what it doesn't pay
    let bare = liquidation(&world, &by, &borrower, &[]);
    world.send(&[bare], &[&by.key]).unwrap();
    assert_eq!(world.reserve(), before.0);
}

/// The only way to the reserve: it waits, either way, and can be stopped.
#[test]
fn case_096_cover_of_a_vault_is_a_change_that_waits_and_may_be_vetoed() {
    let (mut world, [lender, borrower, by]) = insolvent();
    world.open_reserve(plan(), 0, 10_000 * USDC);
    world.set_cover(Switch::Disabled);
    let (vault, root) = (world.keys.vault, world.root.insecure_clone());
    let to = |switch: Switch| Change::VaultCover(switch as u8);
    let key = world.propose(vault, to(Switch::Enabled));
    let early = world.execute_ix(key, &[]);
    world.refuses(&early, &[], E::ChangeNotRipe);
    let vetoer = Officer::Vetoer.key();
    let veto = control::veto_change(vetoer.pubkey(), key, &world.change(&key));
    world.send(&[veto], &[&vetoer]).unwrap();
    assert_eq!(world.vault().cover_switch(), Switch::Disabled);
    for (switch, error) in [(0, E::UnknownKind), (3, E::UnknownKind), (Switch::Disabled as u8, E::ChangeIsEmpty)] {
        let ix = world.propose_ix(vault, Change::VaultCover(switch));
        world.refuses(&ix, &[&root], error);
    }
    let foreign = world.other_guard();
    let ix = world.propose_ix(vault, to(Switch::Enabled));
    world.refuses(&with_account(&ix, 2, foreign.vault), &[&root], E::ChangeTargetMismatch);
    let key = world.propose(vault, to(Switch::Enabled));
    world.ripen();
    world.execute(key, &[]).unwrap();
    assert_eq!(world.vault().cover_switch(), Switch::Enabled);
    // who lent because it is covered hears of the end of it in time to leave
    let key = world.propose(vault, to(Switch::Disabled));
    let early = world.execute_ix(key, &[]);
    world.refuses(&early, &[], E::ChangeNotRipe);
    let before = worth(&world, &lender);
    let ix = liquidation(&world, &by, &borrower, &cover(&world));
    let landed = world.send(&[ix], &[&by.key]).unwrap();
    assert!(events::the_one::<BadDebtCovered>(&landed).amount > 1_000 * USDC);
    assert!(worth(&world, &lender) >= before);
}

/// Whoever called while the asset was low ended the whole grant, and governance had to wait for another one.
#[test]
fn grant_that_is_paid_in_part_keeps_the_rest() {
    let mut world = World::with_vault();
    world.open_reserve(plan(), 0, 1_000 * USDC);
    let (treasury, usdc) = (world.user(0, 0), world.usdc);
    world.grant(1, treasury.usdc, 4_000 * USDC).unwrap();
    for (paid, left) in [(1_000, 3_000), (0, 3_000)] {
        let before = world.balance(&treasury.usdc);
        let ix = withdraw_ix(&world);
        world.send(&[ix], &[]).unwrap();
        assert_eq!(world.balance(&treasury.usdc) - before, paid * USDC);
        assert_eq!((world.reserve().grant.amount, world.reserve_books()[1]), (left * USDC, 0));
    }
    let fund = world.fund_ix(usdc, 5_000 * USDC);
    world.send(&[fund], &[]).unwrap();
    let ix = withdraw_ix(&world);
    world.send(std::slice::from_ref(&ix), &[]).unwrap();
    assert_eq!((world.balance(&treasury.usdc), world.reserve_books()[1]), (4_000 * USDC, 2_000 * USDC));
    world.refuses(&ix, &[], E::GrantMissing);
}
