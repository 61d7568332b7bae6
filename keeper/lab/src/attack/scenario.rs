//! What a scenario is: the world outside a guarded pool, step by step.
//!
//! A scenario holds what the pool can't change (venues, oracles, depth, wishes of users, faults). What the pool, its guard and its
//! liquidators make of it is the simulator's part (`pool`).

use serde::{Deserialize, Serialize};
use solana_sha256_hasher::Hasher;

/// Trading venues of a scenario. The first is the one that a single-venue attack moves.
pub const VENUES: usize = 3;

/// Seconds of one step.
pub const STEP_SECS: u32 = 60;

/// One oracle's last print, as a keeper or the program reads it at the end of a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Print {
    /// Loan units for one unit of collateral.
    pub price: f64,
    /// Half-width of the confidence interval, in loan units.
    pub conf: f64,
    /// Seconds since it was published.
    pub age_secs: u32,
}

/// What a keeper does in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keeper {
    /// It runs, and reports what it sees.
    Honest,
    /// It doesn't run.
    Down,
    /// It is in an attacker's hands and reports this score, whatever the market does.
    Compromised {
        /// Reported score, 0 to 10,000.
        score: u16,
    },
}

/// One step of a scenario: all that is known at its end, `ts`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tick {
    /// End of the step, unix seconds.
    pub ts: i64,
    /// Price at which size trades over all venues, before any impact of the pool's own liquidations; loan units for one unit
    /// of collateral. Nobody in the simulation may decide on it: it values losses and liquidations.
    pub truth: f64,
    /// Last trade on each venue, same units.
    pub venues: [f64; VENUES],
    /// First oracle source.
    pub oracle: Print,
    /// Second, independent oracle source.
    pub second: Print,
    /// Price of the market's common factor, starts at 100.
    pub factor: f64,
    /// Depth of the books as a share of the market's normal depth: 1 is normal.
    pub depth: f64,
    /// Quoted spread, as a share of the price.
    pub spread: f64,
    /// Volume of the step over all venues, in units of collateral.
    pub volume: f64,
    /// Part of `volume` where the buyer was the taker, same units.
    pub taker_buy: f64,
    /// Borrowers' wish for new debt in this step, as a multiple of the normal wish: 1 is normal.
    pub borrow_demand: f64,
    /// New debt that an attacker tries to draw in this step against the collateral at the oracle's price, as a share of the
    /// pool's deposits.
    pub attack_borrow: f64,
    /// Supply of the collateral's mint as a multiple of its supply at the start: forged or minted collateral shows here.
    pub collateral_supply: f64,
    /// Share of the remaining deposits whose owners want to leave in this step.
    pub outflow: f64,
    /// The defender's keeper.
    pub keeper: Keeper,
    /// Probability that a transaction sent in this step lands in it.
    pub inclusion: f64,
    /// Perpetual over spot, minus 1: what a hedge by perpetuals loses or gains beside the spot.
    pub basis: f64,
    /// Share of the impact of the pool's liquidations that stays in all venues' prices: 0 unless the scenario is a cascade.
    pub feedback: f64,
}

impl Tick {
    /// Returns the same step of a coin that is worth `scale` times as much; what is traded keeps its worth.
    fn scaled(self, scale: f64) -> Self {
        let print = |print: Print| Print { price: print.price * scale, conf: print.conf * scale, ..print };
        Self {
            truth: self.truth * scale,
            venues: self.venues.map(|price| price * scale),
            oracle: print(self.oracle),
            second: print(self.second),
            volume: self.volume / scale,
            taker_buy: self.taker_buy / scale,
            ..self
        }
    }

    /// Returns an ordinary step: everybody sees `price`, to within `confidence` (a share of it), and wishes what is normal; an
    /// honest keeper lands all it sends. `spread`, `volume` and `taker_buy` as in the fields.
    pub fn ordinary(ts: i64, price: f64, confidence: f64, (spread, volume, taker_buy): (f64, f64, f64)) -> Self {
        let print = Print { price, conf: price * confidence, age_secs: 0 };
        Self {
            ts,
            truth: price,
            venues: [price; VENUES],
            oracle: print,
            second: print,
            factor: 100.0,
            depth: 1.0,
            spread,
            volume,
            taker_buy,
            borrow_demand: 1.0,
            attack_borrow: 0.0,
            collateral_supply: 1.0,
            outflow: 0.0,
            keeper: Keeper::Honest,
            inclusion: 1.0,
            basis: 0.0,
            feedback: 0.0,
        }
    }
}

