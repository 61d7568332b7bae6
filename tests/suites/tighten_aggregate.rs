//! Tightening a guard's dollar limit at once, and loosening it with the delay.

use anchor_lang::error::ErrorCode;
use rampart::Validity;
use rampart::error::RampartError as E;
use rampart::events::AggregateSet;
use rampart::state::{AggregateParams, Change, Finality, Switch};
use rampart_client::{Instruction, address, aggregate};
use rampart_tests::defaults::{self, USDC};
use rampart_tests::leases::USD;
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{World, events};
use solana_sdk::signer::Signer;

const GUARD: usize = 1;
const LIMIT: usize = 2;

fn ix(world: &World, change: impl FnOnce(&mut AggregateParams)) -> Instruction {
    let mut params = world.aggregate().params;
    change(&mut params);
    aggregate::tighten_aggregate(world.risk_admin.pubkey(), world.guard, params, world.validity())
}

#[track_caller]
fn refuses(world: &mut World, change: impl FnOnce(&mut AggregateParams), expected: E) {
    let (ix, admin) = (ix(world, change), world.risk_admin.insecure_clone());
    world.refuses(&ix, &[&admin], expected);
}

#[test]
fn tighten_aggregate_lowers_limit_and_share_and_keeps_what_is_leased() {
    let mut world = World::with_aggregate();
    world.lender(500_000 * USDC);
    world.lease(400_000 * USD).unwrap();
    let (before, admin) = (world.aggregate(), world.risk_admin.insecure_clone());
    let ix = ix(&world, |p| (p.limit_micro_usd, p.vault_share_bps) = (700_000 * USD, 4_000));
    let landed = world.send(&[ix], &[&admin]).unwrap();
    let after = world.aggregate();
    assert_eq!((after.params.limit_micro_usd, after.params.vault_share_bps), (700_000 * USD, 4_000));
    assert_eq!((after.leased, after.tightened.used_bps), (before.leased, 9_300));
    assert_eq!(events::the_one::<AggregateSet>(&landed).limit_micro_usd, 700_000 * USD);
    assert_eq!(world.leased(), (400_000 * USD, 400_000 * USD), "and what is leased can be used");
    let more = world.lease_ix(1);
    world.refuses(&more, &[], E::LeaseShareReached);
}

#[test]
fn tighten_aggregate_switches_the_limit_on_as_no_step_of_the_day() {
    let off = AggregateParams { switch: Switch::Disabled as u8, ..defaults::aggregate() };
    let mut world = World::with_aggregate_of(off);
    let (ix, admin) = (ix(&world, |p| p.switch = Switch::Enabled as u8), world.risk_admin.insecure_clone());
    world.send(&[ix], &[&admin]).unwrap();
    assert!(world.guard_state().has_aggregate_in_force());
    assert_eq!(world.aggregate().tightened.used_bps, 0);
}

#[test]
fn tighten_aggregate_fails_when_anything_would_loosen_or_the_window_would_move() {
    let mut world = World::with_aggregate();
    refuses(&mut world, |p| p.limit_micro_usd += 1, E::LooseningRefused);
    refuses(&mut world, |p| p.vault_share_bps += 1, E::LooseningRefused);
    refuses(&mut world, |p| p.switch = Switch::Disabled as u8, E::LooseningRefused);
    refuses(&mut world, |p| p.window_secs *= 2, E::LooseningRefused);
    refuses(&mut world, |p| p.window_secs /= 2, E::LooseningRefused);
    refuses(&mut world, |p| p.limit_micro_usd = 1, E::AggregateInvalid);
    refuses(&mut world, |p| p.switch = 7, E::UnknownKind);
    // hidden in a batch
    refuses(&mut world, |p| (p.limit_micro_usd, p.vault_share_bps) = (USD * 1_000, 5_001), E::LooseningRefused);
}

#[test]
fn tighten_aggregate_takes_no_more_than_the_step_of_the_day() {
    let mut world = World::with_aggregate();
    let mut guard = world.guard_state();
    guard.bounds.max_tighten_step_bps = 2_500;
    world.store(&world.guard.clone(), &guard);
    refuses(&mut world, |p| p.limit_micro_usd = p.limit_micro_usd * 3 / 4 - 1, E::TightenStepExceeded);
    let (ix, admin) =
        (ix(&world, |p| p.limit_micro_usd = p.limit_micro_usd * 3 / 4), world.risk_admin.insecure_clone());
    world.send(&[ix], &[&admin]).unwrap();
    world.advance(86_399);
    refuses(&mut world, |p| p.limit_micro_usd -= 1, E::TightenStepExceeded);
}

