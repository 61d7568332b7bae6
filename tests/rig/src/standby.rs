//! A source that dies, and standby sources: one that nobody publishes, and one that tells.

use crate::scene::Scene;
use rampart::oracle::SWITCHBOARD_ON_DEMAND;
use rampart::state::{OracleSource, StandbySet};
use rampart_client::Pubkey;
use rampart_feeds::switchboard_pull_feed;

/// A feed that nobody publishes.
pub const SILENT: Pubkey = Pubkey::new_from_array([0x71; 32]);
/// A feed of other people, which tells.
pub const THIRD: Pubkey = Pubkey::new_from_array([0x72; 32]);
/// [`crate::scene::CALM`] as Switchboard writes it.
const CALM_E18: i128 = 150_000_000_000_000_000_000;

impl Scene {
    /// Approves both as standby sources of the collateral, and lets the second tell its price.
    pub fn approve_standby(&self) {
        {
            let world = &mut self.chain.state().world;
            let mut asset = world.sol_asset();
            let of = |account, publisher| OracleSource { account, publisher, ..asset.oracle.sources[1] };
            asset.standby = StandbySet { sources: [of(SILENT, 3), of(THIRD, 4)], count: 2, ..StandbySet::default() };
            let key = world.keys.collateral_asset;
            world.store(&key, &asset);
        }
        self.tell_standby();
    }

    /// Lets the second standby source tell the price that stands.
    pub fn tell_standby(&self) {
        let world = &mut self.chain.state().world;
        let data = switchboard_pull_feed(CALM_E18, 0, world.now_ts(), world.slot());
        world.put_account(THIRD, SWITCHBOARD_ON_DEMAND, data);
    }

    /// Lets the account of the collateral's second source be another program's, for good.
    pub fn kill_second(&self) -> Pubkey {
        let mut state = self.chain.state();
        let dead = state.world.sol_asset().oracle.sources[1].account;
        state.world.put_account(dead, rampart::ID, vec![0]);
        state.silent.insert(dead);
        dead
    }
}
