//! `docs/invariants.md` against the tests: which invariants a test shows, and which are still open.

use crate::cases::rust_files;
use crate::failure::{Failure, Result};
use crate::files;
use std::collections::BTreeSet;

/// The list of invariants, one row of a table for each.
const LIST: &str = "docs/invariants.md";
/// How many there are.
const COUNT: u16 = 23;
/// Where tests are.
const SOURCES: [&str; 3] = ["programs", "tests/suites", "keeper/src"];
/// How far above a test's name its attribute may stand.
const LINES_ABOVE: usize = 4;

/// A row of the list.
#[derive(Debug, PartialEq, Eq)]
struct Invariant {
    number: u16,
    statement: String,
    /// Names of the tests that show it.
    tests: Vec<String>,
    is_open: bool,
}

/// Prints the table and compares it with the tests.
///
/// # Errors
/// The list lacks a number, names a test that doesn't exist, or calls an invariant open that a test shows.
pub fn print() -> Result<()> {
    let rows = read_list(&files::read_text(&files::root().join(LIST))?)?;
    for row in &rows {
        let status = if row.is_open { "open" } else { "tested" };
        println!("I{:<3} {status:<7} {}  {}", row.number, row.statement, row.tests.join(", "));
    }
    let open = rows.iter().filter(|row| row.is_open).count();
    println!("invariants: {} tested, {open} open", rows.len() - open);
    let wrong = contradictions(&rows, &find_tests()?);
    if wrong.is_empty() { Ok(()) } else { Err(Failure::new(wrong.join("; ")).hint(format!("correct `{LIST}`"))) }
}

/// Reads the rows `| I1 | statement | tests | status |`, whose numbers must be 1 to [`COUNT`].
fn read_list(text: &str) -> Result<Vec<Invariant>> {
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| I")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [number, statement, tests, status] = cells[..] else { continue };
        let Some(number) = number.strip_prefix('I').and_then(|n| n.parse().ok()) else { continue };
        let is_open = match status.split(':').next() {
            Some("tested") => false,
            Some("open") if status.contains(": ") => true,
            _ => return Err(Failure::new(format!("`{LIST}`: I{number} has no status with a reason"))),
        };
        // names stand between backticks
        let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        rows.push(Invariant { number, statement: statement.to_owned(), tests, is_open });
    }
    let numbers: Vec<u16> = rows.iter().map(|row| row.number).collect();
    if numbers != (1..=COUNT).collect::<Vec<_>>() {
        return Err(Failure::new(format!("`{LIST}`: rows must be I1 to I{COUNT}, found {numbers:?}")));
    }
    Ok(rows)
}

fn contradictions(rows: &[Invariant], tests: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for Invariant { number, tests: named, is_open, .. } in rows {
        let absent = named.iter().filter(|name| !tests.contains(*name));
        wrong.extend(absent.map(|name| format!("I{number} names `{name}`, which is no test")));
        let unnamed = tests.iter().filter(|name| numbers(name).any(|n| n == *number) && !named.contains(name));
        wrong.extend(unnamed.map(|name| format!("I{number} doesn't name `{name}`")));
        match (is_open, named.first()) {
            (false, None) => wrong.push(format!("I{number} is called tested and names no test")),
            (true, Some(name)) => wrong.push(format!("I{number} is called open and names `{name}`")),
            _ => {}
        }
    }
    wrong
}

/// Returns the numbers at the start of a test's name: `inv_09_10_words` shows 9 and 10.
fn numbers(name: &str) -> impl Iterator<Item = u16> + '_ {
    let parts = name.strip_prefix("inv_").unwrap_or_default().split('_');
    parts.take_while(|part| part.len() == 2).map_while(|part| part.parse().ok())
}

/// Returns the names of all tests.
fn find_tests() -> Result<BTreeSet<String>> {
    let mut tests = BTreeSet::new();
    for folder in SOURCES {
        for file in rust_files(&files::root().join(folder))? {
            tests.extend(tests_of(&files::read_text(&file)?));
        }
    }
    Ok(tests)
}

fn tests_of(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_marked = |at: usize| lines[at.saturating_sub(LINES_ABOVE)..at].contains(&"#[test]");
    let names = lines.iter().enumerate().filter(|(at, _)| is_marked(*at));
    names.filter_map(|(_, line)| Some(line.strip_prefix("fn ")?.split('(').next()?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u16, tests: &[&str], is_open: bool) -> Invariant {
        let tests = tests.iter().map(|t| (*t).to_owned()).collect();
        Invariant { number, statement: String::new(), tests, is_open }
    }

    #[test]
    fn lie_in_the_table_is_named() {
        let tests: BTreeSet<String> = ["inv_02_words", "other_words"].map(str::to_owned).into();
        assert!(
            contradictions(&[row(1, &["other_words"], false), row(2, &["inv_02_words"], false)], &tests).is_empty()
        );
        for (row, expected) in [
            (row(1, &["absent"], false), "I1 names `absent`, which is no test"),
            (row(1, &[], false), "I1 is called tested and names no test"),
            (row(1, &["other_words"], true), "I1 is called open and names `other_words`"),
            (row(2, &["other_words"], false), "I2 doesn't name `inv_02_words`"),
        ] {
            assert_eq!(contradictions(&[row], &tests), [expected]);
        }
    }

    #[test]
    fn function_without_the_attribute_is_no_test() {
        let text = "#[test]\nfn is_one(x in 0..2) {}\n\nfn a() {}\n\n\n\nfn is_none() {}";
        assert_eq!(tests_of(text)[0], "is_one");
        assert!(!tests_of(text).contains(&"is_none".to_owned()));
    }

    #[test]
    fn list_without_a_row_is_refused() {
        assert!(read_list("| I1 | words | `a` | tested |").unwrap_err().to_string().contains("I1 to I23"));
        assert!(read_list("| I1 | words | `a` | fine |").unwrap_err().to_string().contains("I1 has no status"));
    }
}
