//! How much of the positions requests verified lately, kept up as they change: a million of them are never walked for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How many positions a request verified at which moment; a request verifies many at one. Those that none did come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<Option<Instant>, usize>);

impl Coverage {
    /// One position more, verified at `at`.
    pub fn add(&mut self, at: Option<Instant>) {
        *self.0.entry(at).or_default() += 1;
    }

    /// One position less of those that were verified at `at`.
    pub fn remove(&mut self, at: Option<Instant>) {
        if let Some(count) = self.0.get_mut(&at) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&at);
            }
        }
    }

    /// Returns the share that was verified within `max_age` of `now`, and the age of the oldest verification. Without positions
    /// all of them are.
    pub fn of(&self, now: Instant, max_age: Duration) -> (f64, Duration) {
        let age = |at: &Option<Instant>| at.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        let Some((first, _)) = self.0.first_key_value() else { return (1.0, Duration::ZERO) };
        let all: usize = self.0.values().sum();
        let verified: usize = self.0.iter().filter(|(at, _)| age(at) <= max_age).map(|(_, count)| count).sum();
        (verified as f64 / all as f64, age(first))
    }
}
