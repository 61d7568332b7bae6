//! No role goes to a keeper, at the time that it is set: case 9 for keepers.

use rampart::error::RampartError as E;
use rampart::state::guard::Keepers as KeepersState;
use rampart::state::{Change, Roles};
use rampart_client::{Instruction, Pubkey, address, control, keepers};
use rampart_tests::keepers::Keepers;
use rampart_tests::officers::quorum;
use rampart_tests::refusals::{with_account, without_last};
use rampart_tests::{World, assert_error};
use solana_sdk::signer::Signer;

/// Gives one role to a key.
type Give = fn(&mut Roles, Pubkey);

/// Every role but root, which moves by acceptance, and the vetoer, which takes a quorum.
const GIVE: [Give; 3] = [|r, key| r.risk_admin = key, |r, key| r.resetter = key, |r, key| r.guardians[1] = key];

fn roles(world: &World, change: impl FnOnce(&mut Roles)) -> Change {
    let mut roles = world.guard_state().roles;
    change(&mut roles);
    Change::Roles(roles)
}

/// The position of the keeper set in a proposal: behind the fixed accounts.
fn last(ix: &Instruction) -> usize {
    ix.accounts.len() - 1
}

#[test]
fn initialize_keepers_tells_the_guard_that_there_is_a_set() {
    let mut world = World::with_guard();
    let keepers = Keepers::new(&mut world, 3);
    assert_eq!(world.guard_state().keepers, KeepersState::None as u8);
    let ix = keepers::initialize_keepers(world.root.pubkey(), world.guard, keepers.args());
    let root = world.root.insecure_clone();
    let mut read_only = ix.clone();
    read_only.accounts[1].is_writable = false;
    world.anchor_refuses(&read_only, &[&root], anchor_lang::error::ErrorCode::ConstraintMut);
    world.send_as_root(&[ix]).unwrap();
    assert_eq!(world.guard_state().keepers, KeepersState::Set as u8);
}

/// Case 9: a keeper becomes risk admin, resetter, guardian, vetoer or root.
#[test]
fn case_009_role_given_to_a_keeper_is_refused_when_it_is_proposed() {
    let (mut world, keepers) = World::with_keepers(4);
    let (guard, root, keeper) = (world.guard, world.root.insecure_clone(), keepers.keys[2].pubkey());
    for give in GIVE {
        let ix = world.propose_ix(guard, roles(&world, |r| give(r, keeper)));
        world.refuses(&ix, &[&root], E::KeeperHoldsRole);
    }
    let ix = world.propose_ix(guard, Change::Root(keeper));
    world.refuses(&ix, &[&root], E::KeeperHoldsRole);
    let [first, second] = quorum();
    let (now, next) = (roles(&world, |_| ()), roles(&world, |r| r.vetoer = keeper));
    let guardians = [first.pubkey(), second.pubkey()];
    let state = world.guard_state();
    let ix = control::propose_change((guard, &state), guard, (now, next), world.validity(), &guardians);
    world.refuses(&ix, &[&root, &first, &second], E::KeeperHoldsRole);
    let free = world.propose_ix(guard, roles(&world, |r| r.resetter = Pubkey::new_from_array([0x55; 32])));
    world.send_as_root(&[free]).unwrap();
}

/// Case 56 for keepers: the set can't be left out, nor another one be shown in its place.
#[test]
fn case_056_keeper_set_left_out_of_a_change_of_roles() {
    let (mut world, _) = World::with_keepers(4);
    let (guard, root) = (world.guard, world.root.insecure_clone());
    let next = roles(&world, |r| r.resetter = Pubkey::new_from_array([0x55; 32]));
    let ix = world.propose_ix(guard, next);
    world.refuses(&without_last(&ix), &[&root], E::KeeperSetMissing);
    let foreign = world.other_guard().guard;
    let others = Keepers::new(&mut world, 3);
    let create = keepers::initialize_keepers(root.pubkey(), foreign, others.args());
    world.send_as_root(&[create]).unwrap();
    for other in [address::keeper_set(&foreign), guard, world.keys.vault] {
        world.refuses(&with_account(&ix, last(&ix), other), &[&root], E::KeeperSetMissing);
    }
    let stolen = world.copy_under(&address::keeper_set(&guard), anchor_spl::token::ID);
    world.refuses(&with_account(&ix, last(&ix), stolen), &[&root], E::KeeperSetMissing);
    let key = world.propose(guard, next);
    world.ripen();
    let ix = world.execute_ix(key, &[]);
    world.refuses(&without_last(&ix), &[], E::KeeperSetMissing);
    let foreign = with_account(&ix, last(&ix), address::keeper_set(&foreign));
    world.refuses(&foreign, &[], E::KeeperSetMissing);
    world.send(&[ix], &[]).unwrap();
}

/// A key that became a keeper while the change waited.
#[test]
fn role_given_to_a_keeper_is_refused_when_it_is_executed() {
    let (mut world, mut keepers) = World::with_keepers(4);
    let (guard, fresh) = (world.guard, world.new_key());
    let roles_key = world.propose(guard, roles(&world, |r| r.resetter = fresh.pubkey()));
    let root_key = world.propose(guard, Change::Root(fresh.pubkey()));
    keepers.keys.push(fresh.insecure_clone());
    let ix = keepers::set_keepers(world.root.pubkey(), guard, keepers.args(), world.validity());
    world.send_as_root(&[ix]).unwrap();
    world.ripen();
    let execute = world.execute_ix(roles_key, &[]);
    world.refuses(&execute, &[], E::KeeperHoldsRole);
    let accept = control::accept_root(fresh.pubkey(), root_key, &world.change(&root_key));
    world.refuses(&accept, &[&fresh], E::KeeperHoldsRole);
    world.refuses(&without_last(&accept), &[&fresh], E::KeeperSetMissing);
    // who waits to join is a member as well; once out of the set the key is free
    keepers.keys.pop();
    let ix = keepers::set_keepers(world.root.pubkey(), guard, keepers.args(), world.validity());
    world.send_as_root(&[ix]).unwrap();
    world.send(&[execute], &[]).unwrap();
    assert_eq!(world.guard_state().roles.resetter, fresh.pubkey());
}

/// A set that is created while a change waits counts as well: the flag is read when the change is executed.
#[test]
fn keeper_set_created_while_a_change_waits_is_looked_at() {
    let mut world = World::with_vault();
    let (guard, keepers) = (world.guard, Keepers::new(&mut world, 3));
    let key = world.propose(guard, roles(&world, |r| r.resetter = keepers.keys[0].pubkey()));
    let ix = keepers::initialize_keepers(world.root.pubkey(), guard, keepers.args());
    world.send_as_root(&[ix]).unwrap();
    world.ripen();
    let outcome = world.execute(key, &[]);
    assert_error(outcome, E::KeeperHoldsRole);
}