#[test]
fn tighten_aggregate_fails_when_signer_epoch_expiry_or_accounts_are_wrong() {
    let mut world = World::with_aggregate();
    let (tighten, admin) = (ix(&world, |p| p.limit_micro_usd -= 1), world.risk_admin.insecure_clone());
    let stranger = world.payer.insecure_clone();
    world.refuses(&with_account(&tighten, 0, stranger.pubkey()), &[], E::WrongAuthority);
    let mut unsigned = tighten.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    for index in [GUARD, LIMIT] {
        world.anchor_refuses(&with_read_only(&tighten, index), &[&admin], ErrorCode::ConstraintMut);
    }
    let cosplay = with_account(&tighten, LIMIT, world.keys.vault);
    world.anchor_refuses(&cosplay, &[&admin], ErrorCode::AccountDiscriminatorMismatch);
    let stolen = world.copy_under(&world.aggregate_key(), anchor_spl::token::ID);
    world.anchor_refuses(&with_account(&tighten, LIMIT, stolen), &[&admin], ErrorCode::AccountOwnedByWrongProgram);
    let other = world.other_guard().guard;
    let theirs = aggregate::initialize_aggregate(world.root.pubkey(), other, defaults::aggregate());
    world.send_as_root(&[theirs]).unwrap();
    world.refuses(&with_account(&tighten, LIMIT, address::aggregate(&other)), &[&admin], E::AggregateMismatch);
    let params = world.aggregate().params;
    let at = |validity| aggregate::tighten_aggregate(admin.pubkey(), world.guard, params, validity);
    let late = at(Validity { expires_at_ts: world.now_ts() - 1, ..world.validity() });
    let stale = at(Validity { authority_epoch: 1, ..world.validity() });
    world.refuses(&late, &[&admin], E::InstructionExpired);
    world.refuses(&stale, &[&admin], E::AuthorityEpochMoved);
}

#[test]
fn dollar_limit_loosens_only_as_a_change_that_waits_and_usage_survives_it() {
    let mut world = World::with_aggregate();
    world.lender(500_000 * USDC);
    let key = world.aggregate_key();
    let params = world.aggregate().params;
    let raised = AggregateParams { limit_micro_usd: params.limit_micro_usd * 5 / 4, ..params };
    let change = world.propose(key, Change::Aggregate(raised));
    let ix = world.execute_ix(change, &[]);
    world.refuses(&ix, &[], E::ChangeNotRipe);
    world.ripen();
    world.lease(300_000 * USD).unwrap();
    let leased = world.aggregate().leased;
    world.execute(change, &[]).unwrap();
    assert_eq!((world.aggregate().params, world.aggregate().leased), (raised, leased));
    assert_eq!(world.leased(), (300_000 * USD, 300_000 * USD));
}

#[test]
fn dollar_limit_is_switched_off_and_on_by_changes_and_the_guard_says_so() {
    let mut world = World::with_aggregate();
    let (key, params) = (world.aggregate_key(), world.aggregate().params);
    let off = AggregateParams { switch: Switch::Disabled as u8, ..params };
    let change = world.propose(key, Change::Aggregate(off));
    assert!(world.guard_state().has_aggregate_in_force());
    world.ripen();
    world.execute(change, &[]).unwrap();
    assert!(!world.guard_state().has_aggregate_in_force());
    let (ix, admin) = (ix(&world, |p| p.switch = Switch::Enabled as u8), world.risk_admin.insecure_clone());
    world.send(&[ix], &[&admin]).unwrap();
    assert!(world.guard_state().has_aggregate_in_force());
}

#[test]
fn change_of_the_dollar_limit_is_refused_beyond_its_effect_its_floor_and_for_the_window() {
    let mut world = World::with_aggregate();
    let (key, root, params) = (world.aggregate_key(), world.root.insecure_clone(), world.aggregate().params);
    let propose = |world: &World, change: fn(&mut AggregateParams)| {
        let mut next = params;
        change(&mut next);
        world.propose_ix(key, Change::Aggregate(next))
    };
    let window = propose(&world, |p| p.window_secs /= 2);
    world.refuses(&window, &[&root], E::FixedAtCreation);
    let nothing = propose(&world, |p| p.limit_micro_usd = 0);
    world.refuses(&nothing, &[&root], E::AggregateInvalid);
    let same = propose(&world, |_| ());
    world.refuses(&same, &[&root], E::ChangeIsEmpty);
    let elsewhere = with_account(&propose(&world, |p| p.limit_micro_usd += 1), 2, world.keys.vault);
    world.anchor_refuses(&elsewhere, &[&root], ErrorCode::AccountDiscriminatorMismatch);
    // Drift's way: a limit without end, by a valid admin
    for beyond in [u64::MAX, params.limit_micro_usd * 5 / 4 + 1] {
        let next = AggregateParams { limit_micro_usd: beyond, ..params };
        let change = world.propose(key, Change::Aggregate(next));
        world.ripen();
        let ix = world.execute_ix(change, &[]);
        world.refuses(&ix, &[], E::EffectTooLarge);
    }
    let mut guard = world.guard_state();
    guard.finality = Finality::Frozen as u8;
    world.store(&world.guard.clone(), &guard);
    let off = propose(&world, |p| p.switch = Switch::Disabled as u8);
    world.refuses(&off, &[&root], E::GuardFrozen);
}
