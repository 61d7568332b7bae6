//! What ends the keeper, and with which exit code.
//!
//! Each module has an error of its own; this is where they meet. The edge prints the chain once, then a hint.

use crate::config::ConfigError;
use crate::config::payer::KeyError;
use crate::config::secret::redact;
use crate::fleet::FleetError;
use crate::history::HistoryError;
use crate::http::HttpError;
use crate::journal::JournalError;
use crate::submit::SubmitError;
use std::error::Error;
use std::fmt::Write;

/// The cause of a failed task, of whatever module.
pub type Cause = Box<dyn Error + Send + Sync>;

/// What ends the keeper.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// Settings were refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key was refused.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The journal cannot be trusted or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It can't be part of its fleet.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The API cannot be served or asked.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The history cannot be read. It never ends a running keeper.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The risk engine's model can't be used.
    #[error(transparent)]
    Score(#[from] crate::score::ScoreError),
    /// The chain, program or guard is not the one that was set.
    #[error("{0}")]
    WrongChain(String),
    /// The chain could not be asked.
    #[error("failed to {what}")]
    Chain {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: Cause,
    },
    /// A task that the keeper cannot do without ended.
    #[error("critical task `{task}` ended")]
    TaskDied {
        /// The task.
        task: &'static str,
        /// Why, where it said so.
        source: Option<Cause>,
    },
    /// Something that was asked for is not there, or the keeper refused.
    #[error("{what}")]
    Refused {
        /// What and why.
        what: String,
        /// What to do next.
        hint: String,
    },
    /// A replay decided something else than the recording.
    #[error("{differing} of {decided} decisions differ from the recording")]
    ReplayDiffers {
        /// Steps that differ.
        differing: usize,
        /// Steps with a decision.
        decided: usize,
    },
    /// A recording can't be written or read.
    #[error(transparent)]
    Capture(#[from] crate::capture::CaptureError),
    /// The lab could not do what was asked, or a configuration failed in it. Its message names causes by itself.
    #[error("{0}")]
    Lab(Box<rampart_lab::cli::LabError>),
    /// `doctor` found something that a running keeper would stumble over.
    #[error("{failed} of {total} checks failed")]
    ChecksFailed {
        /// How many failed.
        failed: usize,
        /// How many were made.
        total: usize,
        /// Exit code of the first that failed.
        exit_code: u8,
    },
}

impl KeeperError {
    /// Returns the exit code of the process. See docs/operating.md.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::TaskDied { source: Some(cause), .. } if is_of_journal(cause) => 6,
            Self::Config(_) | Self::Score(_) => 2,
            Self::Key(_) => 3,
            Self::WrongChain(_) => 4,
            Self::History(HistoryError::Filter(_)) => 64,
            Self::Http(_) | Self::History(_) | Self::Chain { .. } | Self::TaskDied { .. } => 5,
            Self::Journal(_) => 6,
            Self::Fleet(error) => error.exit_code(),
            Self::Lab(error) => error.exit_code(),
            Self::ChecksFailed { exit_code, .. } => *exit_code,
            Self::Refused { .. } | Self::ReplayDiffers { .. } | Self::Capture(_) => 1,
        }
    }

    /// Returns whether a restart without an edit may help.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Config(_) | Self::Score(_) | Self::Key(_) | Self::WrongChain(_) | Self::ChecksFailed { .. } => false,
            Self::Refused { .. } | Self::ReplayDiffers { .. } | Self::Capture(_) | Self::Lab(_) => false,
            Self::Journal(error) => error.is_transient(),
            Self::Fleet(error) => error.is_transient(),
            Self::Http(error) => error.is_transient(),
            Self::History(error) => error.is_transient(),
            Self::Chain { .. } | Self::TaskDied { .. } => true,
        }
    }

    /// Returns what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Config(error) => error.hint(),
            Self::Score(error) => error.hint(),
            Self::Key(error) => error.hint(),
            Self::Journal(error) => error.hint(),
            Self::Fleet(error) => error.hint(),
            Self::Http(error) => error.hint(),
            Self::History(error) => error.hint(),
            Self::WrongChain(_) => "compare [cluster] with the chain; `rampart doctor` shows both sides".into(),
            Self::Chain { .. } => "check `cluster.rpc_url` or `[[rpc]]`, and that it answers from this machine".into(),
            Self::TaskDied { .. } => "restart it (systemd does so by itself); nothing that was sent is lost".into(),
            Self::Refused { hint, .. } => hint.clone(),
            Self::ReplayDiffers { .. } => {
                "the lines that start with - were recorded, those with + are decided now".into()
            }
            Self::Capture(error) => error.hint(),
            Self::Lab(error) => error.hint().into(),
            Self::ChecksFailed { .. } => "correct the lines marked `failed`, then run `rampart doctor` again".into(),
        }
    }
}

fn is_of_journal(cause: &Cause) -> bool {
    cause.is::<JournalError>() || matches!(cause.downcast_ref(), Some(SubmitError::Journal(_)))
}

/// Writes an error with all its causes on one line. Addresses lose what may be secret in them.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        // CANNOT fail: a String takes any write.
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    redact(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_journal_that_breaks_at_run_time_has_the_exit_code_of_the_journal() {
        let corrupt = JournalError::Corrupt { path: "journal.db".into(), reason: "torn".into() };
        let cause = Cause::from(SubmitError::Journal(Arc::new(corrupt)));
        let error = KeeperError::TaskDied { task: "submitter", source: Some(cause) };
        assert_eq!(error.exit_code(), 6);
        assert_eq!(
            chain(&error),
            "critical task `submitter` ended: failed to journal a transaction: journal `journal.db` is corrupt: torn"
        );
        assert_eq!(KeeperError::TaskDied { task: "engine", source: None }.exit_code(), 5);
    }
}
