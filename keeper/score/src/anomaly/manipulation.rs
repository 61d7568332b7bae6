//! Whether a price moved because the market did: tells a wick of one venue, a real move and a manipulated oracle apart.

use serde::{Deserialize, Serialize};

use crate::ewma::{Ewma, decay};
use crate::input::Input;

/// Most venues that are compared.
pub const VENUES_MAX: usize = 16;
/// Half-life of the price that moves are measured from, seconds.
const REFERENCE_HALF_LIFE: f64 = 1_800.0;
/// A move below this is never one, log.
const MOVE_MIN: f64 = 0.01;
/// Standard deviations of five minutes that make a move.
const MOVE_SIGMAS: f64 = 6.0;
/// Standard deviations off the majors that no shared news explains.
const RESIDUAL_SIGMAS: f64 = 6.0;
/// Illiquidity (log ratio to its habit) that a pushed market shows.
const AMIHUD_RAISED: f64 = 0.7;

/// What is seen of one asset's price at one time.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// Time, unix seconds.
    pub ts: i64,
    /// The price that the program would use, quote per base.
    pub oracle: Input,
    /// Last price of each independent venue. At most [`VENUES_MAX`] are read.
    pub venues: &'a [Input],
    /// Standard deviation of five minutes, log.
    pub sigma: f64,
    /// Log return of the majors, times the asset's beta, over the reference's half-life.
    pub factor: Input,
    /// Log ratio of Amihud's illiquidity to its habit.
    pub amihud_log_ratio: Input,
}

/// What an observation means, from harmless to hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PriceVerdict {
    /// Nothing moved more than it does.
    Quiet,
    /// A minority of venues printed away from the others, and the oracle stayed with the others.
    Wick,
    /// Most venues moved, and nothing speaks against it.
    RealMove,
    /// Fewer than two venues live: a wick and a move look alike.
    Undecided,
    /// Most venues moved up in thin trading while the majors didn't: what pushing a small market looks like.
    Pushed,
    /// The oracle is where most venues aren't.
    OracleOff,
}

/// The detector of one asset: remembers where its price was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Detector {
    reference: Ewma,
    last_ts: Option<i64>,
}

impl Detector {
    /// Judges an observation, then learns from it.
    pub fn push(&mut self, seen: &Observation) -> PriceVerdict {
        let mut prices = [0.0; VENUES_MAX];
        let live = collect(seen.venues, &mut prices);
        let prices = &mut prices[..live];
        let Some(median) = median(prices) else { return PriceVerdict::Undecided };
        let verdict = self.judge(seen, prices, median);
        self.learn(seen.ts, median, verdict);
        verdict
    }

    fn judge(&self, seen: &Observation, prices: &[f64], median: f64) -> PriceVerdict {
        let sigma = if seen.sigma.is_finite() { seen.sigma.max(0.0) } else { 0.0 };
        let threshold = (MOVE_SIGMAS * sigma).max(MOVE_MIN);
        if prices.len() < 2 {
            return PriceVerdict::Undecided;
        }
        let oracle = seen.oracle.known().filter(|price| *price > 0.0);
        if oracle.is_some_and(|price| (price / median).ln().abs() > threshold) {
            return PriceVerdict::OracleOff;
        }
        let away = prices.iter().filter(|price| (*price / median).ln().abs() > threshold).count();
        // Two venues that disagree: neither is a majority.
        if 2 * away >= prices.len() {
            return PriceVerdict::Undecided;
        }
        let moved = (median / self.reference.mean_or(median)).ln();
        if moved.abs() <= threshold {
            return if away > 0 { PriceVerdict::Wick } else { PriceVerdict::Quiet };
        }
        if is_pushed(seen, moved, sigma.max(MOVE_MIN / MOVE_SIGMAS)) {
            PriceVerdict::Pushed
        } else {
            PriceVerdict::RealMove
        }
    }

    fn learn(&mut self, ts: i64, median: f64, verdict: PriceVerdict) {
        let secs = self.last_ts.map_or(60.0, |last| ts.saturating_sub(last).max(0) as f64);
        self.last_ts = Some(ts);
        // A pushed price is learnt too, at the same slow pace: an attack that lasts for hours is the others' to judge.
        if verdict != PriceVerdict::Undecided {
            self.reference.push(median, decay(secs, REFERENCE_HALF_LIFE));
        }
    }
}

impl PriceVerdict {
    /// Returns the probability that the price is wrong, as a hazard: rules, not fitted.
    pub fn probability(self) -> Input {
        match self {
            Self::Quiet => Input::Known(0.0),
            Self::Wick => Input::Known(0.02),
            Self::RealMove => Input::Known(0.05),
            Self::Undecided => Input::Missing,
            Self::Pushed => Input::Known(0.6),
            Self::OracleOff => Input::Known(0.9),
        }
    }
}

/// A rise, off the majors, in thin trading. An unknown factor counts as flat; unknown illiquidity as not raised.
fn is_pushed(seen: &Observation, moved: f64, sigma: f64) -> bool {
    let residual = moved - seen.factor.known().unwrap_or(0.0);
    let is_thin = seen.amihud_log_ratio.known().is_some_and(|ratio| ratio > AMIHUD_RAISED);
    // The reference is 30 minutes old: six spans of five minutes.
    residual > RESIDUAL_SIGMAS * sigma * 6f64.sqrt() && is_thin
}

