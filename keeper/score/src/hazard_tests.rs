//! Hazards at points that can be computed by hand, and their directions.

use super::*;
use crate::state::FLOWS;
use proptest::prelude::*;

fn books(volume_day: f64, spread: f64) -> Place {
    Place::Books { volume_day: Input::of(volume_day), spread: Input::of(spread) }
}

/// Where nothing is known of the books.
const UNKNOWN: Place = Place::Books { volume_day: Input::Missing, spread: Input::Missing };

fn exit(size: f64) -> Exit {
    Exit { size: Input::of(size), place: books(1e6, 0.002), lambda: None, vol_day: Input::of(0.05), bonus: 0.05 }
}

fn near(input: Input, expected: f64) {
    assert!((input.known().unwrap() - expected).abs() < 1e-6, "{input:?} {expected}");
}

#[test]
fn exit_costs_and_hazard_equal_hand_computed_values() {
    near(exit(1e4).cost(), 0.001 + 0.05 * 0.1);
    // The cost that equals the bonus is exceeded with one in two: 0.001 + 0.05 √(Q/V) = 0.05, Q/V = 0.9604.
    near(exit(0.9604e6).hazard(86_400), 0.5);
    // ln(0.05/0.006) / 0.6 = 3.5338 standard deviations.
    near(exit(1e4).hazard(86_400), normal_tail((0.05f64 / 0.006).ln() / 0.6));
    assert!((normal_tail(1.644_853_627) - 0.05).abs() < 1e-9);
    near(exit(0.0).hazard(86_400), 0.0);
    near(Exit { place: books(0.0, 0.002), ..exit(1.0) }.hazard(86_400), 1.0);
    near(Exit { bonus: 0.0, ..exit(1.0) }.hazard(86_400), 1.0);
    assert!(Exit { place: books(1e6, f64::NAN), ..exit(1.0) }.hazard(86_400).is_missing());
}

/// A million of each side, and 30 bps.
const POOL: Reserves = Reserves { fee: Input::Known(0.003), sold: Input::Known(1e6), paid: Input::Known(1e6) };

fn at_pool(size: f64, pool: Reserves) -> Exit {
    // the volatility counts for nothing
    Exit { place: Place::Pool(pool), vol_day: Input::Missing, ..exit(size) }
}

#[test]
fn exit_at_a_pool_costs_the_fee_and_what_its_curve_takes() {
    // 10,000 into a million: 0.3 % and 10,000 / 1,010,000
    near(at_pool(1e4, POOL).cost(), 0.003 + 1.0 / 101.0);
    // it pays a tenth less than agreed: 1 - 900,000 / 1,010,000
    near(at_pool(1e4, Reserves { paid: Input::of(9e5), ..POOL }).cost(), 0.003 + 11.0 / 101.0);
    // one that pays more isn't counted on, and where nobody says what it pays its own price counts
    for paid in [Input::of(5e6), Input::NotApplicable] {
        near(at_pool(1e4, Reserves { paid, ..POOL }).cost(), 0.003 + 1.0 / 101.0);
    }
    near(at_pool(1.0, Reserves { sold: Input::of(0.0), ..POOL }).cost(), 1.0);
    near(at_pool(1.0, Reserves { paid: Input::of(0.0), ..POOL }).cost(), 1.0);
    near(at_pool(0.0, POOL).cost(), 0.0);
    for missing in [
        Reserves { fee: Input::Missing, ..POOL },
        Reserves { sold: Input::Missing, ..POOL },
        Reserves { paid: Input::Missing, ..POOL },
    ] {
        assert!(at_pool(1e4, missing).cost().is_missing() && at_pool(0.0, missing).cost().is_missing(), "{missing:?}");
    }
}

#[test]
fn depth_of_a_pool_is_what_costs_two_percent() {
    // Q / (R + Q) = 0.02: R / 49
    near(POOL.depth(0.02), 1e6 / 49.0);
    // 990,000 / 0.98 - 1,000,000
    near(Reserves { paid: Input::of(9.9e5), ..POOL }.depth(0.02), 1e4 * (99.0 / 0.98 - 100.0));
    near(Reserves { paid: Input::of(9e5), ..POOL }.depth(0.02), 0.0);
    assert!(Reserves { paid: Input::Missing, ..POOL }.depth(0.02).is_missing());
}

