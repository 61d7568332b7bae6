//! The six metrics on chain: true, between, clear and indeterminate, and the end of the price that each is judged at.

use rampart::error::RampartError;
use rampart::state::Level;
use rampart::state::rule::RuleParams;
use rampart_client::Pubkey;
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::rules::{self, Shown};
use rampart_tests::{World, assert_error};

fn world_with(params: RuleParams, about_vault: bool) -> (World, Pubkey) {
    let mut world = World::with_vault();
    let subject = if about_vault { world.keys.vault } else { world.keys.collateral_asset };
    let rule = world.create_rule(1, subject, params);
    (world, rule)
}

/// Asserts what the rule comes to at each price of the collateral.
#[track_caller]
fn shows_at(world: &mut World, rule: Pubkey, prices: &[(f64, Shown)]) {
    for (dollars, shown) in prices {
        world.set_prices(*dollars, 1.0);
        assert_eq!(world.shown(rule), *shown, "at {dollars} dollars");
    }
}

#[test]
fn drawdown_is_judged_against_the_windows_high() {
    let (mut world, rule) = world_with(defaults::drawdown_rule(), false);
    // the favourable end is 5 bps above the price: 150 - 10 % is reached at 134.93
    let at = [
        (134.9, Shown::True),
        (135.0, Shown::Between),
        (142.4, Shown::Between),
        (142.5, Shown::Clear),
        (200.0, Shown::Clear),
    ];
    shows_at(&mut world, rule, &at);
    // a new high counts once it is observed
    world.tick(60, 180.0, 1.0);
    shows_at(&mut world, rule, &[(150.0, Shown::True), (179.0, Shown::Clear)]);
}

#[test]
fn drawdown_is_indeterminate_while_less_than_half_of_the_window_was_seen() {
    let mut world = World::with_assets();
    let ix = world.initialize_vault_ix(rampart_tests::world::defaults_args());
    world.send_as_root(&[ix]).unwrap();
    let rule = world.create_rule(1, world.keys.collateral_asset, defaults::drawdown_rule());
    assert_eq!(world.shown(rule), Shown::Indeterminate);
    world.warm_up(4, 60);
    shows_at(&mut world, rule, &[(100.0, Shown::Indeterminate), (150.0, Shown::Indeterminate)]);
    world.warm_up(1, 60);
    shows_at(&mut world, rule, &[(100.0, Shown::True), (150.0, Shown::Clear)]);
}

#[test]
fn deviation_is_judged_against_the_reference_on_both_sides() {
    let (mut world, rule) = world_with(rules::deviation(), false);
    let at = [
        (134.9, Shown::True),
        (135.0, Shown::Between),
        (150.0, Shown::Clear),
        (157.4, Shown::Clear),
        (165.0, Shown::Between),
        (165.1, Shown::True),
    ];
    shows_at(&mut world, rule, &at);
}

/// Case 29: a reference that is cold, or three days old, blocks new risk and proves nothing.
#[test]
fn case_029_reference_that_is_cold_or_old_is_indeterminate() {
    let mut world = World::with_assets();
    let ix = world.initialize_vault_ix(rampart_tests::world::defaults_args());
    world.send_as_root(&[ix]).unwrap();
    let rule = world.create_rule(1, world.keys.collateral_asset, rules::deviation());
    world.warm_up(2, 60);
    shows_at(&mut world, rule, &[(100.0, Shown::Indeterminate), (150.0, Shown::Indeterminate)]);
    world.warm_up(1, 60);
    shows_at(&mut world, rule, &[(100.0, Shown::True), (150.0, Shown::Clear)]);
    world.lender(1_000 * USDC);
    world.advance(3_601);
    shows_at(&mut world, rule, &[(100.0, Shown::Indeterminate), (150.0, Shown::Indeterminate)]);
    let borrower = world.user(10 * SOL, 0);
    world.deposit_collateral(&borrower, 10 * SOL).unwrap();
    assert_error(world.borrow(&borrower, 100 * USDC), RampartError::PriceIndeterminate);
    world.advance(3 * 86_400);
    shows_at(&mut world, rule, &[(150.0, Shown::Indeterminate)]);
}

