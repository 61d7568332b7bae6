//! Prices by seed: calm, drift, gaps, a lost peg, silence, one bad source; and borrowers who take on risk again.

use crate::record::Record;
use crate::scene::{CALM, Scene};
use rampart::math::price::Q64_ONE;
use rampart_client::Pubkey;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::{User, World};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Regime {
    Calm,
    Drift(f64),
    Depeg(f64),
    Silent,
    OneBad(f64),
    Wide,
}

/// The market.
pub struct Market {
    rng: ChaCha8Rng,
    regime: Regime,
    until_slot: u64,
    sol: f64,
    usdc: f64,
    /// What both sources told last, dollars: Pyth and Switchboard.
    told: [f64; 2],
    borrowers: Vec<User>,
}

impl Market {
    /// A calm market for the borrowers of `scene`.
    pub fn new(rng: ChaCha8Rng, scene: &mut Scene) -> Self {
        let borrowers = std::mem::take(&mut scene.borrowers);
        Self { rng, regime: Regime::Calm, until_slot: 0, sol: CALM, usdc: 1.0, told: [CALM; 2], borrowers }
    }

    /// One slot passes: returns the accounts that changed. `is_over`: no more surprises.
    pub fn step(&mut self, world: &mut World, slot: u64, is_over: bool, record: &mut Record) -> Vec<Pubkey> {
        if is_over {
            self.regime = Regime::Calm;
        } else if slot >= self.until_slot {
            self.turn(slot, record);
        }
        let noise = self.rng.random_range(-1.0..1.0) * 0.000_6;
        let pull = (CALM / self.sol).ln() * 0.002;
        let drift = if let Regime::Drift(drift) = self.regime { drift } else { 0.0 };
        self.sol *= (noise + pull + drift).exp();
        let peg = if let Regime::Depeg(peg) = self.regime { peg } else { 1.0 };
        self.usdc += (peg - self.usdc) * 0.1;
        let mut touched = self.publish(world);
        if !is_over && self.rng.random_range(0..60) == 0 {
            touched.extend(self.borrower(world));
        }
        touched
    }

    fn turn(&mut self, slot: u64, record: &mut Record) {
        let (roll, size) = (self.rng.random_range(0..100), self.rng.random_range(0.0..1.0));
        let mut length = self.rng.random_range(100..500);
        self.regime = match roll {
            0..30 => Regime::Calm,
            30..42 => Regime::Drift(-0.000_4 - size * 0.002),
            42..52 => Regime::Drift(0.000_4 + size * 0.002),
            52..72 => {
                // a gap: no price in between was ever told
                let fall = 0.06 + size * 0.26;
                self.sol *= 1.0 - fall;
                record.line(&format!("MARKET gap of -{:.1} %", fall * 100.0));
                length = 150;
                Regime::Drift(0.0)
            }
            72..79 => Regime::Depeg(0.95 + size * 0.04),
            79..86 => {
                length = 60 + (size * 500.0) as u64;
                Regime::Silent
            }
            86..94 => Regime::OneBad((size - 0.5) * 0.4),
            _ => Regime::Wide,
        };
        record.line(&format!("MARKET {:?} for {length} slots at {:.2}", self.regime, self.sol));
        self.until_slot = slot + length;
    }

    fn publish(&mut self, world: &mut World) -> Vec<Pubkey> {
        if self.regime == Regime::Silent {
            return Vec::new();
        }
        let mut touched = Vec::new();
        // each source in its own time
        if self.rng.random_range(0..100) < 45 {
            touched.extend(self.pyth(world));
        }
        if self.rng.random_range(0..100) < 40 {
            touched.extend(self.switchboard(world));
        }
        touched
    }

    fn pyth(&mut self, world: &mut World) -> [Pubkey; 2] {
        let (sol, usdc, now_ts) = (world.sol_feeds, world.usdc_feeds, world.now_ts());
        let confidence = if self.regime == Regime::Wide { 260 } else { 5 };
        world.publish_pyth(&sol, self.sol, confidence, now_ts);
        world.publish_pyth(&usdc, self.usdc, 5, now_ts);
        self.told[0] = self.sol;
        [sol.pyth, usdc.pyth]
    }

    fn switchboard(&mut self, world: &mut World) -> [Pubkey; 2] {
        let (sol, usdc, now_ts) = (world.sol_feeds, world.usdc_feeds, world.now_ts());
        let error = if let Regime::OneBad(error) = self.regime { error } else { 0.0 };
        world.publish_switchboard(&sol, self.sol * (1.0 + error), 5, now_ts);
        world.publish_switchboard(&usdc, self.usdc, 5, now_ts);
        self.told[1] = self.sol * (1.0 + error);
        [sol.switchboard, usdc.switchboard]
    }

    /// The price falls by a quarter, and both sources tell it once. Returns the accounts that changed.
    pub fn fall_once(&mut self, world: &mut World, record: &mut Record) -> Vec<Pubkey> {
        self.sol *= 0.75;
        record.line(&format!("MARKET falls to {:.2}, told once", self.sol));
        [self.pyth(world), self.switchboard(world)].concat()
    }

    /// A borrower goes back to the edge of what is allowed, from wherever liquidations left them.
    fn borrower(&mut self, world: &mut World) -> Vec<Pubkey> {
        let at = self.rng.random_range(0..self.borrowers.len());
        let Some(user) = self.borrowers.get(at) else { return Vec::new() };
        let (position, index) = (world.position(&user.position), world.vault().borrow_index_q64.get());
        let debt = position.debt_scaled.get() as f64 * (index as f64 / Q64_ONE as f64) / USDC as f64;
        let collateral = position.collateral_amount as f64 / SOL as f64;
        if collateral < 40.0 {
            let amount = 60 * SOL;
            world.mint_to(world.sol, user.sol, amount);
            // refusals are the guard's business
            let _ = world.deposit_collateral(user, amount);
        }
        let wanted = collateral.max(40.0) * self.sol * self.rng.random_range(0.45..0.69) - debt;
        if wanted > 20.0 {
            let _ = world.borrow(user, (wanted * USDC as f64) as u64);
        }
        let keys = world.keys;
        let shared = [keys.vault, keys.guard, keys.collateral_asset, keys.loan_asset, keys.loan_token];
        [&shared[..], &[keys.collateral_token, user.position, user.sol, user.usdc]].concat()
    }

    /// Returns every borrower's position.
    pub fn positions(&self) -> Vec<Pubkey> {
        self.borrowers.iter().map(|user| user.position).collect()
    }
}
