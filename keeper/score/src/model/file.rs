//! The model file: format, card, heads, and what makes one refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use solana_sha256_hasher::hash;

use super::structural;
use crate::features::{COUNT, Features, schema_hash_hex};
use crate::state::DECILES;
use crate::tail::{Gpd, PotFit};

/// Version of the file format.
pub const FORMAT: u32 = 1;

/// Where a model comes from and how good it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Name, as `market-logistic`.
    pub name: String,
    /// Version of the model, rises with each release.
    pub version: u32,
    /// Command that made it.
    pub trained_by: String,
    /// Last bar that training saw, unix seconds.
    pub trained_until_ts: i64,
    /// SHA-256 of the training data, hexadecimal.
    pub training_data_sha256: String,
    /// [`schema_hash_hex`] of the features that it was trained for.
    pub feature_schema_sha256: String,
    /// Out-of-sample metrics by name.
    pub metrics: BTreeMap<String, f64>,
    /// What it can't do, for the reader.
    pub limits: Vec<String>,
}

/// Calibration of a head's logit on data that training didn't see: `slope · logit + intercept`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platt {
    /// Slope, above 0: calibration keeps the order.
    pub slope: f64,
    /// Intercept.
    pub intercept: f64,
}

/// A generalised Pareto tail of standardised falls of one bar.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tail {
    /// Length of the bars that it was fitted on, seconds.
    pub bar_secs: u32,
    /// Threshold u, standard deviations.
    pub threshold: f64,
    /// Shape ξ.
    pub shape: f64,
    /// Scale β, above 0.
    pub scale: f64,
    /// Share of bars beyond the threshold, ζ.
    pub share: f64,
}

/// The logistic model of one horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Horizon, seconds.
    pub horizon_secs: u32,
    /// Intercept.
    pub intercept: f64,
    /// Coefficient of the structural feature, at least 0: the probability can't rise with the buffer.
    pub structural: f64,
    /// Coefficient of `ln(-ln(1 - buffer))`, at most 0: corrects the structural feature over buffers.
    pub log_depth: f64,
    /// Coefficients of the standardised features. Shape: `COUNT`.
    pub coefficients: Vec<f64>,
    /// Means of the features in training. Shape: `COUNT`.
    pub means: Vec<f64>,
    /// Standard deviations of the features in training, above 0. Shape: `COUNT`.
    pub scales: Vec<f64>,
    /// Fitted tail of the structural feature.
    pub tail: Option<Tail>,
    /// Calibration.
    pub platt: Platt,
}

/// A model as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Version of the file format: [`FORMAT`].
    pub format: u32,
    /// Where it comes from.
    pub card: Card,
    /// Heads by rising horizon.
    pub heads: Vec<Head>,
    /// Edges between ten bins of equal share of each feature in training, for the drift watch. Shape: `COUNT`, or empty.
    #[serde(default)]
    pub deciles: Vec<[f64; DECILES]>,
    /// Fitted tail of a bar's falls over `Volatility::vol_of_falls`, for the value at risk; none in files from before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub falls: Option<Tail>,
    /// SHA-256 of all before it, hexadecimal.
    pub hash: String,
}

/// Why a model file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Not the JSON of a model.
    #[error("failed to read the model: {0}")]
    Json(#[from] serde_json::Error),
    /// Another format.
    #[error("model has format {found}, this build reads {FORMAT}: train it anew")]
    Format {
        /// What the file says.
        found: u32,
    },
    /// Trained for other features.
    #[error("model was trained for feature schema {found}, this build has {expected}: train it anew")]
    Schema {
        /// What the file says.
        found: String,
        /// What this build computes.
        expected: String,
    },
    /// The content isn't what was hashed.
    #[error("model's content hashes to {computed}, its file says {found}: fetch it again")]
    Hash {
        /// What the file says.
        found: String,
        /// What its content says.
        computed: String,
    },
    /// A parameter that can't be.
    #[error("model's head {horizon_secs} s: {reason}")]
    Head {
        /// Horizon of the head, seconds.
        horizon_secs: u32,
        /// Which bound it breaks.
        reason: &'static str,
    },
    /// Deciles that don't rise, or aren't for each feature.
    #[error("model's deciles must be rising numbers, nine for each feature or none at all")]
    Deciles,
    /// A tail of falls that can't be.
    #[error(
        "model's tail of falls must have bars, a threshold above 0, a shape from -1 to 1, a scale and a share above 0"
    )]
    Falls,
    /// No heads, or horizons that don't rise.
    #[error("model's heads must be one or more, by rising horizon")]
    Heads,
}

impl ModelFile {
    /// Returns the hash of format, card, heads, deciles and, where there is one, the tail of falls, hexadecimal.
    pub fn compute_hash(&self) -> String {
        let known = (self.format, &self.card, &self.heads, &self.deciles);
        let content = match &self.falls {
            Some(falls) => serde_json::to_vec(&(known, falls)),
            None => serde_json::to_vec(&known),
        };
        hex::encode(hash(&content.unwrap_or_default()).to_bytes())
    }

