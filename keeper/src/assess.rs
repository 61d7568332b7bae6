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
use rampart::error::RampartError;
use rampart::instructions::liquidation::grace::{is_recent, latest_halts};
use rampart::instructions::shared::{PairPrices, effective_levels, levels_for_liquidation};
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
    /// The latest halt of each of the four scopes; none where a scope isn't known.
    pub halts: [Halts; 4],
    /// A halt in force, or in the grace time after it, of which the price when it began can be marked and isn't.
    pub markable: Option<Halts>,
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
    let halts = halts_of(vault, store).unwrap_or_default();
    let recent = halts.iter().filter(|halt| is_recent(halt, now_ts));
    let markable = recent.copied().find(|halt| is_markable(vault, halt, store));
    VaultReport {
        levels,
        pass: gate(Class::Liquidation, forced_levels(vault, levels, store, now_ts)),
        pair,
        halts,
        markable,
        accrued,
    }
}

/// What liquidations have to pass, as in the program's `pass_gate`; the strictest where an asset isn't known.
fn forced_levels(vault: &Vault, levels: Levels, store: &Store, now_ts: i64) -> Levels {
    let assets = store.asset(&vault.collateral_asset).zip(store.asset(&vault.loan_asset));
    let of = |(collateral, loan)| levels_for_liquidation(levels, vault, [collateral, loan], now_ts);
    assets.map_or(levels, of)
}

fn halts_of(vault: &Vault, store: &Store) -> Option<[Halts; 4]> {
    let [collateral, loan] = [&vault.collateral_asset, &vault.loan_asset].map(|key| store.asset(key));
    Some(latest_halts(store.guard()?, vault, [collateral?, loan?]))
}

/// Tells whether marking `halt` now would write something that isn't there.
fn is_markable(vault: &Vault, halt: &Halts, store: &Store) -> bool {
    let assets = store.asset(&vault.collateral_asset).zip(store.asset(&vault.loan_asset));
    let Some((collateral, loan)) = assets.filter(|_| vault.halt_price(halt).is_none()) else { return false };
    let mut copy = Box::new(*vault);
    copy.mark_halt(halt, collateral, loan);
    copy.halt_price(halt).is_some()
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
