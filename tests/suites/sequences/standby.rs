//! The standby source of the collateral: it takes the place of a dead source, and of no other.

use crate::sequences::action::Action;
use crate::sequences::model::{Feed, HOUR, Model};
use crate::sequences::snap::Snap;
use crate::sequences::stage::Stage;
use rampart::state::Asset;
use rampart::state::oracle_set::OracleSource;
use rampart_client::{Instruction, Pubkey, control};
use rampart_tests::World;
use rampart_tests::oracles::Feeds;

/// Places: of what is replaced, and of what stands by.
const PYTH: u8 = 0;
const SWITCHBOARD: u8 = 1;
const SPARE: u8 = 0;

/// Approves a third feed for the collateral, as a change that waited would have, and returns its account.
pub fn approve(world: &mut World) -> Pubkey {
    let (key, mut asset) = (world.keys.collateral_asset, world.sol_asset());
    let account = Pubkey::new_from_array([0x71; 32]);
    asset.standby.sources[0] = OracleSource { account, publisher: 3, ..asset.oracle.sources[usize::from(SWITCHBOARD)] };
    asset.standby.count = 1;
    world.store(&key, &asset);
    account
}

impl Stage {
    /// Publishes on the feed that stands by: it goes on when others fail.
    pub fn publish_spare(&mut self) {
        let (feeds, now) = (Feeds { switchboard: self.spare, ..self.world.sol_feeds }, self.world.now_ts());
        self.world.publish_switchboard(&feeds, self.model.dollars, 5, now);
    }

    /// Returns the activation of the standby source; now and then in the place of a source that lives.
    pub fn standby_step(&self, action: &Action) -> Instruction {
        let w = &self.world;
        let by = if action.a.is_multiple_of(2) { self.root() } else { w.guard_state().roles.risk_admin };
        let lives = (w.now_ts() - self.model.feeds[0].published).abs() < HOUR / 2;
        let source = if action.b % 8 == 7 && lives { PYTH } else { SWITCHBOARD };
        let asset = (w.keys.collateral_asset, &w.sol_asset());
        control::activate_standby(by, asset, (source, SPARE), self.validity(), &w.sol_feeds.metas())
    }

    /// Both change places, and both publish again.
    pub fn follow_standby(&mut self) {
        assert_dead(&self.model, self.world.now_ts());
        std::mem::swap(&mut self.world.sol_feeds.switchboard, &mut self.spare);
        self.model.feeds[0].fault = None;
        self.publish();
    }
}

/// The second source was dead: its account gone, or silent for an hour.
pub fn assert_dead(model: &Model, now: i64) {
    let Feed { fault, published, .. } = model.feeds[0];
    let is_dead = fault == Some(rampart_tests::scenario::Fault::OneDead) || (now - published).abs() > HOUR;
    assert!(is_dead, "a living source lost its place");
}

/// Whether nothing but the second source and the standby changed, and these their places.
pub fn is_exchange(was: &Asset, is: &Asset) -> bool {
    let mut next = (was.oracle, was.standby);
    let place = usize::from(SWITCHBOARD);
    std::mem::swap(&mut next.0.sources[place], &mut next.1.sources[usize::from(SPARE)]);
    next == (is.oracle, is.standby) && was.reference_params == is.reference_params
}

/// Checks that an asset's sources moved by what may move them.
pub fn assert_sources(action: &Action, waited: bool, before: &Snap, after: &Snap) {
    for (was, is) in before.assets.iter().zip(&after.assets) {
        let all = |a: &Asset| (a.oracle, a.standby, a.reference_params);
        let is_repair = action.kind == crate::sequences::action::Kind::ActivateStandby && is_exchange(was, is);
        assert!(all(was) == all(is) || waited || is_repair, "I6: {action:?} moved an asset");
    }
}
