//! The newest version of every watched account.
//!
//! Newest slot wins, then the later version within it; an answer never replaces a notification of its own slot, for it
//! may have been read before that. Bytes that can't be used take the account out of the store (an old version must not be acted
//! on) and are counted; nothing here panics on data.

use crate::watch::coverage::Coverage;
use crate::watch::decode::{self, DecodeError, Decoded};
use crate::watch::{Origin, Update};
use anchor_lang::prelude::Pubkey;
use rampart::state::{
    Asset, BountyVault, Guard, Integration, KeeperSet, Position, Report, Reserve, Rule, RuleGroup, SwapPolicy, Vault,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

/// What kind of account a change was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The guard.
    Guard,
    /// An asset.
    Asset,
    /// A vault.
    Vault,
    /// A rule.
    Rule,
    /// A position.
    Position,
    /// A group of rules.
    Group,
    /// An integration.
    Integration,
    /// The keeper set.
    KeeperSet,
    /// A keeper's report.
    Report,
    /// The bounty vault.
    Bounty,
    /// A swap policy.
    Policy,
    /// The reserve.
    Reserve,
    /// Anything kept as bytes: oracles, token accounts, the signer.
    Raw,
}

/// What an update did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Older than what is known, or not newer.
    Stale,
    /// Newer, and the same.
    Same,
    /// The account changed, appeared or went away.
    Changed(Kind),
    /// Its bytes can't be used.
    Quarantined(DecodeError),
    /// Nobody asked for it.
    Unwanted,
}

/// An account that is kept as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawAccount {
    /// The program that owns it.
    pub owner: Pubkey,
    /// Its balance.
    pub lamports: u64,
    /// Its bytes.
    pub data: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Version {
    slot: u64,
    write_version: u64,
    origin: Origin,
    verified_at: Option<Instant>,
    is_quarantined: bool,
}

/// All watched accounts.
#[derive(Debug)]
pub struct Store {
    guard_key: Pubkey,
    guard: Option<Box<Guard>>,
    assets: BTreeMap<Pubkey, Box<Asset>>,
    vaults: BTreeMap<Pubkey, Box<Vault>>,
    rules: BTreeMap<Pubkey, Box<Rule>>,
    positions: BTreeMap<Pubkey, Box<Position>>,
    groups: BTreeMap<Pubkey, Box<RuleGroup>>,
    integrations: BTreeMap<Pubkey, Box<Integration>>,
    reports: BTreeMap<Pubkey, Box<Report>>,
    keeper_sets: BTreeMap<Pubkey, Box<KeeperSet>>,
    bounties: BTreeMap<Pubkey, Box<BountyVault>>,
    policies: BTreeMap<Pubkey, Box<SwapPolicy>>,
    reserves: BTreeMap<Pubkey, Box<Reserve>>,
    raw: HashMap<Pubkey, RawAccount>,
    raw_keys: HashSet<Pubkey>,
    versions: HashMap<Pubkey, Version>,
    coverage: Coverage,
    quarantined: usize,
}

impl Store {
    /// An empty store of `guard`.
    pub fn new(guard: Pubkey) -> Self {
        Self {
            guard_key: guard,
            guard: None,
            assets: BTreeMap::new(),
            vaults: BTreeMap::new(),
            rules: BTreeMap::new(),
            positions: BTreeMap::new(),
            groups: BTreeMap::new(),
            integrations: BTreeMap::new(),
            reports: BTreeMap::new(),
            keeper_sets: BTreeMap::new(),
            bounties: BTreeMap::new(),
            policies: BTreeMap::new(),
            reserves: BTreeMap::new(),
            raw: HashMap::new(),
            raw_keys: HashSet::new(),
            versions: HashMap::new(),
            coverage: Coverage::default(),
            quarantined: 0,
        }
    }

    /// Returns the address of the guard.
    pub fn guard_key(&self) -> Pubkey {
        self.guard_key
    }

    /// Returns the guard.
    pub fn guard(&self) -> Option<&Guard> {
        self.guard.as_deref()
    }

    /// Returns the asset at `key`.
    pub fn asset(&self, key: &Pubkey) -> Option<&Asset> {
        self.assets.get(key).map(|a| &**a)
    }

    /// Returns the vault at `key`.
    pub fn vault(&self, key: &Pubkey) -> Option<&Vault> {
        self.vaults.get(key).map(|v| &**v)
    }

    /// Returns the rule at `key`.
    pub fn rule(&self, key: &Pubkey) -> Option<&Rule> {
        self.rules.get(key).map(|r| &**r)
    }

    /// Returns the position at `key`.
    pub fn position(&self, key: &Pubkey) -> Option<&Position> {
        self.positions.get(key).map(|p| &**p)
    }

