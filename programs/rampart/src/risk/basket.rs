//! Where the reserve's basket should be, and whether a swap brings it nearer.

use crate::constants::RESERVE_ASSETS;
use crate::error::RampartError;
use crate::math::bps::BPS_ONE;
use crate::state::breaker::Level;

/// A number for each asset of the basket; zero beyond its count.
pub type Each<T> = [T; RESERVE_ASSETS];
/// Weights of one asset at the levels Normal to Halt, bps.
pub type Weights = [u16; 4];

const ONE: u128 = BPS_ONE as u128;

/// Returns the weights that the basket should have, bps; together one whole.
///
/// At a level its own weights; and with the score a straight line from there towards the next level's: at a score of
/// 10,000 the basket is where the next level would have it. Every asset but the quote only ever loses weight by that, and
/// is rounded down; the quote has the rest.
///
/// # Source
/// docs/risk.md, "Basket".
pub fn targets(weights: &Each<Weights>, quote: usize, level: Level, score_bps: u16) -> Each<u16> {
    let at = (level as usize).min(3);
    let score = u32::from(score_bps).min(BPS_ONE as u32);
    let mut all = [0u16; RESERVE_ASSETS];
    let mut left = BPS_ONE as u16;
    for (index, (target, own)) in all.iter_mut().zip(weights).enumerate() {
        if index == quote {
            continue;
        }
        let (now, next) = (own[at], own[(at + 1).min(3)]);
        let moved = (u32::from(now.saturating_sub(next)) * score).div_ceil(BPS_ONE as u32);
        // moved is at most `now`, which fits
        *target = now.saturating_sub(moved as u16);
        left = left.saturating_sub(*target);
    }
    all[quote] = left;
    all
}

/// A basket before or after a swap.
#[derive(Clone, Copy, Debug)]
pub struct Basket<'a> {
    /// What each asset is worth, micro-dollars.
    pub worth: Each<u64>,
    /// What each should be of the whole, bps.
    pub targets: &'a Each<u16>,
}

