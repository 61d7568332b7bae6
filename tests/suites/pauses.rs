//! Guardians' pauses: levels, budgets, expiry; and their end by the resetter.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError as E;
use rampart::events::{BreakerReset, ScopePaused};
use rampart::state::{CauseKind, Level};
use rampart::{GuardianPauseArgs, Validity};
use rampart_client::{Instruction, Pubkey, guardian};
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::integrations::Setup;
use rampart_tests::officers::{Officer, quorum};
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{World, assert_error, events};
use solana_sdk::signer::Signer;

const HOUR: u32 = 3_600;
const LONGEST: u32 = 21_600;
const DAY: i64 = 86_400;

fn pause_ix(world: &World, who: Officer, scope: Pubkey, level: Level, duration_secs: u32) -> Instruction {
    let args = GuardianPauseArgs { level: level as u8, duration_secs, validity: world.validity() };
    guardian::guardian_pause(who.address(), world.guard, scope, args)
}

#[track_caller]
fn pause(world: &mut World, who: Officer, scope: Pubkey, level: Level, secs: u32) -> ScopePaused {
    let ix = pause_ix(world, who, scope, level, secs);
    events::the_one(&world.send(&[ix], &[&who.key()]).expect("guardian pauses"))
}

fn halt_ix(world: &World, scope: Pubkey, secs: u32) -> Instruction {
    let keys = quorum().map(|k| k.pubkey());
    guardian::guardian_halt(world.guard, scope, secs, world.validity(), &keys)
}

fn halt(world: &mut World, scope: Pubkey, secs: u32) -> ScopePaused {
    let ([first, second], ix) = (quorum(), halt_ix(world, scope, secs));
    events::the_one(&world.send(&[ix], &[&first, &second]).expect("guardians halt"))
}

fn lift_ix(world: &World, scope: Pubkey, source: Pubkey) -> Instruction {
    guardian::lift_pause(Officer::Resetter.address(), world.guard, scope, source, world.validity())
}

#[test]
fn guardian_pauses_guard_asset_and_vault_for_a_time() {
    for (index, level) in [(0, Level::Caution), (1, Level::ReduceOnly), (2, Level::ReduceOnly)] {
        let mut world = World::with_vault();
        let scope = [world.guard, world.keys.collateral_asset, world.keys.vault][index];
        let now = world.now_ts();
        let fact = pause(&mut world, Officer::FirstGuardian, scope, level, HOUR);
        assert_eq!((fact.scope, fact.source, fact.level), (scope, Officer::FirstGuardian.address(), level as u8));
        assert_eq!((fact.expires_at_ts, fact.budget_left_secs), (now + 3_600, 43_200 - HOUR));
        assert_eq!(world.level(), level);
        world.advance(3_599);
        assert_eq!(world.level(), level);
        world.advance(1);
        assert_eq!(world.level(), Level::Normal, "ends by itself");
    }
}

/// Only the integration's own actions feel it.
#[test]
fn guardian_pauses_an_integration_alone() {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::reported());
    let scope = place.keys.integration;
    pause(&mut world, Officer::FirstGuardian, scope, Level::ReduceOnly, HOUR);
    let now_ts = world.now_ts();
    assert_eq!(world.integration(&place).breaker.level_at(now_ts), Level::ReduceOnly);
    assert_eq!(world.guard_state().breaker.level_at(now_ts), Level::Normal);
    assert_eq!(world.integration(&place).breaker.level_at(now_ts + i64::from(HOUR)), Level::Normal);
}

#[test]
fn guardian_pause_narrows_exits_to_the_floor_and_never_closes_them() {
    let mut world = World::with_vault();
    let lender = world.lender(1_000_000 * USDC);
    let scope = world.keys.vault;
    pause(&mut world, Officer::FirstGuardian, scope, Level::ReduceOnly, HOUR);
    let shares = world.position(&lender.position).supply_shares.get();
    assert_error(world.withdraw(&lender, shares / 50), E::ExitFloorUsed);
    world.withdraw(&lender, shares / 101).unwrap();
}

