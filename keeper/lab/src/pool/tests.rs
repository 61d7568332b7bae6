//! The pool as a whole: nothing is made or lost, more of a danger never costs less, and the same seed plays the same.

use super::settings::drawdown_rule;
use super::*;
use proptest::prelude::*;
use rampart::state::Cause;
use rand_distr::{Distribution, StandardNormal};

const STEP_SECS: u32 = 300;
const START_TS: i64 = 1_800_000_000;

/// A quiet step at `price`, with a volume of 20 million a day.
fn tick(step: usize, price: f64) -> Tick {
    let ts = START_TS + (step as i64 + 1) * i64::from(STEP_SECS);
    Tick::ordinary(ts, price, 5e-4, (5e-4, 70_000.0 / price, 35_000.0 / price))
}

fn walk(seed: u64, steps: usize, volatility: f64) -> Vec<Tick> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut price = 100.0f64;
    let next = |step| {
        let shock: f64 = StandardNormal.sample(&mut rng);
        price *= (volatility * shock).exp();
        tick(step, price)
    };
    (0..steps).map(next).collect()
}

/// `calm` steps at 100, then a straight fall by `fall` over `over` steps, then a day at the bottom.
fn crash(calm: usize, fall: f64, over: usize) -> Vec<Tick> {
    let price = |step: usize| 100.0 * (1.0 - fall * ((step.saturating_sub(calm)) as f64 / over as f64).min(1.0));
    (0..calm + over + 288).map(|step| tick(step, price(step))).collect()
}

fn guarded() -> GuardConfig {
    GuardConfig::unguarded().with_soft(7_600, 1_000).with_rule(drawdown_rule(800, 14_400, Level::ReduceOnly))
}

fn play(config: &GuardConfig, ticks: &[Tick], seed: u64) -> (Pool, Vec<Step>) {
    let mut pool = Pool::new(config, Settings::default(), START_TS, seed);
    let steps = ticks.iter().map(|tick| pool.step(tick, STEP_SECS)).collect();
    (pool, steps)
}

fn assert_conserved<B: Book>(pool: &Pool<B>, tolerance: f64) {
    let totals = pool.totals();
    let gone = totals.bad_debt + totals.repaid + totals.liquidated + totals.deleveraged;
    let gap = pool.debt() + gone - totals.borrowed;
    assert!(gap.abs() <= tolerance * totals.borrowed.max(1.0), "{gap} of {totals:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn debt_is_what_was_borrowed_less_what_was_repaid_and_lost(seed in any::<u64>(), volatility in 0.001f64..0.05) {
        let (pool, steps) = play(&guarded(), &walk(seed, 600, volatility), seed);
        assert_conserved(&pool, 1e-9);
        let held: f64 = pool.book().buckets().iter().sum();
        prop_assert!((held - pool.debt()).abs() < 1e-3);
        let lost: f64 = steps.iter().map(|step| step.bad_debt).sum();
        prop_assert!((lost - pool.totals().bad_debt).abs() < 1e-3);
    }
}

#[test]
fn deeper_crash_never_loses_less() {
    let lost = |fall| {
        let pool = play(&GuardConfig::unguarded(), &crash(288, fall, 6), 1).0;
        pool.totals().bad_debt + pool.underwater()
    };
    let losses: Vec<f64> = [0.05, 0.15, 0.25, 0.35, 0.5, 0.7].into_iter().map(lost).collect();
    assert!(losses.windows(2).all(|pair| pair[0] <= pair[1] + 1e-6), "{losses:?}");
    assert!(losses[0] == 0.0 && losses[5] > 1e6, "{losses:?}");
}

#[test]
fn less_liquidity_never_loses_less_while_the_price_goes_on_falling() {
    let lost = |depth: f64| {
        let mut ticks = crash(288, 0.6, 96);
        ticks.iter_mut().skip(288).for_each(|tick| tick.depth = depth);
        let pool = play(&GuardConfig::unguarded(), &ticks, 1).0;
        pool.totals().bad_debt + pool.underwater()
    };
    let losses: Vec<f64> = [10.0, 1.0, 0.3, 0.05].into_iter().map(lost).collect();
    assert!(losses.windows(2).all(|pair| pair[0] <= pair[1] + 1e-6), "{losses:?}");
}

