//! Tails and wicks on recorded markets; says why it skips where there are none.

mod common;

use common::recorded;
use rampart_score::anomaly::{Detector, Observation, PriceVerdict};
use rampart_score::bar::Bar;
use rampart_score::engine::{self, Engine};
use rampart_score::features::{Market, Settings};
use rampart_score::input::Input;
use rampart_score::model::Model;
use rampart_score::tail::{Pot, Violations, acerbi_szekely_z2};

const HOUR: u32 = 3_600;
/// 2021-01-01, where the judged years begin.
const FROM_TS: i64 = 1_609_459_200;
const LEVELS: [f64; 2] = [0.01, 0.001];
/// Quantiles of the normal distribution at both levels.
const NORMAL: [f64; 2] = [2.326_347_874, 3.090_232_306];

struct Judged {
    normal: [Violations; 2],
    tail: [Violations; 2],
    shortfall: [Vec<(f64, f64, f64)>; 2],
}

/// Forecasts every hour with what was known before it.
fn judge(bars: &[Bar]) -> Judged {
    let (mut market, mut pot) = (Market::new(Settings::default()), Pot::hourly());
    let mut judged = Judged { normal: Default::default(), tail: Default::default(), shortfall: Default::default() };
    let mut last: Option<Bar> = None;
    for bar in bars {
        let variance_day = market.volatility().variance_day();
        market.push(bar).unwrap();
        let follows = last.replace(*bar).filter(|last| last.close_ts() == bar.open_ts);
        if follows.is_none() {
            [&mut judged.normal, &mut judged.tail].into_iter().flatten().for_each(Violations::gap);
            continue;
        }
        let vol_bar = (variance_day / 24.0).sqrt();
        let loss = -market.last_return();
        for (at, p) in LEVELS.into_iter().enumerate().filter(|_| bar.open_ts >= FROM_TS) {
            let Some(value_at_risk) = pot.value_at_risk(p, vol_bar) else { continue };
            judged.normal[at].push(loss > NORMAL[at] * vol_bar);
            judged.tail[at].push(loss > value_at_risk);
            judged.shortfall[at].push((loss, value_at_risk, pot.expected_shortfall(p, vol_bar).unwrap()));
        }
        pot.push(-loss, vol_bar);
    }
    judged
}

#[test]
fn tail_covers_recorded_years_where_the_normal_does_not() {
    // Violations, percent: normal and tail at 99 %, then at 99.9 %, of a prototype in another language.
    let table = [
        ("BTCUSDT_1h", [2.11, 1.015, 1.02, 0.099]),
        ("ETHUSDT_1h", [2.10, 0.998, 0.95, 0.109]),
        ("SOLUSDT_1h", [1.76, 1.031, 0.72, 0.124]),
    ];
    for (name, expected) in table {
        let Some(bars) = recorded(name, HOUR) else { return };
        let judged = judge(&bars);
        for (at, p) in LEVELS.into_iter().enumerate() {
            let (normal, tail) = (&judged.normal[at], &judged.tail[at]);
            let [normal_rate, tail_rate] = [normal, tail].map(|judged| 100.0 * judged.rate().unwrap());
            let tests = tail.christoffersen(p);
            let z2 = acerbi_szekely_z2(judged.shortfall[at].iter().copied(), p);
            println!(
                "{name} {:.1} %: normal {normal_rate:.2} %, tail {tail_rate:.3} % of {}, Kupiec p {:.2}, independence p {:.4}, \
                 hit after hit {:.1} %, Z2 {z2:+.2}",
                100.0 * (1.0 - p),
                tail.count,
                tail.kupiec(p),
                tests.independence,
                100.0 * tail.hit_after_hit().unwrap_or(0.0),
            );
            assert!(tail.kupiec(p) > 0.05 && normal.kupiec(p) < 1e-6, "{name} {p}");
            assert!((normal_rate - expected[2 * at]).abs() < 0.12, "{name} {normal_rate}");
            assert!((tail_rate - expected[2 * at + 1]).abs() < 0.06, "{name} {tail_rate}");
            assert!(z2 > -0.70, "{name} {z2}");
        }
    }
}

/// Plays bars before `ts` as three venues that agree, then returns the detector and the market as of `ts`.
fn until(bars: &[Bar], ts: i64) -> (Detector, Market, Bar) {
    let (mut detector, mut market) = (Detector::default(), Market::new(Settings::default()));
    let at = bars.iter().position(|bar| bar.open_ts == ts).expect("recorded hour is there");
    for bar in &bars[at.saturating_sub(1_000)..at] {
        market.push(bar).unwrap();
        see(&mut detector, &market, bar.close_ts(), [bar.close; 3], bar.close);
    }
    (detector, market, bars[at])
}

