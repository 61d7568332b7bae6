//! Opening and submitting reports: what is stored, and every report that doesn't count.

use anchor_lang::error::ErrorCode;
use rampart::SubmitReportArgs;
use rampart::error::RampartError;
use rampart::events::ReportSubmitted;
use rampart::state::{Report, ReportParts};
use rampart_client::{Instruction, address, keepers};
use rampart_tests::keepers::{CALM, Keepers};
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{World, events};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

const ALREADY_IN_USE: u32 = 0;

fn setup() -> (World, Keypair) {
    let (world, keepers) = World::with_keepers(3);
    (world, keepers.keys[0].insecure_clone())
}

fn ix(world: &World, keeper: &Keypair, change: impl FnOnce(&mut SubmitReportArgs)) -> Instruction {
    let mut args = SubmitReportArgs { parts: CALM, observed_at_ts: world.now_ts(), seq: 5 };
    change(&mut args);
    keepers::submit_report(keeper.pubkey(), world.guard, world.keys.collateral_asset, args)
}

#[test]
fn open_report_stores_an_empty_report_that_anyone_may_pay_for() {
    let mut world = World::with_vault();
    let keepers = Keepers::new(&mut world, 3);
    let ix = keepers::initialize_keepers(world.root.pubkey(), world.guard, keepers.args());
    world.send_as_root(&[ix]).unwrap();
    for subject in [world.keys.collateral_asset, world.keys.vault] {
        keepers.open(&mut world, subject);
        for key in &keepers.keys {
            let report = world.report_of(key, subject);
            assert_eq!((report.guard, report.subject, report.keeper), (world.guard, subject, key.pubkey()));
            assert_eq!((report.seq, report.set_epoch, report.observed_at_ts), (0, 0, 0));
            assert_eq!((report.parts, report.version, report.reserved), (ReportParts::default(), 1, [0; 34]));
            let address = address::report(&subject, &key.pubkey());
            assert_eq!(world.svm.get_account(&address).unwrap().data.len(), Report::SPACE);
        }
    }
    let again = keepers::open_report(world.payer_address(), world.guard, world.keys.vault, keepers.keys[0].pubkey());
    world.callee_refuses(&again, &[], ALREADY_IN_USE);
}

#[test]
fn open_report_fails_for_a_stranger_and_for_a_foreign_subject() {
    let (mut world, keeper) = setup();
    let (payer, guard, vault) = (world.payer_address(), world.guard, world.keys.vault);
    let stranger = world.new_key().pubkey();
    world.refuses(&keepers::open_report(payer, guard, vault, stranger), &[], RampartError::NotAKeeper);
    for subject in [guard, world.sol.mint, address::keeper_set(&guard), stranger] {
        let ix = keepers::open_report(payer, guard, subject, keeper.pubkey());
        world.refuses(&ix, &[], RampartError::RuleSubjectMismatch);
    }
    let foreign = world.other_guard();
    for subject in [foreign.vault, foreign.collateral_asset] {
        let ix = keepers::open_report(payer, guard, subject, keeper.pubkey());
        world.refuses(&ix, &[], RampartError::RuleSubjectMismatch);
    }
    let moved = keepers::open_report(payer, guard, vault, keeper.pubkey());
    let moved = with_account(&moved, 4, address::report(&vault, &stranger));
    world.anchor_refuses(&moved, &[], ErrorCode::ConstraintSeeds);
}

#[test]
fn submit_report_stores_every_field() {
    let (mut world, keeper) = setup();
    let (subject, before) = (world.keys.collateral_asset, world.report_of(&keeper, world.keys.collateral_asset));
    let observed_at_ts = world.now_ts() - 3;
    let report = ix(&world, &keeper, |a| a.observed_at_ts = observed_at_ts);
    let landed = world.send(&[report], &[&keeper]).unwrap();
    let expected = Report { parts: CALM, observed_at_ts, seq: 5, set_epoch: 1, ..before };
    assert_eq!(world.report_of(&keeper, subject), expected);
    let fact: ReportSubmitted = events::the_one_logged(&landed);
    assert_eq!((fact.subject, fact.keeper, fact.score_bps, fact.seq), (subject, keeper.pubkey(), 500, 5));
}

