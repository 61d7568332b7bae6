//! One score of seven hazards, what each of them adds, and what goes on chain.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::band::Scores;
use crate::hazard::{HAZARDS, Hazard};
use crate::input::Input;

/// Full scale of scores and shares, bps.
pub const BPS: f64 = 10_000.0;

/// How much each hazard counts, and what it counts as when nothing is known about it. Governance sets both.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Weights, 0 to 1. Shape: [`Hazard::ALL`].
    pub weights: [f64; HAZARDS],
    /// Probabilities of hazards whose inputs are missing, 0 to 1. Shape: [`Hazard::ALL`].
    pub missing: [f64; HAZARDS],
}

/// Why weights are refused.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum WeightsError {
    /// Not from 0 to 1.
    #[error("weight of `{hazard}` must be from 0 to 1")]
    Weight {
        /// Name of the hazard.
        hazard: &'static str,
    },
    /// Not above 0: missing would be normal.
    #[error("probability of `{hazard}` when its inputs are missing must be above 0 and at most 1")]
    Missing {
        /// Name of the hazard.
        hazard: &'static str,
    },
}

impl Default for Weights {
    /// Market, oracle, liquidity and run in full, the rest by half. Missing: what restricts new risk by itself where the
    /// hazard counts in full.
    fn default() -> Self {
        Self { weights: [1.0, 1.0, 1.0, 1.0, 0.6, 0.5, 0.5], missing: [0.3, 0.3, 0.3, 0.2, 1.0, 0.2, 0.3] }
    }
}

impl Weights {
    /// Checks both arrays.
    ///
    /// # Errors
    /// `Weight`, `Missing`.
    pub fn validate(&self) -> Result<(), WeightsError> {
        for (at, kind) in Hazard::ALL.into_iter().enumerate() {
            if !(0.0..=1.0).contains(&self.weights[at]) {
                return Err(WeightsError::Weight { hazard: kind.name() });
            }
            if self.missing[at] <= 0.0 || !(0.0..=1.0).contains(&self.missing[at]) {
                return Err(WeightsError::Missing { hazard: kind.name() });
            }
        }
        Ok(())
    }
}

/// What one hazard adds to a score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which hazard.
    pub hazard: Hazard,
    /// Its probability, 0 to 1; the one for missing inputs where they are, 0 where it isn't applicable.
    pub probability: f64,
    /// Whether its inputs are missing.
    pub is_missing: bool,
    /// Whether there is something that it could be about.
    pub is_applicable: bool,
    /// Its weight, 0 to 1.
    pub weight: f64,
    /// Its share of the score, bps, by the logarithm of what it leaves: shares sum to the score but for rounding.
    pub share_bps: f64,
}

/// A score with its parts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// `round(10,000 · (1 - Π(1 - w p)))`, 0 to 10,000.
    pub bps: u16,
    /// Parts, in the order of [`Hazard::ALL`].
    pub parts: [Part; HAZARDS],
}

impl Score {
    /// Joins hazards, each a probability, missing or not applicable. Shape: [`Hazard::ALL`].
    ///
    /// Missing never drops a part: it takes the weights' probability for it. One that isn't applicable can't happen.
    pub fn of(hazards: &[Input; HAZARDS], weights: &Weights) -> Self {
        let taken: [Part; HAZARDS] = std::array::from_fn(|at| {
            let (is_missing, is_applicable) = (hazards[at].is_missing(), hazards[at].is_applicable());
            let unknown = if is_missing { weights.missing[at] } else { 0.0 };
            let probability = hazards[at].known().unwrap_or(unknown).clamp(0.0, 1.0);
            let weight = if weights.weights[at].is_nan() { 1.0 } else { weights.weights[at].clamp(0.0, 1.0) };
            Part { hazard: Hazard::ALL[at], probability, is_missing, is_applicable, weight, share_bps: 0.0 }
        });
        let score = joined(&taken);
        let logs = taken.map(|part| -part.left().max(1e-12).ln());
        let total: f64 = logs.iter().sum();
        let mut parts = taken;
        for (part, log) in parts.iter_mut().zip(logs) {
            part.share_bps = if total > 0.0 { score * log / total } else { 0.0 };
        }
        Self { bps: score.round() as u16, parts }
    }

