//! The folder of a library: the library itself, the journal of refits, and the work in progress.
//!
//! The journal's line comes first and names the library that follows from it, which lies beside by then: a run that is cut off in
//! between leaves both, and the next one puts the library in its place.

use super::{Journal, Line, RefitError, Taught, Verdict};
use crate::whole;
use rampart_score::policy::{Library, Policy};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Name of the library's file.
pub const LIBRARY_FILE: &str = "library.json";
const STAGED_FILE: &str = "library.staged.json";
const CANDIDATE_FILE: &str = "candidate.json";
const JOURNAL_FILE: &str = "refits.jsonl";
const LOCK_FILE: &str = "lock";

/// A candidate that was learned and isn't judged yet.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Candidate {
    /// Hash of week, settings, data and library: of another one it is of no use.
    pub key: String,
    /// What was learned.
    pub taught: Taught,
}

/// The folder, held until it is dropped.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    _lock: File,
    journal: Journal,
    library: Option<Library>,
}

impl Store {
    /// Opens a folder, or starts one, and finishes what a run before left half done.
    ///
    /// # Errors
    /// `Io`, `Held`, `Library`, `Journal`, `Torn`.
    pub fn open(dir: &Path) -> Result<Self, RefitError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| RefitError::Io { path, source }
        };
        std::fs::create_dir_all(dir).map_err(io(dir))?;
        let path = dir.join(LOCK_FILE);
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(io(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RefitError::Held(dir.into())),
            Err(TryLockError::Error(source)) => return Err(io(&path)(source)),
        }
        let journal = Journal::open(&dir.join(JOURNAL_FILE))?;
        let library = library(&dir.join(LIBRARY_FILE))?;
        let mut store = Self { dir: dir.into(), _lock: lock, journal, library };
        store.recover()?;
        Ok(store)
    }

    /// Returns the journal.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Returns the library; none before the first promotion.
    pub fn library(&self) -> Option<&Library> {
        self.library.as_ref()
    }

    /// Puts the library that the journal ends with in its place.
    fn recover(&mut self) -> Result<(), RefitError> {
        let Some(expected) = self.journal.last().and_then(|line| line.library_sha256.clone()) else { return Ok(()) };
        let found = self.library.as_ref().map_or("none", Library::hash).to_owned();
        if found == expected {
            return Ok(());
        }
        match library(&self.dir.join(STAGED_FILE))? {
            Some(staged) if staged.hash() == expected => self.place(staged),
            _ => Err(RefitError::Torn { path: self.dir.join(LIBRARY_FILE), expected, found }),
        }
    }

    /// Returns the candidate of `key`, if one was learned before.
    pub(super) fn candidate(&self, key: &str) -> Result<Option<Taught>, RefitError> {
        let Some(text) = read(&self.dir.join(CANDIDATE_FILE))? else { return Ok(None) };
        // one that can't be read is learned again
        let candidate: Option<Candidate> = serde_json::from_str(&text).ok();
        Ok(candidate.filter(|candidate| candidate.key == key).map(|candidate| candidate.taught))
    }

    /// Keeps a candidate until it is judged.
    pub(super) fn keep(&self, candidate: &Candidate) -> Result<(), RefitError> {
        self.replace(CANDIDATE_FILE, &serde_json::to_string(candidate).unwrap_or_default())
    }

    /// Ends a refit: writes its line, and the library where `policy` was promoted.
    pub(super) fn close(&mut self, line: Line, policy: Policy) -> Result<Line, RefitError> {
        let line = if matches!(line.verdict, Verdict::Promoted { .. }) {
            let next = Library::promote(self.library.as_ref(), policy)
                .map_err(|source| RefitError::Library { path: self.dir.join(LIBRARY_FILE), source })?;
            self.replace(STAGED_FILE, &next.to_json())?;
            let line = self.journal.append(Line { library_sha256: Some(next.hash().to_owned()), ..line })?;
            self.place(next)?;
            line
        } else {
            self.journal.append(line)?
        };
        self.remove(CANDIDATE_FILE)?;
        Ok(line)
    }

    fn place(&mut self, library: Library) -> Result<(), RefitError> {
        self.replace(LIBRARY_FILE, &library.to_json())?;
        self.remove(STAGED_FILE)?;
        self.library = Some(library);
        Ok(())
    }

    fn replace(&self, name: &str, text: &str) -> Result<(), RefitError> {
        let path = self.dir.join(name);
        whole::replace(&path, format!("{text}\n").as_bytes()).map_err(|source| RefitError::Io { path, source })
    }

    fn remove(&self, name: &str) -> Result<(), RefitError> {
        let path = self.dir.join(name);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(RefitError::Io { path, source }),
            _ => Ok(()),
        }
    }
}

fn read(path: &Path) -> Result<Option<String>, RefitError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RefitError::Io { path: path.into(), source }),
    }
}

fn library(path: &Path) -> Result<Option<Library>, RefitError> {
    let of =
        |text: String| Library::from_json(&text).map_err(|source| RefitError::Library { path: path.into(), source });
    read(path)?.map(of).transpose()
}
