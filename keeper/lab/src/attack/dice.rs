//! Every random choice of a template: from the ranges of its side of the split, and written down.

use super::Split;
use crate::market::World;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use solana_sha256_hasher::hashv;

/// A closed range of a parameter.
pub(super) type Range = (f64, f64);

/// Draws a template's parameters.
pub struct Dice {
    /// Source of everything random in the scenario.
    pub rng: ChaCha8Rng,
    split: Split,
    drawn: Vec<(String, f64)>,
    prefix: String,
}

impl Dice {
    /// Starts the dice of template `name`: another name, split or seed gives unrelated draws.
    pub fn new(name: &str, split: Split, seed: u64) -> Self {
        let side = [matches!(split, Split::Test) as u8];
        let seed = hashv(&[name.as_bytes(), &side, &seed.to_le_bytes()]).to_bytes();
        Self { rng: ChaCha8Rng::from_seed(seed), split, drawn: Vec::new(), prefix: String::new() }
    }

    /// Draws `name` evenly from the range of this side of the split.
    pub(super) fn draw(&mut self, name: &str, train: Range, test: Range) -> f64 {
        let range = match self.split {
            Split::Train => train,
            Split::Test => test,
        };
        let value = self.rng.random_range(range.0..=range.1);
        self.note(name, value)
    }

    /// Draws `name` from the same range on both sides: a number that says nothing about how strong the attack is.
    pub(super) fn any(&mut self, name: &str, range: Range) -> f64 {
        self.draw(name, range, range)
    }

    /// Writes down a number that wasn't drawn, such as one of a real incident.
    pub(super) fn note(&mut self, name: &str, value: f64) -> f64 {
        self.drawn.push((format!("{}{name}", self.prefix), value));
        value
    }

    /// Draws the step in which the attack begins: after 50 to 60 hours, so that what learns from the past has two days of it.
    pub(super) fn onset(&mut self, world: &World) -> usize {
        let minutes = self.any("onset_minutes", (3_000.0, 3_600.0));
        world.steps_in(minutes)
    }

    /// Puts `prefix` before the names that are drawn from here on.
    pub(super) fn prefix(&mut self, prefix: &str) {
        self.prefix = prefix.to_owned();
    }

    /// Returns everything that was drawn.
    pub(super) fn into_drawn(self) -> Vec<(String, f64)> {
        self.drawn
    }
}
