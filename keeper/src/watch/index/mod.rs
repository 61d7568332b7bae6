//! Who crosses a line at which price.
//!
//! A position reaches the line of L bps when `ceil(S·I) · 10⁴ ≥ L · ceil(C·P)`, with S its scaled debt, I the vault's
//! index, C its collateral and P the pair's price. Neither I nor P nor L is part of the key `(S + 1) · 10⁴ / C`: a
//! position that reaches the line has a key of at least `L · P / I`, so interest, prices and tightened lines move the
//! looked-up value and never the index. The one added to S stands for the rounding of the debt (I is never below one),
//! and every division rounds towards more candidates: what the index leaves out is proved to be on the safe side, what
//! it returns is re-checked exactly.

pub mod sweep;

use anchor_lang::prelude::Pubkey;
use rampart::math::bps::BPS_ONE;
use rampart::math::price::{Price, Q64_ONE};
use rampart::math::wide::{mul_div_ceil, mul_div_floor};
use rampart::state::Position;
use std::collections::{BTreeSet, HashMap};

/// Returns the sorting key of a position; `None` without debt: it reaches no line at any price.
///
/// # Units
/// Bps times loan base units per collateral base unit, U64.64, rounded up; the largest number without collateral.
pub fn key_of(debt_scaled: u128, collateral: u64) -> Option<u128> {
    if debt_scaled == 0 {
        return None;
    }
    let scaled = debt_scaled.saturating_add(1).saturating_mul(u128::from(BPS_ONE));
    Some(mul_div_ceil(scaled, Q64_ONE, u128::from(collateral)).unwrap_or(u128::MAX))
}

/// Returns the lowest key that can reach a line at `price`.
///
/// # Units
/// As [`key_of`], rounded down; zero for an index below one, which no vault has: then everything is a candidate.
pub fn threshold(price: Price, index_q64: u128, line_bps: u16) -> u128 {
    // a price has at most 113 bits and a line 16: no overflow
    mul_div_floor(price.q64() * u128::from(line_bps), Q64_ONE, index_q64).filter(|_| index_q64 >= Q64_ONE).unwrap_or(0)
}

/// The positions of one vault with a debt, in order of their key.
#[derive(Debug, Default)]
pub struct VaultIndex {
    ordered: BTreeSet<(u128, Pubkey)>,
    keys: HashMap<Pubkey, u128>,
}

impl VaultIndex {
    fn put(&mut self, position: Pubkey, key: Option<u128>) {
        if self.keys.get(&position).copied() == key {
            return;
        }
        self.remove(&position);
        if let Some(key) = key {
            self.ordered.insert((key, position));
            self.keys.insert(position, key);
        }
    }

    fn remove(&mut self, position: &Pubkey) {
        if let Some(key) = self.keys.remove(position) {
            self.ordered.remove(&(key, *position));
        }
    }

    /// Returns the key under which `position` stands.
    pub fn key(&self, position: &Pubkey) -> Option<u128> {
        self.keys.get(position).copied()
    }

    /// Returns the positions with a key of at least `threshold`, those deepest beyond the line first.
    pub fn candidates(&self, threshold: u128) -> impl Iterator<Item = Pubkey> {
        let lowest = Pubkey::new_from_array([0; 32]);
        self.ordered.range((threshold, lowest)..).rev().map(|(_, position)| *position)
    }

    /// Returns how many positions have a debt.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Tells whether no position has a debt.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// The index of every vault.
#[derive(Debug, Default)]
pub struct PriceIndex {
    vaults: HashMap<Pubkey, VaultIndex>,
    vault_of: HashMap<Pubkey, Pubkey>,
}

impl PriceIndex {
    /// Takes the new version of a position; `None` for one that is gone.
    pub fn put(&mut self, key: Pubkey, position: Option<&Position>) {
        let vault = position.map(|p| p.vault);
        if let Some(before) = self.vault_of.get(&key).copied().filter(|before| Some(*before) != vault) {
            self.vaults.entry(before).or_default().remove(&key);
            self.vault_of.remove(&key);
        }
        if let Some(position) = position {
            self.vault_of.insert(key, position.vault);
            let sort_key = key_of(position.debt_scaled.get(), position.collateral_amount);
            self.vaults.entry(position.vault).or_default().put(key, sort_key);
        }
    }

    /// Returns the index of `vault`.
    pub fn vault(&self, vault: &Pubkey) -> Option<&VaultIndex> {
        self.vaults.get(vault)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
