//! Why a task failed, and what to do about it.

use std::fmt;
use std::path::Path;

/// The result of a task.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why a task failed.
#[derive(Debug)]
pub struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// Makes a failure without a hint.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), hint: None }
    }

    /// Adds what to do next.
    pub fn hint(self, hint: impl Into<String>) -> Failure {
        Failure { hint: Some(hint.into()), ..self }
    }

    /// Makes a failure to `action` (read, write, ..) the file or folder `path`.
    pub fn file(action: &str, path: &Path, error: std::io::Error) -> Failure {
        Failure::new(format!("failed to {action} `{}`: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}
