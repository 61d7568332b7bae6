//! The timeline: one fork of slots, what every account was at each, and what landed.

use crate::landing::{Landed, Landing, Pending};
use crate::relay::Relay;
use rampart_client::Pubkey;
use rampart_tests::World;
use solana_sdk::account::Account;
use solana_sdk::hash::{Hash, hashv};
use solana_sdk::signature::Signature;
use solana_sdk::slot_hashes::SlotHashes;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;

/// First slot of the timeline.
pub const FIRST_SLOT: u64 = 10_000;
/// A slot behind the tip is confirmed.
pub const CONFIRMED_AFTER: u64 = 2;
/// Chain time that a slot takes, milliseconds. The host's time is another matter: see [`Chain::set_slot_ms`].
const CHAIN_MS: u64 = 400;
/// Blockhashes that are kept: more than any life here.
const HASHES: usize = 400;
/// Blocks that programs are told of: fewer than on a real chain, for they are told in every slot.
const SLOT_HASHES: usize = 32;
const BACKLOG: usize = 4_096;

/// What one slot brought.
#[derive(Clone, Debug)]
pub struct Block {
    /// The slot.
    pub slot: u64,
    /// Accounts that changed, in no order.
    pub changes: Vec<(Pubkey, Account)>,
}

/// A transaction that reached an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// Its name.
    pub signature: Signature,
    /// Slot at which it came.
    pub slot: u64,
    /// Name of the endpoint.
    pub endpoint: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What a node does with a transaction that it takes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwards {
    /// Drops it.
    Never,
    /// Hands it to the leader, once.
    Once,
    /// Hands it to leaders until it has landed or can't any more.
    Repeatedly,
}

/// Everything that the chain is.
pub struct State {
    /// The network behind it.
    pub world: World,
    /// What leaders do.
    pub landing: Landing,
    /// What becomes of packets on the way to them.
    pub relay: Relay,
    /// Newest slot.
    pub slot: u64,
    /// Every transaction that reached an endpoint, in order.
    pub sends: Vec<Send>,
    /// Prices that the feeds tell, dollars: collateral and loan.
    pub prices: [f64; 2],
    /// Whether feeds go on telling.
    pub is_publishing: bool,
    /// Accounts of feeds that nobody pushes, whatever the others tell.
    pub silent: BTreeSet<Pubkey>,
    first_ts: i64,
    genesis: Hash,
    hashes: VecDeque<(Hash, u64)>,
    heights: BTreeMap<u64, u64>,
    versions: HashMap<Pubkey, Vec<(u64, Account)>>,
    pending: BTreeMap<Signature, Pending>,
    landed: BTreeMap<Signature, Landed>,
}

