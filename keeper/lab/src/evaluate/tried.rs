//! The log of tries: one JSON line for each configuration that was ever evaluated. Written by the command alone, only appended to.

use super::EvaluateError;
use crate::train::Config;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// One evaluated configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Try {
    /// What was run: `tune` (data until 2022-09-30 alone), `evaluate` or `train`.
    pub command: String,
    /// Which forecaster.
    pub model: String,
    /// SHA-256 of the data.
    pub data_sha256: String,
    /// Schema of the features.
    pub feature_schema_sha256: String,
    /// The trainer's version: another formula with the same settings is another try.
    #[serde(default = "first")]
    pub trainer: u32,
    /// The settings.
    pub config: Config,
    /// Test period, days.
    pub test: [String; 2],
    /// What came out, by name.
    pub metrics: BTreeMap<String, f64>,
}

/// Version of the trainer before lines told it.
fn first() -> u32 {
    1
}

/// Appends a line.
///
/// # Errors
/// `Io`.
pub fn log(path: &Path, entry: &Try) -> Result<(), EvaluateError> {
    let fail = |source| EvaluateError::Io { path: path.into(), source };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(fail)?;
    }
    let line = serde_json::to_string(entry).map_err(|error| fail(error.into()))? + "\n";
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(fail)?;
    file.write_all(line.as_bytes()).map_err(fail)
}

/// Returns how many different configurations the log holds, and how many lines.
pub fn count(path: &Path) -> (usize, usize) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let tries: Vec<Try> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |entry: &Try| format!("{}{}{:?}{}", entry.model, entry.trainer, entry.config, entry.feature_schema_sha256);
    let different: std::collections::BTreeSet<String> = tries.iter().map(of).collect();
    (different.len(), tries.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_appends_and_counts_configurations_once_when_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("models/tried.jsonl");
        let entry = |trainer: u32, l2: f64| Try {
            command: "tune".to_owned(),
            model: "logistic".to_owned(),
            data_sha256: "d".to_owned(),
            feature_schema_sha256: "s".to_owned(),
            trainer,
            config: Config { l2, ..Config::default() },
            test: ["2021-01-01".to_owned(), "2022-09-30".to_owned()],
            metrics: BTreeMap::from([("auc".to_owned(), 0.75)]),
        };
        for (trainer, l2) in [(1, 0.1), (1, 0.1), (1, 0.2), (2, 0.2)] {
            log(&path, &entry(trainer, l2)).unwrap();
        }
        assert_eq!(count(&path), (3, 4), "another formula with the same settings is another try");
        let first = std::fs::read_to_string(&path).unwrap();
        let first: Try = serde_json::from_str(first.lines().next().unwrap()).unwrap();
        assert_eq!(first, entry(1, 0.1));
        let older = serde_json::to_string(&entry(1, 0.1)).unwrap().replace("\"trainer\":1,", "");
        assert_eq!(serde_json::from_str::<Try>(&older).unwrap(), first, "lines from before tell no trainer");
    }
}