/// Where a scenario's prices come from. Results are published in one table for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A recorded market as it was.
    Recorded,
    /// A recorded crisis, rescaled and spliced into recorded calm.
    Grafted,
    /// Generated.
    Synthetic,
}

/// Which side of the split a scenario's template and ranges belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// May be trained and tuned on.
    Train,
    /// Only for results.
    Test,
}

/// A path of the world outside a guarded pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Template's name, such as `flash-crash`.
    pub name: String,
    /// Where the prices come from.
    pub origin: Origin,
    /// Side of the split.
    pub split: Split,
    /// Seed that it was drawn with.
    pub seed: u64,
    /// Seconds of one step.
    pub step_secs: u32,
    /// Share of the pool's debt that one position holds.
    pub concentration: f64,
    /// What was drawn, by name: what a template promises can be checked against its steps.
    pub drawn: Vec<(String, f64)>,
    /// First step in which anything is out of the ordinary; none for a true negative.
    pub onset: Option<usize>,
    /// The steps, oldest first.
    pub ticks: Vec<Tick>,
}

/// A perpetual further than this from the spot is more than the noise of an ordinary market.
const LARGE_BASIS: f64 = 0.01;

impl Scenario {
    /// Names what happens in it that neither the pool nor a decider reads: it has no effect there. What keepers report has one where
    /// a quorum of them is played (`has_quorum`). Shape: none for most.
    pub fn without_effect(&self, has_quorum: bool) -> Vec<&'static str> {
        let is_reported = |tick: &Tick| matches!(tick.keeper, Keeper::Compromised { .. });
        let parts = [
            ("scores that keepers report, without a quorum of them", !has_quorum && self.ticks.iter().any(is_reported)),
            ("the perpetuals' basis", self.ticks.iter().any(|tick| tick.basis.abs() > LARGE_BASIS)),
        ];
        parts.into_iter().filter_map(|(name, is_there)| is_there.then_some(name)).collect()
    }

    /// Returns the same with all that has no effect without a quorum as on an ordinary day, and without the common factor, which
    /// nobody reads: it plays the same.
    pub fn as_played(mut self) -> Self {
        for tick in &mut self.ticks {
            if matches!(tick.keeper, Keeper::Compromised { .. }) {
                tick.keeper = Keeper::Honest;
            }
            (tick.basis, tick.factor) = (0.0, 100.0);
        }
        self
    }

    /// Returns the same path of a coin that begins at one unit of the loan, as one with a peg does.
    pub fn at_par(mut self) -> Self {
        let Some(first) = self.ticks.first().map(|tick| tick.truth).filter(|price| *price > 0.0) else { return self };
        self.ticks.iter_mut().for_each(|tick| *tick = tick.scaled(1.0 / first));
        self
    }

    /// Returns what was drawn under `name`.
    pub fn drawn(&self, name: &str) -> Option<f64> {
        self.drawn.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// Returns the SHA-256 of name, seed and every number of every step: equal for equal scenarios only.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Hasher::default();
        hasher.hash(self.name.as_bytes());
        hasher.hash(&self.seed.to_le_bytes());
        self.ticks.iter().for_each(|tick| tick.hash_into(&mut hasher));
        hasher.result().to_bytes()
    }
}

impl Tick {
    fn hash_into(&self, hasher: &mut Hasher) {
        hasher.hash(&self.ts.to_le_bytes());
        let prices =
            [self.truth, self.oracle.price, self.oracle.conf, self.second.price, self.second.conf, self.factor];
        let books = [self.depth, self.spread, self.volume, self.taker_buy, self.borrow_demand, self.attack_borrow];
        let rest = [self.collateral_supply, self.outflow, self.inclusion, self.basis, self.feedback];
        for value in self.venues.iter().chain(&prices).chain(&books).chain(&rest) {
            hasher.hash(&value.to_le_bytes());
        }
        hasher.hash(&self.oracle.age_secs.to_le_bytes());
        hasher.hash(&self.second.age_secs.to_le_bytes());
        let keeper = match self.keeper {
            Keeper::Honest => u32::MAX,
            Keeper::Down => u32::MAX - 1,
            Keeper::Compromised { score } => u32::from(score),
        };
        hasher.hash(&keeper.to_le_bytes());
    }
}
