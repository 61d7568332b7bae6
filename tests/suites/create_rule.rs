//! Creating a rule: what is stored, and every rule that cannot work, or could be misused, is refused.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError;
use rampart::events::RuleCreated;
use rampart::state::asset::ReferenceSpan;
use rampart::state::oracle_set::Pin;
use rampart::state::rule::{Comparator, Metric, RuleParams, Scope, Streak};
use rampart::state::{Level, Rule};
use rampart_client::{Instruction, Pubkey, address, admin};
use rampart_tests::refusals::with_account;
use rampart_tests::{World, defaults, events, rules};
use solana_sdk::signer::Signer;

const ALREADY_IN_USE: u32 = 0;

fn ix(world: &World, subject: Pubkey, params: RuleParams) -> Instruction {
    admin::create_rule(world.root.pubkey(), world.guard, subject, 7, params)
}

#[track_caller]
fn refuses_on(world: &mut World, subject: Pubkey, params: RuleParams, expected: RampartError) {
    let root = world.root.insecure_clone();
    world.refuses(&ix(world, subject, params), &[&root], expected);
    assert!(world.svm.get_account(&address::rule(&world.guard, 7)).is_none());
}

#[track_caller]
fn refuses(world: &mut World, change: impl FnOnce(&mut RuleParams), expected: RampartError) {
    let mut params = defaults::drawdown_rule();
    change(&mut params);
    refuses_on(world, world.keys.collateral_asset, params, expected);
}

/// Each metric's rule with its subject.
fn every_metric(world: &World) -> Vec<(Pubkey, RuleParams)> {
    let (asset, vault) = (world.keys.collateral_asset, world.keys.vault);
    vec![
        (asset, defaults::drawdown_rule()),
        (asset, rules::realized_volatility()),
        (asset, rules::source_disagreement()),
        (asset, rules::supply_growth()),
        (vault, rules::inflow_rate()),
        (vault, rules::utilisation()),
        (vault, rules::reserve_cover()),
        (asset, rules::deviation()),
        (asset, rules::deviation_from(ReferenceSpan::Day)),
        (asset, rules::oracle_age()),
        (asset, rules::confidence_ratio()),
        (vault, rules::outflow_rate()),
        (vault, rules::collateral_ratio()),
    ]
}

#[test]
fn create_rule_stores_every_field_for_every_metric() {
    let mut world = World::with_vault();
    for (index, (subject, params)) in every_metric(&world).into_iter().enumerate() {
        let id = 300 + index as u16;
        let ix = admin::create_rule(world.root.pubkey(), world.guard, subject, id, params);
        let landed = world.send_as_root(&[ix]).unwrap();
        let key = address::rule(&world.guard, id);
        let rule = world.rule(&key);
        assert_eq!((rule.guard, rule.subject, rule.params), (world.guard, subject, params));
        assert_eq!((rule.streak, rule.trip_epoch, rule.id), (Streak::default(), 0, id));
        assert_eq!((rule.version, rule.reserved), (1, [0; 68]));
        let seeds: &[&[u8]] = &[b"rule", world.guard.as_ref(), &id.to_le_bytes(), &[rule.bump]];
        assert_eq!(Pubkey::create_program_address(seeds, &rampart::ID), Ok(key));
        assert_eq!(world.svm.get_account(&key).unwrap().data.len(), Rule::SPACE);
        let fact: RuleCreated = events::the_one(&landed);
        assert_eq!((fact.guard, fact.rule, fact.subject), (world.guard, key, subject));
    }
}

#[test]
fn create_rule_fails_when_the_signer_is_not_root() {
    let mut world = World::with_vault();
    let (subject, params) = (world.keys.collateral_asset, defaults::drawdown_rule());
    for signer in [world.risk_admin.insecure_clone(), world.payer.insecure_clone()] {
        let ix = admin::create_rule(signer.pubkey(), world.guard, subject, 7, params);
        world.refuses(&ix, &[&signer], RampartError::WrongAuthority);
    }
    let mut unsigned = ix(&world, subject, params);
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
}

