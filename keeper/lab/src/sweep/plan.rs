//! What a sweep varies, and which part of it one machine plays.

use super::SweepError;
use crate::attack::Split;
use crate::validate::canonical_hash;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::str::FromStr;

/// Axes with their values; every combination is a cell. The first axis varies slowest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Which markets: the side of the split that results are of.
    pub split: Split,
    /// Recorded markets, by the name of their files.
    #[serde(default)]
    pub markets: Vec<String>,
    /// Templates of attacks.
    #[serde(default)]
    pub templates: Vec<String>,
    /// Play every template.
    #[serde(default)]
    pub all_templates: bool,
    /// Seed that templates are drawn with.
    #[serde(default = "first")]
    pub first_seed: u64,
    volumes: Vec<f64>,
    #[serde(default = "tenth")]
    market_share: Vec<f64>,
    #[serde(default = "unit")]
    impact: Vec<f64>,
    #[serde(default = "seconds")]
    latency_secs: Vec<u32>,
    ltv_bps: Vec<u16>,
    soft_quota_bps: Vec<u16>,
    drawdown_bps: Vec<u64>,
    #[serde(default = "hours")]
    window_secs: Vec<u32>,
    seeds: Vec<u64>,
}

fn first() -> u64 {
    1
}
fn tenth() -> Vec<f64> {
    vec![0.1]
}
fn unit() -> Vec<f64> {
    vec![1.0]
}
fn seconds() -> Vec<u32> {
    vec![5]
}
fn hours() -> Vec<u32> {
    vec![14_400]
}

/// One combination.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Debt that borrowers want, in median volumes of five minutes.
    pub volumes: f64,
    /// Share of the volume that liquidators can sell into.
    pub market_share: f64,
    /// Y of the square-root impact.
    pub impact: f64,
    /// From a proof to its effect, seconds.
    pub latency_secs: u32,
    /// LTV for new risk, bps.
    pub ltv_bps: u16,
    /// Soft deleveraging in an hour, bps of a debt; zero for none.
    pub soft_quota_bps: u16,
    /// Fall at which new debt stops, bps.
    pub drawdown_bps: u64,
    /// Window of that, seconds.
    pub window_secs: u32,
    /// Seed of the play.
    pub seed: u64,
}

/// The part `index` of `of` of all cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    of: usize,
}

impl Shard {
    /// Tells whether a cell belongs to the shard.
    pub fn holds(self, cell: usize) -> bool {
        cell % self.of == self.index
    }
}

impl FromStr for Shard {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Self, SweepError> {
        let parsed = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((index, of)) if index < of => Ok(Self { index, of }),
            _ => Err(SweepError::Shard(text.into())),
        }
    }
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// `Io`, `Plan`, `EmptyAxis`.
    pub fn load(path: &Path) -> Result<Self, SweepError> {
        let text = std::fs::read_to_string(path).map_err(|source| SweepError::Io { path: path.into(), source })?;
        Self::parse(path, &text)
    }

    /// Reads a plan from a text; `path` is what errors name.
    ///
    /// # Errors
    /// `Plan`, `EmptyAxis`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SweepError> {
        let plan: Self =
            toml::from_str(text).map_err(|source| SweepError::Plan { path: path.into(), source: Box::new(source) })?;
        match plan.sizes().into_iter().find(|(_, size)| *size == 0) {
            Some((axis, _)) => Err(SweepError::EmptyAxis { path: path.into(), axis }),
            None => Ok(plan),
        }
    }

    fn sizes(&self) -> [(&'static str, usize); 9] {
        [
            ("volumes", self.volumes.len()),
            ("market_share", self.market_share.len()),
            ("impact", self.impact.len()),
            ("latency_secs", self.latency_secs.len()),
            ("ltv_bps", self.ltv_bps.len()),
            ("soft_quota_bps", self.soft_quota_bps.len()),
            ("drawdown_bps", self.drawdown_bps.len()),
            ("window_secs", self.window_secs.len()),
            ("seeds", self.seeds.len()),
        ]
    }

    /// Returns how many cells there are.
    pub fn count(&self) -> usize {
        self.sizes().into_iter().map(|(_, size)| size).product()
    }

    /// Returns cell `number`, from zero.
    pub fn cell(&self, number: usize) -> Cell {
        let mut at = [0; 9];
        let mut rest = number;
        for (index, (_, size)) in at.iter_mut().zip(self.sizes()).rev() {
            (*index, rest) = (rest % size, rest / size);
        }
        Cell {
            volumes: self.volumes[at[0]],
            market_share: self.market_share[at[1]],
            impact: self.impact[at[2]],
            latency_secs: self.latency_secs[at[3]],
            ltv_bps: self.ltv_bps[at[4]],
            soft_quota_bps: self.soft_quota_bps[at[5]],
            drawdown_bps: self.drawdown_bps[at[6]],
            window_secs: self.window_secs[at[7]],
            seed: self.seeds[at[8]],
        }
    }

    /// Returns the SHA-256 of the plan: cells of another one are never mixed in.
    pub fn hash(&self) -> String {
        canonical_hash(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_hold_every_cell_once() {
        let shards: Vec<Shard> = (0..3).map(|i| format!("{i}/3").parse().unwrap()).collect();
        assert!((0..50).all(|cell| shards.iter().filter(|shard| shard.holds(cell)).count() == 1));
        for wrong in ["3/3", "1", "a/b", "-1/2", "0/0"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
