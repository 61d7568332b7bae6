//! Worlds with a dollar limit over several pairs, and its leases.

use crate::defaults;
use crate::oracles::Feeds;
use crate::world::{Outcome, User, World, defaults_args};
use rampart::state::lease::LeaseRing;
use rampart::state::{AggregateLimit, AggregateParams, Vault};
use rampart::{RegisterAssetArgs, WithdrawArgs};
use rampart_client::{Instruction, MintOf, Pubkey, VaultKeys, address, admin, aggregate, evidence, lending};
use solana_sdk::signer::Signer;

/// One micro-dollar times this is a dollar.
pub const USD: u64 = 1_000_000;

/// A pair of the world's guard: a collateral of its own against the world's loan mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Collateral mint, 9 decimals.
    pub mint: MintOf,
    /// Its feeds.
    pub feeds: Feeds,
    /// The vault.
    pub keys: VaultKeys,
}

impl World {
    /// A world with a vault and the default dollar limit.
    pub fn with_aggregate() -> Self {
        Self::with_aggregate_of(defaults::aggregate())
    }

    /// As [`World::with_aggregate`], with other parameters.
    pub fn with_aggregate_of(params: AggregateParams) -> Self {
        let mut world = Self::with_vault();
        world.limit_dollars(params);
        world
    }

    /// Creates the dollar limit.
    pub fn limit_dollars(&mut self, params: AggregateParams) {
        let ix = aggregate::initialize_aggregate(self.root.pubkey(), self.guard, params);
        self.send_as_root(&[ix]).expect("dollar limit is created");
    }

    /// Returns the address of the dollar limit.
    pub fn aggregate_key(&self) -> Pubkey {
        address::aggregate(&self.guard)
    }

    /// Returns the dollar limit.
    pub fn aggregate(&self) -> AggregateLimit {
        self.load(&self.aggregate_key())
    }

    /// Returns the pair that the world's shorthands act on.
    pub fn pair(&self) -> Pair {
        Pair { mint: self.sol, feeds: self.sol_feeds, keys: self.keys }
    }

    /// Lets the world's shorthands act on `pair`.
    pub fn enter(&mut self, pair: &Pair) {
        (self.sol, self.sol_feeds, self.keys) = (pair.mint, pair.feeds, pair.keys);
    }

    /// Creates a pair with a collateral at `dollars`, fed by feeds made from `tag`, and enters it.
    pub fn add_pair(&mut self, tag: u8, dollars: f64) -> Pair {
        self.add_pair_of(tag, dollars, defaults::asset_args(bytemuck::Zeroable::zeroed()))
    }

    /// As [`World::add_pair`], with the collateral registered with `args` but for its sources.
    pub fn add_pair_of(&mut self, tag: u8, dollars: f64, args: RegisterAssetArgs) -> Pair {
        let (mint, feeds) = (self.create_mint(anchor_spl::token::ID, 9), Feeds::new(tag));
        let args = RegisterAssetArgs { oracle: feeds.set(), ..args };
        let keys = VaultKeys::derive(self.guard, mint, self.usdc);
        let ixs = [
            admin::register_asset(self.root.pubkey(), self.guard, mint.mint, args),
            admin::initialize_vault(self.root.pubkey(), self.guard, mint, self.usdc, defaults_args()),
        ];
        for ix in ixs {
            self.send_as_root(&[ix]).expect("pair is created");
        }
        self.publish(&feeds, dollars);
        let pair = Pair { mint, feeds, keys };
        self.enter(&pair);
        self.warm_up(5, 60);
        pair
    }

    /// Returns the instruction that leases `micro_usd` to the vault.
    pub fn lease_ix(&self, micro_usd: u64) -> Instruction {
        aggregate::lease_budget(&self.keys, &self.pair_oracles(), micro_usd)
    }

    /// Leases `micro_usd` to the vault, signed by nobody but the payer of the fee.
    pub fn lease(&mut self, micro_usd: u64) -> Outcome {
        let ix = self.lease_ix(micro_usd);
        self.send(&[ix], &[])
    }

    /// Returns what the vault has leased, as of now: granted and unused, micro-dollars.
    pub fn leased(&self) -> (u64, u64) {
        let lease = self.vault().lease;
        let cell = self.now_ts() / i64::from(self.aggregate().params.cell_secs());
        (live(lease.granted, cell), live(lease.unused, cell))
    }

    /// Returns what the limit has leased to all vaults, as of now, micro-dollars.
    pub fn leased_by_all(&self) -> u64 {
        let all = self.aggregate();
        live(all.leased, self.now_ts() / i64::from(all.params.cell_secs()))
    }

    /// Asserts that the limit counts what its vaults hold, and at most half of itself.
    ///
    /// # Panics
    /// Otherwise.
    #[track_caller]
    pub fn assert_leases(&self, vaults: &[Pubkey]) {
        let all = self.aggregate();
        let cell = self.now_ts() / i64::from(all.params.cell_secs());
        let held = vaults.iter().map(|key| live(self.load::<Vault>(key).lease.granted, cell)).sum::<u64>();
        assert_eq!(live(all.leased, cell), held, "the limit counts what its vaults hold");
        assert!(held <= all.params.limit_micro_usd / 2, "live leases stay within half of the limit");
    }

    /// Leases and withdraws in one transaction.
    pub fn lease_and_withdraw(&mut self, user: &User, micro_usd: u64, shares: u128) -> Outcome {
        let args = WithdrawArgs { shares, min_amount: 0 };
        let ixs = [self.lease_ix(micro_usd), lending::withdraw(&self.keys, user.address(), user.usdc, args)];
        self.send(&ixs, &[&user.key])
    }

    /// As [`World::pass`], and with references that are warm at the end.
    pub fn pass_warm(&mut self, secs: i64, pairs: &[Pair]) {
        self.pass(secs - 30, pairs);
        for _ in 0..3 {
            self.pass(10, pairs);
        }
    }

    /// Moves time on and publishes and observes all prices of `pairs` as they stand; no time is nothing.
    pub fn pass(&mut self, secs: i64, pairs: &[Pair]) {
        if secs == 0 {
            return;
        }
        let usdc = self.usdc_price();
        let prices: Vec<f64> = pairs.iter().map(|p| self.price_of(&p.feeds)).collect();
        self.advance(secs);
        let usdc_feeds = self.usdc_feeds;
        self.publish(&usdc_feeds, usdc);
        let mut ixs = vec![evidence::observe(self.keys.loan_asset, self.usdc.mint, &usdc_feeds.metas())];
        for (pair, dollars) in pairs.iter().zip(prices) {
            self.publish(&pair.feeds, dollars);
            ixs.push(evidence::observe(pair.keys.collateral_asset, pair.mint.mint, &pair.feeds.metas()));
        }
        self.send(&ixs, &[]).expect("all are observed");
    }
}

fn live(mut ring: LeaseRing, cell: i64) -> u64 {
    ring.settle(cell);
    ring.total()
}
