//! The engine from bars and readings to score, band and report.

mod common;

use common::{Rig, model_file, walk};
use rampart_score::anomaly::{Alarm, PriceVerdict};
use rampart_score::band::Band;
use rampart_score::bar::Bar;
use rampart_score::engine::{Assessment, Engine, Readings, Settings};
use rampart_score::features::{COUNT, Market};
use rampart_score::hazard::{Hazard, Place, Reserves};
use rampart_score::input::Input;
use rampart_score::model::{Model, structural};

const MINUTES: usize = 60 * 24 * 4;

fn calm() -> (Rig, Vec<Bar>) {
    let model = Model::from_file(model_file()).unwrap();
    let mut rig = Rig::new(Settings::default(), Some(model));
    let bars = walk(1, MINUTES, 60, 0.000_5);
    bars.iter().for_each(|bar| {
        rig.tick(bar);
    });
    (rig, bars)
}

/// Returns the bar after `bar` that moves by a factor.
fn next(bar: &Bar, factor: f64) -> Bar {
    let (open, close) = (bar.close, bar.close * factor);
    Bar { open_ts: bar.close_ts(), open, close, high: open.max(close), low: open.min(close), ..*bar }
}

#[test]
fn band_is_normal_when_a_known_market_is_calm() {
    let (mut rig, bars) = calm();
    let found = rig.tick(&next(&bars[MINUTES - 1], 1.0));
    assert_eq!((found.band, found.verdict, found.fall), (Band::Normal, PriceVerdict::Quiet, Alarm::Quiet));
    assert!(
        found.score.bps < 400 && found.score.parts.iter().all(|part| !part.is_missing),
        "{}",
        found.score.explain(None)
    );
    assert!(!found.is_demoted && !found.features.is_warming);
    assert!(found.report.liquidity_bps > 9_900 && found.report.system_health_bps > 9_900, "{:?}", found.report);
    assert!((100..500).contains(&found.report.volatility_bps), "{:?}", found.report);
}

#[test]
fn bands_rise_in_order_when_the_market_crashes() {
    let (mut rig, bars) = calm();
    let mut bar = bars[MINUTES - 1];
    let mut bands = vec![Band::Normal];
    let mut last = None;
    for _ in 0..60 {
        bar = next(&bar, 0.994);
        let found = rig.tick(&bar);
        if found.band != bands[bands.len() - 1] {
            bands.push(found.band);
        }
        last = Some(found);
    }
    let found = last.unwrap();
    assert!(bands.is_sorted() && *bands.last().unwrap() >= Band::Restrict, "{bands:?}");
    assert_eq!((found.fall, found.verdict), (Alarm::Severe, PriceVerdict::RealMove));
    assert_eq!(found.score.explain(None).lines[0].part.hazard, Hazard::Market);
    // An hour of 24 is heard: 190 bps before.
    assert!(found.report.anomaly_bps >= 500 && found.report.volatility_bps > 300, "{:?}", found.report);
}

#[test]
fn band_stays_when_one_venue_prints_a_wick() {
    let (mut rig, bars) = calm();
    let bar = next(&bars[MINUTES - 1], 1.0);
    let venues = [Input::of(bar.close * 1e-4), Input::of(bar.close), Input::of(bar.close)];
    let before = rig.tick(&bar);
    let bar = next(&bar, 1.0);
    let found = tick_venues(&mut rig, &bar, &venues);
    assert_eq!((found.verdict, found.band), (PriceVerdict::Wick, Band::Normal));
    assert!(found.score.bps < before.score.bps + 250);
}

#[test]
fn band_is_normal_again_a_quarter_of_an_hour_after_a_blind_minute() {
    let (mut rig, bars) = calm();
    let mut bar = next(&bars[MINUTES - 1], 1.0);
    let found = rig.tick_with(&bar, |readings| {
        (readings.price, readings.confidence, readings.age_secs) = (Input::Missing, Input::Missing, Input::Missing);
        (readings.twap, readings.venues, readings.stress) = (Input::Missing, &[], None);
    });
    assert_eq!(found.band, Band::Breaker, "{}", found.score.explain(None));
    let bands = (0..=16).map(|_| {
        bar = next(&bar, 1.0);
        rig.tick(&bar).band
    });
    let bands: Vec<Band> = bands.collect();
    assert_eq!((bands[14], bands[16]), (Band::Breaker, Band::Normal), "{bands:?}");
}

fn tick_venues(rig: &mut Rig, bar: &Bar, venues: &[Input; 3]) -> Assessment {
    // Readings borrow venues for as long as they live: leaked once, in a test.
    let venues: &'static [Input; 3] = Box::leak(Box::new(*venues));
    rig.tick_with(bar, |readings| readings.venues = venues)
}

