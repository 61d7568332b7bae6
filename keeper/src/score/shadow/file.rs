//! The library's file: read when it has changed, taken whole or refused.

use rampart_score::policy::Library;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file that somebody else replaces.
pub(super) struct File {
    path: PathBuf,
    seen: Option<Stamp>,
}

/// What tells two versions of a file apart; nothing where there is none.
type Stamp = Option<(SystemTime, u64)>;

/// What was read.
pub(super) enum Read {
    Library(Box<Library>),
    Refused(String),
}

impl File {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: None }
    }

    /// Reads the file if it isn't the one that was read last.
    pub(super) fn changed(&mut self) -> Option<Read> {
        let stamp = std::fs::metadata(&self.path).ok().and_then(|about| Some((about.modified().ok()?, about.len())));
        (self.seen.replace(stamp) != Some(stamp)).then(|| self.read())
    }

    fn read(&self) -> Read {
        let path = self.path.display();
        match std::fs::read_to_string(&self.path) {
            Ok(text) => match Library::from_json(&text) {
                Ok(library) => Read::Library(Box::new(library)),
                Err(error) => Read::Refused(format!("`{path}`: {error}")),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Read::Refused(format!("`{path}` isn't there: `rampart lab refit` makes it with its first promotion"))
            }
            Err(error) => Read::Refused(format!("`{path}`: {error}")),
        }
    }
}