impl Basket<'_> {
    /// Returns what all is worth, micro-dollars.
    pub fn whole(&self) -> u128 {
        self.worth.iter().map(|w| u128::from(*w)).sum()
    }

    /// Returns how far the asset at `index` is above its target, and how far below, micro-dollars times 10,000.
    fn gap(&self, index: usize, whole: u128) -> (u128, u128) {
        if self.worth[index] == 0 && self.targets[index] == 0 {
            return (0, 0);
        }
        // a sum of six numbers of 64 bits, times 10,000, has at most 81 bits
        let (is, should) = (u128::from(self.worth[index]) * ONE, whole * u128::from(self.targets[index]));
        (is.saturating_sub(should), should.saturating_sub(is))
    }

    /// Returns how far the basket is from its targets: the sum of all gaps, micro-dollars times 10,000.
    pub fn distance(&self) -> u128 {
        let whole = self.whole();
        (0..RESERVE_ASSETS).map(|i| self.gap(i, whole)).map(|(above, below)| above + below).sum()
    }

    /// Checks that `after`, by a swap of `from` into `to`, is nearer the targets: it sold what was above and bought what
    /// was below, passed neither target, and the distance fell by at least `min_improvement_bps` of the whole.
    ///
    /// # Errors
    /// `RebalanceWrongWay`, `RebalanceOvershoots`, `RebalanceTooSmall`.
    pub fn require_nearer(
        &self,
        after: &Self,
        (from, to): (usize, usize),
        min_improvement_bps: u16,
    ) -> Result<(), RampartError> {
        let (whole, whole_after) = (self.whole(), after.whole());
        if self.gap(from, whole).0 == 0 || self.gap(to, whole).1 == 0 {
            return Err(RampartError::RebalanceWrongWay);
        }
        if after.gap(from, whole_after).1 > 0 || after.gap(to, whole_after).0 > 0 {
            return Err(RampartError::RebalanceOvershoots);
        }
        let least = whole * u128::from(min_improvement_bps.max(1));
        if after.distance() + least > self.distance() {
            return Err(RampartError::RebalanceTooSmall);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// SOL from 40 % to nothing, a second from 20 % to nothing, the quote with the rest.
    const WEIGHTS: Each<Weights> =
        [[4_000, 3_000, 1_000, 0], [2_000, 1_000, 0, 0], [4_000, 6_000, 9_000, 10_000], [0; 4], [0; 4], [0; 4]];

    fn at(level: Level, score: u16) -> Each<u16> {
        targets(&WEIGHTS, 2, level, score)
    }

    fn basket(worth: [u64; 3], targets: &Each<u16>) -> Basket<'_> {
        Basket { worth: [worth[0], worth[1], worth[2], 0, 0, 0], targets }
    }

    #[test]
    fn weights_lie_on_a_straight_line_between_levels() {
        assert_eq!(at(Level::Normal, 0)[..3], [4_000, 2_000, 4_000]);
        assert_eq!(at(Level::Normal, 5_000)[..3], [3_500, 1_500, 5_000]);
        assert_eq!(at(Level::Normal, 10_000), at(Level::Caution, 0));
        assert_eq!(at(Level::ReduceOnly, 3_333)[..3], [666, 0, 9_334]);
        assert_eq!(at(Level::Halt, 0)[..3], [0, 0, 10_000]);
        assert_eq!(at(Level::Resolution, 10_000), at(Level::Halt, 0));
    }

    #[test]
    fn swap_must_bring_the_basket_nearer_and_pass_no_target() {
        let t = at(Level::Normal, 0);
        let before = basket([50_000, 20_000, 30_000], &t);
        let refused = |after, pair, least| before.require_nearer(&basket(after, &t), pair, least).unwrap_err();
        assert!(before.require_nearer(&basket([40_000, 20_000, 40_000], &t), (0, 2), 100).is_ok());
        assert_eq!(refused([60_000, 20_000, 20_000], (2, 0), 1), RampartError::RebalanceWrongWay);
        assert_eq!(refused([50_000, 10_000, 40_000], (1, 2), 1), RampartError::RebalanceWrongWay);
        assert_eq!(refused([39_999, 20_000, 40_001], (0, 2), 1), RampartError::RebalanceOvershoots);
        assert_eq!(refused([49_501, 20_000, 30_499], (0, 2), 100), RampartError::RebalanceTooSmall);
        // one of both targets is enough to pass
        let passes = |before: [u64; 3], after| {
            basket(before, &t).require_nearer(&basket(after, &t), (0, 2), 1) == Err(RampartError::RebalanceOvershoots)
        };
        assert!(passes([70_000, 0, 30_000], [50_000, 0, 50_000]));
        assert!(passes([45_000, 45_000, 10_000], [35_000, 45_000, 20_000]));
        // what is lost on the way counts: nothing is gained by burning what is above
        assert_eq!(refused([49_000, 20_000, 30_000], (0, 2), 200), RampartError::RebalanceTooSmall);
    }

    proptest! {
        #[test]
        fn targets_are_one_whole_and_fall_with_risk(level in 0usize..5, score in 0u16..=10_000) {
            let levels = [Level::Normal, Level::Caution, Level::ReduceOnly, Level::Halt, Level::Resolution];
            let now = at(levels[level], score);
            prop_assert_eq!(now.iter().map(|w| u32::from(*w)).sum::<u32>(), 10_000);
            let worse = at(levels[level], score.saturating_add(1).min(10_000));
            let higher = at(levels[(level + 1).min(4)], score);
            for index in [0, 1] {
                prop_assert!(worse[index] <= now[index] && higher[index] <= now[index]);
            }
        }

        /// Case 78: whatever the two targets, there and back at a loss is refused somewhere.
        #[test]
        fn case_078_accepted_swap_strictly_shrinks_the_distance(
            worth in prop::array::uniform3(0u64..1_000_000), amount in 1u64..1_000_000, loss in 0u64..1_000,
            level in 0usize..4, score in 0u16..=10_000, least in 1u16..500,
        ) {
            let levels = [Level::Normal, Level::Caution, Level::ReduceOnly, Level::Halt];
            let t = at(levels[level], score);
            let before = basket(worth, &t);
            for (from, to) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
                let mut next = worth;
                if next[from] < amount { continue; }
                next[from] -= amount;
                next[to] += amount.saturating_sub(loss);
                let after = basket(next, &t);
                if before.require_nearer(&after, (from, to), least).is_ok() {
                    prop_assert!(after.distance() < before.distance());
                    // back again is refused at the same targets
                    prop_assert!(after.require_nearer(&before, (to, from), least).is_err());
                }
            }
        }
    }
}
