//! Creating a guard: what is stored, and every set of roles and bounds that is refused.

use anchor_lang::error::ErrorCode;
use rampart::InitializeGuardArgs;
use rampart::error::RampartError;
use rampart::events::GuardCreated;
use rampart::state::breaker::Breaker;
use rampart::state::guard::{HardBounds, Roles};
use rampart::state::{Finality, Guard, Level, PauseBudget};
use rampart_client::{Pubkey, address, admin};
use rampart_tests::refusals::with_account;
use rampart_tests::{World, defaults, events};
use solana_sdk::instruction::InstructionError;
use solana_sdk::signer::Signer;

const ALREADY_IN_USE: u32 = 0;

fn args(world: &World) -> InitializeGuardArgs {
    let roles = defaults::roles(world.root.pubkey(), world.risk_admin.pubkey());
    InitializeGuardArgs { roles, bounds: defaults::bounds() }
}

#[track_caller]
fn refuses(change: impl FnOnce(&mut InitializeGuardArgs), expected: RampartError) {
    let mut world = World::empty();
    let mut args = args(&world);
    change(&mut args);
    let root = world.root.insecure_clone();
    let ix = admin::initialize_guard(root.pubkey(), 1, args);
    world.refuses(&ix, &[&root], expected);
    assert!(world.svm.get_account(&world.guard).is_none_or(|a| a.data.is_empty()));
}

#[test]
fn initialize_guard_stores_every_field() {
    let mut world = World::empty();
    let args = args(&world);
    let root = world.root.insecure_clone();
    let ix = admin::initialize_guard(root.pubkey(), 513, args);
    let landed = world.send(&[ix], &[&root]).unwrap();
    let key = address::guard(&root.pubkey(), 513);
    let guard: Guard = world.load(&key);
    assert_eq!((guard.creator, guard.roles, guard.bounds), (root.pubkey(), args.roles, args.bounds));
    assert_eq!((guard.id, guard.version, guard.authority_epoch), (513, 1, 0));
    assert_eq!((guard.breaker, guard.breaker.level_at(world.now_ts())), (Breaker::default(), Level::Normal));
    assert_eq!((guard.finality, guard.loosen_delay_secs), (Finality::Open as u8, args.bounds.min_loosen_delay_secs));
    assert_eq!((guard.next_change_id, guard.asset_count, guard.vault_count, guard.rule_count), (0, 0, 0, 0));
    assert_eq!((guard.pauses, guard.reserved), (PauseBudget::default(), [0; 240]));
    assert!(!guard.has_aggregate_in_force());
    let seeds: &[&[u8]] = &[b"guard", guard.creator.as_ref(), &513u16.to_le_bytes(), &[guard.bump]];
    assert_eq!(Pubkey::create_program_address(seeds, &rampart::ID), Ok(key));
    let account = world.svm.get_account(&key).unwrap();
    assert_eq!((account.owner, account.data.len()), (rampart::ID, Guard::SPACE));
    let fact: GuardCreated = events::the_one(&landed);
    assert_eq!((fact.guard, fact.creator), (key, root.pubkey()));
}

#[test]
fn initialize_guard_succeeds_at_the_edges_of_its_bounds() {
    let mut world = World::empty();
    let mut args = args(&world);
    args.roles.guardians = std::array::from_fn(|i| Pubkey::new_from_array([i as u8 + 1; 32]));
    (args.roles.guardian_count, args.roles.guardian_quorum) = (8, 8);
    args.bounds = HardBounds {
        max_oracle_age_secs: 1,
        max_rule_duration_secs: u32::MAX,
        max_confidence_bps: 10_000,
        max_hourly_outflow_bps: 10_000,
        max_daily_outflow_bps: 10_000,
        min_exit_floor_bps: 1,
        max_ltv_bps: 9_999,
        max_bonus_bps: 10_000,
        min_loosen_delay_secs: 172_800,
        max_execution_window_secs: 3_600,
        max_pause_secs: 1,
        max_guardian_pause_secs: 1,
        max_guard_pause_secs: 3,
        quorum_reserve_secs: 2,
        min_warm_up_secs: 7_776_000,
        max_effect_bps: 5_000,
        max_tighten_step_bps: 10_000,
        max_slippage_bps: 10_000,
        max_swap_loss_bps: 10_000,
        reserved: [0; 8],
    };
    let ix = admin::initialize_guard(world.root.pubkey(), 1, args);
    world.send_as_root(&[ix]).unwrap();
    assert_eq!(world.guard_state().roles, args.roles);
}

#[test]
fn initialize_guard_fails_when_a_role_is_the_default_key() {
    let unset = Pubkey::default();
    refuses(|a| a.roles.root = unset, RampartError::RolesInvalid);
    refuses(|a| a.roles.risk_admin = unset, RampartError::RolesInvalid);
    refuses(|a| a.roles.resetter = unset, RampartError::RolesInvalid);
    refuses(|a| a.roles.vetoer = unset, RampartError::RolesInvalid);
    refuses(|a| a.roles.guardians[0] = unset, RampartError::RolesInvalid);
    refuses(|a| a.roles.guardians[1] = unset, RampartError::RolesInvalid);
}

#[test]
fn initialize_guard_fails_when_one_key_holds_two_roles() {
    let pairs: [fn(&mut Roles); 7] = [
        |r| r.vetoer = r.root,
        |r| r.risk_admin = r.root,
        |r| r.resetter = r.risk_admin,
        |r| r.resetter = r.vetoer,
        |r| r.guardians[0] = r.resetter,
        |r| r.guardians[1] = r.root,
        |r| r.guardians[1] = r.guardians[0],
    ];
    for change in pairs {
        refuses(|a| change(&mut a.roles), RampartError::RolesInvalid);
    }
}

