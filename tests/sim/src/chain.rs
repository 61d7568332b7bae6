//! The chain: slots, blocks, forks that die, blockhashes and what lands. The real program judges every transaction.

use crate::landing::{Landed, Pending};
use rampart_client::Pubkey;
use rampart_tests::World;
use rampart_tests::world::START_TS;
use solana_sdk::account::Account;
use solana_sdk::hash::{Hash, hashv};
use solana_sdk::signature::Signature;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// First slot of every simulation.
pub const FIRST_SLOT: u64 = 10_000;
/// A slot so far behind the tip is confirmed. No fork that dies is as long.
pub const CONFIRMED_AFTER: u64 = 3;
/// Blocks for which a blockhash lives.
pub const LIFE_BLOCKS: u64 = 150;
/// Versions of accounts, heights and blocks are kept for so many slots.
const KEPT_SLOTS: u64 = 400;
/// Outcomes of transactions are kept for so many slots.
const KEPT_OUTCOMES_SLOTS: u64 = 4_000;
/// Address of the Clock sysvar.
const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
/// Chain time at the first slot, unix seconds.
const FIRST_TS: i64 = START_TS + 3_600;

/// An account, or that there is none.
pub type Version = Option<Arc<Account>>;

/// What one slot brought.
#[derive(Debug)]
pub struct Block {
    /// The slot.
    pub slot: u64,
    /// Accounts that changed, in the order of their addresses.
    pub changes: Vec<(Pubkey, Version)>,
}

/// What leaders do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Leaders {
    /// They take in nothing that pays less, micro-lamports per compute unit.
    pub min_price: u64,
    /// So many of the next slots have no block.
    pub skipped: u64,
}

/// The chain.
pub struct Chain {
    /// The network behind it, at the tip.
    pub world: World,
    /// Newest slot.
    pub slot: u64,
    /// What leaders do.
    pub leaders: Leaders,
    /// What landed, on the fork that stands.
    pub landed: BTreeMap<Signature, Landed>,
    /// Everything that landed and can't be undone any more, once.
    pub news: Vec<Signature>,
    heights: BTreeMap<u64, u64>,
    hashes: VecDeque<(Hash, u64)>,
    versions: BTreeMap<Pubkey, VecDeque<(u64, Version)>>,
    owned: BTreeSet<Pubkey>,
    pool: BTreeMap<Signature, Pending>,
    recent: VecDeque<(u64, Signature)>,
    fork: Option<Fork>,
    told_slot: u64,
}

/// The state before a fork that will die.
struct Fork {
    world: World,
    first_slot: u64,
    last_slot: u64,
}

impl Chain {
    /// A chain that goes on from `world`.
    pub fn new(mut world: World) -> Self {
        // the chain knows its own blockhashes, checks signatures on arrival, and knows what landed
        let svm = std::mem::take(&mut world.svm);
        world.svm = svm.with_blockhash_check(false).with_sigverify(false).with_transaction_history(0);
        let mut chain = Self {
            world,
            slot: FIRST_SLOT,
            leaders: Leaders::default(),
            landed: BTreeMap::new(),
            news: Vec::new(),
            heights: BTreeMap::from([(FIRST_SLOT, 1)]),
            hashes: VecDeque::new(),
            versions: BTreeMap::new(),
            owned: BTreeSet::new(),
            pool: BTreeMap::new(),
            recent: VecDeque::new(),
            fork: None,
            told_slot: FIRST_SLOT,
        };
        chain.world.set_clock(FIRST_TS, FIRST_SLOT);
        chain.note_all();
        (0..2 * CONFIRMED_AFTER).for_each(|_| drop(chain.produce(0, |_| Vec::new())));
        chain
    }

    /// Begins a fork of `slots` slots that dies: what lands in it lands again, or not.
    pub fn begin_fork(&mut self, slots: u64) {
        if self.fork.is_none() {
            let (first_slot, last_slot) = (self.slot + 1, self.slot + slots.min(CONFIRMED_AFTER - 1));
            self.fork = Some(Fork { world: self.world.replica(), first_slot, last_slot });
        }
    }

