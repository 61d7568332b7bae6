//! Who may be a keeper, who joins when, and who is out at once.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError;
use rampart::events::KeepersSet;
use rampart::state::{KeeperRole, KeeperSeat, KeeperSet};
use rampart::{SetKeepersArgs, Validity};
use rampart_client::{Instruction, Pubkey, address, keepers};
use rampart_tests::keepers::Keepers;
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{World, events};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

const ALREADY_IN_USE: u32 = 0;
const JOIN_SECS: i64 = 48 * 3_600;

fn valid(world: &World) -> Validity {
    Validity { authority_epoch: world.guard_state().authority_epoch, expires_at_ts: world.now_ts() + 60 }
}

fn set_ix(world: &World, by: &Keypair, members: Vec<KeeperSeat>) -> Instruction {
    let args = SetKeepersArgs { members, limits: rampart_tests::keepers::limits() };
    keepers::set_keepers(by.pubkey(), world.guard, args, valid(world))
}

fn bare(count: usize) -> (World, Keepers) {
    let mut world = World::with_guard();
    let keepers = Keepers::new(&mut world, count);
    (world, keepers)
}

#[track_caller]
fn refuses_to_create(change: impl FnOnce(&World, &mut SetKeepersArgs), expected: RampartError) {
    let (mut world, keepers) = bare(4);
    let mut args = keepers.args();
    change(&world, &mut args);
    let root = world.root.insecure_clone();
    let ix = keepers::initialize_keepers(root.pubkey(), world.guard, args);
    world.refuses(&ix, &[&root], expected);
    assert!(world.svm.get_account(&address::keeper_set(&world.guard)).is_none());
}

#[test]
fn initialize_keepers_stores_every_field_and_members_count_at_once() {
    let (mut world, keepers) = bare(15);
    let ix = keepers::initialize_keepers(world.root.pubkey(), world.guard, keepers.args());
    let landed = world.send_as_root(&[ix]).unwrap();
    let set = world.keeper_set();
    assert_eq!((set.guard, set.epoch, set.changed_at_ts), (world.guard, 1, world.now_ts()));
    assert_eq!((set.max_age_secs, set.max_spread_bps, set.count, set.version), (60, 2_000, 15, 1));
    assert_eq!((set.reserved, set.reporters_at(world.now_ts()), set.quorum_at(world.now_ts())), ([0; 127], 15, 11));
    for (tag, (member, key)) in set.members.iter().zip(&keepers.keys).enumerate() {
        assert_eq!((member.key, member.active_from_ts), (key.pubkey(), world.now_ts()));
        assert_eq!((member.source_tag, member.role, member.reserved), (tag as u16, KeeperRole::Reporter as u8, [0; 5]));
    }
    let key = address::keeper_set(&world.guard);
    assert_eq!(world.svm.get_account(&key).unwrap().data.len(), KeeperSet::SPACE);
    let fact: KeepersSet = events::the_one(&landed);
    assert_eq!((fact.guard, fact.epoch, fact.count), (world.guard, 1, 15));
}

#[test]
fn initialize_keepers_fails_for_members_that_are_no_keepers() {
    use RampartError as E;
    refuses_to_create(|_, a| a.members[3].key = a.members[0].key, E::KeeperSetInvalid);
    refuses_to_create(|_, a| a.members[0].key = Pubkey::default(), E::KeeperSetInvalid);
    refuses_to_create(|_, a| a.members[0].role = 0, E::UnknownKind);
    refuses_to_create(|_, a| a.members[0].role = 3, E::UnknownKind);
    refuses_to_create(|_, a| a.members.truncate(2), E::KeeperQuorumUnreachable);
    refuses_to_create(|_, a| a.members.clear(), E::KeeperQuorumUnreachable);
    let standby = KeeperRole::Standby as u8;
    refuses_to_create(|_, a| a.members[..2].iter_mut().for_each(|m| m.role = standby), E::KeeperQuorumUnreachable);
    let many = |_: &World, a: &mut SetKeepersArgs| {
        let seat = a.members[0];
        a.members = (1..=16).map(|n| KeeperSeat { key: Pubkey::new_from_array([n; 32]), ..seat }).collect();
    };
    refuses_to_create(many, E::KeeperSetInvalid);
    for (age, spread) in [(0, 2_000), (3_601, 2_000), (60, 0), (60, 10_000)] {
        let change =
            |_: &World, a: &mut SetKeepersArgs| (a.limits.max_age_secs, a.limits.max_spread_bps) = (age, spread);
        refuses_to_create(change, E::KeeperSetInvalid);
    }
}

