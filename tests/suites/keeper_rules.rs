//! Rules on what keepers report: quorum, median, sources, spread and silence, and how little they may do.

use rampart::error::RampartError;
use rampart::state::rule::{Comparator, RuleParams, Scope};
use rampart::state::{KeeperRole, Level, Levels, Reach, ReportPart, ReportParts};
use rampart::{SetKeepersArgs, Validity};
use rampart_client::{Pubkey, address, admin, evidence, keepers as client};
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::keepers::{self, CALM, Keepers};
use rampart_tests::refusals::{with_account, with_extra, with_last_two_swapped, without_last};
use rampart_tests::rules::Shown;
use rampart_tests::{World, assert_error};
use solana_sdk::signer::Signer;

/// Index of the first account after those that a trip names: the keeper set, then the reports.
const SET: usize = 9;

fn setup(count: usize, params: RuleParams) -> (World, Keepers, Pubkey) {
    let (mut world, keepers) = World::with_keepers(count);
    let rule = world.create_rule(1, world.keys.collateral_asset, params);
    (world, keepers, rule)
}

fn say(world: &mut World, keepers: &Keepers, scores: &[u16]) {
    let scores: Vec<_> = scores.iter().copied().map(Some).collect();
    let subject = world.keys.collateral_asset;
    world.advance(1);
    keepers.report(world, subject, &scores);
}

fn levels(world: &World) -> Levels {
    let loan = world.load(&world.keys.loan_asset);
    let now_ts = world.now_ts();
    rampart::shared::effective_levels(&world.guard_state(), &world.vault(), [&world.sol_asset(), &loan], now_ts)
}

#[test]
fn keeper_median_is_true_between_and_clear_by_the_median() {
    let (mut world, keepers, rule) = setup(5, keepers::median());
    for (scores, shown) in [
        ([6_000, 6_000, 6_000, 6_000, 6_000], Shown::True),
        ([100, 5_500, 6_000, 6_500, 10_000], Shown::True),
        ([100, 5_500, 5_999, 6_500, 10_000], Shown::Between),
        ([4_000, 4_000, 4_000, 4_000, 9_000], Shown::Clear),
    ] {
        say(&mut world, &keepers, &scores);
        assert_eq!(world.shown(rule), shown, "{scores:?}");
    }
}

#[test]
fn keeper_median_of_an_even_split_proves_nothing() {
    let (mut world, keepers, rule) = setup(4, keepers::median());
    say(&mut world, &keepers, &[5_000, 5_000, 6_000, 6_000]);
    assert_eq!(world.shown(rule), Shown::Between);
    let (mut world, keepers, rule) = setup(4, keepers::shallow());
    let depths = [2_900, 2_900, 4_000, 4_000];
    world.advance(1);
    for (key, liquidity_bps) in keepers.keys.iter().zip(depths) {
        world.report(key, world.keys.collateral_asset, ReportParts { liquidity_bps, ..CALM }).unwrap();
    }
    assert_eq!(world.shown(rule), Shown::Between);
    world.advance(1);
    for key in &keepers.keys {
        world.report(key, world.keys.collateral_asset, ReportParts { liquidity_bps: 3_000, ..CALM }).unwrap();
    }
    assert_eq!(world.shown(rule), Shown::True);
}

#[test]
fn keeper_median_is_indeterminate_without_a_quorum_of_fresh_reports() {
    let (mut world, keepers, rule) = setup(5, keepers::median());
    let subject = world.keys.collateral_asset;
    assert_eq!(world.shown(rule), Shown::Indeterminate);
    // a quorum of five is four
    keepers.report(&mut world, subject, &[Some(9_000), Some(9_000), Some(9_000), None, None]);
    assert_eq!(world.shown(rule), Shown::Indeterminate);
    keepers.report(&mut world, subject, &[None, None, None, Some(9_000), None]);
    assert_eq!(world.shown(rule), Shown::True);
    world.advance(60);
    assert_eq!(world.shown(rule), Shown::True);
    world.advance(1);
    assert_eq!(world.shown(rule), Shown::Indeterminate);
}

