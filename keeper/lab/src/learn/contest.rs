//! Rules and policies on the same markets: what each costs, and whether the difference is more than luck.

use super::defend::{DECISION_SECS, Defend, View, guard};
use super::environment::{Episode, State, rollout};
use super::lspi::Linear;
use crate::backtest::Market;
use crate::policy::default_rules;
use crate::pool::GuardConfig;
use rampart_score::policy::{Action, Gate, Outcomes, Policy, Rules, TILES, paired_lower_bound};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Users are held up by the static default's own rules; a budget below 50 bps of the time would bind nobody else.
pub const LEAST_HALTED_BPS: f64 = 50.0;

/// A learned value of each action.
pub type Learned = Linear<TILES, { Action::COUNT }>;

impl From<&Policy> for Learned {
    fn from(policy: &Policy) -> Self {
        Self { weights: *policy.weights() }
    }
}

/// Who decides.
#[derive(Clone, Debug)]
pub enum Decider {
    /// Nobody: the guard's own rules.
    Guard(Box<GuardConfig>),
    /// Static rules over the policy's actions.
    Rules(Rules),
    /// A learned policy.
    Learned(Box<Learned>),
}

/// What a decider did on one market, after two days of warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Play {
    /// Sum of rewards, bps of the debt.
    pub utility: f64,
    /// Minutes in which users were held up.
    pub halted_minutes: f64,
    /// Minutes played.
    pub minutes: f64,
    /// Bad debt, bps of the debt.
    pub bad_debt: f64,
}

impl Decider {
    /// Returns the action for what is known at `now_ts`.
    pub fn choose(&self, (watcher, shield, now_ts): View, state: &State<TILES>) -> usize {
        match self {
            Self::Guard(_) => Action::Noop.index(),
            Self::Rules(rules) => rules.choose(watcher.situation(), shield, watcher.is_calm(), now_ts).index(),
            Self::Learned(policy) => policy.best(state),
        }
    }

    /// Plays one market, with an even draw of what is allowed in a share `explore` of the decisions.
    pub fn record(&self, market: &Market, explore: f64, rng: &mut ChaCha8Rng) -> Episode<TILES> {
        let (config, is_passive) = match self {
            Self::Guard(config) => ((**config).clone(), true),
            Self::Rules(_) | Self::Learned(_) => (guard(), false),
        };
        let mut world = Defend::new(market, config, is_passive, market.scenario.seed);
        rollout(&mut world, |world, state| self.choose(world.view(), state), explore, rng)
    }

    /// Plays one market, and returns what it came to.
    pub fn play(&self, market: &Market) -> Play {
        let episode = self.record(market, 0.0, &mut ChaCha8Rng::seed_from_u64(0));
        let minutes = episode.decisions.len() as f64 * DECISION_SECS as f64 / 60.0;
        episode.decisions.iter().fold(Play { minutes, ..Play::default() }, |sum, (_, outcome)| Play {
            utility: sum.utility + outcome.reward,
            halted_minutes: sum.halted_minutes + outcome.costs[0],
            bad_debt: sum.bad_debt + outcome.costs[1],
            ..sum
        })
    }
}

/// A decider's plays on a list of markets, in its order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Name in tables.
    pub name: String,
    /// One play for each market.
    pub plays: Vec<Play>,
}

impl Record {
    /// Plays `decider` on all markets.
    pub fn of(name: &str, decider: &Decider, markets: &[Market]) -> Self {
        Self { name: name.to_owned(), plays: markets.iter().map(|market| decider.play(market)).collect() }
    }

    fn sum(&self, value: impl Fn(&Play) -> f64) -> f64 {
        self.plays.iter().map(value).sum()
    }

    /// Returns the mean utility of a market, bps of the debt.
    pub fn utility(&self) -> f64 {
        self.sum(|play| play.utility) / self.plays.len().max(1) as f64
    }

    /// Returns the share of the time in which users were held up, bps.
    pub fn halted_bps(&self) -> f64 {
        1e4 * self.sum(|play| play.halted_minutes) / self.sum(|play| play.minutes).max(1.0)
    }

    /// Returns the mean bad debt of a market, bps of the debt.
    pub fn bad_debt(&self) -> f64 {
        self.sum(|play| play.bad_debt) / self.plays.len().max(1) as f64
    }

    /// Returns the mean bad debt of the worst twentieth of the markets, bps of the debt.
    pub fn es95(&self) -> f64 {
        let mut losses: Vec<f64> = self.plays.iter().map(|play| play.bad_debt).collect();
        losses.sort_by(|a, b| b.total_cmp(a));
        let worst = losses.len().div_ceil(20).max(1).min(losses.len());
        losses[..worst].iter().sum::<f64>() / worst.max(1) as f64
    }

    /// Returns what the gate of promotions looks at.
    pub fn outcomes(&self) -> Outcomes {
        let utility = self.plays.iter().map(|play| play.utility).collect();
        Outcomes { utility, constraints: vec![("halted bps", self.halted_bps()), ("ES95 of bad debt", self.es95())] }
    }

    /// Returns the gain of utility over `other`: lower bound, mean and upper bound of 95 %, resampling whole markets; none if they
    /// can't be paired.
    pub fn gain(&self, other: &Self) -> Option<[f64; 3]> {
        let [ours, theirs] = [self, other].map(|record| record.outcomes().utility);
        let gate = Gate { level: 0.025, ..Gate::default() };
        let lower = paired_lower_bound(&ours, &theirs, &gate)?;
        let upper = -paired_lower_bound(&theirs, &ours, &gate)?;
        Some([lower, self.utility() - other.utility(), upper])
    }
}

/// Returns the place of the best record by utility among those within `halted_bps`; the one that holds users up least if none is.
pub fn best_within(records: &[Record], halted_bps: f64) -> Option<usize> {
    let within = (0..records.len()).filter(|at| records[*at].halted_bps() <= halted_bps);
    let best = within.max_by(|a, b| records[*a].utility().total_cmp(&records[*b].utility()));
    best.or_else(|| (0..records.len()).min_by(|a, b| records[*a].halted_bps().total_cmp(&records[*b].halted_bps())))
}

/// Returns the guard with the default rules, that nobody steers.
pub fn default_guard() -> Decider {
    Decider::Guard(Box::new(default_rules().into_iter().fold(GuardConfig::unguarded(), GuardConfig::with_rule)))
}

/// Returns the share of time in which users may be held up on `markets`, bps: what the default guard takes of it.
pub fn halt_budget(markets: &[Market]) -> f64 {
    Record::of("static default", &default_guard(), markets).halted_bps().max(LEAST_HALTED_BPS)
}

/// Returns the rules among which the static ones are tuned.
pub fn rules_grid() -> Vec<Rules> {
    let mut grid = Vec::new();
    for tighten_at in [0.02, 0.10, 2.0] {
        for deleverage_at in [0.0, 0.1, 0.3, 2.0] {
            for halt_at in [0.3, 0.6, 2.0] {
                grid.extend([0.05, 2.0].map(|hedge_at| Rules { tighten_at, deleverage_at, halt_at, hedge_at }));
            }
        }
    }
    grid
}
