//! The file of a learned policy, and its choice.

use super::{Action, Shield, Situation, TILES, situation_schema_hex};
use serde::{Deserialize, Serialize};
use solana_sha256_hasher::hash;
use std::collections::BTreeMap;

/// Version of the file format.
pub const POLICY_FORMAT: u32 = 1;

/// What a policy may do. The evidence decides: see the card's metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It decides and is recorded; rules act.
    Shadow,
    /// It acts within the shield.
    Drives,
}

/// Where a policy comes from and how good it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyCard {
    /// Name, as `pool-lspi`.
    pub name: String,
    /// Version of the policy, rises with each promotion.
    pub version: u32,
    /// Command that made it.
    pub trained_by: String,
    /// SHA-256 over the digests of all scenarios that it was trained on, hexadecimal.
    pub training_data_sha256: String,
    /// [`situation_schema_hex`] of the tiles and actions that it was trained for.
    pub situation_schema_sha256: String,
    /// Discount of a decision step.
    pub discount: f64,
    /// Transitions that it was trained on.
    pub transitions: u64,
    /// Seeds of training.
    pub seeds: Vec<u64>,
    /// Whether it may act.
    pub mode: Mode,
    /// Results by name, those of the rules that it was held against among them.
    pub metrics: BTreeMap<String, f64>,
    /// What it can't do, for the reader.
    pub limits: Vec<String>,
}

impl Default for PolicyCard {
    /// A first card of this build's schema, in shadow, that tells nothing yet.
    fn default() -> Self {
        Self {
            name: String::new(),
            version: 1,
            trained_by: String::new(),
            training_data_sha256: String::new(),
            situation_schema_sha256: situation_schema_hex(),
            discount: 0.0,
            transitions: 0,
            seeds: vec![],
            mode: Mode::Shadow,
            metrics: BTreeMap::new(),
            limits: vec![],
        }
    }
}

/// A policy as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// Version of the file format: [`POLICY_FORMAT`].
    pub format: u32,
    /// Where it comes from.
    pub card: PolicyCard,
    /// Weights. Shape: one row for each action, one number for each tile.
    pub weights: Vec<Vec<f64>>,
    /// SHA-256 of format, card and weights, hexadecimal.
    pub hash: String,
}

/// Why a policy file is refused.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not the JSON of a policy.
    #[error("failed to read the policy: {0}")]
    Json(#[from] serde_json::Error),
    /// Another format.
    #[error("policy has format {found}, this build reads {POLICY_FORMAT}: train it anew")]
    Format {
        /// What the file says.
        found: u32,
    },
    /// Trained for other tiles or actions.
    #[error("policy was trained for schema {found}, this build has {expected}: train it anew")]
    Schema {
        /// What the file says.
        found: String,
        /// What this build computes.
        expected: String,
    },
    /// The content isn't what was hashed.
    #[error("policy's content hashes to {computed}, its file says {found}: fetch it again")]
    Hash {
        /// What the file says.
        found: String,
        /// What its content says.
        computed: String,
    },
    /// Weights of another shape, or not finite.
    #[error("policy's weights must be {} rows of {TILES} finite numbers", Action::COUNT)]
    Weights,
}

impl PolicyFile {
    /// Returns the hash of format, card and weights, hexadecimal.
    pub fn compute_hash(&self) -> String {
        let content = serde_json::to_vec(&(self.format, &self.card, &self.weights)).unwrap_or_default();
        hex::encode(hash(&content).to_bytes())
    }

    fn validate(&self) -> Result<[[f64; TILES]; Action::COUNT], PolicyError> {
        if self.format != POLICY_FORMAT {
            return Err(PolicyError::Format { found: self.format });
        }
        let expected = situation_schema_hex();
        if self.card.situation_schema_sha256 != expected {
            return Err(PolicyError::Schema { found: self.card.situation_schema_sha256.clone(), expected });
        }
        let computed = self.compute_hash();
        if self.hash != computed {
            return Err(PolicyError::Hash { found: self.hash.clone(), computed });
        }
        let rows: Result<Vec<[f64; TILES]>, _> = self.weights.iter().map(|row| row.as_slice().try_into()).collect();
        let weights = rows.ok().and_then(|rows| rows.try_into().ok()).ok_or(PolicyError::Weights)?;
        let is_finite = self.weights.iter().flatten().all(|weight| weight.is_finite());
        if is_finite { Ok(weights) } else { Err(PolicyError::Weights) }
    }
}

/// A policy whose file was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    file: PolicyFile,
    weights: [[f64; TILES]; Action::COUNT],
}