#[test]
fn create_rule_fails_when_an_enum_is_unknown() {
    let mut world = World::with_vault();
    let fields: [fn(&mut RuleParams) -> &mut u8; 4] =
        [|r| &mut r.metric, |r| &mut r.comparator, |r| &mut r.scope, |r| &mut r.switch];
    for field in fields {
        for value in [0, 7, u8::MAX] {
            refuses(&mut world, |r| *field(r) = value, RampartError::UnknownKind);
        }
    }
    refuses(&mut world, |r| r.level = 5, RampartError::UnknownKind);
    refuses(&mut world, |r| r.reserved[3] = 1, RampartError::UnknownKind);
}

#[test]
fn create_rule_fails_when_it_could_never_be_true_or_clear() {
    let mut world = World::with_vault();
    let changes: [fn(&mut RuleParams); 13] = [
        |r| r.clear_threshold = r.threshold,
        |r| r.threshold = 0,
        |r| r.threshold = 10_001,
        |r| r.comparator = Comparator::Below as u8,
        |r| (r.comparator, r.clear_threshold) = (Comparator::Below as u8, 2_000),
        |r| r.level = Level::Normal as u8,
        |r| r.level = Level::Resolution as u8,
        |r| r.window_secs = 0,
        |r| r.duration_secs = 0,
        |r| r.max_gap_secs = 0,
        |r| r.min_dwell_secs = r.duration_secs + 1,
        |r| r.min_observations = 0,
        |r| r.window_secs = 64 * 60 + 1,
    ];
    for change in changes {
        refuses(&mut world, change, RampartError::RuleInvalid);
    }
    refuses(&mut world, |r| r.duration_secs = 86_401, RampartError::OutsideHardBounds);
}

#[test]
fn create_rule_fails_when_a_line_lies_beyond_every_measure() {
    let mut world = World::with_vault();
    let (asset, vault) = (world.keys.collateral_asset, world.keys.vault);
    let beyond = u64::from(u32::MAX) + 1;
    let never_clear = RuleParams { clear_threshold: beyond, ..rules::collateral_ratio() };
    refuses_on(&mut world, vault, never_clear, RampartError::RuleInvalid);
    let never_true = RuleParams { threshold: beyond, ..rules::deviation() };
    refuses_on(&mut world, asset, never_true, RampartError::RuleInvalid);
    let longer = RuleParams { window_secs: 23 * 3_600 + 1, ..rules::outflow_rate() };
    refuses_on(&mut world, vault, longer, RampartError::RuleInvalid);
}

#[test]
fn create_rule_fails_when_a_single_source_could_close_exits() {
    let mut world = World::with_vault();
    let (asset, vault) = (world.keys.collateral_asset, world.keys.vault);
    for sources_required in [0, 1, 3, 4] {
        let params = RuleParams { sources_required, ..defaults::drawdown_rule() };
        refuses_on(&mut world, asset, params, RampartError::RuleInvalid);
    }
    // the collateral ratio is a price too: it once took one source for a halt
    let lone = RuleParams { sources_required: 1, ..rules::collateral_ratio() };
    refuses_on(&mut world, vault, lone, RampartError::RuleInvalid);
    let caution = RuleParams { sources_required: 1, level: Level::Caution as u8, ..defaults::drawdown_rule() };
    world.send_as_root(&[ix(&world, asset, caution)]).unwrap();
}

#[test]
fn create_rule_fails_when_blindness_would_restrict_exits() {
    let mut world = World::with_vault();
    let subject = world.keys.collateral_asset;
    for level in [Level::ReduceOnly, Level::Halt] {
        for params in [rules::oracle_age(), rules::confidence_ratio()] {
            refuses_on(&mut world, subject, RuleParams { level: level as u8, ..params }, RampartError::RuleInvalid);
        }
    }
}