/// Case 9 for keepers: whoever configures or pauses doesn't report as well.
#[test]
fn initialize_keepers_fails_for_a_key_that_holds_a_role() {
    let roles = World::with_guard().guard_state().roles;
    let [first, second, ..] = roles.guardians;
    for holder in [roles.root, roles.risk_admin, roles.resetter, roles.vetoer, first, second] {
        refuses_to_create(|_, a| a.members[1].key = holder, RampartError::KeeperSetInvalid);
    }
}

#[test]
fn initialize_keepers_fails_for_anybody_but_root_and_twice() {
    let (mut world, keepers) = bare(3);
    for signer in [world.risk_admin.insecure_clone(), world.payer.insecure_clone()] {
        let ix = keepers::initialize_keepers(signer.pubkey(), world.guard, keepers.args());
        world.refuses(&ix, &[&signer], RampartError::WrongAuthority);
    }
    let root = world.root.insecure_clone();
    let ix = keepers::initialize_keepers(root.pubkey(), world.guard, keepers.args());
    let mut unsigned = ix.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    let elsewhere = address::keeper_set(&root.pubkey());
    world.anchor_refuses(&with_account(&ix, 2, elsewhere), &[&root], ErrorCode::ConstraintSeeds);
    world.send_as_root(std::slice::from_ref(&ix)).unwrap();
    world.callee_refuses(&ix, &[&root], ALREADY_IN_USE);
}

/// Case 63: a key that joins waits for two days, in the open, before its reports count.
#[test]
fn case_063_keeper_that_joins_counts_after_two_days() {
    let (mut world, mut keepers) = World::with_keepers(3);
    let root = world.root.insecure_clone();
    let old = world.keeper_set();
    world.advance(60);
    keepers.keys.push(world.new_key());
    let landed = world.send_as_root(&[set_ix(&world, &root, keepers.seats())]).unwrap();
    let (set, now_ts) = (world.keeper_set(), world.now_ts());
    assert_eq!((set.epoch, set.changed_at_ts, set.count), (2, now_ts, 4));
    assert_eq!(set.members[..3], old.members[..3]);
    assert_eq!(set.members[3].active_from_ts, now_ts + JOIN_SECS);
    assert_eq!(events::the_one::<KeepersSet>(&landed).epoch, 2);
    let subject = world.keys.collateral_asset;
    // who waits is made ready
    let key = keepers.keys[3].pubkey();
    let ix = keepers::open_report(world.payer_address(), world.guard, subject, key);
    world.send(&[ix], &[]).unwrap();
    let new = keepers.keys[3].insecure_clone();
    let early = world.report_ix(&new, subject, rampart_tests::keepers::CALM);
    world.refuses(&early, &[&new], RampartError::NotAKeeper);
    world.advance(JOIN_SECS - 1);
    assert_eq!(world.keeper_set().reporters_at(world.now_ts()), 3);
    world.advance(1);
    assert_eq!(world.keeper_set().reporters_at(world.now_ts()), 4);
    world.report(&new, subject, rampart_tests::keepers::CALM).unwrap();
}

#[test]
fn set_keepers_treats_another_tag_or_role_as_joining() {
    for change in [(|s| s.source_tag = 99) as fn(&mut KeeperSeat), |s| s.role = KeeperRole::Standby as u8] {
        let (mut world, keepers) = World::with_keepers(4);
        let root = world.root.insecure_clone();
        let mut seats = keepers.seats();
        change(&mut seats[1]);
        let admin = world.risk_admin.insecure_clone();
        world.refuses(&set_ix(&world, &admin, seats.clone()), &[&admin], RampartError::WrongAuthority);
        world.send_as_root(&[set_ix(&world, &root, seats)]).unwrap();
        assert_eq!(world.keeper_set().members[1].active_from_ts, world.now_ts() + JOIN_SECS);
        assert_eq!(world.keeper_set().reporters_at(world.now_ts()), 3);
    }
}