#[test]
fn oracle_age_is_that_of_the_second_freshest_source() {
    let (mut world, rule) = world_with(rules::oracle_age(), false);
    let (feeds, start) = (world.sol_feeds, world.now_ts());
    assert_eq!(world.shown(rule), Shown::Clear);
    for (age_secs, shown) in [(90, Shown::Clear), (91, Shown::Between), (119, Shown::Between), (120, Shown::True)] {
        world.set_clock(start + age_secs, world.slot() + 4);
        world.publish_pyth(&feeds, 150.0, 5, start + age_secs);
        assert_eq!(world.shown(rule), shown, "at {age_secs} seconds");
    }
}

/// All sources are dead: Caution, proved by anyone, and exits stay open.
#[test]
fn oracle_age_is_true_when_every_source_is_gone_and_exits_stay_open() {
    let (mut world, rule) = world_with(rules::oracle_age(), false);
    let lender = world.lender(1_000_000 * USDC);
    let borrower = world.borrower(100 * SOL, 1_000 * USDC);
    let saver = world.user(10 * SOL, 0);
    world.deposit_collateral(&saver, 10 * SOL).unwrap();
    world.advance(3_600);
    for feeds in [world.sol_feeds, world.usdc_feeds] {
        for key in [feeds.pyth, feeds.switchboard] {
            world.svm.set_account(key, Default::default()).unwrap();
        }
    }
    assert_eq!(world.shown(rule), Shown::True);
    world.trip(rule).unwrap();
    assert_eq!(world.level(), Level::Caution);
    let half = world.position(&lender.position).supply_shares.get() / 20;
    world.withdraw(&lender, half).unwrap();
    world.withdraw_collateral(&saver, 10 * SOL).unwrap();
    world.repay(&borrower, 500 * USDC).unwrap();
    // what was seen before the sources died is not seen now
    assert_error(world.borrow(&borrower, 100 * USDC), RampartError::PriceIndeterminate);
    // and a level is stepped down only by sources that are back
    world.advance(300);
    world.refuses(&world.step_down_ix(rule), &[], RampartError::RuleNotClear);
    world.set_prices(150.0, 1.0);
    world.step_down(rule).unwrap();
    assert_eq!(world.level(), Level::Normal);
}

#[test]
fn confidence_ratio_is_that_of_the_less_confident_of_two_fresh_sources() {
    let (mut world, rule) = world_with(rules::confidence_ratio(), false);
    let (feeds, now_ts) = (world.sol_feeds, world.now_ts());
    for (pyth, switchboard, shown) in [
        (5, 49, Shown::Clear),
        (49, 5, Shown::Clear),
        (60, 5, Shown::Between),
        (5, 101, Shown::True),
        // too wide to be usable, and the more surely true
        (900, 900, Shown::True),
    ] {
        world.publish_pyth(&feeds, 150.0, pyth, now_ts);
        world.publish_switchboard(&feeds, 150.0, switchboard, now_ts);
        assert_eq!(world.shown(rule), shown, "at {pyth} and {switchboard} bps");
    }
    world.publish_pyth(&feeds, 150.0, 900, now_ts - 91);
    assert_eq!(world.shown(rule), Shown::Indeterminate);
}

/// Case 25: a wide confidence neither fakes a breach nor hides one unnoticed.
#[test]
fn case_025_wide_confidence_fakes_no_breach_and_is_caught_by_the_rule_on_it() {
    let (mut world, drawdown) = world_with(defaults::drawdown_rule(), false);
    let deviation = world.create_rule(2, world.keys.collateral_asset, rules::deviation());
    let confidence = world.create_rule(3, world.keys.collateral_asset, rules::confidence_ratio());
    let (feeds, now_ts) = (world.sol_feeds, world.now_ts());
    for (confidence_bps, shown) in [(5, Shown::True), (190, Shown::Between)] {
        // 134.5 is a fall of 10.3 %, and of 8.6 % at the favourable end of a band of 190 bps
        world.publish_pyth(&feeds, 134.5, confidence_bps, now_ts);
        world.publish_switchboard(&feeds, 134.5, confidence_bps, now_ts);
        assert_eq!((world.shown(drawdown), world.shown(deviation)), (shown, shown));
    }
    assert_eq!(world.shown(confidence), Shown::True);
    world.trip(confidence).unwrap();
    assert_eq!(world.level(), Level::Caution);
}

