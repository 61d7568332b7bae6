//! Groups: true only while all of their rules are, and never stronger than the strongest of them.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError;
use rampart::events::{BreakerSteppedDown, BreakerTripped, GroupCreated};
use rampart::state::group::GroupParams;
use rampart::state::rule::{RuleParams, Standing};
use rampart::state::{Level, Levels, Reach, RuleGroup, Switch};
use rampart_client::{Instruction, Pubkey, address, evidence, groups};
use rampart_tests::defaults;
use rampart_tests::refusals::{with_account, with_extra, with_last_two_swapped, with_read_only, without_last};
use rampart_tests::{World, assert_error, events, keepers, rules};
use solana_sdk::signer::Signer;

const SCOPE: usize = 1;

fn params() -> GroupParams {
    GroupParams {
        duration_secs: 3_600,
        min_dwell_secs: 300,
        max_age_secs: 30,
        level: Level::ReduceOnly as u8,
        bounty: Switch::Disabled as u8,
        reserved: [0; 2],
    }
}

fn member(params: RuleParams) -> RuleParams {
    RuleParams { standing: Standing::Member as u8, ..params }
}

/// A drawdown of 10 % and a deviation of 10 %, both of the collateral, and a group of both.
fn setup() -> (World, [Pubkey; 2], Pubkey) {
    let mut world = World::with_vault();
    let subject = world.keys.collateral_asset;
    let both = [
        world.create_rule(1, subject, member(defaults::drawdown_rule())),
        world.create_rule(2, subject, member(rules::deviation())),
    ];
    let ix = create_ix(&world, params(), &both);
    world.send_as_root(&[ix]).expect("group is created");
    let group = address::group(&world.guard, 3);
    (world, both, group)
}

fn create_ix(world: &World, params: GroupParams, rules: &[Pubkey]) -> Instruction {
    groups::create_group(world.root.pubkey(), world.guard, world.keys.collateral_asset, 3, params, rules)
}

fn trip_ix(world: &World, group: Pubkey) -> Instruction {
    groups::trip_group(group, &world.load::<RuleGroup>(&group), None)
}

fn step_down_ix(world: &World, group: Pubkey, rule: Pubkey) -> Instruction {
    groups::step_down_group(group, &world.load::<RuleGroup>(&group), rule)
}

fn see(world: &mut World, rules: &[Pubkey], secs: i64, dollars: f64) {
    world.advance(secs);
    world.set_prices(dollars, 1.0);
    rules.iter().for_each(|rule| drop(world.observe_rule(*rule).expect("rule is observed")));
}

#[test]
fn create_group_stores_every_field() {
    let (world, both, key) = setup();
    let group: RuleGroup = world.load(&key);
    assert_eq!((group.guard, group.scope, group.params), (world.guard, world.keys.collateral_asset, params()));
    assert_eq!((group.active(), group.rules[2], group.rules[3]), (&both[..], Pubkey::default(), Pubkey::default()));
    assert_eq!((group.reach, group.trip_epoch, group.step_downs, group.id), (Reach::All as u8, 0, 0, 3));
    assert_eq!((group.version, group.reserved), (1, [0; 66]));
    assert_eq!(world.svm.get_account(&key).unwrap().data.len(), RuleGroup::SPACE);
}

#[test]
fn create_group_tells_of_itself_and_may_govern_the_whole_guard() {
    let (mut world, both, _) = setup();
    let root = world.root.pubkey();
    let ix = groups::create_group(root, world.guard, world.guard, 4, params(), &both);
    let landed = world.send_as_root(&[ix]).unwrap();
    let fact: GroupCreated = events::the_one(&landed);
    let key = address::group(&world.guard, 4);
    assert_eq!((fact.guard, fact.group, fact.scope), (world.guard, key, world.guard));
    see(&mut world, &both, 10, 120.0);
    let ix = trip_ix(&world, key);
    world.send(&[ix], &[]).unwrap();
    assert_eq!(world.guard_state().breaker.levels_at(world.now_ts()), Levels::all(Level::ReduceOnly));
}

