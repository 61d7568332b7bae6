//! The verdict on a candidate: paired with who reigns, on whole weeks of all markets and on attacks that neither learned from.
//!
//! A gain has to be sure over the weeks alone, and over weeks and attacks together: attacks are as many as one draws, and a candidate
//! that gains on them alone would pay for it in every week.

use super::{Material, WeekMarket};
use crate::backtest::Market;
use crate::learn::{Decider, Record};
use rampart_score::policy::{Gate, Outcomes, Policy, Promotion, Rules, paired_lower_bound, promotion};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What a gain is counted over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// The recorded weeks.
    Weeks,
    /// Weeks and attacks, a block each.
    #[default]
    WeeksAndAttacks,
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Weeks => "the weeks",
            Self::WeeksAndAttacks => "weeks and attacks together",
        })
    }
}

/// What the gate of promotions said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", deny_unknown_fields)]
pub enum Verdict {
    /// The candidate reigns.
    Promoted {
        /// Lower bound of its gain in a week, bps of the debt.
        lower: f64,
    },
    /// Its gain isn't sure.
    Unsure {
        /// Lower bound of its gain in a block, bps of the debt.
        lower: f64,
        /// Blocks of what; a journal's line that doesn't tell was judged over both.
        #[serde(default)]
        over: Over,
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
            Self::Promoted { lower } => write!(f, "promoted, gain at least {lower:.2} bps a week"),
            Self::Unsure { lower, over } => {
                write!(f, "kept, gain over {over} not sure: at least {lower:.2} bps a block")
            }
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
    /// Utility of each week, all markets together: these fall together.
    by_week: Vec<f64>,
}

/// Holds `candidate` against `incumbent`, and against the default rules where nobody reigns yet.
pub fn judge(material: &Material, candidate: &Decider, incumbent: Option<&Policy>) -> Judged {
    let rules = Decider::Rules(Rules::default());
    let reigning = incumbent.map_or_else(|| rules.clone(), |policy| Decider::Learned(Box::new(policy.into())));
    let side = |decider: &Decider| Side::of(decider, &material.weeks, &material.attacks);
    let (ours, theirs, ruled) = (side(candidate), side(&reigning), side(&rules));
    let mut metrics =
        BTreeMap::from([("blocks".to_owned(), ours.outcomes(Over::WeeksAndAttacks).utility.len() as f64)]);
    metrics.insert("weeks.blocks".to_owned(), ours.by_week.len() as f64);
    for (who, side) in [("candidate", &ours), ("incumbent", &theirs), ("rules", &ruled)] {
        side.note(who, &mut metrics);
    }
    for (whom, side) in [("incumbent", &theirs), ("rules", &ruled)] {
        for (prefix, over) in [("", Over::WeeksAndAttacks), ("weeks.", Over::Weeks)] {
            let [ours, theirs] = [&ours, side].map(|side| side.outcomes(over).utility);
            let both = Gate { level: 0.025, ..Gate::default() };
            let lower = paired_lower_bound(&ours, &theirs, &both);
            let upper = paired_lower_bound(&theirs, &ours, &both).map(|bound| -bound);
            metrics.extend(lower.map(|bound| (format!("{prefix}gain_over_{whom}.lower"), bound)));
            metrics.extend(upper.map(|bound| (format!("{prefix}gain_over_{whom}.upper"), bound)));
        }
    }
    Judged { verdict: verdict(&ours, &theirs), metrics }
}

/// Asks the gate over the weeks, and then over weeks and attacks.
fn verdict(ours: &Side, theirs: &Side) -> Verdict {
    let ask = |over| match promotion(&ours.outcomes(over), &theirs.outcomes(over), &Gate::default()) {
        Promotion::Promote { lower } => Verdict::Promoted { lower },
        Promotion::Unsure { lower } => Verdict::Unsure { lower, over },
        Promotion::Worse { constraint } => Verdict::Worse { constraint: constraint.into() },
        Promotion::Unpaired => Verdict::Unpaired,
    };
    let in_weeks = ask(Over::Weeks);
    match (&in_weeks, ask(Over::WeeksAndAttacks)) {
        (Verdict::Promoted { .. }, Verdict::Promoted { .. }) => in_weeks,
        (Verdict::Promoted { .. }, refused) => refused,
        _ => in_weeks,
    }
}

impl Side {
    fn of(decider: &Decider, weeks: &[WeekMarket], attacks: &[Market]) -> Self {
        let of_weeks =
            Record { name: String::new(), plays: weeks.iter().map(|week| decider.play(&week.market)).collect() };
        let of_attacks = Record::of("", decider, attacks);
        let mut blocks: BTreeMap<i64, f64> = BTreeMap::new();
        for (week, play) in weeks.iter().zip(&of_weeks.plays) {
            *blocks.entry(week.week_ts).or_default() += play.utility;
        }
        Self { weeks: of_weeks, attacks: of_attacks, by_week: blocks.into_values().collect() }
    }

