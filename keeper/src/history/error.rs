//! Why the history cannot be written or read. None of it may stop the keeper.

use super::query::BadFilter;
use std::path::PathBuf;

/// Why the history cannot be written or read. Names the database without its password.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The local file refuses.
    #[error("failed to {what} in history file `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// There is no local file yet.
    #[error("there is no history file `{}`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The database refuses or can't be reached.
    #[error("failed to {what} history database `{url}`")]
    Database {
        /// Its address, without the password.
        url: String,
        /// What was tried.
        what: &'static str,
        /// What it said.
        source: tokio_postgres::Error,
    },
    /// The database did not answer in time.
    #[error("history database `{url}` did not answer in time")]
    Timeout {
        /// Its address, without the password.
        url: String,
    },
    /// The file with its password can't be used.
    #[error("failed to read password file `{}` of the history database: {reason}", path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The layout is of a later version.
    #[error("history in `{place}` has layout {found}, this keeper knows up to {known}")]
    TooNew {
        /// File or address.
        place: String,
        /// Its layout.
        found: i64,
        /// The newest layout this keeper knows.
        known: i64,
    },
    /// What was asked for can't be answered.
    #[error(transparent)]
    Filter(#[from] BadFilter),
    /// No history is kept.
    #[error("no history is kept: `history.enabled` is false")]
    Disabled,
    /// A task of the history ended by itself.
    #[error("a task of the history broke off")]
    Broken,
}

impl HistoryError {
    /// Returns whether the same call may succeed later without an edit.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. }
                | Self::File { .. }
                | Self::Database { .. }
                | Self::Timeout { .. }
                | Self::Password { .. }
        )
    }

    /// Returns whether the database took offence at the record itself, so that trying it again is no use.
    pub(super) fn is_about_the_record(&self) -> bool {
        // 22: data exception, 23: integrity constraint violation
        let Self::Database { source, .. } = self else { return false };
        source.code().is_some_and(|code| code.code().starts_with("22") || code.code().starts_with("23"))
    }

    /// Returns what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::File { path, .. } => format!(
                "check free space and permissions; if `{}` is torn, move it aside: the journal is another file",
                path.display()
            ),
            Self::Missing { .. } => "a running keeper makes it; check `keeper.state_dir`".into(),
            Self::Database { .. } | Self::Timeout { .. } => {
                "check `history.url` and the database; what happens meanwhile waits in `state_dir/history.db`".into()
            }
            Self::Password { path, .. } => {
                format!("put the password alone into `{}`, readable by the keeper and not by others", path.display())
            }
            Self::TooNew { .. } => "run the version of the keeper that wrote it, or a later one".into(),
            Self::Filter(_) => "see docs/operating.md, section \"History\"".into(),
            Self::Disabled => "set `history.enabled = true`, then restart the keeper".into(),
            Self::Broken => "keep the log and report it; the keeper goes on without".into(),
        }
    }
}
