//! How a command answers: text for people, one JSON value for programs.

use serde::Serialize;
use serde_json::Value;
use std::fmt::Display;
use std::io::Write;

/// Prints what a command finds.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    wrap: Option<fn(Value) -> Value>,
}

impl Printer {
    /// Returns one for people.
    pub fn text() -> Self {
        Self { wrap: None }
    }

    /// Returns one for programs: the answer alone is printed, as `wrap` makes it.
    pub fn json(wrap: fn(Value) -> Value) -> Self {
        Self { wrap: Some(wrap) }
    }

    /// Prints a line on the way to the answer; for programs on standard error.
    pub fn line(self, text: impl Display) {
        match self.wrap {
            None => write(std::io::stdout(), &text),
            Some(_) => write(std::io::stderr(), &text),
        }
    }

    /// Prints the answer: `text` for people, `data` for programs.
    pub fn answer(self, data: &impl Serialize, text: impl Display) {
        match self.wrap {
            None => write(std::io::stdout(), &text),
            Some(wrap) => {
                write(std::io::stdout(), &format_args!("{:#}", wrap(serde_json::to_value(data).unwrap_or_default())));
            }
        }
    }
}

/// A reader that left early is no failure.
fn write(mut to: impl Write, text: &dyn Display) {
    let _ = writeln!(to, "{text}").and_then(|()| to.flush());
}