    /// Tells whether the tip is on a fork that will die.
    pub fn is_forked(&self) -> bool {
        self.fork.is_some()
    }

    /// Makes the next slot at `elapsed_ms` since the start: `act` changes the world first, and tells which accounts.
    ///
    /// `None` where its leader is skipped.
    pub fn produce(&mut self, elapsed_ms: u64, act: impl FnOnce(&mut World) -> Vec<Pubkey>) -> Option<Arc<Block>> {
        self.end_fork();
        self.slot += 1;
        if self.leaders.skipped > 0 {
            self.leaders.skipped -= 1;
            return None;
        }
        let height = self.height_at(self.slot) + 1;
        self.heights.insert(self.slot, height);
        self.hashes.push_front((hashv(&[b"block", &self.slot.to_le_bytes()]), height));
        self.hashes.truncate(2 * LIFE_BLOCKS as usize + KEPT_SLOTS as usize);
        let now_ts = FIRST_TS + i64::try_from(elapsed_ms / 1_000).unwrap_or(0);
        self.world.set_clock(now_ts, self.slot);
        let mut touched: BTreeSet<Pubkey> = act(&mut self.world).into_iter().collect();
        touched.insert(CLOCK);
        self.include(height, &mut touched);
        let changes = touched.into_iter().filter_map(|key| self.note(key).map(|version| (key, version))).collect();
        self.forget();
        Some(Arc::new(Block { slot: self.slot, changes }))
    }

    /// Takes a transaction in.
    pub fn receive(&mut self, pending: Pending) {
        if !self.landed.contains_key(&pending.signature) {
            self.pool.entry(pending.signature).or_insert(pending);
        }
    }

    /// Tells whether a transaction with this blockhash may land in a later block.
    pub fn is_alive(&self, hash: &Hash) -> bool {
        let height = self.height_at(self.slot);
        self.born(hash).is_some_and(|born| height < born + LIFE_BLOCKS)
    }

    fn born(&self, hash: &Hash) -> Option<u64> {
        self.hashes.iter().find(|(known, _)| known == hash).map(|(_, born)| *born)
    }

    fn include(&mut self, height: u64, touched: &mut BTreeSet<Pubkey>) {
        let mut ready: Vec<Pending> = self.pool.values().filter(|p| p.from_slot <= self.slot).cloned().collect();
        // who pays more is first, then the name decides
        ready.sort_by_key(|pending| (std::cmp::Reverse(pending.price), pending.signature));
        for pending in ready {
            let is_dead = self.born(&pending.blockhash()).is_none_or(|born| height > born + LIFE_BLOCKS);
            if is_dead {
                self.pool.remove(&pending.signature);
            } else if pending.price >= self.leaders.min_price {
                self.pool.remove(&pending.signature);
                self.execute(pending, touched);
            }
        }
    }

    fn execute(&mut self, pending: Pending, touched: &mut BTreeSet<Pubkey>) {
        touched.extend(pending.transaction.message.account_keys.iter().copied());
        let (result, units) = match self.world.svm.send_transaction(pending.transaction.clone()) {
            Ok(meta) => (Ok(()), meta.compute_units_consumed),
            Err(failed) => (Err(failed.err), failed.meta.compute_units_consumed),
        };
        self.recent.push_back((self.slot, pending.signature));
        self.landed.insert(pending.signature, Landed { slot: self.slot, result, units, pending });
    }

    fn end_fork(&mut self) {
        let is_over = self.fork.as_ref().is_some_and(|fork| self.slot >= fork.last_slot);
        let Some(fork) = self.fork.take_if(|_| is_over) else { return };
        let is_dead = |slot: u64| slot >= fork.first_slot;
        self.world = fork.world;
        for versions in self.versions.values_mut() {
            versions.retain(|(slot, _)| !is_dead(*slot));
        }
        self.versions.retain(|_, versions| !versions.is_empty());
        let blocks = self.heights.range(fork.first_slot..).count();
        self.heights.retain(|slot, _| !is_dead(*slot));
        self.hashes.drain(..blocks);
        self.recent.retain(|(slot, _)| !is_dead(*slot));
        let undone: Vec<Signature> = self.landed.iter().filter(|(_, l)| is_dead(l.slot)).map(|(s, _)| *s).collect();
        for signature in undone {
            // leaders of the other fork know it too, after a while
            let pending = self.landed.remove(&signature).map(|landed| landed.pending);
            let pending = pending.map(|pending| Pending { from_slot: self.slot + 2, ..pending });
            pending.into_iter().for_each(|pending| drop(self.pool.insert(signature, pending)));
        }
    }

