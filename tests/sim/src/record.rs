//! What happened, in order: counted, hashed, and printed where somebody asked for it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The record of one simulation.
#[derive(Default)]
pub struct Record {
    /// Now: slot, and milliseconds since the start.
    pub now: (u64, u64),
    /// Whether lines are printed.
    pub is_shown: bool,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// What became of transactions, by class and result.
    pub actions: BTreeMap<(&'static str, &'static str), u64>,
    /// Slots from the moment at which an action was due until it had landed, by class.
    pub reactions: BTreeMap<&'static str, Vec<u64>>,
    /// What must never happen, and did.
    pub violations: Vec<String>,
    /// Lines so far.
    pub lines: u64,
    hasher: DefaultHasher,
}

impl Record {
    /// Notes a line.
    pub fn line(&mut self, text: &str) {
        let (slot, ms) = self.now;
        self.lines += 1;
        (slot, ms, text).hash(&mut self.hasher);
        if self.is_shown {
            println!("{slot:>7} {:>9.3}  {text}", ms as f64 / 1_000.0);
        }
    }

    /// Notes a fault.
    pub fn fault(&mut self, kind: &'static str, text: &str) {
        *self.faults.entry(kind).or_default() += 1;
        self.line(&format!("FAULT {kind} {text}"));
    }

    /// Notes what must never happen.
    pub fn violation(&mut self, text: String) {
        self.line(&format!("VIOLATION {text}"));
        self.violations.push(format!("slot {}: {text}", self.now.0));
    }

    /// Returns a number that two equal records share.
    pub fn digest(&self) -> u64 {
        self.hasher.finish()
    }
}
