//! The lab's pool against the built program on the same prices: equal to the unit, position by position, rule by rule.

use rampart::error::RampartError;
use rampart::state::rule::{Metric, RuleParams};
use rampart::state::{Level, Switch};
use rampart_lab::attack::Tick;
use rampart_lab::pool::{Controls, Grid, GuardConfig, Pool, Settings, Table};
use rampart_lab_tests::{CALM, Pair, Path, START_PRICE, STEP_SECS, adopted, config, settings, supply_of, tick, watch};
use rampart_tests::asserts::code_of;
use rampart_tests::defaults::{SOL, USDC, drawdown_rule, flow, risk};
use rampart_tests::rules;
use rampart_tests::world::{Outcome, User, World, defaults_args};
use std::collections::BTreeMap;

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
    buckets.defence_mut().adopt(adopted(&pair.world));
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

/// Small limits and a small cap, on a vault whose limit for new risk follows the volatility of ten minutes: written, as no
/// instruction would while positions are opened. An hour later, when nothing counts as just brought in.
fn narrow(world: &mut World, loan_amount: u64) {
    let mut vault = world.vault();
    vault.limits.loan_flow = flow(loan_amount);
    vault.limits.collateral_flow = flow(400 * SOL);
    vault.limits.borrow_cap_amount = 34_000 * USDC;
    let key = world.keys.vault;
    world.store(&key, &vault);
    // what was minted for the users is no growth
    let (mut asset, key) = (world.sol_asset(), world.keys.collateral_asset);
    asset.supply_reference_amount = supply_of(world);
    world.store(&key, &asset);
    world.scale(|scale| {
        (scale.volatility.span_secs, scale.volatility.calm_bps, scale.floor_ltv_bps) = (600, 100, 5_000);
        scale.volatility.switch = Switch::Enabled as u8;
    });
    world.advance(4_000);
    world.set_prices(START_PRICE, 1.0);
    world.warm_up(12, STEP_SECS.into());
}

/// One rule of each metric that the pool knows.
fn every_rule() -> Vec<RuleParams> {
    let caution = RuleParams { threshold: 500, clear_threshold: 250, level: Level::Caution as u8, ..drawdown_rule() };
    let busy = RuleParams {
        threshold: 3_300,
        clear_threshold: 3_100,
        level: Level::Caution as u8,
        min_observations: 2,
        min_persist_secs: 60,
        ..rules::utilisation()
    };
    let thin = RuleParams { threshold: 14_000, clear_threshold: 14_500, ..rules::collateral_ratio() };
    let run = RuleParams { threshold: 6_000, clear_threshold: 5_000, ..rules::outflow_rate() };
    let rough = RuleParams { duration_secs: 600, ..rules::realized_volatility() };
    [caution, drawdown_rule(), rules::deviation(), busy, thin, run, rough]
        .into_iter()
        .chain([rules::supply_growth(), rules::oracle_age(), rules::source_disagreement(), rules::confidence_ratio()])
        .map(|params| RuleParams { duration_secs: 420, min_dwell_secs: 120, ..params })
        .collect()
}

/// Three borrowers and a lender on a path that a seed draws; returns how often each answer was given.
fn wander(seed: u64, steps: usize) -> BTreeMap<Option<u32>, usize> {
    let mut world = World::with_vault_args(defaults_args());
    let lender = world.lender(100_000 * USDC);
    let mut users: Vec<User> = [6_000, 10_000, 14_000].map(|debt| world.borrower(150 * SOL, debt * USDC)).into();
    for user in &users {
        let mint = world.usdc;
        world.mint_to(mint, user.usdc, 200_000 * USDC);
    }
    users.push(lender);
    if seed.is_multiple_of(2) {
        // limits are a share of what was there for a day
        world.advance(90_000);
    }
    narrow(&mut world, 20_000 * USDC);
    let mut pair = Pair::of(world, users, &every_rule());
    let (mut path, mut answers) = (Path::new(seed), BTreeMap::new());
    for _ in 0..steps {
        pair.play(|ts| path.step(ts));
        for _ in 0..3 {
            let (by, wish) = path.wish(3);
            *answers.entry(pair.ask(by, wish)).or_default() += 1;
        }
    }
    answers
}

#[test]
fn pool_equals_the_program_on_paths_that_seeds_draw() {
    let answers = std::thread::scope(|scope| {
        let plays: Vec<_> = (1..=4).map(|seed| scope.spawn(move || wander(seed, 50))).collect();
        let mut all = BTreeMap::new();
        for (answer, count) in plays.into_iter().flat_map(|play| play.join().expect("both sides are equal")) {
            *all.entry(answer).or_insert(0usize) += count;
        }
        all
    });
    use RampartError as E;
    let found = |error: Option<E>| answers.get(&error.map(u32::from)).copied().unwrap_or(0);
    let met = [E::LevelForbids, E::LtvExceeded, E::HourlyLimitReached, E::BorrowCapReached, E::ExitFloorUsed];
    assert!(found(None) > 100, "{answers:?}");
    for error in met.into_iter().chain([E::PriceIndeterminate, E::PriceDisagreement]) {
        assert!(found(Some(error)) > 0, "no {error:?} in {answers:?}");
    }
}

