//! Tightening a rule: every field may move one way only.

use anchor_lang::error::ErrorCode;
use rampart::Validity;
use rampart::error::RampartError;
use rampart::events::RuleTightened;
use rampart::state::rule::{Comparator, Metric, RuleParams, Scope};
use rampart::state::{Level, Switch};
use rampart_client::{Instruction, Pubkey, address, admin};
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::rules::Shown;
use rampart_tests::{World, defaults, events, rules};
use solana_sdk::signer::Signer;

const RULE: usize = 2;

fn valid(world: &World) -> Validity {
    Validity { authority_epoch: 0, expires_at_ts: world.now_ts() + 60 }
}

fn ix(world: &World, rule: Pubkey, params: RuleParams) -> Instruction {
    admin::tighten_rule(world.risk_admin.pubkey(), world.guard, rule, params, valid(world))
}

fn setup() -> (World, Pubkey) {
    let mut world = World::with_vault();
    let params = RuleParams { min_persist_secs: 10, min_observations: 2, ..defaults::drawdown_rule() };
    let rule = world.create_rule(1, world.keys.collateral_asset, params);
    (world, rule)
}

#[track_caller]
fn refuses(setup: &mut (World, Pubkey), change: impl FnOnce(&mut RuleParams), expected: RampartError) {
    let (world, rule) = setup;
    let mut params = world.rule(rule).params;
    change(&mut params);
    let signer = world.risk_admin.insecure_clone();
    world.refuses(&ix(world, *rule, params), &[&signer], expected);
}

#[test]
fn tighten_rule_stores_every_parameter_and_nothing_else() {
    let (mut world, key) = setup();
    let before = world.rule(&key);
    let params = RuleParams {
        threshold: 900,
        clear_threshold: 400,
        min_persist_secs: 0,
        max_gap_secs: 130,
        duration_secs: 7_200,
        min_dwell_secs: 600,
        min_observations: 1,
        level: Level::Halt as u8,
        ..before.params
    };
    let signer = world.risk_admin.insecure_clone();
    let landed = world.send(&[ix(&world, key, params)], &[&signer]).unwrap();
    // the persistence that fell to nothing is the longest step
    let tightened = rampart::state::StepMeter { used_bps: 10_000, last_ts: world.now_ts(), ..before.tightened };
    assert_eq!(world.rule(&key), rampart::state::Rule { params, tightened, ..before });
    assert_eq!(events::the_one::<RuleTightened>(&landed).rule, key);
}

#[test]
fn tighten_rule_succeeds_for_root_and_with_the_values_that_stand() {
    let (mut world, key) = setup();
    let before = world.rule(&key);
    let ix = admin::tighten_rule(world.root.pubkey(), world.guard, key, before.params, valid(&world));
    world.send_as_root(&[ix]).unwrap();
    assert_eq!(world.rule(&key), before);
}

#[test]
fn tighten_rule_fails_when_any_field_would_loosen() {
    let mut setup = setup();
    let changes: [fn(&mut RuleParams); 10] = [
        |r| r.threshold += 1,
        |r| r.clear_threshold += 1,
        |r| r.min_persist_secs += 1,
        |r| r.max_gap_secs -= 1,
        |r| r.duration_secs -= 1,
        |r| r.min_dwell_secs -= 1,
        |r| r.min_observations += 1,
        |r| r.level = Level::Caution as u8,
        |r| r.sources_required = 3,
        |r| r.switch = Switch::Disabled as u8,
    ];
    for change in changes {
        refuses(&mut setup, change, RampartError::LooseningRefused);
    }
}

#[test]
fn tighten_rule_fails_when_what_is_measured_would_change() {
    let mut setup = setup();
    let changes: [fn(&mut RuleParams); 4] = [
        |r| r.metric = Metric::DeviationFromReference as u8,
        |r| r.scope = Scope::Guard as u8,
        |r| r.window_secs += 1,
        |r| r.window_secs -= 1,
    ];
    for change in changes {
        refuses(&mut setup, change, RampartError::LooseningRefused);
    }
}

#[test]
fn tighten_rule_fails_when_the_result_could_not_work() {
    let mut setup = setup();
    refuses(&mut setup, |r| (r.threshold, r.clear_threshold) = (0, 0), RampartError::RuleInvalid);
    refuses(&mut setup, |r| r.threshold = 500, RampartError::RuleInvalid);
    refuses(&mut setup, |r| r.sources_required = 1, RampartError::RuleInvalid);
    refuses(&mut setup, |r| r.min_dwell_secs = 3_601, RampartError::RuleInvalid);
    refuses(&mut setup, |r| r.level = Level::Resolution as u8, RampartError::RuleInvalid);
    refuses(&mut setup, |r| r.comparator = Comparator::Below as u8, RampartError::RuleInvalid);
    refuses(&mut setup, |r| r.duration_secs = 86_401, RampartError::OutsideHardBounds);
    for value in [0, u8::MAX] {
        refuses(&mut setup, |r| r.switch = value, RampartError::UnknownKind);
    }
    refuses(&mut setup, |r| r.reserved[0] = 1, RampartError::UnknownKind);
}

