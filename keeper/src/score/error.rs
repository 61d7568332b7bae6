//! Why a model can't be used.

use rampart_score::model::ModelError;
use std::io;
use std::path::PathBuf;

/// Why a model can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The file can't be read.
    #[error("failed to read model `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no model, or one for other features.
    #[error("model `{}` is refused", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ModelError,
    },
}

impl ScoreError {
    /// Returns what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Read { .. } => "correct `score.model_file`, or leave it out".into(),
            Self::Model { .. } => {
                "train it anew with `rampart lab train crash`, or leave `score.model_file` out".into()
            }
        }
    }
}
