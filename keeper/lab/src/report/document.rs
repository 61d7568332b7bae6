//! Sections of a document, between the lines that mark them: results as Markdown, and what was aimed at beside what came.

use super::{Found, ReportError, read, targets};
use crate::evaluate::{self, EvaluateError, replaced};
use crate::learn::standings;
use crate::{backtest, hedge, probe, refit, whole};
use std::path::{Path, PathBuf};

/// The lines that a section stands between.
type Marks = (&'static str, &'static str);

/// Where the table of targets stands.
pub const TARGETS: Marks = ("<!-- targets: written by `rampart lab report --docs FILE` -->", "<!-- /targets -->");

/// A result's marks, and its text; none of what a document has no section for.
fn section(found: &Found) -> Option<(Marks, String)> {
    Some(match found {
        Found::Evaluation(results) => ((evaluate::BEGIN, evaluate::END), evaluate::markdown(results)),
        Found::Backtest(report) => (backtest::marks(report), report.to_string()),
        Found::Hedge(study) => ((hedge::BEGIN, hedge::END), study.to_string()),
        Found::Probe(probe) => ((probe::BEGIN, probe::END), probe.to_string()),
        Found::Policy(standings) => ((standings::BEGIN, standings::END), standings.to_string()),
        Found::Refits(lines) => ((refit::BEGIN, refit::END), refit::table(lines)),
        Found::Verdict(_) | Found::Sweep(_) | Found::Story(_) => return None,
    })
}

/// Writes the sections of a document that the files are results for, and the table of targets from all of them. Returns the lines
/// that begin what was written.
///
/// # Errors
/// `Read`, `Unknown`; `Document` where the document can't be written or has no place for a section: it is as it was then.
pub fn document(path: &Path, files: &[PathBuf]) -> Result<Vec<&'static str>, ReportError> {
    let found: Vec<Found> = files.iter().map(|file| Ok(read(file)?.0)).collect::<Result<_, ReportError>>()?;
    let sections: Vec<(Marks, String)> =
        found.iter().filter_map(section).chain([(TARGETS, targets::markdown(&found))]).collect();
    let mut text = std::fs::read_to_string(path).map_err(|source| ReportError::Read { path: path.into(), source })?;
    for ((begin, end), section) in &sections {
        let none = || EvaluateError::NoSection { path: path.into(), begin, end };
        text = replaced(&text, (begin, end), section).ok_or_else(none)?;
    }
    whole::write(path, text.as_bytes()).map_err(|source| EvaluateError::Io { path: path.into(), source })?;
    Ok(sections.iter().map(|((begin, _), _)| *begin).collect())
}