type Change = fn(&mut Readings);

#[test]
fn score_rises_by_the_part_whose_reading_is_missing() {
    let change: [(Hazard, Change); 6] = [
        (Hazard::Oracle, |readings| readings.venues = &[]),
        (Hazard::Liquidity, |readings| readings.exit_place = Place::Pool(Reserves::default())),
        (Hazard::Run, |readings| readings.flow = None),
        (Hazard::Staleness, |readings| readings.age_secs = Input::Missing),
        (Hazard::System, |readings| readings.stress = None),
        (Hazard::Market, |readings| readings.ts += 3_601),
    ];
    for (kind, change) in change {
        let (mut rig, bars) = calm();
        let bar = next(&bars[MINUTES - 1], 1.0);
        let before = rig.tick(&bar);
        let found = rig.tick_with(&next(&bar, 1.0), change);
        assert!(found.score.bps >= before.score.bps + 700, "{kind:?} {}", found.score.bps);
        assert_eq!(found.score.explain(Some(&before.score)).lines[0].part.hazard, kind);
        assert!(found.band > Band::Normal);
    }
}

#[test]
fn assessment_is_the_same_when_the_past_is() {
    let [(mut one, bars), (mut other, _)] = [calm(), calm()];
    let bar = next(&bars[MINUTES - 1], 0.97);
    assert_eq!(one.tick(&bar), other.tick(&bar));
}

#[test]
fn model_is_demoted_when_its_inputs_left_what_it_was_trained_on() {
    let mut file = model_file();
    file.heads.iter_mut().for_each(|head| head.intercept = 5.0);
    file.deciles = vec![std::array::from_fn(|at| 1e3 + at as f64); COUNT];
    let mut rig = Rig::new(Settings::default(), Some(Model::from_file(file).unwrap()));
    let bars = walk(2, 24 * 60, 3_600, 0.005);
    let found: Vec<Assessment> = bars.iter().map(|bar| rig.tick(bar)).collect();
    // Coverage of 0.3 takes 46.3 days of a half-life of 90.
    let demoted = found.iter().position(|found| found.is_demoted).unwrap();
    assert!((1_110..1_115).contains(&demoted), "{demoted}");
    let [before, after] = [demoted - 1, demoted].map(|at| found[at].score.part(Hazard::Market).probability);
    assert!(before > 50.0 * after, "{before} {after}");
    assert!(found[demoted].score.part(Hazard::Operations).probability >= 0.5);
}

#[test]
fn falls_are_told_within_six_hours_and_a_day_and_the_score_takes_the_one_of_its_horizon() {
    let bars = walk(3, 100, 3_600, 0.01);
    for (horizon_secs, at) in [(86_400, 1), (21_600, 0)] {
        let mut rig = Rig::new(Settings { horizon_secs, ..Settings::default() }, Some(shipped()));
        let found = bars.iter().map(|bar| rig.tick(bar)).last().unwrap();
        // bars of the model's length: its features are the market's
        let expected = [21_600, 86_400].map(|secs| Input::of(shipped().probability(&found.features, 0.10, secs)));
        assert_eq!(found.falls, expected);
        let market = found.score.part(Hazard::Market).probability;
        let [six_hours, day] = expected.map(|p| p.known().unwrap());
        assert!(found.fall == Alarm::Quiet && six_hours < day);
        assert!((market - [six_hours, day][at]).abs() < 1e-12, "{market} {found:?}");
    }
    let mut rig = Rig::new(Settings::default(), None);
    let found = bars.iter().map(|bar| rig.tick(bar)).last().unwrap();
    let vol = found.features.vol_day();
    let walk = [21_600, 86_400].map(|secs| 1.0 / (1.0 + (-structural(vol, 0.10, secs, None)).exp()));
    assert_eq!((found.falls, found.value_at_risk), (walk.map(Input::of), [Input::Missing; 2]), "no model, no tail");
}

