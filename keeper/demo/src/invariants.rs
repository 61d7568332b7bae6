//! What must hold whatever happens. Judged on the chain's own accounts and transactions, never on what keepers say.
//!
//! Plain functions over plain values; a broken one makes the run end with a non-zero code.

use crate::ledger::Ledger;
use crate::scenario::acts::{Answer, Record};
use crate::unguarded::Held;
use crate::watch::Snapshot;
use crate::world::{VAULTS, World, vault_name};
use rampart::constants::HOUR_SECS;
use rampart::math::Bps;
use rampart::state::{Breaker, Cause, Level, Vault};
use rampart_client::Pubkey;
use serde::Serialize;
use std::collections::{HashMap, HashSet, VecDeque};

/// An invariant that doesn't hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Which.
    pub invariant: &'static str,
    /// Where, and by how much.
    pub detail: String,
}

fn broken(invariant: &'static str, detail: String) -> Broken {
    Broken { invariant, detail }
}

/// A vault's token accounts hold at least what its books say.
pub fn balances_cover_the_books(snapshot: &Snapshot) -> Vec<Broken> {
    let pairs = snapshot.vaults.iter().zip(&snapshot.balances).enumerate();
    let covers = |held: u64, booked: u64| held >= booked;
    let short = pairs.filter(|(_, (v, held))| !covers(held[0], v.cash_amount) || !covers(held[1], v.collateral_amount));
    short
        .map(|(at, (vault, held))| {
            let books = [vault.cash_amount, vault.collateral_amount];
            broken("balances cover the books", format!("{}: holds {held:?}, books say {books:?}", vault_name(at)))
        })
        .collect()
}

/// The reserve's tokens cover its books, and its swaps lost no more than a day's budget since the start.
pub fn hedges_stay_in_their_budget(start: &Snapshot, end: &Snapshot) -> Vec<Broken> {
    let (books, held) = (end.basket(), end.reserve_balances);
    let lost = end.policy.lost_micro_usd.saturating_sub(start.policy.lost_micro_usd);
    let budget = end.policy.params.loss_day_micro_usd;
    let covers = held.iter().zip(books).all(|(held, booked)| *held >= booked);
    let uncovered = (!covers)
        .then(|| broken("balances cover the books", format!("the reserve: holds {held:?}, books say {books:?}")));
    let over = (lost > budget)
        .then(|| broken("hedges stay in their budget", format!("lost {lost} micro-dollars of a day's {budget}")));
    uncovered.into_iter().chain(over).collect()
}

/// What left a vault, sampled over time.
#[derive(Clone, Debug, Default)]
pub struct Outflow {
    samples: VecDeque<(i64, u64)>,
}

impl Outflow {
    /// Takes a sample of the total that has left; returns by how much the last hour exceeds `limit`.
    pub fn sample(&mut self, ts: i64, total: u64, limit: u64) -> Option<u64> {
        self.samples.push_back((ts, total));
        while self.samples.front().is_some_and(|(first, _)| ts - first > HOUR_SECS) {
            self.samples.pop_front();
        }
        let before = self.samples.front().map_or(total, |(_, total)| *total);
        total.saturating_sub(before).checked_sub(limit).filter(|over| *over > 0)
    }
}

/// Returns L of an hour for a vault's loan asset, base units.
pub fn hourly_limit(vault: &Vault, now_ts: i64) -> u64 {
    let limits = &vault.limits.loan_flow;
    let mut base = vault.loan_flow.base;
    base.settle(now_ts);
    let share = Bps(limits.hourly_bps.into()).of_floor(base.amount.into()).and_then(|a| u64::try_from(a).ok());
    share.unwrap_or(u64::MAX).max(limits.absolute_floor_amount)
}

/// In no hour more than L leaves.
pub fn outflow_stays_within_the_limit(flows: &mut [Outflow], snapshot: &Snapshot) -> Vec<Broken> {
    let pairs = flows.iter_mut().zip(&snapshot.vaults).enumerate();
    let over = pairs.filter_map(|(at, (flow, vault))| {
        let total = vault.totals.withdrawn_amount.saturating_add(vault.totals.borrowed_amount);
        let limit = hourly_limit(vault, snapshot.mark.unix_ts);
        let over = flow.sample(snapshot.mark.unix_ts, total, limit)?;
        Some(broken("outflow of any hour stays within L", format!("{}: {over} above {limit}", vault_name(at))))
    });
    over.collect()
}

