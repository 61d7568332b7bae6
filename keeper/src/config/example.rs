//! The settings file that `rampart init` writes.

use super::ConfigError;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Every key, with its default and what it does.
pub const TEXT: &str = include_str!("example.toml");

/// Writes settings. Never over an existing file.
///
/// # Errors
/// `Write`, also if the file exists.
pub fn write(path: &Path, text: &str) -> Result<(), ConfigError> {
    let failed = |source| ConfigError::Write { path: path.to_owned(), source };
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        std::fs::create_dir_all(dir).map_err(failed)?;
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(path).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => failed(std::io::Error::new(ErrorKind::AlreadyExists, "it exists already")),
            _ => failed(source),
        })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        Budget, Capture, Classes, EconomicsSettings, Fleet, History, Http, Ingest, Log, Overrides, PosterSettings,
        RebalanceSettings, ScoreSettings, Takeover, Tx, load,
    };

    #[test]
    fn example_parses_and_shows_the_defaults() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("deeper/rampart.toml");
        write(&path, TEXT).expect("a file");
        let config = load(&path, [], &Overrides::default()).expect("settings");
        assert_eq!(config.ingest, Ingest::default());
        assert_eq!(config.tx, Tx::default());
        assert_eq!(config.budget, Budget::default());
        assert_eq!(config.classes, Classes::default());
        assert_eq!(config.economics, EconomicsSettings::default());
        assert_eq!(config.rebalance, RebalanceSettings::default());
        assert_eq!(config.score, ScoreSettings::default());
        assert_eq!(config.route.len(), 0);
        assert_eq!(config.fleet, Fleet::default());
        assert_eq!(config.http, Http::default());
        assert_eq!(config.history, History::default());
        assert_eq!(config.log, Log::default());
        assert_eq!((config.takeover, config.capture), (Takeover::default(), Capture::default()));
        assert_eq!((config.label.len(), config.notify.len(), config.signal.len()), (0, 0, 0));
        assert_eq!(config.poster, None);
    }

    #[test]
    fn commented_keys_of_the_example_parse_too() {
        let all: String = TEXT.lines().map(|line| line.strip_prefix("#! ").unwrap_or(line).to_owned() + "\n").collect();
        assert_ne!(all, TEXT, "the example has optional keys");
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("rampart.toml");
        std::fs::write(&path, all).expect("a file");
        let config = load(&path, [], &Overrides::default()).expect("settings");
        assert!(config.cluster.program_id.is_some() && config.cluster.genesis_hash.is_some());
        assert_eq!((config.label.len(), config.route.len(), config.signal.len()), (1, 2, 2));
        assert_eq!(config.poster, Some(PosterSettings::default()));
        assert_eq!(config.economics.min_profit_micro_usd, Some(100_000));
    }

    #[test]
    fn write_fails_over_an_existing_file_and_leaves_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("rampart.toml");
        std::fs::write(&path, "mine").expect("a file");
        let error = write(&path, TEXT).expect_err("a refusal");
        assert!(crate::error::chain(&error).contains("exists already"));
        assert_eq!(std::fs::read_to_string(&path).expect("the file"), "mine");
    }
}