#[test]
fn guardian_pause_fails_for_others_wrong_levels_times_and_accounts() {
    let mut world = World::with_vault();
    let (vault, guard) = (world.keys.vault, world.guard);
    let first = Officer::FirstGuardian;
    for level in [Level::Normal, Level::Halt, Level::Resolution] {
        let ix = pause_ix(&world, first, vault, level, HOUR);
        world.refuses(&ix, &[&first.key()], E::PauseInvalid);
    }
    for secs in [0, LONGEST + 1, u32::MAX] {
        let ix = pause_ix(&world, first, vault, Level::Caution, secs);
        world.refuses(&ix, &[&first.key()], E::PauseInvalid);
    }
    let ix = pause_ix(&world, first, vault, Level::Caution, HOUR);
    let others = [world.root.insecure_clone(), world.risk_admin.insecure_clone(), Officer::Vetoer.key()];
    for other in &others {
        world.refuses(&with_account(&ix, 0, other.pubkey()), &[other], E::WrongAuthority);
    }
    let mut unsigned = ix.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    let foreign = world.other_guard();
    for scope in [foreign.vault, foreign.loan_asset] {
        world.refuses(&with_account(&ix, 2, scope), &[&first.key()], E::ChangeTargetMismatch);
    }
    world.anchor_refuses(
        &with_account(&ix, 2, foreign.guard),
        &[&first.key()],
        ErrorCode::AccountDiscriminatorMismatch,
    );
    let stolen = world.copy_under(&vault, anchor_spl::token::ID);
    world.anchor_refuses(&with_account(&ix, 2, stolen), &[&first.key()], ErrorCode::AccountOwnedByWrongProgram);
    world.anchor_refuses(&with_read_only(&ix, 2), &[&first.key()], ErrorCode::ConstraintMut);
    world.advance(61);
    world.refuses(&ix, &[&first.key()], E::InstructionExpired);
    let validity = Validity { authority_epoch: 9, ..world.validity() };
    let args = GuardianPauseArgs { level: 1, duration_secs: HOUR, validity };
    let stale = guardian::guardian_pause(first.address(), guard, vault, args);
    world.refuses(&stale, &[&first.key()], E::AuthorityEpochMoved);
}

/// Case 51: a pause for ever by extension.
#[test]
fn case_051_guardian_extends_their_own_pause() {
    let mut world = World::with_vault();
    let (vault, first) = (world.keys.vault, Officer::FirstGuardian);
    pause(&mut world, first, vault, Level::Caution, HOUR);
    for (level, secs) in [(Level::Caution, HOUR), (Level::ReduceOnly, LONGEST), (Level::Caution, 1)] {
        let ix = pause_ix(&world, first, vault, level, secs);
        world.refuses(&ix, &[&first.key()], E::OwnPauseExtension);
    }
    pause(&mut world, Officer::SecondGuardian, vault, Level::ReduceOnly, LONGEST);
    assert_eq!(world.level(), Level::ReduceOnly);
}

/// Case 51: two guardians alternate; the budget of the guard ends it, and each one's own before.
#[test]
fn case_051_two_guardians_alternate() {
    let mut world = World::with_vault();
    let vault = world.keys.vault;
    let both = [Officer::FirstGuardian, Officer::SecondGuardian];
    for round in 0..2 {
        for who in both {
            let fact = pause(&mut world, who, vault, Level::ReduceOnly, LONGEST);
            assert_eq!(fact.budget_left_secs, if round == 0 { LONGEST } else { 0 });
            world.advance(i64::from(LONGEST));
        }
    }
    for who in both {
        let ix = pause_ix(&world, who, vault, Level::Caution, 1);
        world.refuses(&ix, &[&who.key()], E::PauseBudgetUsed);
    }
    // nobody's thirty days are over yet at the start of the 31st day of the first pause
    world.advance(29 * DAY);
    let ix = pause_ix(&world, both[0], vault, Level::Caution, 1);
    world.refuses(&ix, &[&both[0].key()], E::PauseBudgetUsed);
    world.advance(2 * DAY);
    pause(&mut world, both[0], vault, Level::Caution, LONGEST);
}

