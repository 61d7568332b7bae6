//! The tables as text, and the section of the document that holds them.

use super::coverage::{Coverage, LEVELS, METHODS};
use super::results::{Metrics, Results};
use super::{EvaluateError, Interval};
use crate::train::MAJORS;
use crate::whole;
use std::fmt::Write;
use std::path::Path;

/// The line that opens the section.
pub const BEGIN: &str = "<!-- models: written by `rampart lab evaluate --docs FILE` -->";
/// The line that closes the section.
pub const END: &str = "<!-- /models -->";

/// Returns the tables in Markdown.
pub fn markdown(results: &Results) -> String {
    let mut text = String::new();
    head(&mut text, results);
    metrics(&mut text, results);
    differences(&mut text, results);
    parts(&mut text, results);
    events(&mut text, results);
    coverage(&mut text, results);
    leaks(&mut text, results);
    text
}

/// Replaces the section between [`BEGIN`] and [`END`] of a document.
///
/// # Errors
/// `Io`; `NoSection` unless the document has both lines in this order.
pub fn write_section(path: &Path, section: &str) -> Result<(), EvaluateError> {
    write_between(path, (BEGIN, END), section)
}

/// Replaces what a document has between two lines.
///
/// # Errors
/// As [`write_section`].
pub fn write_between(
    path: &Path,
    (begin, end): (&'static str, &'static str),
    section: &str,
) -> Result<(), EvaluateError> {
    let fail = |source| EvaluateError::Io { path: path.into(), source };
    let text = std::fs::read_to_string(path).map_err(fail)?;
    let text = replaced(&text, (begin, end), section);
    let text = text.ok_or_else(|| EvaluateError::NoSection { path: path.into(), begin, end })?;
    whole::write(path, text.as_bytes()).map_err(fail)
}

/// Returns a text with `section` between two of its lines; none unless it has both in this order.
pub fn replaced(text: &str, (begin, end): (&str, &str), section: &str) -> Option<String> {
    let (before, rest) = text.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n{section}{end}{after}"))
}

/// Writing to a `String` can't fail.
macro_rules! put {
    ($text:expr, $($arg:tt)*) => { let _ = writeln!($text, $($arg)*); };
}

fn head(text: &mut String, results: &Results) {
    let [from, to] = &results.test;
    put!(
        text,
        "Test {from} to {to} by calendar quarter, each forecast by models refitted on all that came before it, less the \
         horizon and {} days at each border. One row of each asset is trained on in {} h; the last {} days before a test only \
         calibrate. Intervals are 95 % over {} resamples of {} whole weeks, all assets together. Settings were fixed \
         beforehand; `--tune` compares others on data until 2022-09-30 alone. The log of tries holds {} configurations in {} \
         lines. Data `{}`, feature schema `{}`.\n",
        results.config.purge_days,
        results.config.thin,
        results.config.calibration_days,
        results.resamples[0],
        results.resamples[1],
        results.tries.0,
        results.tries.1,
        &results.data_sha256[..16],
        &results.feature_schema_sha256[..16]
    );
}

fn metrics(text: &mut String, results: &Results) {
    put!(text, "| task (rows, base) | model | AUC | AUC calm | AP | Brier skill | ECE | slope | AUC by year |");
    put!(text, "|---|---|---|---|---|---|---|---|---|");
    for row in &results.metrics {
        put!(
            text,
            "| {} ({}, {:.1} %) | {} | {} | {} | {} | {} | {} | {} | {} |",
            row.task,
            row.rows,
            100.0 * row.base_rate,
            row.model,
            decimal(&row.auc),
            decimal(&row.auc_calm),
            decimal(&row.average_precision),
            decimal(&row.brier_skill),
            percent(&row.calibration_error),
            decimal(&row.calibration_slope),
            years(row)
        );
    }
    put!(
        text,
        "\nCalm: the 24 h drawdown was below 3 %. Brier skill is over the base rate of the judged rows themselves.\n"
    );
}

fn years(row: &Metrics) -> String {
    row.auc_by_year.values().map(|auc| format!("{auc:.2}").replacen("0.", ".", 1)).collect::<Vec<_>>().join(" ")
}

fn differences(text: &mut String, results: &Results) {
    put!(text, "| logistic against | task | AUC difference | Brier skill difference |");
    put!(text, "|---|---|---|---|");
    for row in &results.differences {
        put!(text, "| {} | {} | {} | {} |", row.against, row.task, signed(&row.auc), signed(&row.brier_skill));
    }
    put!(text, "\nPaired on the same resamples; an interval that holds 0 decides nothing.\n");
}

fn parts(text: &mut String, results: &Results) {
    put!(text, "| logistic, 24 h, 10 % | rows | base | AUC | Brier skill |");
    put!(text, "|---|---|---|---|---|");
    for part in &results.parts {
        let base = 100.0 * part.base_rate;
        put!(text, "| {} | {} | {base:.1} % | {:.3} | {:+.3} |", part.name, part.rows, part.auc, part.brier_skill);
    }
    put!(text, "");
}

