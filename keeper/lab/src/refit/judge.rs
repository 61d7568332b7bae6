//! The verdict on a candidate: paired with who reigns, on whole weeks of all markets and on attacks that neither learned from.

use super::{Material, WeekMarket};
use crate::backtest::Market;
use crate::learn::{Decider, Record};
use rampart_score::policy::{Gate, Outcomes, Policy, Promotion, Rules, paired_lower_bound, promotion};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What the gate of promotions said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", deny_unknown_fields)]
pub enum Verdict {
    /// The candidate reigns.
    Promoted {
        /// Lower bound of its gain in a block, bps of the debt.
        lower: f64,
    },
    /// Its gain isn't sure.
    Unsure {
        /// Lower bound of its gain in a block, bps of the debt.
        lower: f64,
    },
    /// It makes a constraint worse.
    Worse {
        /// Which.
        constraint: String,
    },
    /// There are too few blocks.
    Unpaired,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Promoted { lower } => write!(f, "promoted, gain at least {lower:.2} bps a block"),
            Self::Unsure { lower } => write!(f, "kept, gain not sure: at least {lower:.2} bps a block"),
            Self::Worse { constraint } => write!(f, "kept, it makes {constraint} worse"),
            Self::Unpaired => write!(f, "kept, too few blocks to judge"),
        }
    }
}

/// A verdict with the numbers that it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What the gate said.
    pub verdict: Verdict,
    /// Utility, constraints and gains by name.
    pub metrics: BTreeMap<String, f64>,
}

/// One side's plays.
struct Side {
    weeks: Record,
    attacks: Record,
    outcomes: Outcomes,
}

/// Holds `candidate` against `incumbent`, and against the default rules where nobody reigns yet.
pub fn judge(material: &Material, candidate: &Decider, incumbent: Option<&Policy>) -> Judged {
    let rules = Decider::Rules(Rules::default());
    let reigning = incumbent.map_or_else(|| rules.clone(), |policy| Decider::Learned(Box::new(policy.into())));
    let side = |decider: &Decider| Side::of(decider, &material.weeks, &material.attacks);
    let (ours, theirs, ruled) = (side(candidate), side(&reigning), side(&rules));
    let gate = Gate::default();
    let verdict = match promotion(&ours.outcomes, &theirs.outcomes, &gate) {
        Promotion::Promote { lower } => Verdict::Promoted { lower },
        Promotion::Unsure { lower } => Verdict::Unsure { lower },
        Promotion::Worse { constraint } => Verdict::Worse { constraint: constraint.into() },
        Promotion::Unpaired => Verdict::Unpaired,
    };
    let mut metrics = BTreeMap::from([("blocks".to_owned(), ours.outcomes.utility.len() as f64)]);
    for (who, side) in [("candidate", &ours), ("incumbent", &theirs), ("rules", &ruled)] {
        side.note(who, &mut metrics);
    }
    for (whom, side) in [("incumbent", &theirs), ("rules", &ruled)] {
        let [ours, theirs] = [&ours.outcomes.utility, &side.outcomes.utility];
        let both = Gate { level: 0.025, ..gate };
        let lower = paired_lower_bound(ours, theirs, &both);
        let upper = paired_lower_bound(theirs, ours, &both).map(|bound| -bound);
        metrics.extend(lower.map(|bound| (format!("gain_over_{whom}.lower"), bound)));
        metrics.extend(upper.map(|bound| (format!("gain_over_{whom}.upper"), bound)));
    }
    Judged { verdict, metrics }
}

impl Side {
    fn of(decider: &Decider, weeks: &[WeekMarket], attacks: &[Market]) -> Self {
        let of_weeks =
            Record { name: String::new(), plays: weeks.iter().map(|week| decider.play(&week.market)).collect() };
        let of_attacks = Record::of("", decider, attacks);
        // a block is a calendar week of all markets, since these fall together, or an attack
        let mut blocks: BTreeMap<i64, f64> = BTreeMap::new();
        for (week, play) in weeks.iter().zip(&of_weeks.plays) {
            *blocks.entry(week.week_ts).or_default() += play.utility;
        }
        let mut constraints = vec![
            ("the share of halted time in the weeks", of_weeks.halted_bps()),
            ("the tail of bad debt in the weeks", of_weeks.es95()),
        ];
        if !attacks.is_empty() {
            constraints.push(("the share of halted time under attacks", of_attacks.halted_bps()));
            constraints.push(("the tail of bad debt under attacks", of_attacks.es95()));
        }
        let utility = blocks.into_values().chain(of_attacks.plays.iter().map(|play| play.utility)).collect();
        Self { weeks: of_weeks, attacks: of_attacks, outcomes: Outcomes { utility, constraints } }
    }

    fn note(&self, who: &str, metrics: &mut BTreeMap<String, f64>) {
        for (table, record) in [("weeks", &self.weeks), ("attacks", &self.attacks)] {
            if record.plays.is_empty() {
                continue;
            }
            let values = [
                ("utility", record.utility()),
                ("bad_debt", record.bad_debt()),
                ("es95", record.es95()),
                ("halted_bps", record.halted_bps()),
            ];
            metrics.extend(values.map(|(what, value)| (format!("{table}.{who}.{what}"), value)));
        }
    }
}
