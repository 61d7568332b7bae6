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
    /// Log return of the majors, times the asset's beta, over the reference's half-life; missing where none are watched.
    pub factor: Input,
    /// Log ratio of Amihud's illiquidity to its habit; missing where no source tells volumes.
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
    /// Most venues moved up and the majors didn't, and nobody tells how thin the trading is: pushed, or news of its own.
    Alone,
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
        let away_from = |at: f64| prices.iter().filter(|price| (*price / at).ln().abs() > threshold).count();
        // Of an even number the middle is where none of them is: half of the venues at the oracle's price don't speak against it.
        if oracle.is_some_and(|at| (at / median).ln().abs() > threshold && 2 * away_from(at) > prices.len()) {
            return PriceVerdict::OracleOff;
        }
        let away = away_from(median);
        // Two venues that disagree: neither is a majority.
        if 2 * away >= prices.len() {
            return PriceVerdict::Undecided;
        }
        let moved = (median / self.reference.mean_or(median)).ln();
        if moved.abs() <= threshold {
            return if away > 0 { PriceVerdict::Wick } else { PriceVerdict::Quiet };
        }
        moved_by(seen, moved, sigma.max(MOVE_MIN / MOVE_SIGMAS))
    }

    /// Returns how far a price is from the reference, log; none before the first.
    pub fn moved(&self, price: f64) -> Option<f64> {
        self.reference.mean().map(|reference| (price / reference).ln()).filter(|moved| moved.is_finite())
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
            Self::Alone => Input::Known(0.3),
            Self::Pushed => Input::Known(0.6),
            Self::OracleOff => Input::Known(0.9),
        }
    }
}

/// What a move of most venues is. A rise off the majors in thin trading was pushed; majors that nobody knows count as flat
/// then. Without volumes it needs majors that are known not to have moved, and stays open.
fn moved_by(seen: &Observation, moved: f64, sigma: f64) -> PriceVerdict {
    let residual = moved - seen.factor.known().unwrap_or(0.0);
    // The reference is 30 minutes old: six spans of five minutes.
    if residual <= RESIDUAL_SIGMAS * sigma * 6f64.sqrt() {
        return PriceVerdict::RealMove;
    }
    match (seen.amihud_log_ratio.known(), seen.factor.known()) {
        (Some(ratio), _) if ratio > AMIHUD_RAISED => PriceVerdict::Pushed,
        (None, Some(_)) => PriceVerdict::Alone,
        _ => PriceVerdict::RealMove,
    }
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
    fn verdict_is_alone_when_nobody_tells_volumes_and_the_majors_are_known_to_be_flat() {
        let venues = known(&[130.0, 130.1, 129.9]);
        let unknown = Observation { amihud_log_ratio: Input::Missing, ..seen(130.0, &venues, 0.0, 0.0) };
        let mut detector = calm();
        assert_eq!(detector.push(&unknown), PriceVerdict::Alone);
        assert_eq!(PriceVerdict::Alone.probability(), Input::Known(0.3));
        // It is learnt as a move is: hours later it is where the price always was.
        let later: Vec<PriceVerdict> =
            (1..=300).map(|minute| detector.push(&Observation { ts: unknown.ts + 60 * minute, ..unknown })).collect();
        assert_eq!((later[0], later[299]), (PriceVerdict::Alone, PriceVerdict::Quiet));
        // ln(1.3) = 0.262, of which the majors explain 0.25.
        assert_eq!(calm().push(&Observation { factor: Input::of(0.25), ..unknown }), PriceVerdict::RealMove);
        assert_eq!(calm().push(&Observation { factor: Input::Missing, ..unknown }), PriceVerdict::RealMove);
    }

    #[test]
    fn verdict_is_oracle_off_when_the_oracle_follows_the_wick() {
        let venues = known(&[200.0, 100.0, 100.02]);
        assert_eq!(calm().push(&seen(200.0, &venues, 0.0, 0.0)), PriceVerdict::OracleOff);
    }

    #[test]
    fn verdict_is_undecided_when_half_of_the_venues_are_at_the_oracle() {
        let venues = known(&[100.0, 100.02, 110.0, 110.02]);
        assert_eq!(calm().push(&seen(100.0, &venues, 0.0, 0.0)), PriceVerdict::Undecided);
        let venues = known(&[100.0, 110.0, 110.02]);
        assert_eq!(calm().push(&seen(100.0, &venues, 0.0, 0.0)), PriceVerdict::OracleOff);
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
