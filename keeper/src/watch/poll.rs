//! Requests as a source of their own, and as the check on the others.
//!
//! Three rounds: the clock, at every slot, while no subscription brings it; the watched accounts, every `poll_ms`; and the snapshot,
//! which lists everything: on request (it closes the gap after a reconnection), every `sweep_secs`, and in place of the
//! second round while the subscriptions are down. A snapshot gives way while endpoints ask for fewer requests; where an
//! endpoint lists nothing, the accounts that are known are fetched one by one, and no gap is closed by that.

use crate::chain::pool::Pool;
use crate::chain::rpc::{Listing, RpcError};
use crate::chain::standing::Use;
use crate::config::endpoints::Role;
use crate::watch::Update;
use crate::watch::feeds::{CLOCK, Child, WatchSet};
use crate::watch::mailbox::Mailbox;
use crate::watch::oracles::Found;
use crate::watch::parts::Parts;
use anchor_lang::prelude::Pubkey;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How often the clock is asked for while nothing brings it, neither itself nor news of a slot.
const CLOCK_PERIOD: Duration = Duration::from_millis(250);
/// The least time between two such requests.
const CLOCK_PAUSE: Duration = Duration::from_millis(40);

/// Positions that are handed over at once: whoever takes them in decides on prices in between.
pub(crate) const PIECE: usize = 1_000;

/// What the poller found.
#[derive(Debug)]
pub enum Polled {
    /// The watched accounts, which went into the mailbox, as of a slot.
    Accounts {
        /// The slot.
        slot: u64,
    },
    /// Positions of a snapshot that follows.
    Positions(Vec<Update>),
    /// Everything, but for the positions before it.
    Snapshot(Box<Snapshot>),
    /// A request failed: nothing is known.
    Failed(RpcError),
    /// The newest slot was wrong, and is this one: what came as of much later slots has to be forgotten.
    SteppedBack {
        /// The slot.
        slot: u64,
    },
}

/// Everything there is, at or after one slot; positions come before it.
#[derive(Debug)]
pub struct Snapshot {
    /// All accounts that were not handed over before it.
    pub updates: Vec<Update>,
    /// Addresses of all accounts of the program, those handed over before among them.
    pub listed: HashSet<Pubkey>,
    /// The oldest slot of its parts.
    pub slot: u64,
    /// What it was asked to hold.
    pub set: Arc<WatchSet>,
    /// Accounts found for feeds without a pinned account.
    pub found: Found,
    /// When the first request went out: what happened before is in it.
    pub asked_at: Instant,
    /// Whether the program's accounts were listed. Otherwise there may be some that nobody knows of.
    pub is_whole: bool,
}

/// What the poller needs.
pub struct Poller {
    /// The endpoints.
    pub pool: Arc<Pool>,
    /// What to fetch.
    pub set: watch::Receiver<Arc<WatchSet>>,
    /// Positions that are known.
    pub positions: watch::Receiver<Arc<Vec<Pubkey>>>,
    /// Told when a snapshot is wanted at once.
    pub snapshot_wanted: Arc<Notify>,
    /// Slot that a snapshot must be of to close every gap, or a later one; zero where none is open.
    pub wanted_slot: Arc<AtomicU64>,
    /// Whether the subscriptions are down.
    pub is_alone: Arc<AtomicBool>,
    /// Whether the clock has to be asked for.
    pub needs_clock: Arc<AtomicBool>,
    /// Told when a slot begins.
    pub slot_began: Arc<Notify>,
    /// Where accounts go.
    pub mailbox: Arc<Mailbox>,
    /// Where everything else goes.
    pub polled: mpsc::Sender<Polled>,
    /// Period of the second round.
    pub poll: Duration,
    /// Period of the snapshot.
    pub sweep: Duration,
}

