//! `docs/faults.md` against the tests: which faults of the keeper's surroundings a test shows, and which are still open.
//!
//! A test shows a fault by its name: `fault_12_rate_limit`, or `fault_50_51_coordinator_gone` for several.

use crate::cases::{Status, rust_files, status_of, test_name, word};
use crate::failure::{Failure, Result};
use crate::files;
use std::collections::BTreeMap;

/// The list of faults, one row of a table for each.
const LIST: &str = "docs/faults.md";
/// How many there are.
const COUNT: u16 = 55;
/// Where tests are.
const SOURCES: [&str; 6] = ["keeper", "tests/suites", "tests/keeper", "tests/rig", "tests/sim", "programs"];
const PREFIX: &str = "fault_";

/// A row of the list.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    number: u16,
    title: String,
    /// Names of the tests that show it.
    tests: Vec<String>,
    status: Status,
}

/// Prints the table and compares it with the tests.
///
/// # Errors
/// The list lacks a number, names a test that does not exist, leaves one out, or calls a fault open that a test shows.
pub fn print() -> Result<()> {
    let rows = read_list(&files::read_text(&files::root().join(LIST))?)?;
    for row in &rows {
        println!("F{:<3} {:<10}  {}  {}", row.number, word(row.status), row.title, row.tests.join(", "));
    }
    let count = |status| rows.iter().filter(|row| row.status == status).count();
    let [tested, impossible, open] = [Status::Tested, Status::Impossible, Status::Open].map(count);
    println!("faults: {tested} tested, {impossible} impossible, {open} open");
    let wrong = contradictions(&rows, &find_tests()?);
    if wrong.is_empty() { Ok(()) } else { Err(Failure::new(wrong.join("; ")).hint(format!("correct `{LIST}`"))) }
}

/// Reads the rows `| number | fault | what happens | tests | status |`, whose numbers must be 1 to [`COUNT`].
fn read_list(text: &str) -> Result<Vec<Fault>> {
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [number, title, _, tests, status] = cells[..] else { continue };
        let Ok(number) = number.parse() else { continue };
        let Some(status) = status_of(status) else {
            return Err(Failure::new(format!("`{LIST}`: fault {number} has no status with a reason")));
        };
        // names stand between backticks
        let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        rows.push(Fault { number, title: title.to_owned(), tests, status });
    }
    let numbers: Vec<u16> = rows.iter().map(|row| row.number).collect();
    if numbers != (1..=COUNT).collect::<Vec<_>>() {
        return Err(Failure::new(format!("`{LIST}`: the rows must be numbered 1 to {COUNT} in order")));
    }
    Ok(rows)
}

fn contradictions(rows: &[Fault], tests: &BTreeMap<String, Vec<u16>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows {
        for name in &row.tests {
            match tests.get(name) {
                None => wrong.push(format!("fault {}: `{name}` is no test", row.number)),
                Some(numbers) if !numbers.contains(&row.number) => {
                    wrong.push(format!("fault {}: the name of `{name}` does not begin with it", row.number));
                }
                Some(_) => {}
            }
        }
        match (row.status, row.tests.is_empty()) {
            (Status::Tested, true) => wrong.push(format!("fault {} is called tested and names no test", row.number)),
            (Status::Open | Status::Impossible, false) => {
                wrong.push(format!("fault {} is called {} and names a test", row.number, word(row.status)));
            }
            _ => {}
        }
    }
    for (name, numbers) in tests {
        for number in numbers {
            let row = rows.iter().find(|row| row.number == *number);
            if row.is_none_or(|row| !row.tests.contains(name)) {
                wrong.push(format!("`{name}` is not named by the row of fault {number}"));
            }
        }
    }
    wrong
}

/// Returns the tests and the faults that each shows by its name.
fn find_tests() -> Result<BTreeMap<String, Vec<u16>>> {
    let mut tests = BTreeMap::new();
    for folder in SOURCES {
        for file in rust_files(&files::root().join(folder))? {
            for name in files::read_text(&file)?.lines().filter_map(|line| test_name(line, PREFIX)) {
                tests.insert(name.to_owned(), numbers(name));
            }
        }
    }
    Ok(tests)
}

fn numbers(name: &str) -> Vec<u16> {
    let parts = name.trim_start_matches(PREFIX).split('_');
    parts.take_while(|part| part.len() == 2).map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(number: u16, tests: &[&str], status: Status) -> Fault {
        Fault { number, title: String::new(), tests: tests.iter().map(|name| (*name).to_owned()).collect(), status }
    }

    #[test]
    fn test_shows_every_fault_that_its_name_begins_with() {
        assert_eq!(numbers("fault_50_51_coordinator_of_3_keepers"), [50, 51]);
        assert_eq!(test_name("    async fn fault_12_limit() {", PREFIX), Some("fault_12_limit"));
    }

    #[test]
    fn rows_must_be_complete_and_have_a_reason() {
        assert!(read_list("| 1 | Silence | noticed | `fault_01_x` | tested |").is_err(), "54 are missing");
        let unreasoned = read_list("| 1 | Silence | noticed | - | open |").unwrap_err();
        assert!(unreasoned.to_string().contains("fault 1 has no status"));
    }

    #[test]
    fn every_contradiction_is_told() {
        let tests = BTreeMap::from([("fault_02_x".to_owned(), vec![2]), ("fault_04_y".to_owned(), vec![4])]);
        let told = |row| contradictions(&[row], &tests);
        assert!(told(fault(1, &["fault_01_z"], Status::Tested))[0].contains("`fault_01_z` is no test"));
        assert!(told(fault(1, &["fault_02_x"], Status::Tested))[0].contains("does not begin with it"));
        assert!(told(fault(1, &[], Status::Tested))[0].contains("names no test"));
        assert!(told(fault(2, &["fault_02_x"], Status::Open))[0].contains("called open and names a test"));
        assert_eq!(
            told(fault(2, &["fault_02_x"], Status::Tested)),
            ["`fault_04_y` is not named by the row of fault 4"]
        );
    }
}