#[test]
fn create_rule_fails_when_the_subject_is_of_another_kind() {
    let mut world = World::with_vault();
    let mismatch = RampartError::RuleSubjectMismatch;
    let (asset, vault, guard) = (world.keys.collateral_asset, world.keys.vault, world.guard);
    for (own, params) in every_metric(&world) {
        let other = if own == asset { vault } else { asset };
        for subject in [other, guard, world.usdc.mint, Pubkey::new_from_array([5; 32])] {
            refuses_on(&mut world, subject, params, mismatch);
        }
        let stolen = world.copy_under(&own, anchor_spl::token::ID);
        refuses_on(&mut world, stolen, params, mismatch);
    }
}

#[test]
fn create_rule_fails_when_the_subject_belongs_to_another_guard() {
    let mut world = World::with_vault();
    let (root, guard) = (world.root.pubkey(), address::guard(&world.root.pubkey(), 2));
    let roles = defaults::roles(root, world.risk_admin.pubkey());
    let args = rampart::InitializeGuardArgs { roles, bounds: defaults::bounds() };
    world.send_as_root(&[admin::initialize_guard(root, 2, args)]).unwrap();
    let signer = world.root.insecure_clone();
    for (subject, params) in every_metric(&world) {
        let foreign = admin::create_rule(root, guard, subject, 7, params);
        world.refuses(&foreign, &[&signer], RampartError::RuleSubjectMismatch);
    }
}

#[test]
fn create_rule_fails_when_the_guard_is_not_one() {
    let mut world = World::with_vault();
    let root = world.root.insecure_clone();
    let subject = world.keys.collateral_asset;
    let cosplay = admin::create_rule(root.pubkey(), subject, subject, 7, defaults::drawdown_rule());
    world.anchor_refuses(&cosplay, &[&root], ErrorCode::AccountDiscriminatorMismatch);
    let stolen = world.copy_under(&world.guard.clone(), anchor_spl::token::ID);
    let stolen = admin::create_rule(root.pubkey(), stolen, subject, 7, defaults::drawdown_rule());
    world.anchor_refuses(&stolen, &[&root], ErrorCode::AccountOwnedByWrongProgram);
}

#[test]
fn create_rule_fails_twice_or_at_the_address_of_another_id() {
    let mut world = World::with_vault();
    let root = world.root.insecure_clone();
    let create = ix(&world, world.keys.collateral_asset, defaults::drawdown_rule());
    let moved = with_account(&create, 3, address::rule(&world.guard, 8));
    world.anchor_refuses(&moved, &[&root], ErrorCode::ConstraintSeeds);
    world.send_as_root(std::slice::from_ref(&create)).unwrap();
    world.callee_refuses(&create, &[&root], ALREADY_IN_USE);
}

#[test]
fn create_rule_fails_on_the_age_of_sources_that_the_caller_chooses() {
    // the age is known of pinned accounts alone; with too few of them blindness was true for ever
    let mut world = World::with_guard();
    let mut args = defaults::asset_args(world.sol_feeds.set());
    (args.oracle.sources[0].pin, args.oracle.sources[0].account) = (Pin::Feed as u8, Pubkey::default());
    let register = admin::register_asset(world.root.pubkey(), world.guard, world.sol.mint, args);
    world.send_as_root(&[register]).unwrap();
    let subject = world.keys.collateral_asset;
    refuses_on(&mut world, subject, rules::oracle_age(), RampartError::RuleInvalid);
}

#[test]
fn create_rule_allows_the_guard_as_scope() {
    let mut world = World::with_vault();
    let params = RuleParams { scope: Scope::Guard as u8, metric: Metric::Drawdown as u8, ..defaults::drawdown_rule() };
    let key = world.create_rule(9, world.keys.loan_asset, params);
    assert_eq!(rampart_client::evidence::scope_of(&world.rule(&key)), world.guard);
}