#[test]
fn dearer_one_of_the_place_and_of_what_the_price_answered_counts() {
    // x = 1e-6 · 1e5: 1 - (1 - e^-0.1) / 0.1 = 0.048374; the books take 0.05 √0.1 = 0.015811
    near(Exit { lambda: Some(1e-6), ..exit(1e5) }.cost(), 0.001 + 0.048_374_180);
    near(Exit { lambda: Some(1e-8), ..exit(1e5) }.cost(), 0.001 + 0.05 * 0.1f64.sqrt());
    near(Exit { lambda: Some(1e-6), ..at_pool(1e5, POOL) }.cost(), 0.003 + 1.0 / 11.0);
    near(Exit { lambda: Some(1e-5), ..at_pool(1e5, POOL) }.cost(), 0.003 + 0.367_879_441);
    // what arbitrage alone makes of a pool: 2 / R, and the same cost to the first order
    near(Exit { lambda: Some(2e-6), ..at_pool(10.0, POOL) }.cost(), 0.003 + 1e-5);
    assert!(Exit { lambda: Some(1e-6), place: UNKNOWN, ..exit(1e5) }.cost().is_missing(), "it replaces no place");
}

fn outflow(shares: [f64; 3]) -> FlowReading {
    let mut reading = FlowReading { shares: [[0.0; 3]; FLOWS], bursts: [1.0; FLOWS] };
    reading.shares[FlowKind::Outflow as usize] = shares;
    reading
}

#[test]
fn run_is_even_when_expected_outflow_is_all_that_can_leave() {
    // A day at the day's pace, without an excess of the hour.
    near(run(Some(&outflow([0.0, 0.01, 0.24])), Input::of(0.24), Input::of(1.0), 86_400), 0.5);
    near(run(Some(&outflow([0.0; 3])), Input::of(0.2), Input::of(1.0), 86_400), 0.0);
    near(run(Some(&outflow([0.0, 0.1, 0.1])), Input::of(0.0), Input::of(1.0), 86_400), 1.0);
    // One in a thousand is half way: 0.5 · 0.5.
    near(run(Some(&outflow([0.0; 3])), Input::of(0.2), Input::of(1e-3), 86_400), 0.25);
    assert!(run(None, Input::of(0.2), Input::of(1.0), 86_400).is_missing());
    assert!(run(Some(&outflow([0.0; 3])), Input::Missing, Input::of(1.0), 86_400).is_missing());
}

#[test]
fn staleness_is_certain_when_the_age_is_unknown() {
    near(staleness(Input::Missing, 30.0, 90.0), 1.0);
    near(staleness(Input::of(30.0), 30.0, 90.0), 0.0);
    near(staleness(Input::of(60.0), 30.0, 90.0), 0.5);
    near(staleness(Input::of(1e9), 30.0, 90.0), 1.0);
}

fn health() -> OracleHealth {
    OracleHealth {
        z: Input::of(0.0),
        confidence_ratio: Input::of(0.001),
        age_secs: Input::of(1.0),
        twap_gap: Input::of(0.0),
        disagreement: Input::of(0.0),
        live_sources: 4,
    }
}

#[test]
fn oracle_ignores_the_distance_of_a_wick_and_not_that_of_a_dispute() {
    let apart = OracleHealth { disagreement: Input::of(9.0), ..health() };
    near(oracle(&apart, PriceVerdict::Wick), 0.02);
    near(oracle(&apart, PriceVerdict::RealMove), 1.0 - 0.95 * 0.1);
    assert!(oracle(&health(), PriceVerdict::Undecided).is_missing());
    near(oracle(&OracleHealth { z: Input::Missing, ..health() }, PriceVerdict::OracleOff), 0.9);
}

