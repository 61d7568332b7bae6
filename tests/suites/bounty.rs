//! Bounties: paid from lamports put aside for it, within limits that never limit a trip.

use rampart::Validity;
use rampart::error::RampartError;
use rampart::events::{BountyPaid, BountySet};
use rampart::state::bounty::{BountyParams, BountyVault};
use rampart::state::group::GroupParams;
use rampart::state::rule::RuleParams;
use rampart::state::{Level, RuleGroup, Switch};
use rampart_client::{Instruction, Pubkey, address, bounty, evidence, groups};
use rampart_tests::refusals::with_account;
use rampart_tests::{Outcome, World, defaults, events, rules};
use solana_sdk::signer::Signer;

const BOUNTY: u64 = 5_000_000;
const FUNDS: u64 = 1_000_000_000;
const VAULT: usize = 5;
const TO: usize = 6;

fn params() -> BountyParams {
    BountyParams { bounty_lamports: BOUNTY, daily_limit_lamports: 2 * BOUNTY, cooldown_secs: 600, reserved: [0; 4] }
}

fn paid(params: RuleParams) -> RuleParams {
    RuleParams { bounty: Switch::Enabled as u8, duration_secs: 60, min_dwell_secs: 0, ..params }
}

fn valid(world: &World) -> Validity {
    Validity { authority_epoch: 0, expires_at_ts: world.now_ts() + 60 }
}

/// A funded bounty vault, a rule that is true and paid for, and who is to be paid.
fn setup() -> (World, Pubkey, Pubkey) {
    let mut world = World::with_vault();
    let ix = bounty::initialize_bounty(world.root.pubkey(), world.guard, params());
    world.send_as_root(&[ix]).expect("vault is created");
    let key = address::bounty_vault(&world.guard);
    world.svm.airdrop(&key, FUNDS).expect("airdrop");
    let rule = world.create_rule(1, world.keys.collateral_asset, paid(defaults::drawdown_rule()));
    world.advance(10);
    world.set_prices(120.0, 1.0);
    let to = world.new_key().pubkey();
    world.svm.airdrop(&to, FUNDS).expect("airdrop");
    (world, rule, to)
}

fn trip_ix(world: &World, rule: Pubkey, to: Pubkey) -> Instruction {
    let (pair, oracles) = world.evidence_of(&rule);
    evidence::trip_for(rule, &world.rule(&rule), pair, &oracles, Some(to))
}

/// Lets the last level end, and trips again.
fn trip_again(world: &mut World, rule: Pubkey, to: Pubkey, secs: i64) -> Outcome {
    world.advance(secs);
    world.warm_up_at(150.0);
    world.set_prices(120.0, 1.0);
    let ix = trip_ix(world, rule, to);
    world.send(&[ix], &[])
}

fn gained(world: &World, to: Pubkey) -> u64 {
    world.svm.get_account(&to).map_or(0, |a| a.lamports) - FUNDS
}

trait Warm {
    fn warm_up_at(&mut self, dollars: f64);
}

impl Warm for World {
    fn warm_up_at(&mut self, dollars: f64) {
        for _ in 0..10 {
            self.tick(60, dollars, 1.0);
        }
    }
}

#[test]
fn initialize_bounty_stores_every_field_and_refuses_what_is_no_bounty() {
    let mut world = World::with_guard();
    let root = world.root.insecure_clone();
    let create = |world: &World, params| bounty::initialize_bounty(root.pubkey(), world.guard, params);
    let changes: [fn(&mut BountyParams); 4] = [
        |p| p.bounty_lamports = 0,
        |p| p.bounty_lamports = 100_000_001,
        |p| p.daily_limit_lamports = BOUNTY - 1,
        |p| p.cooldown_secs = 0,
    ];
    for change in changes {
        let mut params = params();
        change(&mut params);
        world.refuses(&create(&world, params), &[&root], RampartError::BountyInvalid);
    }
    let reserved = BountyParams { reserved: [1, 0, 0, 0], ..params() };
    world.refuses(&create(&world, reserved), &[&root], RampartError::UnknownKind);
    let admin = world.risk_admin.insecure_clone();
    let ix = bounty::initialize_bounty(admin.pubkey(), world.guard, params());
    world.refuses(&ix, &[&admin], RampartError::WrongAuthority);
    let landed = world.send_as_root(&[create(&world, params())]).unwrap();
    let vault: BountyVault = world.load(&address::bounty_vault(&world.guard));
    assert_eq!((vault.guard, vault.params, vault.paid_at_ts, vault.total_lamports), (world.guard, params(), 0, 0));
    assert_eq!((vault.paid.total(), vault.version, vault.reserved), (0, 1, [0; 62]));
    assert_eq!(events::the_one::<BountySet>(&landed).bounty_lamports, BOUNTY);
    world.callee_refuses(&create(&world, params()), &[&root], 0);
}

