//! Grids of assumptions and parameters, cell by cell: interrupted, resumed, split over machines and merged, always the same file.
//!
//! Owns the plan (`plan`), the file of finished cells (`journal`) and the merge. One cell is one line of JSON, written when it is
//! finished; a cell depends on its plan and its number alone.

mod journal;
mod plan;

pub use journal::{Journal, Line, merge};
pub use plan::{Cell, Plan, Shard};

use crate::attack::{Scenario, generate, suite, template};
use crate::backtest::{Market, RecordedSettings, measure, scenarios};
use crate::cli::span;
use crate::data::{DataError, load};
use crate::policy::Fixed;
use crate::pool::settings::drawdown_rule;
use crate::pool::{GuardConfig, Settings};
use rampart::state::Level;
use std::path::{Path, PathBuf};

/// Why a sweep stops.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A file can't be read or written.
    #[error("failed to use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A plan that isn't one.
    #[error("{}: {source}", path.display())]
    Plan {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// A plan with an axis without values.
    #[error("{}: `{axis}` has no values: give it one at least", path.display())]
    EmptyAxis {
        /// The file.
        path: PathBuf,
        /// The axis.
        axis: &'static str,
    },
    /// A shard that isn't `I/N` with I below N.
    #[error("`{0}` is no shard: write I/N, from 0/N to N-1/N")]
    Shard(String),
    /// A finished line that isn't one.
    #[error("{} line {line}: {source}: remove the line to play its cell again", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// Lines of another plan.
    #[error("{} was written for another plan: name another file, or merge files of one plan", .0.display())]
    OtherPlan(PathBuf),
    /// Two results of one cell.
    #[error("cell {cell} has two results: {} differs from a file before it", path.display())]
    Conflict {
        /// The cell.
        cell: usize,
        /// The second file.
        path: PathBuf,
    },
    /// Cells that no file has.
    #[error("{missing} of {all} cells are missing, the first is {first}: run their shards first")]
    Missing {
        /// How many.
        missing: usize,
        /// Of how many.
        all: usize,
        /// The first one.
        first: usize,
    },
    /// No files to merge.
    #[error("nothing to merge: name files of finished cells")]
    NothingToMerge,
    /// A recorded market is refused.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A template is refused.
    #[error(transparent)]
    Attack(#[from] crate::attack::AttackError),
}

/// Plays every cell of `shard` that `journal` doesn't hold yet, and appends it. Returns how many were played.
///
/// # Errors
/// What the markets or the file are refused for.
pub fn run(
    plan: &Plan,
    shard: Shard,
    journal: &mut Journal,
    data: Option<&Path>,
    mut progress: impl FnMut(usize, usize) -> bool,
) -> Result<usize, SweepError> {
    let found = markets(plan, data)?;
    let due: Vec<usize> = (0..plan.count()).filter(|cell| shard.holds(*cell) && !journal.holds(*cell)).collect();
    for (at, number) in due.iter().enumerate() {
        if !progress(at, due.len()) {
            return Ok(at);
        }
        let cell = plan.cell(*number);
        let metrics = measure(&contender(&cell), &pools(&found, &cell), cell.seed);
        journal.append(&Line { plan: plan.hash(), number: *number, cell, metrics })?;
    }
    Ok(due.len())
}

fn markets(plan: &Plan, data: Option<&Path>) -> Result<Vec<Scenario>, SweepError> {
    let mut found = Vec::new();
    for name in &plan.templates {
        found.push(generate(&template(name)?, plan.split, plan.first_seed)?);
    }
    if plan.all_templates {
        found.extend(suite(plan.split, plan.first_seed, 1));
    }
    if let Some(dir) = data {
        let (from_ts, to_ts) = span(plan.split);
        for name in &plan.markets {
            let series = load(&dir.join(format!("{name}.csv.gz")))?;
            found.extend(scenarios(&series, from_ts, to_ts, plan.split, &RecordedSettings::default()));
        }
    }
    Ok(found)
}

fn pools(found: &[Scenario], cell: &Cell) -> Vec<Market> {
    let settings = Settings {
        market_share: cell.market_share,
        impact: cell.impact,
        latency_secs: cell.latency_secs,
        ..Settings::default()
    };
    found.iter().map(|scenario| Market::new(scenario.clone(), settings, cell.volumes)).collect()
}

fn contender(cell: &Cell) -> Fixed {
    let rule = drawdown_rule(cell.drawdown_bps, cell.window_secs, Level::ReduceOnly);
    let guard = GuardConfig::unguarded().with_ltv(cell.ltv_bps).with_rule(rule);
    let guard = if cell.soft_quota_bps > 0 { guard.with_soft(7_600, cell.soft_quota_bps) } else { guard };
    Fixed { name: "cell".into(), guard }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"
        split = "train"
        templates = ["flash-crash"]
        volumes = [300.0, 3_000.0]
        ltv_bps = [7_500]
        soft_quota_bps = [0, 1_000]
        drawdown_bps = [800]
        seeds = [1]
    "#;

    fn plan() -> Plan {
        Plan::parse(Path::new("plan.toml"), PLAN).unwrap()
    }

    fn play(path: &Path, shard: &str, cells: usize) -> usize {
        let mut journal = Journal::open(path, &plan()).unwrap();
        run(&plan(), shard.parse().unwrap(), &mut journal, None, |at, _| at < cells).unwrap()
    }

    #[test]
    fn run_that_was_interrupted_and_resumed_equals_one_that_ran_through() {
        let dir = tempfile::tempdir().unwrap();
        let (whole, cut) = (dir.path().join("whole.jsonl"), dir.path().join("cut.jsonl"));
        assert_eq!(play(&whole, "0/1", 99), 4);
        assert_eq!(play(&cut, "0/1", 2), 2);
        // killed in the middle of a line
        let mut text = std::fs::read_to_string(&cut).unwrap();
        text.truncate(text.len() - 40);
        std::fs::write(&cut, text).unwrap();
        assert_eq!(play(&cut, "0/1", 99), 3);
        assert_eq!(std::fs::read_to_string(&cut).unwrap(), std::fs::read_to_string(&whole).unwrap());
        assert_eq!(play(&cut, "0/1", 99), 0);
    }

    #[test]
    fn shards_merge_into_the_file_of_one_machine() {
        let dir = tempfile::tempdir().unwrap();
        let name = |name: &str| dir.path().join(name);
        play(&name("whole"), "0/1", 99);
        assert_eq!(play(&name("a"), "0/3", 99), 2);
        let early = merge(&[name("a")], &plan(), &name("merged")).unwrap_err();
        assert_eq!(early.to_string(), "2 of 4 cells are missing, the first is 1: run their shards first");
        assert_eq!((play(&name("b"), "1/3", 99), play(&name("c"), "2/3", 99)), (1, 1));
        merge(&[name("c"), name("a"), name("b")], &plan(), &name("merged")).unwrap();
        assert_eq!(std::fs::read(name("merged")).unwrap(), std::fs::read(name("whole")).unwrap());
    }

    #[test]
    fn file_of_another_plan_is_refused_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cells.jsonl");
        play(&path, "0/1", 1);
        let before = std::fs::read(&path).unwrap();
        let other = Plan::parse(Path::new("plan.toml"), &PLAN.replace("[7_500]", "[7_000]")).unwrap();
        assert!(matches!(Journal::open(&path, &other), Err(SweepError::OtherPlan(at)) if at == path));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn more_debt_for_the_same_depth_is_never_safer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cells.jsonl");
        play(&path, "0/1", 99);
        let journal = Journal::open(&path, &plan()).unwrap();
        let lost = |volumes: f64| {
            let found =
                journal.lines().iter().find(|line| line.cell.volumes == volumes && line.cell.soft_quota_bps == 0);
            found.unwrap().metrics.bad_debt_bps_year
        };
        assert!(lost(3_000.0) >= lost(300.0));
    }
}
