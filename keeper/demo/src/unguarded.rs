//! The same market without the guard beside it, and under fixed thresholds: comparisons, computed in this process.
//!
//! Both start from the same accounts and see the same prints. Without a guard
//! - it believes the first price source alone, however old, and knows no reference and no levels;
//! - it has no outflow limits and no soft deleveraging, and whoever holds the root key changes what they like;
//! - one liquidator looks every two minutes and takes the five worst positions of each vault: slow, but it comes. A market
//!   with quicker liquidators would lose less than this one, one whose liquidators fail in congestion more.
//!
//! Under fixed thresholds the lines are the guard's: liquidators look at every price and take whatever is at the line, and
//! a drawdown of [`DRAWDOWN`] stops new borrowing. What is missing is all that moves with the market: the score, the limit
//! that follows volatility, soft deleveraging, and the hedge: its reserve holds what it held.
//!
//! What is owed, seized and written off is computed by the program's own functions.

use crate::error::Outcome;
use crate::feeder::Print;
use crate::metronome::SlotMark;
use crate::scenario::{Act, Loosening};
use crate::watch::Snapshot;
use crate::world::params::DRAWDOWN_SECS;
use crate::world::{Coin, SOURCES, VAULTS, World};
use anchor_lang::prelude::Clock;
use rampart::LiquidateArgs;
use rampart::math::{Bps, Price, shares};
use rampart::risk::health::{ltv_ceil, ltv_floor};
use rampart::risk::liquidation::{Subject, plan};
use rampart::state::{Position, Vault};
use rampart_client::{Pubkey, address};
use serde::Serialize;
use std::collections::VecDeque;

/// How often the liquidator looks, seconds of chain time.
pub const LOOK_SECS: i64 = 120;
/// How many positions of a vault it takes each time.
pub const AT_ONCE: usize = 5;
/// The fall within [`DRAWDOWN_SECS`] that stops new borrowing under fixed thresholds, share: that of the guard's rule.
pub const DRAWDOWN: f64 = 0.12;
/// For how long it does, seconds.
const STOPPED_SECS: i64 = 1_800;

/// How a market is run that has no guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// How often liquidators look, seconds; 0 for every price.
    look_secs: i64,
    /// How many positions of a vault they take each time.
    at_once: usize,
    /// Whether a drawdown stops new borrowing.
    stops: bool,
}

impl Habits {
    /// No guard.
    pub const WITHOUT: Self = Self { look_secs: LOOK_SECS, at_once: AT_ONCE, stops: false };
    /// The guard's lines, fixed.
    pub const FIXED: Self = Self { look_secs: 0, at_once: usize::MAX, stops: true };
}

/// Power of ten of the prints.
const EXPONENT: i32 = -8;

/// What a market came to. Base units of the loan mint, over all vaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Repaid by liquidators and deleveragers.
    pub liquidated_amount: u64,
    /// Written off.
    pub bad_debt_amount: u64,
    /// Part of it that insurance paid.
    pub insured_amount: u64,
    /// Debt above what its collateral is worth at the last price, not yet written off.
    pub hidden_bad_debt_amount: u64,
    /// Withdrawn and borrowed since the start.
    pub left_amount: u64,
    /// Positions that were liquidated at least once while their true loan-to-value was below the line.
    pub wrongly_liquidated: u64,
    /// What the vaults still hold in cash.
    pub cash_amount: u64,
    /// What liquidators and deleveragers received beyond what they repaid.
    pub bonus_amount: u64,
    /// What the reserve is worth at the last price.
    pub reserve_amount: u64,
}

impl Tally {
    /// Returns what lenders lost, or will lose at the last price.
    pub fn loss_amount(&self) -> u64 {
        self.bad_debt_amount.saturating_sub(self.insured_amount) + self.hidden_bad_debt_amount
    }
}

/// A position, and whose.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Its address.
    pub key: Pubkey,
    /// Place of its vault.
    pub vault: usize,
    /// The account.
    pub state: Position,
}

