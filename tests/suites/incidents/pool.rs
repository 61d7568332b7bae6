//! A pool of an incident's size, guarded or left as open as the program lets it be.

use rampart::state::asset::{Peg, ReferenceParams};
use rampart::state::flow::FlowLimits;
use rampart::state::guard::HardBounds;
use rampart::state::{RiskParams, VaultLimits};
use rampart::{InitializeGuardArgs, InitializeVaultArgs, RegisterAssetArgs};
use rampart_client::{VaultKeys, admin};
use rampart_tests::defaults::{self, USDC};
use rampart_tests::oracles::Feeds;
use rampart_tests::{User, World};
use solana_sdk::signer::Signer;

/// How a pool is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// Limits far above all that there is, a reference that is the last print, no rules: as without a guard.
    Open,
    /// The values that `docs/rules.md` starts from.
    Guarded,
}

/// What an incident needs of its pool.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// What lenders have in it, whole tokens of the loan mint.
    pub cash: u64,
    /// Dollars of one token of collateral.
    pub dollars: f64,
    /// Dollars of one token of the loan, as the feeds say.
    pub loan_dollars: f64,
    /// Lines and bonuses.
    pub risk: RiskParams,
    /// What the collateral is worth by name.
    pub peg: Peg,
}

impl Terms {
    /// A pool of `cash` against collateral of `dollars`, with the lines of the other suites.
    pub fn of(cash: u64, dollars: f64) -> Self {
        Self { cash, dollars, loan_dollars: 1.0, risk: defaults::risk(), peg: Peg::Unpegged }
    }
}

/// A pool two days old, so that shares of the day's base count.
pub struct Pool {
    /// The world.
    pub world: World,
    /// How it is set up.
    pub setup: Setup,
}

/// Far above all that there is.
const FAR: u64 = 1 << 60;

fn bounds(setup: Setup) -> HardBounds {
    // 1 % is what one change may move the price
    let own = HardBounds { max_effect_bps: 100, max_ltv_bps: 9_900, ..defaults::bounds() };
    match setup {
        Setup::Guarded => own,
        Setup::Open => {
            HardBounds { max_hourly_outflow_bps: 10_000, max_daily_outflow_bps: 10_000, max_effect_bps: 5_000, ..own }
        }
    }
}

fn flow(setup: Setup, cash: u64) -> FlowLimits {
    match setup {
        // a hundredth of the pool while it has no base
        Setup::Guarded => defaults::flow(cash / 100),
        Setup::Open => {
            FlowLimits { absolute_floor_amount: FAR, hourly_bps: 10_000, daily_bps: 10_000, ..defaults::flow(FAR) }
        }
    }
}

fn limits(setup: Setup, cash: u64) -> VaultLimits {
    VaultLimits {
        supply_cap_amount: FAR,
        borrow_cap_amount: FAR,
        collateral_cap_amount: u64::MAX,
        loan_flow: flow(setup, cash),
        collateral_flow: FlowLimits { absolute_floor_amount: FAR, ..flow(setup, cash) },
        // new collateral comes in at any rate and without a warm-up: either would hold several incidents by itself
        inflow: defaults::inflow(u64::MAX / 2),
        ..defaults::limits()
    }
}

fn reference(setup: Setup) -> ReferenceParams {
    match setup {
        Setup::Guarded => defaults::reference(),
        Setup::Open => ReferenceParams { half_life_secs: 1, min_samples: 1, ..defaults::reference() },
    }
}

/// A world with both mints and a guard.
pub fn world_with_guard(setup: Setup) -> World {
    let mut world = World::empty();
    world.sol = world.create_mint(anchor_spl::token::ID, 9);
    world.usdc = world.create_mint(anchor_spl::token::ID, 6);
    world.keys = VaultKeys::derive(world.guard, world.sol, world.usdc);
    let root = world.root.pubkey();
    let roles = defaults::roles(root, world.risk_admin.pubkey());
    let guard = InitializeGuardArgs { roles, bounds: bounds(setup) };
    world.send_as_root(&[admin::initialize_guard(root, 1, guard)]).expect("guard is created");
    world
}

impl Pool {
    /// Creates the pool, lends to it, and lets two days pass.
    pub fn new(setup: Setup, terms: Terms) -> Self {
        let mut world = world_with_guard(setup);
        let root = world.root.pubkey();
        let asset = |feeds: Feeds, peg: Peg| RegisterAssetArgs {
            reference: reference(setup),
            peg: peg as u8,
            ..defaults::asset_args(feeds.set())
        };
        let vault = InitializeVaultArgs {
            risk: terms.risk,
            // interest is none of an incident's business
            curve: rampart::state::InterestCurve {
                base_rate_bps: 0,
                kink_rate_bps: 0,
                max_rate_bps: 0,
                ..defaults::curve()
            },
            limits: limits(setup, terms.cash * USDC),
        };
        let created = [
            admin::register_asset(root, world.guard, world.sol.mint, asset(world.sol_feeds, terms.peg)),
            admin::register_asset(root, world.guard, world.usdc.mint, asset(world.usdc_feeds, Peg::UsDollar)),
        ];
        world.send_as_root(&created).expect("assets are registered");
        world.set_prices(terms.dollars, terms.loan_dollars);
        let ix = world.initialize_vault_ix(vault);
        world.send_as_root(&[ix]).expect("vault is created");
        let lender = world.lender(terms.cash * USDC - 2);
        for _ in 0..2 {
            world.advance(86_401);
            world.set_prices(terms.dollars, terms.loan_dollars);
            world.mint_to(world.usdc, lender.usdc, 1);
            world.supply(&lender, 1).expect("the day's base is noted");
        }
        world.warm_up(20, 60);
        Self { world, setup }
    }

    /// Tells whether it is guarded.
    pub fn is_guarded(&self) -> bool {
        self.setup == Setup::Guarded
    }

    /// Creates an attacker with `tokens` whole tokens of collateral, deposited.
    pub fn attacker(&mut self, tokens: u64) -> User {
        let amount = tokens * 1_000_000_000;
        let user = self.world.user(amount, 0);
        self.world.deposit_collateral(&user, amount).expect("collateral is deposited");
        user
    }

    /// Lets the attacker borrow as much as passes now, at most `most` base units; returns what left.
    ///
    /// Whatever is refused is tried again with half: a patient attacker finds the limit.
    pub fn borrow_most(&mut self, user: &User, most: u64) -> u64 {
        let (mut left, mut next) = (0, most);
        while next >= 10 * USDC && left < most {
            next = next.min(most - left);
            match self.world.borrow(user, next) {
                Ok(_) => left += next,
                Err(_) => next /= 2,
            }
        }
        left
    }
}

/// Whole dollars, or tokens, of base units of six decimals, with thousands.
pub fn whole(amount: u64) -> String {
    let digits = (amount / USDC).to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).expect("digits")).collect();
    groups.join(",")
}
