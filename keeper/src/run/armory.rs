//! Trips that are ready before they are needed.
//!
//! At every new blockhash, and when a fence moves, the trip of each rule and group that is not in force is signed and
//! journaled; that of a group also when other rules of it would have to be observed in its transaction. The tick that proves
//! one only hands the bytes over: no request and no disk are on that path.

use crate::intent::{Blockhash, Intent, PlannedTx};
use crate::run::courier::{Courier, Departure};
use crate::submit::Prepared;
use anchor_lang::prelude::Pubkey;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A trip to prepare, and the rules that its transaction observes before it: none of a rule's own trip.
pub type Ahead = (PlannedTx, Vec<Pubkey>);

/// Trips to prepare, and the blockhash to do it with.
pub type Order = Option<(Vec<Ahead>, Blockhash)>;

/// What trips are prepared for: the fence of each rule or group, and the rules that its transaction observes.
pub type Fences = BTreeMap<Pubkey, (u64, Vec<Pubkey>)>;

/// Prepared trips with the rules that they observe, by rule or group.
type Armed = HashMap<Pubkey, (Prepared, Vec<Pubkey>)>;

/// The prepared trips.
#[derive(Debug)]
pub struct Armory<C> {
    courier: C,
    armed: Arc<Mutex<Armed>>,
    orders: watch::Sender<Order>,
}

impl<C: Courier> Armory<C> {
    /// An empty armory.
    pub fn new(courier: C) -> Self {
        Self { courier, armed: Arc::default(), orders: watch::Sender::new(None) }
    }

    /// Asks for these trips to be prepared, in place of the last order.
    pub fn order(&self, plans: Vec<Ahead>, blockhash: Blockhash) {
        self.orders.send_replace(Some((plans, blockhash)));
    }

    /// Hands the prepared trip over; `false` where none is ready for this very intent that observes just these rules, or none
    /// that `may_land`.
    ///
    /// Bytes that are sent stand in the way of new ones until they certainly can't land: dead ones must not be sent.
    pub fn fire(
        &self,
        intent: &Intent,
        observed: &[Pubkey],
        departure: &Departure,
        may_land: impl FnOnce(&Blockhash) -> bool,
    ) -> bool {
        let mut armed = lock(&self.armed);
        let is_ready = armed.get(&intent.target).is_some_and(|(prepared, observes)| {
            prepared.intent.id() == intent.id() && observes == observed && may_land(&prepared.blockhash)
        });
        let Some((prepared, _)) = armed.remove(&intent.target).filter(|_| is_ready) else { return false };
        let (courier, departure) = (self.courier.clone(), departure.clone());
        tokio::spawn(async move { departure.send(&courier, &prepared).await });
        true
    }

    /// Returns how many trips are ready.
    #[cfg(test)]
    pub fn ready(&self) -> usize {
        lock(&self.armed).len()
    }

    /// Returns the work of preparing what is ordered; it ends with the armory.
    pub fn worker(&self) -> impl Future<Output = ()> + Send + use<C> {
        let (courier, armed, mut orders) = (self.courier.clone(), self.armed.clone(), self.orders.subscribe());
        async move {
            while orders.changed().await.is_ok() {
                let order = orders.borrow_and_update().clone();
                if let Some((plans, blockhash)) = order {
                    prepare(&courier, &armed, plans, blockhash).await;
                }
            }
        }
    }
}

async fn prepare<C: Courier>(courier: &C, armed: &Mutex<Armed>, plans: Vec<Ahead>, blockhash: Blockhash) {
    let (plans, observed): (Vec<_>, Vec<_>) = plans.into_iter().unzip();
    let targets: Vec<Pubkey> = plans.iter().map(|p| p.intent.target).collect();
    let prepared = courier.prepare_all(plans, blockhash).await;
    let mut armed = lock(armed);
    armed.retain(|target, _| targets.contains(target));
    for (result, observed) in prepared.into_iter().zip(observed) {
        match result {
            Ok(prepared) => drop(armed.insert(prepared.intent.target, (prepared, observed))),
            // a trip that is under way or has landed needs no second one
            Err(error) => tracing::debug!(reason = error.as_str(), "a trip was not prepared: {error}"),
        }
    }
}

fn lock(armed: &Mutex<Armed>) -> MutexGuard<'_, Armed> {
    armed.lock().unwrap_or_else(PoisonError::into_inner)
}