fn see(detector: &mut Detector, market: &Market, ts: i64, venues: [f64; 3], oracle: f64) -> PriceVerdict {
    let sigma = market.features().vol_day() * (300.0f64 / 86_400.0).sqrt();
    let venues = venues.map(Input::of);
    let amihud_log_ratio = Input::of(market.liquidity().amihud_log_ratio());
    detector.push(&Observation {
        ts,
        oracle: Input::of(oracle),
        venues: &venues,
        sigma,
        factor: Input::Missing,
        amihud_log_ratio,
    })
}

#[test]
fn recorded_wicks_of_one_venue_are_no_move_and_no_manipulation() {
    // LINK at 0.0001 and USDC at 0.20. The record holds one venue: the two others are stood in for by the close of the
    // same hour, to which the price came back.
    for (name, ts) in [("LINKUSDT_1h", 1_584_007_200), ("USDCUSDT_1h", 1_638_604_800)] {
        let Some(bars) = recorded(name, HOUR) else { return };
        let (mut detector, mut market, bar) = until(&bars, ts);
        assert!(bar.low < 0.3 * bar.close, "{bar:?}");
        let before = market.features();
        let alone = Detector::default().push(&Observation {
            ts: bar.close_ts(),
            oracle: Input::Missing,
            venues: &[Input::of(bar.low)],
            sigma: 0.001,
            factor: Input::Missing,
            amihud_log_ratio: Input::Missing,
        });
        let verdict = see(&mut detector, &market, bar.close_ts(), [bar.low, bar.close, bar.close], bar.close);
        println!("{name}: low {}, close {}: {verdict:?}; by itself {alone:?}", bar.low, bar.close);
        // That hour LINK fell with everything else: a real move beside the wick is right, a wrong oracle isn't.
        assert!(matches!(verdict, PriceVerdict::Wick | PriceVerdict::RealMove), "{verdict:?}");
        assert_eq!(alone, PriceVerdict::Undecided);
        // Had the oracle followed the wick, that would be seen.
        let (mut detector, ..) = until(&bars, ts);
        let followed = see(&mut detector, &market, bar.close_ts(), [bar.low, bar.close, bar.close], bar.low);
        assert_eq!(followed, PriceVerdict::OracleOff);
        // Features don't take the wick for a fall either.
        market.push(&bar).unwrap();
        let after = market.features();
        let fall = 1.0 - bar.close / bar.open;
        let range = after.get("log_parkinson_24h").unwrap() - before.get("log_parkinson_24h").unwrap();
        assert!(after.get("drawdown_1h").unwrap() < fall.max(0.0) + 0.1, "{after:?}");
        // The logarithm would rise by more than 4 if the range were taken as it is.
        assert!(range < 1.0, "{range}");
    }
}

#[test]
fn recorded_crash_on_two_venues_is_a_real_move() {
    // 2020-03-12 10:00: spot and perpetual fell together.
    let (Some(spot), Some(perpetual)) = (recorded("BTCUSDT_1h", HOUR), recorded("BTCUSDT-PERP_1h", HOUR)) else {
        return;
    };
    let (mut detector, market, bar) = until(&spot, 1_584_007_200);
    let other = perpetual.iter().find(|other| other.open_ts == bar.open_ts).expect("recorded hour is there");
    let verdict = see(&mut detector, &market, bar.close_ts(), [bar.close, other.close, bar.close], bar.close);
    println!("BTC spot {} to {}, perpetual {} to {}: {verdict:?}", bar.open, bar.close, other.open, other.close);
    assert_eq!(verdict, PriceVerdict::RealMove);
}

/// The bars of hours that the model was trained on, without volumes as a keeper has them: no market of its kind is a drift
/// at any time, dead ones included, and a stablecoin always is.
#[test]
fn recorded_markets_of_the_training_demote_the_shipped_model_at_no_time() {
    let model = Model::from_json(include_str!("../../../artifacts/models/crash-v1.json")).expect("it ships");
    for (name, is_of_its_kind) in
        [("BTC", true), ("ETH", true), ("SOL", true), ("LUNA", true), ("SRM", true), ("USDC", false)]
    {
        let Some(bars) = recorded(&format!("{name}USDT_1h"), HOUR) else { return };
        let mut engine = Engine::new(engine::Settings::default(), Some(model.clone()));
        let (mut known, mut demoted, mut highest) = (0, 0, 0.0f64);
        for bar in bars.iter().map(|bar| Bar { volume: None, taker_buy: None, ..*bar }) {
            engine.push(&bar).expect("recorded bars are sound");
            if let Some(index) = engine.drift_index().known() {
                (known, highest) = (known + 1, highest.max(index));
                demoted += usize::from(engine.is_demoted());
            }
        }
        println!("{name}: demoted in {demoted} of {known} hours, index up to {highest:.3}");
        assert_eq!(demoted, if is_of_its_kind { 0 } else { known }, "{name}");
        assert!(known > 10_000, "{name}");
    }
}
