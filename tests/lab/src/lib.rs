//! A pool of the lab and a vault of the built program that start equal and see the same prices.

use rampart::error::RampartError;
use rampart::state::rule::RuleParams;
use rampart::state::{Level, Position, Rule, Vault};
use rampart_client::liquidation;
use rampart_lab::attack::Tick;
use rampart_lab::pool::{Controls, Exact, GuardConfig, OracleLimits, Pool, Settings};
use rampart_tests::asserts::code_of;
use rampart_tests::defaults::{SOL, USDC, reference, risk};
use rampart_tests::world::{User, World, defaults_args};

/// Length of a step, seconds.
pub const STEP_SECS: u32 = 60;
/// The price at the start, dollars.
pub const START_PRICE: f64 = 150.0;

/// One vault, twice.
pub struct Pair {
    /// The built program.
    pub world: World,
    /// The lab's pool, positions one by one.
    pub pool: Pool<Exact>,
    borrowers: Vec<User>,
    liquidator: User,
    rules: Vec<RuleKey>,
    is_soft: bool,
}

type RuleKey = rampart_client::Pubkey;

/// Quiet people: nobody borrows or repays, and the market takes everything.
pub fn settings() -> Settings {
    Settings {
        deposits: 50e6,
        refill_per_day: 0.0,
        repay_per_day: 0.0,
        market_share: 1e9,
        impact: 0.0,
        latency_secs: 0,
        cadence_secs: STEP_SECS,
        ..Settings::default()
    }
}

/// The guard of the harness's vault, with `rules` and without interest.
pub fn config(rules: &[RuleParams]) -> GuardConfig {
    GuardConfig {
        risk: risk(),
        reference: reference(),
        oracle: OracleLimits::default(),
        rules: rules.to_vec(),
        ..GuardConfig::unguarded()
    }
}

/// A step in which both sources print `price`, in whole cents.
pub fn tick(ts: i64, price: f64) -> Tick {
    Tick::ordinary(ts, price, 5e-4, (0.0, 1e9, 5e8))
}

impl Pair {
    /// Opens a position of `sol` whole SOL for each of `debts` (whole USDC) at 150 dollars, and creates `rules` about the
    /// collateral.
    pub fn new(sol: u64, debts: &[u64], rules: &[RuleParams]) -> Self {
        let mut args = defaults_args();
        args.risk = risk();
        (args.curve.base_rate_bps, args.curve.kink_rate_bps, args.curve.max_rate_bps) = (0, 0, 0);
        let mut world = World::with_vault_args(args);
        world.lender(2_000_000 * USDC);
        let borrowers: Vec<User> = debts.iter().map(|debt| world.borrower(sol * SOL, debt * USDC)).collect();
        let liquidator = world.user(0, 10_000_000 * USDC);
        let subject = world.keys.collateral_asset;
        let rules_made = rules.iter().zip(1u16..).map(|(params, id)| world.create_rule(id, subject, *params)).collect();
        let positions = borrowers.iter().map(|user| world.position(&user.position)).collect();
        let book = Exact::adopt(world.vault(), positions);
        let mut pool = Pool::with_book(book, &config(rules), settings(), world.now_ts(), 1);
        pool.defence_mut().adopt(world.sol_asset(), world.load(&world.keys.loan_asset), world.slot());
        pool.defence_mut().set_loan_confidence(5e-4);
        Self { world, pool, borrowers, liquidator, rules: rules_made, is_soft: true }
    }

    /// Leaves soft deleveraging out on both sides.
    pub fn without_soft(mut self) -> Self {
        self.pool.control(Controls { soft_quota_bps: 0, ..*self.pool.base_controls() }, self.world.now_ts());
        Self { is_soft: false, ..self }
    }

    /// Plays a step at `price` on both, and requires that they come to the same.
    pub fn step(&mut self, price: f64) {
        self.world.tick(i64::from(STEP_SECS), price, 1.0);
        self.force();
        self.watch();
        let step = self.pool.step(&tick(self.world.now_ts(), price), STEP_SECS);
        assert_eq!(step.levels.risk, self.world.level(), "level at {price}");
        self.assert_equal(price);
    }

    /// Marks the price of a halt where there is one, liquidates whom the program lets, then deleverages the others.
    fn force(&mut self) {
        let mark = liquidation::mark_halt(&self.world.keys);
        let _ = self.world.send(&[mark], &[]);
        for borrower in &self.borrowers {
            let hard = self.world.liquidate(&self.liquidator, borrower.position, u64::MAX);
            if self.is_soft && hard.is_err() {
                let _ = self.world.deleverage(&self.liquidator, borrower.position, u64::MAX);
            }
        }
    }

    /// Does what a keeper does about each rule: trip, else observe, and step down where it is clear.
    fn watch(&mut self) {
        for key in &self.rules {
            if self.world.trip(*key).is_ok() {
                continue;
            }
            let observed = self.world.observe_rule(*key);
            assert!(observed.is_ok(), "{observed:?}");
            if let Err(error) = self.world.step_down(*key) {
                let expected = [RampartError::RuleNotClear, RampartError::NotTripped, RampartError::DwellNotOver];
                let code = code_of(&error.err);
                assert!(expected.iter().any(|e| u32::from(*e) == code), "{error:?}");
            }
        }
    }

    fn assert_equal(&self, price: f64) {
        let (asset, own) = (self.world.sol_asset(), self.pool.defence().asset());
        assert_eq!(own.reference, asset.reference, "reference at {price}");
        assert!(own.window == asset.window, "window at {price}");
        // causes name the rule that holds them, and both sides name theirs
        let causes = |asset: &rampart::state::Asset| {
            asset.breaker.causes.map(|c| (c.level, c.tripped_at_ts, c.expires_at_ts, c.dwell_until_ts))
        };
        assert_eq!(causes(own), causes(&asset), "causes at {price}");
        assert_eq!(own.breaker.halts, asset.breaker.halts, "halts at {price}");
        for (own, key) in self.pool.defence().rules().zip(&self.rules) {
            let rule = self.world.rule(key);
            let facts = |r: &Rule| (r.streak, r.held, r.trip_epoch, r.step_downs);
            assert_eq!(facts(own), facts(&rule), "rule at {price}");
        }
        let (own, vault) = (&self.pool.book().vault, self.world.vault());
        let books =
            |v: &Vault| (v.cash_amount, v.collateral_amount, v.debt_scaled, v.borrow_index_q64, v.insurance_amount);
        assert_eq!(books(own), books(&vault), "books at {price}");
        assert_eq!(own.totals, vault.totals, "totals at {price}");
        for (at, (own, user)) in self.pool.book().positions.iter().zip(&self.borrowers).enumerate() {
            let stored = self.world.position(&user.position);
            let facts = |p: &Position| (p.debt_scaled, p.collateral_amount, p.liquidation_seq, p.soft_quota);
            assert_eq!(facts(own), facts(&stored), "position {at} at {price}");
        }
    }

    /// Returns what liquidators and deleveragers repaid, what they received, and what was lost, by the vault's totals.
    pub fn totals(&self) -> (u64, u64, u64) {
        let totals = self.world.vault().totals;
        (totals.liquidated_amount, totals.seized_amount, totals.bad_debt_amount)
    }

    /// Returns the level in force.
    pub fn level(&self) -> Level {
        self.world.level()
    }
}

/// The start of every path.
pub const CALM: [f64; 3] = [START_PRICE; 3];