    /// Compares every account with its last version: after the world was changed from outside of blocks.
    pub fn note_all(&mut self) {
        let keys: BTreeSet<Pubkey> = self.world.svm.accounts_db().inner.keys().copied().collect();
        for key in keys {
            self.note(key);
        }
    }

    /// Takes in the version of an account, if it is another one.
    fn note(&mut self, key: Pubkey) -> Option<Version> {
        let now: Version = self.world.svm.get_account(&key).filter(|a| a.lamports > 0).map(Arc::new);
        let versions = self.versions.entry(key).or_default();
        let before = versions.back().and_then(|(_, version)| version.as_ref());
        if before.map(|b| &**b) == now.as_deref() {
            return None;
        }
        if now.as_ref().is_some_and(|account| account.owner == rampart::ID) {
            self.owned.insert(key);
        }
        versions.push_back((self.slot, now.clone()));
        let oldest = self.slot.saturating_sub(KEPT_SLOTS);
        while versions.get(1).is_some_and(|(slot, _)| *slot < oldest) {
            versions.pop_front();
        }
        Some(now)
    }

    fn forget(&mut self) {
        let confirmed = self.confirmed(self.slot);
        let is_new = |slot: u64| slot <= confirmed && slot > self.told_slot;
        let mut news: Vec<Signature> = self.recent.iter().filter(|(slot, _)| is_new(*slot)).map(|(_, s)| *s).collect();
        self.news.append(&mut news);
        self.told_slot = self.told_slot.max(confirmed);
        let oldest = self.slot.saturating_sub(KEPT_OUTCOMES_SLOTS);
        while self.recent.front().is_some_and(|(slot, _)| *slot < oldest) {
            self.recent.pop_front().into_iter().for_each(|(_, signature)| drop(self.landed.remove(&signature)));
        }
        let oldest = self.slot.saturating_sub(KEPT_SLOTS);
        while self.heights.first_key_value().is_some_and(|(slot, _)| *slot < oldest) {
            self.heights.pop_first();
        }
    }

    // --- what nodes see

    /// Returns the newest confirmed slot where `tip` is the newest.
    pub fn confirmed(&self, tip: u64) -> u64 {
        tip.saturating_sub(CONFIRMED_AFTER)
    }

    /// Returns an account as of a slot; `None` where there was none.
    pub fn account_at(&self, key: &Pubkey, slot: u64) -> Version {
        let versions = self.versions.get(key)?;
        versions.iter().rev().find(|(at, _)| *at <= slot).and_then(|(_, version)| version.clone())
    }

    /// Returns all accounts of the program as of a slot.
    pub fn program_accounts(&self, slot: u64) -> impl Iterator<Item = (Pubkey, Arc<Account>)> {
        self.owned.iter().filter_map(move |key| {
            self.account_at(key, slot).filter(|account| account.owner == rampart::ID).map(|account| (*key, account))
        })
    }

    /// Returns the height of the last block at or before a slot.
    pub fn height_at(&self, slot: u64) -> u64 {
        self.heights.range(..=slot).next_back().map_or(0, |(_, height)| *height)
    }

    /// Returns the newest blockhash at or before a slot, and the last height at which it is good.
    pub fn blockhash_at(&self, slot: u64) -> (Hash, u64) {
        let height = self.height_at(slot);
        let hash = self.hashes.iter().find(|(_, born)| *born <= height).map_or(genesis(), |(hash, _)| *hash);
        (hash, height + LIFE_BLOCKS)
    }
}

/// Returns the genesis hash.
pub fn genesis() -> Hash {
    hashv(&[b"simulation"])
}