/// Case 51: single guardians can't use up what the quorum needs.
#[test]
fn case_051_quorum_has_a_reserve_of_its_own() {
    let mut world = World::with_vault();
    let (guard, vault) = (world.guard, world.keys.vault);
    for who in [Officer::FirstGuardian, Officer::SecondGuardian] {
        for scope in [guard, vault] {
            pause(&mut world, who, scope, Level::Caution, LONGEST);
        }
    }
    let now = world.now_ts();
    let fact = halt(&mut world, vault, LONGEST);
    assert_eq!((fact.source, fact.level, fact.expires_at_ts), (guard, Level::Halt as u8, now + i64::from(LONGEST)));
    assert_eq!(fact.budget_left_secs, 172_800 - 4 * LONGEST - 2 * LONGEST);
    assert_eq!(world.level(), Level::Halt);
    world.advance(i64::from(LONGEST));
    assert_eq!(world.level(), Level::ReduceOnly, "a halt falls to ReduceOnly");
    world.advance(i64::from(LONGEST));
    assert_eq!(world.level(), Level::Normal);
}

#[test]
fn guardian_halt_fails_without_a_quorum_of_different_guardians() {
    let mut world = World::with_vault();
    let (guard, vault, [first, second]) = (world.guard, world.keys.vault, quorum());
    let with = |w: &World, keys: &[Pubkey]| guardian::guardian_halt(guard, vault, HOUR, w.validity(), keys);
    let twice = with(&world, &[first.pubkey(), first.pubkey()]);
    world.refuses(&twice, &[&first], E::QuorumMissing);
    let alone = with(&world, &[second.pubkey()]);
    world.refuses(&alone, &[&second], E::QuorumMissing);
    let stranger = world.root.insecure_clone();
    let with_stranger = with(&world, &[first.pubkey(), stranger.pubkey()]);
    world.refuses(&with_stranger, &[&first, &stranger], E::QuorumMissing);
    let mut unsigned = halt_ix(&world, vault, HOUR);
    unsigned.accounts.last_mut().unwrap().is_signer = false;
    world.refuses(&unsigned, &[&first], E::QuorumMissing);
    for secs in [0, LONGEST + 1] {
        let ix = halt_ix(&world, vault, secs);
        world.refuses(&ix, &[&first, &second], E::PauseInvalid);
    }
    halt(&mut world, vault, HOUR);
    let again = halt_ix(&world, vault, HOUR);
    world.refuses(&again, &[&first, &second], E::OwnPauseExtension);
    let late = halt_ix(&world, guard, HOUR);
    world.advance(61);
    world.refuses(&late, &[&first, &second], E::InstructionExpired);
}

/// Case 52: a guardian pauses, then liquidates at a stale price.
#[test]
fn case_052_liquidation_behind_a_pause_at_a_stale_price() {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    let borrower = world.borrower(100 * SOL, 10_000 * USDC);
    let liquidator = world.user(0, 100_000 * USDC);
    let vault = world.keys.vault;
    world.tick(30, 150.0, 1.0);
    halt(&mut world, vault, LONGEST);
    world.advance(91);
    assert_error(world.liquidate(&liquidator, borrower.position, u64::MAX), E::PriceIndeterminate);
    world.set_prices(150.0, 1.0);
    assert_error(world.liquidate(&liquidator, borrower.position, u64::MAX), E::PositionHealthy);
}