/// Case 64: reports that were made under another epoch count nowhere until they are made anew.
#[test]
fn case_064_reports_of_another_epoch_do_not_count() {
    let (mut world, keepers, rule) = setup(5, keepers::median());
    say(&mut world, &keepers, &[9_000; 5]);
    assert_eq!(world.shown(rule), Shown::True);
    let admin = world.risk_admin.insecure_clone();
    let mut args = keepers.args();
    args.members.remove(4);
    let validity = Validity { authority_epoch: 0, expires_at_ts: world.now_ts() };
    let ix = client::set_keepers(admin.pubkey(), world.guard, args, validity);
    world.send(&[ix], &[&admin]).unwrap();
    assert_eq!(world.shown(rule), Shown::Indeterminate);
    world.advance(1);
    let subject = world.keys.collateral_asset;
    keepers.report(&mut world, subject, &[Some(9_000), Some(9_000), Some(9_000), None]);
    assert_eq!(world.shown(rule), Shown::True);
}

/// Case 63: many keys of one source are one source, and never enough for ReduceOnly.
#[test]
fn case_063_keys_of_one_source_cannot_raise_to_reduce_only() {
    let mut world = World::with_vault();
    let keepers = Keepers::new(&mut world, 5);
    let mut args = keepers.args();
    (args.members[3].source_tag, args.members[4].source_tag) = (0, 0);
    let ix = client::initialize_keepers(world.root.pubkey(), world.guard, args);
    world.send_as_root(&[ix]).unwrap();
    let subject = world.keys.collateral_asset;
    keepers.open(&mut world, subject);
    let caution = RuleParams { level: Level::Caution as u8, ..keepers::median() };
    let (strict, mild) = (world.create_rule(1, subject, keepers::median()), world.create_rule(2, subject, caution));
    say(&mut world, &keepers, &[9_000; 5]);
    assert_eq!((world.shown(strict), world.shown(mild)), (Shown::Indeterminate, Shown::True));
    world.trip(mild).unwrap();
    assert_eq!(world.level(), Level::Caution);
}

/// Case 65: half of the keepers extremely high, half extremely low: Caution, nothing more.
#[test]
fn case_065_keepers_that_differ_are_no_value_and_caution_alone() {
    let (mut world, keepers, median) = setup(15, keepers::median());
    let subject = world.keys.collateral_asset;
    let spread = world.create_rule(2, subject, keepers::spread());
    let halves: Vec<u16> = (0..15).map(|n| if n < 8 { 10_000 } else { 0 }).collect();
    say(&mut world, &keepers, &halves);
    assert_eq!((world.shown(median), world.shown(spread)), (Shown::Indeterminate, Shown::True));
    world.trip(spread).unwrap();
    assert_eq!(levels(&world), Levels { risk: Level::Caution, exit: Level::Normal });
    world.advance(300);
    say(&mut world, &keepers, &[500; 15]);
    assert_eq!((world.shown(median), world.shown(spread)), (Shown::Clear, Shown::Clear));
    world.step_down(spread).unwrap();
    assert_eq!(world.level(), Level::Normal);
}

#[test]
fn one_keeper_in_four_cannot_blind_the_others() {
    let (mut world, keepers, rule) = setup(4, keepers::median());
    say(&mut world, &keepers, &[6_100, 6_200, 6_300, 0]);
    assert_eq!(world.shown(rule), Shown::True);
    say(&mut world, &keepers, &[3_100, 3_200, 3_300, 10_000]);
    assert_eq!(world.shown(rule), Shown::Clear);
}

