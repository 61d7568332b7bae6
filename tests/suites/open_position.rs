//! Opening positions.

use anchor_lang::error::ErrorCode as Anchor;
use rampart::constants::LAYOUT_VERSION;
use rampart::state::Position;
use rampart_client::{Instruction, Pubkey, address, lending};
use rampart_tests::World;
use rampart_tests::refusal::assert_refused;
use rampart_tests::refusals::with_account;
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// What the system program says of an address that is in use.
const ALREADY_IN_USE: InstructionError = InstructionError::Custom(0);

fn open_ix(world: &World, owner: &Keypair) -> Instruction {
    lending::open_position(world.payer.pubkey(), owner.pubkey(), world.keys.vault)
}

#[test]
fn open_position_creates_an_empty_one_of_the_owner() {
    let mut world = World::with_vault();
    let owner = Keypair::new();
    let ix = open_ix(&world, &owner);
    world.send(&[ix], &[&owner]).unwrap();
    let key = address::position(&world.keys.vault, &owner.pubkey());
    let position = world.position(&key);
    assert!(position.is_empty());
    assert_eq!((position.vault, position.owner, position.version), (world.keys.vault, owner.pubkey(), LAYOUT_VERSION));
    assert_eq!((position.liquidation_seq, position.last_liquidation_slot), (0, 0));
    let account = world.svm.get_account(&key).unwrap();
    assert_eq!((account.data.len(), account.owner), (Position::SPACE, rampart::ID));
    assert!(world.svm.get_account(&owner.pubkey()).is_none_or(|a| a.lamports == 0), "the payer paid");
}

#[test]
fn open_position_fails_twice() {
    let mut world = World::with_vault();
    let user = world.user(0, 0);
    let ix = open_ix(&world, &user.key);
    assert_refused(&mut world, &ix, &[&user.key], ALREADY_IN_USE);
}

#[test]
fn open_position_works_at_an_address_that_somebody_prepaid() {
    let mut world = World::with_vault();
    let owner = Keypair::new();
    let key = address::position(&world.keys.vault, &owner.pubkey());
    world.svm.airdrop(&key, 1_000_000).unwrap();
    let ix = open_ix(&world, &owner);
    world.send(&[ix], &[&owner]).unwrap();
    assert_eq!(world.position(&key).owner, owner.pubkey());
}

#[test]
fn open_position_fails_without_the_owners_signature() {
    let mut world = World::with_vault();
    let owner = Keypair::new();
    let mut ix = open_ix(&world, &owner);
    ix.accounts[1].is_signer = false;
    assert_refused(&mut world, &ix, &[], Anchor::AccountNotSigner);
}

#[test]
fn open_position_fails_at_another_address() {
    let mut world = World::with_vault();
    let (owner, other) = (Keypair::new(), Keypair::new());
    let ix = open_ix(&world, &owner);
    let of_other = address::position(&world.keys.vault, &other.pubkey());
    assert_refused(&mut world, &with_account(&ix, 3, of_other), &[&owner], Anchor::ConstraintSeeds);
}

#[test]
fn open_position_fails_for_anything_but_a_vault() {
    let mut world = World::with_vault();
    let owner = Keypair::new();
    let vault = world.keys.vault;
    let copy = world.copy_under(&vault, Pubkey::new_from_array([0xee; 32]));
    let cases = [(world.guard, Anchor::AccountDiscriminatorMismatch), (copy, Anchor::AccountOwnedByWrongProgram)];
    for (wrong, error) in cases {
        let ix = lending::open_position(world.payer.pubkey(), owner.pubkey(), wrong);
        assert_refused(&mut world, &ix, &[&owner], error);
    }
}
