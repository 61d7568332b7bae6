//! What one or many simulations came to.

use crate::record::Record;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Prefix of the line in which a simulation says what it came to.
pub const RESULT: &str = "RESULT ";

/// What simulations came to, together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many.
    pub seeds: u64,
    /// Slots of all of them.
    pub slots: u64,
    /// Faults by kind.
    pub faults: BTreeMap<String, u64>,
    /// Confirmed transactions of keepers by class: landed, refused.
    pub actions: BTreeMap<String, [u64; 2]>,
    /// Slots from due to done, by class.
    pub reactions: BTreeMap<String, Vec<u64>>,
    /// What must never happen, and did, behind its seed.
    pub violations: Vec<String>,
}

/// Returns the line of one simulation.
pub fn line(seed: u64, slots: u64, record: &Record) -> String {
    let actions: BTreeMap<String, u64> = record.actions.iter().map(|((c, r), n)| (format!("{c} {r}"), *n)).collect();
    let value = json!({
        "seed": seed, "slots": slots, "lines": record.lines, "digest": format!("{:016x}", record.digest()),
        "faults": record.faults, "actions": actions, "reactions": record.reactions, "violations": record.violations,
    });
    format!("{RESULT}{value}")
}

impl Report {
    /// Adds the line of one simulation; `false` for what is none.
    pub fn add(&mut self, text: &str) -> bool {
        let Some(value) = text.strip_prefix(RESULT).and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
            return false;
        };
        let number = |value: &Value| value.as_u64().unwrap_or(0);
        let pairs = |key: &str| value[key].as_object().into_iter().flatten();
        self.seeds += 1;
        self.slots += number(&value["slots"]);
        for (kind, count) in pairs("faults") {
            *self.faults.entry(kind.clone()).or_default() += number(count);
        }
        for (name, count) in pairs("actions") {
            let Some((class, result)) = name.split_once(' ') else { continue };
            self.actions.entry(class.to_owned()).or_default()[usize::from(result != "landed")] += number(count);
        }
        for (class, slots) in pairs("reactions") {
            let slots = slots.as_array().into_iter().flatten().map(number);
            self.reactions.entry(class.clone()).or_default().extend(slots);
        }
        let seed = number(&value["seed"]);
        let violations = value["violations"].as_array().into_iter().flatten().filter_map(Value::as_str);
        self.violations.extend(violations.map(|text| format!("seed {seed}, {text}")));
        true
    }

    /// Returns how many violations are of a kind.
    pub fn count(&self, kind: &str) -> usize {
        self.violations.iter().filter(|text| text.contains(kind)).count()
    }

    /// Returns tables of all of it.
    pub fn render(&self) -> String {
        let mut text =
            String::from("| class | landed | refused on chain | done | slots to done: half | 90 % | 99 % | worst |\n");
        text += "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
        let classes = self.actions.keys().chain(self.reactions.keys());
        for class in classes.collect::<std::collections::BTreeSet<_>>() {
            let [landed, refused] = self.actions.get(class).copied().unwrap_or_default();
            let mut slots = self.reactions.get(class).cloned().unwrap_or_default();
            slots.sort_unstable();
            let at = |pct: usize| match slots.len() {
                0 => "-".to_owned(),
                count => slots[((count - 1) * pct).div_ceil(100)].to_string(),
            };
            let _ = writeln!(
                text,
                "| {class} | {landed} | {refused} | {} | {} | {} | {} | {} |",
                slots.len(),
                at(50),
                at(90),
                at(99),
                at(100)
            );
        }
        text += "\n| fault | times |\n| --- | ---: |\n";
        for (kind, count) in &self.faults {
            let _ = writeln!(text, "| {kind} | {count} |");
        }
        let kinds = [("misses", "MISS"), ("doubles", "DOUBLE"), ("stuck", "STUCK"), ("over budget", "BUDGET")];
        let counts: Vec<String> = kinds.iter().map(|(name, kind)| format!("{} {name}", self.count(kind))).collect();
        let faults: u64 = self.faults.values().sum();
        let _ = writeln!(
            text,
            "\n{} slots, {} seeds, {faults} faults: {}; {} violations in all.",
            self.slots,
            self.seeds,
            counts.join(", "),
            self.violations.len()
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_simulations_are_added_up() {
        let mut record = Record::default();
        record.fault("kill", "keeper 0");
        record.actions.insert(("trip", "landed"), 3);
        record.actions.insert(("trip", "refused"), 1);
        record.reactions.insert("trip", vec![4, 2, 9]);
        record.violation("MISS trip".to_owned());
        let (mut report, text) = (Report::default(), line(7, 100, &record));
        assert!(report.add(&text) && report.add(&text) && !report.add("something else"));
        assert_eq!((report.seeds, report.slots, report.faults["kill"], report.count("MISS")), (2, 200, 2, 2));
        let table = report.render();
        assert!(table.contains("| trip | 6 | 2 | 6 | 4 | 9 | 9 | 9 |"), "{table}");
        assert!(table.contains("200 slots, 2 seeds, 2 faults: 2 misses, 0 doubles"), "{table}");
    }
}