/// What keepers say restricts new risk and never an exit, and ends by itself.
#[test]
fn keeper_median_restricts_new_risk_alone_and_ends_by_itself() {
    let (mut world, keepers, rule) = setup(3, keepers::median());
    let lender = world.lender(1_000_000 * USDC);
    let borrower = world.borrower(100 * SOL, 1_000 * USDC);
    let saver = world.user(10 * SOL, 0);
    world.deposit_collateral(&saver, 10 * SOL).unwrap();
    say(&mut world, &keepers, &[7_000; 3]);
    world.trip(rule).unwrap();
    assert_eq!(levels(&world), Levels { risk: Level::ReduceOnly, exit: Level::Normal });
    let cause = world.sol_asset().breaker.causes[0];
    assert_eq!((cause.source, cause.reach, cause.level), (rule, Reach::NewRisk as u8, Level::ReduceOnly as u8));
    assert_eq!(world.sol_asset().breaker.episode, 0);
    let (sol, usdc) = (world.sol_price(), world.usdc_price());
    world.set_prices(sol, usdc);
    assert_error(world.borrow(&borrower, 100 * USDC), RampartError::LevelForbids);
    let part = world.position(&lender.position).supply_shares.get() / 20;
    world.withdraw(&lender, part).unwrap();
    world.withdraw_collateral(&saver, 10 * SOL).unwrap();
    world.repay(&borrower, 500 * USDC).unwrap();
    world.advance(3_600);
    assert_eq!(world.level(), Level::Normal);
}

/// Case 66: all keepers offline for a week: Caution for new risk; exits, and trips by anyone, go on.
#[test]
fn case_066_silence_of_all_keepers_cautions_and_leaves_exits_and_trips() {
    let (mut world, keepers, rule) = setup(5, keepers::silence());
    let lender = world.lender(1_000_000 * USDC);
    say(&mut world, &keepers, &[500; 5]);
    for (secs, shown) in [(60, Shown::Clear), (1, Shown::Between), (238, Shown::Between), (1, Shown::True)] {
        world.advance(secs);
        assert_eq!(world.shown(rule), shown);
    }
    world.advance(7 * 86_400);
    assert_eq!(world.shown(rule), Shown::True);
    world.trip(rule).unwrap();
    assert_eq!(levels(&world), Levels { risk: Level::Caution, exit: Level::Normal });
    let part = world.position(&lender.position).supply_shares.get() / 20;
    world.withdraw(&lender, part).unwrap();
    let drawdown = world.create_rule(2, world.keys.collateral_asset, defaults::drawdown_rule());
    world.warm_up(10, 60);
    world.set_prices(120.0, 1.0);
    world.trip(drawdown).unwrap();
    assert_eq!(world.level(), Level::ReduceOnly);
    // one minority that reports doesn't end it
    let subject = world.keys.collateral_asset;
    keepers.report(&mut world, subject, &[Some(1), Some(1), Some(1), None, None]);
    world.refuses(&world.step_down_ix(rule), &[], RampartError::RuleNotClear);
    keepers.report(&mut world, subject, &[None, None, None, Some(1), None]);
    world.step_down(rule).unwrap();
}

#[test]
fn keeper_silence_is_counted_from_the_sets_last_change_at_the_earliest() {
    let (mut world, keepers, rule) = setup(4, keepers::silence());
    assert_eq!(world.shown(rule), Shown::Clear);
    say(&mut world, &keepers, &[500; 4]);
    world.advance(200);
    let admin = world.risk_admin.insecure_clone();
    let members = keepers.seats()[..3].to_vec();
    let validity = Validity { authority_epoch: 0, expires_at_ts: world.now_ts() };
    let args = SetKeepersArgs { members, limits: keepers::limits() };
    let ix = client::set_keepers(admin.pubkey(), world.guard, args, validity);
    world.send(&[ix], &[&admin]).unwrap();
    world.advance(299);
    assert_eq!(world.shown(rule), Shown::Between);
    world.advance(1);
    assert_eq!(world.shown(rule), Shown::True);
}

