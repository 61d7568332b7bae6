//! Which accounts have to be watched, derived from what is known of the guard.
//!
//! The guard is given; assets, vaults and rules name it, positions name their vault, assets name their oracle accounts,
//! and vaults name the mints in which the signer holds tokens. As accounts appear the set grows, and the sources renew
//! what they subscribe to.

use crate::watch::oracles;
use crate::watch::store::Store;
use anchor_lang::Discriminator;
use anchor_lang::prelude::Pubkey;
use anchor_spl::associated_token::get_associated_token_address_with_program_id;
use rampart::constants::LAYOUT_VERSION;
use rampart::state::{
    AggregateLimit, Asset, BountyVault, Integration, KeeperSet, Metric, PendingChange, Pin, Position, Report, Reserve,
    Rule, RuleGroup, SwapPolicy, Vault,
};
use rampart_client::address;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Address of the Clock sysvar.
pub const CLOCK: Pubkey = anchor_lang::prelude::pubkey!("SysvarC1ock11111111111111111111111111111111");

/// Where the first field of every account of the program starts: the guard's, or the vault's, address.
pub const PARENT_OFFSET: usize = 8;

/// Where a position's owner starts: behind its vault.
pub const OWNER_OFFSET: usize = PARENT_OFFSET + 32;

/// What one subscription or request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Slots.
    Slots,
    /// One account.
    Account(Pubkey),
    /// Accounts of the program of one kind that name one parent.
    Children(Child, Pubkey),
}

/// A kind of account that names its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Child {
    /// Assets of a guard.
    Asset,
    /// Vaults of a guard.
    Vault,
    /// Rules of a guard.
    Rule,
    /// Positions of a vault.
    Position,
    /// Groups of a guard's rules.
    Group,
    /// Integrations of a guard.
    Integration,
    /// The keeper set of a guard.
    KeeperSet,
    /// Reports of a guard's keepers.
    Report,
    /// The bounty vault of a guard.
    Bounty,
    /// Swap policies of a guard.
    Policy,
    /// The reserve of a guard.
    Reserve,
    /// Changes of a guard that wait. Listed for readers, not watched: no decision hangs on them.
    PendingChange,
}

impl Child {
    /// Returns the first eight bytes of accounts of this kind.
    pub fn discriminator(self) -> &'static [u8] {
        match self {
            Self::Asset => Asset::DISCRIMINATOR,
            Self::Vault => Vault::DISCRIMINATOR,
            Self::Rule => Rule::DISCRIMINATOR,
            Self::Position => Position::DISCRIMINATOR,
            Self::Group => RuleGroup::DISCRIMINATOR,
            Self::Integration => Integration::DISCRIMINATOR,
            Self::KeeperSet => KeeperSet::DISCRIMINATOR,
            Self::Report => Report::DISCRIMINATOR,
            Self::Bounty => BountyVault::DISCRIMINATOR,
            Self::Policy => SwapPolicy::DISCRIMINATOR,
            Self::Reserve => Reserve::DISCRIMINATOR,
            Self::PendingChange => PendingChange::DISCRIMINATOR,
        }
    }

    /// Kinds that name a guard and are watched.
    pub const OF_GUARD: [Self; 10] = [
        Self::Asset,
        Self::Vault,
        Self::Rule,
        Self::Group,
        Self::Integration,
        Self::KeeperSet,
        Self::Report,
        Self::Bounty,
        Self::Policy,
        Self::Reserve,
    ];
}

/// Everything to watch.
///
/// Assets, vaults and rules are fetched one by one and subscribed to as sets: a second subscription to the same account
/// would bring the versions of one slot in no order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchSet {
    /// Accounts to fetch: the clock, the guard, its accounts, the signer and its token accounts.
    pub accounts: BTreeSet<Pubkey>,
    /// The guard.
    pub guard: Pubkey,
    /// Those of them that are no accounts of the program, and are kept as bytes.
    pub raw: HashSet<Pubkey>,
    /// Sets of accounts, in which new ones may appear.
    pub children: BTreeSet<(Child, Pubkey)>,
    /// Pyth feeds whose account the keeper has to find: (program, feed id).
    pub unpinned: BTreeSet<(Pubkey, [u8; 32])>,
}

impl WatchSet {
    /// Returns one topic for each subscription.
    pub fn topics(&self) -> BTreeSet<Topic> {
        let accounts = self.raw.iter().chain([&self.guard]).map(|key| Topic::Account(*key));
        let children = self.children.iter().map(|(child, parent)| Topic::Children(*child, *parent));
        std::iter::once(Topic::Slots).chain(accounts).chain(children).collect()
    }
}

/// Token accounts from which and to which the signer liquidates, by mint.
pub type Wallets = BTreeMap<Pubkey, Wallet>;

/// The signer's token account of one mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// Its address: the associated account.
    pub token: Pubkey,
    /// Program of the mint.
    pub token_program: Pubkey,
}

/// Returns the signer's token accounts for the mints of all assets.
pub fn wallets(store: &Store, signer: &Pubkey) -> Wallets {
    let wallet = |asset: &Asset| Wallet {
        token: get_associated_token_address_with_program_id(signer, &asset.mint, &asset.token_program),
        token_program: asset.token_program,
    };
    store.assets().map(|(_, asset)| (asset.mint, wallet(asset))).collect()
}

