//! Classes of action that an operator paused. Durable before they are in effect, and in effect after a restart.

use crate::config::Classes;
use crate::error::Cause;
use crate::whole;
use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Name of the file in the state directory.
pub const FILE: &str = "pauses.json";

/// Classes that are switched as one, as in the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Group {
    /// Raise breakers.
    Trip,
    /// Liquidate.
    Liquidate,
    /// Shrink positions early.
    Deleverage,
    /// Write price references, streaks and the prices when halts began.
    Observe,
    /// Report the risk score.
    Report,
    /// Lower levels whose rule is clear.
    StepDown,
    /// Keep the books honest.
    Settle,
    /// Move the reserve's basket.
    Rebalance,
    /// Bring signed updates of oracles on chain.
    Post,
}

impl Group {
    /// All of them, trips first.
    pub const ALL: [Self; 9] = [
        Self::Trip,
        Self::Liquidate,
        Self::Deleverage,
        Self::Observe,
        Self::Report,
        Self::StepDown,
        Self::Settle,
        Self::Rebalance,
        Self::Post,
    ];

    /// All but trips: what a pause without a class is about.
    pub const WITHOUT_TRIPS: &[Self] = Self::ALL.split_at(1).1;

    /// Returns the name used in settings, commands and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trip => "trip",
            Self::Liquidate => "liquidate",
            Self::Deleverage => "deleverage",
            Self::Observe => "observe",
            Self::Report => "report",
            Self::StepDown => "step_down",
            Self::Settle => "settle",
            Self::Rebalance => "rebalance",
            Self::Post => "post",
        }
    }
}

/// Why and since when a group is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pause {
    /// What the operator said.
    pub reason: String,
    /// Since when, unix seconds of the host.
    pub since_ts: i64,
}

/// What is paused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pauses(pub BTreeMap<Group, Pause>);

impl Pauses {
    /// Pauses a group; one that is paused keeps its beginning.
    pub fn add(&mut self, group: Group, reason: &str, since_ts: i64) {
        let pause = self.0.entry(group).or_insert_with(|| Pause { reason: String::new(), since_ts });
        pause.reason = reason.to_owned();
    }

    /// Resumes a group.
    pub fn remove(&mut self, group: Group) {
        self.0.remove(&group);
    }

    /// Returns whether a group is paused.
    pub fn holds(&self, group: Group) -> bool {
        self.0.contains_key(&group)
    }

    /// Switches off in `classes` what is paused.
    pub fn mask(&self, classes: Classes) -> Classes {
        let is_on = |is_set: bool, group| is_set && !self.holds(group);
        Classes {
            trip: is_on(classes.trip, Group::Trip),
            liquidate: is_on(classes.liquidate, Group::Liquidate),
            deleverage: is_on(classes.deleverage, Group::Deleverage),
            observe: is_on(classes.observe, Group::Observe),
            report: is_on(classes.report, Group::Report),
            step_down: is_on(classes.step_down, Group::StepDown),
            settle: is_on(classes.settle, Group::Settle),
            rebalance: is_on(classes.rebalance, Group::Rebalance),
            post: is_on(classes.post, Group::Post),
        }
    }
}

/// The pauses and the file that they are kept in.
pub(super) struct PauseFile {
    path: PathBuf,
    pauses: Pauses,
}

impl PauseFile {
    /// Reads the file; none means that nothing is paused. One that can't be read must not mean that.
    pub fn open(dir: &Path) -> Result<Self, Cause> {
        let path = dir.join(FILE);
        let failed =
            |what: String| Cause::from(format!("{what} `{}`; move it aside to resume everything", path.display()));
        let pauses = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(format!("{error} in")))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Pauses::default(),
            Err(error) => return Err(failed(format!("{error} at"))),
        };
        Ok(Self { path, pauses })
    }

    pub const fn pauses(&self) -> &Pauses {
        &self.pauses
    }

    /// Changes the pauses on the disk, then here.
    pub fn change(&mut self, change: impl FnOnce(&mut Pauses)) -> io::Result<Pauses> {
        let mut next = self.pauses.clone();
        change(&mut next);
        whole::replace(&self.path, &serde_json::to_vec_pretty(&next)?)?;
        self.pauses = next.clone();
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_outlive_a_restart_and_mask_their_classes_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut file = PauseFile::open(dir.path()).expect("no file yet");
        file.change(|pauses| pauses.add(Group::Liquidate, "market test", 5)).expect("a write");
        let mut again = PauseFile::open(dir.path()).expect("the file");
        let classes = again.pauses().mask(Classes::default());
        assert_eq!(classes, Classes { liquidate: false, ..Classes::default() });
        let left = again.change(|pauses| pauses.remove(Group::Liquidate)).expect("a write");
        assert_eq!(left, Pauses::default());
        assert_eq!(PauseFile::open(dir.path()).expect("the file").pauses(), &Pauses::default());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_an_empty_one() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join(FILE), "{\"liqui").expect("a file");
        let error = PauseFile::open(dir.path()).err().expect("a refusal").to_string();
        assert!(error.contains(FILE) && error.contains("move it aside"), "{error}");
    }
}