/// Nobody chooses whose report is left out: each has its place, and only its own account fills it.
#[test]
fn trip_on_reports_fails_unless_every_members_report_is_there_in_order() {
    let (mut world, keepers, rule) = setup(5, keepers::median());
    say(&mut world, &keepers, &[100, 100, 9_000, 9_000, 9_000]);
    let mismatch = RampartError::ReportAccountsMismatch;
    let trip = world.trip_ix(rule);
    assert_eq!(trip.accounts[SET].pubkey, address::keeper_set(&world.guard));
    world.refuses(&without_last(&trip), &[], mismatch);
    world.refuses(&with_extra(&trip, trip.accounts[SET + 1].pubkey), &[], mismatch);
    world.refuses(&with_last_two_swapped(&trip), &[], mismatch);
    // twice the same, or another subject's, or no report at all
    let twice = with_account(&trip, SET + 1, trip.accounts[SET + 3].pubkey);
    world.refuses(&twice, &[], mismatch);
    let loan_asset = world.keys.loan_asset;
    keepers.open(&mut world, loan_asset);
    let other = address::report(&loan_asset, &keepers.keys[0].pubkey());
    let nobody = Pubkey::new_from_array([9; 32]);
    for key in [other, nobody, world.guard, world.sol.mint, rule, address::keeper_set(&world.guard)] {
        world.refuses(&with_account(&trip, SET + 1, key), &[], mismatch);
    }
    // a report that another program owns is none, and stands at no report's address
    let stolen = world.copy_under(&trip.accounts[SET + 1].pubkey, anchor_spl::token::ID);
    world.refuses(&with_account(&trip, SET + 1, stolen), &[], mismatch);
    let mut bare = trip.clone();
    bare.accounts.truncate(SET);
    world.refuses(&bare, &[], mismatch);
}

#[test]
fn trip_on_reports_fails_with_the_set_of_another_guard() {
    let (mut world, keepers, rule) = setup(3, keepers::median());
    say(&mut world, &keepers, &[9_000; 3]);
    let other = world.other_guard().guard;
    let ix = client::initialize_keepers(world.root.pubkey(), other, keepers.args());
    world.send_as_root(&[ix]).unwrap();
    let trip = world.trip_ix(rule);
    let foreign = with_account(&trip, SET, address::keeper_set(&other));
    world.refuses(&foreign, &[], RampartError::RuleSubjectMismatch);
    world.trip(rule).unwrap();
}

#[test]
fn report_that_was_never_opened_counts_as_missing() {
    let mut world = World::with_vault();
    let keepers = Keepers::new(&mut world, 5);
    let ix = client::initialize_keepers(world.root.pubkey(), world.guard, keepers.args());
    world.send_as_root(&[ix]).unwrap();
    let subject = world.keys.vault;
    let rule = world.create_rule(1, subject, keepers::median());
    let first = Keepers { keys: keepers.keys.iter().take(4).map(|k| k.insecure_clone()).collect() };
    first.open(&mut world, subject);
    first.report_all(&mut world, subject, 9_000);
    assert_eq!(world.shown(rule), Shown::True);
    world.trip(rule).unwrap();
    assert_eq!(world.vault().breaker.causes[0].source, rule);
    // lamports at the address make no report of it
    let missing = address::report(&subject, &keepers.keys[4].pubkey());
    world.svm.airdrop(&missing, 1_000_000).unwrap();
    assert_eq!(world.shown(rule), Shown::True);
}

#[test]
fn standby_reports_without_being_counted() {
    let mut world = World::with_vault();
    let keepers = Keepers::new(&mut world, 4);
    let mut args = keepers.args();
    args.members[3].role = KeeperRole::Standby as u8;
    let ix = client::initialize_keepers(world.root.pubkey(), world.guard, args);
    world.send_as_root(&[ix]).unwrap();
    let subject = world.keys.collateral_asset;
    keepers.open(&mut world, subject);
    let rule = world.create_rule(1, subject, keepers::median());
    keepers.report(&mut world, subject, &[Some(9_000), Some(9_000), None, Some(9_000)]);
    assert_eq!(world.shown(rule), Shown::Indeterminate);
    keepers.report(&mut world, subject, &[None, None, Some(9_000), None]);
    assert_eq!(world.shown(rule), Shown::True);
}

