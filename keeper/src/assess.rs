//! What the chain's state means, judged by the program's own code.
//!
//! Owns no risk arithmetic: prices, levels, rules, health and plans come from the functions that the program runs on
//! chain, over the same bytes and the chain's clock. Plain function of the store: no I/O, no memory, no decision.

pub mod basket;
pub mod group;
pub mod position;
pub mod rule;

use crate::chain::clock::ChainTime;
use crate::watch::index::sweep::Priced;
use crate::watch::index::{PriceIndex, threshold};
use crate::watch::oracles::{self, Found};
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::constants::LIQUIDATION_GRACE_SECS;
use rampart::error::RampartError;
use rampart::instructions::liquidation::grace::latest_halt;
use rampart::instructions::shared::{PairPrices, effective_levels};
use rampart::oracle::{AssetReading, PriceBand};
use rampart::risk::gate::{Class, Pass, gate};
use rampart::risk::health::PairBand;
use rampart::state::{Asset, Halts, Level, Levels, Vault};
use std::collections::{BTreeMap, HashMap};

pub use basket::BasketReport;
pub use group::GroupReport;
pub use position::Candidate;
pub use rule::RuleReport;

/// What the sources of an asset say.
#[derive(Clone, Debug)]
pub struct AssetReport {
    /// Each source; or what the program would refuse the call for.
    pub reading: Result<AssetReading, RampartError>,
    /// The agreed price.
    pub band: Result<PriceBand, RampartError>,
    /// The asset's own level.
    pub level: Level,
}

/// How a vault stands.
#[derive(Clone, Debug)]
pub struct VaultReport {
    /// Effective levels over guard, vault and both assets; `Halt` where one of them isn't known.
    pub levels: Levels,
    /// What the levels leave of liquidations.
    pub pass: Result<Pass, RampartError>,
    /// Price of the pair and the older publish time of both sides.
    pub pair: Result<(PairBand, i64), RampartError>,
    /// The halt that ends, or ended, last, until the grace time after it is over.
    pub halt: Option<Halts>,
    /// Whether the price when that halt began can be marked and isn't.
    pub is_markable: bool,
    /// The vault with its interest accrued until now.
    pub accrued: Box<Vault>,
}

/// Everything that decisions are made from.
#[derive(Clone, Debug, Default)]
pub struct Assessment {
    /// The moment that it is about.
    pub now: ChainTime,
    /// Assets by address.
    pub assets: BTreeMap<Pubkey, AssetReport>,
    /// Vaults by address.
    pub vaults: BTreeMap<Pubkey, VaultReport>,
    /// Rules by address.
    pub rules: BTreeMap<Pubkey, RuleReport>,
    /// Groups of rules by address.
    pub groups: BTreeMap<Pubkey, GroupReport>,
    /// Positions at their vault's soft line or beyond, the deepest of each vault first.
    pub candidates: Vec<Candidate>,
    /// The reserve's basket, where the guard has one.
    pub basket: Option<BasketReport>,
}

/// Assesses all that `store` holds, as of `now`.
pub fn assess(store: &Store, index: &PriceIndex, found: &Found, now: ChainTime) -> Assessment {
    let assets: BTreeMap<_, _> = store.assets().map(|(k, a)| (*k, asset(a, store, found, now.unix_ts))).collect();
    let vaults: BTreeMap<_, _> = store.vaults().map(|(k, v)| (*k, vault(v, store, &assets, now.unix_ts))).collect();
    let rules: BTreeMap<_, _> =
        store.rules().map(|(k, r)| (*k, rule::report(k, r, store, &assets, &vaults, now))).collect();
    let groups = store.groups().map(|(k, g)| (*k, group::report(k, g, store, &rules, now))).collect();
    let candidates = vaults.iter().flat_map(|(key, report)| candidates(key, report, store, index)).collect();
    let basket = basket::report(store, &assets, now.unix_ts);
    Assessment { now, assets, vaults, rules, groups, candidates, basket }
}

fn asset(asset: &Asset, store: &Store, found: &Found, now_ts: i64) -> AssetReport {
    let reading = oracles::read(asset, store, found, now_ts);
    let band = reading.and_then(|reading| reading.band(&asset.oracle, now_ts));
    AssetReport { reading, band, level: asset.breaker.level_at(now_ts) }
}

