//! Requests as a source of their own, and as the check on the others.
//!
//! Three rounds: the clock, at every slot, while no subscription brings it; the watched accounts, every `poll_ms`; and the snapshot,
//! which lists everything: on request (it closes the gap after a reconnection), every `sweep_secs`, and in place of the
//! second round while the subscriptions are down.

use crate::chain::rpc::{Listing, Rpc, RpcError};
use crate::watch::Update;
use crate::watch::feeds::{CLOCK, WatchSet};
use crate::watch::mailbox::Mailbox;
use crate::watch::oracles::Found;
use anchor_lang::prelude::Pubkey;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How often the clock is asked for while nothing brings it, neither itself nor news of a slot.
const CLOCK_PERIOD: Duration = Duration::from_millis(250);
/// The least time between two such requests.
const CLOCK_PAUSE: Duration = Duration::from_millis(40);

/// What the poller found.
#[derive(Debug)]
pub enum Polled {
    /// The watched accounts, which went into the mailbox, as of a slot.
    Accounts {
        /// The slot.
        slot: u64,
    },
    /// Everything.
    Snapshot(Box<Snapshot>),
    /// A request failed: nothing is known.
    Failed(RpcError),
}

/// Everything there is, at or after one slot.
#[derive(Debug)]
pub struct Snapshot {
    /// All accounts.
    pub updates: Vec<Update>,
    /// Addresses of the program's accounts among them.
    pub listed: HashSet<Pubkey>,
    /// The oldest slot of its parts.
    pub slot: u64,
    /// What it was asked to hold.
    pub set: Arc<WatchSet>,
    /// Accounts found for feeds without a pinned account.
    pub found: Found,
    /// When the first request went out: what happened before is in it.
    pub asked_at: Instant,
}

/// What the poller needs.
pub struct Poller {
    /// The endpoint.
    pub rpc: Arc<Rpc>,
    /// What to fetch.
    pub set: watch::Receiver<Arc<WatchSet>>,
    /// Told when a snapshot is wanted at once.
    pub snapshot_wanted: Arc<Notify>,
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
        loop {
            let is_due =
                snapshot_at.is_none_or(|at| at.elapsed() >= self.sweep) || self.is_alone.load(Ordering::Relaxed);
            if is_due {
                snapshot_at = Some(Instant::now());
            }
            let polled = if is_due { self.snapshot().await } else { self.accounts().await };
            if self.polled.send(polled.unwrap_or_else(Polled::Failed)).await.is_err() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(self.poll) => {}
                () = self.snapshot_wanted.notified() => snapshot_at = None,
            }
        }
    }

    async fn clock(&self) {
        loop {
            tokio::time::sleep(CLOCK_PAUSE).await;
            // the clock moves with the slots; a wait that ends by itself is as good
            let _ = tokio::time::timeout(CLOCK_PERIOD, self.slot_began.notified()).await;
            if !self.needs_clock.load(Ordering::Relaxed) {
                continue;
            }
            match self.rpc.accounts(&[CLOCK]).await {
                Ok(listing) => self.mailbox.put(listing.updates),
                Err(error) => tracing::debug!(error = %crate::error::chain(&error), "failed to ask for the clock"),
            }
        }
    }

    async fn accounts(&self) -> Result<Polled, RpcError> {
        let set = self.set.borrow().clone();
        let keys: Vec<Pubkey> = set.accounts.iter().copied().collect();
        let listing = self.rpc.accounts(&keys).await?;
        self.mailbox.put(listing.updates);
        Ok(Polled::Accounts { slot: listing.slot })
    }

    async fn snapshot(&self) -> Result<Polled, RpcError> {
        let (asked_at, set) = (Instant::now(), self.set.borrow().clone());
        let keys: Vec<Pubkey> = set.accounts.iter().copied().collect();
        let accounts = self.rpc.accounts(&keys).await?;
        let mut snapshot = Snapshot {
            updates: accounts.updates,
            listed: HashSet::new(),
            slot: accounts.slot,
            set: set.clone(),
            found: Found::new(),
            asked_at,
        };
        for (child, parent) in &set.children {
            snapshot.add(self.rpc.children(*child, parent).await?);
        }
        snapshot.listed.extend(snapshot.updates.iter().filter(|u| u.owner == rampart::ID).map(|u| u.key));
        for (program, feed_id) in &set.unpinned {
            let listing = self.rpc.price_accounts(program, feed_id).await?;
            if let Some(key) = newest(&listing, feed_id) {
                snapshot.found.insert((*program, *feed_id), key);
            }
        }
        Ok(Polled::Snapshot(Box::new(snapshot)))
    }
}

impl Snapshot {
    fn add(&mut self, listing: Listing) {
        self.slot = self.slot.min(listing.slot);
        self.updates.extend(listing.updates);
    }
}

/// The account with the newest price of a feed.
fn newest(listing: &Listing, feed_id: &[u8; 32]) -> Option<Pubkey> {
    let publish_ts =
        |u: &Update| rampart::oracle::pyth::decode(&u.data, feed_id).ok().map(|raw| (raw.publish_ts, u.key));
    listing.updates.iter().filter_map(publish_ts).max().map(|(_, key)| key)
}