    /// Returns what the gate looks at; the constraints are those of weeks and attacks either way.
    fn outcomes(&self, over: Over) -> Outcomes {
        let mut constraints = vec![
            ("the share of halted time in the weeks", self.weeks.halted_bps()),
            ("the tail of bad debt in the weeks", self.weeks.es95()),
        ];
        if !self.attacks.plays.is_empty() {
            constraints.push(("the share of halted time under attacks", self.attacks.halted_bps()));
            constraints.push(("the tail of bad debt under attacks", self.attacks.es95()));
        }
        let attacks = self.attacks.plays.iter().filter(|_| over == Over::WeeksAndAttacks);
        let utility = self.by_week.iter().copied().chain(attacks.map(|play| play.utility)).collect();
        Outcomes { utility, constraints }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Play;

    /// Thirteen weeks with these gains and losses in turn, and 24 attacks.
    fn side(week: [f64; 2], attack: f64) -> Side {
        let play = |utility| Play { utility, minutes: 1.0, ..Play::default() };
        let record = |plays| Record { name: String::new(), plays };
        let by_week: Vec<f64> = (0..13).map(|at| week[at % 2]).collect();
        let weeks = record(by_week.iter().map(|utility| play(*utility)).collect());
        Side { weeks, attacks: record(vec![play(attack); 24]), by_week }
    }

    #[test]
    fn candidate_is_kept_out_when_it_loses_in_every_week_and_gains_on_attacks_alone() {
        // once promoted: the mean of all 37 blocks is 9.5 bps
        let (ours, theirs) = (side([-10.0; 2], 20.0), side([0.0; 2], 0.0));
        let pooled =
            promotion(&ours.outcomes(Over::WeeksAndAttacks), &theirs.outcomes(Over::WeeksAndAttacks), &Gate::default());
        assert!(matches!(pooled, Promotion::Promote { lower } if lower > 0.0), "{pooled:?}");
        let found = verdict(&ours, &theirs);
        assert_eq!(found, Verdict::Unsure { lower: -10.0, over: Over::Weeks });
        assert_eq!(found.to_string(), "kept, gain over the weeks not sure: at least -10.00 bps a block");
    }

    #[test]
    fn verdict_is_read_from_a_line_that_tells_no_blocks() {
        let read = serde_json::from_str::<Verdict>(r#"{"is":"unsure","lower":-0.5}"#).unwrap();
        assert_eq!(read, Verdict::Unsure { lower: -0.5, over: Over::WeeksAndAttacks });
    }

    #[test]
    fn candidate_is_kept_out_when_attacks_take_back_what_the_weeks_gain() {
        let found = verdict(&side([2.0; 2], -20.0), &side([0.0; 2], 0.0));
        assert!(matches!(found, Verdict::Unsure { lower, over: Over::WeeksAndAttacks } if lower < 0.0), "{found:?}");
        assert!(found.to_string().starts_with("kept, gain over weeks and attacks together not sure: "), "{found}");
    }

    #[test]
    fn candidate_is_promoted_when_both_are_sure_and_told_by_its_gain_in_a_week() {
        let found = verdict(&side([1.0, 3.0], 5.0), &side([0.0; 2], 0.0));
        assert!(matches!(found, Verdict::Promoted { lower } if lower > 1.0 && lower < 2.0), "{found:?}");
        let mut worse = side([1.0, 3.0], 5.0);
        worse.attacks.plays[0].halted_minutes = 1.0;
        let constraint = "the share of halted time under attacks".to_owned();
        assert_eq!(verdict(&worse, &side([0.0; 2], 0.0)), Verdict::Worse { constraint });
    }
}
