//! What happens when a vault's token accounts hold less than its books say.

use crate::actions::{borrow_ix, shares_for, supply_ix, withdraw_collateral_ix, withdraw_ix};
use anchor_lang::error::ErrorCode as Anchor;
use rampart::ClaimWithdrawalArgs;
use rampart::constants::{HOUR_SECS, SHORTFALL_LEVEL_SECS};
use rampart::error::RampartError as E;
use rampart::events::{ShortfallFound, ShortfallRecorded};
use rampart::state::rule::{Comparator, Metric, RuleParams};
use rampart::state::{CauseKind, Level};
use rampart_client::{AccountMeta, Pubkey, evidence, exit};
use rampart_tests::defaults::{SOL, USDC, drawdown_rule};
use rampart_tests::events::{the_one, the_one_logged};
use rampart_tests::refusal::assert_refused;
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{User, World};

/// A lender of 100,000, and an owner of 100 SOL without debt.
fn world() -> (World, User, User) {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let saver = world.user(100 * SOL, 0);
    world.deposit_collateral(&saver, 100 * SOL).unwrap();
    world.tick(HOUR_SECS, 150.0, 1.0);
    (world, lender, saver)
}

/// Takes `amount` out of a token account, as a permanent delegate does; or puts it back.
fn set_balance(world: &mut World, token: Pubkey, change: i64) {
    let mut account = world.svm.get_account(&token).unwrap();
    let amount = world.balance(&token).checked_add_signed(change).unwrap();
    account.data[64..72].copy_from_slice(&amount.to_le_bytes());
    world.svm.set_account(token, account).unwrap();
}

/// Freezes a token account, or thaws it.
fn set_frozen(world: &mut World, token: Pubkey, is_frozen: bool) {
    let mut account = world.svm.get_account(&token).unwrap();
    account.data[108] = if is_frozen { 2 } else { 1 };
    world.svm.set_account(token, account).unwrap();
}

fn shortfall_rule() -> RuleParams {
    RuleParams {
        threshold: 1,
        clear_threshold: 0,
        window_secs: 1,
        sources_required: 1,
        metric: Metric::VaultShortfall as u8,
        comparator: Comparator::Above as u8,
        level: Level::Halt as u8,
        ..drawdown_rule()
    }
}

#[test]
fn case_095_withdrawal_that_finds_a_shortfall_pays_nothing_records_it_and_queues() {
    let (mut world, lender, _) = world();
    let token = world.keys.loan_token;
    set_balance(&mut world, token, -1);
    let ix = withdraw_ix(&world, &lender, shares_for(&world, 10_000 * USDC));
    let landed = world.send(std::slice::from_ref(&ix), &[&lender.key]).unwrap();
    let found: ShortfallFound = the_one_logged(&landed);
    assert_eq!((found.vault, found.position, found.ticket), (world.keys.vault, lender.position, Some(0)));
    assert_eq!(world.balance(&lender.usdc), 0);
    let vault = world.vault();
    assert_eq!((vault.loan_shortfall.is_proved(), vault.loan_shortfall.since_ts), (true, world.now_ts()));
    assert!(!vault.collateral_shortfall.is_proved());
    assert_eq!((world.level(), vault.breaker.causes[0].kind), (Level::ReduceOnly, CauseKind::Shortfall as u8));
    assert_eq!(world.position(&lender.position).supply_shares, vault.supply_shares);
    assert!(world.position(&lender.position).tickets.slots[0].is_open());
    // a second one finds it as well; the first time stands
    let first = vault.loan_shortfall.since_ts;
    world.advance(60);
    world.send(&[ix], &[&lender.key]).unwrap();
    assert_eq!(world.vault().loan_shortfall.since_ts, first);
    assert!(world.position(&lender.position).tickets.slots[1].is_open());
}

#[test]
fn withdrawal_after_the_shortfall_is_made_good_is_paid_and_forgets_it() {
    let (mut world, lender, _) = world();
    let token = world.keys.loan_token;
    set_balance(&mut world, token, -5);
    let shares = shares_for(&world, 50_000 * USDC);
    world.withdraw(&lender, shares).unwrap();
    set_balance(&mut world, token, 5);
    // the level goes on until it runs out; the floor is open
    let part = shares_for(&world, 500 * USDC);
    world.withdraw(&lender, part).unwrap();
    assert_eq!((world.balance(&lender.usdc), world.vault().loan_shortfall.is_proved()), (500 * USDC, false));
    world.advance(SHORTFALL_LEVEL_SECS);
    world.set_prices(150.0, 1.0);
    assert_eq!(world.level(), Level::Normal);
    let ticket = world.position(&lender.position).tickets.slots[0];
    let wait = ticket.eligible_at_ts - world.now_ts();
    world.advance(wait);
    let args = ClaimWithdrawalArgs { ticket: 0, min_amount: 0 };
    let claim = exit::claim_withdrawal(&world.keys, lender.address(), lender.usdc, args);
    set_balance(&mut world, token, -5);
    world.send(std::slice::from_ref(&claim), &[&lender.key]).unwrap();
    assert_eq!(world.balance(&lender.usdc), 500 * USDC);
    set_balance(&mut world, token, 5);
    world.advance(SHORTFALL_LEVEL_SECS);
    world.send(&[claim], &[&lender.key]).unwrap();
    assert_eq!(world.balance(&lender.usdc), 50_500 * USDC);
}

