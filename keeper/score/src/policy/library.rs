//! A frozen library of policies that passed the gate of promotions, and the one that reigns: the file, and its checks.

use super::{Policy, PolicyError, PolicyFile, situation_schema_hex};
use serde::{Deserialize, Serialize};
use solana_sha256_hasher::hash;

/// Version of the library's file format.
pub const LIBRARY_FORMAT: u32 = 1;
/// The most policies of a library.
pub const LIBRARY_MAX: usize = 5;

/// A library as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LibraryFile {
    /// Version of the file format: [`LIBRARY_FORMAT`].
    pub format: u32,
    /// [`situation_schema_hex`] of the tiles and actions of all its policies.
    pub situation_schema_sha256: String,
    /// Hash of the policy that was promoted last.
    pub reigning: String,
    /// The policies, oldest first, at most [`LIBRARY_MAX`].
    pub policies: Vec<PolicyFile>,
    /// SHA-256 of all of the above, hexadecimal.
    pub hash: String,
}

/// Why a library is refused.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// Not the JSON of a library.
    #[error("failed to read the library: {0}")]
    Json(#[from] serde_json::Error),
    /// Another format.
    #[error("library has format {found}, this build reads {LIBRARY_FORMAT}: begin a new one with `rampart lab refit`")]
    Format {
        /// What the file says.
        found: u32,
    },
    /// Made for other tiles or actions.
    #[error("library was made for schema {found}, this build has {expected}: begin a new one with `rampart lab refit`")]
    Schema {
        /// What the file says.
        found: String,
        /// What this build computes.
        expected: String,
    },
    /// The content isn't what was hashed.
    #[error("library's content hashes to {computed}, its file says {found}: copy it again")]
    Hash {
        /// What the file says.
        found: String,
        /// What its content says.
        computed: String,
    },
    /// No policies, or too many.
    #[error("a library holds 1 to {LIBRARY_MAX} policies, not {0}")]
    Size(usize),
    /// One of its policies is refused.
    #[error("policy {at} of the library: {source}")]
    Policy {
        /// Its place, from 1.
        at: usize,
        /// Why.
        source: PolicyError,
    },
    /// The policy that is to reign isn't there, or is there twice.
    #[error("policy {0} reigns and must be in the library once")]
    Reigning(String),
}

/// A library whose file was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Library {
    policies: Vec<Policy>,
    reigning: usize,
    hash: String,
}

impl Library {
    /// Reads and checks a library.
    ///
    /// # Errors
    /// `LibraryError`: what is wrong with the file.
    pub fn from_json(text: &str) -> Result<Self, LibraryError> {
        let file: LibraryFile = serde_json::from_str(text)?;
        file.validate()
    }

    /// Returns the library in which `policy` reigns; the oldest of too many leaves.
    ///
    /// # Errors
    /// `Reigning` where it is in the library already.
    pub fn promote(before: Option<&Self>, policy: Policy) -> Result<Self, LibraryError> {
        let mut policies: Vec<Policy> = before.map_or_else(Vec::new, |library| library.policies.clone());
        policies.push(policy);
        policies.drain(..policies.len().saturating_sub(LIBRARY_MAX));
        let files: Vec<PolicyFile> = policies.iter().map(|policy| policy.file().clone()).collect();
        let reigning = files.last().map_or_else(String::new, |file| file.hash.clone());
        let schema = situation_schema_hex();
        let mut file = LibraryFile {
            format: LIBRARY_FORMAT,
            situation_schema_sha256: schema,
            reigning,
            policies: files,
            hash: String::new(),
        };
        file.hash = file.compute_hash();
        file.validate()
    }

    /// Returns the file's text, that [`Library::from_json`] reads to an equal library.
    pub fn to_json(&self) -> String {
        let file = LibraryFile {
            format: LIBRARY_FORMAT,
            situation_schema_sha256: situation_schema_hex(),
            reigning: self.reigning().hash().to_owned(),
            policies: self.policies.iter().map(|policy| policy.file().clone()).collect(),
            hash: self.hash.clone(),
        };
        serde_json::to_string_pretty(&file).expect("numbers of checked policies are finite, their keys are strings")
    }

    /// Returns the policies, oldest first.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Returns the policy that was promoted last.
    pub fn reigning(&self) -> &Policy {
        &self.policies[self.reigning]
    }

