//! The journal of refits: one line each, never changed, each naming the hash of the one before.

use super::{RefitError, Verdict};
use crate::data::sha256_hex;
use rampart_score::policy::Policy;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A policy by version and hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Version, rises with each promotion.
    pub version: u32,
    /// Hash of the policy, hexadecimal.
    pub hash: String,
}

impl Named {
    /// Names a policy.
    pub fn of(policy: &Policy) -> Self {
        Self { version: policy.card().version, hash: policy.hash().to_owned() }
    }
}

/// One refit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Monday of the refit: its data ends there, unix seconds.
    pub week_ts: i64,
    /// First second in shadow, unix seconds: the candidate learned from before.
    pub cut_ts: i64,
    /// Hash of the refit's settings.
    pub plan_sha256: String,
    /// Hash of what was learned from.
    pub data_sha256: String,
    /// Who wanted to reign.
    pub candidate: Named,
    /// Who reigned; nothing where the rules did.
    pub incumbent: Option<Named>,
    /// What the gate said.
    pub verdict: Verdict,
    /// Utility, constraints and gains by name.
    pub metrics: BTreeMap<String, f64>,
    /// Hash of the library afterwards; nothing while there is none.
    pub library_sha256: Option<String>,
    /// Hash of the line before, empty in the first.
    pub previous_sha256: String,
}

/// Where the section of a document begins and ends.
pub const BEGIN: &str = "<!-- refit: written by `rampart lab report --docs FILE` -->";
/// See [`BEGIN`].
pub const END: &str = "<!-- /refit -->";

/// Columns of the table: what it says, and the two numbers of a line.
const COLUMNS: [(&str, [&str; 2]); 5] = [
    ("gain in a week, 95 %", ["weeks.gain_over_incumbent.lower", "weeks.gain_over_incumbent.upper"]),
    ("gain of a block, weeks and attacks", ["gain_over_incumbent.lower", "gain_over_incumbent.upper"]),
    ("halted in the weeks, candidate and before", ["weeks.candidate.halted_bps", "weeks.incumbent.halted_bps"]),
    ("utility of an attack", ["attacks.candidate.utility", "attacks.incumbent.utility"]),
    ("worst twentieth of bad debt under attack", ["attacks.candidate.es95", "attacks.incumbent.es95"]),
];

/// Returns the journal's lines in Markdown, bps of the debt and of the time.
pub fn table(lines: &[Line]) -> String {
    let head = ["refit", "candidate", "against", "verdict"].into_iter().chain(COLUMNS.map(|(name, _)| name));
    let head: Vec<&str> = head.collect();
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), " --- |".repeat(head.len()));
    for line in lines {
        let of = |name: &str| line.metrics.get(name).map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
        let numbers: String =
            COLUMNS.iter().map(|(_, [one, other])| format!(" {} and {} |", of(one), of(other))).collect();
        let against =
            line.incumbent.as_ref().map_or_else(|| "the rules".into(), |named| format!("version {}", named.version));
        let (day, hash) = (crate::time::format_day(line.week_ts), line.candidate.hash.get(..12).unwrap_or_default());
        // a String takes any write
        let _ = writeln!(text, "| {day} | {hash} | {against} | {} |{numbers}", line.verdict);
    }
    text
}

/// The journal's file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    lines: Vec<Line>,
    last_sha256: String,
}

impl Journal {
    /// Opens the journal, or starts one. A last line that was cut off is dropped: its refit is done again.
    ///
    /// # Errors
    /// `Io`, `Journal`; the file is as it was then.
    pub fn open(path: &Path) -> Result<Self, RefitError> {
        let io = |source| RefitError::Io { path: path.into(), source };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(io(error)),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let (mut lines, mut last_sha256) = (Vec::new(), String::new());
        for (at, text) in text[..whole].lines().enumerate() {
            let fail = |why: String| RefitError::Journal { path: path.into(), line: at + 1, why };
            let line: Line = serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
            if line.previous_sha256 != last_sha256 {
                return Err(fail("it doesn't follow on the line before: restore the folder from a copy".into()));
            }
            last_sha256 = sha256_hex(text.as_bytes());
            lines.push(line);
        }
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
        file.set_len(whole as u64).map_err(io)?;
        Ok(Self { path: path.into(), file, lines, last_sha256 })
    }

    /// Returns all refits, oldest first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Returns the last refit.
    pub fn last(&self) -> Option<&Line> {
        self.lines.last()
    }

    /// Appends a refit, durably, and returns its line.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn append(&mut self, line: Line) -> Result<Line, RefitError> {
        let line = Line { previous_sha256: self.last_sha256.clone(), ..line };
        let text = serde_json::to_string(&line).unwrap_or_default();
        let written = self.file.write_all(format!("{text}\n").as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|source| RefitError::Io { path: self.path.clone(), source })?;
        self.last_sha256 = sha256_hex(text.as_bytes());
        self.lines.push(line.clone());
        Ok(line)
    }
}

#[cfg(test)]
impl Line {
    /// A line for tests.
    pub(super) fn sample() -> Self {
        Self {
            week_ts: 0,
            cut_ts: 0,
            plan_sha256: String::new(),
            data_sha256: String::new(),
            candidate: Named { version: 1, hash: "abc".into() },
            incumbent: None,
            verdict: Verdict::Unpaired,
            metrics: BTreeMap::from([("weeks.candidate.utility".into(), 0.1)]),
            library_sha256: None,
            previous_sha256: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journal_drops_a_torn_line_and_refuses_a_changed_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("refits.jsonl");
        let mut journal = Journal::open(&path).unwrap();
        (1..4).for_each(|week_ts| drop(journal.append(Line { week_ts, ..Line::sample() }).unwrap()));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(Journal::open(&path).unwrap().lines(), journal.lines());
        std::fs::write(&path, &text[..text.len() - 9]).unwrap();
        assert_eq!(Journal::open(&path).unwrap().lines(), &journal.lines()[..2]);
        let changed = text.replacen("\"week_ts\":2", "\"week_ts\":7", 1);
        std::fs::write(&path, &changed).unwrap();
        assert!(matches!(Journal::open(&path), Err(RefitError::Journal { line: 3, .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), changed, "the file is as it was");
    }
}
