//! Plays prices into the oracle accounts, as their publishers would.

use crate::error::Outcome;
use crate::market::{Disturbance, PricePoint};
use crate::network::{Network, OracleWrite};
use crate::world::params::FEED_IDS;
use crate::world::{Coin, SOURCES, World};
use rampart::oracle::{PYTH_RECEIVER, SWITCHBOARD_ON_DEMAND};
use rampart_feeds::{VerificationLevel, pyth_price_update, switchboard_pull_feed};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Power of ten of the prices that are written to Pyth accounts.
const EXPONENT: i32 = -8;
/// From there to Switchboard's eighteen decimals.
const TO_SWITCHBOARD: i128 = 10_000_000_000;
/// How far a publisher's print lies off the market at most, bps.
pub const NOISE_BPS: f64 = 3.0;
/// Confidence in a calm market, bps of the price.
const CONFIDENCE_BPS: f64 = 6.0;

/// Between two prints of a market that stands still, seconds of chain time.
const AGAIN_SECS: i64 = 4;

/// What one source last published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Print {
    /// US dollars for one whole token, times 10⁸.
    pub price_e8: i64,
    /// Half the width of the confidence interval, in the same unit.
    pub confidence_e8: u64,
    /// When it was published, unix seconds; 0 before the first.
    pub publish_ts: i64,
    /// In which slot.
    pub slot: u64,
}

impl Print {
    /// Returns the account data as its provider writes it.
    pub fn account_data(&self, coin: Coin, source: usize) -> Vec<u8> {
        if source == 0 {
            let (feed, level) = (FEED_IDS[coin.index()], VerificationLevel::Full);
            return pyth_price_update(
                feed,
                self.price_e8,
                self.confidence_e8,
                EXPONENT,
                self.publish_ts,
                self.slot,
                level,
            );
        }
        let (price, confidence) = (i128::from(self.price_e8), i128::from(self.confidence_e8));
        switchboard_pull_feed(price * TO_SWITCHBOARD, confidence * TO_SWITCHBOARD, self.publish_ts, self.slot.max(1))
    }
}

/// Publishes the market's prices, with the seeded noise of two publishers.
pub struct Feeder {
    rng: ChaCha8Rng,
    last: [[Print; SOURCES]; 3],
    last_usd: [f64; 3],
}

impl Feeder {
    /// Starts with nothing published.
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed ^ 0xfeed), last: Default::default(), last_usd: [0.0; 3] }
    }

    /// Returns what every source last published.
    pub fn last(&self) -> &[[Print; SOURCES]; 3] {
        &self.last
    }

    /// Publishes one point of the market at the chain's present time, as the disturbances of this moment let it.
    ///
    /// # Errors
    /// Those of [`Network::set_oracles`].
    pub async fn publish(
        &mut self,
        network: &Network,
        world: &World,
        point: &PricePoint,
        disturbances: &[Disturbance],
    ) -> Outcome<()> {
        let (mark, mut last, mut writes) = (network.now(), self.last, Vec::new());
        for coin in Coin::ALL {
            for (source, last) in last[coin.index()].iter_mut().enumerate() {
                let Some(print) = self.print(coin, source, point, disturbances) else { continue };
                let print = Print { publish_ts: mark.unix_ts, slot: mark.slot, ..print };
                let owner = if source == 0 { PYTH_RECEIVER } else { SWITCHBOARD_ON_DEMAND };
                let (address, data) = (world.oracles[coin.index()][source], print.account_data(coin, source));
                writes.push(OracleWrite { address, owner, data });
                *last = print;
            }
        }
        network.set_oracles(&writes).await?;
        (self.last, self.last_usd) = (last, point.usd);
        Ok(())
    }

    /// Publishes the same market again and again, as long as it is polled; ends only with an error.
    ///
    /// # Errors
    /// Those of [`Network::set_oracles`].
    pub async fn keep_publishing(&mut self, network: &Network, world: &World, point: PricePoint) -> Outcome<()> {
        loop {
            self.publish(network, world, &point, &[]).await?;
            network.until(network.now().unix_ts + AGAIN_SECS).await?;
        }
    }

    /// The next print of a source; `None` while it is silent. Draws the noise either way: silence moves no later print.
    fn print(&mut self, coin: Coin, source: usize, point: &PricePoint, disturbances: &[Disturbance]) -> Option<Print> {
        let noise_bps = self.rng.random_range(-NOISE_BPS..NOISE_BPS);
        let (now, before) = (point.usd[coin.index()], self.last_usd[coin.index()]);
        let moved_bps = if before > 0.0 { ((now - before) / before).abs() * 10_000.0 } else { 0.0 };
        let (mut usd, mut confidence_bps) = (now * (1.0 + noise_bps / 10_000.0), CONFIDENCE_BPS + moved_bps / 4.0);
        for disturbance in disturbances.iter().filter(|d| d.concerns(coin, source, point.at_secs)) {
            (usd, confidence_bps) = disturbance.apply(usd, confidence_bps)?;
        }
        // a float becomes an integer here and saturates; a price is never below one unit
        let price_e8 = ((usd * 1e8) as i64).max(1);
        let confidence_e8 = (price_e8 as f64 * confidence_bps / 10_000.0) as u64;
        Some(Print { price_e8, confidence_e8, publish_ts: 0, slot: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Effect;

    fn point(at_secs: i64) -> PricePoint {
        PricePoint { at_secs, usd: [150.0, 60_000.0, 1.0] }
    }

    #[test]
    fn noise_stays_small_and_is_seeded() {
        let (mut a, mut b) = (Feeder::new(1), Feeder::new(1));
        for at in 0..500 {
            let (x, y) = (a.print(Coin::Sol, 0, &point(at), &[]), b.print(Coin::Sol, 0, &point(at), &[]));
            assert_eq!(x, y);
            let price = x.unwrap().price_e8;
            assert!((price - 15_000_000_000).abs() <= 15_000_000_000 * 4 / 10_000, "{price}");
        }
    }

    #[test]
    fn silent_source_prints_nothing_and_moves_no_later_print() {
        let (mut disturbed, mut calm) = (Feeder::new(1), Feeder::new(1));
        let silence = [Disturbance { coin: Coin::Sol, source: 0, from_secs: 1, to_secs: 2, effect: Effect::Silent }];
        let prints: Vec<_> = (0..3).map(|at| disturbed.print(Coin::Sol, 0, &point(at), &silence)).collect();
        let undisturbed: Vec<_> = (0..3).map(|at| calm.print(Coin::Sol, 0, &point(at), &[])).collect();
        assert_eq!(prints[1], None);
        assert_eq!((prints[0], prints[2]), (undisturbed[0], undisturbed[2]));
    }

    #[test]
    fn both_accounts_are_read_back_at_the_same_price() {
        let print = Print { price_e8: 15_012_345_678, confidence_e8: 5_000_000, publish_ts: 1_700_000_000, slot: 9 };
        let sets = crate::world::params::oracle_set(Coin::Sol, [rampart::ID; 2]);
        let reading = |source: usize| {
            let data = print.account_data(Coin::Sol, source);
            let pinned = &sets.sources[source];
            let account = rampart::oracle::OracleAccount { key: &pinned.account, owner: &pinned.program, data: &data };
            rampart::oracle::read_source(pinned, &account, 1_700_000_003).unwrap().reading.unwrap()
        };
        assert_eq!(reading(0), reading(1));
    }
}