    /// Checks everything that inference relies on.
    ///
    /// # Errors
    /// Any `ModelError` but `Json`.
    pub fn validate(&self) -> Result<(), ModelError> {
        if self.format != FORMAT {
            return Err(ModelError::Format { found: self.format });
        }
        let expected = schema_hash_hex();
        if self.card.feature_schema_sha256 != expected {
            return Err(ModelError::Schema { found: self.card.feature_schema_sha256.clone(), expected });
        }
        let computed = self.compute_hash();
        if self.hash != computed {
            return Err(ModelError::Hash { found: self.hash.clone(), computed });
        }
        if self.heads.is_empty() || !self.heads.is_sorted_by(|a, b| a.horizon_secs < b.horizon_secs) {
            return Err(ModelError::Heads);
        }
        let is_sorted = |edges: &[f64; DECILES]| edges.iter().all(|edge| edge.is_finite()) && edges.is_sorted();
        if !(self.deciles.is_empty() || self.deciles.len() == COUNT) || !self.deciles.iter().all(is_sorted) {
            return Err(ModelError::Deciles);
        }
        if self.falls.is_some_and(|tail| !tail.is_sound()) {
            return Err(ModelError::Falls);
        }
        self.heads.iter().try_for_each(Head::validate)
    }
}

impl Head {
    /// Returns the calibrated probability to fall by `buffer` within the head's horizon; see `Model::probability`.
    pub fn probability(&self, features: &Features, buffer: f64) -> f64 {
        let logit = self.logit(features, buffer);
        if !logit.is_finite() { 1.0 } else { 1.0 / (1.0 + (-logit).exp()) }
    }

    /// Returns the calibrated logit; not a number where an input isn't one or the buffer is used up.
    fn logit(&self, features: &Features, buffer: f64) -> f64 {
        if buffer.is_nan() || buffer <= 0.0 {
            return f64::NAN;
        }
        // A buffer of everything is judged as one of all but a millionth.
        let buffer = buffer.min(1.0 - 1e-6);
        let x = structural(features.vol_day(), buffer, self.horizon_secs, self.tail.as_ref());
        let mut sum = self.intercept + self.structural * x + self.log_depth * (-(1.0 - buffer).ln()).ln();
        for at in 0..COUNT {
            // One that isn't known counts as it was on average in training.
            let value = features.known(at).unwrap_or(self.means[at]);
            sum += self.coefficients[at] * (value - self.means[at]) / self.scales[at];
        }
        self.platt.slope * sum + self.platt.intercept
    }

    fn validate(&self) -> Result<(), ModelError> {
        let fail = |reason| Err(ModelError::Head { horizon_secs: self.horizon_secs, reason });
        let shapes = [self.coefficients.len(), self.means.len(), self.scales.len()];
        if self.horizon_secs == 0 {
            return fail("horizon must be above 0");
        }
        if shapes != [COUNT; 3] {
            return fail("coefficients, means and scales must be one for each feature");
        }
        let scalars = [self.intercept, self.structural, self.log_depth, self.platt.slope, self.platt.intercept];
        let all = scalars.iter().chain(&self.coefficients).chain(&self.means).chain(&self.scales);
        if !all.into_iter().all(|value| value.is_finite()) {
            return fail("every number must be finite");
        }
        if self.structural < 0.0 || self.log_depth > 0.0 {
            return fail("the probability must not rise with the buffer: structural >= 0 and log_depth <= 0");
        }
        if self.platt.slope <= 0.0 || self.scales.iter().any(|scale| *scale <= 0.0) {
            return fail("the calibration's slope and the scales must be above 0");
        }
        if self.tail.is_some_and(|tail| !tail.is_sound()) {
            return fail(
                "the tail must have bars, a threshold above 0, a shape from -1 to 1, a scale and a share above 0",
            );
        }
        Ok(())
    }
}

impl Tail {
    /// Returns the fitted distribution.
    fn fit(&self) -> PotFit {
        PotFit { threshold: self.threshold, share: self.share, gpd: Gpd { shape: self.shape, scale: self.scale } }
    }

    /// Returns the fall (log) that the next bar exceeds with probability `p`, for a volatility per square root of a day.
    pub fn value_at_risk(&self, p: f64, vol_day: f64) -> f64 {
        self.vol_bar(vol_day) * self.fit().value_at_risk(p)
    }

    /// Returns the mean fall (log) beyond [`Tail::value_at_risk`]; none where the tail has no mean.
    pub fn expected_shortfall(&self, p: f64, vol_day: f64) -> Option<f64> {
        Some(self.vol_bar(vol_day) * self.fit().expected_shortfall(p)?)
    }

    fn vol_bar(&self, vol_day: f64) -> f64 {
        vol_day * (f64::from(self.bar_secs) / 86_400.0).sqrt()
    }

    fn is_sound(&self) -> bool {
        let numbers = [self.threshold, self.shape, self.scale, self.share];
        self.bar_secs > 0
            && numbers.iter().all(|value| value.is_finite())
            && self.threshold > 0.0
            && self.shape.abs() < 1.0
            && self.scale > 0.0
            && self.share > 0.0
            && self.share <= 1.0
    }
}
