//! What an oracle's print looks like beside independent venues.

use serde::{Deserialize, Serialize};

use crate::anomaly::VENUES_MAX;
use crate::input::Input;

/// A print of the oracle and what stands beside it.
#[derive(Clone, Copy, Debug)]
pub struct OraclePrint<'a> {
    /// Price, quote per base.
    pub price: Input,
    /// Confidence, same units.
    pub confidence: Input,
    /// Age, seconds.
    pub age_secs: Input,
    /// Time-weighted price of 30 min, same units.
    pub twap: Input,
    /// Last price of each independent venue. At most [`VENUES_MAX`] are read.
    pub venues: &'a [Input],
    /// Standard deviation of five minutes, log.
    pub sigma: f64,
}

/// Measures of an oracle's health.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OracleHealth {
    /// Gap to the venues' median, in the larger of σ(5 min) and confidence.
    pub z: Input,
    /// Confidence over price.
    pub confidence_ratio: Input,
    /// Age, seconds.
    pub age_secs: Input,
    /// `ln(price / twap)`.
    pub twap_gap: Input,
    /// `ln(highest / lowest)` of the venues; missing below two.
    pub disagreement: Input,
    /// Live sources: the oracle and the venues.
    pub live_sources: u8,
}

impl OracleHealth {
    /// Measures a print.
    pub fn of(print: &OraclePrint) -> Self {
        let positive = |input: Input| input.known().filter(|value| *value > 0.0);
        let mut venues = [0.0; VENUES_MAX];
        let mut live = 0;
        for price in print.venues.iter().take(VENUES_MAX).filter_map(|venue| positive(*venue)) {
            venues[live] = price;
            live += 1;
        }
        let venues = &mut venues[..live];
        let median = crate::anomaly::median(venues);
        let (price, confidence) = (positive(print.price), print.confidence.known().map(f64::abs));
        Self {
            z: price.zip(median).map(|(price, median)| z(price, median, confidence, print.sigma)).into(),
            confidence_ratio: price.zip(confidence).map(|(price, confidence)| confidence / price).into(),
            age_secs: print.age_secs.map(|age| age.max(0.0)),
            twap_gap: price.zip(positive(print.twap)).map(|(price, twap)| (price / twap).ln()).into(),
            disagreement: (live >= 2).then(|| (venues[live - 1] / venues[0]).ln()).into(),
            live_sources: live as u8 + u8::from(price.is_some()),
        }
    }
}

fn z(price: f64, median: f64, confidence: Option<f64>, sigma: f64) -> f64 {
    let sigma = if sigma.is_finite() { sigma.abs() } else { 0.0 };
    // One bp: a market that never moves still has a tick.
    let unit = (sigma * median).max(confidence.unwrap_or(0.0)).max(1e-4 * median);
    (price - median) / unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn print(venues: &[Input]) -> OraclePrint<'_> {
        OraclePrint {
            price: Input::of(103.0),
            confidence: Input::of(0.5),
            age_secs: Input::of(12.0),
            twap: Input::of(100.0),
            venues,
            sigma: 0.01,
        }
    }

    #[test]
    fn health_equals_hand_computed_values() {
        let venues = [Input::of(99.0), Input::of(100.0), Input::of(102.0), Input::Missing];
        let health = OracleHealth::of(&print(&venues));
        // (103 - 100) / max(0.01 · 100, 0.5)
        assert!((health.z.known().unwrap() - 3.0).abs() < 1e-12);
        assert!((health.confidence_ratio.known().unwrap() - 0.5 / 103.0).abs() < 1e-12);
        assert!((health.twap_gap.known().unwrap() - 1.03f64.ln()).abs() < 1e-12);
        assert!((health.disagreement.known().unwrap() - (102.0f64 / 99.0).ln()).abs() < 1e-12);
        assert_eq!(health.live_sources, 4);
    }

    #[test]
    fn measures_are_missing_when_venues_are() {
        let health = OracleHealth::of(&print(&[Input::of(100.0)]));
        assert!(health.disagreement.is_missing() && !health.z.is_missing());
        let health = OracleHealth::of(&print(&[Input::Missing, Input::of(-1.0)]));
        assert!(health.z.is_missing());
        assert_eq!(health.live_sources, 1);
    }

    proptest! {
        #[test]
        fn known_measures_are_finite_whatever_comes_in(
            values in prop::array::uniform5(prop::num::f64::ANY),
            venues in prop::collection::vec(prop::num::f64::ANY, 0..20),
        ) {
            let venues: Vec<Input> = venues.into_iter().map(Input::Known).collect();
            let [price, confidence, age, twap, sigma] = values;
            let health = OracleHealth::of(&OraclePrint {
                price: Input::Known(price),
                confidence: Input::Known(confidence),
                age_secs: Input::Known(age),
                twap: Input::Known(twap),
                venues: &venues,
                sigma,
            });
            for input in [health.z, health.confidence_ratio, health.age_secs, health.twap_gap, health.disagreement] {
                prop_assert!(matches!(input, Input::Missing) || input.known().is_some());
            }
        }
    }
}