#[test]
fn same_seed_plays_the_same_and_another_differs_where_chance_is_left() {
    let mut ticks = crash(288, 0.4, 48);
    ticks.iter_mut().for_each(|tick| tick.inclusion = 0.3);
    let run = |seed| {
        let (pool, steps) = play(&guarded(), &ticks, seed);
        (*pool.totals(), steps)
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7).1, run(8).1);
}

#[test]
fn drawdown_rule_blocks_new_debt_from_the_step_after_it_trips() {
    let config = GuardConfig::unguarded().with_rule(drawdown_rule(800, 3_600, Level::ReduceOnly));
    let (pool, steps) = play(&config, &crash(288, 0.10, 4), 1);
    assert_eq!(pool.defence().trips(), 1);
    let first = steps.iter().position(Step::is_halted).expect("it trips");
    // 8 % of the window's high are reached only at its end, which is the fifth step
    assert_eq!(first, 288 + 4);
    // an hour, and stepped down no earlier than its dwell time
    assert!(steps[first..first + 3].iter().all(Step::is_halted));
    let resumed = first + steps[first..].iter().position(|step| !step.is_halted()).expect("it ends");
    assert!((first + 3..=first + 12).contains(&resumed), "{resumed}");
    let borrowed = |from: usize, to: usize| {
        let mut pool = Pool::new(&config, Settings::default(), START_TS, 1);
        let mut at = Vec::new();
        for tick in crash(288, 0.10, 4).iter().take(to + 1) {
            pool.step(tick, STEP_SECS);
            at.push(pool.totals().borrowed);
        }
        at[to] - at[from]
    };
    assert_eq!(borrowed(first, first + 3), 0.0);
    assert!(borrowed(280, 283) > 0.0);
}

#[test]
fn keeper_that_is_down_trips_nothing_and_deleverages_nothing() {
    let mut ticks = crash(288, 0.12, 24);
    ticks.iter_mut().for_each(|tick| tick.keeper = Keeper::Down);
    let (pool, _) = play(&guarded(), &ticks, 1);
    assert_eq!((pool.defence().trips(), pool.totals().deleveraged), (0, 0.0));
    // and without observations no reference is warm, so nobody borrows
    assert_eq!(pool.totals().borrowed, 0.0);
}

#[test]
fn sources_that_disagree_stop_new_debt_and_liquidations() {
    let mut ticks = crash(288, 0.3, 24);
    ticks.iter_mut().skip(288).for_each(|tick| tick.second.price *= 1.05);
    let (pool, steps) = play(&GuardConfig::unguarded(), &ticks, 1);
    let before = steps[287].debt;
    assert_eq!(pool.totals().liquidated, 0.0);
    assert!(steps[288..].iter().all(|step| step.debt <= before));
}

#[test]
fn borrowing_against_a_pumped_price_is_held_to_the_reference() {
    let pumped = |share: f64| {
        let mut ticks = crash(288, 0.0, 1);
        for tick in &mut ticks[288..290] {
            (tick.oracle.price, tick.second.price) = (200.0, 200.0);
            tick.attack_borrow = share;
        }
        let (pool, _) = play(&GuardConfig::unguarded(), &ticks, 1);
        (pool.totals().attacked, pool.totals().bad_debt + pool.underwater())
    };
    let (attacked, lost) = pumped(0.05);
    assert!(attacked > 500_000.0, "{attacked}");
    // the reference has followed by a tenth of the way at most: 75 % of 110 is no more than the collateral is worth
    assert!(lost < attacked * 0.05, "{lost} of {attacked}");
}

#[test]
fn controls_stay_within_what_the_guard_allows() {
    let mut pool = Pool::new(&guarded(), Settings::default(), START_TS, 1);
    let wild = Controls { ltv_bps: 9_999, cap: 7.0, soft_quota_bps: 9_999, halt_secs: 1_000_000 };
    pool.control(wild, START_TS);
    let step = pool.step(&tick(0, 100.0), STEP_SECS);
    let held = *pool.controls();
    assert_eq!((held.ltv_bps, held.cap, held.soft_quota_bps, pool.totals().pauses), (7_500, 1.0, 1_000, 0));
    assert!(!step.is_halted());
    pool.control(Controls { halt_secs: 1_800, ..wild }, START_TS + 300);
    assert!(pool.step(&tick(1, 100.0), STEP_SECS).is_halted());
}

