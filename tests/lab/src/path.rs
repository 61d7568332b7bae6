//! Paths that a seed draws: prices, faults of the sources and of the keeper, and what users wish for.

use super::{Keeper, START_PRICE, STEP_SECS, Tick, Wish, tick};
use rampart_tests::defaults::{SOL, USDC};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What lasts for some steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Both sources print nothing new.
    Frozen,
    /// One does.
    OneFrozen,
    /// The second source is unsure.
    Wide,
    /// The second source says something else.
    Apart,
    /// The keeper is down.
    Down,
    /// More collateral was minted.
    Minted,
    /// The price falls.
    Crash,
}

const FAULTS: [Fault; 7] =
    [Fault::Frozen, Fault::OneFrozen, Fault::Wide, Fault::Apart, Fault::Down, Fault::Minted, Fault::Crash];

/// A path that a seed draws, step by step.
pub struct Path {
    rng: ChaCha8Rng,
    price: f64,
    printed: f64,
    fault: Fault,
    left: u32,
    passed: u32,
    supply: f64,
}

impl Path {
    /// Starts a path at 150 dollars.
    pub fn new(seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { rng, price: START_PRICE, printed: START_PRICE, fault: Fault::None, left: 0, passed: 0, supply: 1.0 }
    }

    /// Returns the step that ends at `ts`.
    pub fn step(&mut self, ts: i64) -> Tick {
        self.move_on();
        let drift = if self.fault == Fault::Crash { -0.03 } else { 0.001 };
        self.price *= 1.0 + drift + self.rng.random_range(-0.004..0.004);
        let fresh = cents(self.price);
        let mut tick = Tick { collateral_supply: self.supply, ..tick(ts, fresh) };
        let frozen_secs = self.passed * STEP_SECS;
        match self.fault {
            Fault::Frozen | Fault::OneFrozen => {
                (tick.second.price, tick.second.conf) = (self.printed, self.printed * 5e-4);
                tick.second.age_secs = frozen_secs;
                if self.fault == Fault::Frozen {
                    tick.oracle = tick.second;
                }
            }
            Fault::Wide => tick.second.conf = tick.second.price * 0.03,
            Fault::Apart => {
                tick.second.price = cents(fresh * 1.03);
                tick.second.conf = tick.second.price * 5e-4;
            }
            Fault::Down => tick.keeper = Keeper::Down,
            Fault::None | Fault::Minted | Fault::Crash => {}
        }
        if !matches!(self.fault, Fault::Frozen | Fault::OneFrozen) {
            self.printed = fresh;
        }
        tick
    }

    fn move_on(&mut self) {
        self.passed += 1;
        if self.left > 0 {
            self.left -= 1;
            return;
        }
        (self.fault, self.passed) = (Fault::None, 0);
        if self.rng.random_bool(0.15) {
            (self.fault, self.passed) = (FAULTS[self.rng.random_range(0..FAULTS.len())], 1);
            self.left = self.rng.random_range(1..6);
            self.supply += if self.fault == Fault::Minted { 0.06 } else { 0.0 };
        }
    }

    /// Returns who wishes for what: one of `borrowers`, or the lender, who stands behind them.
    pub fn wish(&mut self, borrowers: usize) -> (usize, Wish) {
        let by = self.rng.random_range(0..borrowers);
        match self.rng.random_range(0..8) {
            0..3 => (by, Wish::Borrow(self.rng.random_range(1..3_000 * USDC))),
            3 => (by, Wish::Repay(self.rng.random_range(1..2_000 * USDC))),
            4..6 => (by, Wish::TakeCollateral(self.rng.random_range(1..30 * SOL))),
            _ => (borrowers, Wish::Withdraw(self.rng.random_range(1..SHARES))),
        }
    }
}

/// Up to 6,000 USDC, in shares of a lender.
const SHARES: u128 = 6_000_000_000_000_000;

/// Sources print whole cents here, which every exponent holds exactly.
fn cents(price: f64) -> f64 {
    (price * 100.0).round() / 100.0
}