fn events(text: &mut String, results: &Results) {
    let events = results.announced.first().map_or(0, |row| row.events);
    put!(
        text,
        "Events of 24 h, 10 % ({events}: falls of one asset less than a day apart), announced in the 24 h before their low:\n"
    );
    put!(
        text,
        "| model | false alarm hours, aimed at | in the test | events announced | alarm hours followed by a fall | median lead |"
    );
    put!(text, "|---|---|---|---|---|---|");
    for row in &results.announced {
        let lead = row.lead_hours.map_or("-".to_owned(), |hours| format!("{hours:.0} h"));
        put!(
            text,
            "| {} | {:.0} % | {:.1} % | {} | {:.0} % | {lead} |",
            row.model,
            100.0 * row.aimed,
            100.0 * row.false_alarms,
            percent(&row.recall),
            100.0 * row.precision
        );
    }
    put!(
        text,
        "\nThresholds were set on the calibration periods, not on the test: the rate that came differs from the one aimed at.\n"
    );
}

/// One row for each method and level over the majors, then each market by the methods that count falls once more.
fn coverage(text: &mut String, results: &Results) {
    put!(
        text,
        "| hourly value at risk, majors | level | falls beyond | rejected: Kupiec | independence | both | lowest p of both | hit after hit | Z2, lowest |"
    );
    put!(text, "|---|---|---|---|---|---|---|---|---|");
    for (method, level) in METHODS.iter().flat_map(|method| LEVELS.map(|level| (method, level))) {
        let is_of = |row: &&Coverage| row.method == *method && row.level == level && MAJORS.contains(&&*row.symbol);
        let rows: Vec<&Coverage> = results.coverage.iter().filter(is_of).collect();
        if !rows.is_empty() {
            put!(text, "{}", covered(method, level, &rows));
        }
    }
    put!(
        text,
        "\nRejected: markets of the nine with a p below 0.05. Z2 below -0.70 rejects the expected shortfall at 5 %.\n"
    );
    put!(
        text,
        "| hourly value at risk | method | level | falls beyond | Kupiec p | independence p | both p | hit after hit | Z2 |"
    );
    put!(text, "|---|---|---|---|---|---|---|---|---|");
    for row in results.coverage.iter().filter(|row| METHODS[3..].contains(&&*row.method)) {
        put!(
            text,
            "| {} | {} | {:.1} % | {:.3} % | {:.2} | {:.2} | {:.2} | {} | {} |",
            row.symbol,
            row.method,
            100.0 * (1.0 - row.level),
            100.0 * row.rate,
            row.kupiec,
            row.independence,
            row.conditional,
            row.hit_after_hit.map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share)),
            row.z2.map_or("-".to_owned(), |z2| format!("{z2:.2}"))
        );
    }
    put!(text, "");
}

fn covered(method: &str, level: f64, rows: &[&Coverage]) -> String {
    let range = |of: fn(&Coverage) -> Option<f64>| {
        let values = || rows.iter().filter_map(|row| of(row));
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
    };
    let rejected = |of: fn(&Coverage) -> f64| rows.iter().filter(|row| of(row) < 0.05).count();
    let ((low, high), (least, most)) = (range(|row| Some(row.rate)), range(|row| row.hit_after_hit));
    let (z2, both) = (range(|row| row.z2).0, range(|row| Some(row.conditional)).0);
    format!(
        "| {method} | {:.1} % | {:.3} to {:.3} % | {} | {} | {} | {both:.3} | {:.1} to {:.1} % | {} |",
        100.0 * (1.0 - level),
        100.0 * low,
        100.0 * high,
        rejected(|row| row.kupiec),
        rejected(|row| row.independence),
        rejected(|row| row.conditional),
        100.0 * least,
        100.0 * most,
        if z2.is_finite() { format!("{z2:.2}") } else { "-".into() }
    )
}

fn leaks(text: &mut String, results: &Results) {
    let found = &results.leaks;
    put!(
        text,
        "Leak checks (the split of the shipped model, 24 h, 10 %): AUC {:.3}; with the labels of the next hour {:.3}; with \
         shuffled labels {:.3}; features of {} hours of SOL equal to the bit when computed from files that end there.",
        found.auc,
        found.shifted,
        found.shuffled,
        found.prefix_rows
    );
}

/// Returns a value with its interval.
pub fn decimal(of: &Interval) -> String {
    format!("{:.3} ({:.3} to {:.3})", of.value, of.low, of.high)
}

fn signed(of: &Interval) -> String {
    format!("{:+.3} ({:+.3} to {:+.3})", of.value, of.low, of.high)
}

fn percent(of: &Interval) -> String {
    format!("{:.1} % ({:.1} to {:.1})", 100.0 * of.value, 100.0 * of.low, 100.0 * of.high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_section_replaces_what_is_between_the_lines_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("doc.md");
        std::fs::write(&path, format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
        write_section(&path, "new\n").unwrap();
        write_section(&path, "newer\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("before\n{BEGIN}\nnewer\n{END}\nafter\n"));
    }

    #[test]
    fn write_section_fails_and_changes_nothing_when_the_lines_are_absent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("doc.md");
        std::fs::write(&path, "no section\n").unwrap();
        assert!(matches!(write_section(&path, "new"), Err(EvaluateError::NoSection { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "no section\n");
    }
}