#[test]
fn trip_pays_its_bounty_to_whom_it_names() {
    let (mut world, rule, to) = setup();
    let key = address::bounty_vault(&world.guard);
    let before = world.svm.get_account(&key).unwrap().lamports;
    let ix = trip_ix(&world, rule, to);
    let landed = world.send(&[ix], &[]).unwrap();
    assert_eq!((gained(&world, to), world.svm.get_account(&key).unwrap().lamports), (BOUNTY, before - BOUNTY));
    let vault: BountyVault = world.load(&key);
    assert_eq!((vault.paid_at_ts, vault.total_lamports, vault.paid.total()), (world.now_ts(), BOUNTY, BOUNTY));
    let fact: BountyPaid = events::the_one_logged(&landed);
    assert_eq!((fact.guard, fact.source, fact.to, fact.amount_lamports), (world.guard, rule, to, BOUNTY));
    assert_eq!(world.level(), Level::ReduceOnly);
}

/// Case 61: whoever makes the condition by itself is paid seldom and little, and only where root said so.
#[test]
fn case_061_bounties_have_a_cooldown_and_a_daily_limit_that_never_limit_trips() {
    let (mut world, rule, to) = setup();
    let ix = trip_ix(&world, rule, to);
    world.send(&[ix], &[]).unwrap();
    let second = world.create_rule(2, world.keys.collateral_asset, paid(rules::deviation()));
    // within the cooldown: the level rises, nothing is paid
    let ix = trip_ix(&world, second, to);
    world.send(&[ix], &[]).unwrap();
    assert_eq!((world.rule(&second).trip_epoch, gained(&world, to)), (1, BOUNTY));
    trip_again(&mut world, rule, to, 60).unwrap();
    assert_eq!(gained(&world, to), 2 * BOUNTY);
    // the day's limit is used up
    trip_again(&mut world, rule, to, 3_600).unwrap();
    assert_eq!((world.rule(&rule).trip_epoch, gained(&world, to)), (3, 2 * BOUNTY));
    trip_again(&mut world, rule, to, 86_400).unwrap();
    assert_eq!(gained(&world, to), 3 * BOUNTY);
}

#[test]
fn trip_goes_on_without_a_bounty_where_none_is_due() {
    let (mut world, rule, to) = setup();
    let unpaid = world.create_rule(2, world.keys.collateral_asset, rules::deviation());
    let ix = trip_ix(&world, unpaid, to);
    world.send(&[ix], &[]).unwrap();
    assert_eq!(gained(&world, to), 0);
    // without anybody to pay
    world.trip(rule).unwrap();
    assert_eq!(world.load::<BountyVault>(&address::bounty_vault(&world.guard)).total_lamports, 0);
    // and with a vault that holds too little
    let (mut world, rule, to) = setup();
    let root = world.root.insecure_clone();
    let ix = bounty::withdraw_bounty(root.pubkey(), world.guard, root.pubkey(), FUNDS - BOUNTY + 1, valid(&world));
    world.send_as_root(&[ix]).unwrap();
    let ix = trip_ix(&world, rule, to);
    world.send(&[ix], &[]).unwrap();
    assert_eq!((gained(&world, to), world.level()), (0, Level::ReduceOnly));
}