    /// Returns the group at `key`.
    pub fn group(&self, key: &Pubkey) -> Option<&RuleGroup> {
        self.groups.get(key).map(|g| &**g)
    }

    /// Returns the integration at `key`.
    pub fn integration(&self, key: &Pubkey) -> Option<&Integration> {
        self.integrations.get(key).map(|i| &**i)
    }

    /// Tells whether a report is at `key`.
    pub fn is_report(&self, key: &Pubkey) -> bool {
        self.reports.contains_key(key)
    }

    /// Returns the report at `key`.
    pub fn report(&self, key: &Pubkey) -> Option<&Report> {
        self.reports.get(key).map(|r| &**r)
    }

    /// Returns all reports, by address.
    pub fn reports(&self) -> impl Iterator<Item = (&Pubkey, &Report)> {
        self.reports.iter().map(|(k, r)| (k, &**r))
    }

    /// Returns the guard's keeper set with its address: there is one at most.
    pub fn keeper_set(&self) -> Option<(&Pubkey, &KeeperSet)> {
        self.keeper_sets.first_key_value().map(|(k, s)| (k, &**s))
    }

    /// Returns the address of the guard's bounty vault, if it has one.
    pub fn bounty_vault(&self) -> Option<&Pubkey> {
        self.bounties.keys().next()
    }

    /// Returns the swap policy at `key`.
    pub fn policy(&self, key: &Pubkey) -> Option<&SwapPolicy> {
        self.policies.get(key).map(|p| &**p)
    }

    /// Returns all swap policies, by address.
    pub fn policies(&self) -> impl Iterator<Item = (&Pubkey, &SwapPolicy)> {
        self.policies.iter().map(|(k, p)| (k, &**p))
    }

    /// Returns the guard's reserve with its address: there is one at most.
    pub fn reserve(&self) -> Option<(&Pubkey, &Reserve)> {
        self.reserves.first_key_value().map(|(k, r)| (k, &**r))
    }

    /// Tells whether the account at `key` is known as one of the program's.
    pub fn is_of_program(&self, key: &Pubkey) -> bool {
        let is_shared = self.assets.contains_key(key) || self.vaults.contains_key(key) || self.rules.contains_key(key);
        let is_owned =
            self.positions.contains_key(key) || self.groups.contains_key(key) || self.reports.contains_key(key);
        let is_swapping = self.policies.contains_key(key) || self.reserves.contains_key(key);
        let is_rare = self.keeper_sets.contains_key(key)
            || self.bounties.contains_key(key)
            || self.integrations.contains_key(key)
            || *key == self.guard_key;
        let is_raw = || self.raw.get(key).is_some_and(|account| account.owner == rampart::ID);
        is_shared || is_owned || is_swapping || is_rare || is_raw()
    }

    /// Returns an account that is kept as bytes.
    pub fn raw(&self, key: &Pubkey) -> Option<&RawAccount> {
        self.raw.get(key)
    }

    /// Returns all assets, by address.
    pub fn assets(&self) -> impl Iterator<Item = (&Pubkey, &Asset)> {
        self.assets.iter().map(|(k, a)| (k, &**a))
    }

    /// Returns all vaults, by address.
    pub fn vaults(&self) -> impl Iterator<Item = (&Pubkey, &Vault)> {
        self.vaults.iter().map(|(k, v)| (k, &**v))
    }

    /// Returns all rules, by address.
    pub fn rules(&self) -> impl Iterator<Item = (&Pubkey, &Rule)> {
        self.rules.iter().map(|(k, r)| (k, &**r))
    }

    /// Returns all groups, by address.
    pub fn groups(&self) -> impl Iterator<Item = (&Pubkey, &RuleGroup)> {
        self.groups.iter().map(|(k, g)| (k, &**g))
    }

    /// Returns all integrations, by address.
    pub fn integrations(&self) -> impl Iterator<Item = (&Pubkey, &Integration)> {
        self.integrations.iter().map(|(k, i)| (k, &**i))
    }

    /// Returns all positions, by address.
    pub fn positions(&self) -> impl Iterator<Item = (&Pubkey, &Position)> {
        self.positions.iter().map(|(k, p)| (k, &**p))
    }

