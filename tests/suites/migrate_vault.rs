//! Migration of vaults: what an earlier program wrote goes on as if this one had written it.

use anchor_lang::Discriminator;
use anchor_lang::error::ErrorCode;
use rampart::error::RampartError as E;
use rampart::events::VaultMigrated;
use rampart::state::{Guard, Vault, vault_v1};
use rampart_client::{Instruction, Pubkey, admin, exit};
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{User, World, assert_anchor_error, events};

/// Where the accounts are in the instruction.
const VAULT: usize = 1;

/// The vault of [`lived`], as the program wrote it that had the first layout: `artifacts/rampart.so` of before the change that
/// brought the second (SHA-256 in `snapshots/layouts.md`). `RAMPART_SO` names it where the file is made anew:
/// `RAMPART_SO=OLD.so cargo test -p rampart-tests -- --ignored vault_of_the_first_layout`.
const LAYOUT_1: &[u8] = include_bytes!("../snapshots/vault-layout-1.bin");
const LAYOUT_1_PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/vault-layout-1.bin");

/// A vault with a life behind it: lent, borrowed, repaid, interest, a ticket, collateral in and out. Nothing in it needs what
/// the first layout had not.
fn lived() -> (World, [User; 2]) {
    let mut world = World::with_vault();
    let lender = world.lender(1_000_000 * USDC);
    let borrower = world.borrower(100 * SOL, 7_000 * USDC);
    world.warm_up(20, 60);
    world.advance(3_600);
    world.set_prices(150.0, 1.0);
    world.observe_both();
    world.repay(&borrower, 1_000 * USDC).expect("debt is repaid");
    world.withdraw_collateral(&borrower, SOL).expect("collateral is taken out");
    let shares = world.position(&lender.position).supply_shares.get() / 100;
    world.withdraw(&lender, shares).expect("what was lent is taken back");
    let ticket = exit::request_withdrawal(&world.keys, lender.address(), shares);
    world.send(&[ticket], &[&lender.key]).expect("a ticket is taken");
    (world, [lender, borrower])
}

fn bytes(world: &World) -> Vec<u8> {
    world.svm.get_account(&world.keys.vault).expect("the vault").data
}

fn put(world: &mut World, data: &[u8]) {
    let mut account = world.svm.get_account(&world.keys.vault).expect("the vault");
    account.data = data.to_vec();
    world.svm.set_account(world.keys.vault, account).expect("account is written");
}

fn ix(world: &World) -> Instruction {
    admin::migrate_vault(world.guard, world.keys.vault)
}

#[test]
#[ignore = "writes the recorded vault; RAMPART_SO names the program of the first layout"]
fn vault_of_the_first_layout_is_recorded_by_the_program_of_that_time() {
    let data = bytes(&lived().0);
    assert_eq!(data[..8], vault_v1::DISCRIMINATOR, "RAMPART_SO names another program");
    std::fs::write(LAYOUT_1_PATH, data).expect("the file is written");
}

#[test]
fn vault_that_an_earlier_program_wrote_becomes_what_this_one_would_have_made_of_it() {
    let (mut world, [lender, borrower]) = lived();
    let own = bytes(&world);
    assert!(LAYOUT_1.starts_with(&vault_v1::DISCRIMINATOR) && LAYOUT_1.len() == Vault::SPACE);
    put(&mut world, LAYOUT_1);
    assert_anchor_error(world.repay(&borrower, 1), ErrorCode::AccountDiscriminatorMismatch);
    assert_anchor_error(world.withdraw(&lender, 1), ErrorCode::AccountDiscriminatorMismatch);
    assert_eq!(bytes(&world), LAYOUT_1);
    // anybody: the payer holds no role
    let migrate = ix(&world);
    let landed = world.send(&[migrate], &[]).expect("it is migrated");
    assert!(bytes(&world) == own, "every value that both layouts have, and a scale that is off");
    let (guard, vault) = (world.guard, world.keys.vault);
    let fact = events::the_one::<VaultMigrated>(&landed);
    assert_eq!((fact.guard, fact.vault, fact.from_layout, fact.to_layout), (guard, vault, 1, 2));
    world.repay(&borrower, 1_000 * USDC).expect("debt is repaid");
    world.borrow(&borrower, 500 * USDC).expect("and borrowed");
    world.withdraw(&lender, 1_000_000).expect("and taken back");
}

#[test]
fn migrate_vault_refuses_all_but_a_vault_of_the_first_layout_and_changes_nothing() {
    let (mut world, [_, borrower]) = lived();
    let migrate = ix(&world);
    world.refuses(&migrate, &[], E::LayoutIsPresent);
    for (key, expected) in [
        (borrower.position, ErrorCode::AccountDiscriminatorMismatch),
        (world.guard, ErrorCode::AccountDiscriminatorMismatch),
        (world.keys.loan_token, ErrorCode::AccountOwnedByWrongProgram),
        (Pubkey::new_unique(), ErrorCode::AccountOwnedByWrongProgram),
    ] {
        world.anchor_refuses(&with_account(&migrate, VAULT, key), &[], expected);
    }
    put(&mut world, LAYOUT_1);
    world.anchor_refuses(&with_read_only(&migrate, VAULT), &[], ErrorCode::ConstraintMut);
    // the same bytes by another program, and at another address
    let (foreign, elsewhere) = (Pubkey::new_unique(), Pubkey::new_unique());
    let mut copy = world.svm.get_account(&world.keys.vault).expect("the vault");
    world.svm.set_account(elsewhere, copy.clone()).expect("account is written");
    copy.owner = Pubkey::new_unique();
    world.svm.set_account(foreign, copy).expect("account is written");
    world.anchor_refuses(&with_account(&migrate, VAULT, elsewhere), &[], ErrorCode::ConstraintSeeds);
    world.anchor_refuses(&with_account(&migrate, VAULT, foreign), &[], ErrorCode::AccountOwnedByWrongProgram);
    let other = other_guard(&mut world);
    world.refuses(&admin::migrate_vault(other, world.keys.vault), &[], E::VaultAssetsInvalid);
    // what the program of that time never wrote
    let version = 8 + std::mem::offset_of!(Vault, version);
    for (at, value) in [(vault_v1::RESERVED, 1), (Vault::SPACE - 1, 1), (version, 2)] {
        let mut odd = LAYOUT_1.to_vec();
        odd[at] = value;
        put(&mut world, &odd);
        world.refuses(&migrate, &[], E::UnknownStoredValue);
    }
    put(&mut world, &LAYOUT_1[..Vault::SPACE - 1]);
    world.anchor_refuses(&migrate, &[], ErrorCode::AccountDiscriminatorMismatch);
    put(&mut world, LAYOUT_1);
    world.send(std::slice::from_ref(&migrate), &[]).expect("it is migrated");
    world.refuses(&migrate, &[], E::LayoutIsPresent);
}

/// Another guard of the same program.
fn other_guard(world: &mut World) -> Pubkey {
    let key = Pubkey::new_unique();
    let mut account = world.svm.get_account(&world.guard).expect("the guard");
    assert_eq!(&account.data[..8], Guard::DISCRIMINATOR);
    account.lamports += 1;
    world.svm.set_account(key, account).expect("account is written");
    key
}