/// Case 59: a second cause keeps the first one's level and end.
#[test]
fn case_059_pause_over_a_tripped_rule() {
    let mut world = World::with_vault();
    let asset = world.keys.collateral_asset;
    let rule = world.create_rule(1, asset, defaults::drawdown_rule());
    world.tick(30, 130.0, 1.0);
    world.trip(rule).unwrap();
    let held = world.sol_asset().breaker.causes[0];
    pause(&mut world, Officer::FirstGuardian, asset, Level::Caution, LONGEST);
    let breaker = world.sol_asset().breaker;
    assert_eq!((breaker.causes[0], breaker.causes[1].kind), (held, CauseKind::Pause as u8));
    assert_eq!(world.level(), Level::ReduceOnly);
    world.advance(3_600);
    assert_eq!(world.level(), Level::Caution);
}

/// Case 62: the flag of the parent counts for its children without being copied.
#[test]
fn case_062_pause_of_the_guard_holds_for_its_vaults() {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    let user = world.user(100 * SOL, 0);
    world.deposit_collateral(&user, 100 * SOL).unwrap();
    let guard = world.guard;
    pause(&mut world, Officer::FirstGuardian, guard, Level::ReduceOnly, HOUR);
    assert_error(world.borrow(&user, 1_000 * USDC), E::LevelForbids);
    world.advance(3_600);
    world.set_prices(150.0, 1.0);
    world.observe_both();
    world.borrow(&user, 1_000 * USDC).unwrap();
}

#[test]
fn resetter_lifts_a_pause_after_its_dwell_time_and_the_budget_stays_used() {
    let mut world = World::with_vault();
    let (vault, first, resetter) = (world.keys.vault, Officer::FirstGuardian, Officer::Resetter.key());
    pause(&mut world, first, vault, Level::ReduceOnly, LONGEST);
    pause(&mut world, Officer::SecondGuardian, vault, Level::Caution, LONGEST);
    world.advance(rampart::constants::PAUSE_DWELL_SECS - 1);
    let ix = lift_ix(&world, vault, first.address());
    world.refuses(&ix, &[&resetter], E::DwellNotOver);
    world.advance(1);
    let ix = lift_ix(&world, vault, first.address());
    let landed = world.send(&[ix], &[&resetter]).unwrap();
    let fact: BreakerReset = events::the_one(&landed);
    assert_eq!((fact.scope, fact.source, fact.from), (vault, first.address(), Level::ReduceOnly as u8));
    assert_eq!(world.level(), Level::Caution, "the other guardian's cause stays");
    world.svm.expire_blockhash();
    let again = lift_ix(&world, vault, first.address());
    world.refuses(&again, &[&resetter], E::NotTripped);
    let fact = pause(&mut world, first, vault, Level::ReduceOnly, LONGEST);
    assert_eq!(fact.budget_left_secs, 0);
}

#[test]
fn lift_pause_fails_for_everybody_else_and_for_a_rules_cause() {
    let mut world = World::with_vault();
    let (asset, first) = (world.keys.collateral_asset, Officer::FirstGuardian);
    let rule = world.create_rule(1, asset, defaults::drawdown_rule());
    world.tick(30, 130.0, 1.0);
    world.trip(rule).unwrap();
    pause(&mut world, first, asset, Level::Caution, LONGEST);
    world.advance(900);
    let ix = lift_ix(&world, asset, first.address());
    for other in [world.root.insecure_clone(), world.risk_admin.insecure_clone(), first.key(), Officer::Vetoer.key()] {
        world.refuses(&with_account(&ix, 0, other.pubkey()), &[&other], E::WrongAuthority);
    }
    let resetter = Officer::Resetter.key();
    world.refuses(&lift_ix(&world, asset, rule), &[&resetter], E::NotTripped);
    let own = lift_ix(&world, asset, resetter.pubkey());
    world.refuses(&own, &[&resetter], E::OwnPauseLift);
    let foreign = world.other_guard();
    world.refuses(&with_account(&ix, 2, foreign.vault), &[&resetter], E::ChangeTargetMismatch);
}

