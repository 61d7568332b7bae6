//! Closing positions.

use crate::actions::withdraw_ix;
use anchor_lang::error::ErrorCode as Anchor;
use anchor_lang::solana_program::system_instruction;
use rampart::error::RampartError as E;
use rampart_client::{Pubkey, lending};
use rampart_tests::World;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::{assert_refused, without_signature};
use rampart_tests::refusals::with_account;
use solana_sdk::signer::Signer;

#[test]
fn close_position_returns_the_rent() {
    let mut world = World::with_vault();
    let user = world.user(0, 0);
    let rent = world.svm.get_account(&user.position).unwrap().lamports;
    let before = world.svm.get_account(&user.address()).unwrap().lamports;
    let ix = lending::close_position(user.address(), world.keys.vault);
    world.send(&[ix], &[&user.key]).unwrap();
    assert!(world.svm.get_account(&user.position).is_none_or(|a| a.data.is_empty() && a.lamports == 0));
    assert_eq!(world.svm.get_account(&user.address()).unwrap().lamports, before + rent);
}

#[test]
fn close_position_fails_while_anything_is_in_it() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let holder = world.user(SOL, 0);
    world.deposit_collateral(&holder, 1).unwrap();
    let borrower = world.borrower(100 * SOL, 1_000 * USDC);
    // debt alone, as a write-off can't leave it: put there by hand
    let mut position = world.position(&borrower.position);
    position.collateral_amount = 0;
    world.store(&borrower.position, &position);
    for user in [&lender, &holder, &borrower] {
        let ix = lending::close_position(user.address(), world.keys.vault);
        assert_refused(&mut world, &ix, &[&user.key], E::PositionNotEmpty);
    }
}

#[test]
fn close_position_fails_for_anybody_but_its_owner() {
    let mut world = World::with_vault();
    let (user, stranger) = (world.user(0, 0), world.user(0, 0));
    let ix = lending::close_position(user.address(), world.keys.vault);
    assert_refused(&mut world, &without_signature(&ix), &[], Anchor::AccountNotSigner);
    let by_stranger = with_account(&ix, 0, stranger.address());
    assert_refused(&mut world, &by_stranger, &[&stranger.key], E::WrongAuthority);
    let copy = world.copy_under(&user.position, Pubkey::new_from_array([0xee; 32]));
    let forged = with_account(&ix, 1, copy);
    assert_refused(&mut world, &forged, &[&user.key], Anchor::AccountOwnedByWrongProgram);
    let vault = with_account(&ix, 1, world.keys.vault);
    assert_refused(&mut world, &vault, &[&user.key], Anchor::AccountDiscriminatorMismatch);
}

#[test]
fn case_089_close_position_cannot_be_undone_by_paying_its_rent() {
    let mut world = World::with_vault();
    let user = world.lender(1_000 * USDC);
    let shares = world.position(&user.position).supply_shares.get();
    let all = [
        withdraw_ix(&world, &user, shares),
        lending::close_position(user.address(), world.keys.vault),
        system_instruction::transfer(&world.payer.pubkey(), &user.position, 5_000_000),
        withdraw_ix(&world, &user, shares),
    ];
    let outcome = world.send(&all, &[&user.key]);
    rampart_tests::refusal::Refusal::from(Anchor::AccountOwnedByWrongProgram).assert(outcome);
    world.send(&all[..3], &[&user.key]).unwrap();
    assert_eq!(world.balance(&user.usdc), 1_000 * USDC);
    assert!(world.svm.get_account(&user.position).unwrap().data.is_empty());
}

#[test]
fn close_position_and_opening_it_again_starts_from_nothing() {
    let mut world = World::with_vault();
    let user = world.lender(1_000 * USDC);
    let shares = world.position(&user.position).supply_shares.get();
    let all = [
        withdraw_ix(&world, &user, shares / 2),
        withdraw_ix(&world, &user, shares - shares / 2),
        lending::close_position(user.address(), world.keys.vault),
        lending::open_position(world.payer.pubkey(), user.address(), world.keys.vault),
    ];
    world.send(&all, &[&user.key]).unwrap();
    let position = world.position(&user.position);
    assert!(position.is_empty() && position.supply_credit.amount == 0 && position.owner == user.address());
}
