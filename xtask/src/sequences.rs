//! `cargo xtask sequences`: random sequences of all instructions, as many as wanted, and what came of them.

use crate::failure::{Failure, Result};
use crate::{command, files};
use std::collections::BTreeMap;
use std::time::Instant;

/// Where the test leaves its counts.
const OUT: &str = "target/sequence-counts";

/// From so many sequences on an optimised build pays: it takes minutes when it is cold, and plays four times as fast.
const LONG: u64 = 25_000;

/// Counts of one kind of step: landed, refused, nothing to try it on.
type Counts = [u64; 3];

/// Plays `count` sequences from seed `from` on, or the one of `seed`, and prints what came of each kind of step.
///
/// # Errors
/// An invariant doesn't hold, or an instruction landed too rarely to show anything.
pub fn run(count: u64, from: u64, seed: Option<u64>) -> Result<()> {
    let folder = files::root().join(OUT);
    files::remove_folder(&folder)?;
    let profile = if count >= LONG && seed.is_none() { "sequences" } else { "test" };
    let mut test = command::suites_of(profile);
    test.args(["sequences::all_instructions", "--nocapture"]);
    test.env("RAMPART_SEQUENCES", count.to_string()).env("RAMPART_SEQUENCES_OUT", &folder);
    test.env("RAMPART_SEQUENCES_FROM", from.to_string());
    if let Some(seed) = seed {
        return command::run(test.env("RAMPART_SEQUENCE", seed.to_string()));
    }
    let start = Instant::now();
    let outcome = command::run(&mut test);
    // what came of the steps is worth a look in either case
    if folder.is_dir() {
        let mut table = Table::default();
        for file in files::list(&folder)? {
            table.add(&files::read_text(&file)?)?;
        }
        print!("{}", table.render());
        println!("{:.0} s", start.elapsed().as_secs_f64());
    }
    outcome
}

/// Counts of all parts.
#[derive(Debug, Default)]
struct Table {
    sequences: u64,
    /// By name, in the order of the file: instructions, then what happens around the program.
    rows: Vec<(String, bool, Counts)>,
    refusals: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Table {
    /// Adds the counts of one part.
    fn add(&mut self, text: &str) -> Result<()> {
        for line in text.lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            let number = |at: usize| {
                let cell = cells.get(at).and_then(|cell| cell.parse::<u64>().ok());
                cell.ok_or_else(|| Failure::new(format!("`{OUT}`: a line without numbers: {line}")))
            };
            match cells[..] {
                ["sequences", _] => self.sequences += number(1)?,
                [name, "refusal", error, _] => {
                    let of_name = self.refusals.entry(name.to_owned()).or_default();
                    *of_name.entry(error.to_owned()).or_default() += number(3)?;
                }
                [name, what, ..] => self.count(name, what == "instruction", [number(2)?, number(3)?, number(4)?]),
                _ => {}
            }
        }
        Ok(())
    }

    fn count(&mut self, name: &str, is_instruction: bool, counts: Counts) {
        if !self.rows.iter().any(|row| row.0 == name) {
            self.rows.push((name.to_owned(), is_instruction, [0; 3]));
        }
        let Some(row) = self.rows.iter_mut().find(|row| row.0 == name) else { return };
        row.2.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }

    fn render(&self) -> String {
        let mut text =
            String::from("| step | landed | refused | the most frequent refusals |\n| --- | ---: | ---: | --- |\n");
        for (name, _, [landed, refused, _]) in &self.rows {
            text += &format!("| {name} | {landed} | {refused} | {} |\n", self.reasons(name));
        }
        let sum = |at: usize, of: bool| self.rows.iter().filter(|r| r.1 == of).map(|r| r.2[at]).sum::<u64>();
        let instructions = self.rows.iter().filter(|row| row.1).count();
        let (landed, refused, around) = (sum(0, true), sum(1, true), sum(0, false));
        text += &format!(
            "\n{} sequences: {instructions} instructions, {landed} landed and {refused} refused",
            self.sequences
        );
        text + &format!("; {around} steps around the program.\n")
    }

    /// The three most frequent refusals.
    fn reasons(&self, name: &str) -> String {
        let mut all: Vec<_> = self.refusals.get(name).into_iter().flatten().collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let words: Vec<String> = all.iter().take(3).map(|(error, count)| format!("{error} {count}")).collect();
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_added_up() {
        let mut table = Table::default();
        let part = "sequences\t5\nsupply\tinstruction\t2\t1\t0\nTIME PASSES\taround\t4\t0\t0\nsupply\trefusal\tZeroAmount\t1\n";
        table.add(part).unwrap();
        table.add(part).unwrap();
        let text = table.render();
        assert!(text.contains("| supply | 4 | 2 | ZeroAmount 2 |"), "{text}");
        assert!(text.contains("10 sequences: 1 instructions, 4 landed and 2 refused; 8 steps around"), "{text}");
        assert!(table.add("supply\tinstruction\tmany\t1\t0").is_err());
    }
}
