//! What the keeper judges by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the keeper judges by: the crash model, and the policies in shadow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreView {
    /// The model of a fall through the buffer; nothing where risk is not scored.
    pub model: Option<ModelView>,
    /// The library of policies.
    pub library: LibraryView,
}

/// A model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelView {
    /// Its version.
    pub version: u32,
    /// SHA-256 of its content, hexadecimal.
    pub hash: String,
}

/// A library of learned policies. They decide in shadow: rules drive.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LibraryView {
    /// `off`, `refused` or `shadow`.
    pub state: String,
    /// Why it is refused.
    pub reason: Option<String>,
    /// SHA-256 of the whole library, hexadecimal.
    pub hash: Option<String>,
    /// Days whose outcomes the choice among its policies rests on.
    pub rounds: u64,
    /// Decisions in shadow since the start.
    pub decisions: u64,
    /// Those that were other than the rules'.
    pub differing: u64,
    /// Its policies, oldest first.
    pub policies: Vec<PolicyView>,
}

/// A learned policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyView {
    /// Its name.
    pub name: String,
    /// Its version, rises with each promotion.
    pub version: u32,
    /// SHA-256 of its content, hexadecimal.
    pub hash: String,
    /// Probability with which it is chosen, 0 to 1.
    pub probability: f64,
    /// Whether it was promoted last.
    pub is_reigning: bool,
    /// Whether it decides now, in shadow.
    pub is_chosen: bool,
}
