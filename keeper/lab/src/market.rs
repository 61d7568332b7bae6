//! Markets before anybody attacks them: prices on several venues, books, flows and oracles, step by step.
//!
//! Owns the generated calm (`calm`), recorded markets as worlds (`recorded`), self-exciting outflows (`hawkes`) and how oracles
//! print what venues trade (`oracle`). Templates of `attack` bend a [`World`]; [`World::finish`] makes the ticks that a pool plays.

mod calm;
mod hawkes;
mod oracle;
mod recorded;

pub use calm::Calm;
pub use hawkes::Hawkes;
pub use recorded::{RecordedPath, daily_vol, path};

use crate::attack::{Keeper, Tick, VENUES};
use rand_chacha::ChaCha8Rng;

/// What an oracle source reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// The median of all venues.
    Median,
    /// The first venue alone, which one buyer can move.
    FirstVenue,
    /// A constant: the price at the world's start.
    Peg,
}

/// How one oracle source behaves in a step.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// What it reads.
    pub follows: Follow,
    /// Factor on what it reads: 1 is honest.
    pub bias: f64,
    /// It publishes nothing new.
    pub is_frozen: bool,
}

/// One step of a world before its oracles have printed. Units as in [`Tick`].
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Price at which size trades.
    pub truth: f64,
    /// Price of the market's common factor.
    pub factor: f64,
    /// Each venue's price over `truth`.
    pub gaps: [f64; VENUES],
    /// The two oracle sources.
    pub sources: [Source; 2],
    /// Depth, 1 is normal.
    pub depth: f64,
    /// Spread as a share of the price.
    pub spread: f64,
    /// Volume in units of collateral.
    pub volume: f64,
    /// Share of the volume where the buyer was the taker.
    pub taker_buy: f64,
    /// Wish for debt, 1 is normal.
    pub borrow_demand: f64,
    /// Attacker's new debt, as a share of the pool's deposits.
    pub attack_borrow: f64,
    /// Supply of the collateral's mint over its supply at the start.
    pub collateral_supply: f64,
    /// Share of remaining deposits that want to leave.
    pub outflow: f64,
    /// The defender's keeper.
    pub keeper: Keeper,
    /// Probability that a transaction lands within the step.
    pub inclusion: f64,
    /// Perpetual over spot, minus 1.
    pub basis: f64,
    /// Share of the liquidations' impact that stays in the price.
    pub feedback: f64,
}

/// A path of steps that templates may bend.
#[derive(Clone, Debug)]
pub struct World {
    /// Start of the first step, unix seconds.
    pub start_ts: i64,
    /// Seconds of one step.
    pub step_secs: u32,
    /// The steps, oldest first.
    pub steps: Vec<Step>,
}

impl World {
    /// Returns the number of steps in `minutes`, at least 1.
    pub fn steps_in(&self, minutes: f64) -> usize {
        ((minutes * 60.0 / f64::from(self.step_secs)).round() as usize).max(1)
    }

    /// Moves the price of every venue along straight lines in the logarithm through `knots` (step, ln of the factor on the price);
    /// the last knot holds to the end. The common factor moves by `factor_share` of it.
    pub fn bend(&mut self, knots: &[(usize, f64)], factor_share: f64) {
        for (index, step) in self.steps.iter_mut().enumerate() {
            let shift = interpolate(knots, index);
            step.truth *= shift.exp();
            step.factor *= (shift * factor_share).exp();
        }
    }

    /// Moves one venue alone along straight lines in the logarithm through `knots`, back to the others after the last.
    pub fn bend_venue(&mut self, venue: usize, knots: &[(usize, f64)]) {
        let end = knots.last().map_or(0, |knot| knot.0);
        for (index, step) in self.steps.iter_mut().enumerate().take(end + 1) {
            step.gaps[venue] *= interpolate(knots, index).exp();
        }
    }

    /// Adds `shifts` (ln of the factor on the price) from `onset` on, one for each step; the last holds to the end.
    pub fn add(&mut self, onset: usize, shifts: &[f64]) {
        let Some(last) = shifts.last() else { return };
        for (index, step) in self.steps.iter_mut().skip(onset).enumerate() {
            step.truth *= shifts.get(index).unwrap_or(last).exp();
        }
    }

    /// Applies `change` to the steps `from..until`, as far as they exist.
    pub fn within(&mut self, from: usize, until: usize, change: impl FnMut(&mut Step)) {
        let until = until.min(self.steps.len());
        self.steps[from.min(until)..until].iter_mut().for_each(change);
    }

    /// Thins the books to `depth` of what they were at once, widens the spread by `spread` and multiplies the volume, and lets all
    /// three recover exponentially with a half-life of an hour after `until`.
    pub fn stress(&mut self, from: usize, until: usize, depth: f64, spread: f64, volume: f64) {
        let half_life = self.steps_in(60.0) as f64;
        for (index, step) in self.steps.iter_mut().enumerate().skip(from) {
            let left = 0.5f64.powf(index.saturating_sub(until) as f64 / half_life);
            step.depth *= depth.powf(left);
            step.spread *= spread.powf(left);
            step.volume *= volume.powf(left);
        }
    }

    /// Lets the oracles print, and returns the ticks.
    pub fn finish(self, rng: &mut ChaCha8Rng) -> Vec<Tick> {
        oracle::print(self, rng)
    }
}

fn interpolate(knots: &[(usize, f64)], index: usize) -> f64 {
    let Some(after) = knots.iter().position(|knot| knot.0 > index) else {
        return knots.last().map_or(0.0, |knot| knot.1);
    };
    let Some(before) = after.checked_sub(1) else { return 0.0 };
    let ((x0, y0), (x1, y1)) = (knots[before], knots[after]);
    y0 + (y1 - y0) * (index - x0) as f64 / (x1 - x0) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolate_follows_the_knots_and_holds_the_last() {
        let knots = [(2, 0.0), (4, -1.0), (8, -0.5)];
        let values: Vec<f64> = [0, 2, 3, 4, 6, 8, 99].into_iter().map(|index| interpolate(&knots, index)).collect();
        assert_eq!(values, [0.0, 0.0, -0.5, -1.0, -0.75, -0.5, -0.5]);
    }
}
