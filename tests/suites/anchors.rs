//! Slow references, and the one that a rule holds while a deviation lasts: what a walk or a drag can't move.

use rampart::error::RampartError;
use rampart::math::Bps;
use rampart::state::asset::{Anchor, ReferenceSpan};
use rampart::state::rule::{HeldReference, RuleParams};
use rampart::state::{Level, Rule};
use rampart_client::{Pubkey, admin};
use rampart_tests::rules::{self, Shown};
use rampart_tests::{World, defaults};
use solana_sdk::signer::Signer;

/// A world whose anchors have half an hour between observations for `hours`.
fn observed_for(hours: usize) -> World {
    let mut world = World::with_vault();
    world.warm_up(2 * hours, 1_800);
    world
}

fn with_rule(mut world: World, params: RuleParams) -> (World, Pubkey) {
    let rule = world.create_rule(1, world.keys.collateral_asset, params);
    (world, rule)
}

fn held(rule: &Rule) -> HeldReference {
    rule.held
}

#[test]
fn observe_starts_both_anchors_and_moves_them_by_their_own_half_lives() {
    let mut world = World::with_assets();
    assert_eq!(world.sol_asset().anchors, [Anchor::default(); 2]);
    world.observe_both();
    let start = world.sol_asset();
    assert_eq!(start.anchors, [Anchor { price_q64: start.reference.price_q64, weighed_secs: 0 }; 2]);
    world.tick(3_600, 75.0, 1.0);
    let asset = world.sol_asset();
    // 75 · (1 - 2^(-1/4)) = 11.93 and 75 · (1 - 2^(-1/24)) = 2.135
    let near =
        |at: usize, dollars: f64| (asset.anchors[at].price_q64.get() as f64 / 2f64.powi(64) - dollars).abs() < 0.02;
    assert!(near(0, 138.07) && near(1, 147.865), "{:?}", asset.anchors);
    assert_eq!(asset.anchors.map(|a| a.weighed_secs), [3_600, 3_600]);
}

/// One print after a long gap stands for no longer than the short reference may be old.
#[test]
fn print_after_a_gap_weighs_an_hour_at_most() {
    let (mut long, mut hour) = (observed_for(4), observed_for(4));
    long.tick(3 * 3_600, 75.0, 1.0);
    hour.tick(3_600, 75.0, 1.0);
    assert_eq!(long.sol_asset().anchors, hour.sol_asset().anchors);
}

#[test]
fn anchor_is_cold_until_it_was_observed_for_its_half_life_and_lost_after_as_long() {
    for (span, hours) in [(ReferenceSpan::FourHours, 4), (ReferenceSpan::Day, 24)] {
        let (mut world, rule) = with_rule(observed_for(hours - 1), rules::deviation_from(span));
        // ten minutes are from the start
        world.warm_up(1, 2_999);
        world.set_prices(100.0, 1.0);
        assert_eq!(world.shown(rule), Shown::Indeterminate, "{span:?}");
        world.set_prices(150.0, 1.0);
        world.warm_up(1, 61);
        for (dollars, shown) in
            [(134.9, Shown::True), (140.0, Shown::Between), (150.0, Shown::Clear), (165.1, Shown::True)]
        {
            world.set_prices(dollars, 1.0);
            assert_eq!(world.shown(rule), shown, "{span:?} at {dollars}");
        }
        world.advance(hours as i64 * 3_600);
        world.set_prices(100.0, 1.0);
        assert_eq!(world.shown(rule), Shown::True);
        world.advance(1);
        world.set_prices(100.0, 1.0);
        assert_eq!(world.shown(rule), Shown::Indeterminate);
        // and starts over, cold
        world.observe_both();
        assert_eq!(world.sol_asset().anchors[usize::from(hours == 24)].weighed_secs, 0);
        assert_eq!(world.shown(rule), Shown::Indeterminate);
    }
}

/// Case 27: a walk that the short reference follows is a breach of the slow one.
#[test]
fn case_027_slow_walk_below_the_short_band_breaks_the_anchors() {
    let (mut world, short) = with_rule(observed_for(5), rules::deviation());
    let slow = world.create_rule(2, world.keys.collateral_asset, rules::deviation_from(ReferenceSpan::FourHours));
    let mut dollars = 150.0;
    for _ in 0..45 {
        dollars *= 0.995;
        world.tick(60, dollars, 1.0);
        assert_ne!(world.shown(short), Shown::True, "at {dollars}");
    }
    assert_eq!(world.shown(slow), Shown::True);
    world.trip(slow).unwrap();
    assert_eq!(world.level(), Level::ReduceOnly);
}

