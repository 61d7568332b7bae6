//! Keepers that are wrong on purpose: what finds faults is shown to find them.

use clap::ValueEnum;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mutation {
    /// It believes that a transaction that it can't find at once can never land, and signs anew.
    GivesUpEarly,
    /// Its journal is gone after a crash.
    ForgetsJournal,
    /// It notices no silence and asks for nothing again: what it was not told, it doesn't know.
    IgnoresGaps,
}

impl Mutation {
    /// Returns the name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GivesUpEarly => "gives-up-early",
            Self::ForgetsJournal => "forgets-journal",
            Self::IgnoresGaps => "ignores-gaps",
        }
    }
}