#[test]
fn create_group_fails_for_rules_or_parameters_that_cannot_be_a_group() {
    let (mut world, both, _) = setup();
    let root = world.root.insecure_clone();
    let (guard, subject) = (world.guard, world.keys.collateral_asset);
    let create = |params, rules: &[Pubkey]| groups::create_group(root.pubkey(), guard, subject, 9, params, rules);
    let many: Vec<_> = (11..=15).map(|id| world.create_rule(id, subject, defaults::drawdown_rule())).collect();
    for rules in [&[][..], &both[..1], &[both[0], both[0]], &many, &[both[0], subject], &[both[0], world.sol.mint]] {
        world.refuses(&create(params(), rules), &[&root], RampartError::GroupInvalid);
    }
    let changes: [fn(&mut GroupParams); 7] = [
        |p| p.level = Level::Normal as u8,
        |p| p.level = Level::Resolution as u8,
        // both rules call for ReduceOnly at most
        |p| p.level = Level::Halt as u8,
        |p| p.duration_secs = 0,
        |p| p.min_dwell_secs = 3_601,
        |p| p.max_age_secs = 0,
        |p| p.max_age_secs = 61,
    ];
    for change in changes {
        let mut params = params();
        change(&mut params);
        world.refuses(&create(params, &both), &[&root], RampartError::GroupInvalid);
    }
    let long = GroupParams { duration_secs: 86_401, ..params() };
    world.refuses(&create(long, &both), &[&root], RampartError::OutsideHardBounds);
    for change in [(|p| p.level = 9) as fn(&mut GroupParams), |p| p.bounty = 0, |p| p.reserved[0] = 1] {
        let mut params = params();
        change(&mut params);
        world.refuses(&create(params, &both), &[&root], RampartError::UnknownKind);
    }
    let stolen = world.copy_under(&both[1], anchor_spl::token::ID);
    world.refuses(&create(params(), &[both[0], stolen]), &[&root], RampartError::GroupInvalid);
}

#[test]
fn create_group_fails_for_another_guards_rules_or_scope_and_for_anybody_but_root() {
    let (mut world, both, _) = setup();
    let (root, other) = (world.root.insecure_clone(), world.other_guard());
    let guard = world.guard;
    for scope in [other.guard, other.vault, other.collateral_asset, world.sol.mint, both[0]] {
        let ix = groups::create_group(root.pubkey(), guard, scope, 9, params(), &both);
        world.refuses(&ix, &[&root], RampartError::RuleSubjectMismatch);
    }
    let ix = groups::create_group(root.pubkey(), other.guard, other.vault, 9, params(), &both);
    world.refuses(&ix, &[&root], RampartError::GroupInvalid);
    let admin = world.risk_admin.insecure_clone();
    let ix = groups::create_group(admin.pubkey(), guard, guard, 9, params(), &both);
    world.refuses(&ix, &[&admin], RampartError::WrongAuthority);
    world.callee_refuses(&create_ix(&world, params(), &both), &[&root], 0);
}

#[test]
fn rule_of_a_group_alone_does_not_trip_by_itself() {
    let (mut world, both, _) = setup();
    world.advance(10);
    world.set_prices(120.0, 1.0);
    for rule in both {
        world.refuses(&world.trip_ix(rule), &[], RampartError::RuleOnlyInGroup);
    }
}

#[test]
fn trip_group_raises_the_level_when_every_rule_was_just_seen_true() {
    let (mut world, both, key) = setup();
    world.advance(10);
    world.set_prices(120.0, 1.0);
    // one transaction: both proofs, and the trip
    let ixs = [world.observe_rule_ix(both[0]), world.observe_rule_ix(both[1]), trip_ix(&world, key)];
    let landed = world.send(&ixs, &[]).unwrap();
    let cause = world.sol_asset().breaker.causes[0];
    assert_eq!((cause.source, cause.level, cause.reach), (key, Level::ReduceOnly as u8, Reach::All as u8));
    assert_eq!((cause.expires_at_ts, cause.dwell_until_ts), (world.now_ts() + 3_600, world.now_ts() + 300));
    assert_eq!(world.load::<RuleGroup>(&key).trip_epoch, 1);
    let fact: BreakerTripped = events::the_one(&landed);
    assert_eq!((fact.rule, fact.scope, fact.trip_epoch), (key, world.keys.collateral_asset, 1));
    assert_eq!((fact.level, fact.level_before, fact.level_after), (2, 0, 2));
    // the fence, and what is in force already
    world.refuses(&ixs[2], &[], RampartError::TripEpochMoved);
    world.refuses(&trip_ix(&world, key), &[], RampartError::AlreadyTripped);
}

