//! Counts of what was tried and what became of it, and whether every instruction landed often enough to show anything.

use crate::sequences::action::Kind;
use crate::sequences::run::Became;
use std::collections::BTreeMap;
use std::path::Path;

/// What became of the steps of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// Landed.
    pub landed: u64,
    /// Refused.
    pub refused: u64,
    /// There was nothing to try it on.
    pub nothing: u64,
}

/// Counts over many sequences.
#[derive(Debug, Default)]
pub struct Tally {
    /// Sequences.
    pub sequences: u64,
    counts: BTreeMap<Kind, Count>,
    refusals: BTreeMap<(Kind, String), u64>,
}

impl Tally {
    /// Counts one step.
    pub fn note(&mut self, kind: Kind, became: Became) {
        let count = self.counts.entry(kind).or_default();
        match became {
            Became::Landed => count.landed += 1,
            Became::Nothing => count.nothing += 1,
            Became::Refused(error) => {
                count.refused += 1;
                *self.refusals.entry((kind, error)).or_default() += 1;
            }
        }
    }

    /// Writes a line per kind (its name, whether it is an instruction, landed, refused, nothing to try it on), and per refusal.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut text = format!("sequences\t{}\n", self.sequences);
        for kind in Kind::ALL {
            let c = self.counts.get(kind).copied().unwrap_or_default();
            let what = if kind.is_instruction() { "instruction" } else { "around" };
            text += &format!("{}\t{what}\t{}\t{}\t{}\n", kind.name(), c.landed, c.refused, c.nothing);
        }
        for ((kind, error), count) in &self.refusals {
            text += &format!("{}\trefusal\t{error}\t{count}\n", kind.name());
        }
        std::fs::create_dir_all(path.parent().expect("a folder"))?;
        std::fs::write(path, text)
    }

    /// Returns the kinds that landed less than `least` times.
    pub fn rare(&self, least: u64) -> Vec<String> {
        let landed = |kind: &Kind| self.counts.get(kind).map_or(0, |c| c.landed);
        let rare = Kind::ALL.iter().filter(|kind| landed(kind) < least);
        rare.map(|kind| format!("{} landed {} times", kind.name(), landed(kind))).collect()
    }
}