/// A lender and an attacker with all the collateral of the world, and a pool of buckets that starts where their vault stands.
struct Run {
    world: World,
    lender: User,
    whale: User,
    pool: Pool,
    rules: Vec<rampart_client::Pubkey>,
}

/// How often many users halve what they wish for.
const HALVINGS: u32 = 12;

impl Run {
    fn new() -> Self {
        let mut args = defaults_args();
        (args.curve.base_rate_bps, args.curve.kink_rate_bps, args.curve.max_rate_bps) = (0, 0, 0);
        let mut world = World::with_vault_args(args);
        let lender = world.lender(1_000_000 * USDC);
        let whale = world.borrower(100_000 * SOL, 100 * USDC);
        narrow(&mut world, 200_000 * USDC);
        let mut vault = world.vault();
        vault.limits.borrow_cap_amount = 10_000_000 * USDC;
        let key = world.keys.vault;
        world.store(&key, &vault);
        let params = [
            RuleParams { threshold: 500, clear_threshold: 250, level: Level::Caution as u8, ..drawdown_rule() },
            drawdown_rule(),
        ];
        let subject = world.keys.collateral_asset;
        let rules = params.iter().zip(1u16..).map(|(params, id)| world.create_rule(id, subject, *params)).collect();
        let config = GuardConfig { flow: Some(flow(200_000 * USDC)), ..config(&params) };
        let settings = Settings { target_debt: 0.0, deposits: 1e6, ..settings() };
        let mut pool = Pool::new(&config, settings, world.now_ts(), 1);
        pool.defence_mut().adopt(adopted(&world));
        pool.defence_mut().set_loan_confidence(5e-4);
        pool.control(Controls { soft_quota_bps: 0, ..*pool.base_controls() }, world.now_ts());
        Self { world, lender, whale, pool, rules }
    }

    /// Plays a step in which 2 % of the deposits want to leave and an attacker wants 1 % of them. What the pool grants of each the
    /// program grants too, and no more; returns it, as shares of what was wished for.
    fn step(&mut self, price: f64) -> (f64, f64) {
        self.world.tick(STEP_SECS.into(), price, 1.0);
        let (before, deposits) = (*self.pool.totals(), self.pool.deposits());
        let tick = Tick { outflow: 0.02, attack_borrow: 0.01, ..tick(self.world.now_ts(), price) };
        self.pool.step(&tick, STEP_SECS);
        let after = *self.pool.totals();
        let left = (after.withdrawn - before.withdrawn, 0.02 * deposits);
        let lent = (after.attacked - before.attacked, 0.01 * self.pool.deposits());
        // a share of the only lender is a millionth of a base unit: nobody pays interest
        granted(left, price, |amount| self.world.withdraw(&self.lender, u128::from(amount) * 1_000_000));
        granted(lent, price, |amount| self.world.borrow(&self.whale, amount));
        watch(&mut self.world, &self.rules);
        assert_eq!(self.pool.defence().levels(self.world.now_ts()).risk, self.world.level(), "level at {price}");
        (left.0 / left.1, lent.0 / lent.1)
    }
}

/// Asks the program as many users would, in parts that are halved where they are refused: it comes to what the pool granted.
fn granted((granted, wanted): (f64, f64), price: f64, mut ask: impl FnMut(u64) -> Outcome) {
    use RampartError as E;
    let expected = [E::LevelForbids, E::HourlyLimitReached, E::DailyLimitReached, E::ExitFloorUsed];
    let (mut taken, mut part) = (0.0, wanted);
    for _ in 0..=HALVINGS {
        while taken + part <= wanted {
            match ask((part * USDC as f64) as u64) {
                Ok(_) => taken += part,
                Err(refused) => {
                    assert!(expected.iter().any(|e| u32::from(*e) == code_of(&refused.err)), "{refused:?}");
                    break;
                }
            }
        }
        part /= 2.0;
    }
    assert!((taken - granted).abs() < 1e-6, "the pool grants {granted} and the program {taken} of {wanted} at {price}");
}

#[test]
fn lenders_leave_and_an_attacker_borrows_as_far_as_the_program_lets_them() {
    let mut run = Run::new();
    assert_eq!(run.step(START_PRICE), (1.0, 1.0));
    let calm: Vec<_> = (0..10).map(|_| run.step(START_PRICE)).collect();
    assert!(calm.iter().any(|(left, lent)| *left < 1.0 && *lent < 1.0), "{calm:?}");
    // the limiter is used up: the exit floor of a hundredth goes too
    let narrowed: Vec<_> = (0..6).map(|_| run.step(142.0)).collect();
    assert_eq!(run.world.level(), Level::Caution);
    assert!(narrowed.iter().all(|(_, lent)| *lent < 1.0), "{narrowed:?}");
    let restricted: Vec<_> = (0..5).map(|_| run.step(134.5)).collect();
    assert_eq!(run.world.level(), Level::ReduceOnly);
    assert!(restricted[1..].iter().all(|(_, lent)| *lent == 0.0), "{restricted:?}");
    for _ in 0..15 {
        run.step(134.5);
    }
    assert_eq!(run.world.level(), Level::Normal);
    // new risk has a budget of its own, which nobody used meanwhile
    let (_, lent) = run.step(134.5);
    assert!(lent > 0.0);
}
