//! What a training came to, beside the rules: as a value that a report reads, and as tables.

use super::contest::Record;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where the section of a document begins and ends.
pub const BEGIN: &str = "<!-- policy: written by `rampart lab report --docs FILE` -->";
/// See [`BEGIN`].
pub const END: &str = "<!-- /policy -->";

/// One side on the markets of a table. Per market, bps of the debt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Its name.
    pub name: String,
    /// Mean sum of rewards.
    pub utility: f64,
    /// Mean bad debt.
    pub bad_debt: f64,
    /// Mean bad debt of the worst twentieth of the markets.
    pub es95: f64,
    /// Share of the time in which users were held up, bps.
    pub halted_bps: f64,
    /// Gain of utility over the tuned rules: lower bound, mean and upper bound of 95 %, whole markets resampled; none where they
    /// can't be paired.
    pub gain: Option<[f64; 3]>,
}

/// All sides on the same markets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Which markets.
    pub markets: String,
    /// How many.
    pub count: usize,
    /// One for each side; the tuned rules, which gains are over, and the learned policy come last.
    pub sides: Vec<Side>,
}

impl Table {
    /// Adds up the records of one list of markets.
    pub fn of(markets: &str, records: &[Record]) -> Self {
        let rules = records.len().checked_sub(2).map(|at| &records[at]);
        let side = |record: &Record| Side {
            name: record.name.clone(),
            utility: record.utility(),
            bad_debt: record.bad_debt(),
            es95: record.es95(),
            halted_bps: record.halted_bps(),
            gain: rules.and_then(|rules| record.gain(rules)),
        };
        let count = records.first().map_or(0, |record| record.plays.len());
        Self { markets: markets.into(), count, sides: records.iter().map(side).collect() }
    }
}

/// What a training came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standings {
    /// The command.
    pub trained_by: String,
    /// Hash of the policy, hexadecimal.
    pub policy_sha256: String,
    /// Markets that were learned from, and on which rules, rounds and seeds were chosen.
    pub learned_from: [usize; 2],
    /// Transitions of one seed.
    pub transitions: u64,
    /// Seeds.
    pub seeds: usize,
    /// Policies, guards and rules that were tried.
    pub tried: [usize; 3],
    /// Time in which users may be held up, bps.
    pub halt_budget_bps: f64,
    /// Whether the policy surely beats tuned rules and tuned guard in every table, and holds up no more.
    pub drives: bool,
    /// One for each list of markets.
    pub contests: Vec<Table>,
    /// Synthetic tests with other people around the pool, the last four sides each.
    pub sensitivity: Vec<Table>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| {}, {} markets | utility | bad debt | worst twentieth | halted | gain over the tuned rules |",
            self.markets, self.count
        )?;
        writeln!(f, "| --- | ---: | ---: | ---: | ---: | ---: |")?;
        for side in &self.sides {
            let Side { name, utility, bad_debt, es95, halted_bps, gain } = side;
            let gain =
                gain.map_or_else(|| "-".into(), |[low, mean, high]| format!("{mean:+.2} ({low:+.2} to {high:+.2})"));
            writeln!(f, "| {name} | {utility:.2} | {bad_debt:.2} | {es95:.2} | {halted_bps:.1} | {gain} |")?;
        }
        Ok(())
    }
}

impl fmt::Display for Standings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [learned, chosen] = self.learned_from;
        let [policies, guards, rules] = self.tried;
        writeln!(
            f,
            "`{}`: policy `{}`, learned from {learned} markets ({} transitions a seed, {} seeds), chosen on {chosen} others among \
             {policies} policies, beside {guards} guards and {rules} rules tuned on the same; halt budget {:.1} bps of the time. Per \
             market, bps of the debt; halted in bps of the time; in brackets 95 % of resampled markets. **{}**\n",
            self.trained_by.trim_start_matches("rampart lab "),
            self.policy_sha256.get(..16).unwrap_or(&self.policy_sha256),
            self.transitions,
            self.seeds,
            self.halt_budget_bps,
            if self.drives {
                "The policy surely beats the tuned rules in every table."
            } else {
                "The policy doesn't surely beat the tuned rules in every table: rules drive."
            }
        )?;
        for table in &self.contests {
            writeln!(f, "{table}")?;
        }
        self.write_sensitivity(f)
    }
}

impl Standings {
    fn write_sensitivity(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.sensitivity.first() else { return Ok(()) };
        let names: Vec<&str> = first.sides.iter().map(|side| side.name.as_str()).collect();
        writeln!(f, "| synthetic tests again, bad debt and utility | {} |", names.join(" | "))?;
        writeln!(f, "| --- |{}", " ---: |".repeat(names.len()))?;
        for table in &self.sensitivity {
            let cells = table.sides.iter().map(|side| format!("{:.2}, {:.2}", side.bad_debt, side.utility));
            writeln!(f, "| {} | {} |", table.markets, cells.collect::<Vec<_>>().join(" | "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Play;

    #[test]
    fn gains_are_over_the_side_before_the_last_and_tables_say_what_they_are_of() {
        let record = |name: &str, gain: f64| {
            let play = |at: usize| Play {
                utility: at as f64 + gain,
                minutes: 100.0,
                halted_minutes: 1.0,
                bad_debt: at as f64,
            };
            Record { name: name.into(), plays: (0..20).map(play).collect() }
        };
        let table = Table::of("synthetic", &[record("guard", -1.0), record("rules", 0.0), record("learned", 2.0)]);
        let gains: Vec<f64> = table.sides.iter().map(|side| side.gain.unwrap()[1]).collect();
        assert_eq!((table.count, gains), (20, vec![-1.0, 0.0, 2.0]));
        let text = table.to_string();
        assert!(text.starts_with("| synthetic, 20 markets | utility |"), "{text}");
        assert!(text.contains("| learned | 11.50 | 9.50 | 19.00 | 100.0 | +2.00 (+2.00 to +2.00) |"), "{text}");
    }
}
