//! Training: behaviour, multipliers, seeds, and the choice among them on scenarios that no weight saw.

use super::constrained::{Constraint, Multipliers};
use super::contest::{Decider, Learned, Record, best_within};
use super::environment::Episode;
use super::lspi::{LearnError, Lspi};
use crate::backtest::Market;
use rampart_score::policy::{Rules, TILES};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// How a policy is trained.
#[derive(Clone, Debug)]
pub struct Training {
    /// The learner.
    pub lspi: Lspi,
    /// Share of the behaviour's decisions that are drawn.
    pub explore: f64,
    /// Seeds of the behaviour's draws: one policy for each.
    pub seeds: Vec<u64>,
    /// Share of time in which users may be held up, bps.
    pub halted_bps: f64,
    /// Bad debt that the worst twentieth of the markets may have on average, bps of the debt.
    pub es95: f64,
    /// Rounds of the multipliers, at most [`Multipliers::ROUNDS`].
    pub rounds: usize,
}

/// What training came to.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The chosen policy.
    pub policy: Learned,
    /// Its record on the selection markets.
    pub record: Record,
    /// The chosen policy of each seed: utility on the selection markets and halted share, bps.
    pub by_seed: Vec<(u64, f64, f64)>,
    /// Transitions of one seed.
    pub transitions: u64,
    /// Policies that were tried.
    pub tried: usize,
}

/// Trains on `markets`, and chooses by utility within the halt budget on `selection`. `rules` are part of the behaviour.
///
/// # Errors
/// `LearnError` where a system can't be solved or there is nothing to learn from.
pub fn train(
    training: &Training,
    rules: &Rules,
    markets: &[Market],
    selection: &[Market],
    progress: Arc<dyn Fn(String) + Send + Sync>,
) -> Result<Trained, LearnError> {
    let (mut chosen, mut by_seed, mut tried, mut transitions) = (Vec::new(), Vec::new(), 0, 0);
    for seed in &training.seeds {
        let episodes = behave(rules, markets, training.explore, *seed);
        transitions = episodes.iter().map(|episode| episode.decisions.len() as u64).sum();
        let candidates = rounds(training, &episodes, selection)?;
        tried += candidates.len();
        let records: Vec<Record> = candidates.iter().map(|(_, record)| record.clone()).collect();
        let best = best_within(&records, training.halted_bps).ok_or(LearnError::Empty)?;
        let (utility, halted) = (records[best].utility(), records[best].halted_bps());
        progress(format!("seed {seed}: {transitions} transitions, utility {utility:.3} bps, halted {halted:.1} bps"));
        by_seed.push((*seed, utility, halted));
        chosen.push(candidates[best].clone());
    }
    let records: Vec<Record> = chosen.iter().map(|(_, record)| record.clone()).collect();
    let best = best_within(&records, training.halted_bps).ok_or(LearnError::Empty)?;
    let (policy, record) = chosen.swap_remove(best);
    Ok(Trained { policy, record, by_seed, transitions, tried })
}

/// Plays the behaviour: every market once by each of two rules with exploration, and once with nothing but it half of the time.
fn behave(rules: &Rules, markets: &[Market], explore: f64, seed: u64) -> Vec<Episode<TILES>> {
    let idle = Rules { tighten_at: 2.0, deleverage_at: 2.0, halt_at: 2.0, hedge_at: 2.0 };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let manners = [(*rules, explore), (Rules::default(), explore), (idle, explore), (idle, 0.5)];
    let mut episodes = Vec::with_capacity(markets.len() * manners.len());
    for market in markets {
        episodes.extend(manners.map(|(rules, explore)| Decider::Rules(rules).record(market, explore, &mut rng)));
    }
    episodes
}

/// Raises the prices of the constraints round by round, and returns each round's policy with its record on `selection`.
fn rounds(
    training: &Training,
    episodes: &[Episode<TILES>],
    selection: &[Market],
) -> Result<Vec<(Learned, Record)>, LearnError> {
    // A price of 0.01 bps a minute for each bps of time above the budget; 0.02 a bps of bad debt for each bps of the tail.
    let halted = Constraint { bound: training.halted_bps, rate: 0.01 };
    let tail = Constraint { bound: training.es95, rate: 0.02 };
    let mut multipliers = Multipliers::new([halted, tail]);
    let mut candidates = Vec::new();
    for _ in 0..training.rounds.min(Multipliers::ROUNDS) {
        let policy: Learned = training.lspi.learn(episodes, multipliers.prices())?;
        let record = Record::of("learned", &Decider::Learned(Box::new(policy.clone())), selection);
        let costs = [record.halted_bps(), record.es95()];
        candidates.push((policy, record));
        let before = *multipliers.prices();
        multipliers.update(&costs);
        if *multipliers.prices() == before {
            break;
        }
    }
    Ok(candidates)
}