fn vault(vault: &Vault, store: &Store, assets: &BTreeMap<Pubkey, AssetReport>, now_ts: i64) -> VaultReport {
    let levels = levels_of(vault, store, now_ts);
    let mut accrued = Box::new(*vault);
    let is_accrued = accrued.accrue(now_ts).is_ok();
    let pair = pair(vault, assets).and_then(|pair| if is_accrued { Ok(pair) } else { Err(RampartError::MathOverflow) });
    let halt = halt_of(vault, store, now_ts);
    let is_markable = halt.is_some_and(|halt| is_markable(vault, halt, store));
    VaultReport {
        levels,
        pass: gate(Class::Liquidation, levels_for_liquidation(vault, levels, now_ts)),
        pair,
        halt,
        is_markable,
        accrued,
    }
}

/// A Resolution that has come to its date collects what is owed, as in the program's `pass_gate`.
fn levels_for_liquidation(vault: &Vault, levels: Levels, now_ts: i64) -> Levels {
    if vault.resolution.is_forced(now_ts) { Levels { exit: Level::Halt, ..levels } } else { levels }
}

/// Returns the latest halt of the vault's scopes, while it lasts and in the grace time after it.
fn halt_of(vault: &Vault, store: &Store, now_ts: i64) -> Option<Halts> {
    let [collateral, loan] = [&vault.collateral_asset, &vault.loan_asset].map(|key| store.asset(key));
    let halt = latest_halt(store.guard()?, vault, [collateral?, loan?])?;
    (now_ts.saturating_sub(halt.ends_at_ts) < LIQUIDATION_GRACE_SECS).then_some(halt)
}

/// Tells whether marking `halt` now would write something that isn't there.
fn is_markable(vault: &Vault, halt: Halts, store: &Store) -> bool {
    let assets = store.asset(&vault.collateral_asset).zip(store.asset(&vault.loan_asset));
    let Some((collateral, loan)) = assets.filter(|_| vault.halt_mark.price(&halt).is_none()) else { return false };
    let mut copy = Box::new(*vault);
    copy.mark_halt(&halt, collateral, loan);
    copy.halt_mark.price(&halt).is_some()
}

/// Unknown is never normal: without one of the four scopes the strictest level that a rule can raise is assumed.
fn levels_of(vault: &Vault, store: &Store, now_ts: i64) -> Levels {
    match (store.guard(), store.asset(&vault.collateral_asset), store.asset(&vault.loan_asset)) {
        (Some(guard), Some(collateral), Some(loan)) => effective_levels(guard, vault, [collateral, loan], now_ts),
        _ => Levels::all(Level::Halt),
    }
}

fn pair(vault: &Vault, assets: &BTreeMap<Pubkey, AssetReport>) -> Result<(PairBand, i64), RampartError> {
    let band = |key| assets.get(key).ok_or(RampartError::PriceIndeterminate).and_then(|report| report.band);
    // the program reads the collateral first, so its refusal comes first here too
    let prices = PairPrices { collateral: band(&vault.collateral_asset)?, loan: band(&vault.loan_asset)? };
    let (collateral, loan) = prices.sides(vault);
    Ok((PairBand::new(collateral, loan)?, prices.oldest_publish_ts()))
}

fn candidates<'a>(
    key: &'a Pubkey,
    report: &'a VaultReport,
    store: &'a Store,
    index: &'a PriceIndex,
) -> impl Iterator<Item = Candidate> + 'a {
    let priced = report.pair.ok().map(|(pair, _)| pair.hi);
    let vault = &report.accrued;
    let lookup = move |price| threshold(price, vault.borrow_index_q64.get(), vault.risk.soft_line_bps);
    let reached = priced.and_then(|price| index.vault(key).map(|index| (price, index)));
    reached.into_iter().flat_map(move |(price, index)| {
        let known = index.candidates(lookup(price)).filter_map(|at| store.position(&at).map(|p| (at, p)));
        let judged = known.filter_map(move |(at, position)| {
            Candidate::judge(at, *key, position, vault, price).map(|candidate| (position, candidate))
        });
        judged.map(move |(position, candidate)| candidate.in_grace_of(report, position, store))
    })
}

impl Assessment {
    /// Returns each vault with a price, for the sweep.
    pub fn priced(&self) -> HashMap<Pubkey, Priced> {
        let priced = |(key, report): (&Pubkey, &VaultReport)| {
            let (pair, _) = report.pair.ok()?;
            Some((*key, Priced { vault: report.accrued.clone(), price: pair.hi }))
        };
        self.vaults.iter().filter_map(priced).collect()
    }
}

#[cfg(test)]
#[path = "assess_tests.rs"]
mod tests;