/// The market without a guard.
pub struct Unguarded {
    habits: Habits,
    vaults: Vec<Vault>,
    positions: Vec<Held>,
    basket: [u64; 2],
    next_look_ts: i64,
    /// Prices of each vault's collateral of late, and until when new borrowing is stopped there, unix seconds.
    recent: [VecDeque<(i64, f64)>; VAULTS.len()],
    stopped_until_ts: [i64; VAULTS.len()],
    tally: Tally,
}

impl Unguarded {
    /// Starts from the accounts of the guarded market.
    pub fn new(habits: Habits, start: &Snapshot, positions: Vec<Held>) -> Self {
        Self {
            habits,
            vaults: start.vaults.clone(),
            positions,
            basket: start.basket(),
            next_look_ts: start.mark.unix_ts + habits.look_secs,
            recent: Default::default(),
            stopped_until_ts: [i64::MIN; VAULTS.len()],
            tally: Tally::default(),
        }
    }

    /// Lets the market go on to `mark` at what the sources last published; `true_usd` judges what was done wrongly.
    ///
    /// # Errors
    /// [`crate::error::DemoError::Account`] where the books overflow.
    pub fn step(&mut self, prints: &[[Print; SOURCES]; 3], true_usd: [f64; 3], mark: SlotMark) -> Outcome<()> {
        for vault in &mut self.vaults {
            vault.accrue(mark.unix_ts).map_err(|e| overflow(&e.to_string()))?;
        }
        self.watch_drawdown(true_usd, mark.unix_ts);
        if mark.unix_ts >= self.next_look_ts {
            self.next_look_ts += self.habits.look_secs;
            for vault in 0..self.vaults.len() {
                if let (Some(price), Some(fair)) = (pair_price(prints, vault), pair_of_usd(true_usd, vault)) {
                    self.look(vault, price, fair, mark);
                }
            }
        }
        Ok(())
    }

    fn watch_drawdown(&mut self, true_usd: [f64; 3], now_ts: i64) {
        for (vault, recent) in self.recent.iter_mut().enumerate().filter(|_| self.habits.stops) {
            let usd = true_usd[VAULTS[vault].index()];
            recent.push_back((now_ts, usd));
            while recent.front().is_some_and(|(ts, _)| now_ts - ts > i64::from(DRAWDOWN_SECS)) {
                recent.pop_front();
            }
            let high = recent.iter().map(|(_, usd)| *usd).fold(usd, f64::max);
            if usd <= high * (1.0 - DRAWDOWN) {
                self.stopped_until_ts[vault] = now_ts + STOPPED_SECS;
            }
        }
    }

    /// The liquidator's turn: the worst positions of a vault, as many as it takes.
    fn look(&mut self, vault: usize, price: Price, fair: Price, mark: SlotMark) {
        let mut worst: Vec<(Bps, usize)> = Vec::new();
        for (at, held) in self.positions.iter().enumerate().filter(|(_, held)| held.vault == vault) {
            if let Some(ltv) = ltv(&self.vaults[vault], &held.state, price) {
                worst.push((ltv, at));
            }
        }
        worst.sort_unstable_by(|a, b| b.cmp(a));
        for (_, at) in worst.into_iter().take(self.habits.at_once) {
            self.liquidate(at, price, fair, mark);
        }
    }

    fn liquidate(&mut self, at: usize, price: Price, fair: Price, mark: SlotMark) -> bool {
        let held = &mut self.positions[at];
        let vault = &mut self.vaults[held.vault];
        let line = Bps(vault.risk.liquidation_line_bps.into());
        let Ok(debt) = vault.debt_of(&held.state) else { return false };
        let is_wrong = ltv(vault, &held.state, fair).is_some_and(|ltv| ltv < line);
        let subject = Subject { debt, collateral: held.state.collateral_amount, price };
        let Ok(plan) = plan(subject, &vault.risk, u64::MAX) else { return false };
        let args = LiquidateArgs {
            liquidation_seq: held.state.liquidation_seq,
            max_repay_amount: u64::MAX,
            min_seize_amount: 0,
        };
        let clock = Clock { slot: mark.slot, unix_timestamp: mark.unix_ts, ..Clock::default() };
        let Ok(fact) = rampart::book(vault, &mut held.state, plan, &args, &clock, false) else { return false };
        self.tally.liquidated_amount += fact.repaid_amount;
        self.tally.bad_debt_amount += fact.bad_debt_amount;
        self.tally.insured_amount += fact.insured_amount;
        self.tally.bonus_amount += bonus_amount(fact.repaid_amount, fact.bonus_bps);
        self.tally.wrongly_liquidated += u64::from(is_wrong);
        true
    }