    /// Returns the score with what it is by what is known alone: without missing inputs, and without age, which is doubt as well.
    pub fn scores(&self) -> Scores {
        let known = self.parts.iter().filter(|part| !part.is_missing && part.hazard != Hazard::Staleness);
        Scores { bps: self.bps, known_bps: joined(known).round() as u16 }
    }

    /// Returns the part of a hazard.
    pub fn part(&self, hazard: Hazard) -> &Part {
        &self.parts[hazard as usize]
    }

    /// Says which parts make the score, or moved it since an earlier one; the largest first.
    pub fn explain(&self, earlier: Option<&Self>) -> Explanation {
        let mut lines: [Line; HAZARDS] = std::array::from_fn(|at| {
            let before = earlier.map_or(0.0, |earlier| earlier.parts[at].share_bps);
            Line { part: self.parts[at], change_bps: self.parts[at].share_bps - before }
        });
        lines.sort_by(|a, b| {
            b.change_bps.abs().total_cmp(&a.change_bps.abs()).then(b.part.share_bps.total_cmp(&a.part.share_bps))
        });
        Explanation { bps: self.bps, earlier_bps: earlier.map(|earlier| earlier.bps), lines }
    }
}

/// Joins what parts leave to a score, bps.
fn joined<'a>(parts: impl IntoIterator<Item = &'a Part>) -> f64 {
    BPS * (1.0 - parts.into_iter().map(Part::left).product::<f64>())
}

impl Part {
    /// Returns what is to be said behind its probability: nothing where that is known.
    pub fn standing(&self) -> &'static str {
        match (self.is_missing, self.is_applicable) {
            (true, _) => ", inputs missing",
            (false, false) => ", not applicable",
            (false, true) => "",
        }
    }

    fn left(&self) -> f64 {
        1.0 - self.weight * self.probability
    }
}

/// Which parts moved a score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The score.
    pub bps: u16,
    /// The score that it is compared with.
    pub earlier_bps: Option<u16>,
    /// One line for each hazard, the one that moved most first.
    pub lines: [Line; HAZARDS],
}

/// What one hazard did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its part now.
    pub part: Part,
    /// Change of its share since the earlier score, or the share itself without one, bps.
    pub change_bps: f64,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.earlier_bps {
            Some(earlier) => {
                writeln!(f, "score {} bps, {:+} since {earlier}", self.bps, i32::from(self.bps) - i32::from(earlier))?
            }
            None => writeln!(f, "score {} bps", self.bps)?,
        }
        for Line { part, change_bps } in &self.lines {
            let missing = part.standing();
            let (name, percent) = (part.hazard.name(), 100.0 * part.probability);
            writeln!(
                f,
                "  {name:<10} {change_bps:>+8.0} bps: probability {percent:.1} %, weight {:.2}{missing}",
                part.weight
            )?;
        }
        Ok(())
    }
}

/// The six shares of a report, as the program's `ReportParts` takes them, bps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportShares {
    /// The score; high is dangerous.
    pub score_bps: u16,
    /// Volatility per square root of a day, half-life 24 h; high is dangerous.
    pub volatility_bps: u16,
    /// 10,000 less the liquidity hazard; low is dangerous.
    pub liquidity_bps: u16,
    /// Mean correlation with the other markets, 0 below zero; high is dangerous.
    pub correlation_bps: u16,
    /// The strangest of prices, flows and regime; high is dangerous.
    pub anomaly_bps: u16,
    /// 10,000 less the hazards of staleness and operations; low is dangerous.
    pub system_health_bps: u16,
}