#[test]
fn value_at_risk_is_the_tails_and_missing_without_a_volatility_or_a_price() {
    let bars = walk(4, 100, 3_600, 0.01);
    let mut rig = Rig::new(Settings::default(), Some(shipped()));
    assert_eq!(rig.tick(&bars[0]).value_at_risk, [Input::Missing; 2], "a bar without a return");
    let found = bars[1..].iter().map(|bar| rig.tick(bar)).last().unwrap();
    let mut market = Market::new(rampart_score::features::Settings::default());
    bars.iter().for_each(|bar| market.push(bar).unwrap());
    let (model, vol) = (shipped(), market.volatility().vol_of_falls());
    let share = |p: f64| -(-model.falls().unwrap().value_at_risk(p, vol)).exp_m1();
    assert_eq!(found.value_at_risk, [0.01, 0.001].map(|p| Input::of(share(p))));
    let [usual, rare] = found.value_at_risk.map(|fall| fall.known().unwrap());
    // 1 % an hour: 2.7 and 5.3 deviations, or so
    assert!(usual > 0.015 && usual < 0.05 && rare > 1.5 * usual && rare < 0.1, "{usual} {rare}");
    let stale = rig.tick_with(&next(&bars[99], 1.0), |readings| readings.ts += 3_601);
    assert_eq!((stale.falls, stale.value_at_risk), ([Input::Missing; 2], [Input::Missing; 2]));
}

fn shipped() -> Model {
    Model::from_json(include_str!("../../../artifacts/models/crash-v1.json")).unwrap()
}

/// As an oracle tells it: prices alone.
fn without_volume(bar: &Bar) -> Bar {
    Bar { volume: None, taker_buy: None, ..*bar }
}

/// A keeper's bars have no volume and are a minute long: the watch on drift took the model that ships from every keeper after
/// 46 days, or at once with candles from before the start.
#[test]
fn shipped_model_is_kept_on_a_keepers_bars_and_demoted_when_they_left_what_it_knows() {
    const DAY: usize = 24 * 60;
    let mut engine = Engine::new(Settings::default(), Some(shipped()));
    // 4 % a day, in the middle of the training's deciles
    let calm = walk(3, 60 * DAY, 60, 0.04 / (DAY as f64).sqrt());
    calm.iter().for_each(|bar| engine.push(&without_volume(bar)).unwrap());
    assert!(!engine.is_demoted(), "{:?}", engine.drift_index());
    assert!(engine.drift_index().known().unwrap() < 0.05, "{:?}", engine.drift_index());
    // 80 % a day: twenty days of it are enough of what no market of the training was like
    let mut last = calm[calm.len() - 1].close_ts();
    for bar in walk(4, 20 * DAY, 60, 0.8 / (DAY as f64).sqrt()) {
        let bar = Bar { open_ts: last, ..without_volume(&bar) };
        engine.push(&bar).unwrap();
        last = bar.close_ts();
    }
    assert!(engine.is_demoted(), "{:?}", engine.drift_index());
}

/// A bar after a long silence stood for all of it: one bar in half of the watch's memory.
#[test]
fn bar_after_a_gap_stands_for_its_own_length() {
    let (mut engine, bars) = (Engine::new(Settings::default(), Some(shipped())), walk(5, 48 * 24 + 1, 3_600, 0.008));
    let (last, all) = bars.split_last().unwrap();
    all.iter().for_each(|bar| engine.push(&without_volume(bar)).unwrap());
    // ninety days later, of a price that fell by nine tenths within the hour
    let gap = 90 * 86_400;
    let fallen =
        Bar { open_ts: last.open_ts + gap, low: 0.1 * last.low, close: 0.1 * last.low, ..without_volume(last) };
    engine.push(&fallen).unwrap();
    assert!(!engine.is_demoted() && engine.drift_index().known().unwrap() < 0.05, "{:?}", engine.drift_index());
}

/// A first start without a past told a probability of almost 0 for an hour, until the model had its first return: unknown, and taken for calm.
/// A model's probability of one or two still hours was no better.
#[test]
fn market_is_missing_before_the_first_return_and_judged_by_the_walk_until_the_model_saw_a_day() {
    let mut rig = Rig::new(Settings::default(), Some(shipped()));
    let bars = walk(5, 60 * 26, 60, 0.002);
    let first = rig.tick(&bars[0]);
    let market = first.score.part(Hazard::Market);
    assert_eq!((first.falls, market.is_missing, market.probability), ([Input::Missing; 2], true, 0.3));
    let found: Vec<Assessment> = bars[1..].iter().map(|bar| rig.tick(bar)).collect();
    let day = |at: usize| found[at].falls[1].known().expect("a return was seen");
    // a return or two may be small; what isn't known was told as 1e-9
    let told: Vec<f64> = (0..found.len()).map(day).collect();
    assert!(told.iter().all(|p| *p > 5e-4), "{told:?}");
    for at in [20, 600, 60 * 23] {
        assert_eq!(found[at].value_at_risk, [Input::Missing; 2], "the walk has no tail");
    }
    assert!(found.last().expect("bars").value_at_risk[0].known().is_some(), "the model saw a day");
}