/// Case 27: a price that stays away drags the reference after it; the rule holds the one that it broke.
#[test]
fn case_027_reference_is_held_from_the_first_true_observation() {
    let params = RuleParams { min_persist_secs: 600, min_observations: 3, ..rules::deviation() };
    let (mut world, rule) = with_rule(observed_for(1), params);
    world.tick(60, 132.0, 1.0);
    let before = world.sol_asset().reference_price(world.now_ts()).unwrap();
    let started_ts = world.now_ts();
    // the first observation of the price has moved the reference to 147.7 already
    world.observe_rule(rule).unwrap();
    assert_eq!(
        held(&world.rule(&rule)),
        HeldReference { price_q64: before.q64().into(), until_ts: started_ts + 4_200 }
    );
    for _ in 0..10 {
        world.tick(60, 132.0, 1.0);
        world.observe_rule(rule).unwrap();
    }
    let dragged = world.sol_asset().reference_price(world.now_ts()).unwrap();
    assert!(dragged.deviation(before) > Bps(700), "the moving reference followed");
    assert_eq!(held(&world.rule(&rule)).price_q64, before.q64().into());
    world.trip(rule).unwrap();
    // clear is judged against the held reference as well
    world.advance(300);
    world.set_prices(132.0, 1.0);
    world.refuses(&world.step_down_ix(rule), &[], RampartError::RuleNotClear);
    world.set_prices(147.0, 1.0);
    world.step_down(rule).unwrap();
    assert_eq!(held(&world.rule(&rule)), HeldReference::default());
}

#[test]
fn held_reference_ends_with_a_clear_price_or_after_its_time_and_no_observation_prolongs_it() {
    let (mut world, rule) = with_rule(observed_for(1), rules::deviation());
    world.advance(60);
    world.set_prices(130.0, 1.0);
    world.observe_rule(rule).unwrap();
    let until_ts = held(&world.rule(&rule)).until_ts;
    assert_eq!(until_ts, world.now_ts() + 3_600);
    world.advance(60);
    world.set_prices(149.0, 1.0);
    world.observe_rule(rule).unwrap();
    assert_eq!(held(&world.rule(&rule)), HeldReference::default());
    world.set_prices(130.0, 1.0);
    world.advance(1);
    world.set_prices(130.0, 1.0);
    world.observe_rule(rule).unwrap();
    let until_ts = held(&world.rule(&rule)).until_ts;
    while world.now_ts() + 60 < until_ts {
        world.tick(60, 130.0, 1.0);
        assert_eq!(world.shown(rule), Shown::True);
        world.observe_rule(rule).unwrap();
        assert_eq!(held(&world.rule(&rule)).until_ts, until_ts);
    }
    world.tick(60, 130.0, 1.0);
    assert_eq!(world.shown(rule), Shown::Clear);
}

#[test]
fn trip_holds_the_reference_where_nothing_was_observed_before() {
    let (mut world, rule) = with_rule(observed_for(1), rules::deviation());
    let reference = world.sol_asset().reference_price(world.now_ts()).unwrap();
    world.advance(60);
    world.set_prices(130.0, 1.0);
    world.trip(rule).unwrap();
    let expected = HeldReference { price_q64: reference.q64().into(), until_ts: world.now_ts() + 3_600 };
    assert_eq!(held(&world.rule(&rule)), expected);
}

/// Case 30: nobody reseeds a reference that a rule was tripped on: what starts over is not what is held.
#[test]
fn case_030_reference_that_starts_over_does_not_end_what_is_held() {
    let params = RuleParams { duration_secs: 3 * 3_600, ..rules::deviation() };
    let (mut world, rule) = with_rule(observed_for(1), params);
    world.advance(60);
    world.set_prices(100.0, 1.0);
    world.trip(rule).unwrap();
    // the reference is lost, and warms up at the manipulated price
    world.advance(3_601);
    for _ in 0..3 {
        world.tick(1, 100.0, 1.0);
    }
    let reseeded = world.sol_asset().reference_price(world.now_ts()).unwrap();
    assert!(reseeded.deviation(rampart::math::Price::from_q64(100 * defaults::DOLLAR_Q64).unwrap()) <= Bps(1));
    assert_eq!(world.shown(rule), Shown::True);
    world.refuses(&world.step_down_ix(rule), &[], RampartError::RuleNotClear);
}

#[test]
fn create_rule_fails_for_an_unknown_span_or_one_that_the_metric_has_not() {
    let mut world = World::with_vault();
    let root = world.root.insecure_clone();
    let (subject, guard) = (world.keys.collateral_asset, world.guard);
    for reference_span in [0, 4, u8::MAX] {
        let params = RuleParams { reference_span, ..rules::deviation() };
        let ix = admin::create_rule(root.pubkey(), guard, subject, 7, params);
        world.refuses(&ix, &[&root], RampartError::UnknownKind);
    }
    let params = RuleParams { reference_span: ReferenceSpan::Day as u8, ..defaults::drawdown_rule() };
    let ix = admin::create_rule(root.pubkey(), guard, subject, 7, params);
    world.refuses(&ix, &[&root], RampartError::RuleInvalid);
}