impl Policy {
    /// Reads and checks a policy file.
    ///
    /// # Errors
    /// `PolicyError`: what is wrong with the file.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        Self::from_checked(serde_json::from_str(text)?)
    }

    /// Checks a file that was read as it is, its hash included.
    pub(super) fn from_checked(file: PolicyFile) -> Result<Self, PolicyError> {
        let weights = file.validate()?;
        Ok(Self { file, weights })
    }

    /// Takes a policy that was just trained: sets its hash, and checks it as if it were read.
    ///
    /// # Errors
    /// As [`Policy::from_json`].
    pub fn from_file(mut file: PolicyFile) -> Result<Self, PolicyError> {
        file.hash = file.compute_hash();
        Self::from_checked(file)
    }

    /// Returns the file.
    pub fn file(&self) -> &PolicyFile {
        &self.file
    }

    /// Returns the file's text, that [`Policy::from_json`] reads to an equal policy.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.file).expect("numbers of a checked policy are finite, its keys are strings")
    }

    /// Returns the card.
    pub fn card(&self) -> &PolicyCard {
        &self.file.card
    }

    /// Returns the hash of card and weights, hexadecimal.
    pub fn hash(&self) -> &str {
        &self.file.hash
    }

    /// Returns the weights. Shape: one row for each action.
    pub fn weights(&self) -> &[[f64; TILES]; Action::COUNT] {
        &self.weights
    }

    /// Returns the value of each action, in units of the training's reward.
    pub fn values(&self, tiles: &[f64; TILES]) -> [f64; Action::COUNT] {
        self.weights.map(|row| row.iter().zip(tiles).map(|(weight, tile)| weight * tile).sum())
    }

    /// Returns the best action that `shield` allows; the first of equals, so that nothing is done without a reason.
    pub fn choose(&self, situation: &Situation, shield: &Shield, is_calm: bool, now_ts: i64) -> Action {
        let values = self.values(&situation.tiles(shield, now_ts));
        best(&values, &shield.mask(is_calm, now_ts))
    }
}

/// Returns the allowed action of the highest value, the first of equals.
fn best(values: &[f64; Action::COUNT], mask: &[bool; Action::COUNT]) -> Action {
    let allowed = Action::ALL.into_iter().filter(|action| mask[action.index()]);
    let pick = |best: Action, other: Action| if values[other.index()] > values[best.index()] { other } else { best };
    allowed.reduce(pick).unwrap_or(Action::Noop)
}

#[cfg(test)]
mod tests {
    use super::super::Bounds;
    use super::*;

    fn file() -> PolicyFile {
        let mut weights = vec![vec![0.0; TILES]; Action::COUNT];
        weights[Action::Halt.index()][4] = 2.0;
        weights[Action::TightenLtv.index()][2] = 1.0;
        let card = PolicyCard {
            name: "test".into(),
            metrics: BTreeMap::from([("utility".into(), -0.1)]),
            ..PolicyCard::default()
        };
        PolicyFile { format: POLICY_FORMAT, card, weights, hash: String::new() }
    }

    #[test]
    fn policy_survives_its_file() {
        let policy = Policy::from_file(file()).unwrap();
        assert_eq!(Policy::from_json(&policy.to_json()).unwrap(), policy);
    }

    #[test]
    fn shipped_policy_is_read_and_runs_in_shadow() {
        let policy = Policy::from_json(include_str!("../../../../artifacts/models/policy-v1.json")).unwrap();
        // It doesn't surely gain over the tuned rules on recorded markets: its own metrics say so.
        assert!(policy.card().metrics["recorded.gain.lower"] < 0.0);
        assert_eq!(policy.card().mode, Mode::Shadow);
    }

    #[test]
    fn policy_is_refused_when_anything_is_wrong() {
        let text = Policy::from_file(file()).unwrap().to_json();
        let load = |from: &str, to: &str| Policy::from_json(&text.replace(from, to));
        assert!(matches!(load("\"format\": 1", "\"format\": 2"), Err(PolicyError::Format { found: 2 })));
        assert!(
            matches!(load(&situation_schema_hex(), "abc"), Err(PolicyError::Schema { found, .. }) if found == "abc")
        );
        assert!(matches!(load("\"shadow\"", "\"drives\""), Err(PolicyError::Hash { .. })));
        assert!(matches!(load("\"format\"", "\"formatt\""), Err(PolicyError::Json(_))));
        let mut short = file();
        short.weights[3].pop();
        assert!(matches!(Policy::from_file(short), Err(PolicyError::Weights)));
    }

    #[test]
    fn choose_takes_the_best_that_the_shield_allows() {
        let policy = Policy::from_file(file()).unwrap();
        let mut shield = Shield::new(Bounds::default());
        let calm = Situation::default();
        let bad = Situation { p_market: 0.9, ..calm };
        assert_eq!(policy.choose(&calm, &shield, true, 0), Action::Noop);
        assert_eq!(policy.choose(&bad, &shield, false, 0), Action::Halt);
        shield.act(Action::Halt, false, 0).unwrap();
        assert_eq!(policy.choose(&bad, &shield, false, 60), Action::TightenLtv);
        // What isn't known counts as bad.
        assert_eq!(policy.choose(&Situation { p_market: f64::NAN, ..calm }, &shield, false, 60), Action::TightenLtv);
    }
}
