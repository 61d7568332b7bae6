//! A pool of the lab and a vault of the built program that start equal and see the same prices.

mod path;

pub use path::Path;

use rampart::error::RampartError;
use rampart::state::rule::{Metric, RuleParams};
use rampart::state::{Asset, Breaker, Level, Position, Rule, Vault};
use rampart_client::{Pubkey, evidence, liquidation};
use rampart_lab::attack::{Keeper, Print, Tick};
use rampart_lab::pool::{Adopted, Controls, Exact, GuardConfig, OracleLimits, Pool, Settings, Wish};
use rampart_tests::asserts::code_of;
use rampart_tests::defaults::{SOL, USDC, reference, risk};
use rampart_tests::oracles::Feeds;
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
    users: Vec<User>,
    liquidator: User,
    /// Holds what a test mints.
    issuer: User,
    rules: Vec<Pubkey>,
    supply_start: u64,
    is_soft: bool,
}

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

/// Returns what a pool adopts of `world`.
pub fn adopted(world: &World) -> Adopted {
    Adopted {
        guard: world.guard_state(),
        vault: world.vault(),
        collateral: world.sol_asset(),
        loan: world.load(&world.keys.loan_asset),
        supply: supply_of(world),
        slot: world.slot(),
    }
}

/// Returns the supply of the collateral's mint: both token programs keep it at bytes 36 to 44.
pub fn supply_of(world: &World) -> u64 {
    let data = world.svm.get_account(&world.sol.mint).expect("mint exists").data;
    u64::from_le_bytes(data[36..44].try_into().expect("eight bytes"))
}

/// Does what a keeper does about each rule: trip, else observe, and step down where it is clear.
pub fn watch(world: &mut World, rules: &[Pubkey]) {
    for key in rules {
        if world.trip(*key).is_ok() {
            continue;
        }
        // a print that isn't newer is refused; the streaks show what came of it
        let _ = world.observe_rule(*key);
        if let Err(error) = world.step_down(*key) {
            use RampartError as E;
            let expected = [E::RuleNotClear, E::NotTripped, E::DwellNotOver, E::RuleIndeterminate];
            let code = code_of(&error.err);
            assert!(expected.iter().any(|e| u32::from(*e) == code), "{error:?}");
        }
    }
}

impl Pair {
    /// Opens a position of `sol` whole SOL for each of `debts` (whole USDC) at 150 dollars, without interest, and creates
    /// `rules`.
    pub fn new(sol: u64, debts: &[u64], rules: &[RuleParams]) -> Self {
        let mut args = defaults_args();
        args.risk = risk();
        (args.curve.base_rate_bps, args.curve.kink_rate_bps, args.curve.max_rate_bps) = (0, 0, 0);
        let mut world = World::with_vault_args(args);
        world.lender(2_000_000 * USDC);
        let borrowers = debts.iter().map(|debt| world.borrower(sol * SOL, debt * USDC)).collect();
        Self::of(world, borrowers, rules)
    }

    /// Creates `rules` about the collateral or the vault, and puts a pool beside `world` that starts where it stands.
    pub fn of(mut world: World, users: Vec<User>, rules: &[RuleParams]) -> Self {
        let (liquidator, issuer) = (world.user(0, 10_000_000 * USDC), world.user(0, 0));
        let subject = |world: &World, params: &RuleParams| {
            let is_about_asset = Metric::try_from(params.metric).is_ok_and(Metric::is_about_asset);
            if is_about_asset { world.keys.collateral_asset } else { world.keys.vault }
        };
        let mut create = |(params, id): (&RuleParams, u16)| world.create_rule(id, subject(&world, params), *params);
        let rule_keys = rules.iter().zip(1u16..).map(&mut create).collect();
        let book = Exact::adopt(users.iter().map(|user| world.position(&user.position)).collect());
        let mut pool = Pool::with_book(book, &config(rules), settings(), world.now_ts(), 1);
        let chain = adopted(&world);
        let supply_start = chain.supply;
        pool.defence_mut().adopt(chain);
        pool.defence_mut().set_loan_confidence(5e-4);
        Self { world, pool, users, liquidator, issuer, rules: rule_keys, supply_start, is_soft: true }
    }

    /// Leaves soft deleveraging out on both sides.
    pub fn without_soft(mut self) -> Self {
        self.pool.control(Controls { soft_quota_bps: 0, ..*self.pool.base_controls() }, self.world.now_ts());
        Self { is_soft: false, ..self }
    }

    /// Plays a step at `price` on both, and requires that they come to the same.
    pub fn step(&mut self, price: f64) {
        self.play(|ts| tick(ts, price));
    }

    /// Plays a step on both, and requires that they come to the same.
    pub fn play(&mut self, tick_at: impl FnOnce(i64) -> Tick) {
        self.world.advance(STEP_SECS.into());
        let tick = tick_at(self.world.now_ts());
        self.publish(&tick);
        let runs = tick.keeper != Keeper::Down;
        if runs {
            self.observe();
        }
        self.force(runs);
        if runs {
            watch(&mut self.world, &self.rules);
        }
        let step = self.pool.step(&tick, STEP_SECS);
        let at = format!("at {} of {}", tick.oracle.price, tick.ts);
        assert_eq!(step.levels.risk, self.world.level(), "level {at}");
        self.assert_equal(&at);
    }