impl ReportShares {
    /// Maps a score and three measures; what is missing is at its dangerous end.
    ///
    /// # Units
    /// `vol_day` per square root of a day; `correlation` -1 to 1; `anomaly` 0 to 1.
    pub fn of(score: &Score, vol_day: Input, correlation: Input, anomaly: Input) -> Self {
        let left = |hazard: Hazard| 1.0 - score.part(hazard).probability;
        Self {
            score_bps: score.bps,
            volatility_bps: share(vol_day.known().unwrap_or(1.0)),
            liquidity_bps: share(left(Hazard::Liquidity)),
            correlation_bps: share(correlation.known().unwrap_or(1.0)),
            anomaly_bps: share(anomaly.known().unwrap_or(1.0)),
            system_health_bps: share(left(Hazard::Staleness) * left(Hazard::Operations)),
        }
    }
}

fn share(value: f64) -> u16 {
    (BPS * value.clamp(0.0, 1.0)).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hazards(values: [f64; HAZARDS]) -> [Input; HAZARDS] {
        values.map(Input::of)
    }

    #[test]
    fn score_equals_the_formula_when_computed_by_hand() {
        let weights = Weights { weights: [1.0, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0], ..Weights::default() };
        let score = Score::of(&hazards([0.1, 0.2, 0.05, 1.0, 1.0, 1.0, 1.0]), &weights);
        // 1 - 0.9 · 0.9 · 0.95 = 0.2305
        assert_eq!(score.bps, 2_305);
        let shares: f64 = score.parts.iter().map(|part| part.share_bps).sum();
        assert!((shares - 2_305.0).abs() < 1e-6);
        assert!((score.part(Hazard::Market).share_bps - score.part(Hazard::Oracle).share_bps).abs() < 1e-9);
        assert_eq!(score.part(Hazard::Run).share_bps, 0.0);
    }

    #[test]
    fn score_is_full_when_one_hazard_is_certain() {
        let score = Score::of(&hazards([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]), &Weights::default());
        assert_eq!(score.bps, 10_000);
        assert!((score.part(Hazard::Market).share_bps - 10_000.0).abs() < 1e-6);
        assert_eq!(Score::of(&hazards([0.0; HAZARDS]), &Weights::default()).bps, 0);
    }

    #[test]
    fn missing_input_raises_its_own_hazard_and_no_other() {
        let weights = Weights::default();
        let calm = Score::of(&hazards([0.01; HAZARDS]), &weights);
        for (at, kind) in Hazard::ALL.into_iter().enumerate() {
            let mut inputs = hazards([0.01; HAZARDS]);
            inputs[at] = if at % 2 == 0 { Input::Missing } else { Input::Known(f64::NAN) };
            let score = Score::of(&inputs, &weights);
            assert!(score.bps > calm.bps + 500, "{kind:?} {}", score.bps);
            assert_eq!(score.parts.iter().filter(|part| part.is_missing).count(), 1);
            assert_eq!((score.part(kind).is_missing, score.part(kind).probability), (true, weights.missing[at]));
        }
    }

    #[test]
    fn hazard_that_is_not_applicable_adds_nothing_and_is_not_missing() {
        let mut inputs = hazards([0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        (inputs[2], inputs[3]) = (Input::NotApplicable, Input::NotApplicable);
        let score = Score::of(&inputs, &Weights::default());
        assert_eq!(score.bps, 1_000);
        let run = score.part(Hazard::Run);
        assert_eq!((run.probability, run.is_missing, run.is_applicable, run.share_bps), (0.0, false, false, 0.0));
        assert_eq!(score.explain(None).to_string().matches("0.0 %, weight 1.00, not applicable").count(), 2);
        let report = ReportShares::of(&score, Input::of(0.0), Input::of(0.0), Input::of(0.0));
        assert_eq!(report.liquidity_bps, 10_000);
    }

    #[test]
    fn explanation_names_the_part_that_moved_first() {
        let before = Score::of(&hazards([0.05, 0.02, 0.02, 0.0, 0.0, 0.02, 0.0]), &Weights::default());
        let after = Score::of(&hazards([0.05, 0.02, 0.40, 0.0, 0.0, 0.02, 0.0]), &Weights::default());
        let explanation = after.explain(Some(&before));
        assert_eq!(explanation.lines[0].part.hazard, Hazard::Liquidity);
        let moved: f64 = explanation.lines.iter().map(|line| line.change_bps).sum();
        assert!((moved - f64::from(after.bps) + f64::from(before.bps)).abs() < 1.1);
        let text = explanation.to_string();
        let first = format!("score {} bps, +{} since {}\n  liquidity ", after.bps, after.bps - before.bps, before.bps);
        assert!(text.starts_with(&first), "{text}");
        let mut inputs = hazards([0.0; HAZARDS]);
        inputs[1] = Input::Missing;
        let text = Score::of(&inputs, &Weights::default()).explain(None).to_string();
        assert!(
            text.starts_with(
                "score 3000 bps\n  oracle        +3000 bps: probability 30.0 %, weight 1.00, inputs missing\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn report_is_at_its_dangerous_end_when_nothing_is_known() {
        let score = Score::of(&[Input::Missing; HAZARDS], &Weights::default());
        let report = ReportShares::of(&score, Input::Missing, Input::Missing, Input::Missing);
        assert_eq!((report.volatility_bps, report.correlation_bps, report.anomaly_bps), (10_000, 10_000, 10_000));
        assert_eq!((report.liquidity_bps, report.system_health_bps), (7_000, 0));
        assert!(report.score_bps > 8_000);
    }

    #[test]
    fn score_by_what_is_known_leaves_out_what_is_missing_or_old() {
        let mut inputs = hazards([0.1, 0.0, 0.2, 0.0, 1.0, 0.0, 0.0]);
        inputs[1] = Input::Missing;
        let Scores { bps, known_bps } = Score::of(&inputs, &Weights::default()).scores();
        // 1 - 0.9 · 0.7 · 0.8 · 0.4, and 1 - 0.9 · 0.8
        assert_eq!((bps, known_bps), (7_984, 2_800));
    }

    #[test]
    fn weights_are_refused_when_missing_would_be_normal() {
        let mut weights = Weights::default();
        weights.validate().unwrap();
        weights.missing[2] = 0.0;
        assert_eq!(weights.validate(), Err(WeightsError::Missing { hazard: "liquidity" }));
        weights.weights[0] = f64::NAN;
        assert_eq!(weights.validate(), Err(WeightsError::Weight { hazard: "market" }));
    }

    proptest! {
        #[test]
        fn score_rises_with_every_hazard(values in prop::array::uniform7(0.0f64..1.0), at in 0usize..HAZARDS, more in 0.0f64..1.0) {
            let mut higher = values;
            higher[at] = values[at] + (1.0 - values[at]) * more;
            let [low, high] = [values, higher].map(|values| Score::of(&hazards(values), &Weights::default()).bps);
            prop_assert!(low <= high && high <= 10_000);
        }

        #[test]
        fn score_and_shares_are_in_range_whatever_comes_in(
            values in prop::array::uniform7(prop::num::f64::ANY),
            weights in prop::array::uniform7(prop::num::f64::ANY),
        ) {
            let weights = Weights { weights, ..Weights::default() };
            let score = Score::of(&values.map(Input::Known), &weights);
            prop_assert!(score.bps <= 10_000);
            prop_assert!(score.parts.iter().all(|part| part.share_bps.is_finite() && part.share_bps >= 0.0));
            let report = ReportShares::of(&score, Input::Known(values[0]), Input::Known(values[1]), Input::Known(values[2]));
            let all = [report.volatility_bps, report.liquidity_bps, report.correlation_bps, report.anomaly_bps, report.system_health_bps];
            prop_assert!(all.iter().all(|bps| *bps <= 10_000));
        }
    }
}
