//! Made-up markets, each out of a seed.

use crate::market::PricePoint;
use crate::world::Coin;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What everything costs before a story begins, US dollars, by [`Coin`].
pub const START_USD: [f64; 3] = [150.0, 60_000.0, 1.0];
/// How far the market wanders within a step at most, bps.
const WANDER_BPS: f64 = 4.0;

/// A corner of a path: at this second, this many times the start price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corner {
    /// Seconds since the start.
    pub at_secs: i64,
    /// Price over start price, by [`Coin`].
    pub times: [f64; 3],
}

/// Returns a corner.
pub const fn corner(at_secs: i64, sol: f64, btc: f64, usdc: f64) -> Corner {
    Corner { at_secs, times: [sol, btc, usdc] }
}

/// A crash in two legs, 43 % deep in SOL and 27 % in BTC, within twenty minutes.
pub const CRASH: [Corner; 10] = [
    corner(0, 1.0, 1.0, 1.0),
    corner(180, 0.995, 0.998, 1.0),
    corner(300, 0.945, 0.97, 1.0),
    corner(390, 0.96, 0.98, 1.0),
    corner(540, 0.80, 0.88, 0.9995),
    corner(660, 0.72, 0.83, 0.999),
    corner(780, 0.77, 0.86, 0.9995),
    corner(960, 0.59, 0.75, 0.999),
    corner(1_080, 0.57, 0.73, 0.9995),
    corner(1_320, 0.66, 0.79, 1.0),
];

/// Nothing happens for `secs`.
pub fn calm(secs: i64) -> Vec<Corner> {
    vec![corner(0, 1.0, 1.0, 1.0), corner(secs, 1.0, 1.0, 1.0)]
}

/// Returns a path along `corners`, a point every `step_secs`, with a seeded wandering that the dollar coin hardly has.
pub fn path(corners: &[Corner], step_secs: i64, seed: u64) -> Vec<PricePoint> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x3a7f);
    let end_secs = corners.last().map_or(0, |c| c.at_secs);
    let steps = end_secs / step_secs.max(1);
    let mut wander = [0.0f64; 3];
    (0..=steps)
        .map(|n| {
            let at_secs = n * step_secs.max(1);
            let mut usd = [0.0; 3];
            for coin in Coin::ALL {
                let i = coin.index();
                let scale = if coin == Coin::Usdc { 0.2 } else { 1.0 };
                wander[i] = wander[i] * 0.9 + rng.random_range(-WANDER_BPS..WANDER_BPS) * scale;
                usd[i] = START_USD[i] * between(corners, at_secs, i) * (1.0 + wander[i] / 10_000.0);
            }
            PricePoint { at_secs, usd }
        })
        .collect()
}

/// The straight line between the corners around `at_secs`.
fn between(corners: &[Corner], at_secs: i64, coin: usize) -> f64 {
    let after = corners.partition_point(|c| c.at_secs <= at_secs);
    match (after.checked_sub(1).map(|i| corners[i]), corners.get(after)) {
        (Some(a), Some(b)) => {
            let share = (at_secs - a.at_secs) as f64 / (b.at_secs - a.at_secs) as f64;
            a.times[coin] + (b.times[coin] - a.times[coin]) * share
        }
        (Some(a), None) => a.times[coin],
        (None, Some(b)) => b.times[coin],
        (None, None) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_follows_its_corners_and_its_seed() {
        let points = path(&CRASH, 4, 7);
        assert_eq!(points, path(&CRASH, 4, 7));
        assert_ne!(points, path(&CRASH, 4, 8));
        let low = points.iter().map(|p| p.usd[0]).fold(f64::MAX, f64::min);
        assert!((0.56..0.58).contains(&(low / START_USD[0])), "{low}");
        assert!(points.windows(2).all(|w| w[1].at_secs == w[0].at_secs + 4));
    }
}
