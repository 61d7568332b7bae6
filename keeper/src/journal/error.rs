//! Why the journal cannot be used.

use std::io;
use std::path::PathBuf;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The directory cannot be made, or the lock file cannot be opened.
    #[error("failed to prepare state directory `{}`", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another keeper runs on the same directory.
    #[error("state directory `{}` is in use by another keeper{}", path.display(), of_process(*pid))]
    Locked {
        /// The directory.
        path: PathBuf,
        /// Its process, where it is known.
        pid: Option<u32>,
    },
    /// The file is torn, altered, or not a journal.
    #[error("journal `{}` is corrupt: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The file was written by a later version.
    #[error("journal `{}` has layout {found}, this keeper knows up to {known}", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The newest layout this keeper knows.
        known: i64,
    },
    /// A write or read failed: full disk, lost mount.
    #[error("failed to {what} in journal `{}`", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl JournalError {
    /// Returns whether the same call may succeed later without an edit.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Storage { .. } | Self::Locked { .. })
    }

    /// Returns what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Directory { path, .. } => {
                format!("make `{}` a directory that the keeper's user owns, or set `keeper.state_dir`", path.display())
            }
            Self::Locked { .. } => "stop the other keeper, or give this one a `keeper.state_dir` of its own".into(),
            Self::Corrupt { path, .. } => format!(
                "wait two minutes so that no transaction signed earlier can still land, move `{}` aside (keep it for \
                 the record), then start again",
                path.display()
            ),
            Self::TooNew { .. } => "run the version of the keeper that wrote it, or a later one".into(),
            Self::Storage { path, .. } => {
                format!("check free space and permissions of the disk that holds `{}`", path.display())
            }
        }
    }

    pub(super) fn from_sqlite(path: &std::path::Path, what: &'static str, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match source.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Corrupt { path: path.to_owned(), reason: source.to_string() },
            _ => Self::Storage { path: path.to_owned(), what, source },
        }
    }
}

fn of_process(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(", process {pid}"))
}
