//! How many steps of the pool a core plays in a second: `cargo bench -p rampart-lab --bench pool --profile sim`.
//!
//! Counted in the processor's time of this thread: what else runs on the machine changes the wall clock, and is printed beside.

use rampart::state::Level;
use rampart_lab::attack::Tick;
use rampart_lab::pool::settings::drawdown_rule;
use rampart_lab::pool::{GuardConfig, Pool, Settings};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::time::Instant;

const STEPS: usize = 2_000_000;
const STEP_SECS: u32 = 300;
/// The path is played over and over: ten weeks of five minutes.
const PATH: usize = 20_160;

fn main() {
    let path = path(1);
    println!("| pool | steps | processor, s | wall, s | steps a second | 10 million take, s |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let soft = || GuardConfig::unguarded().with_soft(7_600, 1_000);
    row("positions alone", &GuardConfig::unguarded(), &path);
    row("with soft deleveraging", &soft(), &path);
    row(
        "with soft deleveraging and a drawdown rule",
        &soft().with_rule(drawdown_rule(800, 14_400, Level::ReduceOnly)),
        &path,
    );
}

fn row(name: &str, config: &GuardConfig, path: &[Tick]) {
    let mut pool = Pool::new(config, Settings::default(), path[0].ts - i64::from(STEP_SECS), 1);
    let (began, busy) = (Instant::now(), processor_secs());
    for at in 0..STEPS {
        let mut tick = path[at % path.len()];
        tick.ts += (at / path.len() * path.len()) as i64 * i64::from(STEP_SECS);
        pool.step(&tick, STEP_SECS);
    }
    let (secs, wall) = (processor_secs() - busy, began.elapsed().as_secs_f64());
    let rate = STEPS as f64 / secs;
    println!("| {name} | {STEPS} | {secs:.2} | {wall:.2} | {rate:.0} | {:.1} |", 1e7 / rate);
}

fn processor_secs() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A market with a volatility of 6 % a day.
fn path(seed: u64) -> Vec<Tick> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut price = 100.0f64;
    let tick = |step: usize| {
        let shock: f64 = StandardNormal.sample(&mut rng);
        price = (price * (0.0035 * shock).exp()).clamp(20.0, 500.0);
        let ts = 1_800_000_000 + (step as i64 + 1) * i64::from(STEP_SECS);
        Tick::ordinary(ts, price, 5e-4, (5e-4, 70_000.0 / price, 35_000.0 / price))
    };
    (0..PATH).map(tick).collect()
}
