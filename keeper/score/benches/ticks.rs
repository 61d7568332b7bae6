//! Prints how many bars a second one core turns into features, and what a full market tick costs with all detectors.
//!
//! `cargo bench -p rampart-score`

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::Instant;

use rampart_score::engine::{Engine, Readings, Settings};
use rampart_score::features::{self, Market};
use rampart_score::input::Input;
use rampart_score::state::{Flow, FlowKind, Operations, Portfolio};

const BARS: usize = 1_000_000;
const ROUNDS: usize = 5;

/// Returns the fastest of some rounds, seconds: the one that the machine disturbed least.
fn fastest(mut round: impl FnMut()) -> f64 {
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::MAX, f64::min)
}

fn main() {
    let bars = common::walk(1, BARS, 60, 0.001);
    let secs = fastest(|| {
        let mut market = Market::new(features::Settings::default());
        for bar in &bars {
            market.push(bar).expect("drawn bars are sound");
            black_box(market.features());
        }
    });
    println!("features: {:.2} million bars a second, target 1", BARS as f64 / secs / 1e6);

    let secs = fastest(|| full_ticks(&bars[..BARS / 10]));
    println!(
        "full tick of one market, 16 in the portfolio: {:.2} µs, target below 20",
        secs / (BARS / 10) as f64 * 1e6
    );
}

/// One bar, the portfolio's returns, one flow, one assessment for each tick of a minute.
fn full_ticks(bars: &[rampart_score::bar::Bar]) {
    let mut engine = Engine::new(Settings::default(), None);
    let mut portfolio = Portfolio::new(16).expect("16 markets are allowed");
    let (mut flow, mut operations) = (Flow::default(), Operations::default());
    operations.set_slots(1_000, 1_000);
    for (at, bar) in bars.iter().enumerate() {
        let ts = bar.close_ts();
        engine.push(bar).expect("drawn bars are sound");
        let last = engine.market().last_return();
        let returns: [Option<f64>; 16] = std::array::from_fn(|market| Some(last * (1.0 + ((at + market) % 7) as f64)));
        portfolio.push(60.0, &returns).expect("returns are complete");
        flow.push(FlowKind::Outflow, 1_000.0, ts);
        operations.set_peers(500, &[500, 510, 520]);
        let reading = flow.reading(1e8, ts);
        let venues = [Input::of(bar.close), Input::of(bar.close * 1.000_1), Input::of(bar.close * 0.999_9)];
        black_box(engine.assess(&Readings {
            ts,
            price: Input::of(bar.close),
            confidence: Input::of(bar.close * 5e-4),
            age_secs: Input::of(2.0),
            twap: Input::of(bar.close),
            venues: &venues,
            factor: Input::of(0.0),
            stress: portfolio.stress(),
            flow: reading.as_ref(),
            withdrawable: Input::of(0.2),
            exit_size: Input::of(1e5),
            volume_day: Input::of(1e7),
            spread: Input::of(0.001),
            operations: &operations,
        }));
    }
}
