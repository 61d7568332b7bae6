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
    /// What is said of each asset and vault, by address.
    #[serde(default)]
    pub subjects: Vec<ScoredView>,
}

/// What the risk engine says of an asset or a vault. Advice: the program decides by what it is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoredView {
    /// Address of the asset or vault.
    pub subject: String,
    /// The score, bps.
    pub score_bps: u16,
    /// Its band: `normal`, `watch`, `tighten`, `restrict` or `breaker`.
    pub band: String,
    /// Probability of a fall through the buffer within six hours, 0 to 1; nothing where it is not known.
    pub fall_6h: Option<f64>,
    /// The same within a day.
    pub fall_24h: Option<f64>,
    /// Share of the price by which 99 of 100 hours fall less; nothing where no tail or no volatility is known.
    pub value_at_risk_99: Option<f64>,
    /// Share of the price by which 999 of 1,000 hours fall less.
    pub value_at_risk_999: Option<f64>,
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