#[test]
fn tighten_rule_raises_the_lines_of_a_rule_that_is_true_below() {
    let mut world = World::with_vault();
    let before = rules::collateral_ratio();
    let key = world.create_rule(2, world.keys.vault, before);
    let mut setup = (world, key);
    refuses(&mut setup, |r| r.threshold -= 1, RampartError::LooseningRefused);
    refuses(&mut setup, |r| r.clear_threshold -= 1, RampartError::LooseningRefused);
    refuses(&mut setup, |r| r.clear_threshold = u64::MAX, RampartError::RuleInvalid);
    let (mut world, key) = setup;
    let params = RuleParams { threshold: 14_000, clear_threshold: 16_000, ..before };
    let signer = world.risk_admin.insecure_clone();
    world.send(&[ix(&world, key, params)], &[&signer]).unwrap();
    assert_eq!(world.rule(&key).params, params);
}

#[test]
fn tighten_rule_enables_a_disabled_rule_and_never_disables_one() {
    let mut world = World::with_vault();
    let disabled = RuleParams { switch: Switch::Disabled as u8, ..defaults::drawdown_rule() };
    let key = world.create_rule(1, world.keys.collateral_asset, disabled);
    world.refuses(&world.trip_ix(key), &[], RampartError::RuleDisabled);
    let signer = world.risk_admin.insecure_clone();
    let enabled = RuleParams { switch: Switch::Enabled as u8, ..disabled };
    world.send(&[ix(&world, key, enabled)], &[&signer]).unwrap();
    assert_eq!(world.shown(key), Shown::Clear);
    world.refuses(&ix(&world, key, disabled), &[&signer], RampartError::LooseningRefused);
}

#[test]
fn tighten_rule_fails_when_the_signer_holds_no_role_for_it() {
    let (mut world, key) = setup();
    let params = world.rule(&key).params;
    let stranger = world.payer.insecure_clone();
    let theirs = admin::tighten_rule(stranger.pubkey(), world.guard, key, params, valid(&world));
    world.refuses(&theirs, &[&stranger], RampartError::WrongAuthority);
    let mut unsigned = ix(&world, key, params);
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
}

#[test]
fn tighten_rule_fails_after_its_expiry_and_under_another_epoch() {
    let (mut world, key) = setup();
    let params = world.rule(&key).params;
    let (signer, late) = (world.risk_admin.insecure_clone(), ix(&world, key, params));
    world.advance(61);
    world.refuses(&late, &[&signer], RampartError::InstructionExpired);
    let validity = Validity { authority_epoch: 1, ..valid(&world) };
    let stale = admin::tighten_rule(signer.pubkey(), world.guard, key, params, validity);
    world.refuses(&stale, &[&signer], RampartError::AuthorityEpochMoved);
}

#[test]
fn tighten_rule_fails_for_a_rule_of_another_guard() {
    let (mut world, key) = setup();
    let (root, guard) = (world.root.pubkey(), address::guard(&world.root.pubkey(), 2));
    let roles = defaults::roles(root, world.risk_admin.pubkey());
    let args = rampart::InitializeGuardArgs { roles, bounds: defaults::bounds() };
    world.send_as_root(&[admin::initialize_guard(root, 2, args)]).unwrap();
    let signer = world.root.insecure_clone();
    let foreign = admin::tighten_rule(root, guard, key, world.rule(&key).params, valid(&world));
    world.refuses(&foreign, &[&signer], RampartError::RuleSubjectMismatch);
}

#[test]
fn tighten_rule_fails_when_an_account_is_of_another_kind_or_owner() {
    let (mut world, key) = setup();
    let signer = world.risk_admin.insecure_clone();
    let tighten = ix(&world, key, world.rule(&key).params);
    for (index, other) in [(1, key), (RULE, world.keys.collateral_asset), (RULE, world.guard)] {
        let cosplay = with_account(&tighten, index, other);
        world.anchor_refuses(&cosplay, &[&signer], ErrorCode::AccountDiscriminatorMismatch);
        let stolen = world.copy_under(&tighten.accounts[index].pubkey, anchor_spl::token::ID);
        let stolen = with_account(&tighten, index, stolen);
        world.anchor_refuses(&stolen, &[&signer], ErrorCode::AccountOwnedByWrongProgram);
    }
    let frozen = with_read_only(&tighten, RULE);
    world.anchor_refuses(&frozen, &[&signer], ErrorCode::ConstraintMut);
}