/// The chain. Clones share it.
#[derive(Clone)]
pub struct Chain {
    state: Arc<Mutex<State>>,
    blocks: broadcast::Sender<Arc<Block>>,
    slot_ms: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Chain {
    /// A chain that goes on from `world`, and stands still until [`Self::start`].
    pub fn new(mut world: World, prices: [f64; 2]) -> Self {
        // the chain knows its own blockhashes, and several of them
        world.svm = std::mem::take(&mut world.svm).with_blockhash_check(false);
        let first_ts = world.now_ts();
        let mut state = State {
            world,
            landing: Landing::default(),
            relay: Relay::default(),
            slot: FIRST_SLOT,
            sends: Vec::new(),
            prices,
            is_publishing: true,
            silent: BTreeSet::new(),
            first_ts,
            genesis: hashv(&[b"rig"]),
            hashes: VecDeque::new(),
            heights: BTreeMap::new(),
            versions: HashMap::new(),
            pending: BTreeMap::new(),
            landed: BTreeMap::new(),
        };
        // as many blocks as it takes until there is a confirmed one with a blockhash
        (0..=2 * CONFIRMED_AFTER).for_each(|_| drop(state.produce()));
        Self {
            state: Arc::new(Mutex::new(state)),
            blocks: broadcast::channel(BACKLOG).0,
            slot_ms: Arc::new(AtomicU64::new(50)),
            is_over: Arc::default(),
        }
    }

    /// Returns the state.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets slots pass, in a thread of its own, until the chain is dropped by [`Self::stop`].
    pub fn start(&self) {
        let chain = self.clone();
        std::thread::spawn(move || {
            while !chain.is_over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(chain.slot_ms.load(Ordering::Relaxed)));
                chain.step();
            }
        });
    }

    /// Lets no more slots pass.
    pub fn stop(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Sets how long a slot takes on the host, milliseconds.
    pub fn set_slot_ms(&self, slot_ms: u64) {
        self.slot_ms.store(slot_ms, Ordering::Relaxed);
    }

    /// One slot passes.
    pub fn step(&self) {
        let block = self.state().produce();
        if let Some(block) = block {
            // nobody listening is fine
            let _ = self.blocks.send(Arc::new(block));
        }
    }

    /// Lets chain time pass without slots.
    pub fn advance(&self, secs: i64) {
        self.state().first_ts += secs;
    }

    /// Tells a version of accounts that no later slot confirms: a block of a fork that dies.
    pub fn tell_dead_fork(&self, changes: Vec<(Pubkey, Account)>) {
        let slot = self.state().slot;
        let _ = self.blocks.send(Arc::new(Block { slot, changes }));
    }

    /// Returns what every slot brings from now on.
    pub fn blocks(&self) -> broadcast::Receiver<Arc<Block>> {
        self.blocks.subscribe()
    }

    /// Takes bytes in at an endpoint, which forwards them once or goes on. `None` for what is no transaction.
    pub fn receive(&self, endpoint: &str, bytes: &[u8], forwards: Forwards) -> Option<Signature> {
        let pending = Pending::read(bytes)?;
        let mut state = self.state();
        let (signature, slot) = (pending.signature, state.slot);
        state.sends.push(Send { signature, slot, endpoint: endpoint.to_owned(), bytes: bytes.to_vec() });
        if forwards != Forwards::Never && !state.landed.contains_key(&signature) {
            if forwards == Forwards::Repeatedly {
                state.relay.hold(pending.clone(), slot);
            }
            if state.relay.arrives() {
                state.pending.insert(signature, pending);
            }
        }
        Some(signature)
    }
}

impl State {
    /// Makes the next slot; `None` where its leader is skipped.
    fn produce(&mut self) -> Option<Block> {
        self.slot += 1;
        if self.landing.skipped_leaders > 0 {
            self.landing.skipped_leaders -= 1;
            return None;
        }
        let height = self.height_at(self.slot) + 1;
        self.heights.insert(self.slot, height);
        self.hashes.push_front((hashv(&[b"block", &height.to_le_bytes()]), height));
        self.hashes.truncate(HASHES);
        let now_ts = self.first_ts + i64::try_from((self.slot - FIRST_SLOT) * CHAIN_MS / 1_000).unwrap_or(0);
        self.world.set_clock(now_ts, self.slot);
        self.tell_slot_hashes();
        if self.is_publishing {
            let held: Vec<_> =
                self.silent.iter().filter_map(|key| Some((*key, self.world.svm.get_account(key)?))).collect();
            self.world.set_prices(self.prices[0], self.prices[1]);
            held.into_iter().for_each(|(key, feed)| self.world.svm.set_account(key, feed).expect("account is written"));
        }
        self.include(height);
        Some(Block { slot: self.slot, changes: self.changes() })
    }

    /// Tells programs of the blocks before this one, as a lookup table's creation asks.
    fn tell_slot_hashes(&mut self) {
        let blocks = self.heights.range(..self.slot).rev().take(SLOT_HASHES);
        let hashes: Vec<_> = blocks.map(|(slot, height)| (*slot, hashv(&[b"slot", &height.to_le_bytes()]))).collect();
        self.world.svm.set_sysvar(&SlotHashes::new(&hashes));
    }