#[test]
fn system_is_two_percent_when_stress_is_usual_and_rises_with_it() {
    let usual = Stress { correlation: 0.5, absorption: 0.6, absorption_shift: 0.0, turbulence: 1.0 };
    near(system(Some(&usual)), 1.0 / (1.0 + 3.9f64.exp()));
    let crisis = Stress { absorption_shift: 4.0, turbulence: 30.0, ..usual };
    assert!(system(Some(&crisis)).known().unwrap() > 0.5);
    assert!(system(None).is_missing());
}

#[test]
fn operations_are_unknown_until_slots_and_peers_are() {
    let mut state = Operations::default();
    assert!(operations(&state).is_missing());
    state.set_slots(100, 100);
    state.set_peers(Some(500), &[]);
    near(operations(&state), 0.0);
    state.set_slots(109, 100);
    near(operations(&state), 0.5);
}

#[test]
fn market_is_missing_when_the_model_is_and_rises_with_the_alarm() {
    assert!(market(Input::Missing, Alarm::Severe).is_missing());
    near(market(Input::of(0.1), Alarm::Quiet), 0.1);
    near(market(Input::of(0.1), Alarm::Severe), 1.0 - 0.9 * 0.85);
}

/// An asset that no vault takes has nothing to liquidate and nobody who runs: both counted as missing, which made
/// 1 - 0.7 · 0.8 = 4,400 bps of it for ever.
#[test]
fn exit_and_run_are_not_applicable_where_there_is_no_pool() {
    let exit = Exit { size: Input::NotApplicable, place: UNKNOWN, ..exit(1.0) };
    assert_eq!((exit.cost(), exit.hazard(86_400)), (Input::NotApplicable, Input::NotApplicable));
    assert_eq!(run(None, Input::NotApplicable, Input::Missing, 86_400), Input::NotApplicable);
    assert!(!Input::NotApplicable.is_missing() && Input::NotApplicable.known().is_none());
    near(any_known(&[Input::NotApplicable, Input::of(0.2)], CERTAIN), 0.2);
    assert!(any_known(&[Input::NotApplicable, Input::Missing], CERTAIN).is_missing());
}

proptest! {
    #[test]
    fn hazards_are_probabilities_whatever_comes_in(values in prop::array::uniform8(prop::num::f64::ANY), horizon in 0u32..) {
        let [a, b, c, d, e, f, g, h] = values.map(Input::Known);
        let books = Place::Books { volume_day: b, spread: c };
        let pool = Place::Pool(Reserves { fee: b, sold: c, paid: d });
        let [exit, sale] = [books, pool].map(|place| Exit { size: a, place, lambda: f.known(), vol_day: d, bonus: values[4] });
        let health = OracleHealth { z: e, confidence_ratio: f, age_secs: g, twap_gap: h, disagreement: a, live_sources: 0 };
        let stress = Stress { correlation: values[0], absorption: values[1], absorption_shift: values[2], turbulence: values[3] };
        let flow = FlowReading { shares: [[values[0], values[1], values[2]]; FLOWS], bursts: [values[3]; FLOWS] };
        let mut state = Operations::default();
        (state.slots_behind, state.disagreement_bps, state.drift) = (a, b, c);
        let hazards = [
            market(a, Alarm::Raised), oracle(&health, PriceVerdict::RealMove), exit.hazard(horizon), sale.hazard(horizon),
            run(Some(&flow), b, c, horizon), staleness(d, values[5], values[6]), system(Some(&stress)), operations(&state),
        ];
        for hazard in hazards {
            prop_assert!(hazard.known().is_none_or(|p| (0.0..=1.0).contains(&p)), "{:?}", hazards);
        }
    }

    #[test]
    fn exit_hazard_rises_with_size_and_falls_with_the_bonus(size in 1.0f64..1e7, more in 1.0f64..10.0) {
        let [small, large] = [size, size * more].map(|size| exit(size).hazard(21_600).known().unwrap());
        prop_assert!(large >= small);
        let generous = Exit { bonus: 0.05 * more, ..exit(size) }.hazard(21_600).known().unwrap();
        prop_assert!(generous <= small);
    }
}
