//! The probability that a market falls through a buffer within a horizon: a logistic model, its file and its card.

mod file;
mod structural;

pub use file::{Card, FORMAT, Head, ModelError, ModelFile, Platt, Tail};
pub use structural::structural;

use crate::features::Features;
use crate::state::DECILES;

/// Length of the bars of a model whose file has no tail to tell it, seconds: the lab trains on hourly candles.
const BAR_SECS: u32 = 3_600;

/// A model whose file was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    file: ModelFile,
}

impl Model {
    /// Reads and checks a model file.
    ///
    /// # Errors
    /// `ModelError`: what is wrong with the file, first of all a wrong format, feature schema or hash.
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        let file: ModelFile = serde_json::from_str(text)?;
        file.validate()?;
        Ok(Self { file })
    }

    /// Takes a model that was just trained: sets its hash, and checks it as if it were read.
    ///
    /// # Errors
    /// As [`Model::from_json`].
    pub fn from_file(mut file: ModelFile) -> Result<Self, ModelError> {
        file.hash = file.compute_hash();
        file.validate()?;
        Ok(Self { file })
    }

    /// Returns the file's text, that [`Model::from_json`] reads to an equal model.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.file).expect("numbers of a checked model are finite, its keys are strings")
    }

    /// Returns the card.
    pub fn card(&self) -> &Card {
        &self.file.card
    }

    /// Returns the hash of card and parameters, hexadecimal.
    pub fn hash(&self) -> &str {
        &self.file.hash
    }

    /// Returns the heads, by rising horizon.
    pub fn heads(&self) -> &[Head] {
        &self.file.heads
    }

    /// Returns the length of the bars that it was trained on, seconds. Features of shorter ones are others by the same names.
    pub fn bar_secs(&self) -> u32 {
        self.heads().iter().find_map(|head| head.tail).map_or(BAR_SECS, |tail| tail.bar_secs)
    }

    /// Returns the tail of a bar's falls over `Volatility::vol_of_falls`, for the value at risk; none in files from before it.
    pub fn falls(&self) -> Option<&Tail> {
        self.file.falls.as_ref()
    }

    /// Returns the deciles of the features in training; empty where the file has none.
    pub fn deciles(&self) -> &[[f64; DECILES]] {
        &self.file.deciles
    }

    /// Returns the probability that the low of the next `horizon_secs` is `buffer` or more below the last close.
    ///
    /// Never rises with the buffer, never falls with the horizon. A horizon between two heads is judged by the longer
    /// one; one beyond the longest repeats it independently. A buffer or feature that isn't a number, and a buffer that
    /// is used up, give 1.
    pub fn probability(&self, features: &Features, buffer: f64, horizon_secs: u32) -> f64 {
        let heads = self.heads();
        let at = heads.partition_point(|head| head.horizon_secs < horizon_secs).min(heads.len() - 1);
        let p = heads[..=at].iter().map(|head| head.probability(features, buffer)).fold(0.0, f64::max);
        let longest = heads[heads.len() - 1].horizon_secs;
        if horizon_secs <= longest {
            return p;
        }
        1.0 - (1.0 - p).powf(f64::from(horizon_secs) / f64::from(longest))
    }
}
