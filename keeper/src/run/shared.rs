//! What the engine shares with the tasks of the sources.

use crate::chain::fees::Market;
use crate::chain::ws::Topics;
use crate::early::Board;
use crate::watch::feeds::{Topic, WatchSet};
use anchor_lang::prelude::Pubkey;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use tokio::sync::{Notify, mpsc, watch};

/// Slot duration that is assumed until the first measurement, microseconds.
pub const ASSUMED_SLOT_MICROS: u64 = 400_000;

/// The engine's side of it.
#[derive(Clone, Debug)]
pub struct Shared {
    /// What the requests fetch.
    pub set: watch::Sender<Arc<WatchSet>>,
    /// What the socket subscribes to.
    pub topics: watch::Sender<Topics>,
    /// Subscriptions to renew, by source.
    pub renew: Vec<mpsc::Sender<Topic>>,
    /// What others pay for the accounts that are written.
    pub market: watch::Sender<Market>,
    /// Positions that are known.
    pub positions: watch::Sender<Arc<Vec<Pubkey>>>,
    /// Told when a snapshot is wanted at once.
    pub snapshot_wanted: Arc<Notify>,
    /// Slot that a snapshot must be of to close every gap, or a later one.
    pub wanted_slot: Arc<AtomicU64>,
    /// Whether the subscriptions can't be relied on.
    pub is_alone: Arc<AtomicBool>,
    /// Whether the clock has to be asked for.
    pub needs_clock: Arc<AtomicBool>,
    /// Told when a slot begins: the clock moved.
    pub slot_began: Arc<Notify>,
    /// Measured slot duration, microseconds.
    pub slot_micros: Arc<AtomicU64>,
    /// Newest slot known.
    pub slot: Arc<AtomicU64>,
    /// What was heard of prices before they are on chain.
    pub early: Board,
}

impl Shared {
    /// The engine's side, and the ends that `sockets` sockets take renewals from.
    pub fn new(
        slot: Arc<AtomicU64>,
        slot_micros: Arc<AtomicU64>,
        sockets: usize,
    ) -> (Self, Vec<mpsc::Receiver<Topic>>) {
        let (renew, renewals) = (0..sockets).map(|_| mpsc::channel(64)).unzip();
        let shared = Self {
            set: watch::Sender::new(Arc::default()),
            topics: watch::Sender::new(Topics::default()),
            renew,
            market: watch::Sender::new(Market::default()),
            positions: watch::Sender::new(Arc::default()),
            snapshot_wanted: Arc::default(),
            wanted_slot: Arc::default(),
            is_alone: Arc::new(AtomicBool::new(true)),
            needs_clock: Arc::new(AtomicBool::new(true)),
            slot_began: Arc::default(),
            slot_micros,
            slot,
            early: Board::default(),
        };
        (shared, renewals)
    }
}