#[test]
fn set_keepers_leaves_out_at_once_while_a_quorum_stays_reachable() {
    let (mut world, keepers) = World::with_keepers(4);
    let (admin, subject) = (world.risk_admin.insecure_clone(), world.keys.collateral_asset);
    let mut seats = keepers.seats();
    seats.remove(0);
    world.send(&[set_ix(&world, &admin, seats.clone())], &[&admin]).unwrap();
    let set = world.keeper_set();
    assert_eq!((set.count, set.epoch, set.reporters_at(world.now_ts())), (3, 2, 3));
    let out = keepers.keys[0].insecure_clone();
    let late = world.report_ix(&out, subject, rampart_tests::keepers::CALM);
    world.refuses(&late, &[&out], RampartError::NotAKeeper);
    seats.remove(0);
    world.refuses(&set_ix(&world, &admin, seats.clone()), &[&admin], RampartError::KeeperQuorumUnreachable);
    let root = world.root.insecure_clone();
    world.refuses(&set_ix(&world, &root, seats.clone()), &[&root], RampartError::KeeperQuorumUnreachable);
    // who waits to join doesn't make a quorum reachable
    seats.push(keepers.seats()[0]);
    world.refuses(&set_ix(&world, &root, seats), &[&root], RampartError::KeeperQuorumUnreachable);
}

#[test]
fn set_keepers_by_the_risk_admin_fails_for_anything_but_leaving_out() {
    let (mut world, keepers) = World::with_keepers(4);
    let admin = world.risk_admin.insecure_clone();
    let mut joined = keepers.seats();
    joined.push(KeeperSeat { key: Pubkey::new_from_array([7; 32]), ..joined[0] });
    world.refuses(&set_ix(&world, &admin, joined), &[&admin], RampartError::WrongAuthority);
    let mut args = keepers.args();
    for (age, spread) in [(59, 2_000), (61, 2_000), (60, 1_999), (60, 2_001)] {
        (args.limits.max_age_secs, args.limits.max_spread_bps) = (age, spread);
        let ix = keepers::set_keepers(admin.pubkey(), world.guard, args.clone(), valid(&world));
        world.refuses(&ix, &[&admin], RampartError::WrongAuthority);
    }
    let root = world.root.insecure_clone();
    let ix = keepers::set_keepers(root.pubkey(), world.guard, args, valid(&world));
    world.send_as_root(&[ix]).unwrap();
    assert_eq!(world.keeper_set().max_spread_bps, 2_001);
}

#[test]
fn set_keepers_fails_for_a_wrong_signer_epoch_time_or_account() {
    let (mut world, keepers) = World::with_keepers(4);
    let (root, stranger) = (world.root.insecure_clone(), world.payer.insecure_clone());
    world.refuses(&set_ix(&world, &stranger, keepers.seats()), &[&stranger], RampartError::WrongAuthority);
    let ix = set_ix(&world, &root, keepers.seats());
    let mut unsigned = ix.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    let epoch = Validity { authority_epoch: 9, ..valid(&world) };
    let stale = keepers::set_keepers(root.pubkey(), world.guard, keepers.args(), epoch);
    world.refuses(&stale, &[&root], RampartError::AuthorityEpochMoved);
    let set = address::keeper_set(&world.guard);
    for (index, other) in [(1, set), (2, world.guard), (2, world.keys.vault)] {
        let cosplay = with_account(&ix, index, other);
        world.anchor_refuses(&cosplay, &[&root], ErrorCode::AccountDiscriminatorMismatch);
    }
    let stolen = world.copy_under(&set, anchor_spl::token::ID);
    world.anchor_refuses(&with_account(&ix, 2, stolen), &[&root], ErrorCode::AccountOwnedByWrongProgram);
    world.anchor_refuses(&with_read_only(&ix, 2), &[&root], ErrorCode::ConstraintMut);
    let foreign = world.other_guard().guard;
    let foreign = keepers::set_keepers(root.pubkey(), foreign, keepers.args(), valid(&world));
    world.refuses(&with_account(&foreign, 2, set), &[&root], RampartError::RuleSubjectMismatch);
    world.advance(61);
    world.refuses(&ix, &[&root], RampartError::InstructionExpired);
}
