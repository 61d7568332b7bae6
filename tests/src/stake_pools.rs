//! A collateral that is the token of an SPL stake pool: its sources price SOL, the pool says how much SOL it is worth.

use crate::defaults;
use crate::oracles::Feeds;
use crate::world::{World, defaults_args};
use rampart::oracle::rate::SPL_STAKE_POOL;
use rampart::state::{RateKind, RateSource};
use rampart_client::{Pubkey, VaultKeys};
use rampart_feeds::stake_pool;
use solana_sdk::clock::Clock;

/// The pool of the collateral.
pub const POOL: Pubkey = Pubkey::new_from_array([0x5b; 32]);
/// Tokens of the pool, base units.
pub const POOL_SUPPLY: u64 = 1_000_000 * defaults::SOL;

/// 1.2 SOL when the world began, at most 10 % more in a year, at most an epoch old.
pub fn rate(snapshot_ts: i64) -> RateSource {
    RateSource {
        account: POOL,
        snapshot_e9: 1_200_000_000,
        snapshot_ts,
        max_growth_bps: 1_000,
        max_age_epochs: 1,
        kind: RateKind::SplStakePool as u8,
        reserved: [0; 4],
    }
}

impl World {
    /// A world with a vault whose collateral is a stake pool's token: SOL at 150 dollars, 1.2 SOL for one token.
    pub fn with_staked_vault() -> Self {
        let mut world = Self::with_guard();
        world.sol_feeds = Feeds { rate: rate(world.now_ts()), ..world.sol_feeds };
        world.set_rate(1.2);
        let assets = [
            world.register_asset_ix(world.sol, world.sol_feeds),
            world.register_asset_ix(world.usdc, world.usdc_feeds),
        ];
        world.send_as_root(&assets).expect("assets are registered");
        world.keys = VaultKeys::derive(world.guard, world.sol, world.usdc);
        world.set_prices(150.0, 1.0);
        let ix = world.initialize_vault_ix(defaults_args());
        world.send_as_root(&[ix]).expect("vault is created");
        world.warm_up(10, 60);
        world
    }

    /// Brings the pool up to date in this epoch, at `rate` SOL for one token.
    pub fn set_rate(&mut self, rate: f64) {
        self.set_rate_of_epoch(rate, self.epoch());
    }

    /// As [`World::set_rate`], last up to date in `epoch`.
    pub fn set_rate_of_epoch(&mut self, rate: f64, epoch: u64) {
        let total_lamports = (rate * 1e9).round() as u64 * (POOL_SUPPLY / 1_000_000_000);
        self.put_account(POOL, SPL_STAKE_POOL, stake_pool(total_lamports, POOL_SUPPLY, epoch));
    }

    /// Returns the chain's epoch.
    pub fn epoch(&self) -> u64 {
        self.svm.get_sysvar::<Clock>().epoch
    }

    /// Moves the chain on by `epochs`, in no time.
    pub fn pass_epochs(&mut self, epochs: u64) {
        let clock: Clock = self.svm.get_sysvar();
        self.svm.set_sysvar(&Clock { epoch: clock.epoch + epochs, ..clock });
    }
}
