//! Decides anew what a recording holds, and prints it.

use super::ReplayArgs;
use super::output::Output;
use super::show;
use crate::capture::{Decided, Step, Summary, replay as run};
use crate::error::KeeperError;
use serde::Serialize;

#[derive(Serialize)]
struct Answer {
    summary: Summary,
    steps: Vec<StepView>,
}

#[derive(Serialize)]
struct StepView {
    slot: u64,
    unix_ts: i64,
    is_same: bool,
    recorded: Vec<Decided>,
    decided: Vec<Decided>,
}

/// Replays and prints the decisions, or with `--diff` only what differs.
pub(super) fn replay(args: &ReplayArgs, out: Output) -> Result<(), KeeperError> {
    let mut steps = Vec::new();
    let mut on_step = |step: &Step| {
        let is_shown = if args.diff { !step.is_same() } else { !step.decided.is_empty() };
        if is_shown && !out.is_json {
            // a reader that left early is no failure
            let _ = show::text(&lines(step, args.diff));
        } else if is_shown {
            let (slot, unix_ts, is_same) = (step.at.slot, step.at.unix_ts, step.is_same());
            let (recorded, decided) = (step.recorded.clone(), step.decided.clone());
            steps.push(StepView { slot, unix_ts, is_same, recorded, decided });
        }
    };
    let summary = run(&args.file, &mut on_step)?;
    out.print(&Answer { summary, steps }, || said(&summary))?;
    match summary.differing {
        0 => Ok(()),
        _ if !args.diff => Ok(()),
        differing => Err(KeeperError::ReplayDiffers { differing, decided: summary.decided }),
    }
}

fn lines(step: &Step, is_diff: bool) -> String {
    let line = |mark: &str, decided: &Decided| format!("{mark}slot {} {}\n", step.at.slot, decided.line());
    if !is_diff {
        return step.decided.iter().map(|decided| line("", decided)).collect();
    }
    let gone = step.recorded.iter().filter(|decided| !step.decided.contains(decided)).map(|d| line("- ", d));
    let new = step.decided.iter().filter(|decided| !step.recorded.contains(decided)).map(|d| line("+ ", d));
    let text: String = gone.chain(new).collect();
    // the same decisions in another order
    if text.is_empty() {
        format!("! slot {}: the order of {} decisions\n", step.at.slot, step.decided.len())
    } else {
        text
    }
}

fn said(summary: &Summary) -> String {
    let end = match (summary.lost, summary.is_torn) {
        (0, false) => String::new(),
        (0, true) => "; the recording ends in the middle, as after a crash".into(),
        (lost, _) => format!("; the recording lost {lost} frames there and can't be followed further"),
    };
    format!(
        "{} frames, {} moments, {} with decisions, {} differ from the recording{end}\n",
        summary.frames, summary.steps, summary.decided, summary.differing
    )
}
