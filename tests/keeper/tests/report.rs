//! What a keeper of the guard reports, and when.

use rampart::state::{Level, ReportParts};
use rampart_client::{Pubkey, address, keepers};
use rampart_keeper::decide::Decision;
use rampart_keeper::decide::reports::{Opinion, subjects};
use rampart_keeper::intent::ActionClass;
use rampart_keeper_tests::Keeper;
use rampart_tests::World;
use rampart_tests::keepers::{CALM, Keepers, median};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// A keeper that is one of four, and a rule on the median score of the collateral.
fn scene() -> (World, Keeper, Keepers, Pubkey) {
    let mut world = World::with_vault();
    let mut keeper = Keeper::new(&mut world, &[], &[]);
    let mut others = Keepers::new(&mut world, 3);
    others.keys.push(keeper.key.insecure_clone());
    let ix = keepers::initialize_keepers(world.root.pubkey(), world.guard, others.args());
    world.send_as_root(&[ix]).expect("set is created");
    let subject = world.keys.collateral_asset;
    let rule = world.create_rule(7, subject, median());
    let set = address::keeper_set(&world.guard);
    keeper.told.extend([rule, set, address::report(&subject, &keeper.key.pubkey())]);
    (world, keeper, others, subject)
}

fn says(keeper: &mut Keeper, subject: Pubkey, score_bps: u16) {
    let report = address::report(&subject, &keeper.key.pubkey());
    keeper.opinions.insert(subject, Opinion { parts: ReportParts { score_bps, ..CALM }, report });
}

fn due(keeper: &mut Keeper, world: &World) -> Option<Decision> {
    keeper.decision(world, ActionClass::Report)
}

fn reports(keeper: &mut Keeper, world: &mut World) {
    let decision = due(keeper, world).expect("a report is due");
    let planned = keeper.plan(world, &decision).expect("a plan");
    keeper.land(world, &planned).expect("it lands");
}

#[test]
fn score_is_reported_when_it_moved_or_grew_old_and_not_in_between() {
    let (mut world, mut keeper, _, subject) = scene();
    keeper.read(&world);
    assert!(subjects(&keeper.store).contains(&subject), "a rule listens to reports about the collateral");
    assert!(due(&mut keeper, &world).is_none(), "no opinion, no report");
    says(&mut keeper, subject, 500);
    reports(&mut keeper, &mut world);
    let first = world.report_of(&keeper.key, subject);
    assert_eq!((first.seq, first.parts.score_bps, first.observed_at_ts), (1, 500, world.now_ts()));
    says(&mut keeper, subject, 4_000);
    world.advance(9);
    assert!(due(&mut keeper, &world).is_none(), "ten seconds have to pass");
    world.advance(1);
    reports(&mut keeper, &mut world);
    assert_eq!(world.report_of(&keeper.key, subject).parts.score_bps, 4_000);
    says(&mut keeper, subject, 4_199);
    world.advance(10);
    assert!(due(&mut keeper, &world).is_none(), "199 bps are less than a step");
    world.advance(10);
    reports(&mut keeper, &mut world);
    let last = world.report_of(&keeper.key, subject);
    assert_eq!((last.seq, last.parts.score_bps), (3, 4_199), "a third of the age at which it counts no longer");
}

#[test]
fn report_of_another_set_is_made_again() {
    let (mut world, mut keeper, others, subject) = scene();
    says(&mut keeper, subject, 500);
    reports(&mut keeper, &mut world);
    world.advance(10);
    assert!(due(&mut keeper, &world).is_none());
    let mut args = others.args();
    args.members.remove(0);
    let ix = keepers::set_keepers(world.root.pubkey(), world.guard, args, world.validity());
    world.send_as_root(&[ix]).expect("one of four leaves");
    assert_eq!(due(&mut keeper, &world).expect("it counts no longer").intent.fence, 1);
    reports(&mut keeper, &mut world);
    assert_eq!(world.report_of(&keeper.key, subject).set_epoch, world.keeper_set().epoch);
}

#[test]
fn stranger_reports_nothing() {
    let (world, mut keeper, _, subject) = scene();
    keeper.key = Keypair::new();
    says(&mut keeper, subject, 9_000);
    assert!(due(&mut keeper, &world).is_none());
}

#[test]
fn median_of_reports_that_the_keeper_made_trips_the_rule() {
    let (mut world, mut keeper, others, subject) = scene();
    for key in &others.keys[..3] {
        let ix = keepers::open_report(world.payer_address(), world.guard, subject, key.pubkey());
        world.send(&[ix], &[]).expect("report is opened");
        keeper.told.push(address::report(&subject, &key.pubkey()));
    }
    others.report(&mut world, subject, &[Some(8_000), Some(7_500), None]);
    assert!(keeper.decision(&world, ActionClass::Trip).is_none(), "two are no quorum of four");
    says(&mut keeper, subject, 7_900);
    reports(&mut keeper, &mut world);
    let trip = keeper.decision(&world, ActionClass::Trip).expect("the median is at 7,900");
    let planned = keeper.plan(&world, &trip).expect("a plan");
    keeper.land(&mut world, &planned).expect("it lands");
    assert_eq!(world.sol_asset().breaker.level_at(world.now_ts()), Level::ReduceOnly);
}
