//! A guard with everything that it governs, as of one reading.

use crate::chain::rpc::{Rpc, RpcError};
use crate::events::unix_ts;
use crate::watch::Update;
use crate::watch::decode::{Decoded, decode};
use crate::watch::feeds::{CLOCK, Child};
use anchor_lang::Discriminator;
use anchor_lang::prelude::Pubkey;
use rampart::state::{
    AggregateLimit, Asset, Census, Change, ChangeGroup, Guard, Integration, KeeperSet, PendingChange, Reserve, Rule,
    SwapPolicy, Vault,
};
use rampart_client::address;
use std::collections::BTreeMap;

/// Accounts of one kind by address.
pub type Accounts<T> = BTreeMap<Pubkey, Box<T>>;

/// A guard with its accounts.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Address of the guard.
    pub key: Pubkey,
    /// The guard; nothing where there is none yet.
    pub guard: Option<Box<Guard>>,
    /// Its assets.
    pub assets: Accounts<Asset>,
    /// Its vaults.
    pub vaults: Accounts<Vault>,
    /// Its rules.
    pub rules: Accounts<Rule>,
    /// Its integrations.
    pub integrations: Accounts<Integration>,
    /// Its swap policies.
    pub policies: Accounts<SwapPolicy>,
    /// Its pending changes.
    pub changes: Accounts<PendingChange>,
    /// Its keeper set.
    pub keepers: Option<Box<KeeperSet>>,
    /// Its dollar limit.
    pub aggregate: Option<Box<AggregateLimit>>,
    /// Its reserve.
    pub reserve: Option<Box<Reserve>>,
    /// Its census, where one is open.
    pub census: Option<Box<Census>>,
    /// Time of the chain's clock, unix seconds; nothing where it can't be read.
    pub chain_ts: Option<i64>,
    /// Slot of the reading.
    pub slot: u64,
}

impl Snapshot {
    /// Nothing known yet of the guard at `key`.
    pub fn of(key: Pubkey) -> Self {
        Self { key, ..Self::default() }
    }

    /// Reads all of it from an endpoint.
    ///
    /// # Errors
    /// All of [`RpcError`].
    pub async fn fetch(rpc: &Rpc, key: Pubkey) -> Result<Self, RpcError> {
        let mut snapshot = Self::of(key);
        let of = [address::keeper_set, address::aggregate, address::reserve, address::census].map(|of| of(&key));
        let single: Vec<Pubkey> = of.into_iter().chain([key, CLOCK]).collect();
        let listing = rpc.accounts(&single).await?;
        snapshot.slot = listing.slot;
        let mut all = listing.updates;
        for child in [Child::Asset, Child::Vault, Child::Rule, Child::Integration, Child::Policy] {
            all.extend(rpc.children(child, &key).await?.updates);
        }
        all.extend(rpc.changes_of(&key).await?.updates);
        all.iter().filter(|update| !update.is_absent()).for_each(|update| snapshot.take(update));
        Ok(snapshot)
    }

    /// Returns the chain's time, unix seconds; the wall clock's where the chain's can't be read.
    pub fn now_ts(&self) -> i64 {
        self.chain_ts.unwrap_or_else(unix_ts)
    }

    /// Takes one account in. What isn't the guard's, or can't be read, is left out.
    pub fn take(&mut self, update: &Update) {
        if update.key == CLOCK {
            self.chain_ts = crate::chain::clock::ChainTime::decode(&update.data).map(|clock| clock.unix_ts);
        } else if update.owner == rampart::ID {
            self.take_account(update.key, &update.data);
        }
    }

