//! Constraints on costs, by multipliers in an outer loop.

/// A bound on one cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constraint {
    /// The most that the measured cost may be.
    pub bound: f64,
    /// Step η of the multiplier for one unit above the bound.
    pub rate: f64,
}

/// The multipliers of two constraints, raised while a constraint is broken and lowered while there is room.
///
/// # Source
/// Altman 1999: `μ ← [μ + η(C − d)]₊`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Multipliers {
    constraints: [Constraint; 2],
    prices: [f64; 2],
}

impl Multipliers {
    /// The most rounds of the outer loop.
    pub const ROUNDS: usize = 10;

    /// Starts with costs that are free.
    pub fn new(constraints: [Constraint; 2]) -> Self {
        Self { constraints, prices: [0.0; 2] }
    }

    /// Returns the present price of each cost.
    pub fn prices(&self) -> &[f64; 2] {
        &self.prices
    }

    /// Says whether measured costs are within the bounds.
    pub fn is_held(&self, costs: &[f64; 2]) -> bool {
        self.constraints.iter().zip(costs).all(|(constraint, cost)| *cost <= constraint.bound)
    }

    /// Moves the prices after a round that measured `costs`.
    pub fn update(&mut self, costs: &[f64; 2]) {
        for ((price, constraint), cost) in self.prices.iter_mut().zip(&self.constraints).zip(costs) {
            *price = (*price + constraint.rate * (cost - constraint.bound)).max(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplier_settles_at_the_price_at_which_the_bound_binds() {
        // Who may choose c in 0..=1 for a reward of 2c − c² and a price μ takes c = 1 − μ/2: a bound of 0.3 binds at μ = 1.4.
        let free = Constraint { bound: 1.0, rate: 1.0 };
        let mut multipliers = Multipliers::new([Constraint { bound: 0.3, rate: 1.0 }, free]);
        for _ in 0..60 {
            let chosen = (1.0 - multipliers.prices()[0] / 2.0).clamp(0.0, 1.0);
            multipliers.update(&[chosen, 0.5]);
        }
        assert!((multipliers.prices()[0] - 1.4).abs() < 1e-6);
        assert_eq!(multipliers.prices()[1], 0.0);
        assert!(multipliers.is_held(&[0.3, 0.5]) && !multipliers.is_held(&[0.31, 0.5]));
    }
}