#[test]
fn streak_on_reports_needs_a_quorum_that_reported_anew() {
    let params = RuleParams { min_observations: 2, min_persist_secs: 10, ..keepers::median() };
    let (mut world, keepers, rule) = setup(3, params);
    say(&mut world, &keepers, &[9_000; 3]);
    world.observe_rule(rule).unwrap();
    world.advance(10);
    world.refuses(&world.observe_rule_ix(rule), &[], RampartError::ObservationNotNewer);
    world.refuses(&world.trip_ix(rule), &[], RampartError::RuleNotPersistent);
    let subject = world.keys.collateral_asset;
    keepers.report(&mut world, subject, &[Some(9_000), Some(9_000), None]);
    world.refuses(&world.trip_ix(rule), &[], RampartError::RuleNotPersistent);
    keepers.report(&mut world, subject, &[None, None, Some(9_000)]);
    world.trip(rule).unwrap();
}

#[test]
fn rule_on_reports_may_govern_the_whole_guard() {
    let params = RuleParams { scope: Scope::Guard as u8, ..keepers::median() };
    let (mut world, keepers, rule) = setup(3, params);
    say(&mut world, &keepers, &[9_000; 3]);
    world.trip(rule).unwrap();
    assert_eq!(world.guard_state().breaker.causes[0].reach, Reach::NewRisk as u8);
    assert_eq!(evidence::scope_of(&world.rule(&rule)), world.guard);
}

/// Rules that would give keepers more than they may have.
#[test]
fn create_rule_fails_when_reports_would_halt_last_long_or_point_the_wrong_way() {
    let (mut world, _) = World::with_keepers(3);
    let root = world.root.insecure_clone();
    let changes: [fn() -> RuleParams; 10] = [
        || RuleParams { level: Level::Halt as u8, ..keepers::median() },
        || RuleParams { level: Level::ReduceOnly as u8, ..keepers::silence() },
        || RuleParams { level: Level::ReduceOnly as u8, ..keepers::spread() },
        || RuleParams { duration_secs: 6 * 3_600 + 1, ..keepers::median() },
        || RuleParams { duration_secs: 6 * 3_600 + 1, ..keepers::silence() },
        || RuleParams { threshold: 10_001, ..keepers::median() },
        || RuleParams { part: ReportPart::Liquidity as u8, ..keepers::median() },
        || RuleParams { comparator: Comparator::Below as u8, clear_threshold: 9_000, ..keepers::median() },
        || RuleParams { part: ReportPart::Volatility as u8, ..keepers::silence() },
        || RuleParams { part: ReportPart::Volatility as u8, ..defaults::drawdown_rule() },
    ];
    for params in changes {
        let ix = admin::create_rule(root.pubkey(), world.guard, world.keys.collateral_asset, 7, params());
        world.refuses(&ix, &[&root], RampartError::RuleInvalid);
    }
    for part in [0, 7, u8::MAX] {
        let params = RuleParams { part, ..keepers::median() };
        let ix = admin::create_rule(root.pubkey(), world.guard, world.keys.collateral_asset, 7, params);
        world.refuses(&ix, &[&root], RampartError::UnknownKind);
    }
    let guard = world.guard;
    for subject in [guard, world.sol.mint, address::keeper_set(&guard), Pubkey::new_from_array([5; 32])] {
        let ix = admin::create_rule(root.pubkey(), guard, subject, 7, keepers::median());
        world.refuses(&ix, &[&root], RampartError::RuleSubjectMismatch);
    }
    let foreign = world.other_guard().vault;
    let ix = admin::create_rule(root.pubkey(), guard, foreign, 7, keepers::median());
    world.refuses(&ix, &[&root], RampartError::RuleSubjectMismatch);
}

#[test]
fn tighten_rule_fails_when_another_part_would_be_measured() {
    let (mut world, _, rule) = setup(3, keepers::median());
    let admin = world.risk_admin.insecure_clone();
    let params = RuleParams { part: ReportPart::Anomaly as u8, ..keepers::median() };
    let validity = Validity { authority_epoch: 0, expires_at_ts: world.now_ts() };
    let ix = rampart_client::admin::tighten_rule(admin.pubkey(), world.guard, rule, params, validity);
    world.refuses(&ix, &[&admin], RampartError::LooseningRefused);
}
