//! Training: behaviour, multipliers, seeds, and the choice among them on scenarios that no weight saw.

use super::constrained::{Constraint, Multipliers};
use super::contest::{Decider, Learned, Record, best_within};
use super::environment::Episode;
use super::lspi::{LearnError, Lspi};
use crate::backtest::Market;
use crate::work::Work;
use rampart_score::policy::{Rules, TILES};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
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

/// What one seed came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Seeded {
    /// Weights of the chosen policy. Shape: one row for each action, one number for each tile.
    weights: Vec<Vec<f64>>,
    record: Record,
    transitions: u64,
    tried: usize,
}

/// Trains on `markets`, one part of `work` for each seed, and chooses by utility within the halt budget on `selection`. `rules` are
/// part of the behaviour.
///
/// # Errors
/// `LearnError` where a system can't be solved or there is nothing to learn from.
pub fn train(
    training: &Training,
    rules: &Rules,
    (markets, selection): (&[Market], &[Market]),
    work: &mut Work,
    progress: Arc<dyn Fn(String) + Send + Sync>,
) -> Result<Trained, LearnError> {
    let (mut chosen, mut by_seed, mut tried, mut transitions) = (Vec::new(), Vec::new(), 0, 0);
    for seed in &training.seeds {
        let make = || learned(training, behave(rules, markets, training.explore, *seed), selection);
        let found: Seeded = work.try_part(&format!("seed {seed}"), make)?;
        (tried, transitions) = (tried + found.tried, found.transitions);
        let (utility, halted) = (found.record.utility(), found.record.halted_bps());
        let said = format!("seed {seed}: {transitions} transitions, utility {utility:.3} bps, halted {halted:.1} bps");
        work.told(|| progress(said));
        by_seed.push((*seed, utility, halted));
        chosen.push(found);
    }
    let records: Vec<Record> = chosen.iter().map(|one| one.record.clone()).collect();
    let best = best_within(&records, training.halted_bps).ok_or(LearnError::Empty)?;
    let found = chosen.swap_remove(best);
    Ok(Trained { policy: found.policy()?, record: found.record, by_seed, transitions, tried })
}

/// Learns from the episodes of one seed, and chooses among the rounds.
fn learned(training: &Training, episodes: Vec<Episode<TILES>>, selection: &[Market]) -> Result<Seeded, LearnError> {
    let transitions = episodes.iter().map(|episode| episode.decisions.len() as u64).sum();
    let mut candidates = rounds(training, &episodes, selection)?;
    let tried = candidates.len();
    let records: Vec<Record> = candidates.iter().map(|(_, record)| record.clone()).collect();
    let best = best_within(&records, training.halted_bps).ok_or(LearnError::Empty)?;
    let (policy, record) = candidates.swap_remove(best);
    let weights = policy.weights.iter().map(|row| row.to_vec()).collect();
    Ok(Seeded { weights, record, transitions, tried })
}

impl Seeded {
    /// Returns the policy; weights of another shape are none.
    fn policy(&self) -> Result<Learned, LearnError> {
        let rows: Result<Vec<[f64; TILES]>, _> = self.weights.iter().map(|row| row.as_slice().try_into()).collect();
        let weights = rows.ok().and_then(|rows| rows.try_into().ok()).ok_or(LearnError::Empty)?;
        Ok(Learned { weights })
    }
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
