//! The generalised Pareto distribution of exceedances, fitted by probability-weighted moments: closed form.

use serde::{Deserialize, Serialize};

/// Shapes nearer to 0 than this are taken as exponential.
const SHAPE_EPSILON: f64 = 1e-9;
/// Fewest exceedances that a fit is made of.
pub const FIT_MIN: usize = 20;

/// A generalised Pareto distribution: `P(Y > y) = (1 + ξy/β)^(-1/ξ)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gpd {
    /// Shape ξ.
    pub shape: f64,
    /// Scale β, above 0.
    pub scale: f64,
}

/// Why exceedances can't be fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GpdError {
    /// Fewer than [`FIT_MIN`].
    #[error("tail has {found} exceedances, a fit needs {FIT_MIN}: use more history")]
    TooFew {
        /// How many there are.
        found: usize,
    },
    /// Exceedances that are all alike, negative, or not numbers.
    #[error("tail's exceedances have no spread or aren't numbers: check the returns")]
    Degenerate,
}

impl Gpd {
    /// Fits by probability-weighted moments with plotting positions `(i - 0.35) / n`.
    ///
    /// # Shape
    /// `exceedances` sorted ascending, at least [`FIT_MIN`].
    ///
    /// # Errors
    /// `TooFew`, `Degenerate`.
    ///
    /// # Source
    /// Hosking & Wallis (1987).
    pub fn fit(exceedances: &[f64]) -> Result<Self, GpdError> {
        let found = exceedances.len();
        if found < FIT_MIN {
            return Err(GpdError::TooFew { found });
        }
        let n = found as f64;
        let (mut b0, mut b1) = (0.0, 0.0);
        for (at, y) in exceedances.iter().enumerate() {
            let position = (at as f64 + 1.0 - 0.35) / n;
            b0 += y / n;
            b1 += (1.0 - position) * y / n;
        }
        let divisor = b0 - 2.0 * b1;
        let fit = Self { shape: 2.0 - b0 / divisor, scale: 2.0 * b0 * b1 / divisor };
        let is_sound = fit.shape.is_finite() && fit.scale.is_finite() && fit.scale > 0.0;
        if is_sound { Ok(fit) } else { Err(GpdError::Degenerate) }
    }

    /// Returns `P(Y > y)`.
    pub fn survival(&self, y: f64) -> f64 {
        let y = (y / self.scale).max(0.0);
        if self.shape.abs() < SHAPE_EPSILON {
            return (-y).exp();
        }
        (1.0 + self.shape * y).max(0.0).powf(-1.0 / self.shape)
    }

    /// Returns the y with `P(Y > y) = p`, for p in (0, 1].
    pub fn quantile(&self, p: f64) -> f64 {
        if self.shape.abs() < SHAPE_EPSILON {
            return -self.scale * p.ln();
        }
        self.scale / self.shape * (p.powf(-self.shape) - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn sample(gpd: Gpd, count: usize, seed: u64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut values: Vec<f64> = (0..count).map(|_| gpd.quantile(1.0 - random.random::<f64>())).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    #[test]
    fn fit_finds_the_parameters_when_the_sample_is_drawn_from_them() {
        for (shape, scale) in [(-0.2, 1.0), (0.0, 2.0), (0.25, 0.5)] {
            let fit = Gpd::fit(&sample(Gpd { shape, scale }, 200_000, 7)).unwrap();
            assert!((fit.shape - shape).abs() < 0.02, "{fit:?}");
            assert!((fit.scale / scale - 1.0).abs() < 0.02, "{fit:?}");
        }
    }

    #[test]
    fn fit_equals_the_moments_of_the_population_when_positions_are_exact() {
        // For the exponential (ξ = 0, β = 1): b0 = 1, b1 = 1/4, hence ξ = 2 - 1 / (1/2) = 0 and β = (1/2) / (1/2) = 1.
        let n = 100_000;
        let values: Vec<f64> = (1..=n).map(|i| -(1.0 - (i as f64 - 0.35) / n as f64).ln()).collect();
        let fit = Gpd::fit(&values).unwrap();
        assert!(fit.shape.abs() < 1e-3 && (fit.scale - 1.0).abs() < 1e-3, "{fit:?}");
    }

    #[test]
    fn fit_is_refused_when_exceedances_are_few_or_not_numbers() {
        assert_eq!(Gpd::fit(&[1.0; 19]), Err(GpdError::TooFew { found: 19 }));
        assert_eq!(Gpd::fit(&[0.0; 50]), Err(GpdError::Degenerate));
        assert_eq!(Gpd::fit(&[f64::NAN; 50]), Err(GpdError::Degenerate));
    }

    proptest! {
        #[test]
        fn survival_undoes_quantile(shape in -0.4f64..0.9, scale in 0.01f64..10.0, p in 0.0001f64..1.0) {
            let gpd = Gpd { shape, scale };
            prop_assert!((gpd.survival(gpd.quantile(p)) / p - 1.0).abs() < 1e-6);
        }
    }
}
