//! The file of finished cells.

use super::{Cell, Plan, SweepError};
use crate::backtest::Metrics;
use crate::whole;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// One finished cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Hash of the plan.
    pub plan: String,
    /// Number of the cell in the plan.
    pub number: usize,
    /// The combination.
    pub cell: Cell,
    /// What it came to.
    pub metrics: Metrics,
}

/// Finished cells, on disk before they count.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    lines: Vec<Line>,
}

impl Journal {
    /// Opens a file, or starts one. A last line that was cut off is dropped: its cell is played again.
    ///
    /// # Errors
    /// `Io`, `Line`, `OtherPlan`; the file is as it was then.
    pub fn open(path: &Path, plan: &Plan) -> Result<Self, SweepError> {
        let io = |source| SweepError::Io { path: path.into(), source };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(io(error)),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let lines = parse(path, &text[..whole])?;
        if lines.iter().any(|line| line.plan != plan.hash()) {
            return Err(SweepError::OtherPlan(path.into()));
        }
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
        file.set_len(whole as u64).map_err(io)?;
        Ok(Self { path: path.into(), file, lines })
    }

    /// Tells whether a cell is finished.
    pub fn holds(&self, number: usize) -> bool {
        self.lines.iter().any(|line| line.number == number)
    }

    /// Returns the finished cells, in the order in which they were finished.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Appends a finished cell.
    ///
    /// # Errors
    /// `Io`.
    pub fn append(&mut self, line: &Line) -> Result<(), SweepError> {
        let _held = whole::writing();
        let written = self.file.write_all(text_of(line).as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|source| SweepError::Io { path: self.path.clone(), source })?;
        self.lines.push(line.clone());
        Ok(())
    }
}

fn text_of(line: &Line) -> String {
    serde_json::to_string(line).unwrap_or_default() + "\n"
}

fn parse(path: &Path, text: &str) -> Result<Vec<Line>, SweepError> {
    let parsed = |(at, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|source| SweepError::Line { path: path.into(), line: at + 1, source })
    };
    text.lines().enumerate().map(parsed).collect()
}

/// Merges the files of all shards into `into`, in the order of the cells.
///
/// # Errors
/// `NothingToMerge`, `OtherPlan`, `Conflict`, `Missing`, `Io`, `Line`; nothing is written then.
pub fn merge(paths: &[PathBuf], plan: &Plan, into: &Path) -> Result<usize, SweepError> {
    if paths.is_empty() {
        return Err(SweepError::NothingToMerge);
    }
    let mut cells: BTreeMap<usize, Line> = BTreeMap::new();
    for path in paths {
        let text = std::fs::read_to_string(path).map_err(|source| SweepError::Io { path: path.clone(), source })?;
        for line in parse(path, &text)? {
            if line.plan != plan.hash() {
                return Err(SweepError::OtherPlan(path.clone()));
            }
            let (cell, known) = (line.number, cells.get(&line.number));
            if known.is_some_and(|known| *known != line) {
                return Err(SweepError::Conflict { cell, path: path.clone() });
            }
            cells.insert(cell, line);
        }
    }
    let missing: Vec<usize> = (0..plan.count()).filter(|cell| !cells.contains_key(cell)).collect();
    if let Some(first) = missing.first() {
        return Err(SweepError::Missing { missing: missing.len(), all: plan.count(), first: *first });
    }
    let text: String = cells.values().map(text_of).collect();
    whole::write(into, text.as_bytes()).map_err(|source| SweepError::Io { path: into.into(), source })?;
    Ok(cells.len())
}
