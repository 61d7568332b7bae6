//! `cargo xtask test`: every check with its time, and what came of it. Programs and the app are built beside the tests.

mod setup;
mod steps;

use crate::failure::{Failure, Result};
use crate::{command, files};
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What a step ended with.
enum Verdict {
    /// Everything it looked at is right.
    Passed,
    /// It didn't look, and why.
    Skipped(String),
    /// What is wrong.
    Failed(String),
}

/// What the steps of one run share.
#[derive(Clone)]
struct Run {
    /// Whether the dependency check and the demo are left out.
    quick: bool,
    /// The program that the tests run on, when it isn't `artifacts/rampart.so`.
    program: Option<PathBuf>,
}

/// A check with a name.
type Step = (&'static str, fn(&mut Run) -> Result<Verdict>);

/// What a finished step left behind.
type Row = (&'static str, Duration, Verdict);

/// First, with what the tests are built from.
const BUILD: [Step; 5] = [
    ("tools", setup::tools),
    ("format", steps::format),
    ("lint", steps::lint),
    ("dependencies", steps::dependencies),
    ("cases", steps::cases),
];

/// Beside those: folders of their own, and long stretches on one core or at the network.
const BESIDE: [Step; 5] = [
    ("program", steps::program),
    ("fixtures", steps::fixtures),
    ("lowering", steps::lowering),
    ("app", steps::app),
    ("generated", steps::generated),
];

/// Last, on what both left.
const TRY: [Step; 5] = [
    ("tests", steps::tests),
    ("deploy", steps::deploy),
    ("browser", steps::browser),
    ("page", steps::page),
    ("demo", steps::demo),
];

/// Runs every check; a failed one doesn't keep the others from running.
///
/// # Errors
/// The names of the steps that failed.
pub fn run(quick: bool) -> Result<()> {
    let start = Instant::now();
    println!(
        "{} checks: on two processors some fifty minutes from nothing, twenty once everything is built",
        BUILD.len() + BESIDE.len() + TRY.len()
    );
    let mut run = Run { quick, program: None };
    let mut beside = run.clone();
    let (mut rows, others) = std::thread::scope(|scope| {
        let others = scope.spawn(|| BESIDE.iter().map(|step| perform_beside(step, &mut beside)).collect::<Vec<_>>());
        let rows: Vec<Row> = BUILD.iter().map(|step| perform(step, &mut run)).collect();
        (rows, others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    rows.extend(others);
    rows.extend(TRY.iter().map(|step| perform(step, &mut beside)));
    print!("\n{}", summary(&rows, start.elapsed()));
    let failed: Vec<_> = rows.iter().filter(|row| matches!(row.2, Verdict::Failed(_))).map(|row| row.0).collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure::new(format!("failed: {}", failed.join(", ")))) }
}

fn perform((name, step): &Step, run: &mut Run) -> Row {
    println!("\n=== {name}");
    let start = Instant::now();
    let verdict = step(run).unwrap_or_else(|failure| Verdict::Failed(failure.to_string()));
    let took = start.elapsed();
    let (word, reason) = words(&verdict);
    println!("=== {name}: {word} after {:.1} s {reason}", took.as_secs_f64());
    (name, took, verdict)
}

/// The same, with what other programs print kept in a file: only where the step fails it is shown.
fn perform_beside(step: &Step, run: &mut Run) -> Row {
    let log = files::root().join("target/checks").join(format!("{}.log", step.0));
    println!("=== {}: beside the others, into target/checks/{0}.log", step.0);
    let row = match command::write_to(&log) {
        Ok(()) => perform(step, run),
        Err(failure) => (step.0, Duration::ZERO, Verdict::Failed(failure.to_string())),
    };
    if matches!(row.2, Verdict::Failed(_)) {
        print!("{}", files::read_text(&log).unwrap_or_default());
    }
    row
}

/// Returns the steps as a table.
fn summary(rows: &[Row], total: Duration) -> String {
    let mut table = String::new();
    for (name, took, verdict) in rows {
        let (word, reason) = words(verdict);
        let reason = reason.lines().next().unwrap_or_default();
        let _ = writeln!(table, "{name:<14}{word:<9}{:>8.1} s  {reason}", took.as_secs_f64());
    }
    let _ = writeln!(table, "{:<14}{:<9}{:>8.1} s", "total", "", total.as_secs_f64());
    table
}

fn words(verdict: &Verdict) -> (&'static str, &str) {
    match verdict {
        Verdict::Passed => ("passed", ""),
        Verdict::Skipped(reason) => ("skipped", reason),
        Verdict::Failed(reason) => ("FAILED", reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_names_every_step_and_its_reason() {
        let rows = [
            ("format", Duration::from_millis(1500), Verdict::Passed),
            ("program", Duration::ZERO, Verdict::Skipped("rustc is missing\nhint: install it".into())),
        ];
        let table = summary(&rows, Duration::from_millis(1500));
        assert!(table.contains("format        passed        1.5 s"), "{table}");
        assert!(table.contains("skipped       0.0 s  rustc is missing\n"), "{table}");
        assert!(table.ends_with("1.5 s\n"), "{table}");
    }

    #[test]
    fn failed_step_keeps_its_reason() {
        let mut run = Run { quick: true, program: None };
        let row = perform(&("broken", |_| Err(Failure::new("two differ"))), &mut run);
        assert!(matches!(row.2, Verdict::Failed(reason) if reason == "two differ"));
    }
}
