//! Why a recording can't be written or read.

use std::io;
use std::path::PathBuf;

/// Why a recording can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file can't be made.
    #[error("failed to write recording `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file can't be read.
    #[error("failed to read recording `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is no frame.
    #[error("recording `{}` can't be read at frame {frame}: {reason}", path.display())]
    Frame {
        /// The file.
        path: PathBuf,
        /// Which frame, from zero.
        frame: u64,
        /// What is wrong.
        reason: String,
    },
    /// It was written by a version with another form.
    #[error("recording `{}` has form {found}, this keeper reads form {known}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its form.
        found: u32,
        /// The form that this keeper reads.
        known: u32,
    },
}

impl CaptureError {
    /// Returns what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Write { .. } => "check that the directory exists, is writable and has room".into(),
            Self::Read { .. } => "name a file that `rampart capture` or `capture.file` wrote".into(),
            Self::Frame { .. } => "record anew; this file is damaged or no recording".into(),
            Self::Version { .. } => "replay it with the version of the keeper that wrote it".into(),
        }
    }
}