    fn include(&mut self, height: u64) {
        let is_alive = |state: &Self, pending: &Pending| {
            state.last_height_of(&pending.blockhash()).is_some_and(|last| height <= last)
        };
        let mut relay = std::mem::take(&mut self.relay);
        let arrived =
            relay.forward(self.slot, |held| !self.landed.contains_key(&held.signature) && is_alive(self, held));
        self.relay = relay;
        self.pending.extend(arrived);
        for (signature, pending) in std::mem::take(&mut self.pending) {
            if !is_alive(self, &pending) {
                continue;
            }
            if self.landing.is_congested || pending.price < self.landing.min_price {
                self.pending.insert(signature, pending);
                continue;
            }
            let landed = self.execute(pending);
            self.landed.insert(signature, landed);
        }
    }

    fn execute(&mut self, pending: Pending) -> Landed {
        let slot = self.slot;
        if let Some(error) = self.landing.refusal(&pending) {
            return Landed { slot, result: Err(error), units: u64::from(pending.units) };
        }
        match self.world.svm.send_transaction(pending.transaction) {
            Ok(meta) => Landed { slot, result: Ok(()), units: meta.compute_units_consumed },
            Err(failed) => Landed { slot, result: Err(failed.err), units: failed.meta.compute_units_consumed },
        }
    }

    /// Notes every account that differs from its last version.
    fn changes(&mut self) -> Vec<(Pubkey, Account)> {
        let mut changes = Vec::new();
        for (key, account) in &self.world.svm.accounts_db().inner {
            let versions = self.versions.entry(*key).or_default();
            let now = Account::from(account.clone());
            if versions.last().is_none_or(|(_, before)| *before != now) {
                versions.push((self.slot, now.clone()));
                changes.push((*key, now));
            }
        }
        // an account that was closed is there no more
        let (accounts, slot) = (&self.world.svm.accounts_db().inner, self.slot);
        let closed = self.versions.iter_mut().filter(|(key, versions)| {
            !accounts.contains_key(*key) && versions.last().is_some_and(|(_, before)| before.lamports > 0)
        });
        for (key, versions) in closed {
            versions.push((slot, Account::default()));
            changes.push((*key, Account::default()));
        }
        changes
    }

    /// Returns an account as of a slot; `None` where there was none.
    pub fn account_at(&self, key: &Pubkey, slot: u64) -> Option<&Account> {
        let versions = self.versions.get(key)?;
        versions.iter().rev().find(|(at, _)| *at <= slot).map(|(_, account)| account).filter(|a| a.lamports > 0)
    }

    /// Returns all accounts of a program as of a slot.
    pub fn accounts_of(&self, program: &Pubkey, slot: u64) -> Vec<(Pubkey, &Account)> {
        let all = self.versions.keys().filter_map(|key| self.account_at(key, slot).map(|account| (*key, account)));
        all.filter(|(_, account)| account.owner == *program).collect()
    }

    /// Returns the height of the last block at or before a slot.
    pub fn height_at(&self, slot: u64) -> u64 {
        self.heights.range(..=slot).next_back().map_or(0, |(_, height)| *height)
    }

    /// Returns the newest blockhash at or before a slot, and the last height at which it is good.
    pub fn blockhash_at(&self, slot: u64) -> (Hash, u64) {
        let height = self.height_at(slot);
        let hash = self.hashes.iter().find(|(_, born)| *born <= height).map_or(self.genesis, |(hash, _)| *hash);
        (hash, height + self.landing.life_blocks)
    }

    /// Returns the last height at which a blockhash is good.
    pub fn last_height_of(&self, hash: &Hash) -> Option<u64> {
        let born = self.hashes.iter().find(|(known, _)| known == hash).map(|(_, born)| *born);
        born.map(|born| born + self.landing.life_blocks)
    }

    /// Returns the genesis hash.
    pub fn genesis(&self) -> Hash {
        self.genesis
    }

    /// Returns what became of a signature.
    pub fn landed(&self, signature: &Signature) -> Option<&Landed> {
        self.landed.get(signature)
    }

    /// Returns everything that landed.
    pub fn all_landed(&self) -> impl Iterator<Item = (&Signature, &Landed)> {
        self.landed.iter()
    }
}
