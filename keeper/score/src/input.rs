//! A number that a source gave, or that none did. Missing is a state of its own, and never a normal value.

use serde::{Deserialize, Serialize};

/// A known number, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// Known and finite.
    Known(f64),
    /// No source said it, or what it said isn't a number.
    #[default]
    Missing,
}

impl Input {
    /// Returns `value` as known if it is a finite number, as missing otherwise.
    pub fn of(value: f64) -> Self {
        if value.is_finite() { Self::Known(value) } else { Self::Missing }
    }

    /// Returns the number if it is known.
    pub fn known(self) -> Option<f64> {
        match self {
            Self::Known(value) if value.is_finite() => Some(value),
            _ => None,
        }
    }

    /// Applies `f` to a known number.
    pub fn map(self, f: impl FnOnce(f64) -> f64) -> Self {
        self.known().map_or(Self::Missing, |value| Self::of(f(value)))
    }

    /// Returns whether nothing is known.
    pub fn is_missing(self) -> bool {
        self.known().is_none()
    }
}

impl From<Option<f64>> for Input {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::of)
    }
}
