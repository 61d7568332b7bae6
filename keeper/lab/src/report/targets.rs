//! What was aimed at before anything was measured, beside what came: computed from the results, so that nobody copies a figure.
//!
//! # Source
//! DESIGN.md, "Metrics and targets"; docs/risk-results.md, "Against the targets".

mod attacks;
mod defence;
mod forecast;

use super::{Found, Table};
use crate::backtest::{Outcome, Report as Backtest};

/// One target.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// What is measured.
    pub measure: &'static str,
    /// What was aimed at.
    pub aimed: &'static str,
    /// What came, with its interval where there is one.
    pub came: String,
    /// The baseline of the same results.
    pub beside: String,
    /// Whether it was kept.
    pub is_kept: bool,
}

/// The results that targets are read from, of each kind the last that was given.
#[derive(Clone, Copy, Debug, Default)]
struct Given<'a> {
    evaluation: Option<&'a crate::evaluate::Results>,
    recorded: Option<&'a Backtest>,
    probe: Option<&'a crate::probe::Probe>,
    policy: Option<&'a crate::learn::Standings>,
    hedge: Option<&'a crate::hedge::Study>,
}

impl<'a> Given<'a> {
    fn of(found: &'a [Found]) -> Self {
        found.iter().fold(Self::default(), |given, found| match found {
            Found::Evaluation(results) => Self { evaluation: Some(results), ..given },
            Found::Backtest(report) if !report.is_generated => Self { recorded: Some(report), ..given },
            Found::Probe(probe) => Self { probe: Some(probe), ..given },
            Found::Policy(standings) => Self { policy: Some(standings), ..given },
            Found::Hedge(study) => Self { hedge: Some(study), ..given },
            _ => given,
        })
    }

    /// Names of the commands whose result wasn't given.
    fn missing(&self) -> Vec<&'static str> {
        let all = [
            ("evaluate", self.evaluation.is_none()),
            ("backtest", self.recorded.is_none()),
            ("probe", self.probe.is_none()),
            ("train policy", self.policy.is_none()),
            ("hedge", self.hedge.is_none()),
        ];
        all.into_iter().filter(|(_, is_missing)| *is_missing).map(|(name, _)| name).collect()
    }
}

/// Returns the targets that the results say something of.
pub fn targets(found: &[Found]) -> Vec<Target> {
    let given = Given::of(found);
    let mut all = Vec::new();
    all.extend(given.evaluation.into_iter().flat_map(forecast::targets));
    all.extend(given.probe.into_iter().flat_map(|probe| defence::breaker(&probe.breaker)));
    all.extend(given.recorded.into_iter().flat_map(defence::recorded));
    all.extend(given.policy.into_iter().flat_map(attacks::tails));
    all.extend(given.probe.into_iter().flat_map(attacks::probed));
    all.extend(given.hedge.into_iter().flat_map(defence::hedge));
    all
}

/// The verdict on a target that wasn't reached.
const MISSED: &str = "missed";
const HEAD: [&str; 5] = ["measure", "aimed at", "came", "beside it", "verdict"];

fn rows(targets: &[Target]) -> Vec<Vec<String>> {
    let verdict = |target: &Target| if target.is_kept { "kept" } else { MISSED };
    let row = |target: &Target| {
        let Target { measure, aimed, came, beside, .. } = target;
        vec![(*measure).into(), (*aimed).into(), came.clone(), beside.clone(), verdict(target).into()]
    };
    targets.iter().map(row).collect()
}

/// Returns the targets as a table; none where no result says anything of them.
pub fn table(found: &[Found]) -> Option<Table> {
    let rows = rows(&targets(found));
    (!rows.is_empty()).then(|| Table::new("Aimed at, and what came", &HEAD, rows))
}

/// Returns the table in Markdown, and which results it lacks.
pub fn markdown(found: &[Found]) -> String {
    let targets = targets(found);
    let kept = targets.iter().filter(|target| target.is_kept).count();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head = line(HEAD.map(str::to_owned).to_vec()) + &format!("|{}\n", " --- |".repeat(HEAD.len()));
    // what was missed stands out
    let stands_out = |cell: String| if cell == MISSED { format!("**{cell}**") } else { cell };
    let body: String = rows(&targets).into_iter().map(|row| line(row.into_iter().map(stands_out).collect())).collect();
    let missing = Given::of(found).missing();
    let lacks =
        if missing.is_empty() { String::new() } else { format!(" Not given: the result of {}.", missing.join(", ")) };
    format!("{kept} of {} kept. In brackets 95 %.{lacks}\n\n{head}{body}", targets.len())
}

/// Returns a policy's result of a backtest.
fn outcome<'a>(report: &'a Backtest, name: &str) -> Option<&'a Outcome> {
    report.outcomes.iter().find(|outcome| outcome.name.starts_with(name))
}

#[cfg(test)]
mod tests;
