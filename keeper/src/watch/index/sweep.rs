//! Re-checks the index against a full scan, a few positions at a time.
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

/// Checks up to `n` positions after `cursor`. A vault without a price has its keys checked alone.
pub fn step(store: &Store, index: &PriceIndex, priced: &HashMap<Pubkey, Priced>, cursor: Option<Pubkey>, n: usize) -> Step {
    let mut step = Step::default();
    for (key, position) in store.positions_after(cursor, n) {
        step.checked += 1;
        step.cursor = Some(*key);
        if !is_right(index, key, position, priced.get(&position.vault)) {
            step.mismatched.push(*key);
        }
    }
    if step.checked < n {
        step.cursor = None;
    }
    step
}

fn is_right(index: &PriceIndex, key: &Pubkey, position: &Position, priced: Option<&Priced>) -> bool {
    let expected = key_of(position.debt_scaled.get(), position.collateral_amount);
    let indexed = index.vault(&position.vault).and_then(|vault| vault.key(key));
    indexed == expected && priced.is_none_or(|priced| !crosses(priced, position) || is_returned(priced, indexed))
}

/// The exact check, as the program makes it.
pub fn crosses(priced: &Priced, position: &Position) -> bool {
    let line = Bps(priced.vault.risk.soft_line_bps.into());
    let debt = priced.vault.debt_of(position);
    let ltv = debt.ok().and_then(|debt| ltv_floor(debt, position.collateral_amount, priced.price).ok());
    position.debt_scaled.get() > 0 && ltv.is_some_and(|ltv| ltv >= line)
}

fn is_returned(priced: &Priced, key: Option<u128>) -> bool {
    let lowest = threshold(priced.price, priced.vault.borrow_index_q64.get(), priced.vault.risk.soft_line_bps);
    key.is_some_and(|key| key >= lowest)
}
