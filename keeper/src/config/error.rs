//! Why settings were refused.

use std::io;
use std::path::PathBuf;

/// Why settings were refused: names the key, where it came from, and what would do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("failed to read settings file `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("failed to write settings file `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("settings file `{}` is not TOML", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, column and cause.
        source: Box<toml::de::Error>,
    },
    /// A key is unknown, missing, or holds a value of another kind.
    #[error("setting `{key}` in {origin} is refused: {reason}")]
    Refused {
        /// The key, with its sections.
        key: String,
        /// The file or the environment variable.
        origin: String,
        /// What is wrong and what would do.
        reason: String,
    },
}

impl ConfigError {
    /// Returns whether trying again may help: never, somebody must edit.
    pub const fn is_transient(&self) -> bool {
        false
    }

    /// Returns what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Read { path, .. } => {
                format!("write an example with `rampart init --config {}`, or pass --config", path.display())
            }
            Self::Write { path, source } if source.kind() == io::ErrorKind::AlreadyExists => {
                format!("keep `{}`, or name another file with --config", path.display())
            }
            Self::Write { path, .. } => {
                format!("check that the directory of `{}` exists and is writable", path.display())
            }
            Self::Syntax { path, .. } => format!("correct `{}` at the line shown", path.display()),
            Self::Refused { key, origin, .. } => {
                format!("correct `{key}` in {origin}; `rampart init --print` shows every key with its default")
            }
        }
    }
}