    /// Returns up to `n` positions after `cursor`, by address.
    pub fn positions_after(&self, cursor: Option<Pubkey>, n: usize) -> impl Iterator<Item = (&Pubkey, &Position)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = cursor.map_or(Unbounded, Excluded);
        self.positions.range((from, Unbounded)).take(n).map(|(k, p)| (k, &**p))
    }

    /// Returns how many positions there are.
    pub fn position_count(&self) -> usize {
        self.positions.len()
    }

    /// Returns how many accounts are known.
    pub fn account_count(&self) -> usize {
        self.versions.len()
    }

    /// Returns the slot of the newest version of `key`.
    pub fn slot_of(&self, key: &Pubkey) -> Option<u64> {
        self.versions.get(key).map(|v| v.slot)
    }

    /// Returns how many accounts are kept out because of their bytes.
    pub fn quarantined(&self) -> usize {
        self.quarantined
    }

    /// Returns the share of positions that a request verified within `max_age`, and the age of the oldest.
    pub fn coverage(&self, now: Instant, max_age: std::time::Duration) -> (f64, std::time::Duration) {
        self.coverage.of(now, max_age)
    }

    /// Sets which accounts are kept as bytes; others of that kind are dropped.
    pub fn watch_raw(&mut self, keys: HashSet<Pubkey>) {
        for gone in self.raw_keys.difference(&keys) {
            self.raw.remove(gone);
            forget(&mut self.versions, &mut self.quarantined, gone);
        }
        self.raw_keys = keys;
    }

    /// Takes `update` in, as of `at` on the host's monotonic clock.
    pub fn apply(&mut self, update: Update, at: Instant) -> Applied {
        if !self.is_newer(&update) {
            return Applied::Stale;
        }
        let verified_at = match update.origin {
            Origin::Poll => Some(at),
            Origin::Push => self.versions.get(&update.key).and_then(|v| v.verified_at),
        };
        let (key, slot, write_version, origin) = (update.key, update.slot, update.write_version, update.origin);
        let was_verified_at = self.positions.contains_key(&key).then(|| self.versions.get(&key)?.verified_at);
        let applied = self.put(update);
        if applied == Applied::Unwanted {
            return applied;
        }
        let is_quarantined = matches!(applied, Applied::Quarantined(_));
        forget(&mut self.versions, &mut self.quarantined, &key);
        self.quarantined += usize::from(is_quarantined);
        self.versions.insert(key, Version { slot, write_version, origin, verified_at, is_quarantined });
        if let Some(at) = was_verified_at {
            self.coverage.remove(at);
        }
        if self.positions.contains_key(&key) {
            self.coverage.add(verified_at);
        }
        applied
    }

    fn is_newer(&self, update: &Update) -> bool {
        let next = (update.slot, update.write_version, update.origin);
        let known = self.versions.get(&update.key).map(|known| (known.slot, known.write_version, known.origin));
        known.is_none_or(|known| super::is_newer(next, known))
    }

    fn put(&mut self, update: Update) -> Applied {
        if self.raw_keys.contains(&update.key) {
            return self.put_raw(update);
        }
        if update.is_absent() || update.owner != rampart::ID {
            return self.remove(&update.key);
        }
        match decode::decode(&update.owner, &update.data).and_then(|d| self.check_guard(&update.key, d)) {
            Ok(decoded) => self.put_decoded(update.key, decoded),
            Err(why) => {
                self.remove(&update.key);
                Applied::Quarantined(why)
            }
        }
    }

    fn put_raw(&mut self, update: Update) -> Applied {
        let next = RawAccount { owner: update.owner, lamports: update.lamports, data: update.data };
        let before = if next.lamports == 0 { self.raw.remove(&update.key) } else { self.raw.insert(update.key, next) };
        if before.as_ref() == self.raw.get(&update.key) { Applied::Same } else { Applied::Changed(Kind::Raw) }
    }

    /// Another guard's accounts reach the store only through a source that lies or a filter that failed.
    fn check_guard(&self, key: &Pubkey, decoded: Decoded) -> Result<Decoded, DecodeError> {
        let is_ours = match &decoded {
            Decoded::Guard(_) => *key == self.guard_key,
            Decoded::Asset(a) => a.guard == self.guard_key,
            Decoded::Vault(v) => v.guard == self.guard_key,
            Decoded::Rule(r) => r.guard == self.guard_key,
            Decoded::Group(g) => g.guard == self.guard_key,
            Decoded::Integration(i) => i.guard == self.guard_key,
            Decoded::KeeperSet(s) => s.guard == self.guard_key,
            Decoded::Report(r) => r.guard == self.guard_key,
            Decoded::Bounty(b) => b.guard == self.guard_key,
            Decoded::Policy(p) => p.guard == self.guard_key,
            Decoded::Reserve(r) => r.guard == self.guard_key,
            // a position may arrive before its vault: assessment looks the vault up
            Decoded::Position(_) => true,
        };
        if is_ours { Ok(decoded) } else { Err(DecodeError::Foreign) }
    }

    fn put_decoded(&mut self, key: Pubkey, decoded: Decoded) -> Applied {
        let (kind, is_same) = match decoded {
            Decoded::Guard(guard) => (Kind::Guard, same(self.guard.replace(guard), self.guard.as_deref())),
            Decoded::Asset(asset) => (Kind::Asset, put(&mut self.assets, key, asset)),
            Decoded::Vault(vault) => (Kind::Vault, put(&mut self.vaults, key, vault)),
            Decoded::Rule(rule) => (Kind::Rule, put(&mut self.rules, key, rule)),
            Decoded::Position(p) => (Kind::Position, put(&mut self.positions, key, p)),
            Decoded::Group(group) => (Kind::Group, put(&mut self.groups, key, group)),
            Decoded::Integration(integration) => (Kind::Integration, put(&mut self.integrations, key, integration)),
            Decoded::KeeperSet(set) => (Kind::KeeperSet, put(&mut self.keeper_sets, key, set)),
            Decoded::Report(report) => (Kind::Report, put(&mut self.reports, key, report)),
            Decoded::Bounty(bounty) => (Kind::Bounty, put(&mut self.bounties, key, bounty)),
            Decoded::Policy(policy) => (Kind::Policy, put(&mut self.policies, key, policy)),
            Decoded::Reserve(reserve) => (Kind::Reserve, put(&mut self.reserves, key, reserve)),
        };
        if is_same { Applied::Same } else { Applied::Changed(kind) }
    }

    fn remove(&mut self, key: &Pubkey) -> Applied {
        if *key == self.guard_key {
            return if self.guard.take().is_some() { Applied::Changed(Kind::Guard) } else { Applied::Same };
        }
        let removed = [
            (self.positions.remove(key).is_some(), Kind::Position),
            (self.vaults.remove(key).is_some(), Kind::Vault),
            (self.assets.remove(key).is_some(), Kind::Asset),
            (self.rules.remove(key).is_some(), Kind::Rule),
            (self.groups.remove(key).is_some(), Kind::Group),
            (self.integrations.remove(key).is_some(), Kind::Integration),
            (self.reports.remove(key).is_some(), Kind::Report),
            (self.keeper_sets.remove(key).is_some(), Kind::KeeperSet),
            (self.bounties.remove(key).is_some(), Kind::Bounty),
            (self.policies.remove(key).is_some(), Kind::Policy),
            (self.reserves.remove(key).is_some(), Kind::Reserve),
        ];
        let kind = removed.into_iter().find(|(was_there, _)| *was_there).map(|(_, kind)| kind);
        kind.map_or_else(
            || if self.versions.contains_key(key) { Applied::Same } else { Applied::Unwanted },
            Applied::Changed,
        )
    }

    /// Forgets every account whose newest version is of a slot after `slot`, so that any version takes its place; returns
    /// what went away.
    pub fn forget_after(&mut self, slot: u64) -> Vec<Pubkey> {
        let gone: Vec<Pubkey> = self.versions.iter().filter(|(_, v)| v.slot > slot).map(|(key, _)| *key).collect();
        for key in &gone {
            self.raw.remove(key);
            self.remove(key);
            self.versions.remove(key);
        }
        gone
    }

    /// Removes every account of the program that a full listing of `slot` does not hold; returns what went away.
    ///
    /// What a later notification brought stays.
    pub fn retain_listed(&mut self, listed: &HashSet<Pubkey>, slot: u64) -> Vec<Pubkey> {
        let known = self.positions.keys().chain(self.vaults.keys()).chain(self.rules.keys()).chain(self.assets.keys());
        let further = self.groups.keys().chain(self.integrations.keys()).chain(self.reports.keys());
        let further = further.chain(self.keeper_sets.keys()).chain(self.bounties.keys());
        let further = further.chain(self.policies.keys()).chain(self.reserves.keys());
        let is_gone = |key: &&Pubkey| !listed.contains(key) && self.slot_of(key).is_some_and(|s| s < slot);
        let gone: Vec<Pubkey> = known.chain(further).filter(is_gone).copied().collect();
        for key in &gone {
            if self.positions.contains_key(key) {
                self.coverage.remove(self.versions.get(key).and_then(|version| version.verified_at));
            }
            self.remove(key);
            forget(&mut self.versions, &mut self.quarantined, key);
        }
        gone
    }
}

/// Forgets the version of an account, and that it was kept out.
fn forget(versions: &mut HashMap<Pubkey, Version>, quarantined: &mut usize, key: &Pubkey) {
    *quarantined -= usize::from(versions.remove(key).is_some_and(|version| version.is_quarantined));
}

/// Puts an account into its table; tells whether it is the same as before.
fn put<T: bytemuck::Pod>(table: &mut BTreeMap<Pubkey, Box<T>>, key: Pubkey, account: Box<T>) -> bool {
    let before = table.insert(key, account);
    same(before, table.get(&key).map(|account| &**account))
}

fn same<T: bytemuck::Pod>(before: Option<Box<T>>, after: Option<&T>) -> bool {
    before.zip(after).is_some_and(|(before, after)| bytemuck::bytes_of(&*before) == bytemuck::bytes_of(after))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