    /// Does what a person tries, as this market lets it; returns whether it succeeded.
    pub fn act(
        &mut self,
        world: &World,
        act: Act,
        prints: &[[Print; SOURCES]; 3],
        true_usd: [f64; 3],
        mark: SlotMark,
    ) -> bool {
        match act {
            Act::AttackerBorrows { usd } => {
                self.borrow(position_of(world, 0, &world.cast.attacker.key()), 0, usd, prints, mark)
            }
            Act::BorrowsMore { borrower, usd } => {
                let who = &world.cast.borrowers[borrower];
                self.borrow(position_of(world, who.vault, &who.key.key()), who.vault, usd, prints, mark)
            }
            Act::Withdraws { lender, share_bps } => self.withdraw(world, lender, share_bps),
            Act::AttackerLiquidates => self.liquidate_safest(world, prints, true_usd, mark),
            // fixed thresholds are the guard's, and nobody loosens them at once
            Act::Loosens(_) if self.habits.stops => false,
            Act::Loosens(Loosening::Ltv) => {
                self.vaults[0].risk.ltv_bps = 9_000;
                true
            }
            Act::Loosens(Loosening::BorrowCap) => {
                self.vaults[0].limits.borrow_cap_amount = u64::MAX;
                true
            }
            Act::Loosens(_) => true,
            Act::StrangerTightens | Act::KillsKeeper(_) | Act::RestartsKeeper(_) => false,
        }
    }

    fn borrow(&mut self, key: Pubkey, vault: usize, usd: u32, prints: &[[Print; SOURCES]; 3], mark: SlotMark) -> bool {
        if mark.unix_ts < self.stopped_until_ts[vault] {
            return false;
        }
        let amount = u64::from(usd) * crate::world::params::USDC;
        let (Some(price), Some(held)) =
            (pair_price(prints, vault), self.positions.iter_mut().find(|held| held.key == key))
        else {
            return false;
        };
        let vault = &mut self.vaults[vault];
        let added = shares::scaled_for_borrow(amount.into(), vault.borrow_index_q64.get());
        let (Some(added), Ok(debt)) = (added, vault.debt_of(&held.state)) else { return false };
        let ltv = ltv_ceil(debt.saturating_add(amount), held.state.collateral_amount, price);
        if amount > vault.cash_amount || ltv.is_ok_and(|ltv| ltv > Bps(vault.risk.ltv_bps.into())) || ltv.is_err() {
            return false;
        }
        held.state.debt_scaled = (held.state.debt_scaled.get() + added).into();
        vault.debt_scaled = (vault.debt_scaled.get() + added).into();
        vault.cash_amount -= amount;
        self.tally.left_amount += amount;
        true
    }

    fn withdraw(&mut self, world: &World, lender: usize, share_bps: u16) -> bool {
        let who = &world.cast.lenders[lender];
        let key = position_of(world, who.vault, &who.key.key());
        let Some(held) = self.positions.iter_mut().find(|held| held.key == key) else { return false };
        let vault = &mut self.vaults[who.vault];
        let given = held.state.supply_shares.get() / 10_000 * u128::from(share_bps);
        let Ok(amount) = vault.assets_for_shares(given) else { return false };
        if amount == 0 || amount > vault.cash_amount {
            return false;
        }
        held.state.supply_shares = (held.state.supply_shares.get() - given).into();
        vault.supply_shares = (vault.supply_shares.get() - given).into();
        vault.cash_amount -= amount;
        self.tally.left_amount += amount;
        true
    }