    fn take_account(&mut self, key: Pubkey, data: &[u8]) {
        if let Some(change) = plain::<PendingChange>(data) {
            if change.guard == self.key {
                self.changes.insert(key, change);
            }
            return;
        }
        if let Some(aggregate) = plain::<AggregateLimit>(data) {
            self.aggregate = Some(aggregate).filter(|aggregate| aggregate.guard == self.key);
            return;
        }
        if let Some(census) = plain::<Census>(data) {
            self.census = Some(census).filter(|census| census.guard == self.key);
            return;
        }
        let own = |guard: &Pubkey| *guard == self.key;
        match decode(&rampart::ID, data) {
            Ok(Decoded::Guard(guard)) if own(&key) => self.guard = Some(guard),
            Ok(Decoded::Asset(asset)) if own(&asset.guard) => drop(self.assets.insert(key, asset)),
            Ok(Decoded::Vault(vault)) if own(&vault.guard) => drop(self.vaults.insert(key, vault)),
            Ok(Decoded::Rule(rule)) if own(&rule.guard) => drop(self.rules.insert(key, rule)),
            Ok(Decoded::Integration(one)) if own(&one.guard) => drop(self.integrations.insert(key, one)),
            Ok(Decoded::Policy(policy)) if own(&policy.guard) => drop(self.policies.insert(key, policy)),
            Ok(Decoded::KeeperSet(set)) if own(&set.guard) => self.keepers = Some(set),
            Ok(Decoded::Reserve(reserve)) if own(&reserve.guard) => self.reserve = Some(reserve),
            _ => {}
        }
    }

    /// Takes note that an account is closed.
    pub fn forget(&mut self, key: &Pubkey) {
        self.changes.remove(key);
        self.census = self.census.take().filter(|_| *key != address::census(&self.key));
    }

    /// Returns what `target` holds of `group`; nothing where there is no such account.
    pub fn current(&self, group: ChangeGroup, target: &Pubkey) -> Option<Change> {
        let guard = || self.guard.as_ref().filter(|_| *target == self.key);
        let (vault, asset) = (self.vaults.get(target), self.assets.get(target));
        let reserve = || self.reserve.as_ref().filter(|_| *target == address::reserve(&self.key));
        match group {
            ChangeGroup::VaultRisk => vault.map(|v| Change::VaultRisk(v.risk)),
            ChangeGroup::VaultLimits => vault.map(|v| Change::VaultLimits(v.limits)),
            ChangeGroup::VaultCurve => vault.map(|v| Change::VaultCurve(v.curve)),
            ChangeGroup::VaultScale => vault.map(|v| Change::VaultScale(v.scale)),
            ChangeGroup::VaultCover => vault.map(|v| Change::VaultCover(v.cover_switch() as u8)),
            ChangeGroup::Rule => self.rules.get(target).map(|r| Change::Rule(r.params)),
            ChangeGroup::AssetOracle => asset.map(|a| Change::AssetOracle(a.oracle)),
            ChangeGroup::AssetReference => asset.map(|a| Change::AssetReference(a.reference_params)),
            ChangeGroup::AssetWarmUp => asset.map(|a| Change::AssetWarmUp(a.warm_up.duration_secs)),
            ChangeGroup::AssetStandby => asset.map(|a| Change::AssetStandby(a.standby)),
            ChangeGroup::Roles => guard().map(|g| Change::Roles(g.roles)),
            ChangeGroup::LoosenDelay => guard().map(|g| Change::LoosenDelay(g.loosen_delay_secs)),
            ChangeGroup::Root => guard().map(|g| Change::Root(g.roles.root)),
            ChangeGroup::Aggregate => {
                let is_it = *target == address::aggregate(&self.key);
                self.aggregate.as_ref().filter(|_| is_it).map(|a| Change::Aggregate(a.params))
            }
            ChangeGroup::IntegrationSwitch => {
                self.integrations.get(target).map(|i| Change::IntegrationSwitch(i.switch))
            }
            ChangeGroup::Holder => self.integrations.get(target).map(|i| Change::Holder(i.holder)),
            ChangeGroup::SwapPolicy => self.policies.get(target).map(|p| Change::SwapPolicy(p.params)),
            ChangeGroup::ReservePlan => reserve().map(|r| Change::ReservePlan(r.plan)),
            ChangeGroup::ReserveGrant => reserve().map(|r| Change::ReserveGrant(r.grant)),
        }
    }
}

/// Reads a kind of which every bit pattern is safe.
fn plain<T: anchor_lang::ZeroCopy + Discriminator>(data: &[u8]) -> Option<Box<T>> {
    let body = data.strip_prefix(T::DISCRIMINATOR)?.get(..size_of::<T>())?;
    Some(Box::new(bytemuck::pod_read_unaligned(body)))
}