    /// Asks for `wish` of user `by` on both: done or refused with the same error, and the same afterwards. Returns that error.
    pub fn ask(&mut self, by: usize, wish: Wish) -> Option<u32> {
        let user = &self.users[by];
        let done = match wish {
            Wish::Borrow(amount) => self.world.borrow(user, amount),
            Wish::Repay(amount) => self.world.repay(user, amount),
            Wish::TakeCollateral(amount) => self.world.withdraw_collateral(user, amount),
            Wish::Withdraw(shares) => self.world.withdraw(user, shares),
        };
        let theirs = done.err().map(|error| code_of(&error.err));
        let ours = self.pool.ask(by, wish, self.world.now_ts()).err().map(|error| number_of(&error));
        assert_eq!(ours, theirs, "{wish:?} of {by} at {}", self.world.now_ts());
        self.assert_equal(&format!("after {wish:?} of {by}"));
        theirs
    }

    /// Puts what a step's sources print, and the collateral that there is, on the chain.
    fn publish(&mut self, tick: &Tick) {
        let (sol, usdc): (Feeds, Feeds) = (self.world.sol_feeds, self.world.usdc_feeds);
        let bps = |print: &Print| (print.conf / print.price * 1e4).round() as u64;
        let (first, second) = (&tick.oracle, &tick.second);
        self.world.publish_pyth(&sol, first.price, bps(first), tick.ts - i64::from(first.age_secs));
        self.world.publish_switchboard(&sol, second.price, bps(second), tick.ts - i64::from(second.age_secs));
        self.world.publish(&usdc, 1.0);
        let wanted = (self.supply_start as f64 * tick.collateral_supply) as u64;
        let minted = wanted.saturating_sub(supply_of(&self.world));
        if minted > 0 {
            let (mint, account) = (self.world.sol, self.issuer.sol);
            self.world.mint_to(mint, account, minted);
        }
    }

    /// Observes both assets, each for itself: sources that fail one of them don't hold up the other.
    fn observe(&mut self) {
        let keys = &self.world.keys;
        let observed = [
            evidence::observe(keys.collateral_asset, self.world.sol.mint, &self.world.sol_feeds.metas()),
            evidence::observe(keys.loan_asset, self.world.usdc.mint, &self.world.usdc_feeds.metas()),
        ];
        for instruction in observed {
            let _ = self.world.send(&[instruction], &[]);
        }
    }

    /// Marks the price of a halt where there is one, liquidates whom the program lets, then deleverages the others.
    fn force(&mut self, runs: bool) {
        let mark = liquidation::mark_halt(&self.world.keys);
        let _ = self.world.send(&[mark], &[]);
        for user in &self.users {
            let hard = self.world.liquidate(&self.liquidator, user.position, u64::MAX);
            if self.is_soft && runs && hard.is_err() {
                let _ = self.world.deleverage(&self.liquidator, user.position, u64::MAX);
            }
        }
    }

    fn assert_equal(&self, at: &str) {
        let (asset, vault) = (self.world.sol_asset(), self.world.vault());
        let (own_asset, own) = (self.pool.defence().asset(), self.pool.defence().vault());
        assert_eq!(own_asset.reference, asset.reference, "reference {at}");
        assert_breakers(&own_asset.breaker, &asset.breaker, at);
        assert!(is_same(&without_breaker(own_asset), &without_breaker(&asset)), "asset {at}");
        let now_ts = self.world.now_ts();
        let ltv = |vault: &Vault, asset: &Asset| vault.ltv_for_new_risk(asset, now_ts);
        assert_eq!(ltv(own, own_asset), ltv(&vault, &asset), "limit for new risk {at}");
        for (own, key) in self.pool.defence().rules().zip(&self.rules) {
            let rule = self.world.rule(key);
            let facts = |r: &Rule| (r.streak, r.held, r.trip_epoch, r.step_downs);
            assert_eq!(facts(own), facts(&rule), "rule {} {at}", rule.id);
        }
        let books =
            |v: &Vault| (v.cash_amount, v.collateral_amount, v.debt_scaled, v.borrow_index_q64, v.insurance_amount);
        assert_eq!(books(own), books(&vault), "books {at}");
        assert_eq!(own.totals, vault.totals, "totals {at}");
        assert_eq!(own.loan_flow, vault.loan_flow, "limiter {at}");
        assert_breakers(&own.breaker, &vault.breaker, at);
        let bare = |vault: &Vault| Vault { breaker: bytemuck::Zeroable::zeroed(), ..*vault };
        assert!(is_same(&bare(own), &bare(&vault)), "vault {at}");
        for (index, (own, user)) in self.pool.book().positions.iter().zip(&self.users).enumerate() {
            // the pool has no slots within a step
            let bare = |position: &Position| Position { last_liquidation_slot: 0, ..*position };
            assert_eq!(bare(own), bare(&self.world.position(&user.position)), "position {index} {at}");
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

fn is_same<T: bytemuck::NoUninit>(own: &T, chain: &T) -> bool {
    bytemuck::bytes_of(own) == bytemuck::bytes_of(chain)
}

fn without_breaker(asset: &Asset) -> Asset {
    Asset { breaker: bytemuck::Zeroable::zeroed(), ..*asset }
}

/// Causes name the rule that holds them, and both sides name theirs.
fn assert_breakers(own: &Breaker, chain: &Breaker, at: &str) {
    let causes = |breaker: &Breaker| {
        breaker.causes.map(|c| (c.level, c.tripped_at_ts, c.expires_at_ts, c.dwell_until_ts, c.reach, c.kind))
    };
    assert_eq!(causes(own), causes(chain), "causes {at}");
    assert_eq!((own.halts, own.episode), (chain.halts, chain.episode), "halts {at}");
}

fn number_of(error: &anchor_lang::error::Error) -> u32 {
    match error {
        anchor_lang::error::Error::AnchorError(error) => error.error_code_number,
        other => panic!("not an error of the program: {other:?}"),
    }
}

/// The start of every path.
pub const CALM: [f64; 3] = [START_PRICE; 3];
