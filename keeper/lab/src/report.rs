//! Results as one page: plots with their tables, in a file that needs nothing else, and the same as JSON.
//!
//! Owns what a report is made of (`Report`), what becomes of a result file (`section`, `plain`), what was aimed at beside what came
//! (`targets`), the plots (`plot`), the page (`page`) and the sections of a document (`document`). Plays nothing: it reads what
//! `backtest`, `validate`, `evaluate`, `sweep`, `attack run`, `hedge`, `probe`, `train policy` and `refit` wrote. No clock, so equal files
//! give an equal page.

mod document;
mod page;
mod plain;
mod plot;
mod read;
mod section;
mod targets;

pub use document::{TARGETS, document};
pub use read::{Found, read};
pub use targets::{Target, targets};

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Why a report isn't made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file can't be read.
    #[error("failed to read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is no result of the lab.
    #[error("{} is no result of backtest, validate, evaluate, sweep, attack run, hedge, probe, train policy or refit: {reason}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What it isn't.
        reason: String,
    },
    /// A document that can't be written, or has no place for a section.
    #[error(transparent)]
    Document(#[from] crate::evaluate::EvaluateError),
    /// A plot can't be drawn.
    #[error("failed to draw `{title}`: {reason}")]
    Plot {
        /// Its title.
        title: String,
        /// Why.
        reason: String,
    },
}

/// A report, before it is a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Its title.
    pub title: String,
    /// One section for each result file, in order; then what was aimed at, where a result says something of it.
    pub sections: Vec<Section>,
}

/// What one result says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// The kind of result, as the command that wrote it.
    pub kind: String,
    /// Name of the file; empty for what was computed from all.
    pub file: String,
    /// SHA-256 of the file; empty likewise.
    pub sha256: String,
    /// Paragraphs.
    pub notes: Vec<String>,
    /// Plots.
    pub figures: Vec<Figure>,
    /// Tables: all numbers of the plots, and the rest.
    pub tables: Vec<Table>,
}

/// A plot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it shows.
    pub title: String,
    /// The same in a sentence, with what stands out, for whoever doesn't see it.
    pub description: String,
    /// The numbers.
    pub plot: Plot,
}

/// The numbers of a plot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plot {
    /// Bars from left to right, one group for each label.
    Bars {
        /// What the axis counts.
        unit: String,
        /// Names of the groups.
        labels: Vec<String>,
        /// A bar in each group. Shape: as many values as labels.
        series: Vec<Series>,
    },
    /// A point with its interval for each label.
    Intervals {
        /// What the axis counts.
        unit: String,
        /// Names of the points.
        labels: Vec<String>,
        /// Value, low, high. Shape: as many as labels.
        values: Vec<[f64; 3]>,
    },
    /// Lines over a number.
    Lines {
        /// What the lower axis counts.
        x: String,
        /// What the left axis counts.
        y: String,
        /// Names with their points.
        lines: Vec<(String, Vec<[f64; 2]>)>,
    },
}

/// One value for each label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// The values.
    pub values: Vec<f64>,
}

/// A table. The first column names the row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What it lists.
    pub caption: String,
    /// Names of the columns.
    pub head: Vec<String>,
    /// Cells.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    fn new(caption: &str, head: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { caption: caption.into(), head: head.iter().map(|name| (*name).to_owned()).collect(), rows }
    }
}

/// Makes a report of result files.
///
/// # Errors
/// `Read`, `Unknown`.
pub fn report(title: &str, files: &[PathBuf]) -> Result<Report, ReportError> {
    let read = files.iter().map(|path| read(path)).collect::<Result<Vec<_>, ReportError>>()?;
    let of = |(found, name, sha256): &(Found, String, String)| Section {
        file: name.clone(),
        sha256: sha256.clone(),
        ..section::of(found)
    };
    let mut sections: Vec<Section> = read.iter().map(of).collect();
    let found: Vec<Found> = read.into_iter().map(|(found, ..)| found).collect();
    sections.extend(targets::table(&found).map(section::of_targets));
    Ok(Report { title: title.into(), sections })
}

impl Report {
    /// Returns the page: one file of HTML that loads nothing.
    ///
    /// # Errors
    /// `Plot`.
    pub fn html(&self) -> Result<String, ReportError> {
        page::html(self)
    }
}

#[cfg(test)]
mod tests;