/// Returns the subscription that brings the account at `key`; `position`: what it is or was, if a position.
pub fn topic_of(key: Pubkey, position: Option<&Position>, store: &Store) -> Topic {
    let guard = store.guard_key();
    if let Some(position) = position {
        return Topic::Children(Child::Position, position.vault);
    }
    let kinds = [
        (store.asset(&key).is_some(), Child::Asset),
        (store.vault(&key).is_some(), Child::Vault),
        (store.rule(&key).is_some(), Child::Rule),
        (store.group(&key).is_some(), Child::Group),
        (store.integration(&key).is_some(), Child::Integration),
        (store.is_report(&key), Child::Report),
        (store.keeper_set().is_some_and(|(at, _)| *at == key), Child::KeeperSet),
        (store.bounty_vault() == Some(&key), Child::Bounty),
        (store.policy(&key).is_some(), Child::Policy),
        (store.reserve().is_some_and(|(at, _)| *at == key), Child::Reserve),
    ];
    let child = kinds.into_iter().find(|(is_one, _)| *is_one).map(|(_, child)| child);
    child.map_or(Topic::Account(key), |child| Topic::Children(child, guard))
}

/// Returns the mint whose supply `rule` is measured on.
fn measured_on(rule: &Rule, store: &Store) -> Option<Pubkey> {
    let is_supply = Metric::try_from(rule.params.metric) == Ok(Metric::SupplyGrowth);
    store.asset(&rule.subject).filter(|_| is_supply).map(|asset| asset.mint)
}

/// Returns the escrows' token accounts of every mint that is swapped, and the reserve's.
fn swapped_by(store: &Store, policies: &BTreeSet<u16>) -> Vec<Pubkey> {
    let swapping = store.policies().filter(|(_, policy)| policies.contains(&policy.id));
    let owners = swapping.map(|(_, policy)| policy.escrow);
    let accounts = owners.flat_map(|owner| wallets(store, &owner).into_values().map(|wallet| wallet.token));
    let reserve = store.reserve().into_iter().flat_map(|(_, reserve)| reserve.active().iter().map(|held| held.token));
    accounts.chain(reserve).collect()
}

/// Returns the guard's dollar limit; `None` where it has none that is known.
pub fn aggregate_of(store: &Store) -> Option<AggregateLimit> {
    let account = store.raw(&address::aggregate(&store.guard_key())).filter(|account| account.owner == rampart::ID)?;
    let body = account.data.strip_prefix(AggregateLimit::DISCRIMINATOR)?.get(..size_of::<AggregateLimit>())?;
    let limit: AggregateLimit = bytemuck::pod_read_unaligned(body);
    (limit.version == LAYOUT_VERSION && limit.guard == store.guard_key()).then_some(limit)
}

/// What is watched beyond what the guard's own accounts name.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// Accounts that routes are quoted from, lookup tables, and pools in which collateral is sold.
    pub accounts: BTreeSet<Pubkey>,
    /// Swap policies under which the keeper swaps.
    pub policies: BTreeSet<u16>,
}

/// Derives what to watch.
pub fn watch_set(store: &Store, signer: &Pubkey, found: &oracles::Found, extra: &Extra) -> WatchSet {
    let guard = store.guard_key();
    let mut set = WatchSet { guard, ..WatchSet::default() };
    set.raw.extend([CLOCK, *signer]);
    set.raw.extend(wallets(store, signer).values().map(|w| w.token));
    for (_, asset) in store.assets() {
        if asset.oracle.rate.is_rated() {
            set.raw.insert(asset.oracle.rate.account);
        }
        for source in asset.oracle.active() {
            set.raw.extend(oracles::account_of(source, found));
            // looked up again and again, for the newest update may be written to another account
            if source.pin != Pin::Account as u8 {
                set.unpinned.insert((source.program, source.feed_id));
            }
        }
    }
    set.raw.extend(store.rules().filter_map(|(_, rule)| measured_on(rule, store)));
    set.raw.extend(store.vaults().flat_map(|(_, vault)| [vault.loan_token, vault.collateral_token]));
    set.raw.extend(swapped_by(store, &extra.policies));
    set.raw.extend(&extra.accounts);
    set.raw.insert(address::aggregate(&guard));
    set.accounts.extend(set.raw.iter().copied());
    set.accounts.insert(guard);
    set.accounts.extend(store.assets().map(|(k, _)| *k));
    set.accounts.extend(store.vaults().map(|(k, _)| *k));
    set.accounts.extend(store.rules().map(|(k, _)| *k));
    set.accounts.extend(store.groups().map(|(k, _)| *k));
    set.accounts.extend(store.keeper_set().map(|(k, _)| *k));
    set.accounts.extend(store.reports().map(|(k, _)| *k));
    set.accounts.extend(store.policies().map(|(k, _)| *k));
    set.accounts.extend(store.reserve().map(|(k, _)| *k));
    set.children.extend(Child::OF_GUARD.map(|child| (child, guard)));
    set.children.extend(store.vaults().map(|(k, _)| (Child::Position, *k)));
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::testing::{self, World};

    #[test]
    fn set_grows_with_what_is_known() {
        let (world, signer) = (World::new(), testing::key(99));
        let none = (oracles::Found::default(), Extra::default());
        let empty = watch_set(&Store::new(world.guard_key), &signer, &none.0, &none.1);
        let aggregate = address::aggregate(&world.guard_key);
        assert_eq!(empty.accounts, BTreeSet::from([CLOCK, signer, world.guard_key, aggregate]));
        let store = world.store(&[]);
        let set = watch_set(&store, &signer, &none.0, &none.1);
        assert!(set.children.contains(&(Child::Position, world.vault_key)));
        for oracle in world.oracle_keys() {
            assert!(set.accounts.contains(&oracle) && set.raw.contains(&oracle));
        }
        assert!(set.accounts.contains(&world.vault_key) && !set.raw.contains(&world.vault_key));
        let topics = set.topics();
        assert_eq!(topics.len(), 1 + set.raw.len() + 1 + set.children.len());
        assert!(!topics.contains(&Topic::Account(world.vault_key)), "its set brings it");
    }
}
