//! Re-checks the index against a full scan, a few positions at a time, and counts what it passes.
//!
//! A position is right when the index holds it under the key that its state gives, and when the exact check finds it
//! beyond the soft line only where the looked-up value would have returned it. Whatever fails either is a mismatch: there
//! must be none, ever, and one is put right at once.

use crate::watch::index::{PriceIndex, key_of, threshold};
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::math::{Bps, Price};
use rampart::risk::health::ltv_floor;
use rampart::state::{Position, Vault};
use std::collections::HashMap;

/// A vault, accrued until now, with the end of its price at which positions are judged.
#[derive(Clone, Debug)]
pub struct Priced {
    /// The vault.
    pub vault: Box<Vault>,
    /// The end that favours the owners.
    pub price: Price,
}

/// Width of a bar of the histogram, bps.
pub const BAR_BPS: u32 = 500;
/// Bars: up to one whole, and one for everything beyond.
pub const BARS: usize = 21;

/// What a round counted in one vault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All positions.
    pub count: u64,
    /// Those with a debt.
    pub borrowers: u64,
    /// Those between soft and liquidation line.
    pub soft: u64,
    /// Those at the liquidation line or beyond.
    pub liquidatable: u64,
    /// Positions and their debt, base units, by loan-to-value; only where there is a price.
    pub bars: [(u64, u128); BARS],
}

/// What a step found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Positions checked.
    pub checked: usize,
    /// Positions on which index and scan differ.
    pub mismatched: Vec<Pubkey>,
    /// Where the next step goes on; `None` at the end of the round.
    pub cursor: Option<Pubkey>,
}

/// Checks up to `n` positions after `cursor` and counts them. A vault without a price has its keys checked alone.
pub fn step(
    store: &Store,
    index: &PriceIndex,
    priced: &HashMap<Pubkey, Priced>,
    cursor: Option<Pubkey>,
    n: usize,
    tallies: &mut HashMap<Pubkey, Tally>,
) -> Step {
    let mut step = Step::default();
    for (key, position) in store.positions_after(cursor, n) {
        step.checked += 1;
        step.cursor = Some(*key);
        let priced = priced.get(&position.vault);
        let judged = priced.and_then(|priced| judge(priced, position));
        tallies.entry(position.vault).or_default().add(position, priced, judged);
        if !is_right(index, key, position, priced, judged) {
            step.mismatched.push(*key);
        }
    }
    if step.checked < n {
        step.cursor = None;
    }
    step
}

/// The exact check, as the program makes it: debt and loan-to-value; `None` without a debt.
pub fn judge(priced: &Priced, position: &Position) -> Option<(u64, Bps)> {
    let debt = priced.vault.debt_of(position).ok().filter(|debt| *debt > 0)?;
    ltv_floor(debt, position.collateral_amount, priced.price).ok().map(|ltv| (debt, ltv))
}

/// Tells whether a position is at the soft line or beyond.
pub fn crosses(priced: &Priced, position: &Position) -> bool {
    judge(priced, position).is_some_and(|(_, ltv)| ltv >= Bps(priced.vault.risk.soft_line_bps.into()))
}

fn is_right(
    index: &PriceIndex,
    key: &Pubkey,
    position: &Position,
    priced: Option<&Priced>,
    judged: Option<(u64, Bps)>,
) -> bool {
    let expected = key_of(position.debt_scaled.get(), position.collateral_amount);
    let indexed = index.vault(&position.vault).and_then(|vault| vault.key(key));
    let is_left_out = |priced: &Priced| {
        let crosses = judged.is_some_and(|(_, ltv)| ltv >= Bps(priced.vault.risk.soft_line_bps.into()));
        crosses && !is_returned(priced, indexed)
    };
    indexed == expected && !priced.is_some_and(is_left_out)
}

fn is_returned(priced: &Priced, key: Option<u128>) -> bool {
    let lowest = threshold(priced.price, priced.vault.borrow_index_q64.get(), priced.vault.risk.soft_line_bps);
    key.is_some_and(|key| key >= lowest)
}

impl Tally {
    fn add(&mut self, position: &Position, priced: Option<&Priced>, judged: Option<(u64, Bps)>) {
        self.count += 1;
        self.borrowers += u64::from(position.debt_scaled.get() > 0);
        let (Some(priced), Some((debt, ltv))) = (priced, judged) else { return };
        let risk = &priced.vault.risk;
        if ltv >= Bps(risk.liquidation_line_bps.into()) {
            self.liquidatable += 1;
        } else if ltv >= Bps(risk.soft_line_bps.into()) {
            self.soft += 1;
        }
        let bar = &mut self.bars[usize::try_from(ltv.0 / BAR_BPS).unwrap_or(BARS).min(BARS - 1)];
        bar.0 += 1;
        bar.1 = bar.1.saturating_add(debt.into());
    }
}
