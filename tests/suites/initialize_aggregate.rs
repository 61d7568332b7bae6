//! Creating a guard's dollar limit.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError as E;
use rampart::events::AggregateSet;
use rampart::state::lease::LeaseRing;
use rampart::state::{AggregateLimit, AggregateParams, Finality, StepMeter, Switch};
use rampart_client::{Instruction, Pubkey, aggregate};
use rampart_tests::defaults;
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{World, events};
use solana_sdk::signer::Signer;

const GUARD: usize = 1;
const LIMIT: usize = 2;
/// The System program's code for an address in use.
const ALREADY_IN_USE: u32 = 0;

fn ix(world: &World, params: AggregateParams) -> Instruction {
    aggregate::initialize_aggregate(world.root.pubkey(), world.guard, params)
}

#[track_caller]
fn refuses(change: impl FnOnce(&mut AggregateParams), expected: E) {
    let mut world = World::with_vault();
    let (mut params, root) = (defaults::aggregate(), world.root.insecure_clone());
    change(&mut params);
    world.refuses(&ix(&world, params), &[&root], expected);
    assert!(!world.exists(&world.aggregate_key()));
}

#[test]
fn initialize_aggregate_stores_every_field_and_is_in_force_at_once() {
    let mut world = World::with_vault();
    assert!(!world.guard_state().has_aggregate_in_force());
    let landed = world.send_as_root(&[ix(&world, defaults::aggregate())]).unwrap();
    let (key, limit): (Pubkey, AggregateLimit) = (world.aggregate_key(), world.aggregate());
    assert_eq!((limit.guard, limit.params), (world.guard, defaults::aggregate()));
    assert_eq!((limit.leased, limit.tightened), (LeaseRing::default(), StepMeter::default()));
    assert_eq!((limit.version, limit.reserved), (1, [0; 126]));
    let seeds: &[&[u8]] = &[b"aggregate", world.guard.as_ref(), &[limit.bump]];
    assert_eq!(Pubkey::create_program_address(seeds, &rampart::ID), Ok(key));
    assert!(world.guard_state().has_aggregate_in_force());
    let fact: AggregateSet = events::the_one(&landed);
    assert_eq!((fact.guard, fact.limit_micro_usd), (world.guard, defaults::aggregate().limit_micro_usd));
    assert_eq!(fact.switch, Switch::Enabled as u8);
}

#[test]
fn initialize_aggregate_may_wait_to_be_switched_on() {
    let mut world = World::with_vault();
    let params = AggregateParams { switch: Switch::Disabled as u8, ..defaults::aggregate() };
    world.send_as_root(&[ix(&world, params)]).unwrap();
    assert!(!world.guard_state().has_aggregate_in_force());
}

#[test]
fn initialize_aggregate_fails_when_it_binds_nothing_or_closes_everything() {
    refuses(|p| p.limit_micro_usd = 999_999_999, E::AggregateInvalid);
    refuses(|p| p.limit_micro_usd = 0, E::AggregateInvalid);
    refuses(|p| p.window_secs = 0, E::AggregateInvalid);
    refuses(|p| p.window_secs = 3_576, E::AggregateInvalid);
    refuses(|p| p.window_secs = 86_401, E::AggregateInvalid);
    refuses(|p| p.window_secs = 604_824, E::AggregateInvalid);
    refuses(|p| p.vault_share_bps = 0, E::AggregateInvalid);
    refuses(|p| p.vault_share_bps = 10_001, E::AggregateInvalid);
    refuses(|p| p.switch = 0, E::UnknownKind);
    refuses(|p| p.switch = 3, E::UnknownKind);
    refuses(|p| p.reserved = [1], E::UnknownKind);
}

#[test]
fn initialize_aggregate_fails_when_the_signer_is_not_root_or_the_guard_is_frozen() {
    let mut world = World::with_vault();
    let create = ix(&world, defaults::aggregate());
    let admin = world.risk_admin.insecure_clone();
    world.refuses(&with_account(&create, 0, admin.pubkey()), &[&admin], E::WrongAuthority);
    let mut unsigned = create.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    let mut guard = world.guard_state();
    guard.finality = Finality::Frozen as u8;
    world.store(&world.guard.clone(), &guard);
    let root = world.root.insecure_clone();
    world.refuses(&create, &[&root], E::GuardFrozen);
}

#[test]
fn initialize_aggregate_fails_at_another_address_under_another_guard_or_twice() {
    let mut world = World::with_vault();
    let (create, root) = (ix(&world, defaults::aggregate()), world.root.insecure_clone());
    let other = world.other_guard().guard;
    world.anchor_refuses(&with_account(&create, GUARD, other), &[&root], ErrorCode::ConstraintSeeds);
    let theirs = rampart_client::address::aggregate(&other);
    world.anchor_refuses(&with_account(&create, LIMIT, theirs), &[&root], ErrorCode::ConstraintSeeds);
    let cosplay = with_account(&create, GUARD, world.keys.vault);
    world.anchor_refuses(&cosplay, &[&root], ErrorCode::AccountDiscriminatorMismatch);
    let stolen = world.copy_under(&world.guard.clone(), anchor_spl::token::ID);
    let foreign = with_account(&create, GUARD, stolen);
    world.anchor_refuses(&foreign, &[&root], ErrorCode::AccountOwnedByWrongProgram);
    world.anchor_refuses(&with_read_only(&create, GUARD), &[&root], ErrorCode::ConstraintMut);
    world.send_as_root(std::slice::from_ref(&create)).unwrap();
    world.callee_refuses(&create, &[&root], ALREADY_IN_USE);
}
