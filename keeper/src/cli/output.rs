//! The form of answers: text for people, or one JSON envelope for programs.

use super::show;
use crate::error::{self, KeeperError};
use serde::Serialize;
use serde_json::json;

/// Version of the envelope and of what every command puts into it. Fields may be added under the same version.
pub const SCHEMA: u32 = 1;

/// How answers are printed.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// As JSON.
    pub is_json: bool,
    /// Name of the command.
    pub command: &'static str,
}

impl Output {
    /// Prints an answer: `text` for people, `data` in an envelope for programs.
    ///
    /// # Errors
    /// `Chain` for data that is no JSON, which is a defect.
    pub fn print(self, data: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), KeeperError> {
        if !self.is_json {
            return show::text(&text());
        }
        let data = serde_json::to_value(data).map_err(|source| KeeperError::Chain {
            what: "write the answer as JSON".into(),
            source: Box::new(source),
        })?;
        show::text(&format!("{:#}\n", self.envelope("data", data)))
    }

    /// Prints an error in an envelope, where JSON is wanted; people read it on standard error.
    pub fn print_error(self, failure: &KeeperError) {
        if self.is_json {
            let detail = json!({
                "message": error::chain(failure),
                "hint": failure.hint(),
                "exit_code": failure.exit_code(),
            });
            // Nowhere left to tell it.
            let _ = show::text(&format!("{:#}\n", self.envelope("error", detail)));
        }
    }

    /// Returns an envelope on one line, for what comes one after the other.
    pub fn envelope_of(self, data: &impl Serialize) -> String {
        self.envelope("data", serde_json::to_value(data).unwrap_or_default()).to_string()
    }

    pub(super) fn envelope(self, name: &str, value: serde_json::Value) -> serde_json::Value {
        json!({ "schema": SCHEMA, "command": self.command, "version": env!("CARGO_PKG_VERSION"), name: value })
    }
}

/// Lays rows out in columns, the first row being their names.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

/// Says how long ago a moment was, both unix milliseconds.
pub fn ago(then_ms: u64, now_ms: u64) -> String {
    let secs = now_ms.saturating_sub(then_ms) / 1_000;
    match secs {
        0..120 => format!("{secs} s ago"),
        120..7_200 => format!("{} min ago", secs / 60),
        7_200..172_800 => format!("{} h ago", secs / 3_600),
        _ => format!("{} d ago", secs / 86_400),
    }
}
