//! What an evaluated rule comes to.

use crate::error::RampartError;

/// The verdict of a rule on the data at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// At the threshold or beyond it.
    True {
        /// What was measured, in the metric's unit.
        value: u64,
    },
    /// Short of the threshold but not yet clear.
    Between {
        /// What was measured, in the metric's unit.
        value: u64,
    },
    /// At the clear threshold or on its safe side.
    Clear {
        /// What was measured, in the metric's unit.
        value: u64,
    },
    /// The data is missing, stale or disputed; with the reason.
    Indeterminate(Unknown),
}

/// Why something could not be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Too few sources are valid, fresh and confident.
    Price,
    /// Sources disagree.
    Disagreement,
    /// The window memory covers too little of the span.
    Coverage,
    /// The reference is cold or too old.
    Reference,
    /// There is nothing to measure, such as a ratio to no debt.
    Nothing,
    /// Too few keepers' reports are fresh, or they come from too few sources.
    Quorum,
    /// Keepers differ by more than their set allows.
    Spread,
}

impl From<RampartError> for Unknown {
    fn from(error: RampartError) -> Self {
        match error {
            RampartError::PriceDisagreement => Self::Disagreement,
            _ => Self::Price,
        }
    }
}

impl Verdict {
    /// Returns what was measured, where something was.
    pub fn value(self) -> Option<u64> {
        match self {
            Self::True { value } | Self::Between { value } | Self::Clear { value } => Some(value),
            Self::Indeterminate(_) => None,
        }
    }
}
