//! `cargo xtask cases`: which attack and bad-input cases a test shows, and which are still open.
//!
//! `docs/threats.md` lists the cases, `docs/invariants.md` what always holds, and
//! `docs/faults.md` what the keeper survives. A test shows a case by its name: `case_037_window_edge_drain`, or
//! `case_019_020_every_path` for several.

use crate::failure::{Failure, Result};
use crate::{faults, files, invariants};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The list of cases, one row of a table for each.
const LIST: &str = "docs/threats.md";

const PREFIX: &str = "case_";

/// Where tests are.
const SOURCES: [&str; 4] = ["programs", "tests/suites", "tests/fixtures", "keeper/src"];

/// What the list says of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// A test shows it.
    Tested,
    /// It can't happen here; the row says why.
    Impossible,
    /// No test shows it yet; the row says what is missing.
    Open,
}

/// A row of the list.
#[derive(Debug, PartialEq, Eq)]
struct Case {
    number: u16,
    title: String,
    status: Status,
}

/// Prints the table of all cases and compares the list with the tests.
///
/// # Errors
/// The list lacks a number, calls a case tested that no test shows, or otherwise one that a test shows.
pub fn print() -> Result<()> {
    let cases = read_list(&files::read_text(&files::root().join(LIST))?)?;
    let tests = find_tests()?;
    for case in &cases {
        let shown = tests.get(&case.number).map_or(String::new(), |names| names.join(", "));
        println!("{:03}  {:<10}  {}  {shown}", case.number, word(case.status), case.title);
    }
    let count = |status| cases.iter().filter(|case| case.status == status).count();
    let [tested, impossible, open] = [Status::Tested, Status::Impossible, Status::Open].map(count);
    println!("{tested} tested, {impossible} impossible, {open} open");
    let wrong = contradictions(&cases, &tests);
    if !wrong.is_empty() {
        return Err(Failure::new(wrong.join("; ")).hint(format!("correct `{LIST}`")));
    }
    invariants::print()?;
    faults::print()
}

/// Returns the word of a status.
pub fn word(status: Status) -> &'static str {
    match status {
        Status::Tested => "tested",
        Status::Impossible => "impossible",
        Status::Open => "open",
    }
}

/// Reads the rows `| number | title | required | status |`, whose numbers must be 1, 2, 3 and so on.
fn read_list(text: &str) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [number, title, _, status] = cells[..] else { continue };
        let Ok(number) = number.parse() else { continue };
        let Some(status) = status_of(status) else {
            return Err(Failure::new(format!("`{LIST}`: case {number} has no status with a reason")));
        };
        cases.push(Case { number, title: title.to_owned(), status });
    }
    match cases.iter().zip(1..).find(|(case, expected)| case.number != *expected) {
        Some((case, expected)) => {
            Err(Failure::new(format!("`{LIST}`: case {} stands where {expected} should", case.number)))
        }
        None => Ok(cases),
    }
}

/// Reads a status; `None` for one that is unknown, or lacks its reason.
pub fn status_of(text: &str) -> Option<Status> {
    match text.split(':').next() {
        Some("tested") => Some(Status::Tested),
        Some("impossible") if text.contains(": ") => Some(Status::Impossible),
        Some("open") if text.contains(": ") => Some(Status::Open),
        _ => None,
    }
}

fn contradictions(cases: &[Case], tests: &BTreeMap<u16, Vec<String>>) -> Vec<String> {
    let wrong = cases.iter().filter_map(|case| match (case.status, tests.get(&case.number)) {
        (Status::Tested, None) => Some(format!("case {} is called tested and no test shows it", case.number)),
        (Status::Impossible | Status::Open, Some(names)) => {
            Some(format!("case {} is called {} and {} shows it", case.number, word(case.status), names[0]))
        }
        _ => None,
    });
    let unlisted = tests.keys().filter(|number| cases.iter().all(|case| case.number != **number));
    wrong.chain(unlisted.map(|number| format!("case {number} has a test and no row"))).collect()
}

/// Returns the names of the tests that show each case.
fn find_tests() -> Result<BTreeMap<u16, Vec<String>>> {
    let mut tests: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for folder in SOURCES {
        for file in rust_files(&files::root().join(folder))? {
            for name in files::read_text(&file)?.lines().filter_map(|line| test_name(line, PREFIX)) {
                numbers(name).for_each(|number| tests.entry(number).or_default().push(name.to_owned()));
            }
        }
    }
    Ok(tests)
}

/// Returns the Rust files in a folder and those it holds.
pub fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in files::list(folder)? {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            found.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Returns the name of the test that a line begins, if it begins with `prefix`.
pub fn test_name<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    let line = line.trim_start();
    let rest = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn "))?;
    rest.split('(').next().filter(|name| name.starts_with(prefix))
}

/// Returns the numbers at the start of a test's name: `case_019_020_words` shows 19 and 20.
fn numbers(name: &str) -> impl Iterator<Item = u16> + '_ {
    let parts = name.trim_start_matches(PREFIX).split('_');
    parts.take_while(|part| part.len() == 3).map_while(|part| part.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_without_a_reason_or_out_of_order_is_refused() {
        let list =
            |status: &str| read_list(&format!("| # | Case |\n| --- | --- |\n| 1 | Drain | refused | {status} |\n"));
        assert_eq!(list("tested").unwrap(), [Case { number: 1, title: "Drain".into(), status: Status::Tested }]);
        assert!(list("open").unwrap_err().to_string().contains("case 1 has no status"));
        assert!(list("fine").unwrap_err().to_string().contains("case 1 has no status"));
        assert!(
            read_list("| 2 | Drain | refused | tested |").unwrap_err().to_string().contains("case 2 stands where 1")
        );
    }

    #[test]
    fn test_shows_every_case_that_its_name_begins_with() {
        assert_eq!(numbers("case_019_020_every_path_of_123").collect::<Vec<_>>(), [19, 20]);
        assert_eq!(test_name("    fn case_037_drain() {", PREFIX), Some("case_037_drain"));
        assert_eq!(test_name("    // fn case_037_drain() {", PREFIX), None);
    }

    #[test]
    fn contradictions_name_the_case() {
        let case = |number, status| Case { number, title: String::new(), status };
        let cases = [case(1, Status::Tested), case(2, Status::Open), case(3, Status::Impossible)];
        let tests = BTreeMap::from([(2, vec!["case_002_x".to_owned()]), (9, vec!["case_009_x".to_owned()])]);
        assert_eq!(contradictions(&cases, &tests).len(), 3);
    }
}