    fn liquidate_safest(
        &mut self,
        world: &World,
        prints: &[[Print; SOURCES]; 3],
        true_usd: [f64; 3],
        mark: SlotMark,
    ) -> bool {
        let mine = world.cast.borrowers.iter().filter(|b| b.vault == 0);
        let Some(owner) = mine.min_by_key(|b| b.ltv_bps).map(|b| b.key.key()) else { return false };
        let key = position_of(world, 0, &owner);
        let at = self.positions.iter().position(|held| held.key == key);
        match (at, pair_price(prints, 0), pair_of_usd(true_usd, 0)) {
            (Some(at), Some(price), Some(fair)) => self.liquidate(at, price, fair, mark),
            _ => false,
        }
    }

    /// Returns what it came to, at the true price of the last moment.
    pub fn tally(&self, true_usd: [f64; 3]) -> Tally {
        let hidden_bad_debt_amount = hidden_bad_debt(&self.vaults, &self.positions, true_usd);
        let cash_amount = self.vaults.iter().map(|vault| vault.cash_amount).sum();
        let reserve_amount = basket_amount(self.basket, true_usd);
        Tally { hidden_bad_debt_amount, cash_amount, reserve_amount, ..self.tally }
    }
}

/// Returns what a liquidator received beyond what it repaid, base units of the loan mint.
pub fn bonus_amount(repaid_amount: u64, bonus_bps: u16) -> u64 {
    Bps(bonus_bps.into()).of_floor(repaid_amount.into()).and_then(|amount| u64::try_from(amount).ok()).unwrap_or(0)
}

/// Returns what SOL and USDC are worth, base units of USDC.
pub fn basket_amount([sol, usdc]: [u64; 2], true_usd: [f64; 3]) -> u64 {
    let value = pair_of_usd(true_usd, 0).and_then(|price| price.value_floor(sol.into()));
    usdc.saturating_add(value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0))
}

/// Returns debt above what its collateral is worth, over all positions.
pub fn hidden_bad_debt(vaults: &[Vault], positions: &[Held], true_usd: [f64; 3]) -> u64 {
    let missing = |held: &Held| {
        let vault = &vaults[held.vault];
        let value =
            pair_of_usd(true_usd, held.vault).and_then(|price| price.value_floor(held.state.collateral_amount.into()));
        let (debt, value) =
            (vault.debt_of(&held.state).unwrap_or(0), value.and_then(|v| u64::try_from(v).ok()).unwrap_or(0));
        debt.saturating_sub(value)
    };
    positions.iter().map(missing).sum()
}

fn ltv(vault: &Vault, position: &Position, price: Price) -> Option<Bps> {
    let debt = vault.debt_of(position).ok().filter(|debt| *debt > 0)?;
    ltv_floor(debt, position.collateral_amount, price).ok()
}

/// The price of the first source alone, however old.
fn pair_price(prints: &[[Print; SOURCES]; 3], vault: usize) -> Option<Price> {
    let usd = |coin: Coin| {
        let mantissa = u128::try_from(prints[coin.index()][0].price_e8).ok()?;
        Price::from_decimal(mantissa, EXPONENT).ok()
    };
    pair(usd(VAULTS[vault])?, usd(Coin::Usdc)?, vault)
}

fn pair_of_usd(usd: [f64; 3], vault: usize) -> Option<Price> {
    // a made-up market's price enters the program's arithmetic here
    let price = |coin: Coin| Price::from_decimal((usd[coin.index()] * 1e8) as u128, EXPONENT).ok();
    pair(price(VAULTS[vault])?, price(Coin::Usdc)?, vault)
}

fn pair(collateral: Price, loan: Price, vault: usize) -> Option<Price> {
    Price::pair(collateral, VAULTS[vault].decimals(), loan, Coin::Usdc.decimals()).ok()
}

fn position_of(world: &World, vault: usize, owner: &Pubkey) -> Pubkey {
    address::position(&world.vaults[vault].vault, owner)
}

fn overflow(problem: &str) -> crate::error::DemoError {
    crate::error::DemoError::Account { what: "the comparison's vault".to_owned(), problem: problem.to_owned() }
}
