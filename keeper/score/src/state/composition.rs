//! How a pool's debt is placed: near its thresholds, in few hands, large beside the market's depth.

use serde::{Deserialize, Serialize};

/// Distances to the threshold that are told apart, as a share of the price.
const NEAR: [f64; 3] = [0.05, 0.10, 0.20];

/// The debt of a pool, added up position by position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Composition {
    debt: f64,
    near: [f64; 3],
    squares: f64,
    largest: f64,
}

impl Composition {
    /// Adds a position: its debt, and the fall of the price at which it crosses its threshold.
    ///
    /// A debt that isn't a positive number is left out; a distance that isn't a number counts as crossed.
    pub fn push(&mut self, debt: f64, distance: f64) {
        if !debt.is_finite() || debt <= 0.0 {
            return;
        }
        self.debt += debt;
        self.squares += debt * debt;
        self.largest = self.largest.max(debt);
        for (near, bound) in self.near.iter_mut().zip(NEAR) {
            if distance.is_nan() || distance <= bound {
                *near += debt;
            }
        }
    }

    /// Returns the shares of debt within 5, 10 and 20 % of its threshold; 0 without debt.
    pub fn near_shares(&self) -> [f64; 3] {
        self.near.map(|near| self.share(near))
    }

    /// Returns the concentration of debt, Herfindahl: 1 over the number of equal debtors; 0 without debt.
    pub fn concentration(&self) -> f64 {
        if self.debt > 0.0 { self.share(self.squares / self.debt) } else { 0.0 }
    }

    /// Returns the share of the largest debtor; 0 without debt.
    pub fn largest_share(&self) -> f64 {
        self.share(self.largest)
    }

    /// Returns the debt that a fall of 10 % puts up for liquidation over what the market takes; none without depth.
    ///
    /// # Units
    /// `depth` in the units of debt.
    pub fn against_depth(&self, depth: f64) -> Option<f64> {
        (depth.is_finite() && depth > 0.0).then(|| self.near[1] / depth)
    }

    /// Returns the sum of debts.
    pub fn debt(&self) -> f64 {
        self.debt
    }

    fn share(&self, part: f64) -> f64 {
        if self.debt > 0.0 { (part / self.debt).clamp(0.0, 1.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_equal_hand_computed_values() {
        let mut pool = Composition::default();
        for (debt, distance) in [(50.0, 0.04), (30.0, 0.1), (15.0, 0.15), (5.0, 0.5), (f64::NAN, 0.0), (-1.0, 0.0)] {
            pool.push(debt, distance);
        }
        assert_eq!(pool.near_shares(), [0.5, 0.8, 0.95]);
        assert!((pool.concentration() - 0.365).abs() < 1e-12);
        assert_eq!((pool.largest_share(), pool.debt()), (0.5, 100.0));
        assert_eq!((pool.against_depth(40.0), pool.against_depth(0.0)), (Some(2.0), None));
        assert_eq!(Composition::default().near_shares(), [0.0; 3]);
    }

    #[test]
    fn position_counts_as_crossed_when_its_distance_is_not_a_number() {
        let mut pool = Composition::default();
        pool.push(10.0, f64::NAN);
        assert_eq!(pool.near_shares(), [1.0; 3]);
    }
}