#[test]
fn trip_group_fails_unless_every_rule_was_seen_true_within_its_time() {
    let (mut world, both, key) = setup();
    world.refuses(&trip_ix(&world, key), &[], RampartError::GroupNotTrue);
    see(&mut world, &both[..1], 10, 120.0);
    world.refuses(&trip_ix(&world, key), &[], RampartError::GroupNotTrue);
    see(&mut world, &both[1..], 31, 120.0);
    world.refuses(&trip_ix(&world, key), &[], RampartError::GroupNotTrue);
    see(&mut world, &both[..1], 30, 120.0);
    let ix = trip_ix(&world, key);
    world.simulate(std::slice::from_ref(&ix)).unwrap();
    // seen clear in between
    see(&mut world, &both[1..], 1, 149.0);
    world.refuses(&ix, &[], RampartError::GroupNotTrue);
}

#[test]
fn trip_group_needs_the_persistence_of_every_rule() {
    let mut world = World::with_vault();
    let subject = world.keys.collateral_asset;
    let slow = RuleParams { min_persist_secs: 20, min_observations: 3, ..member(rules::deviation()) };
    let both = [world.create_rule(1, subject, member(defaults::drawdown_rule())), world.create_rule(2, subject, slow)];
    world.send_as_root(&[create_ix(&world, params(), &both)]).unwrap();
    let key = address::group(&world.guard, 3);
    for secs in [10, 10] {
        see(&mut world, &both, secs, 120.0);
        world.refuses(&trip_ix(&world, key), &[], RampartError::GroupNotTrue);
    }
    see(&mut world, &both, 10, 120.0);
    let ix = trip_ix(&world, key);
    world.send(&[ix], &[]).unwrap();
}

#[test]
fn trip_group_fails_unless_its_rules_are_there_in_order() {
    let (mut world, both, key) = setup();
    let twin = world.create_rule(5, world.keys.collateral_asset, defaults::drawdown_rule());
    see(&mut world, &[both[0], both[1], twin], 10, 120.0);
    let ix = trip_ix(&world, key);
    let (last, mismatch) = (ix.accounts.len() - 1, RampartError::GroupRulesMismatch);
    world.refuses(&without_last(&ix), &[], mismatch);
    world.refuses(&with_extra(&ix, both[1]), &[], mismatch);
    world.refuses(&with_last_two_swapped(&ix), &[], mismatch);
    let copy = world.copy_under(&both[1], rampart::ID);
    for other in [both[0], twin, key, world.guard, copy] {
        world.refuses(&with_account(&ix, last, other), &[], mismatch);
    }
    for other in [world.guard, world.keys.loan_asset, world.keys.vault] {
        world.refuses(&with_account(&ix, SCOPE, other), &[], RampartError::RuleSubjectMismatch);
    }
    for other in [world.guard, both[0]] {
        world.anchor_refuses(&with_account(&ix, 0, other), &[], ErrorCode::AccountDiscriminatorMismatch);
    }
    let stolen = world.copy_under(&key, anchor_spl::token::ID);
    world.anchor_refuses(&with_account(&ix, 0, stolen), &[], ErrorCode::AccountOwnedByWrongProgram);
    world.anchor_refuses(&with_read_only(&ix, 0), &[], ErrorCode::ConstraintMut);
    world.anchor_refuses(&with_read_only(&ix, SCOPE), &[], ErrorCode::ConstraintMut);
    let mut rule = world.rule(&both[0]);
    rule.params.switch = Switch::Disabled as u8;
    world.store(&both[0], &rule);
    world.refuses(&ix, &[], RampartError::RuleDisabled);
}