fn reset_ix(world: &World, rule: Pubkey) -> Instruction {
    let (pair, oracles) = world.evidence_of(&rule);
    let resetter = Officer::Resetter.address();
    guardian::reset_breaker(resetter, (rule, &world.rule(&rule)), pair, &oracles, world.validity())
}

/// Case 60: the reset lands while the rule is true again. And case 30: the reference is as it was.
#[test]
fn case_060_reset_races_with_the_rule() {
    let mut world = World::with_vault();
    let asset = world.keys.collateral_asset;
    let rule = world.create_rule(1, asset, defaults::drawdown_rule());
    world.tick(30, 130.0, 1.0);
    world.trip(rule).unwrap();
    let resetter = Officer::Resetter.key();
    world.advance(299);
    world.set_prices(150.0, 1.0);
    world.refuses(&reset_ix(&world, rule), &[&resetter], E::DwellNotOver);
    world.advance(1);
    world.set_prices(130.0, 1.0);
    world.refuses(&reset_ix(&world, rule), &[&resetter], E::RuleNotClear);
    world.inflict(rampart_tests::scenario::Fault::Stale, &world.sol_feeds.clone(), 150.0);
    world.refuses(&reset_ix(&world, rule), &[&resetter], E::RuleIndeterminate);
    world.set_prices(150.0, 1.0);
    let stranger = world.root.insecure_clone();
    let ix = reset_ix(&world, rule);
    world.refuses(&with_account(&ix, 0, stranger.pubkey()), &[&stranger], E::WrongAuthority);
    let (reference, epoch) = (world.sol_asset().reference, world.rule(&rule).trip_epoch);
    let landed = world.send(std::slice::from_ref(&ix), &[&resetter]).unwrap();
    let fact: BreakerReset = events::the_one(&landed);
    assert_eq!((fact.scope, fact.source, fact.from), (asset, rule, Level::ReduceOnly as u8));
    assert_eq!((world.level(), world.sol_asset().reference), (Level::Normal, reference));
    assert_eq!(world.rule(&rule).trip_epoch, epoch + 1);
    world.refuses(&ix, &[&resetter], E::TripEpochMoved);
    world.refuses(&reset_ix(&world, rule), &[&resetter], E::NotTripped);
}

#[test]
fn resets_fail_when_late_under_another_epoch_and_on_wrong_accounts() {
    let mut world = World::with_vault();
    let (asset, resetter) = (world.keys.collateral_asset, Officer::Resetter.key());
    let rule = world.create_rule(1, asset, defaults::drawdown_rule());
    let (lift, reset) = (lift_ix(&world, asset, Officer::FirstGuardian.address()), reset_ix(&world, rule));
    for ix in [&lift, &reset] {
        let mut unsigned = ix.clone();
        unsigned.accounts[0].is_signer = false;
        world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    }
    world.refuses(&lift, &[&resetter], E::NotTripped);
    world.refuses(&reset, &[&resetter], E::NotTripped);
    let loan = world.keys.loan_asset;
    world.refuses(&with_account(&reset, 3, loan), &[&resetter], E::RuleSubjectMismatch);
    world.refuses(&with_account(&reset, 4, loan), &[&resetter], E::RuleSubjectMismatch);
    let foreign = world.other_guard();
    world.refuses(&with_account(&reset, 1, foreign.guard), &[&resetter], E::RuleSubjectMismatch);
    world.advance(61);
    for ix in [&lift, &reset] {
        world.refuses(ix, &[&resetter], E::InstructionExpired);
    }
    let mut guard = world.guard_state();
    guard.authority_epoch = 1;
    let (key, validity) = (world.guard, Validity { authority_epoch: 0, ..world.validity() });
    world.store(&key, &guard);
    let stale = guardian::lift_pause(resetter.pubkey(), key, asset, Officer::FirstGuardian.address(), validity);
    world.refuses(&stale, &[&resetter], E::AuthorityEpochMoved);
}
