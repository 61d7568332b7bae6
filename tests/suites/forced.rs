//! What liquidation and deleveraging are both tested with. No test of its own.

use anchor_lang::error::ErrorCode as Anchor;
use rampart::error::RampartError as E;
use rampart_client::{Instruction, Pubkey};
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusal::{Refusal, TokenRefusal, assert_refused, without_signature};
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{User, World};
use solana_sdk::instruction::InstructionError;

/// A lender of 1,000,000, a borrower of 10,000 against 100 SOL, and a liquidator with 100,000.
pub fn at_risk() -> (World, [User; 3]) {
    let mut world = World::with_vault();
    let lender = world.lender(1_000_000 * USDC);
    let borrower = world.borrower(100 * SOL, 10_000 * USDC);
    let by = world.user(0, 100_000 * USDC);
    (world, [lender, borrower, by])
}

/// Publishes a price of the collateral in this second: no interest, no observation.
pub fn crash(world: &mut World, dollars: f64) {
    world.set_prices(dollars, 1.0);
}

/// Asserts that no account of a liquidation or deleveraging can be replaced.
#[track_caller]
pub fn assert_forced_accounts_checked(world: &mut World, ix: &Instruction, by: &User, borrower: &User) {
    let stranger = world.user(0, 100_000 * USDC);
    world.fund(borrower, 100 * SOL, 100_000 * USDC);
    assert_refused(world, &without_signature(ix), &[], Anchor::AccountNotSigner);
    let foreign_money = with_account(ix, 0, stranger.address());
    assert_refused(world, &foreign_money, &[&stranger.key], TokenRefusal::OwnerMismatch);
    for (index, wrong, error) in wrong_accounts(world, ix, by, borrower) {
        assert_refused(world, &with_account(ix, index, wrong), &[&by.key], error);
    }
    for index in [4, 5, 8, 9, 10, 11] {
        assert_refused(world, &with_read_only(ix, index), &[&by.key], Anchor::ConstraintMut);
    }
}

fn wrong_accounts(world: &mut World, ix: &Instruction, by: &User, borrower: &User) -> Vec<(usize, Pubkey, Refusal)> {
    let (k, r, f) = (world.keys, world.reversed_vault(), world.other_guard());
    let (in_reversed, in_foreign) = (world.open_in(borrower, &r), world.open_in(borrower, &f));
    let mismatch = || Refusal::from(E::VaultAssetsInvalid);
    let twice = || Refusal::from(Anchor::ConstraintDuplicateMutableAccount);
    let other_kind = || Refusal::from(Anchor::AccountDiscriminatorMismatch);
    let mut cases = vec![
        (1, f.guard, mismatch()),
        (2, k.loan_asset, mismatch()),
        (2, f.collateral_asset, mismatch()),
        (3, k.collateral_asset, mismatch()),
        (3, f.loan_asset, mismatch()),
        (4, r.vault, mismatch()),
        (4, f.vault, mismatch()),
        (5, in_reversed, mismatch()),
        (5, in_foreign, mismatch()),
        (1, k.vault, other_kind()),
        (2, k.guard, other_kind()),
        (4, k.guard, other_kind()),
        (5, k.vault, other_kind()),
        (6, k.loan_mint, mismatch()),
        (7, k.collateral_mint, mismatch()),
        (8, by.sol, twice()),
        (8, borrower.usdc, TokenRefusal::OwnerMismatch.into()),
        (8, borrower.sol, TokenRefusal::MintMismatch.into()),
        (8, k.loan_token, twice()),
        (9, by.usdc, twice()),
        (9, borrower.usdc, TokenRefusal::MintMismatch.into()),
        (9, k.collateral_token, twice()),
        (10, r.collateral_token, mismatch()),
        (10, borrower.usdc, mismatch()),
        (11, r.loan_token, mismatch()),
        (11, f.collateral_token, mismatch()),
        (12, anchor_spl::token_2022::ID, InstructionError::IncorrectProgramId.into()),
        (13, anchor_lang::system_program::ID, Anchor::InvalidProgramId.into()),
        (14, by.address(), Anchor::ConstraintAddress.into()),
        (15, anchor_lang::system_program::ID, InstructionError::MissingAccount.into()),
    ];
    for index in 1..=7 {
        let copy = world.copy_under(&ix.accounts[index].pubkey, Pubkey::new_from_array([0xee; 32]));
        cases.push((index, copy, Anchor::AccountOwnedByWrongProgram.into()));
    }
    cases
}