/// Positions as the grid draws them, one for each bucket it fills.
fn positions_of(grid: &Grid, price: f64) -> Vec<(u64, u64)> {
    let unit =
        |(at, debt): (usize, &f64)| ((debt * settings::LOAN_UNIT) as u64, (debt / ltv_of(at) / price * 1e9) as u64);
    grid.buckets().iter().enumerate().filter(|(_, debt)| **debt > 1.0).map(unit).collect()
}

/// Three steps at 100: the reference is warm, and a pool without positions has filled up.
fn settle<B: Book>(pool: &mut Pool<B>) {
    for step in 0..3 {
        pool.step(&tick(step, 100.0), STEP_SECS);
    }
}

#[test]
fn buckets_liquidate_as_much_as_positions_one_by_one() {
    let config = GuardConfig::unguarded();
    let quiet =
        Settings { refill_per_day: 0.0, repay_per_day: 0.0, market_share: 1e6, impact: 0.0, ..Settings::default() };
    for fall in [0.1, 0.15, 0.22, 0.3] {
        let mut grid = Pool::new(&config, quiet, START_TS, 1);
        settle(&mut grid);
        let quote = 100.0 * 1.000_5;
        let book = Exact::new(&positions_of(grid.book(), quote));
        let mut exact = Pool::with_book(book, &config, quiet, START_TS, 1);
        settle(&mut exact);
        for step in 3..40 {
            let price = 100.0 * (1.0 - fall);
            grid.step(&tick(step, price), STEP_SECS);
            exact.step(&tick(step, price), STEP_SECS);
        }
        let (by_bucket, one_by_one) = (grid.totals().liquidated, exact.totals().liquidated);
        // a bucket is half a percent wide and the debt spreads over about fifteen percent
        assert!((by_bucket / one_by_one - 1.0).abs() < 0.05, "{fall}: {by_bucket} {one_by_one}");
        assert_conserved(&exact, 1e-6);
    }
}

#[test]
fn sales_that_move_the_market_lose_more_than_sales_that_do_not() {
    let lost = |feedback| {
        let mut ticks = crash(288, 0.3, 48);
        ticks.iter_mut().for_each(|tick| tick.feedback = feedback);
        let pool = play(&GuardConfig::unguarded(), &ticks, 1).0;
        assert_conserved(&pool, 1e-9);
        pool.totals().bad_debt + pool.underwater()
    };
    assert!(lost(1.0) > lost(0.0), "{} {}", lost(1.0), lost(0.0));
}

#[test]
fn grace_time_after_a_halt_protects_from_soft_deleveraging_too() {
    // the pool deleveraged whom the program leaves alone in the two hours after a halt
    let config = GuardConfig::unguarded().with_soft(7_600, 1_000);
    let sold = |graces: Graces| {
        let mut grid = Grid::new(Table::new(&config.risk, 10_000_000_000, 0.0), 0.15);
        grid.reprice(&Quote::of(100.0));
        grid.place(0.78, 1_000.0);
        let (soft, mut vault) = (Soft { share: 0.1, quota_bps: 1_000 }, bytemuck::Zeroable::zeroed());
        grid.deleverage(&mut vault, soft, 1.0, &graces, &mut Liquidity::endless()).repaid
    };
    let at = |dollars: f64| rampart::math::Price::from_q64((dollars / 1_000.0 * 2f64.powi(64)) as u128).unwrap();
    let grace = |price| Some(Grace { started_at_ts: START_TS, price });
    assert!(sold(Graces::default()) > 99.0);
    assert_eq!(sold([None, grace(None), None, None]), 0.0);
    assert_eq!(sold([None, grace(Some(at(110.0))), None, None]), 0.0);
    // at 95 dollars it stood beyond the line already
    assert!(sold([None, grace(Some(at(95.0))), None, None]) > 99.0);
    // a second halt that ended as lately protects as well: the one that ended last alone was asked
    assert_eq!(sold([grace(Some(at(95.0))), None, grace(Some(at(110.0))), None]), 0.0);
}

#[test]
fn halt_is_marked_so_that_grace_knows_its_price() {
    // without the loan's window no price was ever marked, and every solvent position was protected
    let config = GuardConfig::unguarded().with_rule(drawdown_rule(2_000, 3_600, Level::Halt));
    let mut pool = Pool::new(&config, Settings::default(), START_TS, 1);
    let graces: Vec<Grace> = crash(288, 0.3, 3)
        .iter()
        .flat_map(|tick| {
            pool.step(tick, STEP_SECS);
            pool.defence_mut().graces(tick.ts)
        })
        .flatten()
        .collect();
    assert!(!graces.is_empty(), "a halt came and went");
    assert!(graces.iter().all(|grace| grace.price.is_some()));
}

