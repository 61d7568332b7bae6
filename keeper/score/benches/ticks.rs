//! Prints how many bars a second one core turns into features, and what a full market tick costs with all detectors.
//!
//! `cargo bench -p rampart-score`

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use rampart_score::engine::Settings;
use rampart_score::features::{self, Market};
use rampart_score::model::Model;
use rustix::time::{ClockId, clock_gettime};

const BARS: usize = 20_000;
const ROUNDS: usize = 100;

/// Returns the time that this thread had the processor, seconds: what others take of it doesn't count.
fn cpu_secs() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Returns the fastest of some rounds, seconds: the one that the machine disturbed least.
fn fastest(mut round: impl FnMut()) -> f64 {
    (0..ROUNDS)
        .map(|_| {
            let start = cpu_secs();
            round();
            cpu_secs() - start
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

/// Plays a tick of a minute for each bar.
fn full_ticks(bars: &[rampart_score::bar::Bar]) {
    let mut rig = common::Rig::new(Settings::default(), Some(model()));
    for bar in bars {
        black_box(rig.tick(bar));
    }
}

fn model() -> Model {
    let mut file = common::model_file();
    file.deciles = vec![std::array::from_fn(|at| at as f64); features::COUNT];
    Model::from_file(file).expect("the tests' model is sound")
}