impl Poller {
    /// Polls until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = self.rounds() => {}
            () = self.clock() => {}
            () = stop.cancelled() => {}
        }
    }

    async fn rounds(&self) {
        let mut snapshot_at: Option<Instant> = None;
        let mut parts = Parts::default();
        loop {
            let is_wanted =
                snapshot_at.is_none_or(|at| at.elapsed() >= self.sweep) || self.is_alone.load(Ordering::Relaxed);
            let is_due = is_wanted && !self.pool.usable(Role::Read, Use::Sweep).is_empty();
            if is_due {
                snapshot_at = Some(Instant::now());
            }
            let is_heard =
                if is_due { self.snapshot_and_polls(&mut parts).await } else { self.tell(self.accounts().await).await };
            if !is_heard {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(self.poll) => {}
                () = self.snapshot_wanted.notified() => snapshot_at = None,
            }
        }
    }

    /// Takes a snapshot; prices are asked for meanwhile, however long it takes at the endpoint's pace.
    async fn snapshot_and_polls(&self, parts: &mut Parts) -> bool {
        let mut snapshot = std::pin::pin!(self.snapshot(parts));
        loop {
            tokio::select! {
                polled = &mut snapshot => return self.tell(polled).await,
                () = tokio::time::sleep(self.poll) => {
                    if !self.tell(self.accounts().await).await {
                        return false;
                    }
                }
            }
        }
    }

    /// Hands over what was polled; `false` once nobody listens.
    async fn tell(&self, polled: Result<Polled, RpcError>) -> bool {
        if let Some(slot) = self.pool.take_lowered()
            && self.polled.send(Polled::SteppedBack { slot }).await.is_err()
        {
            return false;
        }
        self.polled.send(polled.unwrap_or_else(Polled::Failed)).await.is_ok()
    }

    async fn clock(&self) {
        loop {
            tokio::time::sleep(CLOCK_PAUSE).await;
            // the clock moves with the slots; a wait that ends by itself is as good
            let _ = tokio::time::timeout(CLOCK_PERIOD, self.slot_began.notified()).await;
            if !self.needs_clock.load(Ordering::Relaxed) {
                continue;
            }
            match self.pool.accounts(&[CLOCK], Use::Hot).await {
                Ok(listing) => self.mailbox.put(listing.updates),
                Err(error) => tracing::debug!(error = %crate::error::chain(&error), "failed to ask for the clock"),
            }
        }
    }

    async fn accounts(&self) -> Result<Polled, RpcError> {
        let set = self.set.borrow().clone();
        let keys: Vec<Pubkey> = set.accounts.iter().copied().collect();
        let listing = self.pool.accounts(&keys, Use::Hot).await?;
        self.mailbox.put(listing.updates);
        Ok(Polled::Accounts { slot: listing.slot })
    }

    async fn snapshot(&self, parts: &mut Parts) -> Result<Polled, RpcError> {
        let (asked_at, set) = (Instant::now(), self.set.borrow().clone());
        let since = self.wanted_slot.load(Ordering::Relaxed);
        let keys: Vec<Pubkey> = set.accounts.iter().copied().collect();
        let accounts = self.pool.accounts_since(&keys, Use::Sweep, since).await?;
        let mut snapshot = Snapshot {
            updates: accounts.updates,
            listed: HashSet::new(),
            slot: accounts.slot,
            set: set.clone(),
            found: Found::new(),
            asked_at,
            is_whole: true,
        };
        for (child, parent) in &set.children {
            let listed = match child {
                Child::Position => self.positions(parent, since, parts, &mut snapshot).await,
                _ => self.pool.children_since(*child, parent, since).await.map(|listing| snapshot.add(listing)),
            };
            if let Err(error) = listed {
                tracing::warn!(error = %crate::error::chain(&error), "accounts can't be listed; known ones are fetched");
                snapshot.is_whole = false;
                break;
            }
        }
        if !snapshot.is_whole {
            let known = self.positions.borrow().clone();
            snapshot.add(self.pool.accounts(&known, Use::Calm).await?);
            return Ok(Polled::Snapshot(Box::new(snapshot)));
        }
        snapshot.listed.extend(snapshot.updates.iter().filter(|u| u.owner == rampart::ID).map(|u| u.key));
        for (program, feed_id) in &set.unpinned {
            let listing = self.pool.price_accounts(program, feed_id).await?;
            if let Some(key) = newest(&listing, feed_id) {
                snapshot.found.insert((*program, *feed_id), key);
            }
        }
        Ok(Polled::Snapshot(Box::new(snapshot)))
    }

    /// Lists the positions of a vault and hands them over, piece by piece.
    async fn positions(
        &self,
        vault: &Pubkey,
        since: u64,
        parts: &mut Parts,
        snapshot: &mut Snapshot,
    ) -> Result<(), RpcError> {
        let mut left = parts.of(vault);
        while let Some(owners) = left.pop() {
            match self.pool.positions_since(vault, &owners, since).await {
                Ok(listing) => self.hand_over(listing, snapshot).await,
                Err(error) if error.is_too_much() => {
                    let smaller = parts.split(vault, &owners);
                    if smaller.is_empty() {
                        return Err(error);
                    }
                    left.extend(smaller);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn hand_over(&self, listing: Listing, snapshot: &mut Snapshot) {
        snapshot.slot = snapshot.slot.min(listing.slot);
        snapshot.listed.extend(listing.updates.iter().filter(|u| u.owner == rampart::ID).map(|u| u.key));
        let mut updates = listing.updates.into_iter();
        while updates.len() > 0 {
            let piece = updates.by_ref().take(PIECE).collect();
            if self.polled.send(Polled::Positions(piece)).await.is_err() {
                // nobody listens any more, which the snapshot will find as well
                return;
            }
        }
    }
}

impl Snapshot {
    fn add(&mut self, listing: Listing) {
        self.slot = self.slot.min(listing.slot);
        self.updates.extend(listing.updates);
    }
}

/// The account with the newest price of a feed.
pub(crate) fn newest(listing: &Listing, feed_id: &[u8; 32]) -> Option<Pubkey> {
    let publish_ts =
        |u: &Update| rampart::oracle::pyth::decode(&u.data, feed_id).ok().map(|raw| (raw.publish_ts, u.key));
    listing.updates.iter().filter_map(publish_ts).max().map(|(_, key)| key)
}
