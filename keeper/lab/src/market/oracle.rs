//! How oracles print what venues trade.

use super::{Follow, Source, Step, World};
use crate::attack::{Print, Tick, VENUES};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Confidence of a calm print, as a share of the price, beside half the spread.
const CONFIDENCE: f64 = 0.0003;
/// A live print is at most this old at the end of a step, seconds.
const LIVE_AGE_SECS: u32 = 20;

/// Lets both sources print after each step.
pub(super) fn print(world: World, rng: &mut ChaCha8Rng) -> Vec<Tick> {
    let peg = world.steps.first().map_or(0.0, |step| step.truth);
    let mut last: [Option<Print>; 2] = [None; 2];
    let mut ticks = Vec::with_capacity(world.steps.len());
    for (index, step) in world.steps.iter().enumerate() {
        let venues = step.gaps.map(|gap| step.truth * gap);
        for (source, last) in step.sources.iter().zip(&mut last) {
            *last = Some(read(source, &venues, step.spread, peg, *last, world.step_secs, rng));
        }
        let [oracle, second] = last.map(|print| print.expect("both sources have printed above"));
        let ts = world.start_ts + (index as i64 + 1) * i64::from(world.step_secs);
        ticks.push(tick(step, ts, venues, oracle, second));
    }
    ticks
}

fn read(
    source: &Source,
    venues: &[f64; VENUES],
    spread: f64,
    peg: f64,
    last: Option<Print>,
    step_secs: u32,
    rng: &mut ChaCha8Rng,
) -> Print {
    // Drawn also when frozen, so that a fault in one step doesn't change the numbers of another.
    let age_secs = rng.random_range(1..=LIVE_AGE_SECS);
    if let (true, Some(last)) = (source.is_frozen, last) {
        return Print { age_secs: last.age_secs.saturating_add(step_secs), ..last };
    }
    let mut sorted = *venues;
    sorted.sort_by(f64::total_cmp);
    let middle = sorted[VENUES / 2];
    let (read, disagreement) = match source.follows {
        // What the middle venue and its nearer neighbour say is the width; one venue's wick is left out as the median does.
        Follow::Median => (middle, (middle - sorted[0]).min(sorted[VENUES - 1] - middle)),
        Follow::FirstVenue => (venues[0], 0.0),
        Follow::Peg => (peg, 0.0),
    };
    let price = read * source.bias;
    Print { price, conf: price * (CONFIDENCE + spread / 2.0) + disagreement, age_secs }
}

fn tick(step: &Step, ts: i64, venues: [f64; VENUES], oracle: Print, second: Print) -> Tick {
    Tick {
        ts,
        truth: step.truth,
        venues,
        oracle,
        second,
        factor: step.factor,
        depth: step.depth,
        spread: step.spread,
        volume: step.volume,
        taker_buy: step.volume * step.taker_buy,
        borrow_demand: step.borrow_demand,
        attack_borrow: step.attack_borrow,
        collateral_supply: step.collateral_supply,
        outflow: step.outflow,
        keeper: step.keeper,
        inclusion: step.inclusion,
        basis: step.basis,
        feedback: step.feedback,
    }
}
