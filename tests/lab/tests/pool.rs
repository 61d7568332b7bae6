//! The lab's pool against the built program on the same prices: equal to the unit, position by position, rule by rule.

use rampart::state::Level;
use rampart::state::rule::{Metric, RuleParams};
use rampart_lab::pool::{Controls, Grid, Pool, Table};
use rampart_lab_tests::{CALM, Pair, START_PRICE, STEP_SECS, config, settings, tick};
use rampart_tests::defaults::{drawdown_rule, risk};

/// A fall of 8 %, of 10 % at once to ReduceOnly, and of 25 % to a halt.
fn rules() -> [RuleParams; 3] {
    let caution = RuleParams {
        threshold: 800,
        clear_threshold: 400,
        level: Level::Caution as u8,
        min_observations: 3,
        min_persist_secs: 120,
        ..drawdown_rule()
    };
    let halt = RuleParams {
        threshold: 2_500,
        clear_threshold: 1_200,
        level: Level::Halt as u8,
        duration_secs: 600,
        ..drawdown_rule()
    };
    let deviation = RuleParams {
        metric: Metric::DeviationFromReference as u8,
        window_secs: 1,
        min_observations: 2,
        ..drawdown_rule()
    };
    [caution, halt, deviation]
}

fn play(pair: &mut Pair, path: &[f64]) {
    path.iter().for_each(|price| pair.step(*price));
}

#[test]
fn pool_equals_the_program_through_a_slow_fall_and_a_recovery() {
    let mut pair = Pair::new(100, &[6_000, 9_000, 10_000, 10_400], &rules());
    play(&mut pair, &CALM);
    for cents in (12_200..=15_000).rev().step_by(200) {
        pair.step(cents as f64 / 100.0);
    }
    assert_eq!(pair.level(), Level::Caution);
    let (repaid, seized, lost) = pair.totals();
    assert!(repaid > 0 && seized > 0 && lost == 0);
    for _ in 0..90 {
        pair.step(145.0);
    }
    assert_eq!(pair.level(), Level::Normal);
}

#[test]
fn pool_equals_the_program_through_a_crash_a_halt_and_its_grace_time() {
    let mut pair = Pair::new(100, &[5_000, 8_000, 10_400], &rules());
    play(&mut pair, &CALM);
    play(&mut pair, &[140.0, 118.0, 104.0, 104.0]);
    assert_eq!(pair.level(), Level::Halt);
    play(&mut pair, &[95.0; 30]);
    // insolvent at the end: the rest of the debt is lost, to the same unit
    play(&mut pair, &[62.5; 150]);
    let (_, _, lost) = pair.totals();
    assert!(lost > 0);
}

/// Soft deleveraging stays out: a position takes its hour's quota at once, and a bucket takes it evenly over the hour.
#[test]
fn buckets_liquidate_within_five_percent_of_the_program() {
    let debts: Vec<u64> = (0..40).map(|at| 1_800 + at * 7).collect();
    let mut pair = Pair::new(20, &debts, &[]).without_soft();
    let mut grid = Grid::new(Table::new(&risk(), 10_000_000_000, 0.0), 0.15);
    let worth = 20.0 * START_PRICE * 1.000_5 / 0.999_5;
    debts.iter().for_each(|debt| grid.place(*debt as f64 / worth, *debt as f64));
    let mut buckets = Pool::with_book(grid, &config(&[]), settings(), pair.world.now_ts(), 1);
    let loan = pair.world.load(&pair.world.keys.loan_asset);
    buckets.defence_mut().adopt(pair.world.sol_asset(), loan, pair.world.slot());
    buckets.defence_mut().set_loan_confidence(5e-4);
    buckets.control(Controls { soft_quota_bps: 0, ..*buckets.base_controls() }, pair.world.now_ts());
    let path = [CALM.as_slice(), &[140.0, 128.0, 118.0], &[112.0; 10]].concat();
    for price in path {
        pair.step(price);
        buckets.step(&tick(pair.world.now_ts(), price), STEP_SECS);
    }
    let (ours, theirs) = (buckets.totals().liquidated, pair.totals().0 as f64 / 1e6);
    assert!(theirs > 30_000.0 && (ours / theirs - 1.0).abs() < 0.05, "{ours} {theirs}");
}
