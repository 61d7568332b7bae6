//! `rampart lab report`: results as one page.

use super::{LabError, Printer, write, write_json};
use crate::report::{Report, document, report};
use clap::Args;
use std::path::PathBuf;

/// What to report, and where to.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// Files that `backtest`, `validate`, `sweep`, `merge`, `attack run`, `hedge`, `probe`, `train policy --results`, `refit`
    /// (`refits.jsonl`) or `evaluate` (`results.json`) wrote
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Where to write the page: one file of HTML that loads nothing
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Where to write the same as JSON
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Document whose sections on these results, and on what was aimed at, are written anew
    #[arg(long, value_name = "FILE")]
    docs: Option<PathBuf>,
    /// Title of the page
    #[arg(long, default_value = "Rampart lab")]
    title: String,
}

/// Runs the command.
pub fn run(args: &ReportArgs, out: Printer) -> Result<(), LabError> {
    let found = report(&args.title, &args.files)?;
    if let Some(path) = &args.html {
        write(path, &found.html()?)?;
    }
    write_json(args.out.as_deref(), &found)?;
    if let Some(docs) = &args.docs {
        document(docs, &args.files)?;
    }
    out.answer(&found, lines(&found));
    Ok(())
}

/// One line for each result, and what it says of itself.
fn lines(report: &Report) -> String {
    let of = |section: &crate::report::Section| {
        let (figures, tables) = (section.figures.len(), section.tables.len());
        let head = format!("{} ({}, {}): {figures} plots, {tables} tables", section.title, section.kind, section.file);
        std::iter::once(head).chain(section.notes.iter().map(|note| format!("  {note}"))).collect::<Vec<_>>().join("\n")
    };
    report.sections.iter().map(of).collect::<Vec<_>>().join("\n")
}