#[test]
fn initialize_guard_fails_when_guardians_cannot_make_a_quorum() {
    refuses(|a| a.roles.guardian_count = 0, RampartError::RolesInvalid);
    refuses(|a| a.roles.guardian_count = 1, RampartError::RolesInvalid);
    refuses(|a| a.roles.guardian_count = 9, RampartError::RolesInvalid);
    refuses(|a| a.roles.guardian_count = u8::MAX, RampartError::RolesInvalid);
    refuses(|a| a.roles.guardian_quorum = 0, RampartError::RolesInvalid);
    refuses(|a| a.roles.guardian_quorum = 3, RampartError::RolesInvalid);
    refuses(|a| a.roles.guardians[7] = Pubkey::new_from_array([9; 32]), RampartError::RolesInvalid);
}

#[test]
fn initialize_guard_fails_when_a_bound_is_zero_or_beyond_its_whole() {
    let fields: [fn(&mut HardBounds) -> &mut u16; 9] = [
        |b| &mut b.max_confidence_bps,
        |b| &mut b.max_hourly_outflow_bps,
        |b| &mut b.max_daily_outflow_bps,
        |b| &mut b.min_exit_floor_bps,
        |b| &mut b.max_ltv_bps,
        |b| &mut b.max_bonus_bps,
        |b| &mut b.max_tighten_step_bps,
        |b| &mut b.max_slippage_bps,
        |b| &mut b.max_swap_loss_bps,
    ];
    for field in fields {
        for value in [0, 10_001, u16::MAX] {
            refuses(|a| *field(&mut a.bounds) = value, RampartError::BoundsInvalid);
        }
    }
    refuses(|a| a.bounds.max_oracle_age_secs = 0, RampartError::BoundsInvalid);
    refuses(|a| a.bounds.max_rule_duration_secs = 0, RampartError::BoundsInvalid);
}

/// Case 4: floors of the bounds, and not their ceilings alone.
#[test]
fn case_004_bounds_of_change_control_outside_their_own_floor_and_ceiling() {
    let changes: [fn(&mut HardBounds); 14] = [
        |b| b.min_warm_up_secs = 7_776_001,
        |b| b.min_loosen_delay_secs = 172_799,
        |b| b.min_loosen_delay_secs = 2_592_001,
        |b| b.max_execution_window_secs = 3_599,
        |b| b.max_execution_window_secs = 1_209_601,
        |b| b.max_pause_secs = 0,
        |b| b.max_pause_secs = 86_401,
        |b| b.max_guardian_pause_secs = b.max_pause_secs - 1,
        |b| b.max_guardian_pause_secs = b.max_guard_pause_secs - b.quorum_reserve_secs + 1,
        |b| b.max_guard_pause_secs = 1_296_001,
        |b| b.quorum_reserve_secs = 2 * b.max_pause_secs - 1,
        |b| b.quorum_reserve_secs = u32::MAX,
        |b| b.max_effect_bps = 0,
        |b| b.max_effect_bps = 5_001,
    ];
    for change in changes {
        refuses(|a| change(&mut a.bounds), RampartError::BoundsInvalid);
    }
}

/// Case 10: a root that did not sign may be a key that nobody can sign with.
#[test]
fn case_010_root_that_did_not_sign() {
    refuses(|a| a.roles.root = Pubkey::new_from_array([0x77; 32]), RampartError::RootNeedsAcceptance);
}

#[test]
fn initialize_guard_fails_when_bounds_contradict_each_other() {
    refuses(|a| a.bounds.max_hourly_outflow_bps = 6_001, RampartError::BoundsInvalid);
    refuses(|a| a.bounds.min_exit_floor_bps = 6_000, RampartError::BoundsInvalid);
    refuses(|a| a.bounds.max_ltv_bps = 10_000, RampartError::BoundsInvalid);
}

#[test]
fn initialize_guard_fails_when_reserved_bytes_are_set() {
    refuses(|a| a.roles.reserved[5] = 1, RampartError::UnknownKind);
    refuses(|a| a.bounds.reserved[0] = 1, RampartError::UnknownKind);
}

#[test]
fn initialize_guard_fails_when_the_guard_exists() {
    let mut world = World::with_guard();
    let root = world.root.insecure_clone();
    world.callee_refuses(&world.initialize_guard_ix(), &[&root], ALREADY_IN_USE);
}

#[test]
fn initialize_guard_fails_at_the_address_of_another_creator() {
    let mut world = World::empty();
    let stranger = world.risk_admin.insecure_clone();
    let ix = admin::initialize_guard(stranger.pubkey(), 1, args(&world));
    let theirs = with_account(&ix, 1, world.guard);
    world.anchor_refuses(&theirs, &[&stranger], ErrorCode::ConstraintSeeds);
}

#[test]
fn initialize_guard_fails_without_the_signature_of_the_creator() {
    let mut world = World::empty();
    let mut ix = world.initialize_guard_ix();
    ix.accounts[0].is_signer = false;
    world.anchor_refuses(&ix, &[], ErrorCode::AccountNotSigner);
}

#[test]
fn initialize_guard_fails_with_another_event_authority_or_program() {
    let mut world = World::empty();
    let root = world.root.insecure_clone();
    let ix = world.initialize_guard_ix();
    let authority = with_account(&ix, 3, world.payer_address());
    world.anchor_refuses(&authority, &[&root], ErrorCode::ConstraintAddress);
    let program = with_account(&ix, 4, anchor_spl::token::ID);
    // the fact can't be emitted to another program than this one
    world.refuses_with(&program, &[&root], InstructionError::MissingAccount);
}