fn collect(venues: &[Input], prices: &mut [f64; VENUES_MAX]) -> usize {
    let mut live = 0;
    for price in venues.iter().take(VENUES_MAX).filter_map(|venue| venue.known()).filter(|price| *price > 0.0) {
        prices[live] = price;
        live += 1;
    }
    live
}

/// Sorts and returns the median; of an even number the geometric middle of the two.
pub(crate) fn median(prices: &mut [f64]) -> Option<f64> {
    prices.sort_unstable_by(f64::total_cmp);
    let middle = prices.len() / 2;
    match prices.len() {
        0 => None,
        n if n % 2 == 1 => Some(prices[middle]),
        _ => Some((prices[middle - 1].ln() / 2.0 + prices[middle].ln() / 2.0).exp()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIGMA: f64 = 0.002;

    fn known(prices: &[f64]) -> Vec<Input> {
        prices.iter().map(|price| Input::of(*price)).collect()
    }

    fn seen(oracle: f64, venues: &[Input], factor: f64, amihud: f64) -> Observation<'_> {
        Observation {
            ts: 1_000_000,
            oracle: Input::of(oracle),
            venues,
            sigma: SIGMA,
            factor: Input::of(factor),
            amihud_log_ratio: Input::of(amihud),
        }
    }

    fn calm() -> Detector {
        let mut detector = Detector::default();
        for minute in 0..120i64 {
            let venues = known(&[100.0, 100.05, 99.95]);
            let ts = 1_000_000 - (120 - minute) * 60;
            assert_eq!(detector.push(&Observation { ts, ..seen(100.0, &venues, 0.0, 0.0) }), PriceVerdict::Quiet);
        }
        detector
    }

    #[test]
    fn verdict_is_a_wick_when_one_venue_of_three_prints_alone() {
        let venues = known(&[0.01, 100.0, 100.02]);
        assert_eq!(calm().push(&seen(100.0, &venues, 0.0, 3.0)), PriceVerdict::Wick);
    }

    #[test]
    fn verdict_is_a_real_move_when_most_venues_fall() {
        let venues = known(&[80.0, 80.1, 79.9]);
        assert_eq!(calm().push(&seen(80.0, &venues, 0.0, 3.0)), PriceVerdict::RealMove);
    }

    #[test]
    fn verdict_is_a_real_move_when_a_rise_is_the_majors_or_well_traded() {
        let venues = known(&[130.0, 130.1, 129.9]);
        assert_eq!(calm().push(&seen(130.0, &venues, 0.25, 3.0)), PriceVerdict::RealMove);
        assert_eq!(calm().push(&seen(130.0, &venues, 0.0, 0.1)), PriceVerdict::RealMove);
    }

    #[test]
    fn verdict_is_pushed_when_a_thin_market_doubles_alone() {
        let venues = known(&[200.0, 201.0, 199.0]);
        assert_eq!(calm().push(&seen(200.0, &venues, 0.0, 1.5)), PriceVerdict::Pushed);
    }

    #[test]
    fn verdict_is_oracle_off_when_the_oracle_follows_the_wick() {
        let venues = known(&[200.0, 100.0, 100.02]);
        assert_eq!(calm().push(&seen(200.0, &venues, 0.0, 0.0)), PriceVerdict::OracleOff);
    }

    #[test]
    fn verdict_is_undecided_when_one_source_is_left_or_two_disagree() {
        let two = known(&[100.0, 60.0]);
        assert_eq!(calm().push(&seen(77.0, &two, 0.0, 0.0)), PriceVerdict::Undecided);
        let one = [Input::Missing, Input::of(60.0), Input::of(f64::NAN)];
        assert_eq!(calm().push(&seen(60.0, &one, 0.0, 0.0)), PriceVerdict::Undecided);
        assert_eq!(calm().push(&seen(60.0, &[], 0.0, 0.0)), PriceVerdict::Undecided);
        assert_eq!(PriceVerdict::Undecided.probability(), Input::Missing);
    }

    proptest! {
        #[test]
        fn verdict_comes_whatever_goes_in(
            oracle in prop::num::f64::ANY,
            venues in prop::collection::vec(prop::num::f64::ANY, 0..20),
            sigma in prop::num::f64::ANY,
            ts in any::<i64>(),
        ) {
            let venues: Vec<Input> = venues.into_iter().map(Input::Known).collect();
            let mut detector = calm();
            detector.push(&Observation { ts, sigma, ..seen(oracle, &venues, f64::NAN, f64::INFINITY) });
            let after = known(&[100.0, 100.05, 99.95]);
            let verdict = detector.push(&seen(100.0, &after, 0.0, 0.0));
            prop_assert!(verdict <= PriceVerdict::Pushed);
        }

        #[test]
        fn minority_never_makes_a_move(prices in prop::collection::vec(1.0f64..1e4, 1..3)) {
            let mut all = vec![100.0, 100.01, 99.99];
            all.extend(&prices);
            let venues = known(&all);
            let verdict = calm().push(&seen(100.0, &venues, 0.0, 5.0));
            prop_assert!(verdict <= PriceVerdict::Wick, "{verdict:?}");
        }
    }
}
