//! Targets of the crash model and of the value at risk.

use super::Target;
use crate::evaluate::{Coverage, METHODS, Results, TaskMetrics, decimal};
use crate::train::MAJORS;

/// The forecaster that ships, and the baseline beside it.
const OURS: &str = "logistic";
const BASELINE: &str = "EWMA volatility";
/// The task that the targets are of.
const MAIN: &str = "24 h, 10 %";
/// A test rejects below it.
const LEVEL: f64 = 0.05;

pub(super) fn targets(results: &Results) -> Vec<Target> {
    let of = |model: &str| results.metrics.iter().find(|row| row.model == model && row.task == MAIN);
    let tasks: Vec<&TaskMetrics> = results.metrics.iter().filter(|row| row.model == OURS).collect();
    let mut all = Vec::new();
    if let (Some(ours), Some(other)) = (of(OURS), of(BASELINE)) {
        all.extend(ranking(ours, other));
    }
    all.extend(calibration(&tasks, of(BASELINE)));
    all.extend(coverage(&results.coverage));
    all
}

fn ranking(ours: &TaskMetrics, other: &TaskMetrics) -> [Target; 2] {
    let beside = |text: String| format!("{BASELINE}: {text}");
    [
        Target {
            measure: "AUC of a fall of 10 % in 24 h, all / calm",
            aimed: "0.80 / 0.78",
            came: format!("{} / {}", decimal(&ours.auc), decimal(&ours.auc_calm)),
            beside: beside(format!("{:.3} / {:.3}", other.auc.value, other.auc_calm.value)),
            is_kept: ours.auc.value >= 0.80 && ours.auc_calm.value >= 0.78,
        },
        Target {
            measure: "Brier skill of the same",
            aimed: "0.09",
            came: decimal(&ours.brier_skill),
            beside: beside(format!("{:.3}", other.brier_skill.value)),
            is_kept: ours.brier_skill.value >= 0.09,
        },
    ]
}

fn calibration(tasks: &[&TaskMetrics], other: Option<&TaskMetrics>) -> Option<Target> {
    let most = |of: fn(&TaskMetrics) -> f64| tasks.iter().map(|row| of(row)).fold(f64::NEG_INFINITY, f64::max);
    let least = |of: fn(&TaskMetrics) -> f64| tasks.iter().map(|row| of(row)).fold(f64::INFINITY, f64::min);
    let error = [least(|row| row.calibration_error.value), most(|row| row.calibration_error.value)];
    let slope = [least(|row| row.calibration_slope.value), most(|row| row.calibration_slope.value)];
    let beside = |row: &TaskMetrics| {
        let (error, slope) = (100.0 * row.calibration_error.value, row.calibration_slope.value);
        format!("{BASELINE}, {MAIN}: {error:.1} %; {slope:.2}")
    };
    (!tasks.is_empty()).then(|| Target {
        measure: "calibration error; slope, all tasks",
        aimed: "at most 1.5 %; 0.8 to 1.25",
        came: format!("{:.1} to {:.1} %; {:.2} to {:.2}", 100.0 * error[0], 100.0 * error[1], slope[0], slope[1]),
        beside: other.map_or_else(|| "-".into(), beside),
        is_kept: error[1] <= 0.015 && slope[0] >= 0.8 && slope[1] <= 1.25,
    })
}

/// The value at risk of the engine's volatility with a tail of the market's own, beside that of a day's volatility alone.
fn coverage(rows: &[Coverage]) -> Vec<Target> {
    let of = |method: &str| -> Vec<&Coverage> {
        rows.iter().filter(|row| row.method == method && MAJORS.contains(&&*row.symbol)).collect()
    };
    let (ours, other) = (of(METHODS[3]), of(METHODS[1]));
    if ours.is_empty() {
        return Vec::new();
    }
    let lowest = |rows: &[&Coverage], of: fn(&Coverage) -> f64| rows.iter().map(|row| of(row)).fold(1.0, f64::min);
    let rejected = |rows: &[&Coverage], of: fn(&Coverage) -> f64| rows.iter().filter(|row| of(row) < LEVEL).count();
    let test = |measure, of: fn(&Coverage) -> f64| Target {
        measure,
        aimed: "above 0.05 in all markets",
        came: format!("{:.2} at the least, {} of {} rejected", lowest(&ours, of), rejected(&ours, of), ours.len()),
        beside: format!("{}: {} of {} rejected", METHODS[1], rejected(&other, of), other.len()),
        is_kept: rejected(&ours, of) == 0,
    };
    let clusters = |rows: &[&Coverage]| {
        let at_99 = rows.iter().filter(|row| row.level == 0.01).filter_map(|row| row.hit_after_hit);
        100.0 * at_99.fold(0.0, f64::max)
    };
    vec![
        test("value at risk of an hour, 99 and 99.9 %: Kupiec's p", |row| row.kupiec),
        test("the same: Christoffersen's p of independence", |row| row.independence),
        test("the same: p of both together", |row| row.conditional),
        Target {
            measure: "the same: a hit follows a hit at 99 %, worst market",
            aimed: "at most 2.5 %",
            came: format!("{:.1} %", clusters(&ours)),
            beside: format!("{}: {:.1} %", METHODS[1], clusters(&other)),
            is_kept: clusters(&ours) <= 2.5,
        },
    ]
}