/// Shares, debts and collateral of all positions sum to the vault's.
pub fn parts_sum_to_the_vault(vaults: &[Vault], positions: &[Held]) -> Vec<Broken> {
    let sums = |at: usize| {
        let mine = || positions.iter().filter(move |held| held.vault == at).map(|held| &held.state);
        let shares: u128 = mine().map(|p| p.supply_shares.get()).sum();
        let debt: u128 = mine().map(|p| p.debt_scaled.get()).sum();
        [shares, debt, mine().map(|p| u128::from(p.collateral_amount)).sum()]
    };
    let wrong = vaults.iter().enumerate().filter_map(|(at, vault)| {
        let (found, want) =
            (sums(at), [vault.supply_shares.get(), vault.debt_scaled.get(), vault.collateral_amount.into()]);
        (found != want)
            .then(|| broken("positions sum to the vault", format!("{}: {found:?}, vault {want:?}", vault_name(at))))
    });
    wrong.collect()
}

fn breakers(snapshot: &Snapshot) -> impl Iterator<Item = &Breaker> {
    let assets = snapshot.assets.iter().map(|a| &a.breaker);
    let vaults = snapshot.vaults.iter().map(|v| &v.breaker);
    core::iter::once(&snapshot.guard.breaker).chain(assets).chain(vaults)
}

/// Every cause in force comes from a trip of its rule, or was in force at the start, before which the ledger knows nothing;
/// and is no stricter than what the rule demands.
pub fn levels_have_causes(world: &World, start: &Snapshot, end: &Snapshot, ledger: &Ledger) -> Vec<Broken> {
    let now_ts = end.mark.unix_ts;
    let trip_of = |c: &Cause| (c.source, c.tripped_at_ts, c.level);
    let before: HashSet<_> = breakers(start).flat_map(|breaker| breaker.causes.iter().map(trip_of)).collect();
    let tripped: HashMap<Pubkey, u8> = ledger.trips.iter().map(|t| (t.fact.rule, t.fact.level)).collect();
    let baseless = |breaker: &Breaker| -> Vec<(Pubkey, u8)> {
        let live =
            breaker.causes.iter().filter(|c| c.level_at(now_ts) > Level::Normal && !before.contains(&trip_of(c)));
        live.filter(|c| tripped.get(&c.source).is_none_or(|level| c.level > *level))
            .map(|c| (c.source, c.level))
            .collect()
    };
    let found = breakers(end).flat_map(baseless);
    found
        .map(|(rule, level)| {
            broken("levels have causes", format!("{}: level {level} without its trip", world.name_of(&rule)))
        })
        .collect()
}

/// A position's sequence moved once for each recorded liquidation, and no number was used twice.
pub fn nobody_is_liquidated_twice(before: &[Held], after: &[Held], ledger: &Ledger) -> Vec<Broken> {
    let mut recorded: HashMap<Pubkey, Vec<u64>> = HashMap::new();
    for entry in &ledger.liquidations {
        recorded.entry(entry.fact.position).or_default().push(entry.fact.liquidation_seq);
    }
    let pairs = before.iter().zip(after);
    let wrong = pairs.filter_map(|(old, new)| {
        let mut found = recorded.get(&new.key).cloned().unwrap_or_default();
        found.sort_unstable();
        let wanted: Vec<u64> = (old.state.liquidation_seq + 1..=new.state.liquidation_seq).collect();
        (found != wanted).then(|| {
            broken("nobody is liquidated twice", format!("{}: recorded {found:?}, sequence {wanted:?}", new.key))
        })
    });
    wrong.collect()
}

/// Lenders lose bad debt less what insurance paid, and nothing else.
pub fn lenders_lose_bad_debt_alone(before: &[Vault], after: &[Vault]) -> Vec<Broken> {
    let wrong = before.iter().zip(after).enumerate().filter_map(|(at, (old, new))| {
        let (Ok(had), Ok(have)) = (old.lenders_amount(), new.lenders_amount()) else {
            return Some(broken("lenders lose bad debt alone", format!("{}: books overflow", vault_name(at))));
        };
        let moved = |of: fn(&Vault) -> u64| u128::from(of(new).saturating_sub(of(old)));
        let came = u128::from(had) + moved(|v| v.totals.supplied_amount);
        let lost = moved(|v| v.totals.bad_debt_amount).saturating_sub(moved(|v| v.totals.insured_amount));
        let least = came.saturating_sub(moved(|v| v.totals.withdrawn_amount) + lost + ROUNDING);
        (u128::from(have) < least).then(|| {
            broken("lenders lose bad debt alone", format!("{}: have {have}, at least {least}", vault_name(at)))
        })
    });
    wrong.collect()
}

/// Base units that rounding may take over a run: one for each movement, and far fewer movements than this.
const ROUNDING: u128 = 10_000;

/// What had to be refused was refused.
pub fn refusals_held(records: &[Record]) -> Vec<Broken> {
    let landed = records.iter().filter(|r| r.must_be_refused && r.answer == Answer::Landed);
    landed.map(|r| broken("what must be refused is refused", format!("second {}: {}", r.at_secs, r.what))).collect()
}

const _: () = assert!(VAULTS.len() == 2);

#[cfg(test)]
mod tests;
