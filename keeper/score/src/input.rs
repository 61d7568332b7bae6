//! A number that a source gave, or that none did. Missing is a state of its own, and never a normal value; that there is
//! nothing to ask about is another.

use serde::{Deserialize, Serialize};

/// A known number, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// Known and finite.
    Known(f64),
    /// No source said it, or what it said isn't a number.
    #[default]
    Missing,
    /// There is nothing that it could be about: as the size of an exit from an asset that no vault takes. Of what isn't
    /// there nothing can go wrong.
    NotApplicable,
}

impl Input {
    /// Returns `value` as known if it is a finite number, as missing otherwise.
    pub fn of(value: f64) -> Self {
        if value.is_finite() { Self::Known(value) } else { Self::Missing }
    }

    /// Returns the number if there is one that is known.
    pub fn known(self) -> Option<f64> {
        match self {
            Self::Known(value) if value.is_finite() => Some(value),
            _ => None,
        }
    }

    /// Applies `f` to a known number.
    pub fn map(self, f: impl FnOnce(f64) -> f64) -> Self {
        if !self.is_applicable() {
            return self;
        }
        self.known().map_or(Self::Missing, |value| Self::of(f(value)))
    }

    /// Returns whether nothing is known of something that is there.
    pub fn is_missing(self) -> bool {
        self.is_applicable() && self.known().is_none()
    }

    /// Returns whether there is something that it could be about.
    pub fn is_applicable(self) -> bool {
        self != Self::NotApplicable
    }
}

impl From<Option<f64>> for Input {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::of)
    }
}
