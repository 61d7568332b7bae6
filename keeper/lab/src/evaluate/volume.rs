//! What the model loses where nobody tells it volumes: a keeper's bars come from oracles, which print prices alone.

use super::{EvaluateError, test_metrics};
use crate::train::{Config, Dataset, Split, crash};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// One way to train and judge.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variant {
    /// Which.
    pub name: &'static str,
    /// Metrics on the test period of the model that ships.
    pub metrics: BTreeMap<String, f64>,
}

/// Trains the model that ships and its like without volumes, and judges both as a keeper would feed them.
///
/// # Errors
/// `Train`, `Empty`.
pub fn volume_variants(data: &Path, config: &Config) -> Result<[Variant; 3], EvaluateError> {
    let (full, bare) = (Dataset::load(data)?, Dataset::load_without_volume(data)?);
    let split = Split::development();
    let (with, without) = (crash::fit(&full, &split, config)?, crash::fit(&bare, &split, config)?);
    let variant = |name, model, set| -> Result<Variant, EvaluateError> {
        Ok(Variant { name, metrics: test_metrics(model, set, &split)? })
    };
    Ok([
        variant("trained and judged with volume", &with, &full)?,
        variant("trained with, judged without volume", &with, &bare)?,
        variant("trained and judged without volume", &without, &bare)?,
    ])
}