#[test]
fn caution_narrows_limits_and_takes_nothing_where_there_are_none() {
    // the pool lent a quarter of what was wished for, where the program scales the limiter alone
    let config = GuardConfig::unguarded().with_rule(drawdown_rule(500, 3_600, Level::Caution));
    let mut defence = Defence::new(&config, 1e6, START_TS);
    let limited = GuardConfig { flow: Some(flow()), ..config };
    let mut narrow = Defence::new(&limited, 1e6, START_TS);
    let caution = Cause::of_rule(anchor_lang::prelude::Pubkey::new_from_array([1; 32]), &limited.rules[0], START_TS);
    for defence in [&mut defence, &mut narrow] {
        defence.vault.breaker.trip(caution, START_TS).unwrap();
    }
    assert_eq!((defence.admit_borrow(1e5, START_TS), defence.admit_exit(1e5, 1e6, START_TS)), (1e5, 1e5));
    // a quarter of what new risk has at once: 10 % of a million, half in the bucket, 40 % of that
    let lent = narrow.admit_borrow(1e5, START_TS);
    assert!((lent - 5_000.0).abs() < 1e5 / 4_096.0, "{lent}");
}

#[test]
fn exit_floor_is_a_share_of_what_was_held_when_exits_were_restricted() {
    // the floor shrank with each withdrawal and came anew at midnight
    let config = GuardConfig { exit_floor_bps: 100, flow: Some(flow()), ..GuardConfig::unguarded() };
    let mut defence = Defence::new(&config, 1e6, START_TS);
    assert!(defence.pause(100_000, START_TS));
    let mut deposits = 1e6;
    let mut leave = |wanted: f64, ts: i64| {
        let paid = defence.admit_exit(wanted, deposits, ts);
        deposits -= paid;
        paid
    };
    assert_eq!(leave(6_000.0, START_TS + 60), 6_000.0);
    let rest = leave(6_000.0, START_TS + 120);
    assert!((rest - 4_000.0).abs() <= 6_000.0 / 4_096.0, "{rest}");
    // a day from the first, not from midnight
    assert!(leave(6_000.0, START_TS + 43_200) < 2.0);
    assert_eq!(leave(6_000.0, START_TS + 60 + 86_400), 6_000.0);
}

#[test]
fn refused_wish_leaves_the_limiter_as_it_was() {
    // what was refused at Caution let the bucket leak at half its limit from then on
    let config = GuardConfig { flow: Some(flow()), ..GuardConfig::unguarded() };
    let mut defence = Defence::new(&config, 1e6, START_TS);
    defence.admit_exit(18_000.0, 1e6, START_TS);
    let cause = drawdown_rule(500, 3_600, Level::Caution);
    let caution = Cause::of_rule(anchor_lang::prelude::Pubkey::new_from_array([1; 32]), &cause, START_TS + 60);
    defence.vault.breaker.trip(caution, START_TS + 60).unwrap();
    let before = defence.vault.loan_flow.exit;
    // more than is there, down to the smallest part
    assert_eq!(defence.admit_exit(1e9, 0.0, START_TS + 60), 0.0);
    assert_eq!(defence.vault.loan_flow.exit, before);
}

/// 10 % of the deposits an hour, 60 % of it for exits, 40 % of that for the floor.
fn flow() -> rampart::state::flow::FlowLimits {
    rampart::state::flow::FlowLimits {
        absolute_floor_amount: 1_000,
        hourly_bps: 1_000,
        daily_bps: 2_000,
        exit_share_bps: 6_000,
        floor_reserve_bps: 4_000,
    }
}

#[test]
fn one_position_with_most_of_the_debt_loses_more_than_many() {
    let lost = |concentration| {
        let settings = Settings { concentration, ..Settings::default() };
        let mut pool = Pool::new(&GuardConfig::unguarded(), settings, START_TS, 1);
        crash(4, 0.3, 3).iter().take(8).for_each(|tick| {
            pool.step(tick, STEP_SECS);
        });
        pool.totals().bad_debt + pool.underwater()
    };
    let (one, many) = (lost(0.95), lost(0.0));
    assert!(one > 1.2 * many && many > 0.0, "{one} {many}");
}