#[test]
fn trip_fails_with_half_a_bounty_or_another_guards_vault() {
    let (mut world, rule, to) = setup();
    let ix = trip_ix(&world, rule, to);
    let mismatch = RampartError::BountyAccountsMismatch;
    for index in [VAULT, TO] {
        world.refuses(&with_account(&ix, index, rampart::ID), &[], mismatch);
    }
    let own = address::bounty_vault(&world.guard);
    world.refuses(&with_account(&ix, TO, own), &[], mismatch);
    let other = world.other_guard().guard;
    let create = bounty::initialize_bounty(world.root.pubkey(), other, params());
    world.send_as_root(&[create]).unwrap();
    world.refuses(&with_account(&ix, VAULT, address::bounty_vault(&other)), &[], mismatch);
    // nothing that users hold can pay
    for account in [world.keys.vault, world.guard] {
        let theirs = with_account(&ix, VAULT, account);
        world.anchor_refuses(&theirs, &[], anchor_lang::error::ErrorCode::AccountDiscriminatorMismatch);
    }
}

#[test]
fn trip_of_a_group_pays_its_bounty() {
    let (mut world, rule, to) = setup();
    let second = world.create_rule(2, world.keys.collateral_asset, rules::deviation());
    let group = GroupParams {
        duration_secs: 60,
        min_dwell_secs: 0,
        max_age_secs: 30,
        level: Level::ReduceOnly as u8,
        bounty: Switch::Enabled as u8,
        reserved: [0; 2],
    };
    let (root, guard, vault) = (world.root.pubkey(), world.guard, world.keys.vault);
    world.send_as_root(&[groups::create_group(root, guard, vault, 1, group, &[rule, second])]).unwrap();
    world.observe_rule(rule).unwrap();
    world.observe_rule(second).unwrap();
    let key = address::group(&guard, 1);
    let ix = groups::trip_group(key, &world.load::<RuleGroup>(&key), Some(to));
    world.send(&[ix], &[]).unwrap();
    assert_eq!((gained(&world, to), world.level()), (BOUNTY, Level::ReduceOnly));
}

#[test]
fn set_bounty_and_withdraw_bounty_are_for_root_alone() {
    let (mut world, _, to) = setup();
    let (root, guard) = (world.root.insecure_clone(), world.guard);
    for signer in [world.risk_admin.insecure_clone(), world.payer.insecure_clone()] {
        let set = bounty::set_bounty(signer.pubkey(), guard, params(), valid(&world));
        world.refuses(&set, &[&signer], RampartError::WrongAuthority);
        let take = bounty::withdraw_bounty(signer.pubkey(), guard, to, 1, valid(&world));
        world.refuses(&take, &[&signer], RampartError::WrongAuthority);
    }
    let smaller = BountyParams { bounty_lamports: 1, ..params() };
    let set = bounty::set_bounty(root.pubkey(), guard, smaller, valid(&world));
    world.send_as_root(std::slice::from_ref(&set)).unwrap();
    assert_eq!(world.load::<BountyVault>(&address::bounty_vault(&guard)).params, smaller);
    let zero = BountyParams { bounty_lamports: 0, ..params() };
    let ix = bounty::set_bounty(root.pubkey(), guard, zero, valid(&world));
    world.refuses(&ix, &[&root], RampartError::BountyInvalid);
    let take = |world: &World, amount| bounty::withdraw_bounty(root.pubkey(), guard, to, amount, valid(world));
    world.refuses(&take(&world, FUNDS + 1), &[&root], RampartError::AmountExceedsPosition);
    let own = with_account(&take(&world, 1), 3, address::bounty_vault(&guard));
    world.refuses(&own, &[&root], RampartError::BountyAccountsMismatch);
    world.send_as_root(&[take(&world, FUNDS)]).unwrap();
    assert_eq!(gained(&world, to), FUNDS);
    let stale = take(&world, 0);
    world.advance(61);
    world.refuses(&stale, &[&root], RampartError::InstructionExpired);
    world.refuses(&set, &[&root], RampartError::InstructionExpired);
    let other = world.other_guard().guard;
    let foreign = with_account(
        &bounty::withdraw_bounty(root.pubkey(), other, to, 1, valid(&world)),
        2,
        address::bounty_vault(&guard),
    );
    world.refuses(&foreign, &[&root], RampartError::BountyAccountsMismatch);
    let mut unsigned = take(&world, 1);
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], anchor_lang::error::ErrorCode::AccountNotSigner);
}