    /// Returns the place of the policy that was promoted last.
    pub fn reigning_at(&self) -> usize {
        self.reigning
    }

    /// Returns the hash of the whole library, hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl LibraryFile {
    fn compute_hash(&self) -> String {
        let content = (self.format, &self.situation_schema_sha256, &self.reigning, &self.policies);
        hex::encode(hash(&serde_json::to_vec(&content).unwrap_or_default()).to_bytes())
    }

    fn validate(&self) -> Result<Library, LibraryError> {
        if self.format != LIBRARY_FORMAT {
            return Err(LibraryError::Format { found: self.format });
        }
        let expected = situation_schema_hex();
        if self.situation_schema_sha256 != expected {
            return Err(LibraryError::Schema { found: self.situation_schema_sha256.clone(), expected });
        }
        let computed = self.compute_hash();
        if self.hash != computed {
            return Err(LibraryError::Hash { found: self.hash.clone(), computed });
        }
        if !(1..=LIBRARY_MAX).contains(&self.policies.len()) {
            return Err(LibraryError::Size(self.policies.len()));
        }
        let checked =
            self.policies.iter().cloned().enumerate().map(|(at, file)| {
                Policy::from_checked(file).map_err(|source| LibraryError::Policy { at: at + 1, source })
            });
        let policies: Vec<Policy> = checked.collect::<Result<_, _>>()?;
        let mut named = (0..policies.len()).filter(|at| policies[*at].hash() == self.reigning);
        match (named.next(), named.next()) {
            (Some(reigning), None) => Ok(Library { policies, reigning, hash: computed }),
            _ => Err(LibraryError::Reigning(self.reigning.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Action, POLICY_FORMAT, PolicyCard, TILES};
    use super::*;
    use std::collections::BTreeMap;

    fn policy(version: u32) -> Policy {
        let card = PolicyCard {
            name: "test".into(),
            version,
            metrics: BTreeMap::from([("utility".into(), 0.1)]),
            ..PolicyCard::default()
        };
        let weights = vec![vec![0.1 * f64::from(version); TILES]; Action::COUNT];
        Policy::from_file(PolicyFile { format: POLICY_FORMAT, card, weights, hash: String::new() }).unwrap()
    }

    fn library(policies: u32) -> Library {
        let grown = (1..=policies).fold(None, |before: Option<Library>, version| {
            Some(Library::promote(before.as_ref(), policy(version)).unwrap())
        });
        grown.unwrap()
    }

    #[test]
    fn library_survives_its_file_and_the_oldest_leaves() {
        let library = library(7);
        assert_eq!(Library::from_json(&library.to_json()).unwrap(), library);
        let versions: Vec<u32> = library.policies().iter().map(|policy| policy.card().version).collect();
        assert_eq!((versions, library.reigning().card().version), (vec![3, 4, 5, 6, 7], 7));
    }

    #[test]
    fn library_is_refused_when_anything_is_wrong() {
        let library = library(2);
        let text = library.to_json();
        let load = |from: &str, to: &str| Library::from_json(&text.replacen(from, to, 1));
        assert!(matches!(load("\"format\": 1", "\"format\": 2"), Err(LibraryError::Format { found: 2 })));
        let schema = situation_schema_hex();
        assert!(matches!(load(&schema, "abc"), Err(LibraryError::Schema { found, .. }) if found == "abc"));
        assert!(matches!(load("\"version\": 2", "\"version\": 9"), Err(LibraryError::Hash { .. })));
        assert!(matches!(load("\"format\"", "\"formatt\""), Err(LibraryError::Json(_))));
        let forge = |change: fn(&mut LibraryFile)| {
            let mut file: LibraryFile = serde_json::from_str(&text).unwrap();
            change(&mut file);
            file.hash = file.compute_hash();
            file.validate()
        };
        assert!(
            matches!(forge(|file| file.reigning = "gone".into()), Err(LibraryError::Reigning(hash)) if hash == "gone")
        );
        assert!(matches!(forge(|file| file.policies.clear()), Err(LibraryError::Size(0))));
        let bent = forge(|file| file.policies[1].weights[0][0] = 9.0);
        assert!(matches!(bent, Err(LibraryError::Policy { at: 2, source: PolicyError::Hash { .. } })));
        let twice = Library::promote(Some(&library), library.reigning().clone());
        assert!(matches!(twice, Err(LibraryError::Reigning(hash)) if hash == library.reigning().hash()));
    }
}
