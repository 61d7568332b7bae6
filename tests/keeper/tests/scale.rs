//! Limits on new risk that the keeper lets follow the median of reports.

use rampart::state::{ReportPart, ScaleTarget, Switch};
use rampart_client::address;
use rampart_keeper::decide::Action;
use rampart_keeper::decide::reports::subjects;
use rampart_keeper::decide::settle::Housekeeping;
use rampart_keeper::intent::ActionClass;
use rampart_keeper_tests::Keeper;
use rampart_tests::World;
use rampart_tests::keepers::Keepers;
use rampart_tests::scale::switch_on;
use solana_sdk::signer::Signer;

/// Five keepers of a guard; the limit follows scores beyond 30 % by half, 250 bps at once and 500 an hour. The keeper
/// that is tried is none of them.
fn scene() -> (World, Keeper, Keepers) {
    let (mut world, keepers) = World::with_keepers(5);
    world.scale(|scale| {
        switch_on(scale);
        (scale.volatility.switch, scale.cap.switch) = (Switch::Disabled as u8, Switch::Disabled as u8);
        (scale.ltv.part, scale.ltv.calm_bps, scale.ltv.slope_bps) = (ReportPart::Score as u8, 3_000, 5_000);
    });
    let mut keeper = Keeper::new(&mut world, &[], &[]);
    let subject = world.keys.collateral_asset;
    keeper.told.push(address::keeper_set(&world.guard));
    keeper.told.extend(keepers.keys.iter().map(|key| address::report(&subject, &key.pubkey())));
    (world, keeper, keepers)
}

fn say(world: &mut World, keepers: &Keepers, score_bps: u16) {
    world.advance(1);
    let subject = world.keys.collateral_asset;
    keepers.report(world, subject, &[Some(score_bps); 5]);
}

fn is_due(keeper: &mut Keeper, world: &World) -> bool {
    let decision = keeper.decision(world, ActionClass::Settle);
    let vault = world.keys.vault;
    let expected = Housekeeping::Scale { vault, target: ScaleTarget::Ltv };
    decision.is_some_and(|decision| matches!(decision.action, Action::Settle(what) if what == expected))
}

fn lands(keeper: &mut Keeper, world: &mut World) {
    assert!(is_due(keeper, world), "a limit is due to move");
    let decision = keeper.decision(world, ActionClass::Settle).expect("it is due");
    let planned = keeper.plan(world, &decision).expect("a plan");
    keeper.land(world, &planned).expect("it lands");
}

#[test]
fn limit_follows_the_median_down_in_steps_worth_their_fee_and_back() {
    let (mut world, mut keeper, keepers) = scene();
    assert!(!is_due(&mut keeper, &world), "nobody has said anything");
    say(&mut world, &keepers, 2_900);
    assert!(!is_due(&mut keeper, &world), "the median is calm");
    say(&mut world, &keepers, 5_000);
    lands(&mut keeper, &mut world);
    assert_eq!(world.vault().ltv_cut.cut_bps, 250, "half of an hour's step");
    say(&mut world, &keepers, 5_000);
    assert!(!is_due(&mut keeper, &world), "seconds leave a basis point or none");
    world.advance(720);
    say(&mut world, &keepers, 5_000);
    lands(&mut keeper, &mut world);
    assert!((300..302).contains(&world.vault().ltv_cut.cut_bps), "what leaked since");
    world.advance(1_800);
    say(&mut world, &keepers, 0);
    lands(&mut keeper, &mut world);
    assert!((250..252).contains(&world.vault().ltv_cut.cut_bps), "100 bps an hour are given back");
}

#[test]
fn standing_cut_is_renewed_before_it_ends_and_left_alone_when_keepers_fall_silent() {
    let (mut world, mut keeper, keepers) = scene();
    say(&mut world, &keepers, 3_400);
    lands(&mut keeper, &mut world);
    let first = world.vault().ltv_cut;
    assert_eq!(first.cut_bps, 200, "all that is asked for");
    world.advance(3 * 3_600 - 60);
    say(&mut world, &keepers, 3_400);
    assert!(!is_due(&mut keeper, &world), "half of its time is left");
    world.advance(60);
    say(&mut world, &keepers, 3_400);
    lands(&mut keeper, &mut world);
    let renewed = world.vault().ltv_cut;
    assert!(renewed.cut_bps == 200 && renewed.expires_at_ts > first.expires_at_ts);
    world.advance(4 * 3_600);
    assert!(!is_due(&mut keeper, &world), "no quorum is heard any more");
}

#[test]
fn collateral_whose_limit_follows_reports_is_reported_on() {
    let (mut world, mut keeper, _) = scene();
    let subject = world.keys.collateral_asset;
    keeper.read(&world);
    assert!(subjects(&keeper.store).contains(&subject));
    world.scale(|scale| scale.ltv.switch = Switch::Disabled as u8);
    keeper.read(&world);
    assert!(!subjects(&keeper.store).contains(&subject), "nobody listens");
}
