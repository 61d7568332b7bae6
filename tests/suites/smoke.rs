//! The whole life of a vault, once.

use rampart::state::Level;
use rampart_client::evidence;
use rampart_tests::defaults::{SOL, USDC, drawdown_rule};
use rampart_tests::{World, compute_units};

#[test]
fn crash_trips_the_rule_and_liquidates() {
    let mut world = World::with_vault();
    let rule = world.create_rule(1, world.keys.collateral_asset, drawdown_rule());
    world.lender(1_000_000 * USDC);
    let borrower = world.borrower(100 * SOL, 10_000 * USDC);
    let liquidator = world.user(0, 100_000 * USDC);
    world.tick(30, 120.0, 1.0);
    let ix = evidence::trip(rule, &world.rule(&rule), None, &world.sol_feeds.metas());
    println!("trip {}", compute_units(world.send(&[ix], &[])));
    assert_eq!(world.sol_asset().breaker.level_at(world.now_ts()), Level::ReduceOnly);
    println!("liquidate {}", compute_units(world.liquidate(&liquidator, borrower.position, u64::MAX)));
    assert_eq!(world.position(&borrower.position).liquidation_seq, 1);
}