/// Case 64: an old report replayed or reordered is refused; what was made under another epoch counts nowhere.
#[test]
fn case_064_report_that_is_replayed_reordered_or_of_a_removed_keeper_is_refused() {
    let (mut world, keeper) = setup();
    let first = ix(&world, &keeper, |_| ());
    world.send(std::slice::from_ref(&first), &[&keeper]).unwrap();
    world.advance(2);
    let not_newer = RampartError::ReportNotNewer;
    world.refuses(&first, &[&keeper], not_newer);
    for seq in [0, 4, 5] {
        world.refuses(&ix(&world, &keeper, |a| a.seq = seq), &[&keeper], not_newer);
    }
    // a higher number on an older observation
    for back_secs in [2, 3] {
        let older = ix(&world, &keeper, |a| (a.seq, a.observed_at_ts) = (6, a.observed_at_ts - back_secs));
        world.refuses(&older, &[&keeper], not_newer);
    }
    world.send(&[ix(&world, &keeper, |a| a.seq = 6)], &[&keeper]).unwrap();
}

#[test]
fn submit_report_fails_for_values_and_times_out_of_range() {
    let (mut world, keeper) = setup();
    let parts: [fn(&mut ReportParts) -> &mut u16; 6] = [
        |p| &mut p.score_bps,
        |p| &mut p.volatility_bps,
        |p| &mut p.liquidity_bps,
        |p| &mut p.correlation_bps,
        |p| &mut p.anomaly_bps,
        |p| &mut p.system_health_bps,
    ];
    for part in parts {
        for value in [10_001, u16::MAX] {
            let wild = ix(&world, &keeper, |a| *part(&mut a.parts) = value);
            world.refuses(&wild, &[&keeper], RampartError::ReportInvalid);
        }
        world.simulate_with(&[ix(&world, &keeper, |a| *part(&mut a.parts) = 10_000)], &[&keeper]).unwrap();
    }
    for (offset_secs, is_timely) in [(6, false), (5, true), (0, true), (-60, true), (-61, false)] {
        let report = ix(&world, &keeper, |a| a.observed_at_ts += offset_secs);
        assert_eq!(world.simulate_with(std::slice::from_ref(&report), &[&keeper]).is_ok(), is_timely);
        if !is_timely {
            world.refuses(&report, &[&keeper], RampartError::ReportInvalid);
        }
    }
    for extreme in [i64::MIN, i64::MAX, 0] {
        let report = ix(&world, &keeper, |a| a.observed_at_ts = extreme);
        world.refuses(&report, &[&keeper], RampartError::ReportInvalid);
    }
}

#[test]
fn submit_report_fails_for_another_keepers_report_or_a_stranger() {
    let (mut world, keeper) = setup();
    let (subject, stranger) = (world.keys.collateral_asset, world.payer.insecure_clone());
    let report = ix(&world, &keeper, |_| ());
    let stolen = with_account(&report, 0, stranger.pubkey());
    world.refuses(&stolen, &[&stranger], RampartError::NotAKeeper);
    let mut unsigned = report.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    let other = world.keeper_set().members[1].key;
    let others = with_account(&report, 3, address::report(&subject, &other));
    world.refuses(&others, &[&keeper], RampartError::NotAKeeper);
    // a guard that gives the keeper a role after the set was made
    let mut guard = world.guard_state();
    guard.roles.vetoer = keeper.pubkey();
    world.store(&world.guard.clone(), &guard);
    world.refuses(&report, &[&keeper], RampartError::NotAKeeper);
}

#[test]
fn submit_report_fails_for_accounts_of_another_guard_kind_or_owner() {
    let (mut world, keeper) = setup();
    let report = ix(&world, &keeper, |_| ());
    let foreign = world.other_guard().guard;
    world.refuses(&with_account(&report, 1, foreign), &[&keeper], RampartError::RuleSubjectMismatch);
    let set = address::keeper_set(&world.guard);
    for (index, other) in [(1, set), (2, world.guard), (3, set)] {
        world.anchor_refuses(&with_account(&report, index, other), &[&keeper], ErrorCode::AccountDiscriminatorMismatch);
    }
    for index in 1..4 {
        let stolen = world.copy_under(&report.accounts[index].pubkey, anchor_spl::token::ID);
        let stolen = with_account(&report, index, stolen);
        world.anchor_refuses(&stolen, &[&keeper], ErrorCode::AccountOwnedByWrongProgram);
    }
    world.anchor_refuses(&with_read_only(&report, 3), &[&keeper], ErrorCode::ConstraintMut);
}