#[test]
fn step_down_group_needs_one_rule_that_was_just_seen_clear_and_the_dwell_time() {
    let (mut world, both, key) = setup();
    see(&mut world, &both, 10, 120.0);
    let ix = trip_ix(&world, key);
    world.send(&[ix], &[]).unwrap();
    for rule in both {
        world.refuses(&step_down_ix(&world, key, rule), &[], RampartError::GroupNotClear);
    }
    see(&mut world, &both[..1], 100, 149.0);
    world.refuses(&step_down_ix(&world, key, both[0]), &[], RampartError::DwellNotOver);
    world.advance(200);
    // clear, but too long ago
    world.refuses(&step_down_ix(&world, key, both[0]), &[], RampartError::GroupNotClear);
    see(&mut world, &both[..1], 1, 149.0);
    world.refuses(&step_down_ix(&world, key, both[1]), &[], RampartError::GroupNotClear);
    let stranger = world.create_rule(5, world.keys.collateral_asset, defaults::drawdown_rule());
    world.refuses(&step_down_ix(&world, key, stranger), &[], RampartError::GroupRulesMismatch);
    let ix = step_down_ix(&world, key, both[0]);
    world.refuses(&with_account(&ix, 2, world.guard), &[], RampartError::RuleSubjectMismatch);
    let landed = world.send(std::slice::from_ref(&ix), &[]).unwrap();
    let fact: BreakerSteppedDown = events::the_one(&landed);
    assert_eq!((fact.rule, fact.from, fact.to), (key, 2, 1));
    let group: RuleGroup = world.load(&key);
    assert_eq!((group.trip_epoch, group.step_downs), (2, 1));
    world.refuses(&ix, &[], RampartError::TripEpochMoved);
    assert_eq!(world.level(), Level::Caution);
}

#[test]
fn group_narrows_exits_only_where_one_of_its_rules_may() {
    let (mut world, keepers) = World::with_keepers(3);
    let subject = world.keys.collateral_asset;
    let caution = RuleParams { level: Level::Caution as u8, ..member(defaults::drawdown_rule()) };
    let both = [world.create_rule(1, subject, caution), world.create_rule(2, subject, member(keepers::median()))];
    world.send_as_root(&[create_ix(&world, params(), &both)]).unwrap();
    let key = address::group(&world.guard, 3);
    assert_eq!(world.load::<RuleGroup>(&key).reach, Reach::NewRisk as u8);
    // what hangs on reports ends within six hours
    let root = world.root.insecure_clone();
    let long = GroupParams { duration_secs: 6 * 3_600 + 1, ..params() };
    let ix = groups::create_group(root.pubkey(), world.guard, subject, 4, long, &both);
    world.refuses(&ix, &[&root], RampartError::GroupInvalid);
    keepers.report_all(&mut world, subject, 9_000);
    see(&mut world, &both, 10, 120.0);
    let ix = trip_ix(&world, key);
    world.send(&[ix], &[]).unwrap();
    let levels = world.sol_asset().breaker.levels_at(world.now_ts());
    assert_eq!(levels, Levels { risk: Level::ReduceOnly, exit: Level::Normal });
    // at Caution the drawdown may narrow exits by itself, so the group may
    let mild = GroupParams { level: Level::Caution as u8, ..params() };
    let ix = groups::create_group(root.pubkey(), world.guard, subject, 5, mild, &both);
    world.send_as_root(&[ix]).unwrap();
    assert_eq!(world.load::<RuleGroup>(&address::group(&world.guard, 5)).reach, Reach::All as u8);
}

/// Case 68: the largest group there is, on the largest set of keepers: each proof and the trip in its own budget.
#[test]
fn case_068_largest_group_trips_within_one_transaction_each() {
    let (mut world, keepers) = World::with_keepers(15);
    let subject = world.keys.collateral_asset;
    let reported = [member(keepers::median()), member(keepers::spread()), member(keepers::silence())];
    let mut four: Vec<_> = (1..).zip(reported).map(|(id, p)| world.create_rule(id, subject, p)).collect();
    four.push(world.create_rule(4, subject, member(defaults::drawdown_rule())));
    let caution = GroupParams { level: Level::Caution as u8, ..params() };
    world.send_as_root(&[create_ix(&world, caution, &four)]).unwrap();
    world.warm_up(10, 60);
    keepers.report_all(&mut world, subject, 9_000);
    world.set_prices(120.0, 1.0);
    for rule in &four {
        let landed = world.observe_rule(*rule).unwrap();
        assert!(landed.compute_units_consumed < 30_000, "{}", landed.compute_units_consumed);
    }
    // keepers that agree are no spread: three of four are not all
    assert_error(world.send(&[trip_ix(&world, address::group(&world.guard, 3))], &[]), RampartError::GroupNotTrue);
    assert_eq!(evidence::scope_of(&world.rule(&four[0])), subject);
}