#[test]
fn outflow_rate_is_judged_against_the_days_base() {
    let (mut world, rule) = world_with(rules::outflow_rate(), true);
    let lender = world.lender(4_000_000 * USDC);
    assert_eq!(world.shown(rule), Shown::Clear);
    // own inflow of the last hour leaves uncharged; after it every withdrawal counts
    world.advance(3_600);
    let shares =
        |w: &World, amount: u64| w.position(&lender.position).supply_shares.get() * u128::from(amount) / 4_000_000;
    let first = shares(&world, 100_000);
    world.withdraw(&lender, first).unwrap();
    assert_eq!(world.shown(rule), Shown::Clear);
    let more = shares(&world, 50_000);
    world.withdraw(&lender, more).unwrap();
    assert_eq!(world.shown(rule), Shown::Between);
    world.advance(3_600);
    world.withdraw(&lender, more).unwrap();
    world.withdraw(&lender, more).unwrap();
    assert_eq!(world.shown(rule), Shown::True);
    world.trip(rule).unwrap();
    assert_eq!(world.level(), Level::ReduceOnly);
    world.advance(4 * 3_600);
    assert_eq!(world.shown(rule), Shown::Clear);
}

/// Case 47: what was refused did not leave.
#[test]
fn outflow_rate_counts_no_request_that_was_refused() {
    let (mut world, rule) = world_with(rules::outflow_rate(), true);
    let lender = world.lender(4_000_000 * USDC);
    world.advance(3_600);
    let all = world.position(&lender.position).supply_shares.get();
    for _ in 0..20 {
        assert_error(world.withdraw(&lender, all), RampartError::HourlyLimitReached);
    }
    assert_eq!(world.shown(rule), Shown::Clear);
}

#[test]
fn collateral_ratio_is_judged_at_the_favourable_end_of_both_prices() {
    let (mut world, rule) = world_with(rules::collateral_ratio(), true);
    // no debt: more than enough collateral
    assert_eq!(world.shown(rule), Shown::Clear);
    world.lender(1_000_000 * USDC);
    world.borrower(100 * SOL, 10_000 * USDC);
    // 130 % is reached at 130 dollars less 10 bps of confidence on both sides
    let at = [(150.0, Shown::Clear), (149.8, Shown::Between), (129.9, Shown::Between), (129.8, Shown::True)];
    shows_at(&mut world, rule, &at);
}

#[test]
fn collateral_ratio_is_indeterminate_without_both_prices() {
    let (mut world, rule) = world_with(rules::collateral_ratio(), true);
    world.lender(1_000_000 * USDC);
    world.borrower(100 * SOL, 10_000 * USDC);
    world.set_prices(120.0, 1.0);
    let feeds = world.usdc_feeds;
    world.publish_pyth(&feeds, 0.95, 5, world.now_ts());
    assert_eq!(world.shown(rule), Shown::Indeterminate);
    world.svm.set_account(feeds.pyth, Default::default()).unwrap();
    assert_eq!(world.shown(rule), Shown::Indeterminate);
}

#[test]
fn rule_is_indeterminate_when_sources_disagree_or_die() {
    for params in [defaults::drawdown_rule(), rules::deviation()] {
        let (mut world, rule) = world_with(params, false);
        world.set_prices(100.0, 1.0);
        assert_eq!(world.shown(rule), Shown::True);
        let feeds = world.sol_feeds;
        world.publish_pyth(&feeds, 101.1, 5, world.now_ts());
        assert_eq!(world.shown(rule), Shown::Indeterminate);
        world.svm.set_account(feeds.pyth, Default::default()).unwrap();
        assert_eq!(world.shown(rule), Shown::Indeterminate);
    }
}