#[test]
fn case_083_frozen_or_emptied_collateral_account_restricts_that_vault_alone() {
    for frozen in [true, false] {
        let (mut world, lender, saver) = world();
        let other = world.other_guard();
        let token = world.keys.collateral_token;
        if frozen {
            set_frozen(&mut world, token, true);
        } else {
            set_balance(&mut world, token, -(SOL as i64));
        }
        let ix = withdraw_collateral_ix(&world, &saver, SOL);
        let landed = world.send(&[ix], &[&saver.key]).unwrap();
        assert_eq!(the_one_logged::<ShortfallFound>(&landed).ticket, Some(0));
        assert_eq!((world.balance(&saver.sol), world.position(&saver.position).collateral_amount), (0, 100 * SOL));
        assert!(world.vault().collateral_shortfall.is_proved() && !world.vault().loan_shortfall.is_proved());
        assert_eq!(world.level(), Level::ReduceOnly);
        // the loan side is paid through the floor, and the other vault is at Normal
        let part = shares_for(&world, 1_000 * USDC);
        world.withdraw(&lender, part).unwrap();
        let foreign: rampart::state::Vault = world.load(&other.vault);
        assert_eq!(foreign.breaker.level_at(world.now_ts()), Level::Normal);
    }
}

#[test]
fn supply_and_borrow_fail_while_the_vault_is_short() {
    let (mut world, lender, saver) = world();
    world.fund(&lender, 0, 1_000 * USDC);
    let token = world.keys.loan_token;
    set_balance(&mut world, token, -1);
    let supply = supply_ix(&world, &lender, 1_000 * USDC);
    assert_refused(&mut world, &supply, &[&lender.key], E::VaultShort);
    let borrow = borrow_ix(&world, &saver, 1_000 * USDC);
    assert_refused(&mut world, &borrow, &[&saver.key], E::VaultShort);
}

#[test]
fn record_shortfall_by_anyone_proves_it_and_proves_it_gone() {
    let (mut world, _, _) = world();
    let ix = exit::record_shortfall(&world.keys);
    let fact: ShortfallRecorded = the_one(&world.send(std::slice::from_ref(&ix), &[]).unwrap());
    assert_eq!((fact.loan_missing_bps, fact.collateral_missing_bps), (0, 0));
    assert_eq!((world.level(), world.vault().loan_shortfall.is_proved()), (Level::Normal, false));
    let (loan, collateral) = (world.keys.loan_token, world.keys.collateral_token);
    set_balance(&mut world, loan, -(25_000 * USDC as i64));
    set_frozen(&mut world, collateral, true);
    let fact: ShortfallRecorded = the_one(&world.send(std::slice::from_ref(&ix), &[]).unwrap());
    assert_eq!((fact.loan_missing_bps, fact.collateral_missing_bps), (2_500, 10_000));
    assert!(world.vault().loan_shortfall.is_proved() && world.vault().collateral_shortfall.is_proved());
    assert_eq!(world.level(), Level::ReduceOnly);
    set_balance(&mut world, loan, 25_000 * USDC as i64);
    set_frozen(&mut world, collateral, false);
    world.send(&[ix], &[]).unwrap();
    assert!(!world.vault().loan_shortfall.is_proved() && !world.vault().collateral_shortfall.is_proved());
}

#[test]
fn record_shortfall_fails_with_any_wrong_account() {
    let (mut world, _, _) = world();
    let ix = exit::record_shortfall(&world.keys);
    let (k, r) = (world.keys, world.reversed_vault());
    for (index, wrong) in [(0, r.vault), (1, k.collateral_token), (1, r.collateral_token), (2, k.loan_token)] {
        assert_refused(&mut world, &with_account(&ix, index, wrong), &[], E::VaultAssetsInvalid);
    }
    assert_refused(&mut world, &with_read_only(&ix, 0), &[], Anchor::ConstraintMut);
    assert_refused(&mut world, &with_account(&ix, 0, k.guard), &[], Anchor::AccountDiscriminatorMismatch);
    let twin = world.copy_under(&k.loan_token, anchor_spl::token::ID);
    assert_refused(&mut world, &with_account(&ix, 1, twin), &[], E::VaultAssetsInvalid);
}

#[test]
fn rule_on_the_shortfall_is_proved_on_the_vaults_own_accounts() {
    let (mut world, _, _) = world();
    let rule = world.create_rule(1, world.keys.vault, shortfall_rule());
    let read_only = |keys: &[Pubkey]| keys.iter().map(|k| AccountMeta::new_readonly(*k, false)).collect::<Vec<_>>();
    let (loan, collateral) = (world.keys.loan_token, world.keys.collateral_token);
    let trip = |w: &World, accounts: &[Pubkey]| evidence::trip(rule, &w.rule(&rule), None, &read_only(accounts));
    let own = trip(&world, &[loan, collateral]);
    assert_refused(&mut world, &own, &[], E::RuleNotTrue);
    let twin = world.copy_under(&loan, anchor_spl::token::ID);
    set_balance(&mut world, twin, -1);
    for wrong in [vec![], vec![loan], vec![collateral, loan], vec![loan, loan], vec![twin, collateral]] {
        let ix = trip(&world, &wrong);
        assert_refused(&mut world, &ix, &[], E::VaultAssetsInvalid);
    }
    set_balance(&mut world, collateral, -1);
    world.send(&[own], &[]).unwrap();
    assert_eq!(world.level(), Level::Halt);
    world.advance(300);
    let down = evidence::step_down(rule, &world.rule(&rule), None, &read_only(&[loan, collateral]));
    assert_refused(&mut world, &down, &[], E::RuleNotClear);
    set_balance(&mut world, collateral, 1);
    world.send(&[down], &[]).unwrap();
    assert_eq!(world.level(), Level::ReduceOnly);
}
